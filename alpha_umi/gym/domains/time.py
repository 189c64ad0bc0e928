"""Dates and clocks: real calendars and the real time zone database, past dates only in the tasks.

Owns the three time tools and the tasks that start from them. Knows nothing of the other domains' state.
"""

from __future__ import annotations

import datetime
import difflib
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from alpha_umi.gym.draft import Draft, DroppedTask
from alpha_umi.gym.world import Category, Scenario

_ZONES = """
    Amsterdam=Europe/Amsterdam Athens=Europe/Athens Auckland=Pacific/Auckland Bangkok=Asia/Bangkok
    Berlin=Europe/Berlin Bogota=America/Bogota Boston=America/New_York Brussels=Europe/Brussels Cairo=Africa/Cairo
    Chicago=America/Chicago Copenhagen=Europe/Copenhagen Delhi=Asia/Kolkata Denver=America/Denver Dubai=Asia/Dubai
    Dublin=Europe/Dublin Helsinki=Europe/Helsinki Honolulu=Pacific/Honolulu Istanbul=Europe/Istanbul
    Jakarta=Asia/Jakarta Karachi=Asia/Karachi Lagos=Africa/Lagos Lima=America/Lima Lisbon=Europe/Lisbon
    London=Europe/London Madrid=Europe/Madrid Manila=Asia/Manila Mumbai=Asia/Kolkata Nairobi=Africa/Nairobi
    Oslo=Europe/Oslo Paris=Europe/Paris Prague=Europe/Prague Rome=Europe/Rome Seattle=America/Los_Angeles
    Seoul=Asia/Seoul Shanghai=Asia/Shanghai Singapore=Asia/Singapore Sydney=Australia/Sydney Tokyo=Asia/Tokyo
    Toronto=America/Toronto Vienna=Europe/Vienna Warsaw=Europe/Warsaw Zurich=Europe/Zurich
"""
CITIES = dict(pair.split("=") for pair in _ZONES.split())
"""City -> time zone."""
_UNKNOWN_PLACES = ("Atlantis", "Gotham", "Narnia", "Mordor", "El Dorado", "Wakanda", "Zubrowka", "Hogwarts", "Utopia")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Moment = Annotated[str, Field(description="YYYY-MM-DD HH:MM")]
Date = Annotated[str, Field(description="YYYY-MM-DD")]


def convert_time(moment: Moment, from_city: str, to_city: str) -> str:
    """Convert a local time in one city to the local time in another."""
    try:
        local = datetime.datetime.strptime(moment, "%Y-%m-%d %H:%M")
    except ValueError:
        raise ValueError(f"'{moment[:40]}' is not a time like 2024-05-31 18:05") from None
    start, end = ZoneInfo(_zone(from_city)), ZoneInfo(_zone(to_city))
    return local.replace(tzinfo=start).astimezone(end).strftime("%Y-%m-%d %H:%M")


def days_between(start: Date, end: Date) -> int:
    """Count the days from one date to another."""
    return (_date(end) - _date(start)).days


def add_days(date: Date, days: int) -> dict[str, str]:
    """Add days to a date; tells the new date and its weekday."""
    try:
        moved = _date(date) + datetime.timedelta(days=days)
    except OverflowError:
        raise ValueError(f"{days} days lead out of the calendar") from None
    return {"date": str(moved), "weekday": WEEKDAYS[moved.weekday()]}


def _zone(city: str) -> str:
    known = {name.casefold(): zone for name, zone in CITIES.items()}
    if city.casefold() in known:
        return known[city.casefold()]
    close = difflib.get_close_matches(city[:40].capitalize(), CITIES, n=1, cutoff=0.7)
    raise LookupError(f"unknown city '{city[:40]}'" + (f", did you mean '{close[0]}'?" if close else ""))


def _date(text: str) -> datetime.date:
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not a date like 2024-05-31") from None


_CONVERT = (
    "When it is {moment} in {a}, what time is it in {b}?",
    "What is {moment} {a} time in {b}?",
    "A call starts at {moment} in {a}. When is that in {b}?",
    "Convert {moment} from {a} time to {b} time.",
    "My friend in {a} goes live on {moment}. What will the clock in {b} show?",
    "The match begins at {moment} local time in {a}; what time should I switch on in {b}?",
    "It is {moment} in {a} right now, so what do the clocks say in {b}?",
    "Please give me the {b} equivalent of {moment} in {a}.",
)


