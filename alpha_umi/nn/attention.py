"""Attention over packed spans (`packing`), as an attention implementation of transformers.

Each span's queries attend to their own sequence's keys, causally. Heads that share keys are laid out as more queries of
one head: for one query torch's bf16 kernel for grouped-query attention takes six times as long as it needs on a CPU
(torch 2.13, 9 heads over 3, 1,200 keys: 669 us against 117), and nothing need be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from alpha_umi.errors import ModelError
from alpha_umi.nn.packing import KVPast

NAME = "packed_spans"
KINDS = {"full_attention", "sliding_attention"}
ADDED = {"s_aux": "attention sinks", "position_bias": "position biases"}
"""What some models add to their scores, by the option they hand it over in; nowhere is it added here."""


def use_on(model: PreTrainedModel) -> None:
    """Switch a model to this attention. Called without spans it is transformers' own `sdpa`.

    Raises:
        ModelError: its layers look at what came before in a way that cannot be done here.
    """
    config = model.config.get_text_config()
    if other := other_layers(config):
        raise ModelError(f"a {config.model_type} model cannot be run here: it has {other} layers")
    model.set_attn_implementation(NAME)


def other_layers(config: Any) -> str:
    """Kinds of layers, by their names in a configuration, that look at what came before in another way."""
    return ", ".join(sorted(set(getattr(config, "layer_types", None) or ()) - KINDS))


def refuse_more(options: Mapping[str, Any]) -> None:
    """Refuse options of an attention that must not be left out.

    Raises:
        ModelError: there is one.
    """
    if odd := [words for name, words in ADDED.items() if options.get(name) is not None]:
        raise ModelError(f"a model with {' and '.join(odd)} cannot be run here")


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor | KVPast,
    value: torch.Tensor | list[torch.Tensor],
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    softcap: float | None = None,
    sliding_window: int | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of packed queries (1, heads, packed tokens, width), each span over its own keys and values.

    Args:
        sliding_window: how many tokens a query sees, itself included; None for all before it.
        softcap: scores are squeezed into this range (Gemma 2).

    Returns:
        (1, packed tokens, heads, width), and no attention weights.
    """
    if not isinstance(key, KVPast) or isinstance(value, torch.Tensor):
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **more)  # type: ignore[arg-type]
    refuse_more(more)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    seen = [
        _attend_one(queries, keys, values, key.masks, scale=scale, softcap=softcap, window=sliding_window)
        for queries, keys, values in zip(query[0].split_with_sizes(key.sizes, dim=1), key.keys, value, strict=True)
    ]
    together = seen[0] if len(seen) == 1 else torch.cat(seen, dim=1)  # (heads, packed tokens, width)
    return together.transpose(0, 1).unsqueeze(0), None


def _attend_one(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    masks: dict[tuple[int, int, int, int | None], torch.Tensor],
    *,
    scale: float,
    softcap: float | None,
    window: int | None,
) -> torch.Tensor:
    """One span: (heads, queries, width) over (key heads, length, width); the last query is the last key's token."""
    heads, queries, width = query.shape
    if window is not None and key.shape[1] > window + queries - 1:  # nobody sees what is farther back
        first = key.shape[1] - (window + queries - 1)
        key, value = key[:, first:], value[:, first:]
    key_heads, length, _ = key.shape
    narrow = window is not None and length > window
    if queries == length and softcap is None and not narrow and queries > 1:
        grouped = heads != key_heads
        return scaled_dot_product_attention(
            query[None], key[None], value[None], is_causal=True, scale=scale, enable_gqa=grouped
        )[0]
    # heads of one key head side by side: one product for all
    packed = query.reshape(key_heads, heads // key_heads * queries, width)
    mask = None
    if queries > 1:
        wanted = (queries, length, heads // key_heads, window if narrow else None)
        if wanted not in masks:
            masks[wanted] = _mask(*wanted, device=query.device)
        mask = masks[wanted]
    if softcap is None:
        seen = scaled_dot_product_attention(packed[None], key[None], value[None], attn_mask=mask, scale=scale)[0]
    else:
        seen = _capped(packed, key, value, mask, scale=scale, softcap=softcap)
    return seen.reshape(heads, queries, seen.shape[-1])


def _mask(queries: int, length: int, groups: int, window: int | None, *, device: torch.device) -> torch.Tensor:
    """Who sees whom, (groups * queries, length)."""
    sees = torch.ones((queries, length), dtype=torch.bool, device=device).tril(length - queries)  # (queries, length)
    if window is not None:
        sees = sees.triu(length - queries - window + 1)
    return sees.repeat(groups, 1)


def _capped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    *,
    scale: float,
    softcap: float,
) -> torch.Tensor:
    """Attention with capped scores, which torch's kernels do not have."""
    # (key heads, groups * queries, length)
    scores = torch.tanh(query @ key.transpose(1, 2) * scale / softcap) * softcap
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(-1, dtype=torch.float32).to(query.dtype) @ value


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
