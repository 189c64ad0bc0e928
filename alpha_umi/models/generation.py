"""Decoding with a local model over the caches of its roles.

An Engine is one set of full weights with the adapters on it; a LocalModel is the Model that one role sees. Calls on one
engine run one after the other, because the active adapter is a property of the engine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, cast

import torch
from transformers import PreTrainedModel

from alpha_umi.encoding import ChatEncoder
from alpha_umi.models import attention
from alpha_umi.models.base import Completion, Generation, Message, Request
from alpha_umi.models.batch import BatchRow, decode_together
from alpha_umi.models.cache import Entry, RoleCaches
from alpha_umi.models.lora import Adapters

Reason = Literal["stop", "length", "repetition", "cancelled", "context"]

REPEATS = 4
MIN_REPEATED = 32
"""A stretch counts as repeating itself when it stands four times in a row over at least 32 tokens."""


class Engine:
    """Weights in memory, the adapters on them, and the caches of the episodes under way."""

    def __init__(self, model: PreTrainedModel, encoder: ChatEncoder, *, context: int | None = None) -> None:
        attention.use_on(model)
        self.model = model
        self.encoder = encoder
        self.adapters = Adapters(model)
        self.caches = RoleCaches()
        self.lock = threading.Lock()
        positions = int(model.config.max_position_embeddings)
        self.context_length = min(positions, context or positions)

    def add_adapter(self, folder: Path) -> str:
        """Load an adapter once; returns the name it goes by."""
        name = str(folder.resolve())
        if name not in self.adapters.names:
            self.adapters.add(folder, name)
        return name

    @torch.inference_mode()
    def forward(self, entry: Entry, ids: Sequence[int]) -> torch.Tensor:
        """Encode `ids` after what the entry holds; returns the logits after the last one, shape (vocabulary,)."""
        batch = torch.tensor([list(ids)], device=self.model.device)
        out = self.model(input_ids=batch, past_key_values=entry.cache, use_cache=True, logits_to_keep=1)
        entry.ids.extend(ids)
        logits: torch.Tensor = out.logits[0, -1]
        return logits


class LocalModel:
    """What one role speaks with: an engine under one adapter, or under none."""

    def __init__(self, engine: Engine, *, adapter: str | None = None) -> None:
        self.engine = engine
        self.adapter = adapter
        self.context_length = engine.context_length

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Length of the prompt in tokens."""
        return len(self.engine.encoder.prompt(messages))

    def complete(self, request: Request) -> Completion:
        """Write the next assistant message, encoding only what the session's cache does not hold."""
        ids = self.engine.encoder.prompt(request.messages)
        room = self.engine.context_length - len(ids)
        if room < 1:
            return Completion(text="", prompt_tokens=len(ids), finish_reason="context")
        with self.engine.lock:
            self.engine.adapters.activate(self.adapter)
            entry = self.engine.caches.entry(request.session, self.adapter or "")
            kept = entry.keep_common(ids)
            logits = self.engine.forward(entry, ids[kept:])
            written, reason = self._decode(entry, logits, request, room)
        return Completion(
            text=self._text(written),
            prompt_tokens=len(ids),
            encoded_tokens=len(ids) - kept,
            completion_tokens=len(written),
            finish_reason=reason,
        )

    def complete_many(self, requests: Sequence[Request]) -> list[Completion]:
        """Complete requests side by side, in the order given; sessions are not used. Faster where there are several."""
        engine = self.engine
        rows = []
        for request in requests:
            ids = engine.encoder.prompt(request.messages)
            rows.append(BatchRow(request, ids, _chooser(request.generation), engine.context_length - len(ids)))
        fitting = [row for row in rows if row.room > 0]
        with engine.lock:
            engine.adapters.activate(self.adapter)
            if fitting:
                decode_together(engine.model, fitting, end_ids=engine.encoder.end_ids, repeats=repeats_itself)
        done = []
        for row in rows:
            fits = row.room > 0
            done.append(
                Completion(
                    text=self._text(row.written),
                    prompt_tokens=len(row.prompt),
                    encoded_tokens=len(row.prompt) if fits else 0,
                    completion_tokens=len(row.written),
                    finish_reason=cast(Reason, row.reason) if fits else "context",
                )
            )
        return done

    def release(self, session: str) -> None:
        """Forget the session's keys and values."""
        with self.engine.lock:
            self.engine.caches.release(session)

    def _decode(self, entry: Entry, logits: torch.Tensor, request: Request, room: int) -> tuple[list[int], Reason]:
        """Token by token until an end token, a limit, a repetition or a stop from outside."""
        choose = _chooser(request.generation)
        tell = _Teller(self._text, request.on_text)
        written: list[int] = []
        for _ in range(min(request.generation.max_new_tokens, room)):
            if request.should_stop is not None and request.should_stop():
                return written, "cancelled"
            token = choose(logits)
            if token in self.engine.encoder.end_ids:
                tell(written, final=True)
                return written, "stop"
            written.append(token)
            tell(written)
            if repeats_itself(written, request.generation.repetition_window):
                tell(written, final=True)
                return written, "repetition"
            if len(written) < min(request.generation.max_new_tokens, room):
                logits = self.engine.forward(entry, [token])
        tell(written, final=True)
        return written, "length"

    def _text(self, ids: Sequence[int]) -> str:
        text: str = self.engine.encoder.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text


def _chooser(generation: Generation) -> Callable[[torch.Tensor], int]:
    """A function from logits to the next token: greedy at temperature 0, else nucleus sampling with its own seed."""
    if generation.temperature <= 0:
        return lambda logits: int(logits.argmax())
    from transformers import TopPLogitsWarper

    source = torch.Generator()
    if generation.seed is None:
        source.seed()
    else:
        source.manual_seed(generation.seed)
    nucleus = TopPLogitsWarper(generation.top_p) if generation.top_p < 1 else None

    def choose(logits: torch.Tensor) -> int:
        scores = logits.float().cpu().unsqueeze(0) / generation.temperature
        if nucleus is not None:
            scores = nucleus(torch.zeros((1, 0), dtype=torch.long), scores)
        return int(torch.multinomial(scores.softmax(-1)[0], 1, generator=source))

    return choose


def repeats_itself(ids: Sequence[int], window: int) -> bool:
    """Whether the end of `ids` is one stretch of at most `window` tokens, four times or more, 32 tokens or more."""
    for period in range(1, window + 1):
        span = max(period * REPEATS, MIN_REPEATED)
        if len(ids) < span or ids[-1] != ids[-1 - period]:
            continue
        if all(ids[-k] == ids[-k - period] for k in range(1, span - period + 1)):
            return True
    return False


class _Teller:
    """Hands out new text as it becomes certain (a character may need several tokens)."""

    def __init__(self, text: Callable[[Sequence[int]], str], on_text: Callable[[str], None] | None) -> None:
        self._text = text
        self._on_text = on_text
        self._told = 0

    def __call__(self, ids: Sequence[int], *, final: bool = False) -> None:
        if self._on_text is None:
            return
        text = self._text(ids)
        if not final and text.endswith("\ufffd"):
            return
        if len(text) > self._told:
            self._on_text(text[self._told :])
            self._told = len(text)
