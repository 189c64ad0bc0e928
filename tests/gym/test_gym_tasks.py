"""Tasks of the gym: really executed, divided between train and test, and the same everywhere."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from alpha_umi.errors import UsageError, WorkError
from alpha_umi.text.output_format import format_call, format_plan, parse_call, parse_plan
from alpha_umi.trajectory import Decision, Outcome, Trajectory
from alpha_umi_gym import SPLITS, Category, Gives, Intent, Slot, World, categories, generate, register, unregister
from alpha_umi_gym.domains.files.tools import Files as ShippedFiles
from alpha_umi_gym.generator.task_types import KINDS
from alpha_umi_gym.generator.tasks import SIZES, called_in
from alpha_umi_gym.registry import HELD_OUT, named, owners, toolbox
from alpha_umi_gym.sampler import Split, for_split
from alpha_umi_gym.task import Choice, GymTask, task_of
from alpha_umi_gym.task_toolbox import TaskToolbox

TESTS: tuple[Split, ...] = ("unseen_instructions", "unseen_tools", "unseen_categories")


@cache
def tasks(split: Split) -> tuple[GymTask, ...]:
    """As many as tell: training has room for rare mishaps, the test splits are as large as the data set's."""
    return tuple(generate(1500 if split == "train" else 200, seed=0, split=split))


@cache
def many(split: Split) -> tuple[GymTask, ...]:
    """As many as a whole training set has, whatever the split: a small sample strays."""
    return tuple(generate(SIZES["train"] if split == "train" else 1500, seed=0, split=split))


def _calls(task: GymTask) -> Iterator[Any]:
    return (step.call for step in task.gold.steps if step.call is not None)


def _called(split: Split) -> set[str]:
    return {call.tool for task in tasks(split) for call in _calls(task)}


# The world


def test_there_are_many_tools_in_many_categories() -> None:
    assert len(categories()) >= 12
    assert len(owners()) >= 80
    assert set(categories()) > HELD_OUT
    assert all(len(category.tools) >= 5 for category in categories().values())


def test_every_tool_says_what_it_does_and_takes() -> None:
    kinds: Counter[str] = Counter()
    for tool in toolbox().tools:
        assert 15 <= len(tool.description) <= 160, tool.name
        for name, schema in tool.parameters["properties"].items():
            kinds.update(key for key in ("enum", "minimum", "maximum", "items", "default", "anyOf") if key in schema)
            assert {"type", "enum", "anyOf", "$ref", "allOf"} & schema.keys(), (tool.name, name)
    assert all(kinds[key] >= 3 for key in ("enum", "minimum", "maximum", "default")), kinds


def test_every_tool_is_wanted_by_some_task() -> None:
    wanted = {intent.name for category in categories().values() for intent in category.intents}
    assert wanted == set(owners())


def test_every_wording_names_what_the_call_needs() -> None:
    """A request without a value that its call needs could not be answered."""
    for category in categories().values():
        for intent in category.intents:
            for templates in (intent.goals, intent.asks, intent.gives.nouns if intent.gives else ()):
                for template in templates:
                    missing = [name for name in intent.slots if f"{{{name}}}" not in template]
                    assert not missing, (intent.name, template, missing)
            assert len(intent.goals) >= 3, intent.name
            assert intent.gives is None or len(intent.gives.nouns) >= 3, intent.name


@pytest.mark.parametrize("seed", ["x", 1.5, None])
def test_a_seed_that_is_no_number_is_refused(seed: Any) -> None:
    with pytest.raises(UsageError, match="seed"):
        World(seed)


# Splits


def test_no_tool_of_a_test_split_occurs_in_training() -> None:
    shown = {tool for task in many("train") for tool in task.tool_names}
    for split in ("unseen_tools", "unseen_categories"):
        assert not _called(split) & shown
    assert {owners()[tool] for tool in _called("unseen_categories")} == HELD_OUT
    assert not {owners()[tool] for tool in _called("unseen_tools")} & HELD_OUT
    assert _called("unseen_instructions") <= called_in("train")


@pytest.mark.parametrize("split", TESTS)
def test_no_wording_or_value_of_a_test_split_occurs_in_training(split: Split) -> None:
    for key in ("wordings", "values"):
        train = {item for task in many("train") for item in getattr(task, key)}
        test = {item for task in tasks(split) for item in getattr(task, key)}
        assert test
        assert not train & test, key
    assert not {task.query for task in many("train")} & {task.query for task in tasks(split)}


