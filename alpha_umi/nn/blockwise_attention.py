"""Causal attention over whole rows, in blocks of plain products: what a CPU trains with.

torch's flash kernel takes two fifths of a training step on a CPU (torch 2.13, bf16, two rows of 650 tokens,
SmolLM2-135M). Plain products over blocks of queries, each with the keys up to its end, compute the same in about half
the time. As in flash attention the weights are not kept but computed again on the way back (Dao et al., arXiv
2205.14135, algorithm 4), so that memory grows with the tokens and not with their square.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

from alpha_umi.nn.attention import refuse_more

CAUSAL = "causal_blocks"
BLOCK = 128
"""Queries in a block."""
_UNLIKE = ("sliding_window", "attn_logit_softcapping", "attn_logit_soft_cap", "attention_dropout")
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
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention: query (rows, heads, tokens, width), key and value (rows, key heads, tokens, width).

    No token reads one after it, so pads on the right need no mask. Softmax is computed in fp32.

    Returns:
        (rows, tokens, heads, width), and no weights.

    Raises:
        ModelError: the model adds to its scores what is not added here.
    """
    refuse_more(more)
    kind = value.dtype  # rotary embeddings may have raised queries and keys to fp32 under autocast
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    seen: torch.Tensor = _Blocks.apply((query * scale).to(kind), key.to(kind), value)  # type: ignore[no-untyped-call]
    return seen.transpose(1, 2), None


class _Blocks(torch.autograd.Function):
    """softmax(q k^T) v with a causal mask; q is scaled. Query heads that share a key head lie side by side."""

    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        rows, heads, tokens, width = query.shape
        groups = key.shape[1]
        grouped = query.view(rows, groups, heads // groups, tokens, width)  # heads of one key head side by side
        seen, sums = torch.empty_like(grouped), query.new_empty((*grouped.shape[:-1], 1), dtype=torch.float32)
        for start, end in _blocks(tokens):
            scores = _scores(grouped[:, :, :, start:end], key[:, :, :end])  # (rows, groups, heads a group, n, end)
            total = scores.logsumexp(-1, keepdim=True)  # (rows, groups, heads a group, n, 1)
            weights = scores.sub_(total).exp_().to(query.dtype)
            # (rows, groups, heads a group * n, width)
            out = torch.matmul(weights.view(rows, groups, -1, end), value[:, :, :end])
            seen[:, :, :, start:end] = out.view(rows, groups, -1, end - start, width)
            sums[:, :, :, start:end] = total
        ctx.save_for_backward(grouped, key, value, seen, sums)
        return seen.view(rows, heads, tokens, width)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        grouped, key, value, seen, sums = ctx.saved_tensors
        rows, groups, _, tokens, width = grouped.shape
        grad = grads[0].reshape(grouped.shape)
        for_query, for_key, for_value = (
            torch.empty_like(grouped),
            *(torch.zeros_like(x, dtype=torch.float32) for x in (key, value)),
        )
        # What each query's weights lose for summing to one.
        common = (grad.float() * seen.float()).sum(-1, keepdim=True)  # (rows, groups, heads a group, tokens, 1)
        for start, end in _blocks(tokens):
            queries, out = grouped[:, :, :, start:end], grad[:, :, :, start:end]
            weights = _scores(queries, key[:, :, :end]).sub_(sums[:, :, :, start:end]).exp_()
            packed = out.reshape(rows, groups, -1, width)  # (rows, groups, heads a group * n, width)
            lost = torch.matmul(packed, value[:, :, :end].transpose(2, 3)).view(weights.shape).float()
            for_scores = lost.sub_(common[:, :, :, start:end]).mul_(weights).to(grouped.dtype)
            flat = for_scores.view(rows, groups, -1, end)  # (rows, groups, heads a group * n, end)
            kept = weights.to(grouped.dtype).view(rows, groups, -1, end)
            for_query[:, :, :, start:end] = torch.matmul(flat, key[:, :, :end]).view(queries.shape)
            for_key[:, :, :end] += torch.matmul(flat.transpose(2, 3), queries.reshape(rows, groups, -1, width))
            for_value[:, :, :end] += torch.matmul(kept.transpose(2, 3), packed)
        return for_query.view(rows, -1, tokens, width), for_key.to(key.dtype), for_value.to(value.dtype)


def _blocks(tokens: int) -> list[tuple[int, int]]:
    return [(start, min(start + BLOCK, tokens)) for start in range(0, tokens, BLOCK)]


def _scores(queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """Scores of a block of queries, the last keys being its own, in fp32: (rows, groups, heads a group, n, keys)."""
    rows, groups, shared, n, width = queries.shape
    end = keys.shape[2]
    scores = torch.matmul(queries.reshape(rows, groups, shared * n, width), keys.transpose(2, 3)).float()
    scores = scores.view(rows, groups, shared, n, end)
    future = torch.ones(n, n, dtype=torch.bool, device=queries.device).triu(1)  # (n, n): of its own block alone
    scores[..., end - n :].masked_fill_(future, -math.inf)
    return scores


AttentionInterface.register(CAUSAL, attend)
# Registered so that transformers knows the name; pads on the right need no mask.
AttentionMaskInterface.register(CAUSAL, lambda *_, **__: None)
