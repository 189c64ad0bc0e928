"""The backbone's encoding of conversations, and the attention by which branches read it.

Encoded once, without gradients, for all roles and branches of a batch. A branch attends to the keys of its conversation
up to its tag and, causally, to its own; everything else does not exist for it. There is no mask over other branches
that could leak: each branch's attention is computed on its own keys alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch.nn.functional import dropout as drop
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, DynamicCache, PreTrainedModel

from alpha_umi.nn.attention import refuse_more
from alpha_umi.nn.packing import cache_argument

MATMUL, SDPA = "branches_matmul", "branches_sdpa"


class PackedBranch(NamedTuple):
    """A branch among the packed tokens of a batch."""

    role: int
    """Number of its role, in the order of the team's roles."""
    row: int
    """Number of its conversation in the batch."""
    context: int
    """Tokens of the conversation that it reads."""
    start: int
    """Its first packed token."""
    words: int
    """The packed token at which its target begins."""
    end: int
    """The packed token after its last."""


@dataclass(frozen=True)
class Context:
    """Keys and values of a batch of conversations: for each layer and row one of (key heads, tokens, width)."""

    keys: Sequence[Sequence[torch.Tensor]]
    values: Sequence[Sequence[torch.Tensor]]


@dataclass(frozen=True)
class Reading:
    """What one call for packed branches reads: passed through the model to its attention as `reading`."""

    context: Context
    spans: Sequence[PackedBranch]
    """In the order of the packed tokens, and all of them."""
    _hidden: dict[tuple[int, int, int | None], torch.Tensor] = field(default_factory=dict)

    def hidden(self, n: int, context: int, window: int | None) -> torch.Tensor:
        """Whether each of a branch's n tokens must not see each of `context` tokens before it and the n themselves,
        bool (n, context + n); made once for all layers."""
        if (found := self._hidden.get((n, context, window))) is None:
            device = self.context.keys[0][0].device
            behind = torch.arange(context, context + n, device=device)[:, None]  # (n, 1)
            behind = behind - torch.arange(context + n, device=device)  # (n, context + n), how far back each key is
            found = behind < 0 if window is None else (behind < 0) | (behind >= window)
            self._hidden[n, context, window] = found
        return found


@torch.no_grad()
def encode(backbone: PreTrainedModel, ids: torch.Tensor, lengths: Sequence[int], *, attention: str) -> Context:
    """Encode conversations (rows, longest), padded on the right: no token reads one after it, so pads need no mask.

    Args:
        backbone: the frozen backbone; where it is a role's model too, with no adapter acting.
        ids: token ids.
        lengths: tokens of each row that are read. A CPU encodes row by row, so that it encodes no pads.
        attention: the implementation to encode with, whatever the model reads branches with.
    """
    chunks = [ids[i : i + 1, :n] for i, n in enumerate(lengths)] if ids.device.type == "cpu" else [ids]
    found: list[DynamicCache] = []
    set_to, training = backbone.config._attn_implementation, backbone.training
    backbone.config._attn_implementation = attention
    backbone.eval()
    decoder: Any = backbone.get_decoder()
    try:
        for chunk in chunks:
            found.append(DynamicCache())
            decoder(input_ids=chunk, use_cache=True, **cache_argument(decoder, found[-1]))
    finally:
        backbone.config._attn_implementation = set_to
        backbone.train(training)
    layers: list[Any] = list(zip(*(cache.layers for cache in found), strict=True))
    return Context(
        [[row for one in layer for row in one.keys] for layer in layers],
        [[row for one in layer for row in one.values] for layer in layers],
    )


def use_on(model: PreTrainedModel, kernel: str | None = None) -> None:
    """Let a model's attention read branches when it is given a `reading`.

    Plain products are four times as fast as torch's flash kernel on a CPU (torch 2.13, bf16, 490 tokens over 1,650:
    17 ms a layer forward and backward against 65), because nothing is computed for the frozen context's gradients. They
    keep the attention weights, so a GPU takes the kernel that does not.
    """
    if kernel is None:
        eager = model.config._attn_implementation == "eager"
        kernel = MATMUL if eager or model.device.type == "cpu" else SDPA
    model.config._attn_implementation = kernel