@pytest.mark.parametrize("size", [200, 1500, 4000])
@pytest.mark.parametrize("split", SPLITS)
def test_no_template_stands_behind_many_requests(split: Split, size: int) -> None:
    data = many(split)[:size]
    used = Counter(template for task in data for template in {t.casefold() for t in task.wordings})
    template, count = used.most_common(1)[0]
    assert count <= 0.02 * len(data), (template, count / len(data))
    assert len({task.query for task in data}) >= 0.99 * len(data)


def test_no_rationale_of_training_gives_a_test_wording_away() -> None:
    held: dict[str, list[re.Pattern[str]]] = {}
    for category in categories().values():
        for intent in category.intents:
            for goal in for_split(intent.goals, test=True):
                pattern = re.sub(r"\\{\w+\\}", ".{1,80}?", re.escape(goal))
                held.setdefault(intent.name, []).append(re.compile(pattern))
    steps = [step for task in many("train") for step in task.gold.steps if step.call is not None]
    given_away = [
        s.plan.rationale for s in steps if s.call and any(p.search(s.plan.rationale) for p in held[s.call.tool])
    ]
    assert len(given_away) <= 0.002 * len(steps), given_away[:5]  # other words can come out alike


def test_no_combination_of_calls_of_a_test_split_occurs_in_training() -> None:
    def combination(task: GymTask) -> frozenset[str]:
        return frozenset(json.dumps([call.tool, call.arguments], sort_keys=True) for call in _calls(task))

    train = {combination(task) for task in many("train")} - {frozenset[str]()}
    for split in TESTS:
        assert not [task.query for task in tasks(split) if combination(task) in train]


def test_what_is_compared_is_in_one_unit() -> None:
    for task in generate(150, seed=1, only=["units"], kinds=["aggregation"]):
        choice = next((fact for fact in task.facts if isinstance(fact, Choice)), None)
        if choice is not None:
            units = {tuple(re.findall(r"[^\W\d]+", name)) for name in choice.among}
            assert len(units) == 1, (task.query, units)


def test_what_refers_back_comes_after_what_it_refers_to() -> None:
    for split in SPLITS:
        for task in (task for task in many(split) if task.kind == "branching"):
            frame = next(w for w in task.wordings if "{condition}" in w)
            if frame.startswith("{Yes}"):
                assert not re.match(
                    r"[^.]*?\b(that|the) (date|day|city|country|person|number|result|amount|text|time)\b"
                    r" (if|, but only)",
                    task.query,
                ), task.query


@pytest.mark.parametrize("split", SPLITS)
def test_the_mix_of_kinds_and_depths(split: Split) -> None:
    kinds = Counter(task.kind for task in tasks(split))
    assert set(kinds) == set(KINDS)
    assert all(count >= 0.03 * len(tasks(split)) for count in kinds.values()), kinds
    depths = Counter(task.calls for task in tasks(split) if task.gold.outcome is Outcome.ANSWERED)
    assert min(depths) == 1
    assert max(depths) >= (5 if split == "train" else 4)
    assert all(3 <= len(task.tools) <= 12 for task in tasks(split))
    assert all(len({t.name for t in task.tools}) == len(task.tools) for task in tasks(split))


# What a task is


def test_a_task_offers_what_it_needs_among_tools_of_its_kind() -> None:
    alike = 0
    for task in tasks("train"):
        called = {call.tool for call in _calls(task)}
        assert called <= task.tool_names
        near = {owners()[tool] for tool in called}
        alike += any(owners()[tool] in near for tool in task.tool_names - called)
    assert alike > 0.8 * len(tasks("train"))


def test_the_shape_of_each_kind() -> None:
    for task in tasks("train"):
        seen = [step.observation for step in task.gold.steps if step.observation is not None]
        failed = sum(not observation.ok for observation in seen)
        kind = task.kind
        assert task.calls == len(seen)
        if kind == "unsolvable":
            assert task.gold.outcome is Outcome.GAVE_UP
            assert task.gold.steps[-1].plan.decision is Decision.GIVE_UP
            assert failed == len(seen)
        else:
            assert task.gold.outcome is Outcome.ANSWERED
            assert failed == (kind == "recovery")
            assert seen[-1].ok
        assert bool(task.changes) or kind != "state_change"
        assert (len(seen) == 1) if kind == "single" else (len(seen) >= 2) or kind in {"unsolvable", "state_change"}


def test_data_flows_from_an_observation_into_a_later_call() -> None:
    flowing = 0
    chains = [task for task in tasks("train") if task.kind == "sequential"]
    for task in chains:
        seen = ""
        for step in task.gold.steps:
            if step.call is not None and step.observation is not None:
                values = [str(value) for value in step.call.arguments.values()]
                flowing += any(value in seen and value not in task.query for value in values)
                seen += step.observation.text + "\n"
    assert flowing >= 0.9 * len(chains)


