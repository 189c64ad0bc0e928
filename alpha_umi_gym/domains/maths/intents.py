"""Maths: sums of any two values, percentages, statistics, whole numbers, rounding and equations."""

from __future__ import annotations

import math

from alpha_umi_gym.domains.maths import slots, tools
from alpha_umi_gym.domains.maths.sums import SUMS
from alpha_umi_gym.domains.money.slots import PRICE, dollars
from alpha_umi_gym.domains.units.quantities import MASS, quantity_forms
from alpha_umi_gym.intents import Category, Gives, Intent, Slot, Values
from alpha_umi_gym.numbers import Quantity, exact
from alpha_umi_gym.slots import listed
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


_PERCENTAGES = (
    Intent(
        tool=tools.percent_of,
        words=_WORDS["percent_of_number"],
        slots={"percent": slots.PERCENT, "number": slots.NUMBER},
        gives=Gives(kind="number", compares="size"),
        rivals=("calculate",),
    ),
    Intent(
        tool=tools.percent_of,
        words=_WORDS["percent_of_money"],
        slots={"percent": slots.PERCENT, "money": PRICE},
        arguments=lambda v: {"percent": v["percent"], "number": v["money"]},
        gives=Gives(kind="money", say=dollars, compares="size"),
        rivals=("calculate",),
    ),
    Intent(
        tool=tools.percent_of,
        words=_WORDS["percent_of_mass"],
        slots={"percent": slots.PERCENT, "mass": MASS},
        arguments=lambda v: {"percent": v["percent"], "number": v["mass"].amount},
        gives=Gives(
            kind="mass",
            read=lambda result, v: Quantity(result, v["mass"].unit),
            say=lambda out: quantity_forms(out)[0],
            compares="size",
        ),
        rivals=("calculate",),
    ),
)


def _change(slot: Slot, *, up: bool) -> Intent:
    """The intent to know a change in percent; what rises and what falls do not compare."""

    def fits(v: Values) -> bool:
        low, high = (v["old"], v["new"]) if up else (v["new"], v["old"])
        return bool(0 < low < high < 10 * low)

    return Intent(
        tool=tools.percent_change,
        words=_WORDS["percent_change_increase" if up else "percent_change_decrease"],
        slots={"old": slot, "new": slot},
        fits=fits,
        gives=Gives(kind="number", read="percent", say=lambda out: f"{out} percent", compares="size"),
        rivals=("calculate",),
    )


def _measured(measure: tools.Measure, *names: str) -> Intent:
    """The intent to know one measure of a list of numbers; its names take turns in the wordings."""
    return Intent(
        tool=tools.statistics_of,
        words=_WORDS["statistics_of"].filled(it=names, measure=names[0]),
        slots={"numbers": slots.NUMBERS},
        arguments=lambda v: {"numbers": v["numbers"], "measure": measure},
        gives=Gives(kind="number", compares="size"),
        rivals=("calculate",),
    )


_STATISTICS = (
    *(_change(slot, up=up) for slot in (slots.NUMBER, PRICE) for up in (True, False)),
    _measured("mean", "mean", "average"),
    _measured("median", "median"),
    _measured("sum", "sum", "total"),
    _measured("range", "range"),
    _measured("maximum", "maximum", "largest value"),
    _measured("minimum", "minimum", "smallest value"),
)
_EQUATIONS = (
    Intent(
        tool=tools.solve_equation,
        words=_WORDS["solve_equation"],
        slots={"equation": slots.equation(slots.linear)},
        gives=Gives(kind="number", read=lambda result, _: result["solutions"][0], compares="size"),
        weight=2.0,
    ),
    Intent(
        tool=tools.solve_equation,
        words=_WORDS["solve_equation_quadratic"],
        slots={"equation": slots.equation(slots.square)},
        gives=Gives(kind="solutions", read="solutions", say=listed, facts=lambda out: out),
    ),
    Intent(
        tool=tools.solve_equation,
        words=_WORDS["solve_equation_in_words"],
        slots={"a": slots.SMALL, "b": slots.NUMBER, "c": slots.NUMBER},
        arguments=lambda v: {"equation": f"{v['a']}x + {v['b']} = {v['c']}"},
        fits=lambda v: v["b"] > 0 < v["a"] < v["c"] - v["b"],
        gives=Gives(kind="number", read=lambda result, _: result["solutions"][0], compares="size"),
        rivals=("calculate",),
    ),
)


def _rounding(slot: Slot, step: float, direction: str, *names: str) -> Intent:
    """The intent to round to something, whose names take turns in the wordings."""
    arguments = {"step": step} if step != 1 else {}
    way = f" {direction}" if direction != "nearest" else ""

    def fits(v: Values) -> bool:
        return (exact(v["number"]) / exact(step)).denominator != 1 and abs(v["number"]) > step

    return Intent(
        tool=tools.round_number,
        words=_WORDS["round_number"].filled(to=names, way=way),
        slots={"number": slot},
        arguments=lambda v: {"number": v["number"], **arguments, **({"direction": direction} if way else {})},
        fits=fits,
        gives=Gives(kind="number", compares="size"),
    )


