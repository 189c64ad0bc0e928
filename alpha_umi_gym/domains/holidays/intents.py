"""Public holidays: which there are, when they were, and on which days a country works."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.holidays.slots import (
    COUNTRY,
    DAY,
    EASTER_YEAR,
    EVE,
    FEAST,
    FESTIVE,
    HOLIDAY,
    MONTH,
    YEAR,
    any_in_month,
    festive,
    kept,
    on_file,
    parts,
    with_dates,
)
from alpha_umi_gym.domains.holidays.tools import (
    count_holidays,
    easter_date,
    holiday_date,
    holidays_in_month,
    kind_of_day,
    names_of,
    next_holiday,
    next_working_day,
    previous_holiday,
)
from alpha_umi_gym.intents import Category, Gives, Intent
from alpha_umi_gym.slots import DATE

_RIVALS = ("holidays_in_month",)


def _neighbour(tool: Any, *, first: str, after: str, next_: str) -> tuple[Intent, Intent]:
    """Intents for the date and for the name of the holiday next to a date."""
    return (
        _date_of_neighbour(tool, first=first, after=after, next_=next_),
        _name_of_neighbour(tool, first=first, after=after, next_=next_),
    )


def _date_of_neighbour(tool: Any, *, first: str, after: str, next_: str) -> Intent:
    return Intent(
        tool=tool,
        slots={"country": COUNTRY, "date": DATE},
        fits=on_file,
        goals=(
            f"find the date of the {first} public holiday in {{country}} {after} {{date}}",
            f"look up when {{country}} has its {next_} public holiday {after} {{date}}",
            f"get the date on which {{country}} has its {first} public holiday {after} {{date}}",
            f"tell on which date {{country}} keeps the {next_} public holiday {after} {{date}}",
        ),
        asks=(
            f"On what date is the {first} public holiday of {{country}} {after} {{date}}?",
            f"When does {{country}} have its {next_} public holiday {after} {{date}}?",
            f"I work in {{country}}. Which date is the {first} public holiday {after} {{date}}?",
            f"In {{country}}, when is the {first} public holiday {after} {{date}}?",
            f"My diary of {{country}} is open at {{date}}. What date has the {first} public holiday {after} it?",
        ),
        gives=Gives(
            kind="date",
            read="date",
            nouns=(
                f"the date of the {first} public holiday in {{country}} {after} {{date}}",
                f"the date of the {next_} public holiday of {{country}} {after} {{date}}",
                f"the date on which {{country}} has its {first} public holiday {after} {{date}}",
                f"the day of the {first} public holiday that {{country}} has {after} {{date}}",
            ),
            compares="date",
        ),
        found=f"the {first} public holiday in {{country}} {after} {{date}} is on {{out}}",
        answers=(
            f"The {first} public holiday in {{country}} {after} {{date}} is on {{out}}.",
            "It is on {out}.",
        ),
        rivals=_RIVALS,
    )


def _name_of_neighbour(tool: Any, *, first: str, after: str, next_: str) -> Intent:
    return Intent(
        tool=tool,
        slots={"country": COUNTRY, "date": DATE},
        fits=on_file,
        goals=(
            f"find the name of the {first} public holiday in {{country}} {after} {{date}}",
            f"look up which public holiday of {{country}} is the {first} {after} {{date}}",
            f"tell which public holiday {{country}} has as the {next_} one {after} {{date}}",
        ),
        asks=(
            f"Which public holiday is the {first} in {{country}} {after} {{date}}?",
            f"What does {{country}} call its {next_} public holiday {after} {{date}}?",
            f"Of the public holidays in {{country}}, which one is the {first} {after} {{date}}?",
        ),
        gives=Gives(
            kind="holiday",
            read="name",
            nouns=(
                f"the name of the {first} public holiday in {{country}} {after} {{date}}",
                f"the name of the {next_} public holiday in {{country}} {after} {{date}}",
                f"the public holiday that is the {first} in {{country}} {after} {{date}}",
            ),
        ),
        found=f"the {first} public holiday in {{country}} {after} {{date}} is {{out}}",
        answers=(f"The {first} public holiday in {{country}} {after} {{date}} is {{out}}.", "It is {out}."),
        rivals=_RIVALS,
        weight=0.6,
    )


_INTENTS = (
    Intent(
        tool=kind_of_day,
        slots={"country": COUNTRY, "date": DAY},
        fits=on_file,
        goals=(
            "find out what kind of day {date} is in {country}",
            "look up what sort of day {date} is in {country}",
            "check if people in {country} have {date} off",
            "tell what kind of day the calendar of {country} shows for {date}",
        ),
        asks=(
            "In {country}, what kind of day is {date}?",
            "Do people in {country} have {date} off?",
            "Are the offices in {country} open on {date}, or what kind of day is it?",
            "I need a bank in {country} on {date}. What sort of day is that there?",
            "Do people in {country} go to work on {date}?",
        ),
        gives=Gives(
            kind="day_kind",
            read="kind",
            say=lambda out: f"a {out}",
            facts=lambda out: [out],
            nouns=(
                "the kind of day that {date} is in {country}",
                "the sort of day {date} is in {country}",
                "the kind of day the calendar of {country} shows for {date}",
            ),
            compares="a public holiday|a weekend day|a working day",
        ),
        found="{date} is {out} in {country}",
        answers=("In {country} {date} is {out}.", "It is {out}."),
        rivals=("holidays_in_month", "next_holiday", "previous_holiday", "next_working_day"),
        weight=1.5,
    ),
    Intent(
        tool=kind_of_day,
        slots={"country": COUNTRY, "date": FESTIVE},
        fits=festive,
        goals=(
            "find the name of the public holiday that {country} has on {date}",
            "look up which public holiday is on {date} in {country}",
            "tell for which holiday {country} has {date} off",
        ),
        asks=(
            "Which public holiday does {country} have on {date}?",
            "Everything was closed in {country} on {date}. For which holiday?",
            "What do people in {country} celebrate on {date}?",
        ),
        gives=Gives(
            kind="holiday",
            read="name",
            nouns=(
                "the name of the public holiday that {country} has on {date}",
                "the public holiday on {date} in {country}",
                "the holiday for which {country} has {date} off",
            ),
        ),
        found="{date} is {out} in {country}",
        answers=("In {country} {date} is {out}.", "It is {out}."),
        rivals=("holidays_in_month", "next_holiday", "previous_holiday"),
    ),
    Intent(
        tool=holiday_date,
        slots={"holiday": HOLIDAY, "country": COUNTRY, "year": YEAR},
        fits=kept,
        goals=(
            "find the date of {holiday} in {country} in {year}",
            "look up when {country} had {holiday} in {year}",
            "get the date on which {holiday} fell in {country} in {year}",
            "tell on which date {country} kept {holiday} in {year}",
        ),
        asks=(
            "When was {holiday} in {country} in {year}?",
            "On what date did {country} keep {holiday} in {year}?",
            "I spent {holiday} of {year} in {country}. Which date was that?",
            "In {year}, on which date was {holiday} a holiday in {country}?",
            "What date was {holiday} in {country} in the year {year}?",
        ),
        gives=Gives(
            kind="date",
            nouns=(
                "the date on which {holiday} fell in {country} in {year}",
                "the date on which {country} had {holiday} in {year}",
                "the date of {holiday} in {country} in {year}",
                "the day of {holiday} in {country} in {year}",
            ),
            compares="date",
        ),
        found="in {year} {country} had {holiday} on {out}",
        answers=("In {year} {country} had {holiday} on {out}.", "It was on {out}."),
        rivals=("holidays_in_month", "next_holiday", "previous_holiday", "easter_date"),
    ),
    Intent(
        tool=holiday_date,
        slots={"feast": FEAST, "year": YEAR},
        arguments=lambda v: {"holiday": v["feast"][0], "country": v["feast"][1], "year": v["year"]},
        fits=lambda v: v["feast"][0] in names_of(v["feast"][1], v["year"]),
        goals=(
            "find the date of {feast} in {year}",
            "look up when {feast} was in {year}",
            "get the date on which {feast} fell in {year}",
            "tell on what date people had {feast} in {year}",
        ),
        asks=(
            "When was {feast} in {year}?",
            "On what date did people have {feast} in {year}?",
            "I still have photos of {feast} from {year}. On which date did I take them?",
            "In {year}, which date was {feast}?",
        ),
        gives=Gives(
            kind="date",
            nouns=(
                "the date on which {feast} fell in {year}",
                "the date of {feast} in {year}",
                "the day of {feast} in {year}",
            ),
            compares="date",
        ),
        found="in {year} {feast} was on {out}",
        answers=("In {year} {feast} was on {out}.", "It was on {out}."),
        rivals=("holidays_in_month", "next_holiday", "previous_holiday"),
    ),
    *_neighbour(next_holiday, first="first", after="after", next_="next"),
    *_neighbour(previous_holiday, first="last", after="before", next_="most recent"),
    Intent(
        tool=holidays_in_month,
        slots={"country": COUNTRY, "year": YEAR, "month": MONTH},
        fits=any_in_month,
        goals=(
            "list the public holidays of {country} in {month} {year}",
            "look up which public holidays {country} had in {month} {year}",
            "find the public holidays in {country} in {month} {year} with their dates",
        ),
        asks=(
            "Which public holidays did {country} have in {month} {year}, and when?",
            "I am checking a bill from {country} for {month} {year}. Which public holidays fell on which dates?",
            "What were the public holidays in {country} in {month} {year} and their dates?",
        ),
        gives=Gives(
            kind="holidays",
            read="holidays",
            say=with_dates,
            facts=parts,
            nouns=(
                "the list of public holidays in {country} in {month} {year} with their dates",
                "the list of holidays and dates for {country} in {month} {year}",
                "the holiday calendar with dates of {country} for {month} {year}",
            ),
        ),
        found="in {month} {year} {country} had {out}",
        answers=("In {month} {year} {country} had {out}.", "In {country} there was {out}."),
        rivals=("next_holiday", "previous_holiday"),
    ),
    Intent(
        tool=holidays_in_month,
        slots={"country": COUNTRY, "year": YEAR, "month": MONTH},
        fits=on_file,
        goals=(
            "count the public holidays of {country} in {month} {year}",
            "find out how many public holidays {country} had in {month} {year}",
            "get the number of public holidays in {country} in {month} {year}",
        ),
        asks=(
            "How many public holidays did {country} have in {month} {year}?",
            "I was in {country} for all of {month} {year}. How many public holidays were there?",
            "How many public holidays fell into {month} {year} in {country}?",
        ),
        gives=Gives(
            kind="count",
            read="count",
            nouns=(
                "the number of public holidays in {country} in {month} {year}",
                "the count of public holidays that {country} had in {month} {year}",
                "the number of public holidays that {country} had in {month} {year}",
            ),
        ),
        found="the number of public holidays in {country} in {month} {year} is {out}",
        answers=("The number of public holidays in {country} in {month} {year} is {out}.", "It is {out}."),
        rivals=("next_holiday", "previous_holiday"),
        weight=0.6,
    ),
    Intent(
        tool=count_holidays,
        slots={"country": COUNTRY, "year": YEAR},
        fits=on_file,
        goals=(
            "count the public holidays of {country} in {year}",
            "find out how many public holidays {country} had in {year}",
            "look up the number of public holidays in {country} in {year}",
            "add up the public holidays that {country} kept in {year}",
            "get the number of public holidays that {country} had in {year}",
            "tell how many days of {year} were public holidays in {country}",
        ),
        asks=(
            "How many public holidays did {country} have in {year}?",
            "In {year}, how many public holidays were there in {country}?",
            "I am planning shifts by the calendar of {country} for {year}. How many public holidays does it have?",
            "How many days of {year} were public holidays in {country}?",
            "If I had lived in {country} in {year}, how many public holidays would I have had?",
            "The calendar of {country} for {year} is in front of you: how many public holidays are in it?",
        ),
        gives=Gives(
            kind="count",
            nouns=(
                "the number of public holidays in {country} in {year}",
                "the number of public holidays that {country} had in {year}",
                "the count of public holidays in {country} in {year}",
                "the number of days that were public holidays in {country} in {year}",
                "the total of public holidays in {country} for {year}",
                "the number of public holidays on the calendar of {country} for {year}",
            ),
            compares="size",
        ),
        found="the number of public holidays in {country} in {year} is {out}",
        answers=("The number of public holidays in {country} in {year} is {out}.", "It is {out}."),
        rivals=("holidays_in_month",),
    ),
    Intent(
        tool=next_working_day,
        slots={"country": COUNTRY, "date": EVE},
        fits=on_file,
        goals=(
            "find the first working day in {country} after {date}",
            "look up on which day {country} next works after {date}",
            "determine the next working day in {country} after {date}",
            "get the date of the first day after {date} on which {country} works",
        ),
        asks=(
            "What is the first working day in {country} after {date}?",
            "An office in {country} got my letter on {date}. It answers on the next working day; which date is that?",
            "On what date do people in {country} go back to work after {date}?",
            "A transfer to {country} was sent on {date} and arrives on the next working day there. Which date is it?",
            "Once {date} is over, which date is the next working day in {country}?",
        ),
        gives=Gives(
            kind="date",
            nouns=(
                "the first working day in {country} after {date}",
                "the next working day of {country} after {date}",
                "the date of the next working day in {country} after {date}",
                "the first day after {date} on which {country} works",
            ),
            compares="date",
        ),
        found="the first working day in {country} after {date} is {out}",
        answers=("The first working day in {country} after {date} is {out}.", "It is {out}."),
        rivals=("kind_of_day", "next_holiday", "holidays_in_month"),
    ),
    Intent(
        tool=easter_date,
        slots={"year": EASTER_YEAR},
        goals=(
            "find the date of Easter Sunday in {year}",
            "look up when Easter was in {year}",
            "calculate on which date Easter Sunday fell in {year}",
            "get the date of western Easter in {year}",
            "work out the date on which Easter was kept in {year}",
            "determine Easter Sunday of {year}",
        ),
        asks=(
            "When was Easter in {year}?",
            "On what date was Easter Sunday in {year}?",
            "My brother was born on the Easter Sunday of {year}. What date is his birthday?",
            "Easter moves about. Which date did it have in {year}?",
            "On which date did people look for eggs on Easter Sunday in {year}?",
            "What was the date of Easter in the year {year}?",
        ),
        gives=Gives(
            kind="date",
            nouns=(
                "the date of Easter Sunday in {year}",
                "the date of Easter in {year}",
                "the day of Easter Sunday in {year}",
                "the date on which Easter fell in {year}",
                "the date of western Easter in {year}",
                "the day on which Easter Sunday was kept in {year}",
            ),
            compares="date",
        ),
        found="in {year} Easter Sunday was on {out}",
        answers=("In {year} Easter Sunday was on {out}.", "It was on {out}."),
        rivals=("holiday_date", "holidays_in_month", "next_holiday", "previous_holiday"),
        weight=1.5,
    ),
    Intent(
        tool=easter_date,
        slots={"year": EASTER_YEAR},
        arguments=lambda v: {"year": v["year"], "church": "orthodox"},
        goals=(
            "find the date of Orthodox Easter in {year}",
            "look up when Orthodox Easter was in {year}",
            "calculate on which date Orthodox Easter fell in {year}",
            "get the date of Easter Sunday in the Orthodox church in {year}",
            "work out when the Orthodox church kept Easter in {year}",
            "determine the Easter Sunday of {year} by the Orthodox reckoning",
        ),
        asks=(
            "When was Orthodox Easter in {year}?",
            "On what date did the Orthodox church have Easter in {year}?",
            "My grandmother is Orthodox. On which date did she celebrate Easter in {year}?",
            "By the Orthodox reckoning, when was Easter Sunday in {year}?",
            "Which date had the Easter of the Orthodox church in {year}?",
            "What date was Easter Sunday in {year} for Orthodox Christians?",
        ),
        gives=Gives(
            kind="date",
            nouns=(
                "the date of Orthodox Easter in {year}",
                "the date on which Orthodox Easter fell in {year}",
                "the day of Orthodox Easter in {year}",
                "the date of the Orthodox Easter Sunday in {year}",
                "the date of Easter in {year} for the Orthodox church",
                "the day on which Orthodox Christians kept Easter in {year}",
            ),
            compares="date",
        ),
        found="in {year} Orthodox Easter was on {out}",
        answers=("In {year} Orthodox Easter was on {out}.", "It was on {out}."),
    ),
)

CATEGORY = Category(
    name="holidays",
    tools=(
        kind_of_day,
        holiday_date,
        next_holiday,
        previous_holiday,
        holidays_in_month,
        count_holidays,
        next_working_day,
        easter_date,
    ),
    intents=_INTENTS,
    held_out=("count_holidays", "easter_date"),
    detours={
        "kind_of_day": ("holiday_date", "weekday_of", "business_days"),
        "holiday_date": ("kind_of_day", "easter_date"),
        "next_holiday": ("previous_holiday", "kind_of_day", "holiday_date", "next_working_day", "easter_date"),
        "previous_holiday": ("next_holiday", "kind_of_day", "holiday_date", "next_working_day", "easter_date"),
        "holidays_in_month": ("kind_of_day", "holiday_date", "easter_date"),
        "count_holidays": ("next_holiday", "previous_holiday", "kind_of_day", "holiday_date"),
        "next_working_day": ("previous_holiday", "holiday_date", "weekday_of", "business_days"),
        "easter_date": ("kind_of_day",),
    },
    closed_sets=(frozenset({"public holiday", "weekend day", "working day"}),),
)