def test_a_failing_tool_fails_again_when_the_task_is_played() -> None:
    passing = [task for task in tasks("train") if task.kind == "recovery" and task.faults]
    assert passing
    for task in passing:
        box = TaskToolbox(task)
        calls = list(_calls(task))
        first = [box.invoke(call).ok for call in calls]
        assert first.count(False) == 1


def test_what_is_missing_is_missing() -> None:
    unsolvable = [task for task in tasks("train") if task.why == "missing tool"]
    assert unsolvable
    for task in unsolvable:
        assert not any(step.call for step in task.gold.steps)


@pytest.mark.parametrize("split", SPLITS)
def test_every_trajectory_can_be_written_and_read(split: Split) -> None:
    for task in tasks(split):
        assert GymTask.model_validate_json(task.model_dump_json()) == task
        assert task_of(Trajectory.model_validate_json(task.recorded().model_dump_json())) == task
        for step in task.gold.steps:
            assert parse_plan(format_plan(step.plan)) == step.plan
            if step.call is not None:
                again = parse_call(format_call(step.call))
                assert (again.tool, again.arguments) == (step.call.tool, step.call.arguments)


def test_what_is_offered_does_not_tell_that_a_tool_is_missing() -> None:
    """Distractors are of the categories asked about, whether or not the tool is there: no category gives it away."""
    missing: Counter[str] = Counter()
    solvable: Counter[str] = Counter()
    for task in tasks("train"):
        seen = {owners()[tool.name] for tool in task.tools}
        if task.why == "missing tool":
            missing.update([*seen, "all"])
        elif not task.why:
            solvable.update([*seen, "all"])
    for category in set(solvable) - {"all"}:
        share = solvable[category] / solvable["all"]
        assert abs(missing[category] / missing["all"] - share) < 0.25, category


# The same everywhere

DIGEST = "d696dc3c7991b96e"
"""Of the first 200 training tasks of seed 0. Whoever changes the generator changes it, and says so in CHANGELOG."""


def _digest(split: Split, n: int, seed: int) -> str:
    lines = "".join(task.recorded().model_dump_json() + "\n" for task in generate(n, seed=seed, split=split))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def test_tasks_are_the_same_on_every_machine() -> None:
    assert _digest("train", 200, 0) == DIGEST


CANONICAL: dict[Split, str] = {
    "train": "2bc0741af058de51",
    "unseen_instructions": "9ee78d279310b921",
    "unseen_tools": "68e5391e4275b959",
    "unseen_categories": "d858935d7432bc8f",
}
"""Of 200 tasks of a split, seed 0: what a task is, whatever the types are called that hold it."""


def _canonical(task: GymTask) -> str:
    steps = [
        [
            step.plan.rationale,
            step.plan.decision,
            [step.call.tool, step.call.arguments] if step.call else None,
            [step.observation.text, step.observation.ok] if step.observation else None,
        ]
        for step in task.gold.steps
    ]
    tools = [[tool.name, tool.description, tool.parameters] for tool in task.tools]
    truth = [_sorted(task.notes()["facts"]), _sorted(task.changes)]
    whole = [task.query, tools, steps, task.gold.answer, task.gold.outcome, task.kind, *truth]
    return json.dumps(whole, ensure_ascii=False)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("split", CANONICAL)
def test_a_task_is_what_it_was_whatever_holds_it(split: Split) -> None:
    lines = "".join(_canonical(task) for task in tasks(split)[:200])
    assert hashlib.sha256(lines.encode()).hexdigest()[:16] == CANONICAL[split]


