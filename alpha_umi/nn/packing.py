"""Packed spans: tokens of many sequences in one row of one forward pass, each sequence over keys and values of its own.

A span is some new tokens of one sequence under one set of weights. Prefill, decode and both at once are the same thing
here, and nothing is padded. transformers calls `update` of a cache in each layer and hands what it returns to the
attention function: ours writes every span's keys and values into its sequence's buffer, and `attention` reads them.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import Cache

BACKBONE = ""
"""The name of the weights that a model has without any adapter."""


def cache_argument(model: Any, cache: Cache) -> dict[str, Cache]:
    """A KV cache as the keyword argument that a model's `forward` takes it by: transformers up to 5.23 calls it
    `past_key_values`, from 5.24 on `cache`, and each refuses or warns of the other's name."""
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model  # PEFT's own forward names neither
    name = "cache" if "cache" in inspect.signature(plain.forward).parameters else "past_key_values"
    return {name: cache}


class Shape(NamedTuple):
    """What the keys of one token take in a model; its values take as much."""

    layers: int
    heads: int
    width: int
    dtype: torch.dtype
    device: torch.device

    @classmethod
    def of(cls, model: PreTrainedModel) -> Shape:
        """The shape of a model's keys."""
        config = model.config.get_text_config()
        heads = config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // heads
        key_heads = getattr(config, "num_key_value_heads", None) or heads
        return cls(config.num_hidden_layers, key_heads, width, model.dtype, model.device)

    @property
    def bytes_a_token(self) -> int:
        """Bytes of the keys and values of one token."""
        return 2 * self.layers * self.heads * self.width * self.dtype.itemsize


class KVBuffer:
    """Keys and values of one sequence, with room to grow: (layers, keys and values, key heads, room, width).

    How many of its tokens mean something is known to whoever holds it.
    """

    def __init__(self, data: torch.Tensor | None = None) -> None:
        self.data = data

    @property
    def room(self) -> int:
        """Tokens that it can take without growing."""
        return 0 if self.data is None else self.data.shape[3]

    def reserve(self, shape: Shape, *, cached: int, end: int) -> torch.Tensor:
        """Room for `end` tokens, of which the first `cached` stay. It grows by a quarter, so that tokens cost alike."""
        old = self.data
        if old is not None and end <= self.room:
            return old
        size = (shape.layers, 2, shape.heads, end + max(64, end // 4), shape.width)
        new = torch.empty(size, dtype=shape.dtype, device=shape.device)
        if cached and old is not None:
            new[:, :, :, :cached] = old[:, :, :, :cached]
        self.data = new
        return new


class PackedSequence(NamedTuple):
    """Tokens to append to a sequence."""

    buffer: KVBuffer
    start: int
    """Position of the first; the keys and values before it are in the buffer, or come from other spans of the call."""
    ids: Sequence[int]
    weights: str = BACKBONE
    """Whose weights encode them: an adapter's name, a role model's, or the backbone."""
    ask: bool = True
    """Whether the logits after the last token are wanted."""

    @property
    def end(self) -> int:
        """Position after the last."""
        return self.start + len(self.ids)


class KVPast(NamedTuple):
    """What the attention function gets as the keys of a layer: those of each span, up to the span's own end."""

    keys: list[torch.Tensor]
    """(key heads, end, width) each."""
    sizes: list[int]
    """Queries of each span."""
    masks: dict[tuple[int, int, int, int | None], torch.Tensor]
    """Masks made so far in this forward pass; every layer needs the same."""


class PackedCache(Cache):
    """The cache of one forward pass over spans.

    Args:
        spans: in the order in which their tokens are packed.
        shape: of the model's keys.
    """

    def __init__(self, spans: Sequence[PackedSequence], shape: Shape) -> None:
        super().__init__(layers=[])
        self._sizes = [len(span.ids) for span in spans]
        starts: dict[int, int] = {}
        ends: dict[int, int] = {}
        for span in spans:  # several spans may belong to one sequence
            at = id(span.buffer)
            starts[at] = min(span.start, starts.get(at, span.start))
            ends[at] = max(span.end, ends.get(at, 0))
        self._new, self._keys, self._values = [], [], []
        for span in spans:
            at = id(span.buffer)
            data = span.buffer.reserve(shape, cached=starts[at], end=ends[at])
            # Views, one a layer: what is written through `_new` is what `_keys` and `_values` show.
            self._new.append(data[:, :, :, span.start : span.end].unbind())  # (2, key heads, its tokens, width)
            self._keys.append(data[:, 0, :, : span.end].unbind())  # (key heads, end, width)
            self._values.append(data[:, 1, :, : span.end].unbind())
        self._masks: dict[tuple[int, int, int, int | None], torch.Tensor] = {}

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any) -> Any:
        """Put new keys and values, each (1, key heads, packed tokens, width), where they belong.

        Returns:
            A KVPast, and the values of each span as a list. Every span is written before any is read, so that a span
            sees those of its own sequence that come before it in the same call.
        """
        both = torch.stack((key_states[0], value_states[0]))  # (2, key heads, packed tokens, width)
        for place, new in zip(self._new, both.split_with_sizes(self._sizes, dim=2), strict=True):
            place[layer_idx].copy_(new)
        keys = [layers[layer_idx] for layers in self._keys]
        return KVPast(keys, self._sizes, self._masks), [layers[layer_idx] for layers in self._values]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Nothing that transformers could make use of: positions are given."""
        return 0
