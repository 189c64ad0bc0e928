"""Intents about the moon and the seasons."""

from __future__ import annotations

from alpha_umi_gym.domains.sky.moon import (
    BETWEEN,
    FIRST_YEAR,
    LAST_YEAR,
    PRINCIPAL,
    moon_phase,
    next_moon,
    season_start,
)
from alpha_umi_gym.intents import Gives, Intent, Slot
from alpha_umi_gym.slots import DATE
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


_IMPOSSIBLE = ("02-30", "04-31", "06-31", "09-31", "11-31")
_DAY = Slot(
    kind="date",
    draw=DATE.draw,
    say=lambda value: DATE.say(value) if value[5:] not in _IMPOSSIBLE else (value,),
    vague=DATE.vague,
    unknown=lambda d: f"{d.integer(2015, 2024)}-{d.ours(_IMPOSSIBLE)}",
)
_PHASE = Slot(kind="moon_name", draw=lambda d: d.any_of(PRINCIPAL))
_SEASON = Slot(
    kind="season", draw=lambda d: d.any_of(("March equinox", "June solstice", "September equinox", "December solstice"))
)
_YEAR = Slot(
    kind="year",
    draw=lambda d: d.any_of(range(FIRST_YEAR, LAST_YEAR + 1)),
    vague=("that famous year", "the year of our wedding", "the year I told you about"),
    unknown=lambda d: d.ours((1066, 1492, 1789, 1815, 2222, 2500)),
)

ALMANAC_INTENTS = (
    Intent(
        tool=moon_phase,
        words=_WORDS["moon_phase"],
        slots={"date": _DAY},
        gives=Gives(kind="moon_phase", read="phase", compares="|".join((*PRINCIPAL, *BETWEEN))),
        rivals=("next_moon",),
    ),
    Intent(
        tool=moon_phase,
        words=_WORDS["moon_phase_lit"],
        slots={"date": _DAY},
        gives=Gives(kind="percent", read="lit_percent", say=lambda out: f"{out} percent", compares="size"),
        weight=0.7,
    ),
    Intent(
        tool=next_moon,
        words=_WORDS["next_moon"],
        slots={"phase": _PHASE, "date": _DAY},
        gives=Gives(kind="date", compares="date"),
        rivals=("moon_phase",),
    ),
    Intent(
        tool=season_start,
        words=_WORDS["season_start"],
        slots={"season": _SEASON, "year": _YEAR},
        gives=Gives(kind="date", compares="date"),
    ),
)
"""What the category sky asks of an almanac."""
