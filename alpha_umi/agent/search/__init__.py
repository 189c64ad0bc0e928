"""Search over steps: a tree as plain data, a frontier that walks it, and the strategies by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.agent.search.frontier import Search
    from alpha_umi.agent.search.strategies import DFSDT, Strategy, chain, dfs, dfsdt, named_search, react
    from alpha_umi.agent.search.tree import End, Node, Over, Tree
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.agent.search.frontier": ["Search"],
            "alpha_umi.agent.search.strategies": [
                "DFSDT",
                "Strategy",
                "chain",
                "dfs",
                "dfsdt",
                "named_search",
                "react",
            ],
            "alpha_umi.agent.search.tree": ["End", "Node", "Over", "Tree"],
        },
    )

__all__ = [
    "DFSDT",
    "End",
    "Node",
    "Over",
    "Search",
    "Strategy",
    "Tree",
    "chain",
    "dfs",
    "dfsdt",
    "named_search",
    "react",
]