def _two_cities(d: Draft) -> tuple[str, str, str]:
    first, second = d.choose(list(CITIES)), d.choose(list(CITIES))
    if CITIES[first] == CITIES[second]:
        raise DroppedTask("same time zone")
    hour, minute = d.any_of(range(24)), d.any_of((0, 5, 10, 15, 20, 30, 40, 45, 50))
    return f"{d.date()} {hour:02}:{minute:02}", first, second


def _tell_time(d: Draft, result: str, moment: str, a: str, b: str) -> None:
    answers = (
        "When it is {moment} in {a}, it is {result} in {b}.",
        "In {b} it is {result}.",
        "That is {result} in {b}.",
    )
    d.answer(f"it is {result} in {b}", answers, facts=result.split(), moment=moment, a=a, b=b, result=result)


def _convert(d: Draft) -> None:
    moment, a, b = _two_cities(d)
    d.ask(_CONVERT, moment=moment, a=a, b=b)
    result = d.call(f"convert {moment} from {a} to {b}", "convert_time", moment=moment, from_city=a, to_city=b)
    _tell_time(d, result, moment, a, b)


def _convert_misspelt(d: Draft) -> None:
    moment, a, b = _two_cities(d)
    wrong = d.misspell(b)
    d.ask(_CONVERT, moment=moment, a=a, b=wrong)
    error = d.call_in_vain(
        f"convert {moment} from {a} to {wrong}", "convert_time", moment=moment, from_city=a, to_city=wrong
    )
    if f"'{b}'" not in error:
        raise DroppedTask("no suggestion")
    known = f"{wrong} is unknown, and {b} is meant"
    result = d.call(f"convert it to {b}", "convert_time", known=known, moment=moment, from_city=a, to_city=b)
    _tell_time(d, result, moment, a, b)


def _convert_nowhere(d: Draft) -> None:
    moment, a, _ = _two_cities(d)
    b = d.any_of(_UNKNOWN_PLACES)
    d.ask(_CONVERT, moment=moment, a=a, b=b)
    d.call_in_vain(f"convert {moment} from {a} to {b}", "convert_time", moment=moment, from_city=a, to_city=b)
    d.give_up(f"{b} is not a city the tool knows")


def _between(d: Draft) -> None:
    start, end = sorted((d.date(), d.date()))
    d.ask(
        (
            "How many days are there between {start} and {end}?",
            "How many days pass from {start} to {end}?",
            "I was hired on {start} and left on {end}. For how many days did I work there?",
            "Count the days from {start} until {end}.",
            "My visa runs from {start} to {end}. How many days is that?",
            "The warranty began {start} and ended {end}; tell me its length in days.",
            "Tell me how long it is from {start} up to {end}, in days.",
        ),
        start=start,
        end=end,
    )
    days = d.call(f"count the days from {start} to {end}", "days_between", start=start, end=end)
    answers = ("There are {days} days between {start} and {end}.", "It is {days} days.", "That makes {days} days.")
    d.answer(f"it is {days} days", answers, facts=[days], days=days, start=start, end=end)


def _add(d: Draft) -> None:
    date, days = d.date(), d.integer(5, 400)
    d.ask(
        (
            "What date is {days} days after {date}?",
            "Which day is it {days} days after {date}?",
            "I borrowed a book on {date} for {days} days. When is it due?",
            "A project starts on {date} and takes {days} days. On what date does it end?",
            "Add {days} days to {date}.",
            "If something was ordered on {date} and needs {days} days, when will it be there?",
            "Starting at {date}, where in the calendar am I after {days} more days?",
        ),
        days=days,
        date=date,
    )
    moved = d.call(f"add {days} days to {date}", "add_days", date=date, days=days)
    d.answer(
        f"the date is {moved['date']}",
        ("It is {weekday}, {date}.", "That is {date}, a {weekday}.", "{days} days later it is {weekday}, {date}."),
        facts=[moved["date"], moved["weekday"]],
        days=days,
        **moved,
    )


