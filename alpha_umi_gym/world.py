"""The state of one episode: parts made from a seed when first touched, a clock that stands still, and what changed.

A World belongs to one episode and nothing in it is shared, so episodes can run side by side. Knows nothing of
which parts exist.
"""

from __future__ import annotations

import functools
import json
import pickle
import random
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from alpha_umi.errors import UsageError
from alpha_umi.tools.validation import one_line

P = TypeVar("P")
T = TypeVar("T")


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
        self._fault: UsageError | None = None
        """Why a part was refused."""

    def part(self, kind: type[P]) -> P:
        """The state of one domain: `kind` (a class) made from seeded chance when first asked for.

        Raises:
            UsageError: another class has its name, or its state is no plain data; `changes` will raise it again.
        """
        with self.lock:
            if kind not in self._parts:
                name = kind.__name__
                if any(other.__name__ == name for other in self._parts):
                    raise self._refuse(f"this world has a part {name} already: give the class another name")
                make = cast(Callable[[random.Random], P], kind)
                part = make(random.Random(f"world/{self.seed}/{name}"))
                if hasattr(kind, "state"):  # a Stateful; a check against the protocol takes longer than most parts
                    stateful = cast(Stateful, part)
                    self._first[name] = (stateful, self._plain(name, lambda: pickle.dumps(stateful.state())))
                self._parts[kind] = part  # last: a part that is not watched must not be there
            return cast(P, self._parts[kind])

    def changes(self) -> dict[str, object]:
        """The state of every part that is no longer as it was made; equal tasks done equally give equal changes.

        Raises:
            UsageError: the state of a part is no plain data.
        """
        with self.lock:
            self.check()
            return {
                name: state
                for name, (part, first) in sorted(self._first.items())
                for state in self._plain(name, functools.partial(_changed, part, first))
            }

    def check(self) -> None:
        """Raise again why a part was refused: the tool that asked for it turned that into an observation.

        Raises:
            UsageError: a part was refused.
        """
        if self._fault is not None:
            raise self._fault

    def _plain(self, name: str, read: Callable[[], T]) -> T:
        """What a part says of its state, or a refusal of the part."""
        try:
            return read()
        except Exception as error:  # whatever the user's class does
            what = one_line(f"{type(error).__name__}: {error}", limit=200)
            raise self._refuse(f"the state of {name} is no plain data (dict, list, text, number): {what}") from error

    def _refuse(self, what: str) -> UsageError:
        self._fault = UsageError(what)
        return self._fault


def _changed(part: Stateful, first: bytes) -> list[object]:
    """The state of a part if it is another than at first; raises what is wrong with it."""
    state = part.state()
    if state == pickle.loads(first):
        return []
    json.dumps(state)  # a task's changes are kept as JSON
    return [state]
