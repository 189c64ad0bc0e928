"""Slots that many categories share: dates, numbers, cities, people, quantities. A category adds its own beside them.

A slot's kind is a promise: whatever gives that kind flows in, so a kind has one form of value everywhere. `date` is
an ISO date, `moment` an ISO date and HH:MM, `city` a name in `CITIES`, `number` an int or float, `count` an int,
`money` an int or float in the shop's dollars, `length` and the like a `Quantity`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from alpha_umi_gym.intents import Slot
from alpha_umi_gym.numbers import Quantity
from alpha_umi_gym.places import CITIES, UNKNOWN_PLACES
from alpha_umi_gym.sampler import Sampler

MONTHS = tuple(datetime.date(2024, month, 1).strftime("%B") for month in range(1, 13))


def date_ways(value: str) -> Sequence[str]:
    """2024-03-01, March 1, 2024, 1 March 2024."""
    day = datetime.date.fromisoformat(value)
    month = MONTHS[day.month - 1]
    return (value, f"{month} {day.day}, {day.year}", f"{day.day} {month} {day.year}")


def moment_ways(value: str) -> Sequence[str]:
    """2024-03-01 09:30, 09:30 on 2024-03-01, 09:30 on March 1, 2024."""
    day, clock = value.split()
    return (value, *(f"{clock} on {way}" for way in date_ways(day)[:2]))


def listed(items: Iterable[object], *, last: str = "and") -> str:
    """A, B and C."""
    shown = [str(item) for item in items]
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}" if len(shown) > 1 else "".join(shown)


def counted(number: float, unit: str) -> str:
    """1 degree, 2.5 degrees."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def quantity_ways(value: Quantity) -> Sequence[str]:
    """3.5 km."""
    return (f"{value.amount} {value.unit}",)


def _moment(d: Sampler) -> str:
    return f"{d.date()} {d.any_value(range(24)):02}:{d.any_value((0, 5, 10, 15, 20, 30, 40, 45, 50)):02}"


DATE = Slot(
    kind="date",
    draw=lambda d: d.date(),
    say=date_ways,
    vague=("that day we agreed on", "a certain day", "the date I told you", "the usual day"),
)
"""A day."""
MOMENT = Slot(
    kind="moment",
    draw=_moment,
    say=moment_ways,
    vague=("the time we agreed on", "the usual time", "the hour I told you"),
)
"""A day with a time of day."""
CITY = Slot(
    kind="city",
    draw=lambda d: d.split_value(list(CITIES)),
    vague=("the place I told you about", "that nice town", "the city we talked about", "where we met"),
    unknown=lambda d: d.from_short_list(UNKNOWN_PLACES),
    slip=lambda d, value: d.misspell(value),
)
"""A city of `places`."""
NUMBER = Slot(kind="number", draw=lambda d: d.decimal(2, 900), accepts=("count", "money"))
"""A number with decimals."""
COUNT = Slot(kind="count", draw=lambda d: d.integer(2, 200))
"""A whole number."""
DAYS = Slot(
    kind="count",
    draw=lambda d: d.integer(2, 400),
    say=lambda value: (f"{value} days",),
    refer=("that many days",),
    nests=False,
    vague=("a few days", "some days", "the agreed number of days"),
)
"""A number of days."""
MONEY = Slot(
    kind="money",
    draw=lambda d: d.integer(5, 900),
    say=lambda value: (f"{value} dollars", f"${value}"),
    vague=("some money", "the amount I mentioned"),
)
"""An amount of dollars."""
