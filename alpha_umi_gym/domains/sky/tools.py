"""The sun over the cities, computed by `astral` for a flat horizon at sea level; clock times are local, to the minute.

Where the sun does not rise or set on a date, the error says so.
"""

from __future__ import annotations

import datetime
import functools
from typing import Annotated, Any, Literal

from pydantic import Field

from alpha_umi_gym.domains.time.intents import read_date, read_moment
from alpha_umi_gym.lookup import find
from alpha_umi_gym.places import CITIES, Place
from alpha_umi_gym.zones import zone

Date = Annotated[str, Field(description="YYYY-MM-DD")]
Moment = Annotated[str, Field(description="local time, YYYY-MM-DD HH:MM")]
LIGHTS = ("daylight", "twilight", "darkness")

_YEARS = range(1970, 2051)
_RISEN, _CIVIL = -0.833, -6.0
"""Degrees of the sun's centre when its rim touches the horizon, and where civil twilight ends."""
_Event = Literal["sunrise", "sunset", "noon", "dawn", "dusk"]


def sunrise(city: str, date: Date) -> str:
    """Compute the local time at which the sun comes up in a city."""
    return _clock("sunrise", city, date)


def sunset(city: str, date: Date) -> str:
    """Compute the local time at which the sun goes down in a city."""
    return _clock("sunset", city, date)


def solar_noon(city: str, date: Date) -> str:
    """Tell when the sun stands highest over a city, in local time."""
    return _clock("noon", city, date)


def twilight_time(city: str, date: Date, part: Literal["dawn", "dusk"]) -> str:
    """Look up when civil twilight begins in the morning (dawn) or ends in the evening (dusk)."""
    return _clock(part, city, date)


def day_length(city: str, date: Date) -> dict[str, int]:
    """Measure the time from sunrise to sunset in a city."""
    minutes = _minutes(_known(city), _day(date))
    return {"hours": minutes // 60, "minutes": minutes % 60, "total_minutes": minutes}


def daylight_gap(city: str, other_city: str, date: Date) -> dict[str, Any]:
    """Compare two cities: by how many minutes their days differ in length, and where the day is longer."""
    names, day = (_known(city), _known(other_city)), _day(date)
    first, second = (_minutes(name, day) for name in names)
    longer = "neither" if first == second else names[0] if first > second else names[1]
    return {"minutes": abs(first - second), "longer_in": longer}


def sun_height(city: str, moment: Moment) -> int:
    """Calculate how many degrees the sun is above the horizon of a city, negative when below."""
    return round(_height(_known(city), _moment(moment), refracted=True))


def light_at(city: str, moment: Moment) -> str:
    """Say whether a city has daylight, civil twilight or darkness at a moment."""
    height = _height(_known(city), _moment(moment), refracted=False)
    return LIGHTS[0] if height >= _RISEN else LIGHTS[1] if height >= _CIVIL else LIGHTS[2]


def _known(city: str) -> str:
    return find(city, CITIES, what="city")


def _day(date: str) -> datetime.date:
    day = read_date(date)
    _check(day.year)
    return day


def _moment(moment: str) -> datetime.datetime:
    when = read_moment(moment)
    _check(when.year)
    return when


def _check(year: int) -> None:
    if year not in _YEARS:
        raise ValueError(f"the sun is only computed for {_YEARS[0]} to {_YEARS[-1]}, not for {year}")


def _clock(event: _Event, city: str, date: str) -> str:
    return _instant(event, _known(city), _day(date)).strftime("%H:%M")


def _minutes(city: str, day: datetime.date) -> int:
    up, down = _instant("sunrise", city, day), _instant("sunset", city, day)
    return round((down.astimezone(datetime.UTC) - up.astimezone(datetime.UTC)).total_seconds() / 60)


def _observer(where: Place) -> Any:
    from astral import Observer

    return Observer(where.latitude, where.longitude, 0.0)


@functools.lru_cache(maxsize=4096)
def _instant(event: _Event, city: str, day: datetime.date) -> datetime.datetime:
    """The local time of an event, rounded to the minute.

    Raises:
        ValueError: it does not happen on that date.
    """
    found = _event(event, CITIES[city], day) or _event(event, CITIES[city], day, east=2)
    if found is None:  # in a bright or dark season
        raise ValueError(f"there is no {event} in {city} on {day}")
    found = (found + datetime.timedelta(seconds=30)).replace(second=0, microsecond=0)
    if (event == "dusk" and found.hour < 12) or (event == "dawn" and found.hour >= 12):
        raise ValueError(f"there is no {event} in {city} on {day}: civil twilight lasts past midnight")
    return found


def _event(event: _Event, where: Place, day: datetime.date, *, east: int = 0) -> datetime.datetime | None:
    """An event to the second, if there is one.

    `astral` misses what happens within seconds of midnight UTC: then it is looked for some degrees `east`, where it is
    4 minutes per degree earlier.
    """
    from astral import sun

    try:
        observer = _observer(where._replace(longitude=where.longitude + east))
        found: datetime.datetime = getattr(sun, event)(observer, date=day, tzinfo=zone(where.zone))
    except ValueError:
        return None
    return found + datetime.timedelta(minutes=4 * east)


@functools.lru_cache(maxsize=4096)
def _height(city: str, moment: datetime.datetime, *, refracted: bool) -> float:
    from astral import sun

    where = CITIES[city]
    return float(sun.elevation(_observer(where), moment.replace(tzinfo=zone(where.zone)), refracted))
