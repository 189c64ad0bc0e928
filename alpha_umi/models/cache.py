"""Keys and values kept between the steps of an episode, so that a step encodes only what is new.

One entry per session and per weights (an adapter name, or the base): keys and values made under one set of weights are
never used under another. What is reused is decided by comparing token ids, so a cache can be stale but never wrong.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from transformers.cache_utils import Cache, DynamicLayer


class RoomyLayer(DynamicLayer):
    """Keys and values of one layer in buffers with room to grow, each (rows, heads, length, width).

    transformers' own layer copies everything it holds for each token added, which at a thousand tokens took a third of
    the time of a step of SmolLM2-135M on a CPU (`python -m benchmarks.agent`).
    """

    keys: torch.Tensor
    values: torch.Tensor
    _buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append keys and values of new tokens; returns those of all tokens."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        buffers = self._with_room(key_states, value_states, start, end)
        for buffer, new in zip(buffers, (key_states, value_states), strict=True):
            buffer[..., start:end, :] = new
        self.keys, self.values = buffers[0][..., :end, :], buffers[1][..., :end, :]
        return self.keys, self.values

    def _with_room(
        self, keys: torch.Tensor, values: torch.Tensor, start: int, end: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The buffers, or larger ones with the same content."""
        buffers = self._buffers
        # Whoever selects or repeats rows puts other tensors in place of the views of these buffers.
        if buffers is None or end > buffers[0].shape[-2] or self.keys.data_ptr() != buffers[0].data_ptr():
            room = end + max(64, end // 4)
            buffers = (_room_for(keys, room), _room_for(values, room))
            if start:
                for buffer, old in zip(buffers, (self.keys, self.values), strict=True):
                    buffer[..., :start, :] = old
            self._buffers = buffers
        return buffers


def _room_for(like: torch.Tensor, room: int) -> torch.Tensor:
    return like.new_empty((*like.shape[:-2], room, like.shape[-1]))


def new_cache() -> Cache:
    """An empty cache for one sequence or one batch."""
    return Cache(layer_class_to_replicate=RoomyLayer)


@dataclass
class Entry:
    """Token ids and the keys and values made of them, both of the same length."""

    cache: Cache
    ids: list[int] = field(default_factory=list)

    def keep_common(self, ids: Sequence[int]) -> int:
        """Drop what differs from `ids`; returns how many leading tokens are still encoded.

        The last token of `ids` is never kept: its logits are what the next forward pass is for.
        """
        common = 0
        for mine, theirs in zip(self.ids, ids[:-1], strict=False):
            if mine != theirs:
                break
            common += 1
        if common == 0:
            self.cache = new_cache()
        elif common < len(self.ids):
            self.cache.crop(common - len(self.ids))  # transformers takes only negative counts: how many to drop
        del self.ids[common:]
        return common


class RoleCaches:
    """Least recently used entries by session and weights."""

    def __init__(self, *, most: int = 64) -> None:
        self._most = most
        self._entries: OrderedDict[tuple[str, str], Entry] = OrderedDict()

    def entry(self, session: str, weights: str) -> Entry:
        """The entry of a session under some weights; a new one that is not kept when the session is empty."""
        if not session:
            return Entry(new_cache())
        key = (session, weights)
        if key not in self._entries:
            self._entries[key] = Entry(new_cache())
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return self._entries[key]

    def release(self, session: str) -> None:
        """Forget a session under all weights."""
        for key in [key for key in self._entries if key[0] == session]:
            del self._entries[key]

    def __len__(self) -> int:
        return len(self._entries)
