"""The units of the gym: definitions of the units, forms of writing, and every refusal."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpha_umi.trajectory import Call, Observation
from alpha_umi_gym import generate, toolbox
from alpha_umi_gym.domains.units.intents import CATEGORY
from alpha_umi_gym.domains.units.quantities import UNITS, quantity_forms
from alpha_umi_gym.domains.units.tools import converted, factor
from alpha_umi_gym.numbers import Quantity

BOX = toolbox("units")


def call(tool: str, **arguments: Any) -> Observation:
    return BOX.invoke(Call(tool=tool, arguments=arguments))


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
    ("tool", "arguments", "text"),
    [
        ("convert_length", {"value": 5, "unit": "mile", "to_unit": "km"}, '{"value":8.0467,"unit":"km"}'),
        ("convert_length", {"value": 12, "unit": "inch", "to_unit": "ft"}, '{"value":1,"unit":"ft"}'),
        ("convert_mass", {"mass": {"amount": 2.5, "unit": "lb"}, "to_unit": "g"}, '{"amount":1133.9809,"unit":"g"}'),
        ("convert_temperature", {"degrees": -40, "scale": "C", "to_scale": "F"}, "-40"),
        ("convert_temperature", {"degrees": 100, "scale": "C", "to_scale": "F"}, "212"),
        ("convert_temperature", {"degrees": 0, "scale": "K", "to_scale": "C"}, "-273.15"),
        ("convert_temperature", {"degrees": 98.6, "scale": "F", "to_scale": "K"}, "310.15"),
        ("convert_volume", {"amount": 16, "from_unit": "cup", "into": "gal"}, '{"volume":1,"unit":"gal"}'),
        ("convert_speed", {"speed": "90 km/h", "target": "m/s"}, '{"speed":25,"unit":"m/s"}'),
        ("convert_speed", {"speed": "10 knots", "target": "km/h"}, '{"speed":18.52,"unit":"km/h"}'),
        ("convert_area", {"area": {"size": 2.5, "unit": "km2"}, "to_unit": "ha"}, "250 ha"),
        ("convert_data_size", {"size": 3, "unit": "MiB", "to": "kB"}, "3145.728"),
        ("convert_energy", {"energy": 2, "unit": "kWh", "to_unit": "kJ"}, '{"energy":7200,"unit":"kJ"}'),
        (
            "travel_time",
            {"distance": {"value": 150, "unit": "km"}, "speed": {"value": 60, "unit": "km/h"}},
            '{"hours":2,"minutes":30,"total_minutes":150}',
        ),
        (
            "distance_covered",
            {"speed": {"value": 90, "unit": "km/h"}, "minutes": 50},
            '{"distance":75,"unit":"km"}',
        ),
        (
            "distance_covered",
            {"speed": {"value": 10, "unit": "knot"}, "minutes": 30},
            '{"distance":9.26,"unit":"km"}',
        ),
        ("distance_covered", {"speed": {"value": 4, "unit": "mph"}, "minutes": 45}, '{"distance":3,"unit":"mile"}'),
        (  # 26.21875 miles at 6 mph: 262.1875 minutes
            "travel_time",
            {"distance": {"value": 26.21875, "unit": "mile"}, "speed": {"value": 6, "unit": "mph"}},
            '{"hours":4,"minutes":22,"total_minutes":262}',
        ),
    ],
)
def test_tools_convert(tool: str, arguments: dict[str, Any], text: str) -> None:
    assert call(tool, **arguments) == Observation(text=text)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("convert_length", {"value": 1, "unit": "yard", "to_unit": "m"}, "unit: 'yard' is not one of"),
        ("convert_length", {"value": -1, "unit": "m", "to_unit": "km"}, "value: -1 is less than the minimum of 0"),
        ("convert_length", {"value": float("inf"), "unit": "m", "to_unit": "km"}, "value: "),
        ("convert_length", {"value": 1e300, "unit": "km", "to_unit": "cm"}, "too large"),
        ("convert_mass", {"mass": {"amount": 1}, "to_unit": "g"}, "'unit' is a required property"),
        ("convert_temperature", {"degrees": -274, "scale": "C", "to_scale": "K"}, "-274 C is below absolute zero"),
        ("convert_temperature", {"degrees": -460, "scale": "F", "to_scale": "C"}, "-460 F is below absolute zero"),
        ("distance_covered", {"speed": {"value": 4, "unit": "mph"}, "minutes": -1}, "minutes: -1 is less than"),
        ("convert_speed", {"speed": "fast", "target": "mph"}, "'fast' is not a speed like '90 km/h'"),
        ("convert_speed", {"speed": "90 kmh", "target": "mph"}, "'90 kmh' is not a speed"),
        ("convert_speed", {"speed": "9" * 500 + " mph", "target": "mph"}, "is not a speed"),
        (
            "travel_time",
            {"distance": {"value": 1, "unit": "km"}, "speed": {"value": 0, "unit": "mph"}},
            "at a speed of 0 one never arrives",
        ),
        (
            "travel_time",
            {"distance": {"value": 1e6, "unit": "mile"}, "speed": {"value": 1, "unit": "mph"}},
            "more than a year",
        ),
    ],
)
def test_tools_refuse_in_words(tool: str, arguments: dict[str, Any], words: str) -> None:
    seen = call(tool, **arguments)
    assert not seen.ok
    assert words in seen.text
    assert "\n" not in seen.text


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