def _add_then_between(d: Draft) -> None:
    date, days, end = d.date(), d.integer(5, 60), d.date()
    if end <= date:
        raise DroppedTask("dates in the wrong order")
    d.ask(
        (
            "A course starts on {date} and lasts {days} days. How many days are there from its end to {end}?",
            "I leave on {date} for {days} days. When I am back, how many days are left until {end}?",
            "Take the day {days} days after {date}: how many days is it from then to {end}?",
            "The sale begins {date} and runs {days} days; how many days lie between its last day and {end}?",
            "A {days} day trip begins {date}. How many days separate the return from {end}?",
        ),
        date=date,
        days=days,
        end=end,
    )
    back = d.call(f"add {days} days to {date}", "add_days", date=date, days=days)["date"]
    left = d.call(f"count the days to {end}", "days_between", known=f"the end is {back}", start=back, end=end)
    answers = ("It ends on {back}, which is {left} days before {end}.", "From {back} to {end} it is {left} days.")
    d.answer(f"{left} days are left", answers, facts=[left], back=back, left=left, end=end)


def _between_then_pay(d: Draft) -> None:
    start, end = sorted((d.date(), d.date()))
    price = d.integer(3, 90)
    d.ask(
        (
            "Parking costs {price} dollars a day. What do I pay from {start} to {end}?",
            "A room costs {price} dollars per night. How much is it from {start} to {end}?",
            "I rent a locker at {price} dollars a day from {start} until {end}. What is the total?",
            "At {price} dollars a day, what did storage from {start} to {end} cost?",
            "The daily rate is {price} dollars; work out the bill for {start} through {end}.",
        ),
        price=price,
        start=start,
        end=end,
    )
    days = d.call(f"count the days from {start} to {end}", "days_between", start=start, end=end)
    product = f"{days} * {price}"
    total = d.call(f"calculate {product}", "calculate", known=f"it is {days} days", expression=product)
    answers = ("{days} days at {price} dollars cost {total} dollars.", "The total is {total} dollars.")
    d.answer(f"the total is {total} dollars", answers, facts=[total], days=days, price=price, total=total)


def _convert_then_add(d: Draft) -> None:
    moment, a, b = _two_cities(d)
    days = d.integer(3, 90)
    d.ask(
        (
            "It is {moment} in {a}. What date will it be in {b} {days} days later?",
            "A show in {a} starts at {moment}. What weekday is {days} days after its start, by the date in {b}?",
            "Take {moment} {a} time in {b}; which date is {days} days after that?",
            "By the calendar in {b}, what date follows {days} days after {moment} {a} time?",
            "Something happens at {moment} in {a}; name the date {days} days on as seen from {b}.",
        ),
        moment=moment,
        a=a,
        b=b,
        days=days,
    )
    there = d.call(f"convert {moment} from {a} to {b}", "convert_time", moment=moment, from_city=a, to_city=b)
    day = there.split()[0]
    moved = d.call(f"add {days} days to {day}", "add_days", known=f"in {b} it is {there}", date=day, days=days)
    answers = ("It will be {weekday}, {date}.", "{days} days later it is {weekday}, {date}, in {b}.")
    d.answer(f"the date is {moved['date']}", answers, facts=[moved["date"], moved["weekday"]], b=b, days=days, **moved)


def _impossible_date(d: Draft) -> None:
    year, days = d.any_of((2015, 2017, 2018, 2019, 2021, 2022, 2023)), d.integer(5, 400)
    date = f"{year}-{d.any_of(('02-29', '02-30', '04-31', '06-31', '09-31', '11-31'))}"
    d.ask(
        (
            "What date is {days} days after {date}?",
            "Add {days} days to {date}.",
            "My contract starts on {date}. When have {days} days passed?",
            "Which weekday comes {days} days after {date}?",
            "Starting at {date}, where in the calendar do {days} days lead?",
        ),
        days=days,
        date=date,
    )
    d.call_in_vain(f"add {days} days to {date}", "add_days", date=date, days=days)
    d.give_up(f"{date} is not a date of the calendar")


CATEGORY = Category(
    "time",
    (convert_time, days_between, add_days),
    (
        Scenario(kind="single", needs=("convert_time",), play=_convert),
        Scenario(kind="single", needs=("days_between",), play=_between),
        Scenario(kind="single", needs=("add_days",), play=_add),
        Scenario(kind="sequential", needs=("add_days", "days_between"), play=_add_then_between),
        Scenario(kind="sequential", needs=("days_between", "calculate"), play=_between_then_pay),
        Scenario(kind="sequential", needs=("convert_time", "add_days"), play=_convert_then_add),
        Scenario(kind="recovery", needs=("convert_time",), play=_convert_misspelt),
        Scenario(kind="unsolvable", needs=("convert_time",), play=_convert_nowhere),
        Scenario(kind="unsolvable", needs=("add_days",), play=_impossible_date),
    ),
)
