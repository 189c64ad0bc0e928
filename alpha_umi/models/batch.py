"""Many completions in one forward pass a token: for evaluation, where nobody watches and prompts differ.

Prompts are padded on the left and encoded whole; nothing is kept between calls. Rows that have ended leave the batch.
A row's tokens are those it would get alone, up to ties that rounding in bf16 may break otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from transformers import PreTrainedModel

from alpha_umi.models.base import Request
from alpha_umi.models.cache import new_cache

Choose = Callable[[torch.Tensor], int]


@dataclass
class BatchRow:
    """One request of a batch and what was written for it."""

    request: Request
    prompt: list[int]
    choose: Choose
    room: int
    """Tokens that may still be written before the context is full."""
    written: list[int] = field(default_factory=list)
    reason: str = ""

    def take(self, token: int, end_ids: Sequence[int], repeats: Callable[[Sequence[int], int], bool]) -> None:
        """Append a token and decide whether the row has ended."""
        settings = self.request.generation
        if token in end_ids:
            self.reason = "stop"
            return
        self.written.append(token)
        if repeats(self.written, settings.repetition_window):
            self.reason = "repetition"
        elif len(self.written) >= min(settings.max_new_tokens, self.room):
            self.reason = "length"


@torch.inference_mode()
def decode_together(
    model: PreTrainedModel,
    rows: Sequence[BatchRow],
    *,
    end_ids: Sequence[int],
    repeats: Callable[[Sequence[int], int], bool],
) -> None:
    """Write every row to its end; fills `written` and `reason` in place."""
    longest = max(len(row.prompt) for row in rows)
    ids = torch.tensor([[end_ids[0]] * (longest - len(r.prompt)) + r.prompt for r in rows], device=model.device)
    mask = torch.tensor([[0] * (longest - len(r.prompt)) + [1] * len(r.prompt) for r in rows], device=model.device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    cache = new_cache()
    left = list(rows)
    while left:
        out = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        for row, logits in zip(left, out.logits[:, -1], strict=True):
            row.take(row.choose(logits), end_ids, repeats)
        going = [i for i, row in enumerate(left) if not row.reason]
        if len(going) < len(left):
            keep = torch.tensor(going, dtype=torch.long, device=model.device)
            mask, positions = mask[keep], positions[keep]
            left = [left[i] for i in going]
            if left:
                cache.batch_select_indices(keep)
        ids = torch.tensor([[row.written[-1]] for row in left], device=model.device)
        mask = torch.cat([mask, mask.new_ones((len(left), 1))], dim=-1)
        positions = positions[:, -1:] + 1
