"""Sun and moon: when they rise, how high they stand, how long a day is, and what the moon looks like."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.sky import moon, tools
from alpha_umi_gym.intents import Category, Gives, Intent, Slot
from alpha_umi_gym.slots import CITY, DATE, MOMENT, counted
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)
_EDGE = Slot(
    kind="moment",
    draw=lambda d: (
        f"{d.date()} {d.any_value((4, 5, 6, 7, 8, 16, 17, 18, 19, 20, 21, 22)):02}:{d.any_value((0, 15, 30, 45)):02}"
    ),
    say=MOMENT.say,
    vague=MOMENT.vague,
)


def _clock(tool: Any, *, part: str = "", rivals: tuple[str, ...] = ()) -> Intent:
    """Intent for a time of day."""
    return Intent(
        tool=tool,
        words=_WORDS[f"{tool.__name__}_{part}" if part else tool.__name__],
        slots={"city": CITY, "date": DATE},
        arguments=(lambda v: {"city": v["city"], "date": v["date"], "part": part}) if part else None,
        gives=Gives(kind="clock"),
        rivals=rivals,
    )


def _duration(out: tuple[int, int]) -> str:
    return f"{out[0]} hours and {out[1]} minutes"


_INTENTS = (
    _clock(tools.sunrise, rivals=("day_length",)),
    _clock(tools.sunset, rivals=("day_length",)),
    _clock(tools.solar_noon, rivals=("sun_height",)),
    _clock(tools.twilight_time, part="dawn"),
    _clock(tools.twilight_time, part="dusk"),
    Intent(
        tool=tools.day_length,
        words=_WORDS["day_length"],
        slots={"city": CITY, "date": DATE},
        gives=Gives(
            kind="duration",
            read=lambda result, _: (result["hours"], result["minutes"]),
            say=_duration,
            facts=lambda out: [str(part) for part in out],
        ),
        rivals=("sunrise", "sunset"),
    ),
    Intent(
        tool=tools.day_length,
        words=_WORDS["day_length_in_minutes"],
        slots={"city": CITY, "date": DATE},
        gives=Gives(kind="count", read="total_minutes", say=lambda out: counted(out, "minute"), compares="size"),
        rivals=("sunrise", "sunset"),
    ),
    Intent(
        tool=tools.daylight_gap,
        words=_WORDS["daylight_gap"],
        slots={"city": CITY, "other_city": CITY, "date": DATE},
        fits=lambda v: v["city"] != v["other_city"],
        gives=Gives(kind="count", read="minutes", say=lambda out: counted(out, "minute"), compares="size"),
        rivals=("day_length", "sunrise", "sunset"),
    ),
    Intent(
        tool=tools.sun_height,
        words=_WORDS["sun_height"],
        slots={"city": CITY, "moment": MOMENT},
        gives=Gives(kind="number", say=lambda out: counted(out, "degree"), compares="size"),
    ),
    Intent(
        tool=tools.light_at,
        words=_WORDS["light_at"],
        slots={"city": CITY, "moment": _EDGE},
        gives=Gives(kind="light", compares="|".join(tools.LIGHTS)),
        rivals=("sun_height", "sunrise", "sunset", "twilight_time"),
    ),
)

_IMPOSSIBLE = ("02-30", "04-31", "06-31", "09-31", "11-31")
_DAY = Slot(
    kind="date",
    draw=DATE.draw,
    say=lambda value: DATE.say(value) if value[5:] not in _IMPOSSIBLE else (value,),
    vague=DATE.vague,
    unknown=lambda d: f"{d.integer(2015, 2024)}-{d.from_short_list(_IMPOSSIBLE)}",
)
_PHASE = Slot(kind="moon_name", draw=lambda d: d.any_value(moon.PRINCIPAL))
_SEASON = Slot(
    kind="season",
    draw=lambda d: d.any_value(("March equinox", "June solstice", "September equinox", "December solstice")),
)
_YEAR = Slot(
    kind="year",
    draw=lambda d: d.any_value(range(moon.FIRST_YEAR, moon.LAST_YEAR + 1)),
    vague=("that famous year", "the year of our wedding", "the year I told you about"),
    unknown=lambda d: d.from_short_list((1066, 1492, 1789, 1815, 2222, 2500)),
)

_ALMANAC = (
    Intent(
        tool=moon.moon_phase,
        words=_WORDS["moon_phase"],
        slots={"date": _DAY},
        gives=Gives(kind="moon_phase", read="phase", compares="|".join((*moon.PRINCIPAL, *moon.BETWEEN))),
        rivals=("next_moon",),
    ),
    Intent(
        tool=moon.moon_phase,
        words=_WORDS["moon_phase_lit"],
        slots={"date": _DAY},
        gives=Gives(kind="percent", read="lit_percent", say=lambda out: f"{out} percent", compares="size"),
        weight=0.7,
    ),
    Intent(
        tool=moon.next_moon,
        words=_WORDS["next_moon"],
        slots={"phase": _PHASE, "date": _DAY},
        gives=Gives(kind="date", compares="date"),
        rivals=("moon_phase",),
    ),
    Intent(
        tool=moon.season_start,
        words=_WORDS["season_start"],
        slots={"season": _SEASON, "year": _YEAR},
        gives=Gives(kind="date", compares="date"),
    ),
)
"""What the category sky asks of an almanac."""

CATEGORY = Category(
    name="sky",
    intents=(*_INTENTS, *_ALMANAC),
    alternatives={
        # Dawn is as long before noon as dusk after it, and so are sunrise and sunset.
        "sunrise": ("solar_noon", "twilight_time", "light_at", "sun_height", "daylight_gap"),
        "sunset": ("solar_noon", "twilight_time", "light_at", "sun_height", "daylight_gap"),
        "solar_noon": ("sunrise", "sunset", "twilight_time", "light_at"),
        "twilight_time": ("light_at", "sun_height"),
        "day_length": ("solar_noon", "light_at", "sun_height", "daylight_gap"),
        "daylight_gap": ("light_at", "sun_height"),
    },
    closed_sets=(frozenset(tools.LIGHTS), frozenset((*moon.PRINCIPAL, *moon.BETWEEN))),
)
