"""Exact arithmetic for tools: floats come in as the decimal they are written as, and are rounded once.

Fractions instead of floats, so that 0.1 + 0.2 is 0.3 and every machine gives the same digits.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, NamedTuple

from pydantic import Field

_SCALE = 10_000
"""Results have four decimal places."""

Number = Annotated[float, Field(allow_inf_nan=False)]
"""A finite number; in the schema simply `number`."""


def exact(value: Number) -> Fraction:
    """The value as the decimal it is written as."""
    return Fraction(str(value))


def rounded(value: Fraction) -> int | float:
    """Rounded half to even at four decimals; an int when nothing is left behind the point.

    Raises:
        ValueError: the value is too large to be written out.
    """
    if abs(value) >= 10**15:
        raise ValueError("the result is too large, the limit is 10**15")
    scaled = round(value * _SCALE)
    return scaled // _SCALE if scaled % _SCALE == 0 else scaled / _SCALE


class Quantity(NamedTuple):
    """A number with its unit."""

    amount: int | float
    unit: str


def magnitude(value: object) -> int | float | None:
    """The number in a value that can be compared, or None."""
    number = value.amount if isinstance(value, Quantity) else value
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None


def with_magnitude(value: object, number: int | float) -> object:
    """The value with another number."""
    return value._replace(amount=number) if isinstance(value, Quantity) else number
