"""Causal attention over whole rows, in blocks of plain products: what a CPU trains with.

torch's flash kernel takes two fifths of a training step on a CPU (torch 2.13, bf16, two rows of 650 tokens,
SmolLM2-135M). Plain products over blocks of queries, each with the keys up to its end, compute the same in about half
the time and keep the attention weights for the way back, which rows of this length can afford.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn.functional import dropout as drop
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

CAUSAL = "causal_blocks"
BLOCK = 128
"""Queries in a block."""
_UNLIKE = ("sliding_window", "attn_logit_softcapping", "attn_logit_soft_cap")
"""What a model's attention may do beyond plain causal attention; where one does, its own implementation is kept."""


def use_on(model: PreTrainedModel) -> None:
    """Let a model on a CPU attend by plain products in training; rows must be padded on the right."""
    config = model.config.get_text_config()
    plain = not any(getattr(config, key, None) for key in _UNLIKE)
    if model.device.type == "cpu" and plain and model.config._attn_implementation == "sdpa":
        model.config._attn_implementation = CAUSAL


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention: query (rows, heads, tokens, width), key and value (rows, key heads, tokens, width).

    No token reads one after it, so pads on the right need no mask. Softmax is computed in fp32.

    Returns:
        (rows, tokens, heads, width), and no weights.
    """
    rows, heads, tokens, width = query.shape
    groups = key.shape[1]
    kind = value.dtype  # rotary embeddings may have raised queries and keys to fp32 under autocast
    scale = scaling if scaling is not None else width**-0.5
    grouped = (query * scale).to(kind).view(rows, groups, heads // groups, tokens, width)
    key = key.to(kind)
    hidden = torch.full((min(BLOCK, tokens), tokens), -math.inf, dtype=kind, device=query.device)
    seen = []
    with torch.autocast(query.device.type, enabled=False):
        # Split, not sliced: the gradient of a slice is as long as the whole, and there is one for every block.
        for index, block in enumerate(torch.split(grouped, BLOCK, dim=3)):
            n, start = block.shape[3], index * BLOCK
            scores = torch.matmul(block.reshape(rows, groups, -1, width), key[:, :, : start + n].transpose(2, 3))
            scores = scores.view(rows, groups, -1, n, start + n) + hidden[:n, : start + n].triu(start + 1)
            weights = scores.softmax(-1, dtype=torch.float32).to(kind)
            if dropout:
                weights = drop(weights, dropout, training=module.training)
            packed = weights.view(rows, groups, -1, start + n)
            seen.append(torch.matmul(packed, value[:, :, : start + n]).view(rows, groups, -1, n, width))
    joined = torch.cat(seen, 3).reshape(rows, heads, tokens, width)
    return joined.transpose(1, 2).contiguous(), None


AttentionInterface.register(CAUSAL, attend)
# Registered so that transformers knows the name; pads on the right need no mask.
AttentionMaskInterface.register(CAUSAL, lambda *_, **__: None)
