"""Dates and clocks: real calendars and the real time zone database, past dates only in the tasks."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from dateutil.relativedelta import relativedelta
from pydantic import Field

from alpha_umi_gym.intents import Category, Gives, Intent, Slot
from alpha_umi_gym.places import place
from alpha_umi_gym.slots import CITY, DATE, DAYS, MOMENT
from alpha_umi_gym.words import words_beside
from alpha_umi_gym.zones import zone

_WORDS = words_beside(__file__)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Moment = Annotated[str, Field(description="YYYY-MM-DD HH:MM")]
Date = Annotated[str, Field(description="YYYY-MM-DD")]


def convert_time(moment: Moment, from_city: str, to_city: str) -> str:
    """Convert a local time in one city to the local time in another."""
    local = read_moment(moment)
    start, end = zone(place(from_city).zone), zone(place(to_city).zone)
    return local.replace(tzinfo=start).astimezone(end).strftime("%Y-%m-%d %H:%M")


def time_difference(city: str, other_city: str, date: Date) -> dict[str, float | str]:
    """Tell by how many hours the clocks of two cities differ on a date."""
    noon = datetime.datetime.combine(read_date(date), datetime.time(12))
    offsets = [noon.replace(tzinfo=zone(place(name).zone)).utcoffset() for name in (city, other_city)]
    first, second = (offset.total_seconds() / 3600 if offset is not None else 0.0 for offset in offsets)
    hours = abs(second - first)
    ahead = "neither" if hours == 0 else other_city if second > first else city
    return {"hours": int(hours) if hours == int(hours) else hours, "ahead": ahead}


def days_between(start: Date, end: Date) -> int:
    """Count the days from one date to another."""
    return (read_date(end) - read_date(start)).days


def add_days(date: Date, days: int) -> str:
    """Add days to a date, or take them away with a negative number."""
    try:
        return str(read_date(date) + datetime.timedelta(days=days))
    except OverflowError:
        raise ValueError(f"{days} days lead out of the calendar") from None


def add_months(date: Date, months: int) -> str:
    """Add whole months to a date; the last day of a shorter month is taken where needed."""
    try:
        return str(read_date(date) + relativedelta(months=months))
    except (OverflowError, ValueError):
        raise ValueError(f"{months} months lead out of the calendar") from None


def weekday_of(date: Date) -> str:
    """Tell the day of the week of a date."""
    return WEEKDAYS[read_date(date).weekday()]


def age_on(birthday: Date, date: Date) -> int:
    """Tell how many full years old somebody is on a date."""
    born, day = read_date(birthday), read_date(date)
    if day < born:
        raise ValueError(f"{date} is before the birthday {birthday}")
    return relativedelta(day, born).years


def week_number(date: Date) -> dict[str, int]:
    """Tell the ISO week of the year in which a date lies."""
    year, week, _ = read_date(date).isocalendar()
    return {"week": week, "year": year}


def business_days(start: Date, end: Date) -> int:
    """Count the days from Monday to Friday in a period, both ends included."""
    first, last = read_date(start), read_date(end)
    if last < first:
        raise ValueError(f"the period ends on {end}, before it starts on {start}")
    if (last - first).days > 36_600:
        raise ValueError("the period is longer than 100 years")
    return sum((first + datetime.timedelta(days=n)).weekday() < 5 for n in range((last - first).days + 1))


def read_moment(text: str) -> datetime.datetime:
    """A moment as the tools write it.

    Raises:
        ValueError: it is none.
    """
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M")
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not a time like 2024-05-31 18:05") from None


def read_date(text: str) -> datetime.date:
    """A date as the tools write it.

    Raises:
        ValueError: it is none.
    """
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not a date like 2024-05-31") from None


_MONTHS = Slot(kind="months", draw=lambda d: d.integer(2, 40), say=lambda value: (f"{value} months",))
_BIRTHDAY = Slot(
    kind="birthday",
    draw=lambda d: d.date(datetime.date(1950, 1, 1), datetime.date(2008, 12, 31)),
    say=DATE.say,
    vague=("my birthday", "the day she was born"),
)
_IMPOSSIBLE = ("02-30", "04-31", "06-31", "09-31", "11-31", "02-31")
_DAY = Slot(
    kind="date",
    draw=DATE.draw,
    say=lambda value: DATE.say(value) if value[5:] not in _IMPOSSIBLE else (value,),
    vague=DATE.vague,
    unknown=lambda d: f"{d.integer(2015, 2024)}-{d.from_short_list(_IMPOSSIBLE)}",
)


def _apart(values: Any) -> bool:
    return bool(values["start"] < values["end"])


_INTENTS = (
    Intent(
        tool=convert_time,
        words=_WORDS["convert_time"],
        rivals=("time_difference",),
        slots={"moment": MOMENT, "from_city": CITY, "to_city": CITY},
        fits=lambda v: place(v["from_city"]).zone != place(v["to_city"]).zone,
        gives=Gives(kind="moment", facts=lambda out: out.split()),
    ),
    Intent(
        tool=time_difference,
        words=_WORDS["time_difference"],
        rivals=("convert_time",),
        slots={"city": CITY, "other_city": CITY, "date": DATE},
        fits=lambda v: place(v["city"]).zone != place(v["other_city"]).zone,
        gives=Gives(kind="number", read="hours", compares="size"),
    ),
    Intent(
        tool=days_between,
        words=_WORDS["days_between"],
        slots={"start": _DAY, "end": DATE},
        fits=_apart,
        gives=Gives(kind="count", compares="size"),
    ),
    Intent(
        tool=add_days,
        words=_WORDS["add_days"],
        slots={"date": _DAY, "days": DAYS},
        gives=Gives(kind="date", compares="date"),
    ),
    Intent(
        tool=add_months,
        words=_WORDS["add_months"],
        slots={"date": DATE, "months": _MONTHS},
        gives=Gives(kind="date", compares="date"),
    ),
    Intent(
        tool=weekday_of,
        words=_WORDS["weekday_of"],
        slots={"date": _DAY},
        gives=Gives(kind="weekday", compares="|".join(WEEKDAYS)),
    ),
    Intent(
        tool=age_on,
        words=_WORDS["age_on"],
        slots={"birthday": _BIRTHDAY, "date": DATE},
        fits=lambda v: bool(v["birthday"] < v["date"]),
        gives=Gives(kind="count", compares="size"),
    ),
    Intent(
        tool=week_number,
        words=_WORDS["week_number"],
        slots={"date": DATE},
        gives=Gives(kind="count", read="week", compares="size"),
    ),
    Intent(
        tool=business_days,
        words=_WORDS["business_days"],
        slots={"start": DATE, "end": DATE},
        fits=_apart,
        gives=Gives(kind="count", compares="size"),
        rivals=("days_between",),
    ),
)

CATEGORY = Category(
    name="time",
    intents=_INTENTS,
    held_out=("week_number", "business_days"),
    alternatives={
        "days_between": ("add_days", "add_months", "calculate"),
        "add_days": ("days_between",),
        "add_months": ("add_days",),
        "age_on": ("days_between", "add_days", "add_months", "next_birthday", "calculate"),
        "weekday_of": ("week_number", "business_days", "kind_of_day", "next_working_day"),
        "week_number": ("weekday_of", "days_between", "business_days"),
        "business_days": ("add_days", "weekday_of", "week_number", "next_working_day", "calculate"),
    },
    closed_sets=(frozenset(day.casefold() for day in WEEKDAYS),),
)
