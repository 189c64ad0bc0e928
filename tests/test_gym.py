"""The gym: tools that really compute, tasks that really run, and a verifier that is not fooled."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alpha_umi.errors import ToolError, UsageError
from alpha_umi.grammar import format_call, format_plan, parse_call, parse_plan
from alpha_umi.gym import categories, generate, replay, task_toolbox, toolbox
from alpha_umi.gym.draft import Split
from alpha_umi.gym.facts import holds, values_in
from alpha_umi.gym.loading import load_tools
from alpha_umi.gym.verify import verify
from alpha_umi.tools.base import Toolbox
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Trajectory

SPLITS: tuple[Split, ...] = ("train", "test")


@cache
def tasks(split: Split) -> tuple[Trajectory, ...]:
    return tuple(generate(250, seed=5, split=split))


def some(kind: str, *, split: Split = "train") -> list[Trajectory]:
    found = [task for task in tasks(split) if task.meta["kind"] == kind]
    assert found
    return found


def _called(task: Trajectory) -> list[str]:
    return [step.call.tool for step in task.steps if step.call is not None]


def call(box: Toolbox, tool: str, **arguments: Any) -> Observation:
    return box.invoke(Call(tool=tool, arguments=arguments))


# Tools


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        (
            "convert_time",
            {"moment": "2021-07-01 23:30", "from_city": "Tokyo", "to_city": "Paris"},
            "2021-07-01 16:30",
        ),
        (
            "convert_time",
            {"moment": "2021-01-01 00:15", "from_city": "paris", "to_city": "Seattle"},
            "2020-12-31 15:15",
        ),
        ("days_between", {"start": "2024-02-28", "end": "2024-03-01"}, "2"),
        ("days_between", {"start": "2024-03-01", "end": "2024-02-28"}, "-2"),
        ("add_days", {"date": "2023-12-31", "days": 1}, '{"date":"2024-01-01","weekday":"Monday"}'),
        ("convert_length", {"value": 5, "unit": "mile", "to_unit": "km"}, "8.0467 km"),
        ("convert_length", {"value": 12, "unit": "inch", "to_unit": "foot"}, "1 foot"),
        ("convert_weight", {"value": 1, "unit": "pound", "to_unit": "g"}, "453.5924 g"),
        ("convert_temperature", {"value": -40, "unit": "C", "to_unit": "F"}, "-40 F"),
        ("convert_temperature", {"value": 0, "unit": "K", "to_unit": "C"}, "-273.15 C"),
        ("calculate", {"expression": "(0.1 + 0.2) * 10 ** 2 - 7 % 4"}, "27"),
        ("calculate", {"expression": "-2 / 3"}, "-0.6667"),
        ("percent_of", {"percent": 15, "number": 84.6}, "12.69"),
        ("statistics_of", {"numbers": [4, 1, 2.5, 10], "measure": "median"}, "3.25"),
        ("statistics_of", {"numbers": [4, 1, 2.5, 10], "measure": "range"}, "9"),
    ],
)
def test_tools_compute(tool: str, arguments: dict[str, Any], text: str) -> None:
    assert call(toolbox(), tool, **arguments) == Observation(text=text)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        (
            "convert_time",
            {"moment": "2021-07-01 23:30", "from_city": "Tokio", "to_city": "Paris"},
            "did you mean 'Tokyo'?",
        ),
        ("convert_time", {"moment": "noon", "from_city": "Tokyo", "to_city": "Paris"}, "not a time like"),
        ("add_days", {"date": "2023-02-29", "days": 1}, "not a date like"),
        ("add_days", {"date": "2023-02-28", "days": 10**9}, "out of the calendar"),
        ("convert_length", {"value": 1, "unit": "yard", "to_unit": "m"}, "unit: 'yard' is not one of"),
        ("convert_weight", {"value": -1, "unit": "g", "to_unit": "kg"}, "-1 is negative"),
        ("convert_weight", {"value": float("inf"), "unit": "g", "to_unit": "kg"}, "value: "),
        ("convert_temperature", {"value": -1, "unit": "K", "to_unit": "C"}, "below absolute zero"),
        ("calculate", {"expression": "1 / (2 - 2)"}, "ZeroDivisionError"),
        ("calculate", {"expression": "9 ** 9 ** 9"}, "exponents must be"),
        ("calculate", {"expression": "((9 ** 64) ** 64) ** 64"}, "too large"),
        ("calculate", {"expression": "__import__('os').getcwd()"}, "not arithmetic"),
        ("calculate", {"expression": "2 ×"}, "cannot read"),
        ("calculate", {"expression": "True + 1"}, "not arithmetic"),
        ("calculate", {"expression": "(" * 199}, "cannot read"),
        ("calculate", {"expression": "1" * 201}, "longer than"),
        ("statistics_of", {"numbers": [], "measure": "mean"}, "numbers: "),
        ("find_product", {"name": "golden goose"}, "no product is called 'golden goose'"),
        ("place_order", {"product_id": "P1", "quantity": 1}, "no product id 'P1'"),
        ("place_order", {"product_id": "P1", "quantity": 0}, "quantity: 0 is less than"),
        ("order_status", {"order_id": "R1"}, "no order 'R1'"),
    ],
)
def test_tools_fail_in_words(tool: str, arguments: dict[str, Any], words: str) -> None:
    seen = call(toolbox(), tool, **arguments)
    assert not seen.ok
    assert words in seen.text
    assert "\n" not in seen.text


@settings(deadline=None)  # two cores are shared: a slow moment is no failure
@given(st.text(alphabet="0123456789+-*/%(). ", max_size=30))
def test_calculate_agrees_with_fractions_or_refuses(expression: str) -> None:
    assume("**" not in expression and "//" not in expression)
    seen = call(toolbox("maths"), "calculate", expression=expression)
    if not seen.ok:
        assert seen.text.startswith("calculate failed: ")
        return
    spaced = "".join(c if c in "0123456789." else f" {c} " for c in expression).split()
    exact = " ".join(f"Fraction('{part}')" if part[0] in "0123456789." else part for part in spaced)
    wanted = eval(exact, {"Fraction": Fraction})
    assert abs(Fraction(seen.text) - wanted) <= Fraction(1, 20_000) + abs(wanted) * Fraction(1, 2**52)


@pytest.mark.parametrize("unit", ["cm", "m", "km", "inch", "foot", "mile"])
@settings(deadline=None)  # two cores are shared: a slow moment is no failure
@given(value=st.integers(1, 10**6))
def test_lengths_convert_back(unit: str, value: int) -> None:
    box = toolbox("units")
    there = call(box, "convert_length", value=value, unit=unit, to_unit="cm").text.split()[0]
    back = call(box, "convert_length", value=float(there), unit="cm", to_unit=unit).text
    assert back.endswith(f" {unit}")
    assert abs(float(back.split()[0]) - value) < 1e-4


def test_the_shop_remembers_what_was_ordered() -> None:
    task = next(task for task in tasks("train") if "place_order" in _called(task))
    box = toolbox("shop", seed=task.meta["seed"])
    placed = next(s.call.arguments for s in task.steps if s.call and s.call.tool == "place_order")
    seen = json.loads(call(box, "place_order", product_id=placed["product_id"], quantity=1).text)
    assert json.loads(call(box, "order_status", order_id=seen["order_id"]).text)["status"] == "packed"
    for _ in range(40):
        last = call(box, "place_order", product_id=placed["product_id"], quantity=1)
    assert not last.ok
    assert "out of stock, only 0 of" in last.text


def test_worlds_are_isolated_and_equal_seeds_are_equal() -> None:
    task = next(task for task in some("sequential") if "place_order" in _called(task))
    made = [step.call for step in task.steps if step.call is not None]
    first, second, other = task_toolbox(task), task_toolbox(task), toolbox(seed=task.meta["seed"] + 1)
    once = [first.invoke(one) for one in made]
    assert [second.invoke(one) for one in made] == once
    assert [first.invoke(one) for one in made] != once
    assert [other.invoke(one) for one in made] != once


# The toolbox


def test_there_are_twelve_short_tools_in_four_categories() -> None:
    assert list(categories()) == ["time", "units", "maths", "shop"]
    assert len(toolbox().tools) == 12
    for name in categories():
        tools = toolbox(name).tools
        assert len(tools) == 3
        for tool in tools:
            assert 2 <= len(tool.description.split()) <= 14
            assert tool.parameters["additionalProperties"] is False
            assert "world" not in tool.parameters["properties"]


def test_an_unknown_category_is_told_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no category 'times'; it has time, units, maths, shop"):
        toolbox("times")


# Tasks


def test_tasks_are_the_same_in_another_process() -> None:
    code = (
        "from alpha_umi.gym import generate\n"
        "for split in ('train', 'test'):\n"
        "    for task in generate(40, seed=5, split=split): print(task.model_dump_json())"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    ours = [task.model_dump_json() for split in SPLITS for task in tasks(split)[:40]]
    assert printed[0] == printed[1]
    assert printed[0].decode().splitlines() == ours


def test_seeds_differ() -> None:
    assert [t.query for t in generate(5, seed=6)] != [t.query for t in generate(5, seed=5)]


def test_an_unknown_split_is_refused() -> None:
    wrong: Any = "dev"
    with pytest.raises(UsageError, match="no split 'dev'; it has train, test"):
        generate(1, split=wrong)


def test_no_question_or_value_of_test_occurs_in_train() -> None:
    train, test = ({task.query for task in tasks(split)} for split in SPLITS)
    assert not train & test
    dates = [{v for query in queries for v in values_in(query) if len(v) == 10} for queries in (train, test)]
    assert dates[0]
    assert dates[1]
    # dates that break the calendar come from a closed set and may be in both
    assert not {day for day in dates[0] & dates[1] if day[5:] not in {"02-29", "02-30"} and day[5:] not in _NO_31}


_NO_31 = {"04-31", "06-31", "09-31", "11-31"}


@pytest.mark.parametrize("split", SPLITS)
def test_the_mix_of_tasks(split: Split) -> None:
    n = len(tasks(split))
    assert [task.id for task in tasks(split)] == [f"gym-{split}-{i:06}" for i in range(n)]
    assert len({task.query for task in tasks(split)}) == n
    kinds = Counter(task.meta["kind"] for task in tasks(split))
    assert 0.37 < kinds["single"] / n < 0.53
    assert 0.22 < kinds["sequential"] / n < 0.38
    assert 0.10 < kinds["unsolvable"] / n < 0.24
    assert 0.03 < kinds["recovery"] / n < 0.15
    called = {name for task in tasks(split) for name in _called(task)}
    assert called == {tool.name for tool in toolbox().tools}


@pytest.mark.parametrize("split", SPLITS)
def test_every_gold_trajectory_runs_again_and_passes(split: Split) -> None:
    for task in tasks(split):
        again = replay(task)
        assert again == task
        assert verify(task, again).passed


@pytest.mark.parametrize("split", SPLITS)
def test_every_trajectory_can_be_written_and_read(split: Split) -> None:
    for task in tasks(split):
        assert Trajectory.model_validate_json(task.model_dump_json()) == task
        assert 3 <= len(task.tools) <= 5
        for step in task.steps:
            assert parse_plan(format_plan(step.plan)) == step.plan
            assert len(step.plan.rationale.split()) <= 45
            if step.call is not None:
                read = parse_call(format_call(step.call))
                assert (read.tool, read.arguments, read.fault) == (step.call.tool, step.call.arguments, None)
                assert step.call.tool in task.tool_names


def test_the_shape_of_each_kind() -> None:
    for task in tasks("train"):
        seen = [step.observation.ok for step in task.steps if step.observation is not None]
        kind: Literal["single", "sequential", "recovery", "unsolvable"] = task.meta["kind"]
        assert [step.plan.decision is Decision.CALL for step in task.steps] == [True] * len(seen) + [False]
        if kind == "unsolvable":
            assert (task.outcome, task.answer, task.meta["facts"]) == (Outcome.GAVE_UP, None, [])
            assert not any(seen)
            assert task.steps[-1].plan.decision is Decision.GIVE_UP
            continue
        assert task.outcome is Outcome.ANSWERED
        assert task.steps[-1].plan.decision is Decision.SUMMARIZE
        assert all(holds(task.answer or "", fact) for fact in task.meta["facts"])
        expected = {"single": [True], "recovery": [False, True], "sequential": [True] * len(seen)}[kind]
        assert seen == expected
        assert len(seen) <= 3


def test_data_flows_from_an_observation_into_a_later_call() -> None:
    flows: list[bool] = []
    for task in some("sequential"):
        made = [(step.call, step.observation) for step in task.steps if step.call and step.observation]
        assert len(made) >= 2
        for (_, seen), (later, _) in itertools.pairwise(made):
            known = set(values_in(seen.text)) | {str(v) for v in _leaves(_decoded(seen.text))}
            used = json.dumps(dict(later.arguments), ensure_ascii=False)
            assert any(holds(used, value) for value in known), task.id
            flows.append(any(holds(used, value) and not holds(task.query, value) for value in known))
    assert sum(flows) / len(flows) > 0.8  # a date may stay the same in another city


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _leaves(value: Any) -> list[Any]:
    return [leaf for child in value.values() for leaf in _leaves(child)] if isinstance(value, dict) else [value]


def test_dropped_tasks_are_counted() -> None:
    dropped: Counter[str] = Counter()
    list(generate(120, seed=5, dropped=dropped))
    assert dropped["same unit"] > 0


# The verifier


def test_a_wrong_number_is_rejected() -> None:
    for task in some("single") + some("recovery"):
        numbers = [fact for fact in task.meta["facts"] if fact.replace(".", "").isdigit()]
        if numbers:
            wrong = task.finish(Outcome.ANSWERED, f"It is {numbers[0]}1.")
            assert not verify(task, wrong).passed
            assert verify(task, task.finish(Outcome.ANSWERED, " ".join(task.meta["facts"]))).passed


def test_the_wrong_tool_is_rejected_even_with_the_right_answer() -> None:
    for task in some("single"):
        step = task.steps[0]
        assert step.call is not None
        other = next(name for name in sorted(task.tool_names) if name != step.call.tool)
        wrong = step.model_copy(update={"call": step.call.model_copy(update={"tool": other})})
        produced = replay(task.model_copy(update={"steps": (wrong, *task.steps[1:])}))
        assert verify(task, produced).reason.endswith("which no tool returned")


def test_answering_and_giving_up_are_not_the_same() -> None:
    for task in some("unsolvable"):
        assert not verify(task, task.finish(Outcome.ANSWERED, "It is 5.")).passed
        assert not verify(task, task.finish(Outcome.OUT_OF_BUDGET)).passed
    for task in some("single"):
        assert not verify(task, task.finish(Outcome.GAVE_UP)).passed
        assert not verify(task, task.finish(Outcome.OUT_OF_BUDGET, task.answer)).passed
        assert not verify(task, task.finish(Outcome.ANSWERED, "")).passed


def test_listing_everything_is_not_an_answer() -> None:
    for task in some("single"):
        needed = {value for fact in task.meta["facts"] for value in values_in(fact)}
        filler = [f"77{n}.5" for n in range(4 * max(1, len(needed)))]
        assert not verify(task, task.finish(Outcome.ANSWERED, f"{task.answer} {', '.join(filler)}")).passed
        assert verify(task, task.finish(Outcome.ANSWERED, f"{task.query} {task.answer}")).passed


def test_naming_every_weekday_is_not_an_answer() -> None:
    task = next(task for task in some("single") if any(fact.endswith("day") for fact in task.meta["facts"]))
    days = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
    assert verify(task, task).passed
    assert "possibilities" in verify(task, task.finish(Outcome.ANSWERED, f"{task.answer} {days}")).reason


@pytest.mark.parametrize(
    ("text", "fact", "stated"),
    [
        ("It costs 1,234.50 dollars.", "1234.5", True),
        ("It costs $12.", "12", True),
        ("It costs 12.5", "12", False),
        ("It is \u22124 degrees", "-4", True),
        ("It is 4 degrees", "-4", False),
        ("between 3-5", "5", True),
        ("on Saturday, May 4, 2024", "2024-05-04", True),
        ("on the 4th of May 2024.", "2024-05-04", True),
        ("2024-05-04T16:30", "16:30", True),
        ("at 4:30 p.m.", "16:30", True),
        ("at 12:05 am", "00:05", True),
        ("at 4:30 pm", "04:30", False),
        ("order R1234", "R1234", True),
        ("order r1234.", "R1234", True),
        ("order R12345", "R1234", False),
        ("a Sundayish mood", "Sunday", False),
        ("007", "7", True),
        ("0.50", "0.5", True),
    ],
)
def test_facts_in_free_text(text: str, fact: str, stated: bool) -> None:
    assert holds(text, fact) is stated


@settings(deadline=None)  # two cores are shared: a slow moment is no failure
@given(st.decimals(-(10**9), 10**9, places=3))
def test_a_number_is_found_however_it_is_written(number: Any) -> None:
    plain = f"{number.normalize():f}"
    assert values_in(f"about {number:,} or so") == values_in(plain)
    assert holds(f"({number:,}).", plain)


# Loading


def test_specs_of_the_gym() -> None:
    assert len(load_tools("gym").tools) == 12
    assert [tool.name for tool in load_tools("gym:maths, gym:shop").tools][::3] == ["calculate", "find_product"]
    assert len(list(load_tools("gym:time"))) == 3
    with pytest.raises(ToolError, match="same name"):
        load_tools("gym,gym:time")


MODULE = """
from __future__ import annotations
from alpha_umi.tools.functions import FunctionToolbox
def half(n: float) -> float:
    \"\"\"Halve a number.\"\"\"
    return n / 2
