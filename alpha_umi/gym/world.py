"""What a domain is made of: its tools, its scenarios, and the state of one episode.

A World belongs to one episode and nothing in it is shared, so episodes can run side by side. Knows nothing of
which domains exist (`registry`) or how a scenario is told (`draft`).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

if TYPE_CHECKING:
    from alpha_umi.gym.draft import Draft

Kind = Literal["single", "sequential", "recovery", "unsolvable"]


P = TypeVar("P")


class World:
    """The state of one episode: the same seed gives the same world, on every machine."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._parts: dict[Any, Any] = {}
        self._lock = threading.Lock()

    def part(self, kind: type[P]) -> P:
        """The state of one domain: `kind` (a class) made from seeded chance when first asked for."""
        with self._lock:
            if kind not in self._parts:
                make = cast(Callable[[random.Random], P], kind)
                self._parts[kind] = make(random.Random(f"world/{self.seed}/{kind.__name__}"))
            return cast(P, self._parts[kind])


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A kind of task: how it is told, and what must and must not be offered with it."""

    kind: Kind
    needs: tuple[str, ...]
    """Tools it calls; they may belong to other domains."""
    play: Callable[[Draft], None]
    """Asks the question, makes the calls, and answers or gives up."""
    rivals: tuple[str, ...] = ()
    """Tools that could do the same another way; they are never offered with it."""


@dataclass(frozen=True)
class Category:
    """One domain of the gym."""

    name: str
    tools: tuple[Callable[..., Any], ...]
    """Typed functions; one whose first parameter is `world` is given the episode's."""
    tasks: tuple[Scenario, ...]
