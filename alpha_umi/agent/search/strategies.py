"""How a search goes: chain, ReACT@N, DFSDT and classical DFS as settings of one frontier, and their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from pydantic import Field

from alpha_umi.errors import UsageError
from alpha_umi.plugins import PluginPoint
from alpha_umi.trajectory import Frozen

if TYPE_CHECKING:
    from alpha_umi.agent.search.tree import Tree

ROOT = 0
"""Index of the node where every path begins; it holds no step."""


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

    def most_steps(self, max_steps: int) -> int:
        """Steps that it can try at most, where a path has at most `max_steps`."""
        ...


class Search(Frozen):
    """How a search goes: the strategy of a run."""

    width: int = Field(default=1, ge=1)
    """Steps tried from one node before it is left."""
    root_width: int | None = Field(default=None, ge=1)
    """The same for the root; None: as everywhere."""
    max_steps: int | None = Field(default=None, ge=1)
    """Steps on a path; None: `Budget.max_steps`. With `compat` published nodes, up to three a step."""
    max_calls: int | None = Field(default=None, ge=1)
    """Steps tried in the whole search, with `compat` comparisons too; None: as many as there are."""
    give_up_retreat: int = Field(default=2, ge=1)
    """Levels that a give-up, or an answer when more are wanted, goes back: 2 leaves its siblings untried."""
    dead_end_retreat: int = Field(default=1, ge=1)
    """The same for a dead end."""
    answers: int = Field(default=1, ge=1)
    """Answers to find."""
    diversity: bool = True
    """Whether a later try of a node is told what the earlier ones did."""
    rank: bool = False
    """Classical DFS: make all tries of a node first, then visit them best first."""
    compat: Literal["toolbench", "alpha-umi"] | None = None
    """Go as a released search goes (docs/published.md): ToolBench's, where a step without words is a node less, or
    α-UMi's, where the planner always has words, so that each step is three nodes."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in results."""
        if self.width > 1:
            return "dfs" if self.rank else "dfsdt"
        return "chain" if self.one_path else f"react@{self.root_width}"

    @property
    def one_path(self) -> bool:
        """Whether there is never another path to try."""
        return self.width == 1 and self.root_width in {None, 1}

    def start(self, *, max_steps: int) -> Tree:
        """A search at its root."""
        from alpha_umi.agent.search.frontier import Frontier

        return Frontier.start(self, max_steps=max_steps)

    def most_steps(self, max_steps: int) -> int:
        """Steps that a search can try at most, where a path has at most `max_steps`."""
        limit = self.max_steps or max_steps
        all_of_them = self.width_at(ROOT) * sum(int(self.width**depth) for depth in range(min(limit, 20)))
        if self.width == 1:
            all_of_them = self.width_at(ROOT) * limit
        return min(all_of_them, self.max_calls or all_of_them)

    def width_at(self, node: int) -> int:
        """Steps tried from a node."""
        return self.root_width or self.width if node == ROOT else self.width


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
        raise UsageError(f"search '{text}' is {type(made).__name__}, which has no name, start and most_steps")
    return made
