"""From logits to tokens to text: sampling, and streaming text as it becomes certain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from alpha_umi.backends import Generation


def token_sampler(generation: Generation) -> Callable[[torch.Tensor], int]:
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

    def sample(logits: torch.Tensor) -> int:
        scores = logits.float().cpu().unsqueeze(0) / generation.temperature
        if nucleus is not None:
            scores = nucleus(torch.zeros((1, 0), dtype=torch.long), scores)
        return int(torch.multinomial(scores.softmax(-1)[0], 1, generator=source))

    return sample


class TextStreamer:
    """Streams new text as it becomes certain (a character may need several tokens)."""

    def __init__(self, text: Callable[[Sequence[int]], str], on_text: Callable[[str], None] | None) -> None:
        self._text = text
        self._on_text = on_text
        self._sent = 0

    def __call__(self, ids: Sequence[int], *, final: bool = False) -> None:
        """Stream what is new in the text of `ids`."""
        if self._on_text is None:
            return
        text = self._text(ids)
        if not final and text.endswith("\ufffd"):
            return
        if len(text) > self._sent:
            self._on_text(text[self._sent :])
            self._sent = len(text)
