"""What a calendar is wanted for: when and where events are, who comes, free time, and changes of plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.calendar import tools
from alpha_umi_gym.domains.calendar.changes import CHANGING
from alpha_umi_gym.domains.calendar.free import FREE
from alpha_umi_gym.domains.calendar.slots import BUSY_DATE, DAY, EVENT, LISTED
from alpha_umi_gym.intents import Category, Gives, Intent, Values
from alpha_umi_gym.sampler import DroppedTask
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def _first(result: Any, _: Values) -> str:
    if not result["events"]:
        raise DroppedTask("no event on that date")
    return str(result["events"][0]["title"])


def _titles(result: Any, _: Values) -> list[str]:
    return [event["title"] for event in result["events"]] or [_first(result, {})]


def _all_of(values: Any) -> str:
    return ", ".join(f"{value}" for value in values)


_LOOKING = (
    Intent(
        tool=tools.list_events,
        words=_WORDS["list_events_count"],
        slots={"date": BUSY_DATE},
        gives=Gives(kind="number", read="count", compares="size"),
        rivals=("count_events",),
        weight=0.5,
    ),
    Intent(
        tool=tools.list_events,
        words=_WORDS["list_events_first"],
        slots={"date": BUSY_DATE},
        gives=Gives(kind="event", read=_first),
    ),
    Intent(
        tool=tools.list_events,
        words=_WORDS["list_events"],
        slots={"date": BUSY_DATE},
        gives=Gives(kind="titles", read=_titles, say=_all_of, facts=list),
        weight=0.5,
    ),
    Intent(
        tool=tools.find_event,
        words=_WORDS["find_event_date"],
        slots={"title": EVENT},
        gives=Gives(kind="date", read="date", compares="date"),
        weight=2,
    ),
    Intent(
        tool=tools.find_event,
        words=_WORDS["find_event_start"],
        slots={"title": LISTED},
        gives=Gives(kind="clock", read="start"),
    ),
    Intent(
        tool=tools.find_event,
        words=_WORDS["find_event_moment"],
        slots={"title": EVENT},
        gives=Gives(
            kind="moment", read=lambda result, _: f"{result['date']} {result['start']}", facts=lambda out: out.split()
        ),
        weight=0.7,
    ),
    Intent(
        tool=tools.find_event,
        words=_WORDS["find_event_city"],
        slots={"title": LISTED},
        gives=Gives(kind="city", read="city"),
        weight=2,
    ),
    Intent(
        tool=tools.participants,
        words=_WORDS["participants_organizer"],
        slots={"title": LISTED},
        gives=Gives(kind="person", read="organizer"),
        weight=2,
    ),
    Intent(
        tool=tools.participants,
        words=_WORDS["participants_count"],
        slots={"title": LISTED},
        gives=Gives(kind="count", read="attendees", compares="size"),
    ),
    Intent(
        tool=tools.participants,
        words=_WORDS["participants"],
        slots={"title": LISTED},
        gives=Gives(kind="names", read="names", say=_all_of, facts=list),
        weight=0.5,
    ),
)

_LASTS = Intent(
    tool=tools.event_length,
    words=_WORDS["event_length"],
    slots={"title": LISTED},
    gives=Gives(kind="count", compares="size"),
)
_COUNTED = Intent(
    tool=tools.count_events,
    words=_WORDS["count_events"],
    slots={"first_day": DAY, "last_day": DAY},
    gives=Gives(kind="number", compares="size"),
    fits=lambda v: bool(v["first_day"] < v["last_day"]),
)

assert _LASTS.gives is not None

CATEGORY = Category(
    name="calendar",
    tools=(
        tools.list_events,
        tools.find_event,
        tools.participants,
        tools.event_length,
        tools.free_slot,
        tools.count_events,
        tools.create_event,
        tools.move_event,
        tools.cancel_event,
        tools.add_attendee,
    ),
    intents=(
        *_LOOKING,
        _LASTS,
        replace(_LASTS, gives=replace(_LASTS.gives, kind="minutes"), root=False),
        *FREE,
        _COUNTED,
        *CHANGING,
    ),
    held_out=("move_event", "count_events"),
    detours={
        # A time that is taken cannot be had, and the error says from when to when it is taken, and by what.
        "list_events": ("free_slot", "create_event", "move_event", "find_event"),
        "find_event": ("list_events", "free_slot", "create_event", "move_event"),
        "event_length": ("free_slot", "create_event", "move_event"),
        "free_slot": ("create_event", "move_event"),
        "count_events": ("find_event",),
    },
)
