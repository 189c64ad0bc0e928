"""Public holidays of some countries, nationwide, from the calendars of the `holidays` package.

Only countries without movable exceptions by region or decree; names are brought to one common English form. A day off
in lieu of a holiday on a weekend is no working day, but is neither listed nor counted as a holiday.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from alpha_umi.trajectory import Frozen
from alpha_umi_gym.domains.geography.tools import country_named, in_text
from alpha_umi_gym.domains.time.intents import read_date
from alpha_umi_gym.lookup import find
from alpha_umi_gym.yaml_data import read_as

Date = Annotated[str, Field(description="YYYY-MM-DD")]

CODES: Mapping[str, str] = MappingProxyType(
    {
        "Austria": "AT", "Belgium": "BE", "Brazil": "BR", "Colombia": "CO", "Croatia": "HR", "Czechia": "CZ",
        "Denmark": "DK", "Estonia": "EE", "France": "FR", "Germany": "DE", "Italy": "IT", "Japan": "JP",
        "Lithuania": "LT", "Luxembourg": "LU", "Norway": "NO", "Poland": "PL", "Portugal": "PT", "Sweden": "SE",
        "United States": "US",
    }
)  # fmt: skip
"""The countries on file, with the codes of their calendars."""
FIRST_YEAR, LAST_YEAR = 2015, 2024
_EASTERS = range(1900, 2100)
_OBSERVED = " (observed)"
_IN_LIEU = (_OBSERVED, "Substitute Holiday")


class _Names(Frozen):
    """What `names.yaml` holds."""

    common: dict[str, str]
    own: dict[str, dict[str, str]]


_NAMES = read_as(_Names, Path(__file__).with_name("names.yaml"))


class Holiday(NamedTuple):
    """A day off."""

    date: datetime.date
    name: str
    in_lieu: bool
    """Whether it only replaces a holiday that is on a weekend."""


def country_on_file(name: str) -> str:
    """The short name of a country whose holidays are known.

    Raises:
        LookupError: they are not.
    """
    country = country_named(name)
    if country not in CODES:
        raise LookupError(f"no holidays are on file for {in_text(country)}")
    return country


def year_on_file(year: int) -> int:
    """The year, if its holidays are known.

    Raises:
        ValueError: they are not.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"holidays are on file for {FIRST_YEAR} to {LAST_YEAR} only, not for {year}")
    return year


@functools.cache
def days_off(country: str, year: int) -> Mapping[datetime.date, Holiday]:
    """Every day off of a country in a year, in order."""
    import holidays

    found = holidays.country_holidays(CODES[country], years=year, language="en_US")
    listed = [_holiday(country, day, found[day]) for day in sorted(found)]
    return {holiday.date: holiday for holiday in listed if holiday.name}


def _holiday(country: str, day: datetime.date, label: str) -> Holiday:
    """A day of the package's calendar under its common name; what coincides is joined by "and"."""
    if country == "Colombia":  # there the holiday itself is moved
        label = label.replace(_OBSERVED, "")
    in_lieu = any(mark in label for mark in _IN_LIEU)
    parts = [_common(country, part.removesuffix(_OBSERVED)) for part in label.split("; ")]
    name = " and ".join(dict.fromkeys(part for part in parts if part))
    return Holiday(day, name + _OBSERVED if label.endswith(_OBSERVED) else name, in_lieu)


def _common(country: str, name: str) -> str:
    return _NAMES.own.get(country, {}).get(name, _NAMES.common.get(name, name))


def holidays_of(country: str, year: int) -> list[Holiday]:
    """The public holidays of a year, days off in lieu left out."""
    return [holiday for holiday in days_off(country, year).values() if not holiday.in_lieu]


def names_of(country: str, year: int) -> dict[str, datetime.date]:
    """Holiday -> its (first) date in a year."""
    names: dict[str, datetime.date] = {}
    for holiday in holidays_of(country, year):
        for name in (holiday.name, *holiday.name.split(" and ")):
            names.setdefault(name, holiday.date)
    return names


def kind_of_day(country: str, date: Date) -> dict[str, str]:
    """Say whether a date is a public holiday, a weekend day or a working day in a country."""
    place, day = country_on_file(country), _day(date)
    holiday = days_off(place, day.year).get(day)
    if holiday is not None:
        return {"kind": "public holiday", "name": holiday.name}
    return {"kind": "weekend day" if day.weekday() >= 5 else "working day"}


def holiday_date(holiday: str, country: str, year: int) -> str:
    """Find the date on which a public holiday was kept in a country in a year."""
    place = country_on_file(country)
    names = names_of(place, year_on_file(year))
    return str(names[find(holiday, names, what=f"holiday of {in_text(place)} in {year}")])


def next_holiday(country: str, date: Date) -> dict[str, str]:
    """Get the first public holiday of a country after a date."""
    return _beside(country, date, 1)


def previous_holiday(country: str, date: Date) -> dict[str, str]:
    """Get the last public holiday of a country before a date."""
    return _beside(country, date, -1)


def _day(date: str) -> datetime.date:
    """A date in a year whose holidays are known."""
    day = read_date(date)
    year_on_file(day.year)
    return day


def _beside(country: str, date: str, step: int) -> dict[str, str]:
    place, day = country_on_file(country), _day(date)
    while True:
        day += datetime.timedelta(days=step)
        holiday = days_off(place, day.year).get(day)
        if holiday is not None and not holiday.in_lieu:
            return {"date": str(day), "name": holiday.name}


def holidays_in_month(country: str, year: int, month: Annotated[int, Field(ge=1, le=12)]) -> dict[str, Any]:
    """List the public holidays of a country in a month, with their dates."""
    found = [
        holiday for holiday in holidays_of(country_on_file(country), year_on_file(year)) if holiday.date.month == month
    ]
    return {"count": len(found), "holidays": [f"{holiday.date} {holiday.name}" for holiday in found]}


def count_holidays(country: str, year: int) -> int:
    """Count the public holidays of a country in a year, without days off in lieu."""
    return len(holidays_of(country_on_file(country), year_on_file(year)))


def next_working_day(country: str, date: Date) -> str:
    """Determine the first day after a date on which a country works: neither weekend nor day off."""
    place, day = country_on_file(country), _day(date)
    while True:
        day += datetime.timedelta(days=1)
        if day.weekday() < 5 and day not in days_off(place, day.year):
            return str(day)


def easter_date(year: int, church: Literal["western", "orthodox"] = "western") -> str:
    """Calculate the date of Easter Sunday in a year, by the western or the orthodox reckoning."""
    from dateutil.easter import EASTER_ORTHODOX, EASTER_WESTERN, easter

    if year not in _EASTERS:
        raise ValueError(f"Easter is calculated for {_EASTERS[0]} to {_EASTERS[-1]} only, not for {year}")
    return str(easter(year, EASTER_ORTHODOX if church == "orthodox" else EASTER_WESTERN))
