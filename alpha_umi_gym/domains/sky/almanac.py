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
    kind="season",
    draw=lambda d: d.any_of(("March equinox", "June solstice", "September equinox", "December solstice")),
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
        slots={"date": _DAY},
        goals=(
            "find the phase of the moon on {date}",
            "look up which phase the moon is in on {date}",
            "get the name of the moon's phase on {date}",
            "tell what the moon looks like on {date}",
            "determine the moon's phase on {date}",
            "check in which phase the moon is on {date}",
        ),
        asks=(
            "Which phase is the moon in on {date}?",
            "What does the moon look like on {date}?",
            "I paint the moon as it is on {date}. Which phase do I paint?",
            "What phase does the moon have on {date}?",
            "My calendar has lost its moon for {date}. Which phase belongs there?",
            "In which phase is the moon on {date}?",
        ),
        gives=Gives(
            kind="moon_phase",
            read="phase",
            nouns=(
                "the phase of the moon on {date}",
                "the moon's phase on {date}",
                "the name of the moon's phase on {date}",
                "the phase that the moon is in on {date}",
                "the lunar phase on {date}",
                "the phase in which the moon is on {date}",
            ),
            compares="|".join((*PRINCIPAL, *BETWEEN)),
        ),
        found="the phase of the moon on {date} is {out}",
        answers=("The phase of the moon on {date} is {out}.", "It is {out}."),
        rivals=("next_moon",),
    ),
    Intent(
        tool=moon_phase,
        slots={"date": _DAY},
        goals=(
            "find how many percent of the moon are lit on {date}",
            "look up the lit part of the moon in percent on {date}",
            "get the percentage of the moon that is lit on {date}",
            "work out how much of the moon is lit on {date}, in percent",
            "tell what percentage of the moon's disc is lit on {date}",
            "check how many percent of the moon's disc one sees lit on {date}",
        ),
        asks=(
            "How many percent of the moon are lit on {date}?",
            "What percentage of the moon is lit on {date}?",
            "How much of the moon's disc is lit on {date}, in percent?",
            "I am out at night on {date}. How many percent of the moon are lit?",
            "How full is the moon on {date}, as a percentage?",
            "What part of the moon's disc, in percent, is lit on {date}?",
        ),
        gives=Gives(
            kind="percent",
            read="lit_percent",
            say=lambda out: f"{out} percent",
            nouns=(
                "the percentage of the moon that is lit on {date}",
                "the lit part of the moon in percent on {date}",
                "the percentage of the moon's disc lit on {date}",
                "the share of the moon that is lit on {date}, in percent",
                "the lit share of the moon's disc in percent on {date}",
                "the percentage of the moon that one sees lit on {date}",
            ),
            compares="size",
        ),
        found="the lit part of the moon on {date} is {out}",
        answers=("On {date} the lit part of the moon is {out}.", "It is {out}."),
        weight=0.7,
    ),
    Intent(
        tool=next_moon,
        slots={"phase": _PHASE, "date": _DAY},
        goals=(
            "find the date of the next {phase} after {date}",
            "look up when the next {phase} after {date} is",
            "get the date on which the moon next has its {phase} after {date}",
            "tell on which date the {phase} comes round after {date}",
            "work out the date of the {phase} that follows {date}",
            "see when there is a {phase} next after {date}",
        ),
        asks=(
            "When is the next {phase} after {date}?",
            "On which date is the next {phase} after {date}?",
            "I sow my carrots at the {phase}. Which date is the next one after {date}?",
            "What is the date of the {phase} that follows {date}?",
            "After {date}, on what date is the next {phase}?",
            "The gardener waits for the {phase}. Which date is the next one after {date}?",
        ),
        gives=Gives(
            kind="date",
            nouns=(
                "the date of the next {phase} after {date}",
                "the day of the next {phase} after {date}",
                "the date of the {phase} that follows {date}",
                "the day on which the moon next has its {phase} after {date}",
                "the date of the {phase} that comes next after {date}",
                "the day of the {phase} following {date}",
            ),
            compares="date",
        ),
        found="the next {phase} after {date} is on {out}",
        answers=("The next {phase} after {date} is on {out}.", "It is on {out}."),
        rivals=("moon_phase",),
    ),
    Intent(
        tool=season_start,
        slots={"season": _SEASON, "year": _YEAR},
        goals=(
            "find the date of the {season} of {year}",
            "look up when the {season} was in {year}",
            "get the day on which the {season} of {year} fell",
            "tell on which date the {season} was in {year}",
            "check on what date the {season} fell in {year}",
            "look in the almanac for the date of the {season} of {year}",
        ),
        asks=(
            "When was the {season} in {year}?",
            "On which date was the {season} of {year}?",
            "Which day was the {season} in {year}?",
            "We celebrated the {season} of {year}. On which date was that?",
            "On what date did the {season} fall in {year}?",
            "I was born on the day of the {season} of {year}. Which date is that?",
        ),
        gives=Gives(
            kind="date",
            nouns=(
                "the date of the {season} of {year}",
                "the day of the {season} of {year}",
                "the date of the {season} in {year}",
                "the day on which the {season} of {year} fell",
                "the date on which the {season} fell in {year}",
                "the day of the {season} in {year}",
            ),
            compares="date",
        ),
        found="the {season} of {year} was on {out}",
        answers=("The {season} of {year} was on {out}.", "It was on {out}."),
    ),
)
"""What the category sky asks of an almanac."""
