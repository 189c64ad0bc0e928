"""The KV cache: keys and values kept between the calls of an episode, so that prefill encodes only what is new.

One entry per session and per set of weights that read it. What is reused is decided by comparing token ids, and an
entry's key holds a digest of the weights, so a cache can be out of date but never wrong. Sessions forked from one
another share what they have in common: at a fork the keys and values become a sealed segment that both refer to, and
each goes on in a tail of its own. A call on such a session works on one copy of them, which is dropped when it ends: at
rest memory grows by new tokens alone, and by one copy for each call under way.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from alpha_umi.nn.packing import KVBuffer, Shape


@dataclass(eq=False)
class CachedPrefix:
    """A conversation's token ids and the keys and values made of them: sealed segments, then a tail."""

    ids: list[int] = field(default_factory=list)
    sealed: list[tuple[torch.Tensor, int]] = field(default_factory=list)
    """Tensors that nobody writes to any more, as in `KVBuffer`, with how many of their tokens are used here."""
    tail: KVBuffer = field(default_factory=KVBuffer)
    busy: bool = False
    """Whether a call is under way on it."""

    @property
    def sealed_length(self) -> int:
        """Tokens in sealed segments."""
        return sum(used for _, used in self.sealed)

    def crop(self, length: int) -> None:
        """Keep the first tokens only; of a segment that others use too only the reference becomes shorter."""
        del self.ids[length:]
        before = 0
        kept = []
        for data, used in self.sealed:
            if before < length:
                kept.append((data, min(used, length - before)))
            before += used
        self.sealed = kept
        if length == 0:
            self.tail = KVBuffer()

    def seal(self) -> None:
        """Make a segment of the tail, without the room it had to grow."""
        used = len(self.ids) - self.sealed_length
        if used and self.tail.data is not None:
            self.sealed.append((_trimmed(self.tail.data, 0, used), used))
        self.tail = KVBuffer()


def _trimmed(data: torch.Tensor, start: int, stop: int) -> torch.Tensor:
    return data if (start, stop) == (0, data.shape[3]) else data[:, :, :, start:stop].clone()


@dataclass(frozen=True, eq=False)
class Lease:
    """An entry lent to one call: a buffer to work in, of which the first `cached` tokens are encoded."""

    entry: CachedPrefix
    buffer: KVBuffer
    cached: int


class SharedCache:
    """Least recently used entries by session and weights. Not thread-safe: an engine calls it under its lock.

    Args:
        shape: of the keys it holds.
        max_entries: entries held at once; one with a call under way is never dropped.
        max_bytes: of all keys and values held at rest. What is dropped is encoded again when its session goes on.
    """

    def __init__(self, shape: Shape, *, max_entries: int = 256, max_bytes: int = 4 << 30) -> None:
        self._shape = shape
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: OrderedDict[tuple[str, str], CachedPrefix] = OrderedDict()

    def lease(self, session: str, weights: str, ids: Sequence[int], *, limit: int) -> Lease:
        """Lend a session's entry to a call; one that is not kept when the session is empty.

        Args:
            weights: digest of the weights that read.
            ids: the prompt. What the entry holds beyond what both begin with is dropped.
            limit: how many tokens may be kept at most; the call encodes the others anyway.
        """
        entry = CachedPrefix()
        if session:
            entry = self._entries.setdefault((session, weights), entry)
            self._entries.move_to_end((session, weights))
        kept = _common(entry.ids, ids[:limit])
        entry.crop(kept)
        if not entry.sealed:  # nobody else's: the call works in place
            entry.busy = True
            return Lease(entry, entry.tail, kept)
        buffer = KVBuffer()
        data = buffer.reserve(self._shape, cached=0, end=len(ids))
        place = 0
        for segment, used in entry.sealed:
            data[:, :, :, place : place + used] = segment[:, :, :, :used]
            place += used
        if place < kept and entry.tail.data is not None:
            data[:, :, :, place:kept] = entry.tail.data[:, :, :, : kept - place]
        entry.busy = True  # only now: making room may have failed
        return Lease(entry, buffer, kept)

    def settle(self, lease: Lease, ids: Sequence[int]) -> None:
        """Take an entry back from a call that leaves `ids` encoded in the lease's buffer."""
        entry = lease.entry
        entry.ids = list(ids)
        entry.busy = False
        if lease.buffer is not entry.tail and lease.buffer.data is not None:
            new = _trimmed(lease.buffer.data, entry.sealed_length, len(ids))
            entry.tail = KVBuffer(new) if new.shape[3] else KVBuffer()
        self._evict()

    def fork(self, session: str, new: str) -> None:
        """Let a new session begin with all that a session holds, sharing it; what the new one held is forgotten."""
        if new == session:
            return
        self.release(new)
        for (name, weights), entry in list(self._entries.items()):
            if name == session:
                entry.seal()
                self._entries[new, weights] = CachedPrefix(list(entry.ids), list(entry.sealed))
        self._evict()

    def release(self, session: str) -> None:
        """Forget a session under all weights. What forks of it share stays with them."""
        for key in [key for key in self._entries if key[0] == session]:
            del self._entries[key]

    def clear(self) -> None:
        """Forget all sessions."""
        self._entries.clear()

    def busy(self, session: str) -> bool:
        """Whether a call is under way on a session."""
        return any(entry.busy for (name, _), entry in self._entries.items() if name == session)

    def tokens_held(self) -> int:
        """Tokens whose keys and values are held, those that sessions share counted once."""
        sealed = {id(data): data.shape[3] for entry in self._entries.values() for data, _ in entry.sealed}
        return sum(sealed.values()) + sum(len(e.ids) - e.sealed_length for e in self._entries.values())

    def bytes_held(self) -> int:
        """Bytes of all keys and values held, with the room that tails have to grow."""
        tensors = {id(data): data for entry in self._entries.values() for data, _ in entry.sealed}
        tensors |= {id(e.tail.data): e.tail.data for e in self._entries.values() if e.tail.data is not None}
        return sum(tensor.untyped_storage().nbytes() for tensor in tensors.values())

    def __len__(self) -> int:
        return len(self._entries)

    def _evict(self) -> None:
        """Drop what was not used for longest, but not the newest: a session longer than all room is worth keeping."""
        for key in list(self._entries)[:-1]:
            if len(self._entries) <= self._max_entries and self.bytes_held() <= self._max_bytes:
                return
            if not self._entries[key].busy:
                del self._entries[key]


def _common(mine: Sequence[int], theirs: Sequence[int]) -> int:
    """How many leading ids are the same."""
    common = 0
    for a, b in zip(mine, theirs, strict=False):
        if a != b:
            break
        common += 1
    return common
