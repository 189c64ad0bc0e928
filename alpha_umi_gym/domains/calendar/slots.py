"""What may fill the places of calendar requests: events there are, events to come, days, clocks and minutes."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any, NamedTuple

from alpha_umi_gym.domains.calendar.tools import calendar
from alpha_umi_gym.intents import Slot
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.slots import DATE

_PARTS = (
    ("weekly", "annual", "autumn", "winter", "joint", "informal", "company", "neighbours", "final", "volunteer"),
    ("standup", "barbecue", "retreat", "inventory", "hackathon", "concert", "training", "breakfast", "open house"),
)
NEW_TITLES = tuple(f"{first} {second}" for first in _PARTS[0] for second in _PARTS[1])
"""Titles that no event of a fresh world has."""
NO_EVENTS = ("llama festival", "moon landing", "pirate ball", "robot wedding", "dragon parade", "volcano hike")
_YEAR = (datetime.date(2024, 1, 1), datetime.date(2024, 12, 31))


def _quoted(value: Any) -> tuple[str, ...]:
    return (f"'{value}'", f"the {value}")


def _own_dates(d: Sampler) -> str:
    return d.split_value([event.date for event in calendar(d.world).events.values()])


LISTED = Slot(
    kind="event",
    draw=lambda d: d.split_value(list(calendar(d.world).events)),
    say=_quoted,
    vague=(
        "the event I told you about",
        "that appointment of mine",
        "the thing we have planned",
        "you know which event",
    ),
    unknown=lambda d: d.from_short_list(NO_EVENTS),
    slip=lambda d, value: d.misspell(value),
)
EVENT = replace(LISTED, kind="event_title")
"""An event whose date is asked: what is listed by date does not fit."""
TITLE = Slot(kind="title", draw=lambda d: d.split_value(NEW_TITLES), say=lambda value: (f"'{value}'",))
DAY = replace(DATE, draw=lambda d: d.date(*_YEAR))
NEW_DATE = replace(
    DAY,
    say=lambda value: (value,) if value in {"2024-02-30", "2024-06-31", "2024-11-31"} else DATE.say(value),
    unknown=lambda d: d.from_short_list(("2024-02-30", "2024-06-31", "2024-11-31")),
)
BUSY_DATE = replace(DATE, draw=_own_dates)


class Gap(NamedTuple):
    """A stretch of time with nothing in it."""

    date: str
    start: str
    minutes: int


GAP = Slot(
    kind="gap",
    say=lambda gap: (f"the {gap.minutes} minutes from {gap.start} on {gap.date}",),
    refer=("that gap", "that stretch of time"),
)
CLOCK = Slot(
    kind="clock",
    draw=lambda d: d.split_value([f"{hour:02}:{minute:02}" for hour in range(8, 19) for minute in (0, 15, 30, 45)]),
    refer=("that time", "the time you find"),
    vague=("the usual time", "the hour I told you", "the time we agreed on"),
)
MINUTES = Slot(
    kind="minutes",
    draw=lambda d: d.split_value(range(15, 125, 5)),
    say=lambda value: (f"{value} minutes",),
    refer=("that many minutes",),
    nests=False,
    vague=("the usual time", "the agreed number of minutes", "as many minutes as last time"),
)
