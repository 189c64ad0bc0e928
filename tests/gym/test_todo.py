"""The to-do list: what is due when by hand, what may change and what may not, and nothing left when undone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from alpha_umi.trajectory import Call
from alpha_umi_gym import generate, toolbox
from alpha_umi_gym.domains.todo.tools import (
    PRIORITIES,
    Task,
    TodoList,
    add_task,
    complete_task,
    count_open_tasks,
    delete_task,
    list_tasks,
    next_task,
    postpone_task,
    set_priority,
    task_due,
)
from alpha_umi_gym.world import World


@pytest.fixture
def world() -> World:
    """A list made by hand: four open tasks and one that is done."""
    world = World(1)
    tasks = (
        Task("water the plants", "high", "2024-02-27"),
        Task("pay the rent", "high", "2024-03-01"),
        Task("wash the car", "low", "2024-01-31"),
        Task("read the contract", "normal"),
        Task("buy stamps", "low", "2024-01-05", done=True),
    )
    world.part(TodoList).tasks = {task.title: task for task in tasks}
    return world


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ({}, 4),
        ({"priority": "high"}, 2),
        ({"priority": "low"}, 1),
        ({"due_before": "2024-02-27"}, 1),
        ({"due_before": "2024-02-28"}, 2),
        ({"due_before": "2030-01-01"}, 3),
        ({"due_before": "2024-02-28", "priority": "high"}, 1),
        ({"due_before": "2024-01-31", "priority": "low"}, 0),
    ],
)
def test_open_tasks_are_counted_by_priority_and_date(world: World, arguments: dict[str, Any], count: int) -> None:
    assert count_open_tasks(world, **arguments) == count


@pytest.mark.parametrize(
    ("priority", "title", "due"),
    [
        (None, "wash the car", "2024-01-31"),
        ("high", "water the plants", "2024-02-27"),
        ("normal", "read the contract", None),
    ],
)
def test_the_next_task_is_the_open_one_that_is_due_first(world: World, priority: Any, title: str, due: str) -> None:
    found = next_task(world, priority)
    assert (found["title"], found["due"]) == (title, due)


def test_tasks_are_listed_by_date_with_those_without_one_at_the_end(world: World) -> None:
    assert list_tasks(world) == ["wash the car", "water the plants", "pay the rent", "read the contract"]
    assert list_tasks(world, "high") == ["water the plants", "pay the rent"]
    assert list_tasks(world, done=True) == ["buy stamps"]
    assert list_tasks(world, "high", done=True) == []


def test_a_task_that_is_done_makes_room_for_the_next(world: World) -> None:
    assert complete_task(world, "Wash the Car") == {"done": "wash the car", "open_tasks": 3}
    assert next_task(world)["title"] == "water the plants"
    assert list_tasks(world, done=True) == ["buy stamps", "wash the car"]
    with pytest.raises(LookupError, match="no task of low priority is open"):
        next_task(world, "low")


@pytest.mark.parametrize(
    ("arguments", "due"),
    [({"days": 2}, "2024-02-29"), ({"days": 30}, "2024-03-28"), ({"new_date": "2024-12-24"}, "2024-12-24")],
)
def test_a_task_is_postponed_by_days_or_to_a_date(world: World, arguments: dict[str, Any], due: str) -> None:
    assert postpone_task(world, "water the plants", **arguments) == {"title": "water the plants", "due": due}
    assert task_due(world, "water the plants") == due


@pytest.mark.parametrize(
    ("title", "arguments", "message"),
    [
        ("water the plants", {}, "give either days or new_date"),
        ("water the plants", {"days": 1, "new_date": "2024-12-24"}, "give either days or new_date"),
        ("water the plants", {"new_date": "2024-02-27"}, "is due on 2024-02-27, 2024-02-27 is not later"),
        ("water the plants", {"new_date": "tomorrow"}, "is not a date"),
        ("read the contract", {"days": 3}, "has no due date, give new_date"),
        ("buy stamps", {"days": 3}, "is done already"),
    ],
)
def test_what_cannot_be_postponed(world: World, title: str, arguments: dict[str, Any], message: str) -> None:
    before = world.part(TodoList).state()
    with pytest.raises(ValueError, match=message):
        postpone_task(world, title, **arguments)
    assert world.part(TodoList).state() == before


def test_a_task_without_a_date_can_be_given_one(world: World) -> None:
    postpone_task(world, "read the contract", new_date="2024-01-01")
    assert next_task(world)["title"] == "read the contract"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda w: task_due(w, "water plants"), LookupError, "did you mean 'water the plants'"),
        (lambda w: task_due(w, "tidy the garage"), LookupError, "unknown task 'tidy the garage'$"),
        (lambda w: task_due(w, "read the contract"), LookupError, "has no due date"),
        (lambda w: complete_task(w, "buy stamps"), ValueError, "is done already"),
        (lambda w: set_priority(w, "buy stamps", "high"), ValueError, "is done already"),
        (lambda w: set_priority(w, "wash the car", "low"), ValueError, "is low already"),
        (lambda w: add_task(w, "Pay  the rent"), ValueError, "is on the list already"),
        (lambda w: add_task(w, "bake a cake", due="2023-02-29"), ValueError, "is not a date"),
        (lambda w: delete_task(w, "bake a cake"), LookupError, "unknown task"),
    ],
)
def test_what_is_refused_changes_nothing(world: World, call: Any, error: type[Exception], message: str) -> None:
    before = world.part(TodoList).state()
    with pytest.raises(error, match=message):
        call(world)
    assert world.part(TodoList).state() == before


def test_changes_are_seen_until_they_are_undone() -> None:
    world = World(5)
    title = list_tasks(world)[0]
    old = next_task(world)["priority"]
    new = next(priority for priority in PRIORITIES if priority != old)
    set_priority(world, title, new)
    add_task(world, "feed the parrot", due="2024-05-31", priority="high")
    assert set(world.changes()) == {"TodoList"}
    assert World(5).changes() == {}
    set_priority(world, title, old)
    delete_task(world, "feed the parrot")
    assert world.changes() == {}


def test_the_order_of_calls_does_not_matter() -> None:
    one, other = World(6), World(6)
    for world, titles in ((one, ("feed the parrot", "wind the clock")), (other, ("wind the clock", "feed the parrot"))):
        for title in titles:
            add_task(world, title)
    assert one.changes() == other.changes()


@pytest.mark.parametrize("seed", range(20))
def test_every_list_has_two_open_tasks_of_each_priority_and_a_date_for_the_first(seed: int) -> None:
    world = World(seed)
    for priority in PRIORITIES:
        assert len(list_tasks(world, priority)) == 2
        assert len(list_tasks(world, priority, done=True)) == 1
        assert next_task(world, priority)["due"] is not None


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("add_task", {"title": ""}),
        ("add_task", {"title": "x" * 81}),
        ("postpone_task", {"title": "pay the rent", "days": 0}),
        ("list_tasks", {"priority": "urgent"}),
    ],
)
def test_arguments_outside_the_schema_are_refused(tool: str, arguments: dict[str, Any]) -> None:
    assert not toolbox("todo", seed=1).invoke(Call(tool=tool, arguments=arguments)).ok


def test_training_never_sees_the_list_and_its_tasks_flow_into_other_calls() -> None:
    assert not any(tool.name in {"task_due", "next_task"} for task in generate(30, seed=1) for tool in task.tools)
    flows: set[tuple[str, str]] = set()
    for task in generate(200, seed=2, split="unseen_categories", only=["todo"]):
        flows.update(pairwise(step.call.tool for step in task.gold.steps if step.call is not None))
    assert {("next_task", "task_due"), ("next_task", "complete_task")} <= flows