def test_tasks_are_the_same_in_another_process() -> None:
    code = (
        "import hashlib\nfrom alpha_umi_gym import generate\n"
        "tasks = generate(60, seed=3, split='unseen_categories')\n"
        "lines = ''.join(task.recorded().model_dump_json() + '\\n' for task in tasks)\n"
        "print(hashlib.sha256(lines.encode()).hexdigest()[:16])"
    )
    environment = os.environ | {"PYTHONHASHSEED": "123", "TZ": "Asia/Tokyo"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == _digest("unseen_categories", 60, 3)


def test_time_zones_are_not_the_machines_own(tmp_path: Path) -> None:
    (tmp_path / "Africa").mkdir()
    wrong = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Africa" / "Cairo").write_bytes(wrong)
    code = (
        "import datetime, zoneinfo\nfrom alpha_umi_gym.domains.sky import tools as sky_tools\n"
        "from alpha_umi_gym.domains.time import intents as time\n"
        "print(datetime.datetime(2023, 7, 1, tzinfo=zoneinfo.ZoneInfo('Africa/Cairo')).utcoffset())\n"
        "print(time.time_difference('Cairo', 'London', '2023-07-01')['hours'])\n"
        "print(time.convert_time('2023-07-01 12:00', 'London', 'Cairo'), sky_tools.sunrise('Cairo', '2023-07-01'))"
    )
    environment = os.environ | {"PYTHONTZPATH": str(tmp_path)}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    machine, hours, told = found.stdout.splitlines()
    assert machine == "9:00:00"
    assert (hours, told) == ("2", "2023-07-01 14:00 05:58")


def test_more_tasks_begin_with_the_same() -> None:
    assert list(generate(5, seed=4)) == list(islice(generate(50, seed=4), 5))
    assert next(generate(1, seed=4)).query != next(generate(1, seed=5)).query


# Bad input, and worlds of one's own


def test_an_unknown_split_or_category_is_told_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unseen_tools"):
        generate(1, split="test")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="it has time, units"):
        generate(1, only=["cooking"])
    with pytest.raises(UsageError, match="it has time, units"):
        toolbox("cooking")
    with pytest.raises(UsageError, match="no tasks of kind 'double'; it has single"):
        generate(1, kinds=["double"])
    with pytest.raises(UsageError, match="the seed is a whole number, not 'x'"):
        generate(1, seed="x")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no category is named in ','"):
        named(",")


def test_categories_and_kinds_can_be_chosen() -> None:
    found = list(generate(30, seed=1, only=["time", "units"], kinds=["single", "recovery"]))
    assert {task.kind for task in found} == {"single", "recovery"}
    assert {owners()[call.tool] for task in found for call in _calls(task)} == {"time", "units"}


def _shaky() -> Category:
    def quake(place: str) -> int:
        """Tell how strong the last quake was in a place."""
        if place in {"Aa", "Ab"}:
            raise ZeroDivisionError("inside")
        return len(place)

    place = Slot(kind="place", draw=lambda d: d.any_value(("Aa", "Ab", "Accra", "Adelaide")))
    intent = Intent(
        tool=quake,
        slots={"place": place},
        goals=("look up the quake of {place}", "find the last quake of {place}", "see how {place} shook"),
        gives=Gives(kind="count", nouns=("the quake of {place}", "the strength in {place}", "the tremor of {place}")),
        found="the quake of {place} had {out}",
        answers=("It had {out}.",),
    )
    return Category(name="shaky", tools=(quake,), intents=(intent,))


def test_a_tool_that_raises_drops_the_task_and_is_counted() -> None:
    register(_shaky())
    try:
        dropped: Counter[str] = Counter()
        found = list(generate(20, seed=1, only=["shaky"], dropped=dropped))
        assert len(found) == 20
        assert dropped["quake failed"] > 0
        assert all("Aa" not in str(c.arguments) for t in found if t.kind == "single" for c in _calls(t))
        with pytest.raises(UsageError, match="already"):
            register(_shaky())
    finally:
        unregister("shaky")
    assert "shaky" not in categories()
    with pytest.raises(UsageError, match="ships"):
        unregister("time")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"found": "the {plcae} had {out}"}, r"shaky.*\{plcae\} in 'the \{plcae\} had"),
        ({"goals": ("look up {out}", "find it", "see it {place}")}, r"\{out\} in 'look up"),
        ({"answers": ("It had {",)}, "in 'It had"),
    ],
)
def test_a_template_that_names_no_slot_is_refused_at_once(change: dict[str, Any], told: str) -> None:
    """The last third of the wordings would be met in test splits only, hours later."""
    intent = replace(_shaky().intents[0], **change)
    with pytest.raises(UsageError, match=told):
        register(replace(_shaky(), intents=(intent,)))
    assert "shaky" not in categories()


def test_an_intent_that_raises_drops_the_task_and_is_counted() -> None:
    whole = _shaky()
    slot = replace(whole.intents[0].slots["place"], draw=lambda d: ["Accra"][d.integer(0, 1)])
    register(replace(whole, intents=(replace(whole.intents[0], slots={"place": slot}),)))
    try:
        dropped: Counter[str] = Counter()
        assert len(list(generate(10, seed=1, only=["shaky"], kinds=["single"], dropped=dropped))) == 10
        assert dropped["IndexError: list index out of range"] > 0
    finally:
        unregister("shaky")