def third(n: float) -> float:
    return n / 3
class tools:
    many = [half, third]
box = FunctionToolbox(tools.many)
number = 4
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"own_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_bad.py").write_text("1 / 0")
    (tmp_path / f"{name}_needy.py").write_text("import no_such_library_at_all")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


@pytest.mark.parametrize(("attribute", "n"), [("half", 1), ("tools.many", 2), ("box", 2)])
def test_specs_of_own_modules(module: str, attribute: str, n: int) -> None:
    box = load_tools(f"gym:time,{module}:{attribute}")
    assert len(box.tools) == 3 + n
    assert call(box, "half", n=5) == Observation(text="2.5")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("", "no tools are named"),
        (" , ", "possible are gym, gym:CATEGORY (time, units, maths, shop) and MODULE:ATTRIBUTE"),
        ("gim", "'gim' is not a source of tools; possible are gym"),
        ("gym:", "no category ''"),
        ("gym:cooking", "it has time, units, maths, shop"),
        ("{module}:", "is not a source of tools"),
        ("no_such_module_here:x", "there is no module 'no_such_module_here'"),
        ("{module}.sub:x", "there is no module"),
        ("{module}:hlaf", "'hlaf' is not in"),
        ("{module}:hlaf", "there are half"),
        ("{module}:number", "cannot offer 4"),
        ("{module}_bad:x", "cannot be imported: ZeroDivisionError"),
        ("{module}_needy:x", "needs 'no_such_library_at_all'"),
        ("mcp:mcp-server-time", "tools from mcp: are not there yet"),
        ("openapi:x.json", "not there yet"),
        ("toolbench:dir", "not there yet"),
        ("./tools.py:x", "is not a source of tools"),
    ],
)
def test_a_wrong_spec_is_told_what_is_possible(module: str, spec: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_tools(spec.format(module=module))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