def logits(
    model: PreTrainedModel, ids: torch.Tensor, positions: torch.Tensor, *, reading: Reading, keep: torch.Tensor
) -> torch.Tensor:
    """Logits (kept, vocabulary) at the packed tokens numbered `keep`.

    Args:
        model: a role's model, on which `use_on` was called.
        ids: packed branches, (tokens,).
        positions: where each token stands in its conversation, (tokens,).
        reading: what the branches read.
        keep: numbers of the packed tokens whose logits are wanted.
    """
    # Four dimensions say that the mask is final, so that transformers makes none; ours is never looked at.
    final = torch.empty((1, 1, 1, 1), device=ids.device)
    out = model(
        input_ids=ids[None],
        position_ids=positions[None],
        attention_mask=final,
        use_cache=False,
        logits_to_keep=keep,
        reading=reading,
    )
    found: torch.Tensor = out.logits[0]  # (kept, vocabulary)
    return found


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    reading: Reading,
    kernel: Any,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    sliding_window: int | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of packed branches: query (1, heads, tokens, width), key and value (1, key heads,
    tokens, width).

    Raises:
        ModelError: the model adds to its scores what is not added here.
    """
    refuse_more(more)
    layer: Any = module.layer_idx
    past_keys, past_values = reading.context.keys[layer], reading.context.values[layer]
    kind = past_keys[0].dtype  # rotary embeddings may have raised queries and keys to fp32 under autocast
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    # Split, not sliced: the gradient of a slice is as long as the whole, and there is one for every branch.
    lengths = [span.end - span.start for span in reading.spans]
    parts = ((query[0] * scale).to(kind), key[0].to(kind), value[0].to(kind))
    seen = []
    with torch.autocast(query.device.type, enabled=False):
        for span, *own in zip(reading.spans, *(torch.split(part, lengths, 1) for part in parts), strict=True):
            first = 0 if sliding_window is None else max(0, span.context + 1 - sliding_window)
            seen.append(
                kernel(
                    *own,
                    past_keys[span.row][:, first : span.context],
                    past_values[span.row][:, first : span.context],
                    hidden=reading.hidden(span.end - span.start, span.context - first, sliding_window),
                    softcap=softcap,
                    dropout=dropout,
                )
            )
    return torch.cat(seen, 1).transpose(0, 1)[None], None  # (1, tokens, heads, width)


def _matmul(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    past_keys: torch.Tensor,
    past_values: torch.Tensor,
    *,
    hidden: torch.Tensor,
    softcap: float | None,
    dropout: float,
) -> torch.Tensor:
    """One branch by plain products: query (heads, n, width) over (key heads, context, width) and its own keys."""
    heads, n, width = query.shape
    groups, context = past_keys.shape[:2]
    # heads of one key head side by side: (key heads, heads a group * n, width)
    packed = query.reshape(groups, heads // groups * n, width)
    before = torch.bmm(packed, past_keys.transpose(1, 2))  # (key heads, heads a group * n, context)
    within = torch.bmm(packed, key.transpose(1, 2))  # (key heads, heads a group * n, n)
    if softcap is not None:
        before, within = (torch.tanh(scores / softcap) * softcap for scores in (before, within))
    if hidden[-1, 0]:  # only a sliding window hides what stands before the branch
        before = (before.view(groups, -1, n, context) + _minus(hidden[:, :context], before)).view_as(before)
    within = (within.view(groups, -1, n, n) + _minus(hidden[:, context:], within)).view_as(within)
    weights = drop(torch.cat([before, within], -1).softmax(-1), dropout)  # (key heads, heads a group * n, context + n)
    seen = torch.bmm(weights[..., :context], past_values) + torch.bmm(weights[..., context:], value)
    return seen.view(heads, n, width)  # from (key heads, heads a group * n, width)


def _minus(hidden: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(hidden, dtype=like.dtype).masked_fill_(hidden, -math.inf)


def _sdpa(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    past_keys: torch.Tensor,
    past_values: torch.Tensor,
    *,
    hidden: torch.Tensor,
    softcap: float | None,
    dropout: float,
) -> torch.Tensor:
    """The same by torch's kernels, which keep no attention weights."""
    if softcap is not None:
        return _matmul(query, key, value, past_keys, past_values, hidden=hidden, softcap=softcap, dropout=dropout)
    keys, values = torch.cat([past_keys, key], 1), torch.cat([past_values, value], 1)  # (key heads, context + n, width)
    seen = scaled_dot_product_attention(
        query[None], keys[None], values[None], attn_mask=~hidden, dropout_p=dropout, scale=1.0, enable_gqa=True
    )
    return seen[0]


def _register(name: str, kernel: Any) -> None:
    def attend(*args: Any, **more: Any) -> tuple[torch.Tensor, None]:
        return _attend(*args, kernel=kernel, **more)

    AttentionInterface.register(name, attend)


_register(MATMUL, _matmul)
_register(SDPA, _sdpa)
# Registered so that transformers knows the names; the mask that is passed is final.
for _name in (MATMUL, SDPA):
    AttentionMaskInterface.register(_name, lambda *_, **__: None)