def test_a_part_of_ones_own_cannot_hide_another() -> None:
    class Files:
        def __init__(self, chance: random.Random) -> None:
            """Of the same name as the gym's."""

    world = World(1)
    world.part(ShippedFiles)
    with pytest.raises(UsageError, match="has a part Files already"):
        world.part(Files)


class Unwatched:
    def __init__(self, chance: random.Random) -> None:
        self.litres = {"basil": 0}

    def state(self) -> object:
        return self.litres.items()


class Wrapped(Unwatched):
    def state(self) -> object:
        return {key: Litres(value) for key, value in self.litres.items()}


class Unfinished(Unwatched):
    def state(self) -> object:
        raise KeyError("thyme")


@dataclass(frozen=True)
class Litres:
    number: int


@pytest.mark.parametrize("part", [Unwatched, Wrapped, Unfinished])
def test_a_state_that_is_no_plain_data_is_refused_whatever_a_tool_makes_of_it(part: type[Unwatched]) -> None:
    world = World(1)
    for _ in range(2):
        with suppress(UsageError):  # as a toolbox does
            world.part(part).litres["basil"] += 1
    with pytest.raises(UsageError, match=f"the state of {part.__name__} is no plain data") as error:
        world.changes()
    assert "\n" not in str(error.value)


def test_a_state_that_is_no_plain_data_makes_no_task() -> None:
    """Its tools fail at every call, which would be told as failures for good."""

    def water_plant(world: World, plant: str) -> str:
        """Water a plant of the greenhouse."""
        world.part(Unwatched).litres[plant] += 1
        return "done"

    plant = Slot(
        kind="plant",
        draw=lambda d: d.any_value(("basil", "thyme")),
        vague=("green one", "one in the corner"),
        unknown=lambda d: d.any_value(("cactus", "palm")),
    )
    intent = Intent(
        tool=water_plant,
        slots={"plant": plant},
        goals=("water the {plant}", "give the {plant} water", "pour water on the {plant}"),
        found="the {plant} was watered",
        answers=("Done.",),
        changes=True,
    )
    register(Category(name="garden", tools=(water_plant,), intents=(intent,)))
    try:
        for kind in ("unsolvable", "state_change"):
            with pytest.raises(WorkError, match="the state of Unwatched is no plain data"):
                next(generate(1, seed=1, only=["garden"], kinds=[kind]))
    finally:
        unregister("garden")


def test_a_task_that_any_answer_solves_is_dropped() -> None:
    def ring_bell(times: int) -> str:
        """Ring the bell of the greenhouse some times."""
        return "done"

    intent = Intent(
        tool=ring_bell,
        slots={"times": Slot(kind="times", draw=lambda d: d.integer(1, 99))},
        goals=("ring the bell {times} times", "sound the bell {times} times", "strike the bell {times} times"),
        found="the bell was rung {times} times",
        answers=("Done.",),
    )
    register(Category(name="bell", tools=(ring_bell,), intents=(intent,)))
    dropped: Counter[str] = Counter()
    try:
        found = list(generate(20, seed=1, only=["bell", "time"], kinds=["branching"], dropped=dropped))
    finally:
        unregister("bell")
    assert all(task.facts for task in found)
    assert dropped["any answer would pass"] > 0


def test_the_example_world_makes_tasks() -> None:
    source = Path("examples/own_world.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 80
    only = named("examples.own_world:GREENHOUSE, time, holidays")
    try:
        found = list(generate(80, seed=2, only=only))
    finally:
        unregister("greenhouse")
    kinds = Counter(task.kind for task in found)
    assert {"single", "sequential", "state_change", "unsolvable", "branching"} <= set(kinds)
    into = [task for task in found if {"sowing_date"} < {call.tool for call in _calls(task)}]
    assert into, "nothing flows from the greenhouse into the tools of other categories"
    assert json.dumps([task.changes for task in found if task.kind == "state_change"]) != "[]"


def test_the_example_world_is_evaluated_on_questions_that_training_never_asks() -> None:
    """By the commands that the example and its page give."""
    for text in (Path("examples/own_world.py"), Path("docs/gym.md")):
        train, test = re.findall(r"^ *(alpha-umi .*own_world:GREENHOUSE.*)$", text.read_text(encoding="utf-8"), re.M)
        assert "--split train --n 500 " in train
        assert "--data gym:unseen_instructions " in test
    only = named("examples.own_world:GREENHOUSE, time")
    try:
        trained = {task.query for task in generate(500, only=only)}
        asked = {task.query for task in generate(200, split="unseen_instructions", only=["greenhouse"])}
    finally:
        unregister("greenhouse")
    assert len(asked) == 200
    assert not asked & trained
