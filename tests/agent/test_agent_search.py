"""Searches by the whole agent: backtracking, what later tries are told, budgets, and the published trees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from toolbench_trees import Reply, real_trees, replies, search_of

from alpha_umi.agent.events import AgentEvent, Backtracked
from alpha_umi.agent.graph import build_graph
from alpha_umi.agent.runner import Agent
from alpha_umi.agent.search.frontier import Frontier, Search
from alpha_umi.agent.search.strategies import DFSDT, react
from alpha_umi.agent.search.tree import End
from alpha_umi.agent.state import Budget, StopReason
from alpha_umi.data.formats.toolbench import FINISH, read_finish, read_result
from alpha_umi.errors import UsageError
from alpha_umi.models.protocol import Request
from alpha_umi.models.scripted import ScriptedModel
from alpha_umi.team_files import load_team
from alpha_umi.testing import scripted_models
from alpha_umi.text import output_format
from alpha_umi.tools.functions import as_toolbox
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Tool

QUESTION = "Which door is open?"
CALL, ANSWER, GIVE_UP = "I look. Next: caller.", "I know. Next: conclusion.", "No way. Next: give up."


def look(door: int) -> str:
    """Look at a door."""
    return "open" if door == 7 else f"door {door} is shut"


def doors(*numbers: int) -> list[str]:
    return [f'Action: look\nAction Input: {{"door": {n}}}' for n in numbers]


def models(planner: Any, caller: Any = (), summarizer: Any = ("Door 7.",)) -> dict[str, ScriptedModel]:
    return scripted_models(planner, caller, summarizer)


def agent(scripts: dict[str, ScriptedModel], search: Search | str, **limits: Any) -> Agent:
    return Agent.from_team("umi-shared", tools=[look], models=scripts, search=search, budget=Budget(**limits))


def test_a_search_goes_back_where_a_chain_gives_up() -> None:
    scripts = models([CALL, CALL, GIVE_UP, CALL, ANSWER], doors(1, 2, 7))
    events: list[AgentEvent] = []
    result = agent(scripts, "dfsdt").run(QUESTION, on_event=events.append)
    assert (result.answer, result.outcome, result.reason) == ("Door 7.", Outcome.ANSWERED, None)
    assert [step.call and step.call.arguments["door"] for step in result.trajectory.steps] == [1, 7, None]
    assert [event for event in events if isinstance(event, Backtracked)] == [Backtracked(steps=1, why="gave up")]
    assert result.tree is not None
    assert [node.end for node in result.tree.nodes] == [None, None, None, End.GIVE_UP, None, End.ANSWER]
    assert [attempt.outcome for attempt in result.attempts] == [Outcome.GAVE_UP, Outcome.ANSWERED]
    assert [len(attempt.steps) for attempt in result.attempts] == [3, 3]
    assert type(result).model_validate_json(result.model_dump_json()) == result
    assert result.usage["planner"].calls == 5


def test_a_later_try_is_told_what_was_tried_and_keeps_it() -> None:
    scripts = models([CALL, CALL, GIVE_UP, CALL, ANSWER], doors(1, 2, 7))
    result = agent(scripts, DFSDT()).run(QUESTION)
    asked = [request.messages for request in scripts["planner"].requests]
    told = asked[3][-1].content
    assert 'look {"door": 2} -> door 2 is shut' in told
    assert "door 1 is shut" in told, "what the shared part of the path saw stands there too"
    assert "try something different" in told
    assert asked[4][: len(asked[3])] == asked[3], "later prompts extend this one"
    assert [bool(step.prompt) for step in result.trajectory.steps] == [False, True, False]
    silent = models([CALL, CALL, GIVE_UP, CALL, ANSWER], doors(1, 2, 7))
    agent(silent, DFSDT(diversity=False)).run(QUESTION)
    assert silent["planner"].requests[3].messages == asked[1]


def test_all_paths_lead_nowhere() -> None:
    scripts = models([GIVE_UP] * 2)
    result = agent(scripts, "dfsdt").run(QUESTION)
    assert (result.outcome, result.reason, result.answer) == (Outcome.GAVE_UP, StopReason.EXHAUSTED, None)
    assert len(result.attempts) == 2


def test_the_budget_of_calls() -> None:
    scripts = models([CALL] * 5, doors(*range(5)))
    result = agent(scripts, DFSDT(max_calls=5), max_steps=2).run(QUESTION)
    assert (result.outcome, result.reason) == (Outcome.OUT_OF_BUDGET, StopReason.CALLS)
    assert len(scripts["planner"].requests) == 5


def test_the_budget_of_calls_holds_for_one_path_too() -> None:
    result = agent(models([CALL] * 2, doors(1, 2)), Search(max_calls=2)).run(QUESTION)
    assert (result.outcome, result.reason) == (Outcome.OUT_OF_BUDGET, StopReason.CALLS)


@pytest.mark.parametrize("limits", [{"max_tokens": 300}, {"max_seconds": 1e-9}])
def test_the_budgets_of_the_run_hold_for_the_whole_search(limits: dict[str, float]) -> None:
    script = models(lambda _: CALL, lambda _: doors(len(_.messages))[0])
    result = agent(script, DFSDT(max_calls=None), max_steps=3, **limits).run(QUESTION)
    assert result.outcome is Outcome.OUT_OF_BUDGET
    assert result.reason in {StopReason.TOKENS, StopReason.SECONDS}


def test_faults_and_repeats_end_a_path_and_not_the_search() -> None:
    scripts = models([CALL] * 2 + [CALL] + [ANSWER], ["Action: ", "none of it", *doors(7)])
    result = agent(scripts, "dfsdt", max_faults=2).run(QUESTION)
    assert result.answer == "Door 7."
    assert result.tree is not None
    assert [(node.end, node.why) for node in result.tree.nodes if node.end] == [
        (End.DEAD, "faults"),
        (End.ANSWER, ""),
    ]
    scripts = models([CALL] * 2 + [CALL] + [ANSWER], doors(1, 1, 7))
    result = agent(scripts, "dfsdt", max_repeats=2).run(QUESTION)
    assert result.tree is not None
    assert [node.why for node in result.tree.nodes if node.end is End.DEAD] == ["repetition"]


def test_a_path_that_no_longer_fits_the_model_is_left() -> None:
    scripts = models([CALL, CALL, ANSWER], doors(1, 7))
    plain = scripts["planner"].count_tokens
    scripts["planner"].count_tokens = lambda messages: (  # type: ignore[method-assign]
        10**9
        if "door 1 is shut" in messages[-1].content and "different" not in messages[-1].content
        else plain(messages)
    )
    result = agent(scripts, "dfsdt").run(QUESTION)
    assert result.answer == "Door 7."
    assert result.tree is not None
    assert result.tree.nodes[1].why == "context"


@pytest.mark.parametrize(("compat", "steps"), [("toolbench", 6), ("alpha-umi", 4)])
def test_steps_without_words_of_the_published_searches(compat: Any, steps: int) -> None:
    """Twelve published nodes: two for ChatGPT's calls without words, always three where a planner speaks."""
    scripts = models(["Next: caller."] * steps, doors(*range(steps)))
    search = DFSDT(width=1, max_steps=12, compat=compat)
    result = agent(scripts, search).run(QUESTION)
    assert len(result.trajectory.steps) == steps
    assert len(scripts["planner"].requests) == steps
    worded = models([CALL] * 4, doors(*range(4)))
    assert len(agent(worded, search).run(QUESTION).trajectory.steps) == 4


