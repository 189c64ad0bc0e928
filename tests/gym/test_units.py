"""The units of the gym: their definitions, forms of writing, and the way back."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpha_umi_gym import generate, toolbox
from alpha_umi_gym.domains.units.intents import CATEGORY
from alpha_umi_gym.domains.units.quantities import UNITS, quantity_forms
from alpha_umi_gym.domains.units.tools import converted, factor
from alpha_umi_gym.numbers import Quantity

BOX = toolbox("units")


@pytest.mark.parametrize(
    ("unit", "to_unit", "exactly"),
    [
        ("mile", "m", "1609.344"),  # the international mile
        ("ft", "cm", "30.48"),
        ("inch", "cm", "2.54"),
        ("lb", "kg", "0.45359237"),  # the international pound
        ("oz", "g", "28.349523125"),
        ("gal", "l", "3.785411784"),  # 231 cubic inches
        ("cup", "ml", "236.5882365"),
        ("knot", "km/h", "1.852"),  # a nautical mile an hour
        ("mph", "m/s", "0.44704"),
        ("acre", "m2", "4046.8564224"),  # the international acre, not the survey acre
        ("ha", "m2", "10000"),
        ("km2", "ha", "100"),
        ("GiB", "MB", "1073.741824"),
        ("TB", "GB", "1000"),
        ("kcal", "kJ", "4.184"),  # the thermochemical calorie
        ("kWh", "MJ", "3.6"),
    ],
)
def test_units_are_what_they_are_defined_to_be(unit: str, to_unit: str, exactly: str) -> None:
    assert factor(unit, to_unit) == Fraction(exactly)
    assert factor(to_unit, unit) == 1 / Fraction(exactly)


@pytest.mark.parametrize(
    ("unit", "to_unit"), [("mile", "cm"), ("lb", "g"), ("gal", "ml"), ("acre", "m2"), ("kWh", "kJ")]
)
@settings(deadline=None)  # two cores are shared: a slow moment is no failure
@given(value=st.integers(1, 10**6))
def test_what_is_converted_converts_back(unit: str, to_unit: str, value: int) -> None:
    assert abs(converted(converted(value, unit, to_unit), to_unit, unit) - value) < 1e-4


@pytest.mark.parametrize(
    ("quantity", "forms"),
    [
        (Quantity(3.5, "km"), ("3.5 km", "3.5 kilometres", "3.5 kilometers")),
        (Quantity(1, "mile"), ("1 mile",)),
        (Quantity(2, "inch"), ("2 inches",)),
        (Quantity(1, "lb"), ("1 lb", "1 pound")),
        (Quantity(-4, "C"), ("-4 °C", "-4 degrees Celsius", "-4 Celsius")),
        (Quantity(7, "parsec"), ("7 parsec",)),
    ],
)
def test_quantities_are_written_in_several_ways(quantity: Quantity, forms: tuple[str, ...]) -> None:
    assert tuple(dict.fromkeys(quantity_forms(quantity))) == forms


def test_every_unit_of_a_schema_is_known() -> None:
    def enums(schema: Any) -> set[str]:
        if isinstance(schema, dict):
            return set(schema.get("enum", ())).union(*(enums(part) for part in schema.values()))
        return set().union(*(enums(part) for part in schema)) if isinstance(schema, list) else set()

    assert set().union(*(enums(tool.parameters) for tool in BOX.tools)) == set(UNITS)


def test_a_request_names_the_unit_that_its_call_asks_for() -> None:
    tasks = [t for t in generate(300, seed=5, only=("units",)) if t.kind == "single"]
    wanted = {"to_unit", "to_scale", "into", "to", "target"}
    seen = set()
    for task in tasks:
        step = task.gold.steps[0]
        assert step.call is not None
        seen.add(step.call.tool)
        if step.call.tool == "distance_covered":
            continue
        unit = next(step.call.arguments[key] for key in wanted if key in step.call.arguments)
        assert any(name in task.query for name in UNITS[unit].names), task.query
    assert seen == {intent.name for intent in CATEGORY.intents} - set(CATEGORY.held_out)
