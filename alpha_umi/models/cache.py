"""Keys and values kept between the steps of an episode, so that a step encodes only what is new.

One entry per session and per weights (an adapter name, or the base): keys and values made under one set of weights are
never used under another. What is reused is decided by comparing token ids, so a cache can be stale but never wrong.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from transformers import DynamicCache


@dataclass
class Entry:
    """Token ids and the keys and values made of them, both of the same length."""

    cache: DynamicCache
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
            self.cache = DynamicCache()
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
            return Entry(DynamicCache())
        key = (session, weights)
        if key not in self._entries:
            self._entries[key] = Entry(DynamicCache())
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
