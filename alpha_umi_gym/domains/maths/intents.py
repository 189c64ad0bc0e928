"""Maths: sums of any two values, percentages, statistics, whole numbers, rounding and equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alpha_umi_gym.domains.maths import tools
from alpha_umi_gym.domains.maths.slots import LARGE, LONG, NUMBER, NUMBERS, PERCENT, SMALL, equation, linear, square
from alpha_umi_gym.domains.maths.sums import SUMS
from alpha_umi_gym.domains.maths.whole import WHOLE_NUMBERS
from alpha_umi_gym.domains.money.slots import PRICE, dollars
from alpha_umi_gym.domains.units.quantities import MASS, quantity_forms
from alpha_umi_gym.intents import Category, Gives, Intent, Slot, Values
from alpha_umi_gym.numbers import Quantity, exact
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def _and(values: Sequence[Any]) -> str:
    shown = [str(value) for value in values]
    return ", ".join(shown[:-1]) + (" and " if shown[:-1] else "") + shown[-1]


_PERCENTAGES = (
    Intent(
        tool=tools.percent_of,
        words=_WORDS["percent_of_number"],
        slots={"percent": PERCENT, "number": NUMBER},
        gives=Gives(kind="number", compares="size"),
        rivals=("calculate",),
    ),
    Intent(
        tool=tools.percent_of,
        words=_WORDS["percent_of_money"],
        slots={"percent": PERCENT, "money": PRICE},
        arguments=lambda v: {"percent": v["percent"], "number": v["money"]},
        gives=Gives(kind="money", say=dollars, compares="size"),
        rivals=("calculate",),
    ),
    Intent(
        tool=tools.percent_of,
        words=_WORDS["percent_of_mass"],
        slots={"percent": PERCENT, "mass": MASS},
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
        slots={"numbers": NUMBERS},
        arguments=lambda v: {"numbers": v["numbers"], "measure": measure},
        gives=Gives(kind="number", compares="size"),
        rivals=("calculate",),
    )


_STATISTICS = (
    *(_change(slot, up=up) for slot in (NUMBER, PRICE) for up in (True, False)),
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
        slots={"equation": equation(linear)},
        gives=Gives(kind="number", read=lambda result, _: result["solutions"][0], compares="size"),
        weight=2.0,
    ),
    Intent(
        tool=tools.solve_equation,
        words=_WORDS["solve_equation_quadratic"],
        slots={"equation": equation(square)},
        gives=Gives(kind="solutions", read="solutions", say=_and, facts=lambda out: out),
    ),
    Intent(
        tool=tools.solve_equation,
        words=_WORDS["solve_equation_in_words"],
        slots={"a": SMALL, "b": NUMBER, "c": NUMBER},
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
    _rounding(LONG, 1, "nearest", "the nearest whole number", "a whole number"),
    _rounding(LONG, 0.1, "nearest", "one decimal place", "one decimal", "the nearest tenth"),
    _rounding(LONG, 0.01, "nearest", "two decimal places", "two decimals", "the nearest hundredth"),
    _rounding(LARGE, 10, "nearest", "the nearest ten", "the nearest multiple of ten"),
    _rounding(LARGE, 100, "nearest", "the nearest hundred", "full hundreds"),
    _rounding(LONG, 1, "up", "the next whole number", "a whole number"),
    _rounding(LONG, 1, "down", "the next whole number", "a whole number"),
    _rounding(LONG, 5, "up", "a multiple of 5", "the next multiple of 5"),
)

_BILLS = ("add_tax", "net_price", "discount_price", "tip_and_split", "compound_interest")
"""Tools that take percentages too: with one year or one person nothing else is left of them."""

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
    intents=(*SUMS, *_PERCENTAGES, *_STATISTICS, *WHOLE_NUMBERS, *_EQUATIONS, *_ROUNDINGS),
    held_out=("greatest_common_divisor", "least_common_multiple", "to_base"),
    detours={
        "percent_of": ("percent_change", *_BILLS),
        "percent_change": ("percent_of", *_BILLS),
        "prime_factors": ("calculate", "greatest_common_divisor", "least_common_multiple"),
        "greatest_common_divisor": ("calculate", "least_common_multiple"),
        "least_common_multiple": ("calculate", "greatest_common_divisor"),
        "round_number": ("calculate", "tip_and_split", "add_tax", "discount_price"),
        "to_base": ("calculate",),
    },
)
