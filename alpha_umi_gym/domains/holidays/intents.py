"""Public holidays: which there are, when they were, and on which days a country works."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.holidays import slots, tools
from alpha_umi_gym.intents import Category, Gives, Intent
from alpha_umi_gym.slots import DATE
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def _neighbour(tool: Any) -> tuple[Intent, Intent]:
    """Intents for the date and for the name of the holiday next to a date."""
    dated = Intent(
        tool=tool,
        words=_WORDS[tool.__name__],
        slots={"country": slots.COUNTRY, "date": DATE},
        fits=slots.on_file,
        gives=Gives(kind="date", read="date", compares="date"),
        rivals=("holidays_in_month",),
    )
    name = Gives(kind="holiday", read="name")
    return dated, replace(dated, words=_WORDS[f"{tool.__name__}_name"], gives=name, weight=0.6)


_INTENTS = (
    Intent(
        tool=tools.kind_of_day,
        words=_WORDS["kind_of_day"],
        slots={"country": slots.COUNTRY, "date": slots.DAY},
        fits=slots.on_file,
        gives=Gives(
            kind="day_kind",
            read="kind",
            say=lambda out: f"a {out}",
            facts=lambda out: [out],
            compares="a public holiday|a weekend day|a working day",
        ),
        rivals=("holidays_in_month", "next_holiday", "previous_holiday", "next_working_day"),
        weight=1.5,
    ),
    Intent(
        tool=tools.kind_of_day,
        words=_WORDS["kind_of_day_name"],
        slots={"country": slots.COUNTRY, "date": slots.FESTIVE},
        fits=slots.festive,
        gives=Gives(kind="holiday", read="name"),
        rivals=("holidays_in_month", "next_holiday", "previous_holiday"),
    ),
    Intent(
        tool=tools.holiday_date,
        words=_WORDS["holiday_date"],
        slots={"holiday": slots.HOLIDAY, "country": slots.COUNTRY, "year": slots.YEAR},
        fits=slots.kept,
        gives=Gives(kind="date", compares="date"),
        rivals=("holidays_in_month", "next_holiday", "previous_holiday", "easter_date"),
    ),
    Intent(
        tool=tools.holiday_date,
        words=_WORDS["holiday_date_of_feast"],
        slots={"feast": slots.FEAST, "year": slots.YEAR},
        arguments=lambda v: {"holiday": v["feast"][0], "country": v["feast"][1], "year": v["year"]},
        fits=lambda v: v["feast"][0] in tools.names_of(v["feast"][1], v["year"]),
        gives=Gives(kind="date", compares="date"),
        rivals=("holidays_in_month", "next_holiday", "previous_holiday"),
    ),
    *_neighbour(tools.next_holiday),
    *_neighbour(tools.previous_holiday),
    Intent(
        tool=tools.holidays_in_month,
        words=_WORDS["holidays_in_month"],
        slots={"country": slots.COUNTRY, "year": slots.YEAR, "month": slots.MONTH},
        fits=slots.any_in_month,
        gives=Gives(kind="holidays", read="holidays", say=slots.with_dates, facts=slots.parts),
        rivals=("next_holiday", "previous_holiday"),
    ),
    Intent(
        tool=tools.holidays_in_month,
        words=_WORDS["holidays_in_month_count"],
        slots={"country": slots.COUNTRY, "year": slots.YEAR, "month": slots.MONTH},
        fits=slots.on_file,
        gives=Gives(kind="count", read="count"),
        rivals=("next_holiday", "previous_holiday"),
        weight=0.6,
    ),
    Intent(
        tool=tools.count_holidays,
        words=_WORDS["count_holidays"],
        slots={"country": slots.COUNTRY, "year": slots.YEAR},
        fits=slots.on_file,
        gives=Gives(kind="count", compares="size"),
        rivals=("holidays_in_month",),
    ),
    Intent(
        tool=tools.next_working_day,
        words=_WORDS["next_working_day"],
        slots={"country": slots.COUNTRY, "date": slots.EVE},
        fits=slots.on_file,
        gives=Gives(kind="date", compares="date"),
        rivals=("kind_of_day", "next_holiday", "holidays_in_month"),
    ),
    Intent(
        tool=tools.easter_date,
        words=_WORDS["easter_date"],
        slots={"year": slots.EASTER_YEAR},
        gives=Gives(kind="date", compares="date"),
        rivals=("holiday_date", "holidays_in_month", "next_holiday", "previous_holiday"),
        weight=1.5,
    ),
    Intent(
        tool=tools.easter_date,
        words=_WORDS["easter_date_orthodox"],
        slots={"year": slots.EASTER_YEAR},
        arguments=lambda v: {"year": v["year"], "church": "orthodox"},
        gives=Gives(kind="date", compares="date"),
    ),
)

CATEGORY = Category(
    name="holidays",
    intents=_INTENTS,
    held_out=("count_holidays", "easter_date"),
    alternatives={
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