def test_react_begins_anew_and_is_told_nothing() -> None:
    scripts = models([CALL, GIVE_UP, CALL, ANSWER], doors(1, 7))
    result = agent(scripts, "react@3").run(QUESTION)
    assert result.answer == "Door 7."
    first, _, second, _ = (request.messages for request in scripts["planner"].requests)
    assert first == second
    assert len(result.attempts) == 2


def test_more_than_one_answer_can_be_wanted() -> None:
    scripts = models([ANSWER, ANSWER], (), ["Door 6.", "Door 7."])
    result = agent(scripts, DFSDT(answers=2)).run(QUESTION)
    assert result.answer == "Door 6."
    assert [attempt.answer for attempt in result.attempts] == ["Door 6.", "Door 7."]
    short = models([ANSWER, GIVE_UP], (), ["Door 6."])
    assert agent(short, DFSDT(answers=2)).run(QUESTION).answer == "Door 6.", "fewer than wanted is not none"


def test_classical_dfs_compares_in_both_orders_and_visits_the_better_first() -> None:
    compared: list[str] = []

    def plan(request: Request) -> str:
        text = request.messages[-1].content
        if "Write only the letter" in text:
            compared.append(text)
            if '"door": 1}' not in text:
                return "Neither."
            return "A" if text.index('"door": 7') < text.index('"door": 1') else "B"
        return ANSWER if text.startswith("open") else CALL

    # Both tries of a node are made before either is visited, answers too.
    result = agent(models(plan, doors(1, 7), ["Door 7."] * 2), "dfs").run(QUESTION)
    assert result.answer == "Door 7."
    assert len(compared) == 4
    assert result.tree is not None
    assert [node.visit for node in result.tree.nodes[:3]] == [0, None, 1]


def test_a_search_goes_on_from_any_point_where_it_was_stored() -> None:
    saver = InMemorySaver()
    script = [CALL, CALL, GIVE_UP, CALL, ANSWER], doors(1, 2, 7)
    options: dict[str, Any] = {"toolbox": as_toolbox([look]), "search": DFSDT(), "checkpointer": saver}
    graph = build_graph(load_team("umi"), models=models(*script), **options)
    config: Any = {"configurable": {"thread_id": "1"}}
    whole = graph.invoke({"messages": [HumanMessage(QUESTION)]}, config)
    history = [state for state in graph.get_state_history(config) if state.next and state.next != ("__start__",)]
    assert any("backtrack" in state.next for state in history)
    for state in history:
        planned = sum(usage.calls for role, usage in state.values.get("usage", {}).items() if role == "planner")
        called = sum(usage.calls for role, usage in state.values.get("usage", {}).items() if role == "caller")
        rest = models(script[0][planned:], script[1][called:])
        again = build_graph(load_team("umi"), models=rest, **options).invoke(None, state.config)
        assert again["messages"][-1].content == whole["messages"][-1].content == "Door 7."


