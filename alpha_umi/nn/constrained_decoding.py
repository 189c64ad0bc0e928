"""Constrained decoding under a grammar: which tokens may come next, and which must.

llguidance walks the grammar; here its answers meet a model's logits. Tokens that the grammar forces (a tool's name once
it is certain, keys, brackets) are written without a forward pass each. A completion that is about to run out of tokens
is closed: what was open is brought to a valid end instead of being cut off in the middle.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import llguidance.hf
import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer

from alpha_umi.errors import ModelError
from alpha_umi.text.chat_tokenizer import Tokenizer
from alpha_umi.text.output_grammar import LOOSEST, Constraint

_KEPT = 256
"""Compiled grammars that are kept: one for each set of tools that was lately offered."""
_CLOSING = " Next:"
"""What brings a rationale to its end, after which only a marker can follow."""

Choose = Callable[[torch.Tensor], int]


class Guidance:
    """Grammars over the tokens of one model, compiled once each."""

    def __init__(self, tokenizer: Tokenizer, *, vocabulary: int, end_ids: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._size, self.end_ids = vocabulary, list(end_ids)
        self._compiled: OrderedDict[str, LLMatcher] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, constraint: Constraint) -> Guide:
        """A guide for one completion.

        Raises:
            ModelError: the tokenizer cannot be followed, or the grammar not compiled.
        """
        with self._lock:
            matcher = self._compiled.pop(constraint.key, None) or self._compile(constraint)
            self._compiled[constraint.key] = matcher
            if len(self._compiled) > _KEPT:
                self._compiled.popitem(last=False)
            return Guide(self, matcher.deep_copy(), is_call=constraint.kind == "call")

    def _compile(self, constraint: Constraint) -> LLMatcher:
        found = LLMatcher(self._tokens, constraint.lark(), log_level=0)
        if found.is_error():
            # A schema that cannot be expressed costs its own tool a part of the constraint, and no other.
            loose = {tool.name: self._looseness(Constraint(kind="call", tools=(tool,))) for tool in constraint.tools}
            found = LLMatcher(self._tokens, constraint.lark(loose=loose), log_level=0)
        if found.is_error():
            raise ModelError(f"no grammar can be made of the tools: {found.get_error().splitlines()[0]}")
        return found

    def _looseness(self, one: Constraint) -> int:
        """How much of the schema of one tool has to be left out."""
        for level in range(LOOSEST):
            lark = one.lark(loose={one.tools[0].name: level})
            if not LLMatcher(self._tokens, lark, log_level=0).is_error():
                return level
        return LOOSEST

    @cached_property
    def _tokens(self) -> LLTokenizer:
        fast: Any = self._tokenizer  # llguidance asks for transformers' class; any with a fast backend will do
        try:
            return llguidance.hf.from_tokenizer(fast, n_vocab=self._size, eos_token=self.end_ids)
        except (ValueError, TypeError, AttributeError, RuntimeError) as error:
            raise ModelError(
                f"calls cannot be constrained with this tokenizer ({error}); `constrained: false` leaves them free"
            ) from error

    @cached_property
    def closing(self) -> list[int]:
        """The tokens that end a rationale."""
        return [int(i) for i in self._tokens.tokenize_str(_CLOSING)]

    @cached_property
    def closers(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens that end what is open in a JSON text, (vocabulary,) of bool: those of nothing but closing signs, and
        those that begin with one or lead to what is still required."""
        texts = [self._tokens.decode_bytes([i]) for i in range(self._size)]
        only = torch.tensor([bool(t) and not t.strip(b'"}]') for t in texts])
        first = torch.tensor([t[:1] in {b'"', b"}", b"]", b",", b":"} for t in texts])
        return only, first


class Guide:
    """The grammar's place in one completion."""

    def __init__(self, guidance: Guidance, matcher: LLMatcher, *, is_call: bool) -> None:
        self._guidance, self._matcher, self.is_call = guidance, matcher, is_call
        self.closing = False
        """Whether it is being brought to its end."""
        self._pending: list[int] = []

    def reserve(self, max_new_tokens: int) -> int:
        """Tokens at the end of `max_new_tokens` that are kept for closing."""
        return max(32, max_new_tokens // 4) if self.is_call else len(self._guidance.closing) + 6

    def close(self) -> None:
        """Bring it to its end from here on."""
        if not self.closing:
            self.closing = True
            if not self.is_call and self._fits(self._guidance.closing):
                self._pending = list(self._guidance.closing)

    def _fits(self, ids: list[int]) -> bool:
        return int(self._matcher.validate_tokens(ids)) == len(ids)

    def forced(self) -> list[int]:
        """Tokens that must come next, taken as written."""
        ids, self._pending = self._pending, []
        if ids:
            self._take(ids)
        more = [int(i) for i in self._matcher.compute_ff_tokens()]
        if more:
            self._take(more)
        return ids + more

    def choose(self, logits: torch.Tensor, choose: Choose, *, greedy: bool) -> int:
        """The next token, one that the grammar allows; logits of shape (vocabulary,)."""
        bits = self._matcher.compute_bitmask()
        token = choose(logits) if greedy and not self.closing else -1
        if token < 0 or not bits[token >> 3] >> (token & 7) & 1:
            allowed = torch.from_numpy(np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")).bool()
            allowed = self._narrowed(allowed[: logits.shape[-1]]).to(logits.device)
            token = choose(logits.masked_fill(~allowed, float("-inf")))
        if token not in self._guidance.end_ids:
            self._take([token])
        return token

    def _narrowed(self, allowed: torch.Tensor) -> torch.Tensor:
        if self.closing and self.is_call:
            for closers in self._guidance.closers:
                if (found := allowed & closers[: len(allowed)]).any():
                    return found
        return allowed

    def _take(self, ids: list[int]) -> None:
        if not self._matcher.consume_tokens(ids):
            raise RuntimeError(f"the grammar refused tokens that it had allowed: {self._matcher.get_error()}")

    @property
    def done(self) -> bool:
        """Whether nothing but the end can follow."""
        if self._matcher.is_stopped():
            return True
        if not self._matcher.is_accepting():
            return False
        left = int.from_bytes(self._matcher.compute_bitmask(), "little")
        for end in self._guidance.end_ids:
            left &= ~(1 << end)
        return left == 0
