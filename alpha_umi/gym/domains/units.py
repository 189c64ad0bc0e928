"""Lengths, weights and temperatures, converted exactly and rounded once at the end.

Owns the three unit tools and the tasks that start from them. Knows nothing of the other domains' state.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

from alpha_umi.gym.draft import Draft, DroppedTask
from alpha_umi.gym.numbers import Number, exact, rounded
from alpha_umi.gym.world import Category, Scenario

Length = Literal["cm", "m", "km", "inch", "foot", "mile"]
Weight = Literal["g", "kg", "ounce", "pound"]
Temperature = Literal["C", "F", "K"]

METRES = {
    "cm": Fraction(1, 100),
    "m": Fraction(1),
    "km": Fraction(1000),
    "inch": Fraction("0.0254"),
    "foot": Fraction("0.3048"),
    "mile": Fraction("1609.344"),
}
GRAMS = {"g": Fraction(1), "kg": Fraction(1000), "ounce": Fraction("28.349523125"), "pound": Fraction("453.59237")}
_PLURALS = {"inch": "inches", "foot": "feet", "mile": "miles", "ounce": "ounces", "pound": "pounds"}
_DEGREES = {"C": "degrees Celsius", "F": "degrees Fahrenheit", "K": "kelvin"}


def convert_length(value: Number, unit: Length, to_unit: Length) -> str:
    """Convert a length."""
    return f"{_scaled(value, METRES[unit] / METRES[to_unit])} {to_unit}"


def convert_weight(value: Number, unit: Weight, to_unit: Weight) -> str:
    """Convert a weight."""
    return f"{_scaled(value, GRAMS[unit] / GRAMS[to_unit])} {to_unit}"


def convert_temperature(value: Number, unit: Temperature, to_unit: Temperature) -> str:
    """Convert a temperature."""
    given = exact(value)
    kelvin = {"C": given + Fraction("273.15"), "F": (given + Fraction("459.67")) * 5 / 9, "K": given}[unit]
    if kelvin < 0:
        raise ValueError(f"{rounded(given)} {unit} is below absolute zero")
    result = {"C": kelvin - Fraction("273.15"), "F": kelvin * 9 / 5 - Fraction("459.67"), "K": kelvin}[to_unit]
    return f"{rounded(result)} {to_unit}"


def _scaled(value: Number, factor: Fraction) -> int | float:
    given = exact(value)
    if given < 0:
        raise ValueError(f"{rounded(given)} is negative")
    return rounded(given * factor)


def _plural(unit: str) -> str:
    return _PLURALS.get(unit, unit)


def _number(result: str) -> int | float:
    """The number of a result such as `7.5 km`."""
    return rounded(Fraction(result.split(maxsplit=1)[0]))


def _two(d: Draft, table: Mapping[str, object]) -> tuple[str, str]:
    unit, to_unit = d.any_of(list(table)), d.any_of(list(table))
    if unit == to_unit:
        raise DroppedTask("same unit")
    return unit, to_unit


_LENGTH = (
    "How much is {value} {a} in {b}?",
    "Convert {value} {a} to {b}.",
    "What is {value} {a} in {b}?",
    "My fence is {value} {a} long. What is that in {b}?",
    "I walked {value} {a}. Tell me the distance in {b}.",
    "A tape reads {value} {a}; please express it in {b}.",
    "Give me the length of {value} {a} as a number of {b}.",
)
_WEIGHT = (
    "How much do {value} {a} weigh in {b}?",
    "Convert a weight of {value} {a} to {b}.",
    "What is {value} {a} in {b}?",
    "The parcel weighs {value} {a}. What is that in {b}?",
    "A recipe asks for {value} {a} of flour. How many {b} do I need?",
    "The scale shows {value} {a}; please express it in {b}.",
    "Give me the weight of {value} {a} as a number of {b}.",
)
_TEMPERATURE = (
    "What is {value} {a} in {b}?",
    "Convert {value} {a} to {b}.",
    "The oven is at {value} {a}. What is that in {b}?",
    "It is {value} {a} outside. How much is that in {b}?",
    "Tell me {value} {a} in {b}.",
    "The thermometer reads {value} {a}; please express it in {b}.",
    "Give me a temperature of {value} {a} on the scale of {b}.",
)


def _ask_and_convert(d: Draft, tool: str, table: Mapping[str, str], templates: tuple[str, ...], value: Any) -> None:
    """One conversion, told; `table` gives each unit its name in a sentence."""
    unit, to_unit = _two(d, table)
    a, b = table[unit], table[to_unit]
    d.ask(templates, value=value, a=a, b=b)
    result = _number(d.call(f"convert {value} {a} to {b}", tool, value=value, unit=unit, to_unit=to_unit))
    answers = ("{value} {a} is {result} {b}.", "That is {result} {b}.", "It comes to {result} {b}.")
    d.answer(f"it is {result} {b}", answers, facts=[result], value=value, a=a, b=b, result=result)


def _length(d: Draft) -> None:
    _ask_and_convert(d, "convert_length", {unit: _plural(unit) for unit in METRES}, _LENGTH, d.decimal(2, 900))


def _weight(d: Draft) -> None:
    _ask_and_convert(d, "convert_weight", {unit: _plural(unit) for unit in GRAMS}, _WEIGHT, d.decimal(2, 900))


def _temperature(d: Draft) -> None:
    _ask_and_convert(d, "convert_temperature", _DEGREES, _TEMPERATURE, d.decimal(5, 400))


def _pieces(d: Draft) -> None:
    value, unit, piece = d.decimal(3, 200), d.any_of(("foot", "inch", "m")), d.any_of((2, 4, 5, 8, 10, 20, 25))
    a = _plural(unit)
    d.ask(
        (
            "A cable is {value} {a} long. If I divide it into {piece} equal parts, how many cm has each?",
            "I cut a rope of {value} {a} into {piece} equal pieces. How long is one piece in cm?",
            "{piece} people share {value} {a} of ribbon evenly. How many cm does each get?",
            "Split {value} {a} into {piece} equal sections; what is the length of one in cm?",
            "A wall of {value} {a} gets {piece} equal panels. How wide is a panel in cm?",
        ),
        value=value,
        a=a,
        piece=piece,
    )
    length = _number(d.call(f"convert {value} {a} to cm", "convert_length", value=value, unit=unit, to_unit="cm"))
    quotient = f"{length} / {piece}"
    each = d.call(f"calculate {quotient}", "calculate", known=f"the length is {length} cm", expression=quotient)
    answers = ("Each part is {each} cm long.", "One of the {piece} parts measures {each} cm.")
    d.answer(f"each part has {each} cm", answers, facts=[each], each=each, piece=piece)


def _weight_share(d: Draft) -> None:
    value, percent = d.decimal(2, 60), d.integer(5, 60)
    d.ask(
        (
            "A cheese of {value} pounds loses {percent} percent of its weight. How many g is the loss?",
            "{percent} percent of a {value} pounds sack is sand. How many g of sand is that?",
            "I eat {percent} percent of a {value} pounds cake. How many g do I eat?",
            "Of {value} pounds of fruit, {percent} percent spoils; how many g are spoilt?",
            "A {value} pounds roast shrinks by {percent} percent. Tell me the shrinkage in g.",
        ),
        value=value,
        percent=percent,
    )
    goal = f"convert {value} pounds to g"
    grams = _number(d.call(goal, "convert_weight", value=value, unit="pound", to_unit="g"))
    known = f"the whole is {grams} g"
    part = d.call(f"take {percent} percent of it", "percent_of", known=known, percent=percent, number=grams)
    answers = ("That is {part} g.", "{percent} percent of it is {part} g.", "It comes to {part} g.")
    d.answer(f"the part is {part} g", answers, facts=[part], part=part, percent=percent)


def _mean_temperature(d: Draft) -> None:
    values = [d.integer(-9, 39) for _ in range(d.any_of((3, 4)))]
    shown = ", ".join(str(value) for value in values)
    d.ask(
        (
            "The temperatures this week were {shown} degrees Celsius. What is the mean in degrees Fahrenheit?",
            "I measured {shown} degrees Celsius. What is the average in degrees Fahrenheit?",
            "Average {shown} degrees Celsius and give me degrees Fahrenheit.",
            "Readings in Celsius: {shown}. State their mean in degrees Fahrenheit.",
            "From the Celsius values {shown} I want one number: the average in degrees Fahrenheit.",
        ),
        shown=shown,
    )
    mean = d.call(f"find the mean of {shown}", "statistics_of", numbers=values, measure="mean")
    known = f"the mean is {mean} degrees Celsius"
    goal = "convert it to Fahrenheit"
    result = _number(d.call(goal, "convert_temperature", known=known, value=mean, unit="C", to_unit="F"))
    answers = ("The mean is {result} degrees Fahrenheit.", "On average it was {result} degrees Fahrenheit.")
    d.answer(f"the mean is {result} degrees Fahrenheit", answers, facts=[result], result=result)


def _too_cold(d: Draft) -> None:
    unit, value = d.any_of(("C", "F", "K")), -d.decimal(460, 2000)
    to_unit = d.any_of([other for other in _DEGREES if other != unit])
    d.ask(_TEMPERATURE, value=value, a=_DEGREES[unit], b=_DEGREES[to_unit])
    goal = f"convert {value} {_DEGREES[unit]} to {_DEGREES[to_unit]}"
    d.call_in_vain(goal, "convert_temperature", value=value, unit=unit, to_unit=to_unit)
    d.give_up(f"{value} {_DEGREES[unit]} is below absolute zero")


CATEGORY = Category(
    "units",
    (convert_length, convert_weight, convert_temperature),
    (
        Scenario(kind="single", needs=("convert_length",), play=_length, rivals=("calculate",)),
        Scenario(kind="single", needs=("convert_weight",), play=_weight, rivals=("calculate",)),
        Scenario(kind="single", needs=("convert_temperature",), play=_temperature, rivals=("calculate",)),
        Scenario(kind="sequential", needs=("convert_length", "calculate"), play=_pieces),
        Scenario(kind="sequential", needs=("convert_weight", "percent_of"), play=_weight_share, rivals=("calculate",)),
        Scenario(
            kind="sequential",
            needs=("statistics_of", "convert_temperature"),
            play=_mean_temperature,
            rivals=("calculate",),
        ),
        Scenario(kind="unsolvable", needs=("convert_temperature",), play=_too_cold, rivals=("calculate",)),
    ),
)
