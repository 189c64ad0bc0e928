"""From logits to tokens to text: choosing, and telling text as it becomes certain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from alpha_umi.backends import Generation


def chooser(generation: Generation) -> Callable[[torch.Tensor], int]:
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


class Teller:
    """Hands out new text as it becomes certain (a character may need several tokens)."""

    def __init__(self, text: Callable[[Sequence[int]], str], on_text: Callable[[str], None] | None) -> None:
        self._text = text
        self._on_text = on_text
        self._told = 0

    def __call__(self, ids: Sequence[int], *, final: bool = False) -> None:
        """Tell what is new in the text of `ids`."""
        if self._on_text is None:
            return
        text = self._text(ids)
        if not final and text.endswith("\ufffd"):
            return
        if len(text) > self._told:
            self._on_text(text[self._told :])
            self._told = len(text)