_ROUNDINGS = (
    _rounding(slots.LONG, 1, "nearest", "the nearest whole number", "a whole number"),
    _rounding(slots.LONG, 0.1, "nearest", "one decimal place", "one decimal", "the nearest tenth"),
    _rounding(slots.LONG, 0.01, "nearest", "two decimal places", "two decimals", "the nearest hundredth"),
    _rounding(slots.LARGE, 10, "nearest", "the nearest ten", "the nearest multiple of ten"),
    _rounding(slots.LARGE, 100, "nearest", "the nearest hundred", "full hundreds"),
    _rounding(slots.LONG, 1, "up", "the next whole number", "a whole number"),
    _rounding(slots.LONG, 1, "down", "the next whole number", "a whole number"),
    _rounding(slots.LONG, 5, "up", "a multiple of 5", "the next multiple of 5"),
)

_BILLS = ("add_tax", "net_price", "discount_price", "tip_and_split", "compound_interest")
"""Tools that take percentages too: with one year or one person nothing else is left of them."""

_MULTIPLES = Slot(
    kind="numbers",
    draw=lambda d: d.chance.sample([6 * d.integer(2 + 60 * n, 61 + 60 * n) for n in range(3)], 3),
    say=slots.NUMBERS.say,
)


def _is_composite(number: int) -> bool:
    """Whether there is something to break down."""
    return 2 <= number < 10**12 and not tools.prime_factors(number)["is_prime"]


_DIVISION = (
    Intent(
        tool=tools.prime_factors,
        words=_WORDS["prime_factors"],
        slots={"number": slots.WHOLE},
        fits=lambda v: _is_composite(v["number"]),
        gives=Gives(kind="factors", read="factors", facts=lambda out: list(dict.fromkeys(out.split(" * ")))),
    ),
    Intent(
        tool=tools.prime_factors,
        words=_WORDS["prime_factors_largest"],
        slots={"number": slots.WHOLE},
        fits=lambda v: _is_composite(v["number"]),
        gives=Gives(kind="integer", read="largest", compares="size"),
    ),
    Intent(
        tool=tools.greatest_common_divisor,
        words=_WORDS["greatest_common_divisor_of_two"],
        slots={"a": slots.WHOLE, "b": slots.WHOLE},
        arguments=lambda v: {"numbers": [v["a"], v["b"]]},
        fits=lambda v: v["a"] != v["b"] and min(v["a"], v["b"]) > 0,
        gives=Gives(kind="integer", compares="size"),
        rivals=("prime_factors",),
    ),
    Intent(
        tool=tools.greatest_common_divisor,
        words=_WORDS["greatest_common_divisor"],
        slots={"numbers": _MULTIPLES},
        gives=Gives(kind="integer", compares="size"),
        rivals=("prime_factors",),
    ),
    Intent(
        tool=tools.least_common_multiple,
        words=_WORDS["least_common_multiple"],
        slots={"a": slots.WHOLE, "b": slots.WHOLE},
        arguments=lambda v: {"first": v["a"], "second": v["b"]},
        fits=lambda v: min(v["a"], v["b"]) > 1 and math.lcm(v["a"], v["b"]) not in (v["a"], v["b"]),
        gives=Gives(kind="integer", compares="size"),
        rivals=("prime_factors",),
    ),
)
_SYSTEM = Slot(kind="numeral_system", draw=lambda d: d.any_value(("binary", "octal", "hexadecimal")))
_YEAR = Slot(
    kind="count",
    draw=lambda d: d.integer(4, 3900),
    vague=slots.WHOLE.vague,
    unknown=lambda d: d.integer(tools.MAX_ROMAN + 1, 20_000),
)
_NUMERALS = (
    Intent(
        tool=tools.to_base,
        words=_WORDS["to_base"],
        slots={"number": slots.WHOLE, "system": _SYSTEM},
        fits=lambda v: v["number"] > 7,
        gives=Gives(kind="digits", read="digits"),
        weight=2.0,
    ),
    Intent(
        tool=tools.to_base,
        words=_WORDS["to_base_roman"],
        slots={"number": _YEAR},
        arguments=lambda v: {"number": v["number"], "system": "roman"},
        fits=lambda v: 0 < v["number"] <= tools.MAX_ROMAN,
        gives=Gives(kind="digits", read="digits"),
    ),
)
_WHOLE_NUMBERS = (*_DIVISION, *_NUMERALS)

CATEGORY = Category(
    name="maths",
    tools=(
        tools.calculate,
        tools.percent_of,
        tools.percent_change,
        tools.statistics_of,
        tools.prime_factors,
        tools.greatest_common_divisor,
        tools.least_common_multiple,
        tools.solve_equation,
        tools.round_number,
        tools.to_base,
    ),
    intents=(*SUMS, *_PERCENTAGES, *_STATISTICS, *_WHOLE_NUMBERS, *_EQUATIONS, *_ROUNDINGS),
    held_out=("greatest_common_divisor", "least_common_multiple", "to_base"),
    alternatives={
        "percent_of": ("percent_change", *_BILLS),
        "percent_change": ("percent_of", *_BILLS),
        "prime_factors": ("calculate", "greatest_common_divisor", "least_common_multiple"),
        "greatest_common_divisor": ("calculate", "least_common_multiple"),
        "least_common_multiple": ("calculate", "greatest_common_divisor"),
        "round_number": ("calculate", "tip_and_split", "add_tax", "discount_price"),
        "to_base": ("calculate",),
    },
)
