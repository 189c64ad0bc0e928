"""A search of one's own, as the example brings it: it goes on, is stored, and is named on the command line."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from alpha_umi import Agent, Outcome
from alpha_umi.agent.search.strategies import Strategy, named_search
from alpha_umi.agent.search.tree import End
from alpha_umi.agent.state import Result, StopReason
from alpha_umi.errors import UsageError
from alpha_umi.testing import scripted_models

_EXAMPLE: Any = import_module("examples.mcts_search")
MCTS, MCTSTree = _EXAMPLE.MCTS, _EXAMPLE.MCTSTree
CALL, ANSWER, GIVE_UP = "I look. Next: caller.", "I know. Next: conclusion.", "No way. Next: give up."


def look(door: int) -> str:
    """Look at a door."""
    return "open" if door == 7 else f"door {door} is shut"


def agent(planner: list[str], doors: list[int], **more: Any) -> Agent:
    models = scripted_models(planner, [f'Action: look\nAction Input: {{"door": {n}}}' for n in doors], ["Door 7."])
    return Agent.from_team("umi", tools=[look], models=models, **more)


def test_it_tries_elsewhere_where_a_path_ends() -> None:
    result = agent([CALL, GIVE_UP, CALL, CALL, ANSWER], [1, 2, 7], search=MCTS(width=2)).run("Which door is open?")
    assert (result.answer, result.outcome) == ("Door 7.", Outcome.ANSWERED)
    assert isinstance(result.tree, MCTSTree)
    assert [node.end for node in result.tree.nodes if node.end] == [End.GIVE_UP, End.ANSWER]
    assert len({node.parent for node in result.tree.nodes}) > 2, "it grew in more than one place"
    assert Result.model_validate_json(result.model_dump_json()) == result


def test_it_ends_with_its_calls() -> None:
    result = agent([CALL] * 4, [1, 2, 3, 4], search=MCTS(calls=4)).run("Which door is open?")
    assert (result.outcome, result.reason) == (Outcome.OUT_OF_BUDGET, StopReason.CALLS)


def test_it_goes_on_where_it_was_stored(tmp_path: Path) -> None:
    file = tmp_path / "t.sqlite"
    waiting = agent([CALL], [1], search=MCTS(), threads=file, sensitive=["look"]).run("Which?", thread="a")
    assert waiting.pending is not None
    result = agent([ANSWER], [], threads=file).resume("a", "approve")
    assert result.answer == "Door 7."
    assert isinstance(result.tree, MCTSTree)
    again = agent([], [], threads=file).resume("a")
    assert again.tree == result.tree


def test_a_search_is_named() -> None:
    assert isinstance(named_search("examples.mcts_search:MCTS"), MCTS)
    assert isinstance(named_search("dfsdt"), Strategy)
    with pytest.raises(
        UsageError, match=r"known are chain, react@N .*, dfsdt, dfs, or give your own as MODULE:ATTRIBUTE"
    ):
        named_search("breadth")
    with pytest.raises(UsageError, match="is str, which has no name, start and max_total_steps"):
        named_search("tests.agent.test_mcts_search:CALL")
    with pytest.raises(UsageError, match=r"'mcts' is not in examples\.mcts_search"):
        named_search("examples.mcts_search:mcts")
