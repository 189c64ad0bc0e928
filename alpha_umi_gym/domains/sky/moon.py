"""Phases of the moon, and the beginnings of the seasons: what is the same everywhere on earth. Dates are those of UTC.

Phases by the series of Meeus, "Astronomical Algorithms", chapters 48 and 49, without the planets: right to two minutes
in our century.
"""

from __future__ import annotations

import datetime
import functools
from math import cos, radians, sin
from typing import Annotated, Any, Literal

from pydantic import Field

from alpha_umi_gym.domains.time.intents import read_date

Date = Annotated[str, Field(description="YYYY-MM-DD")]
Phase = Literal["new moon", "first quarter", "full moon", "last quarter"]
Season = Literal["March equinox", "June solstice", "September equinox", "December solstice"]

PRINCIPAL: tuple[Phase, ...] = ("new moon", "first quarter", "full moon", "last quarter")
BETWEEN = ("waxing crescent", "waxing gibbous", "waning gibbous", "waning crescent")
_DAYS_OF_SEASONS: dict[Season, tuple[int, ...]] = {
    "March equinox": (20, 20, 20, 20, 20, 20, 20, 20, 20, 20),
    "June solstice": (21, 20, 21, 21, 21, 20, 21, 21, 21, 20),
    "September equinox": (23, 22, 22, 23, 23, 22, 22, 23, 23, 22),
    "December solstice": (22, 21, 21, 21, 22, 21, 21, 21, 22, 21),
}
"""The day of the month in each year from `FIRST_YEAR`."""
_MONTH_OF = {"March equinox": 3, "June solstice": 6, "September equinox": 9, "December solstice": 12}
FIRST_YEAR, LAST_YEAR = 2015, 2024

_EPOCH = datetime.datetime(2000, 1, 1, 12)
"""Julian day 2451545."""
_CLOCK_DAYS = 69 / 86_400
"""Terrestrial time is ahead of UTC by that many days."""
_YEARS = range(1970, 2051)

_Series = tuple[tuple[float, int, int, int], ...]
"""Amplitude in days, and multiples of the sun's anomaly, the moon's anomaly and its latitude argument."""
_NEW: _Series = (
    (-0.40720, 0, 1, 0), (0.17241, 1, 0, 0), (0.01608, 0, 2, 0), (0.01039, 0, 0, 2), (0.00739, -1, 1, 0),
    (-0.00514, 1, 1, 0), (0.00208, 2, 0, 0), (-0.00111, 0, 1, -2), (-0.00057, 0, 1, 2), (0.00056, 1, 2, 0),
    (-0.00042, 0, 3, 0), (0.00042, 1, 0, 2), (0.00038, 1, 0, -2), (-0.00024, -1, 2, 0),
)  # fmt: skip
_FULL: _Series = (
    (-0.40614, 0, 1, 0), (0.17302, 1, 0, 0), (0.01614, 0, 2, 0), (0.01043, 0, 0, 2), (0.00734, -1, 1, 0),
    (-0.00515, 1, 1, 0), (0.00209, 2, 0, 0), (-0.00111, 0, 1, -2), (-0.00057, 0, 1, 2), (0.00056, 1, 2, 0),
    (-0.00042, 0, 3, 0), (0.00042, 1, 0, 2), (0.00038, 1, 0, -2), (-0.00024, -1, 2, 0),
)  # fmt: skip
_QUARTER: _Series = (
    (-0.62801, 0, 1, 0), (0.17172, 1, 0, 0), (-0.01183, 1, 1, 0), (0.00862, 0, 2, 0), (0.00804, 0, 0, 2),
    (0.00454, -1, 1, 0), (0.00204, 2, 0, 0), (-0.00180, 0, 1, -2), (-0.00070, 0, 1, 2), (-0.00040, 0, 3, 0),
    (-0.00034, -1, 2, 0), (0.00032, 1, 0, 2), (0.00032, 1, 0, -2), (-0.00028, 2, 1, 0), (0.00027, 1, 2, 0),
)  # fmt: skip


