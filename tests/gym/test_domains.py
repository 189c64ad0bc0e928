"""What every category of the gym owes: the cases of its table hold, and its tools and tasks are as those of all."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gym_cases import Play, Step, Table, domain_tasks, table_in, tables

from alpha_umi.errors import ConfigError
from alpha_umi_gym import World, categories, generate
from alpha_umi_gym.domains.calendar.tools import Calendar
from alpha_umi_gym.domains.files.tools import Files
from alpha_umi_gym.domains.mail.tools import Mailbox
from alpha_umi_gym.domains.shop.database import Shop
from alpha_umi_gym.domains.todo.tools import TodoList
from alpha_umi_gym.people import People
from alpha_umi_gym.registry import HELD_OUT
from alpha_umi_gym.sampler import Split

TABLES = tables()
PARTS: tuple[Any, ...] = (People, Calendar, Mailbox, Files, Shop, TodoList)
CASES = [
    pytest.param(table, step, id=f"{domain}-{name}") for domain, table in TABLES.items() for name, step in table.cases()
]
SEQUENCES = [
    pytest.param(table, steps, id=f"{domain}-{what}")
    for domain, table in TABLES.items()
    for what, steps in table.sequences.items()
]
ANY_ORDER = [
    pytest.param(table, steps, id=f"{domain}-{index}")
    for domain, table in TABLES.items()
    for index, steps in enumerate(table.any_order)
]
CHANGING = {intent.name for category in categories().values() for intent in category.intents if intent.changes}


def own_tools(domain: str) -> set[str]:
    return {tool.__name__ for tool in categories()[domain].tools}


# The cases


@pytest.mark.parametrize(("table", "step"), CASES)
def test_a_call_gives_or_refuses_what_the_table_says(table: Table, step: Step) -> None:
    play = Play(table)
    for before in table.before:
        play.step(before)
    state = str(play.world.changes())
    play.step(step)
    if step.refuses or step.call not in CHANGING:
        assert str(play.world.changes()) == state


@pytest.mark.parametrize(("table", "steps"), SEQUENCES)
def test_a_sequence_of_calls_holds_in_every_world_for_itself(table: Table, steps: tuple[Step, ...]) -> None:
    play, beside, untouched = Play(table), Play(table), World(table.world)
    before = {part: untouched.part(part).state() for part in PARTS}
    for step in steps:
        assert play.step(step) == beside.step(step)
    assert play.world.changes() == beside.world.changes()
    assert {part: untouched.part(part).state() for part in PARTS} == before
    assert untouched.changes() == {}


@pytest.mark.parametrize(("table", "steps"), ANY_ORDER)
def test_the_order_of_changes_does_not_matter(table: Table, steps: tuple[Step, ...]) -> None:
    there, back = Play(table), Play(table)
    for play, order in ((there, steps), (back, steps[::-1])):
        for step in (*table.before, *order):
            play.step(step)
    assert there.world.changes() == back.world.changes() != {}


# The tools


def test_every_category_has_a_table_and_every_table_a_category() -> None:
    assert set(TABLES) == set(categories())


@pytest.mark.parametrize("domain", categories())
def test_a_table_is_about_the_tools_of_its_category(domain: str) -> None:
    table = TABLES[domain]
    assert {*table.gives, *table.tells, *table.refuses} <= own_tools(domain)
    assert table.refuses


@pytest.mark.parametrize("part", [part for part in PARTS if part is not Shop])  # its state is what was ordered
def test_equal_seeds_give_equal_worlds_and_others_do_not(part: Any) -> None:
    assert World(7).part(part).state() == World(7).part(part).state() != World(8).part(part).state()


# The tasks


@pytest.mark.parametrize("domain", categories())
def test_tasks_call_every_tool_but_those_that_training_never_sees(domain: str) -> None:
    held_out = TABLES[domain].held_out
    called = {step.call.tool for task in domain_tasks(domain) for step in task.gold.steps if step.call}
    assert (held_out == "all") == (domain in HELD_OUT)
    assert own_tools(domain) - called == (set() if held_out == "all" else held_out)


@pytest.mark.parametrize("split", ["train", "unseen_instructions", "unseen_tools"])
def test_no_task_of_another_split_offers_a_tool_of_a_category_that_is_held_out(split: Split) -> None:
    hidden = set().union(*map(own_tools, HELD_OUT))
    for task in generate(60, seed=4, split=split):
        assert not hidden & {*task.tool_names, *(tool.name for tool in task.tools)}


@pytest.mark.parametrize("domain", [domain for domain, table in TABLES.items() if table.flows])
def test_results_flow_into_later_calls(domain: str) -> None:
    flows: set[tuple[str, str]] = set()
    for task in domain_tasks(domain):
        flows.update(pairwise(step.call.tool for step in task.gold.steps if step.call))
    assert set(TABLES[domain].flows) <= flows


@pytest.mark.parametrize("domain", categories())
def test_there_are_tasks_of_many_kinds(domain: str) -> None:
    kinds = {task.kind for task in domain_tasks(domain)}
    wanted = {"single", "sequential", "aggregation", "branching", "recovery", "unsolvable"}
    if domain == "mail":
        wanted.remove("branching")  # the generator finds none in a mailbox alone
    if CHANGING & own_tools(domain):
        wanted.add("state_change")
    assert wanted <= kinds


# The tables


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("held_out: []\nrefuses: {}\nrefuse: {}", "refuse: unknown key"),
        ("held_out: []\nrefuses: {}\nrefuses: {}", "refuses is there twice"),
        ("refuses: {}", "held_out: field required"),
        ("held_out: []\nrefuses: {read_mail: [[{mail_id: x}]]}", r"refuses.read_mail.0.1: field required"),
        ('held_out: []\nrefuses: {read_mail: [[{}, ""]]}', r"refuses.read_mail.0.1: string should have at least 1"),
        ("held_out: []\nrefuses: {}\nsequences: {it: [{call: a, wiht: {}}]}", r"sequences.it.0.wiht: unknown key"),
        (
            "held_out: []\nrefuses: {}\nsequences: {it: [{call: a, refuses: x, keep: y}]}",
            "what is refused gives nothing",
        ),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, mistake: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=mistake):
        table_in(path)


@pytest.mark.parametrize(
    "change",
    [
        {"gives": 12.7},
        {"gives": "12.690"},
        {"tells": {"price": 12.69}},
        {"gives": 12.69, "changes": ["People"]},
        {"with": {"percent": 16, "number": 84.6}},
        {"with": {"percent": 15, "numbers": 84.6}},
    ],
)
def test_a_wrong_case_fails(change: dict[str, Any]) -> None:
    table = TABLES["maths"]
    right = next(step for _, step in table.cases() if step.call == "percent_of")
    Play(table).step(right)
    with pytest.raises(AssertionError):
        Play(table).step(Step.model_validate({"call": "percent_of", "with": right.given, "gives": 12.69, **change}))
