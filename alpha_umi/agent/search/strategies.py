"""The searches by name: chain, ReACT@N, DFSDT, classical DFS, and what a strategy of one's own has to have."""

from __future__ import annotations

import re
from typing import Any, Protocol, runtime_checkable

from pydantic import Field

from alpha_umi.agent.search.frontier import Search
from alpha_umi.agent.search.tree import Tree
from alpha_umi.errors import UsageError
from alpha_umi.plugins import PluginPoint


@runtime_checkable
class Strategy(Protocol):
    """How a search goes: `Search` and its settings, or one of your own, whose tree says where it goes next."""

    @property
    def name(self) -> str:
        """What it is called in results."""
        ...

    def start(self, *, max_steps: int) -> Tree:
        """A tree at its root; `max_steps` is the budget of a path."""
        ...

    def max_total_steps(self, max_steps: int) -> int:
        """Steps that it can try at most, where a path has at most `max_steps`."""
        ...


def chain() -> Search:
    """One path, to its end."""
    return Search()


def react(n: int) -> Search:
    """ReACT@N: fresh paths until one answers, at most `n` (`CoT@N` in the release)."""
    return Search(root_width=n, give_up_retreat=1, diversity=False)


class DFSDT(Search):
    """Depth-first search-based decision tree: backtrack where a path ends, tell the next try what was tried."""

    width: int = Field(default=2, ge=1)
    max_calls: int | None = Field(default=200, ge=1)


def dfsdt() -> Search:
    """Depth-first search-based decision tree."""
    return DFSDT()


def dfs() -> Search:
    """Classical depth-first search: all tries of a node first, then the best."""
    return DFSDT(rank=True, diversity=False)


_NAMED = re.compile(r"react@([1-9]\d{0,2})")
SEARCHES = PluginPoint[Any](
    "searches", {name: f"alpha_umi.agent.search.strategies:{name}" for name in ("chain", "dfsdt", "dfs")}
)
"""By name: a strategy, or what makes one when it is called."""


def named_search(text: str) -> Strategy:
    """The strategy that the command line names: `chain`, `react@N`, `dfsdt`, `dfs`, one that a package brings, or one's
    own as MODULE:ATTRIBUTE.

    Raises:
        UsageError: there is no such strategy, or it cannot be loaded.
    """
    if (found := _NAMED.fullmatch(text)) is not None:
        return react(int(found[1]))
    if text not in (names := SEARCHES.names()) and ":" not in text:
        known = ", ".join(["chain", "react@N (such as react@5)", *names[1:]])
        raise UsageError(f"there is no search '{text}'; known are {known}, or give your own as MODULE:ATTRIBUTE")
    made = SEARCHES.load(text)
    if isinstance(made, type) or (callable(made) and not isinstance(made, Strategy)):
        made = made()
    if not isinstance(made, Strategy):
        raise UsageError(f"search '{text}' is {type(made).__name__}, which has no name, start and max_total_steps")
    return made