def moon_phase(date: Date) -> dict[str, Any]:
    """Tell the phase of the moon on a date, and how much of its disc is lit at noon UTC."""
    day, phases = _in_range(date), _phases()
    lit = _lit(day)
    if day in phases:
        phase: str = phases[day]
    else:
        while day not in phases:
            day -= datetime.timedelta(days=1)
        phase = BETWEEN[PRINCIPAL.index(phases[day])]
    return {"phase": phase, "lit_percent": lit}


def next_moon(phase: Phase, date: Date) -> str:
    """Find the date of the next new moon, full moon or quarter after a date."""
    day, phases = _in_range(date), _phases()
    while True:
        day += datetime.timedelta(days=1)
        if phases.get(day) == phase:
            return str(day)


def season_start(season: Season, year: int) -> str:
    """Give the date of an equinox or solstice."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"equinoxes and solstices are on file for {FIRST_YEAR} to {LAST_YEAR} only, not for {year}")
    return str(datetime.date(year, _MONTH_OF[season], _DAYS_OF_SEASONS[season][year - FIRST_YEAR]))


def _in_range(date: str) -> datetime.date:
    day = read_date(date)
    if day.year not in _YEARS:
        raise ValueError(f"the moon is only computed for {_YEARS[0]} to {_YEARS[-1]}, not for {day.year}")
    return day


@functools.cache
def _phases() -> dict[datetime.date, Phase]:
    """Every principal phase from the years in range and a little around them, by date."""
    first, last = ((year - 2000) * 12.3685 for year in (_YEARS[0] - 0.1, _YEARS[-1] + 1.2))
    quarters = range(int(first) * 4, int(last) * 4)
    return {(_EPOCH + _instant(quarter)).date(): PRINCIPAL[quarter % 4] for quarter in quarters}


def _instant(quarter: int) -> datetime.timedelta:
    """Time from the epoch to a phase, counted in quarters of a month from the first new moon of 2000."""
    k = quarter / 4
    t = k / 1236.85
    sun = 2.5534 + 29.10535670 * k
    moon = 201.5643 + 385.81693528 * k + 0.0107582 * t**2
    latitude = 160.7108 + 390.67050284 * k - 0.0016118 * t**2
    node = 124.7746 - 1.56375588 * k
    flattening = 1 - 0.002516 * t
    series = (_NEW, _QUARTER, _FULL, _QUARTER)[quarter % 4]
    days = 5.09766 + 29.530588861 * k + 0.00015437 * t**2 - 0.00017 * sin(radians(node)) - _CLOCK_DAYS
    for amplitude, suns, moons, latitudes in series:
        angle = suns * sun + moons * moon + latitudes * latitude
        days += amplitude * flattening ** abs(suns) * sin(radians(angle))
    if series is _QUARTER:
        width = 0.00306 - 0.00038 * flattening * cos(radians(sun)) + 0.00026 * cos(radians(moon))
        days += width if quarter % 4 == 1 else -width
    return datetime.timedelta(days=days)


def _lit(day: datetime.date) -> int:
    """Percent of the moon's disc that is lit at noon."""
    t = (datetime.datetime.combine(day, datetime.time(12)) - _EPOCH).days / 36_525
    apart = 297.8501921 + 445_267.1114034 * t
    sun, moon = 357.5291092 + 35_999.0502909 * t, 134.9633964 + 477_198.8675055 * t
    angle = (
        180 - apart - 6.289 * sin(radians(moon)) + 2.100 * sin(radians(sun)) - 1.274 * sin(radians(2 * apart - moon))
        - 0.658 * sin(radians(2 * apart)) - 0.214 * sin(radians(2 * moon)) - 0.110 * sin(radians(apart))
    )  # fmt: skip
    return round(50 * (1 + cos(radians(angle))))
