"""Dates and clocks: real calendars and the real time zone database, past dates only in the tasks."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from dateutil.relativedelta import relativedelta
from pydantic import Field

from alpha_umi_gym.intents import Category, Gives, Intent, Slot
from alpha_umi_gym.places import place
from alpha_umi_gym.slots import CITY, DATE, DAYS, MOMENT
from alpha_umi_gym.zones import zone

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
    unknown=lambda d: f"{d.integer(2015, 2024)}-{d.ours(_IMPOSSIBLE)}",
)


def _apart(values: Any) -> bool:
    return bool(values["start"] < values["end"])


_INTENTS = (
    Intent(
        tool=convert_time,
        rivals=("time_difference",),
        slots={"moment": MOMENT, "from_city": CITY, "to_city": CITY},
        fits=lambda v: place(v["from_city"]).zone != place(v["to_city"]).zone,
        goals=(
            "convert {moment} from {from_city} time to {to_city} time",
            "turn {moment} in {from_city} into the local time of {to_city}",
            "translate the {from_city} time {moment} into {to_city} time",
            "work out what the clocks in {to_city} show at {moment} in {from_city}",
        ),
        asks=(
            "When it is {moment} in {from_city}, what time is it in {to_city}?",
            "A call starts at {moment} in {from_city}. When is that in {to_city}?",
            "My friend in {from_city} goes live at {moment}. What will the clock in {to_city} show?",
            "It is {moment} in {from_city} right now, so what do the clocks say in {to_city}?",
            "A match begins at {moment} local time in {from_city}; when should I switch on in {to_city}?",
        ),
        gives=Gives(
            kind="moment",
            nouns=(
                "the {to_city} time at {moment} in {from_city}",
                "the local time in {to_city} when it is {moment} in {from_city}",
                "the time in {to_city} at {moment} {from_city} time",
            ),
            facts=lambda out: out.split(),
        ),
        found="it is {out} in {to_city}",
        answers=("When it is {moment} in {from_city}, it is {out} in {to_city}.", "In {to_city} it is {out}."),
    ),
    Intent(
        tool=time_difference,
        rivals=("convert_time",),
        slots={"city": CITY, "other_city": CITY, "date": DATE},
        fits=lambda v: place(v["city"]).zone != place(v["other_city"]).zone,
        goals=(
            "find out by how many hours {city} and {other_city} differ on {date}",
            "compare the clocks of {city} and {other_city} on {date}",
            "get the time difference of {city} and {other_city} for {date}",
        ),
        asks=(
            "How many hours apart are {city} and {other_city} on {date}?",
            "On {date}, how far apart are the clocks of {city} and {other_city}?",
            "I call {other_city} from {city} on {date}. How many hours lie between us?",
        ),
        gives=Gives(
            kind="number",
            read="hours",
            nouns=(
                "the time difference between {city} and {other_city} on {date} in hours",
                "the number of hours between the clocks of {city} and {other_city} on {date}",
                "the hours by which {city} and {other_city} differ on {date}",
            ),
            compares="size",
        ),
        found="{city} and {other_city} are {out} hours apart",
        answers=("{city} and {other_city} are {out} hours apart.", "The difference is {out} hours."),
    ),
    Intent(
        tool=days_between,
        slots={"start": _DAY, "end": DATE},
        fits=_apart,
        goals=(
            "count the days from {start} to {end}",
            "work out how many days lie between {start} and {end}",
            "find the length of the time from {start} until {end} in days",
            "tell the number of days that pass between {start} and {end}",
        ),
        asks=(
            "How many days are there between {start} and {end}?",
            "How many days pass from {start} to {end}?",
            "My visa runs from {start} to {end}. How many days is that?",
            "I was hired on {start} and left on {end}. For how many days did I work there?",
            "The warranty began {start} and ended {end}; how long is that in days?",
        ),
        gives=Gives(
            kind="count",
            nouns=(
                "the number of days from {start} to {end}",
                "the days between {start} and {end}",
                "the length in days of the time from {start} until {end}",
            ),
            compares="size",
        ),
        found="it is {out} days from {start} to {end}",
        answers=("There are {out} days between {start} and {end}.", "It is {out} days."),
    ),
    Intent(
        tool=add_days,
        slots={"date": _DAY, "days": DAYS},
        goals=(
            "add {days} to {date}",
            "find the date {days} after {date}",
            "count {days} on from {date}",
            "move {days} forward from {date}",
        ),
        asks=(
            "What date is {days} after {date}?",
            "A project starts on {date} and takes {days}. On what date does it end?",
            "I borrowed a book on {date} for {days}. When is it due?",
            "Something was ordered on {date} and needs {days}. When will it be there?",
            "If I start on {date}, where in the calendar am I after {days} more?",
        ),
        gives=Gives(
            kind="date",
            nouns=(
                "the date {days} after {date}",
                "the day that comes {days} after {date}",
                "the date {days} on from {date}",
            ),
            compares="date",
        ),
        found="{days} after {date} it is {out}",
        answers=("The date is {out}.", "{days} after {date} it is {out}."),
    ),
    Intent(
        tool=add_months,
        slots={"date": DATE, "months": _MONTHS},
        goals=("add {months} to {date}", "find the date {months} after {date}", "go {months} forward from {date}"),
        asks=(
            "What date is it {months} after {date}?",
            "A contract of {months} begins on {date}. When does it end?",
            "I pay from {date} for {months}. On which date is it over?",
        ),
        gives=Gives(
            kind="date",
            nouns=(
                "the date {months} after {date}",
                "the day {months} later than {date}",
                "the date {months} on from {date}",
            ),
            compares="date",
        ),
        found="{months} after {date} it is {out}",
        answers=("The date is {out}.", "{months} after {date} it is {out}."),
    ),
    Intent(
        tool=weekday_of,
        slots={"date": _DAY},
        goals=(
            "find the weekday of {date}",
            "look up which day of the week {date} is",
            "tell the weekday on which {date} falls",
        ),
        asks=(
            "Which day of the week is {date}?",
            "I was born on {date}. What weekday was that?",
            "On what weekday does {date} fall?",
        ),
        gives=Gives(
            kind="weekday",
            nouns=("the weekday of {date}", "the day of the week on {date}", "the weekday on which {date} falls"),
            compares="|".join(WEEKDAYS),
        ),
        found="{date} is a {out}",
        answers=("{date} is a {out}.", "It is a {out}."),
    ),
    Intent(
        tool=age_on,
        slots={"birthday": _BIRTHDAY, "date": DATE},
        fits=lambda v: bool(v["birthday"] < v["date"]),
        goals=(
            "work out how old somebody born on {birthday} is on {date}",
            "find the age on {date} of a person born {birthday}",
            "tell the age in years on {date}, the birthday being {birthday}",
        ),
        asks=(
            "My aunt was born on {birthday}. How old is she on {date}?",
            "How old is a person on {date} who was born on {birthday}?",
            "With {birthday} as the birthday, how many years old is one on {date}?",
        ),
        gives=Gives(
            kind="count",
            nouns=(
                "the age on {date} of somebody born on {birthday}",
                "the age in years on {date} for the birthday {birthday}",
                "the years of age on {date} of a person born {birthday}",
            ),
            compares="size",
        ),
        found="the age on {date} is {out} years",
        answers=("The age is {out}.", "On {date} the person is {out} years old."),
    ),
    Intent(
        tool=week_number,
        slots={"date": DATE},
        goals=(
            "find the week number of {date}",
            "look up the ISO week of {date}",
            "tell in which week of the year {date} is",
        ),
        asks=(
            "Which week of the year is {date} in?",
            "My planner counts weeks. Which number has the week of {date}?",
            "In what calendar week is {date}?",
        ),
        gives=Gives(
            kind="count",
            read="week",
            nouns=("the week number of {date}", "the ISO week of {date}", "the calendar week that {date} is in"),
            compares="size",
        ),
        found="{date} is in week {out}",
        answers=("{date} is in week {out}.", "It is week {out}."),
    ),
    Intent(
        tool=business_days,
        slots={"start": DATE, "end": DATE},
        fits=_apart,
        goals=(
            "count the business days from {start} to {end}",
            "find how many days from Monday to Friday there are between {start} and {end}",
            "tell the number of working days in the time {start} to {end}",
        ),
        asks=(
            "How many business days are there from {start} to {end}?",
            "An office is open on weekdays. How many days does it open from {start} to {end}?",
            "Leaving out weekends, how many days are it from {start} until {end}?",
        ),
        gives=Gives(
            kind="count",
            nouns=(
                "the number of business days from {start} to {end}",
                "the business days between {start} and {end}",
                "the count of working days from {start} until {end}",
            ),
            compares="size",
        ),
        found="there are {out} business days from {start} to {end}",
        answers=("There are {out} business days from {start} to {end}.", "It is {out} business days."),
        rivals=("days_between",),
    ),
)

CATEGORY = Category(
    name="time",
    tools=(
        convert_time,
        time_difference,
        days_between,
        add_days,
        add_months,
        weekday_of,
        age_on,
        week_number,
        business_days,
    ),
    intents=_INTENTS,
    held_out=("week_number", "business_days"),
    detours={
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
