"""ToolBench's example answers: real searches by ChatGPT, as the completions they were made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from alpha_umi.agent.search.strategies import DFSDT

_ANSWERS = sorted(Path(__file__).parents[2].glob("shared/data/toolbench/data_example/answer/*/*.json"))

_TWO_LEVELS = {"57_ChatGPT_DFS_woFilter_w2", "69_ChatGPT_DFS_woFilter_w2", "8_ChatGPT_DFS_woFilter_w2"}
"""Trees of another version of the published search, in which a path that is too long goes back two levels as well."""


def real_trees(test: Callable[..., None]) -> Any:
    """Run a test with the path of each answer file."""
    found = pytest.mark.parametrize("path", _ANSWERS, ids=lambda path: f"{path.parent.name}-{path.stem.split('_')[0]}")(
        test
    )
    return pytest.mark.skipif(not _ANSWERS, reason="ToolBench's example answers are not beside this checkout")(found)


def search_of(value: Mapping[str, Any], path: Path) -> DFSDT:
    """The search that an answer file records."""
    given = value["forward_args"]
    return DFSDT(
        width=given["tree_beam_size"],
        max_steps=given["single_chain_max_step"],
        max_calls=given["max_query_count"],
        answers=given["answer"],
        dead_end_retreat=2 if path.stem in _TWO_LEVELS else 1,
        compat="toolbench",
    )


class Reply(NamedTuple):
    """One recorded completion: the published nodes made of it."""

    nodes: list[dict[str, Any]]

    @property
    def last(self) -> dict[str, Any]:
        return self.nodes[-1]


def replies_below(node: Mapping[str, Any]) -> Iterator[Reply]:
    """The completions tried from a node, first to last."""
    for child in node["children"]:
        nodes = [child]
        if child["node_type"] == "Thought" and not child["pruned"]:
            following = child["children"]
            # A thought that was queried again is a reply of its own; one with a call has exactly that call below it.
            if len(following) == 1 and following[0]["node_type"] == "Action" and not child["expand_num"]:
                nodes.append(following[0])
        if nodes[-1]["node_type"] == "Action":
            nodes.append(nodes[-1]["children"][0])
        yield Reply(nodes)


def replies(node: Mapping[str, Any]) -> Iterator[Reply]:
    """All completions below a node in the order in which they were asked for."""
    for reply in replies_below(node):
        yield reply
        yield from replies(reply.last)
