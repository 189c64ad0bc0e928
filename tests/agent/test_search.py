"""The frontier of a search: the published order, the strategies, and what bounds them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toolbench_trees import real_trees, replies_below, search_of

from alpha_umi.agent.search.frontier import Frontier, Search
from alpha_umi.agent.search.strategies import DFSDT, chain, named_search, react
from alpha_umi.agent.search.tree import ROOT, End
from alpha_umi.errors import UsageError
from alpha_umi.trajectory import Call, Decision, Plan, Step

Path_ = tuple[int, ...]


def step(text: str = "") -> Step:
    return Step(plan=Plan(rationale=text, decision=Decision.CALL), call=Call(tool=text or "look"))


def walked(search: Search, ends: Mapping[Path_, End], *, max_steps: int = 4) -> tuple[Frontier, list[Path_]]:
    """Let a search run over what becomes of its steps; the paths of its steps in the order of their making."""
    frontier, made = Frontier.start(search, max_steps=max_steps), list[Path_]()
    names: dict[int, Path_] = {ROOT: ()}
    while frontier.over is None:
        if frontier.to_rank:
            frontier = frontier.ranked(frontier.to_rank[::-1])
            continue
        at = frontier.at
        assert at is not None
        path = (*names[at], len(frontier.children(at)))
        frontier = frontier.add(step(str(path)), end=ends.get(path))
        made.append(path)
        if len(frontier.nodes) > len(names):
            names[len(frontier.nodes) - 1] = path
    return frontier, made


class Enough(Exception):
    """The published search returns 10,000 or 100,000 through all levels."""


def published(
    ends: Mapping[Path_, End], *, width: int, limit: int, budget: int, answers: int, rank: bool = False
) -> tuple[list[Path_], list[Path_], bool]:
    """`DFS.py` as its facts describe it, recursive, one node a step: the queries made, the answers, all tried?

    With `rank` (`with_filter`) the later try always wins its comparisons.
    """
    queries: list[Path_] = []
    found: list[Path_] = []
    compared = 0

    def visit(path: Path_, end: End | None) -> int:
        if end is End.ANSWER:
            found.append(path)
            return 2
        if end is End.GIVE_UP:
            return 2
        if end is End.DEAD or len(path) >= limit:
            return 1
        nonlocal compared
        children = [(*path, i) for i in range(width)]
        for child in children:
            queries.append(child)
            if len(queries) + compared >= budget:
                raise Enough
            if rank:
                continue
            result = visit(child, ends.get(child))
            if len(found) >= answers:
                raise Enough
            if result > 1:
                return result - 1
        if rank:
            compared += 2 * (width * (width - 1) // 2)
            for child in reversed(children):
                result = visit(child, ends.get(child))
                if len(found) >= answers:
                    raise Enough
                if result > 1:
                    return result - 1
        return 1

    try:
        visit((), None)
    except Enough:
        return queries, found, False
    return queries, found, True


policies = st.dictionaries(
    st.lists(st.integers(0, 2), min_size=1, max_size=4).map(tuple), st.sampled_from(list(End)), max_size=30
)


@given(
    ends=policies,
    width=st.integers(1, 3),
    limit=st.integers(1, 4),
    budget=st.integers(1, 30),
    answers=st.integers(1, 3),
    rank=st.booleans(),
)
def test_compat_visits_as_the_published_recursion(
    ends: Mapping[Path_, End], width: int, limit: int, budget: int, answers: int, rank: bool
) -> None:
    search = DFSDT(width=width, max_calls=budget, answers=answers, compat="toolbench", rank=rank)
    frontier, made = walked(search, ends, max_steps=limit)
    queries, found, all_tried = published(ends, width=width, limit=limit, budget=budget, answers=answers, rank=rank)
    assert made == queries
    assert len(frontier.found) == len(found)
    assert (frontier.over == "exhausted") == all_tried
    assert len(frontier.nodes) - 1 == len(made) - (frontier.over == "calls"), "the last paid reply is thrown away"


@given(ends=policies, width=st.integers(1, 3), limit=st.integers(1, 4), budget=st.integers(1, 40), rank=st.booleans())
def test_every_search_ends_within_its_bounds(
    ends: Mapping[Path_, End], width: int, limit: int, budget: int, rank: bool
) -> None:
    frontier = Frontier.start(DFSDT(width=width, max_calls=budget, rank=rank), max_steps=limit)
    names: dict[int, Path_] = {ROOT: ()}
    while frontier.over is None:
        if frontier.to_rank:
            frontier = frontier.ranked(frontier.to_rank[::-1])
            continue
        at = frontier.at
        assert at is not None
        path = (*names[at], len(frontier.children(at)))
        names[len(frontier.nodes)] = path
        frontier = Frontier.model_validate_json(frontier.add(step(str(path)), end=ends.get(path)).model_dump_json())
    assert frontier.calls == len(frontier.nodes) - 1 <= budget
    assert max(len(path) for path in names.values()) <= limit
    assert all(len(frontier.children(i)) <= width for i in range(len(frontier.nodes)))
    visits = [node.visit for node in frontier.nodes if node.visit is not None]
    assert sorted(visits) == list(range(len(visits)))
    assert rank or len(visits) == len(frontier.nodes)
    if frontier.over == "calls" and rank:
        answered = [i for i, node in enumerate(frontier.nodes) if node.end is End.ANSWER]
        assert not answered or frontier.found, "an answer that was paid for is not lost"


def test_a_chain_is_one_path() -> None:
    _, made = walked(chain(), {})
    assert made == [(0,), (0, 0), (0, 0, 0), (0, 0, 0, 0)]
    frontier, made = walked(chain(), {(0, 0): End.GIVE_UP})
    assert made == [(0,), (0, 0)]
    assert (frontier.over, frontier.steps(frontier.best)[-1].plan.rationale) == ("exhausted", "(0, 0)")


def test_react_begins_anew_until_one_answers() -> None:
    ends = {(0, 0): End.GIVE_UP, (1, 0, 0): End.DEAD, (2, 0): End.ANSWER}
    frontier, made = walked(react(5), ends)
    assert made == [(0,), (0, 0), (1,), (1, 0), (1, 0, 0), (2,), (2, 0)]
    assert frontier.over == "answers"
    assert len(frontier.steps(frontier.best)) == 2
    assert walked(react(2), ends)[0].over == "exhausted"


def test_a_give_up_leaves_its_siblings_and_a_dead_end_does_not() -> None:
    _, made = walked(DFSDT(), {(0, 0, 0): End.GIVE_UP}, max_steps=3)
    assert made[2:4] == [(0, 0, 0), (0, 1)]
    _, made = walked(DFSDT(), {(0, 0, 0): End.DEAD}, max_steps=3)
    assert made[2:4] == [(0, 0, 0), (0, 0, 1)]
    _, made = walked(DFSDT(give_up_retreat=1), {(0, 0, 0): End.GIVE_UP}, max_steps=3)
    assert made[2:4] == [(0, 0, 0), (0, 0, 1)]


def test_giving_up_at_the_first_step_ends_only_the_published_search() -> None:
    assert walked(DFSDT(compat="toolbench"), {(0,): End.GIVE_UP})[1] == [(0,)]
    assert walked(DFSDT(), {(0,): End.GIVE_UP, (1,): End.ANSWER})[1] == [(0,), (1,)]


def test_every_reply_that_was_paid_for_is_used() -> None:
    ends: dict[Path_, End] = {(0, 0, 0): End.ANSWER}
    assert walked(DFSDT(max_calls=3), ends)[0].over == "answers"
    assert walked(DFSDT(max_calls=3, compat="toolbench"), ends)[0].over == "calls"


def test_classical_dfs_visits_the_best_try_first() -> None:
    frontier = Frontier.start(DFSDT(rank=True), max_steps=2)
    frontier = frontier.add(step("a")).add(step("b"), end=End.GIVE_UP)
    assert frontier.at is None
    assert frontier.to_rank == (1, 2)
    with pytest.raises(UsageError, match="ranking"):
        frontier.ranked([1])
    after = frontier.ranked([2, 1])
    assert (after.nodes[2].visit, after.nodes[1].visit, after.at) == (1, 2, 1), "the give-up came first, at the root"
    other = frontier.ranked([1, 2])
    assert (other.nodes[1].visit, other.nodes[2].visit, other.at) == (1, None, 1)


@pytest.mark.parametrize(("compat", "replies"), [("toolbench", 4), ("alpha-umi", 4), (None, 7)])
def test_comparisons_are_paid_for_only_in_the_published_search(compat: Any, replies: int) -> None:
    """Width 3, budget 7: three tries and six comparisons are over it, which the next reply shows."""
    _, made = walked(DFSDT(width=3, max_calls=7, rank=True, compat=compat), {}, max_steps=4)
    assert len(made) == replies


@pytest.mark.parametrize("call", [None, Call(tool="none", fault="no_action")])
def test_what_was_tried_is_the_next_readable_call_of_each_try(call: Call | None) -> None:
    thought = Step(plan=Plan(rationale="Hm.", decision=Decision.CALL, fault="no_marker"), call=call)
    frontier = Frontier.start(DFSDT(compat="toolbench"), max_steps=3).add(thought).add(step("first"), end=End.DEAD)
    assert [s.call and s.call.tool for s in frontier.tried(ROOT)] == ["first"]
    end = Step(plan=Plan(rationale="No.", decision=Decision.GIVE_UP))
    given_up = Frontier.start(DFSDT(), max_steps=3).add(thought).add(end, end=End.GIVE_UP)
    assert given_up.at == ROOT
    assert given_up.tried(ROOT) == [end], "the release walks on to the call of Finish"


@pytest.mark.parametrize(
    ("name", "found"),
    [("chain", chain()), ("react@3", react(3)), ("dfsdt", DFSDT()), ("dfs", DFSDT(rank=True, diversity=False))],
)
def test_strategies_have_names(name: str, found: Search) -> None:
    assert named_search(name) == found
    assert found.name == name


@pytest.mark.parametrize("name", ["", "DFSDT", "react", "react@0", "react@-1", "react@10000", "beam"])
def test_a_strategy_that_does_not_exist(name: str) -> None:
    with pytest.raises(UsageError, match="known are chain, react@N"):
        named_search(name)


@real_trees
def test_the_published_trees_are_visited_in_their_recorded_order(path: Path) -> None:
    """Real searches by ChatGPT: every recorded reply is asked for at its place, and every visit has its number."""
    value = json.loads(path.read_text(encoding="utf-8"))
    frontier = Frontier.start(search_of(value, path), max_steps=99)
    recorded: dict[int, dict[str, Any]] = {ROOT: value["tree"]["tree"]}
    while frontier.over is None:
        at = frontier.at
        assert at is not None
        replies = list(replies_below(recorded[at]))
        tried = len(frontier.children(at))
        assert tried < len(replies), "the published search asked for no more here"
        reply = replies[tried]
        code = reply.last.get("observation_code")
        end = {3: End.ANSWER, 4: End.GIVE_UP}.get(code) if code is not None else None
        recorded[len(frontier.nodes)] = reply.last
        frontier = frontier.add(step(), end=end, weight=len(reply.nodes))
    assert frontier.calls == value["answer_generation"]["query_count"]
    for index, node in enumerate(frontier.nodes):
        assert node.depth == recorded[index]["depth"]
        assert node.visit == recorded[index]["expand_num"]
        assert (node.end in {End.DEAD, End.GIVE_UP}) == recorded[index]["pruned"], index
    assert bool(frontier.found) == value["win"]
