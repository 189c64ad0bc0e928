"""What a calendar is wanted for: when and where events are, who comes, free time, and changes of plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.calendar import slots, tools
from alpha_umi_gym.intents import Category, Gives, Intent, Values
from alpha_umi_gym.people import PERSON
from alpha_umi_gym.sampler import DroppedTask
from alpha_umi_gym.slots import CITY
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)
_FREE = Intent(
    tool=tools.free_slot,
    words=_WORDS["free_slot"],
    slots={"minutes": slots.MINUTES, "date": slots.BUSY_DATE},
    gives=Gives(kind="free_time"),
    rivals=("list_events",),
)
_FREE_LATER = replace(
    _FREE,
    words=_WORDS["free_slot_not_before"],
    slots={**_FREE.slots, "not_before": slots.CLOCK},
    gives=Gives(kind="free_time"),
    fits=lambda v: bool(v["not_before"] < "15:00"),
    weight=0.6,
)
_GAP = replace(
    _FREE,
    words=_WORDS["free_slot_gap"],
    gives=Gives(
        kind="gap",
        read=lambda result, values: slots.Gap(values["date"], str(result), values["minutes"]),
        say=lambda gap: str(gap.start),
    ),
    root=False,
)
_FREE_TIMES = (_FREE, _FREE_LATER, _GAP)
_CREATED = Intent(
    tool=tools.create_event,
    words=_WORDS["create_event"],
    slots={"title": slots.TITLE, "date": slots.NEW_DATE, "start": slots.CLOCK, "minutes": slots.MINUTES},
    changes=True,
)
_CREATED_WITH = replace(
    _CREATED,
    words=_WORDS["create_event_with_attendee"],
    slots={**_CREATED.slots, "person": PERSON},
    arguments=lambda v: {**{name: value for name, value in v.items() if name != "person"}, "attendees": [v["person"]]},
    weight=0.6,
)
_CREATED_IN = replace(
    _CREATED, words=_WORDS["create_event_in_city"], slots={**_CREATED.slots, "city": CITY}, weight=0.6
)
_CREATED_THERE = Intent(
    tool=tools.create_event,
    words=_WORDS["create_event_in_gap"],
    slots={"title": slots.TITLE, "gap": slots.GAP},
    arguments=lambda v: {"title": v["title"], **v["gap"]._asdict()},
    changes=True,
    weight=1.5,
)
_CREATED_UNTIL = replace(
    _CREATED, words=_WORDS["create_event_and_name_end"], gives=Gives(kind="clock", read="ends"), weight=0.7
)
_CHANGING = (
    _CREATED,
    _CREATED_UNTIL,
    _CREATED_THERE,
    _CREATED_WITH,
    _CREATED_IN,
    Intent(tool=tools.cancel_event, words=_WORDS["cancel_event"], slots={"title": slots.LISTED}, changes=True),
    Intent(
        tool=tools.cancel_event,
        words=_WORDS["cancel_event_and_name_date"],
        slots={"title": slots.EVENT},
        gives=Gives(kind="date", read="date"),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=tools.add_attendee,
        words=_WORDS["add_attendee"],
        slots={"title": slots.LISTED, "person": PERSON},
        changes=True,
    ),
    Intent(
        tool=tools.add_attendee,
        words=_WORDS["add_attendee_and_count"],
        slots={"title": slots.LISTED, "person": PERSON},
        gives=Gives(kind="count", read="attendees"),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=tools.move_event,
        words=_WORDS["move_event"],
        slots={"title": slots.LISTED, "new_date": slots.NEW_DATE},
        changes=True,
        rivals=("create_event",),
    ),
    Intent(
        tool=tools.move_event,
        words=_WORDS["move_event_to_time"],
        slots={"title": slots.LISTED, "new_date": slots.NEW_DATE, "new_start": slots.CLOCK},
        changes=True,
        rivals=("create_event",),
    ),
)


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
        slots={"date": slots.BUSY_DATE},
        gives=Gives(kind="number", read="count", compares="size"),
        rivals=("count_events",),
        weight=0.5,
    ),
    Intent(
        tool=tools.list_events,
        words=_WORDS["list_events_first"],
        slots={"date": slots.BUSY_DATE},
        gives=Gives(kind="event", read=_first),
    ),
    Intent(
        tool=tools.list_events,
        words=_WORDS["list_events"],
        slots={"date": slots.BUSY_DATE},
        gives=Gives(kind="titles", read=_titles, say=_all_of, facts=list),
        weight=0.5,
    ),
    Intent(
        tool=tools.find_event,
        words=_WORDS["find_event_date"],
        slots={"title": slots.EVENT},
        gives=Gives(kind="date", read="date", compares="date"),
        weight=2,
    ),
    Intent(
        tool=tools.find_event,
        words=_WORDS["find_event_start"],
        slots={"title": slots.LISTED},
        gives=Gives(kind="clock", read="start"),
    ),
    Intent(
        tool=tools.find_event,
        words=_WORDS["find_event_moment"],
        slots={"title": slots.EVENT},
        gives=Gives(
            kind="moment", read=lambda result, _: f"{result['date']} {result['start']}", facts=lambda out: out.split()
        ),
        weight=0.7,
    ),
    Intent(
        tool=tools.find_event,
        words=_WORDS["find_event_city"],
        slots={"title": slots.LISTED},
        gives=Gives(kind="city", read="city"),
        weight=2,
    ),
    Intent(
        tool=tools.participants,
        words=_WORDS["participants_organizer"],
        slots={"title": slots.LISTED},
        gives=Gives(kind="person", read="organizer"),
        weight=2,
    ),
    Intent(
        tool=tools.participants,
        words=_WORDS["participants_count"],
        slots={"title": slots.LISTED},
        gives=Gives(kind="count", read="attendees", compares="size"),
    ),
    Intent(
        tool=tools.participants,
        words=_WORDS["participants"],
        slots={"title": slots.LISTED},
        gives=Gives(kind="names", read="names", say=_all_of, facts=list),
        weight=0.5,
    ),
)

_LASTS = Intent(
    tool=tools.event_length,
    words=_WORDS["event_length"],
    slots={"title": slots.LISTED},
    gives=Gives(kind="count", compares="size"),
)
_COUNTED = Intent(
    tool=tools.count_events,
    words=_WORDS["count_events"],
    slots={"first_day": slots.DAY, "last_day": slots.DAY},
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
        *_FREE_TIMES,
        _COUNTED,
        *_CHANGING,
    ),
    held_out=("move_event", "count_events"),
    alternatives={
        # A time that is taken cannot be had, and the error says from when to when it is taken, and by what.
        "list_events": ("free_slot", "create_event", "move_event", "find_event"),
        "find_event": ("list_events", "free_slot", "create_event", "move_event"),
        "event_length": ("free_slot", "create_event", "move_event"),
        "free_slot": ("create_event", "move_event"),
        "count_events": ("find_event",),
    },
)
