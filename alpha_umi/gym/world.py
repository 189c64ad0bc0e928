"""The state of one episode: parts made from a seed when first touched, a clock that stands still, and what changed.

A World belongs to one episode and nothing in it is shared, so episodes can run side by side. Knows nothing of
which parts exist.
"""

from __future__ import annotations

import pickle
import random
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from alpha_umi.errors import UsageError

P = TypeVar("P")


class Stateful(Protocol):
    """A part that tools can change."""

    def state(self) -> object:
        """All that matters of its state, as plain data; texts compare normalised (`facts.normalised`)."""
        ...


class World:
    """The state of one episode: the same seed gives the same world, on every machine."""

    def __init__(self, seed: int = 0) -> None:
        if not isinstance(seed, int):
            raise UsageError(f"the seed of a world is a whole number, not {seed!r}")
        self.seed = seed
        self.lock = threading.RLock()
        """Held by every call on this world: its parts need no locks of their own."""
        self._parts: dict[Any, Any] = {}
        self._first: dict[str, tuple[Stateful, bytes]] = {}
        """Each part that can change, and its state when it was made, pickled: five times as fast as a deep copy."""

    def part(self, kind: type[P]) -> P:
        """The state of one domain: `kind` (a class) made from seeded chance when first asked for."""
        with self.lock:
            if kind not in self._parts:
                if any(other.__name__ == kind.__name__ for other in self._parts):
                    raise UsageError(f"this world has a part {kind.__name__} already: give the class another name")
                make = cast(Callable[[random.Random], P], kind)
                part = make(random.Random(f"world/{self.seed}/{kind.__name__}"))
                self._parts[kind] = part
                if hasattr(kind, "state"):  # a Stateful; a check against the protocol takes longer than most parts
                    stateful = cast(Stateful, part)
                    self._first[kind.__name__] = (stateful, pickle.dumps(stateful.state()))
            return cast(P, self._parts[kind])

    def changes(self) -> dict[str, object]:
        """The state of every part that is no longer as it was made; equal tasks done equally give equal changes."""
        with self.lock:
            now = {name: (part.state(), first) for name, (part, first) in sorted(self._first.items())}
        return {name: state for name, (state, first) in now.items() if state != pickle.loads(first)}
