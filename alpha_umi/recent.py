"""What was made lately, known again by the very objects that it was made of: frozen ones, though not hashable."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Values that need not be made anew; the one that was not asked for longest gives way.

    Args:
        max_values: values to keep, each with the objects that it was made of.
    """

    def __init__(self, max_values: int) -> None:
        self._max_values = max_values
        self._kept: dict[Hashable, tuple[tuple[object, ...], T]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, of: Sequence[object]) -> T | None:
        """What was made under a key of these objects; None where it was not, or is forgotten."""
        name = (key, *map(id, of))
        with self._lock:
            found = self._kept.pop(name, None)
            if found is None:
                return None
            self._kept[name] = found
            return found[1]

    def take(self, key: Hashable, of: Sequence[object]) -> T | None:
        """The same, and forget it: what is made of it takes its place."""
        with self._lock:
            found = self._kept.pop((key, *map(id, of)), None)
        return found and found[1]

    def put(self, key: Hashable, of: Sequence[object], value: T) -> T:
        """Keep it, and the objects, so that no other one takes their place in memory."""
        with self._lock:
            self._kept[(key, *map(id, of))] = (tuple(of), value)
            while len(self._kept) > self._max_values:
                del self._kept[next(iter(self._kept))]
        return value