def test_an_unknown_search_is_refused_before_models_are_loaded() -> None:
    with pytest.raises(UsageError, match="known are chain"):
        Agent.from_team("umi", search="beam")


class Recorded:
    """A recorded search as models and a toolbox: each completion and each observation in its order."""

    def __init__(self, path: Path) -> None:
        self.value = json.loads(path.read_text(encoding="utf-8"))
        self._replies = list(replies(self.value["tree"]["tree"]))
        self._next: Iterator[Reply] = iter(self._replies)
        self._now = self._replies[0]
        self.tools = tuple(Tool(name=f["name"]) for f in self.value["answer_generation"]["function"])

    @property
    def _thought(self) -> str:
        first = self._now.nodes[0]
        return str(first["description"]) if first["node_type"] == "Thought" else ""

    @property
    def _call(self) -> tuple[str, str] | None:
        *_, action, given = [{}, *self._now.nodes]
        return (action["description"], given["description"]) if given["node_type"] == "Action Input" else None

    def plan(self, _: Request) -> str:
        self._now = next(self._next)
        if self._call is None:
            return self._thought
        name, arguments = self._call
        decision = read_finish(arguments).decision if name == FINISH else Decision.CALL
        return f"{self._thought} {output_format.MARKERS[decision]}".strip()

    def call(self, _: Request) -> str:
        return "" if self._call is None else "Action: {}\nAction Input: {}".format(*self._call)

    def answer(self, _: Request) -> str:
        assert self._call is not None
        return read_finish(self._call[1]).answer or ""

    def invoke(self, _: Call) -> Observation:
        return read_result(self._now.last["observation"])


def published_nodes(tree: Frontier) -> list[tuple[str, int, bool, bool, int]]:
    """A tree as ToolBench writes it, first to last: type, depth, pruned, finished, visit."""
    finished: set[tuple[int, int]] = set()
    kinds: dict[int, list[str]] = {0: ["Action Input"]}
    for i, node in enumerate(tree.nodes[1:], 1):
        assert node.step is not None
        weight = node.depth - tree.nodes[node.parent or 0].depth
        kinds[i] = [["Thought"], ["Action", "Action Input"], ["Thought", "Action", "Action Input"]][weight - 1]
    for end in tree.found:  # and its ancestors, up to the second that is an Action Input
        above = [(i, k) for i in [*reversed(tree.path(end)), 0] for k in reversed(range(len(kinds[i])))]
        inputs = [place for place, (i, k) in enumerate(above) if kinds[i][k] == "Action Input"]
        finished |= set(above[: inputs[min(2, len(inputs) - 1)] + 1])

    def below(i: int) -> Iterator[tuple[str, int, bool, bool, int]]:
        node, last = tree.nodes[i], len(kinds[i]) - 1
        for k, kind in enumerate(kinds[i]):
            pruned = k == last and node.end in {End.DEAD, End.GIVE_UP}
            visit = node.visit if k == last and node.visit else 0
            yield kind, node.depth - last + k, pruned, (i, k) in finished, visit
        for child in tree.children(i):
            yield from below(child)

    return list(below(0))


def recorded_nodes(node: dict[str, Any]) -> Iterator[tuple[str, int, bool, bool, int]]:
    yield node["node_type"], node["depth"], node["pruned"], node["finished"], node["expand_num"]
    for child in node["children"]:
        yield from recorded_nodes(child)


@real_trees
def test_the_agent_rebuilds_the_published_trees(path: Path) -> None:
    """Real searches by ChatGPT: their completions, spoken by three roles, give the same tree, flags included."""
    recorded = Recorded(path)
    scripts = models(recorded.plan, recorded.call, recorded.answer)
    budget = Budget(max_tokens=10**9)
    search = search_of(recorded.value, path)
    result = Agent.from_team("umi", tools=recorded, models=scripts, search=search, budget=budget).run("?")
    assert isinstance(result.tree, Frontier)
    assert published_nodes(result.tree) == list(recorded_nodes(recorded.value["tree"]["tree"]))
    generated = recorded.value["answer_generation"]
    assert result.usage["planner"].calls == generated["query_count"]
    assert (result.outcome is Outcome.ANSWERED) == recorded.value["win"]
    if recorded.value["win"]:
        assert result.answer == read_finish(generated["final_answer"]).answer


def test_react_wants_a_number_that_means_something() -> None:
    assert react(2).name == "react@2"
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        react(0)
