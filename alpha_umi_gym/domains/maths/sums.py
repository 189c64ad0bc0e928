"""What people want from `calculate`: an expression as it stands, or two values put together, of whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from alpha_umi_gym.domains.maths.slots import EXPRESSION, NUMBER, PARTS, PIECES, SHARERS, SMALL, TIMES
from alpha_umi_gym.domains.maths.tools import calculate
from alpha_umi_gym.domains.money.slots import PRICE, dollars
from alpha_umi_gym.domains.units.quantities import LENGTH, MASS, VOLUME, quantity_forms
from alpha_umi_gym.intents import Gives, Intent, Values
from alpha_umi_gym.numbers import Quantity
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def _joined(sign: str, first: str = "a", second: str = "b") -> Callable[[Values], Mapping[str, Any]]:
    """Arguments of `calculate` for two slots."""
    return lambda v: {"expression": f"{_term(v[first])} {sign} {_term(v[second])}"}


def _term(value: Any) -> str:
    number = value.amount if isinstance(value, Quantity) else value
    return f"({number})" if number < 0 else str(number)


def _measured(slot: str) -> Callable[[Any, Values], Quantity]:
    """A result in the unit of a slot."""
    return lambda result, v: Quantity(result, v[slot].unit)


def _is_larger(v: Values) -> bool:
    return bool(v["a"] > v["b"] > 0)


_NUMBERS = (
    Intent(
        tool=calculate,
        words=_WORDS["calculate"],
        slots={"expression": EXPRESSION},
        gives=Gives(kind="number", compares="size"),
        weight=4.0,
    ),
    Intent(
        tool=calculate,
        words=_WORDS["calculate_sum"],
        slots={"a": NUMBER, "b": NUMBER},
        arguments=_joined("+"),
        gives=Gives(kind="number", compares="size"),
        rivals=("statistics_of",),
    ),
    Intent(
        tool=calculate,
        words=_WORDS["calculate_difference"],
        slots={"a": NUMBER, "b": NUMBER},
        arguments=_joined("-"),
        fits=_is_larger,
        gives=Gives(kind="number", compares="size"),
        rivals=("statistics_of",),
    ),
    Intent(
        tool=calculate,
        words=_WORDS["calculate_product"],
        slots={"a": NUMBER, "b": SMALL},
        arguments=_joined("*"),
        fits=lambda v: 0 < v["a"] * v["b"] < 10**9,
        gives=Gives(kind="number", compares="size"),
    ),
    Intent(
        tool=calculate,
        words=_WORDS["calculate_quotient"],
        slots={"a": NUMBER, "b": SMALL},
        arguments=_joined("/"),
        fits=_is_larger,
        gives=Gives(kind="number", compares="size"),
    ),
)
_AMOUNTS = (
    Intent(
        tool=calculate,
        words=_WORDS["calculate_money_sum"],
        slots={"a": PRICE, "b": PRICE},
        arguments=_joined("+"),
        gives=Gives(kind="money", say=dollars, compares="size"),
        rivals=("statistics_of",),
    ),
    Intent(
        tool=calculate,
        words=_WORDS["calculate_money_left"],
        slots={"a": PRICE, "b": PRICE},
        arguments=_joined("-"),
        fits=_is_larger,
        gives=Gives(kind="money", say=dollars, compares="size"),
        rivals=("statistics_of",),
    ),
    Intent(
        tool=calculate,
        words=_WORDS["calculate_cost_of_pieces"],
        slots={"pieces": PIECES, "price": PRICE},
        arguments=_joined("*", "pieces", "price"),
        fits=lambda v: v["pieces"] > 0,
        gives=Gives(kind="money", say=dollars, compares="size"),
    ),
    Intent(
        tool=calculate,
        words=_WORDS["calculate_share"],
        slots={"money": PRICE, "people": SHARERS},
        arguments=_joined("/", "money", "people"),
        fits=lambda v: 1 < v["people"] <= 1000,
        gives=Gives(kind="money", say=dollars, compares="size"),
        rivals=("tip_and_split",),
    ),
)
_QUANTITIES = (
    Intent(
        tool=calculate,
        words=_WORDS["calculate_length_of_part"],
        slots={"length": LENGTH, "parts": PARTS},
        arguments=_joined("/", "length", "parts"),
        fits=lambda v: 1 < v["parts"] <= 1000,
        gives=Gives(kind="length", read=_measured("length"), say=lambda out: quantity_forms(out)[0], compares="size"),
    ),
    Intent(
        tool=calculate,
        words=_WORDS["calculate_length_times"],
        slots={"length": LENGTH, "times": TIMES},
        arguments=_joined("*", "length", "times"),
        fits=lambda v: 1 < v["times"] <= 1000,
        gives=Gives(kind="length", read=_measured("length"), say=lambda out: quantity_forms(out)[0], compares="size"),
    ),
    Intent(
        tool=calculate,
        words=_WORDS["calculate_mass_of_part"],
        slots={"mass": MASS, "parts": PARTS},
        arguments=_joined("/", "mass", "parts"),
        fits=lambda v: 1 < v["parts"] <= 1000,
        gives=Gives(kind="mass", read=_measured("mass"), say=lambda out: quantity_forms(out)[0], compares="size"),
    ),
    Intent(
        tool=calculate,
        words=_WORDS["calculate_volume_times"],
        slots={"volume": VOLUME, "times": TIMES},
        arguments=_joined("*", "volume", "times"),
        fits=lambda v: 1 < v["times"] <= 1000,
        gives=Gives(kind="volume", read=_measured("volume"), say=lambda out: quantity_forms(out)[0], compares="size"),
    ),
)
SUMS = (*_NUMBERS, *_AMOUNTS, *_QUANTITIES)
