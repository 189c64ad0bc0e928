"""What fills the places of requests about holidays, and which values make sense together."""

from __future__ import annotations

import datetime
import functools
from dataclasses import replace

from alpha_umi_gym.domains.geography.tools import COUNTRIES, in_text
from alpha_umi_gym.domains.geography.tools import COUNTRY as ANY_COUNTRY
from alpha_umi_gym.domains.holidays.tools import (
    CODES,
    FIRST_YEAR,
    LAST_YEAR,
    days_off,
    easter_date,
    holidays_of,
    names_of,
)
from alpha_umi_gym.intents import Slot, Values
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.slots import DATE, MONTHS, listed

_YEARS = range(FIRST_YEAR, LAST_YEAR + 1)
_MOVING = (
    *("Easter Monday",) * 4, *("Good Friday",) * 3, *("Ascension Day",) * 3, *("All Saints' Day",) * 2,
    *("Whit Monday",) * 2, *("Corpus Christi",) * 2, *("Easter Sunday",) * 2, "Whit Sunday", "Maundy Thursday",
    "Labour Day", "Assumption Day", "Epiphany",
)  # fmt: skip
"""Names of holidays that many countries share, those more often that are on another date each year."""
_FEASTS = (
    ("Thanksgiving Day", "United States"), ("Memorial Day", "United States"), ("Labor Day", "United States"),
    ("Martin Luther King Jr. Day", "United States"), ("Washington's Birthday", "United States"),
    ("Columbus Day", "United States"), ("Midsummer Day", "Sweden"), ("Great Prayer Day", "Denmark"),
    ("Coming of Age Day", "Japan"), ("Vernal Equinox Day", "Japan"), ("Autumnal Equinox Day", "Japan"),
    ("Marine Day", "Japan"), ("Respect for the Aged Day", "Japan"), ("Mother's Day", "Lithuania"),
    ("Father's Day", "Lithuania"), ("Sacred Heart", "Colombia"), ("Saint Joseph's Day", "Colombia"),
    ("Columbus Day", "Colombia"), ("All Saints' Day", "Sweden"), ("German Unity Day", "Germany"),
    ("Bastille Day", "France"), ("Constitution Day", "Norway"), ("Portugal Day", "Portugal"),
)  # fmt: skip
"""Holidays of one country."""
_FROM_EASTER = (-2, 1, 39, 50)
_FIXED = ("01-01", "01-06", "05-01", "08-15", "11-01", "12-08", "12-25", "12-26")


@functools.cache
def _festive_days() -> list[str]:
    """Dates that are holidays in many countries."""
    moving = [
        str(datetime.date.fromisoformat(easter_date(year)) + datetime.timedelta(days=days))
        for year in _YEARS
        for days in _FROM_EASTER
    ]
    return [*moving, *(f"{year}-{day}" for year in _YEARS for day in _FIXED)]


def _day_before(date: str) -> str:
    day = datetime.date.fromisoformat(date)
    return str(day - datetime.timedelta(days=1)) if day > datetime.date(FIRST_YEAR, 1, 1) else date


def _any_day(d: Sampler) -> str:
    return d.split_value(_festive_days()) if d.chances(0.5) else d.date()


COUNTRY = replace(
    ANY_COUNTRY,
    draw=lambda d: d.any_value(list(CODES)),
    unknown=lambda d: d.from_short_list([name for name in COUNTRIES if name not in CODES]),
)
DAY = Slot(kind="date", draw=_any_day, say=DATE.say, vague=DATE.vague)
EVE = Slot(kind="date", draw=lambda d: _day_before(_any_day(d)), say=DATE.say, vague=DATE.vague)
FESTIVE = Slot(kind="festive_day", draw=lambda d: d.split_value(_festive_days()), say=DATE.say)
YEAR = Slot(
    kind="year",
    draw=lambda d: d.any_value(_YEARS),
    vague=("that famous year", "the year of our wedding", "the year I told you about"),
    unknown=lambda d: d.from_short_list((1987, 1994, 1999, 2003, 2041, 2058)),
)
EASTER_YEAR = Slot(
    kind="year",
    draw=lambda d: d.integer(1950, 2024),
    vague=YEAR.vague,
    unknown=lambda d: d.from_short_list((1066, 1492, 1789, 1848, 2150, 2300)),
)
MONTH = Slot(kind="month", draw=lambda d: d.any_value(range(1, 13)), say=lambda value: (MONTHS[value - 1],))
HOLIDAY = Slot(
    kind="holiday",
    draw=lambda d: d.any_value(_MOVING),
    nests=False,
    vague=("that holiday we talked about", "our favourite holiday", "the holiday I told you about"),
    unknown=lambda d: d.from_short_list(
        ("Pirate Day", "Chess Day", "Groundhog Day", "Left-Handers Day", "Pancake Day")
    ),
    slip=lambda d, value: d.misspell(value),
)
FEAST = Slot(
    kind="feast", draw=lambda d: d.any_value(_FEASTS), say=lambda value: (f"{value[0]} in {in_text(value[1])}",)
)


def on_file(v: Values) -> bool:
    """Whether the holidays of the country and date are known."""
    return v["country"] in CODES and ("date" not in v or FIRST_YEAR <= int(v["date"][:4]) <= LAST_YEAR)


def kept(v: Values) -> bool:
    """Whether the country has the holiday in that year."""
    return v["country"] in CODES and v["holiday"] in names_of(v["country"], v["year"])


def festive(v: Values) -> bool:
    """Whether the date is a holiday there."""
    day = datetime.date.fromisoformat(v["date"])
    return v["country"] in CODES and day in days_off(v["country"], day.year)


def any_in_month(v: Values) -> bool:
    """Whether there is something to list."""
    return v["country"] in CODES and any(h.date.month == v["month"] for h in holidays_of(v["country"], v["year"]))


def with_dates(entries: list[str]) -> str:
    """Entries such as "2021-05-01 Labour Day" within a sentence."""
    return listed(f"{name} on {date}" for date, name in (entry.split(" ", 1) for entry in entries))


def parts(entries: list[str]) -> list[str]:
    """Their dates and names one by one."""
    return [part for entry in entries for part in entry.split(" ", 1)]
