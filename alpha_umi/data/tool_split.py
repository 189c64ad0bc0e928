"""Splitting a data set by tool: no tool of the held-out share occurs in the rest, so what is measured is new tools.

Trajectories that offer a common tool form a component (union-find), which goes to one side as a whole.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from alpha_umi.trajectory import Trajectory


def tools_of(trajectory: Trajectory) -> frozenset[str]:
    """The tools that a trajectory offers; of ToolBench's functions, each named API_for_TOOL, the tools that they are
    of."""
    return frozenset(name.rpartition("_for_")[2] for name in trajectory.tool_names)


def held_out_tools(trajectories: Iterable[Trajectory], share: float, *, seed: int = 0) -> frozenset[str]:
    """The tools of a held-out share: whole components, in an order that the seed decides, as long as they fit.

    Args:
        trajectories: of the data set.
        share: of its trajectories that may be held out at most.
        seed: another one holds out others.
    """
    offered = [tools_of(trajectory) for trajectory in trajectories]
    tools, sizes = _components(offered)
    wanted, taken = share * len(offered), 0
    held: set[str] = set()
    for root in sorted(tools, key=lambda root: _rank(tools[root], seed)):
        if taken + sizes[root] <= wanted:
            taken += sizes[root]
            held |= tools[root]
    return frozenset(held)


def is_held_out(trajectory: Trajectory, held: frozenset[str]) -> bool:
    """Whether a trajectory's tools are held out; one without tools never is."""
    return not tools_of(trajectory).isdisjoint(held)


def _rank(tools: Iterable[str], seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{min(tools)}".encode()).digest()


def _components(offered: Iterable[frozenset[str]]) -> tuple[dict[str, set[str]], dict[str, int]]:
    """The tools of each component and how many trajectories it has, by one of its tools."""
    parent: dict[str, str] = {}

    def root(tool: str) -> str:
        while parent.setdefault(tool, tool) != tool:
            parent[tool] = tool = parent[parent[tool]]
        return tool

    firsts = []
    for tools in offered:
        first, *others = sorted(tools) or [""]
        firsts.append(first)
        root(first)
        for tool in others:
            parent[root(tool)] = root(first)
    tools_by_root: dict[str, set[str]] = defaultdict(set)
    for tool in parent:
        tools_by_root[root(tool)].add(tool)
    sizes: dict[str, int] = defaultdict(int)
    for first in firsts:
        sizes[root(first)] += 1
    tools_by_root.pop("", None)
    return dict(tools_by_root), dict(sizes)
