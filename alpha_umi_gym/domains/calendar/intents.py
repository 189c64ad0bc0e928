"""What a calendar is wanted for: when and where events are, who comes, free time, and changes of plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.calendar.changes import CHANGING
from alpha_umi_gym.domains.calendar.free import FREE
from alpha_umi_gym.domains.calendar.slots import BUSY_DATE, DAY, EVENT, LISTED
from alpha_umi_gym.domains.calendar.tools import (
    add_attendee,
    cancel_event,
    count_events,
    create_event,
    event_length,
    find_event,
    free_slot,
    list_events,
    move_event,
    participants,
)
from alpha_umi_gym.intents import Category, Gives, Intent, Values
from alpha_umi_gym.sampler import DroppedTask


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
        tool=list_events,
        slots={"date": BUSY_DATE},
        goals=(
            "count the events in the calendar on {date}",
            "check how many events the calendar has on {date}",
            "find out how many entries there are in the calendar on {date}",
        ),
        asks=(
            "How many events do I have on {date}?",
            "How full is my calendar on {date}? Give me the number of events.",
            "I may take a day off on {date}. How many events would I miss?",
            "How many things are planned for {date}?",
        ),
        gives=Gives(
            kind="number",
            read="count",
            nouns=(
                "the number of events on {date}",
                "the number of calendar entries on {date}",
                "the count of events planned for {date}",
            ),
            compares="size",
        ),
        found="the number of events on {date} is {out}",
        answers=("The number of events on {date} is {out}.", "On {date} the number of events is {out}."),
        rivals=("count_events",),
        weight=0.5,
    ),
    Intent(
        tool=list_events,
        slots={"date": BUSY_DATE},
        goals=(
            "find the first event on {date}",
            "look up which event is the first on {date}",
            "see what comes first in the calendar on {date}",
            "tell which event opens {date} in the calendar",
        ),
        asks=(
            "What is first in my calendar on {date}?",
            "I get up late on {date}. Which event comes first that day?",
            "With which event does {date} begin?",
            "Which is the earliest event on {date}?",
        ),
        gives=Gives(
            kind="event",
            read=_first,
            nouns=(
                "the first event on {date}",
                "the earliest event on {date}",
                "the event that opens the day on {date}",
                "the first entry in the calendar on {date}",
                "the event that comes first on {date}",
                "the event that starts first on {date}",
            ),
        ),
        found="the first event on {date} is '{out}'",
        answers=("The first event on {date} is the {out}.", "It is the {out}."),
    ),
    Intent(
        tool=list_events,
        slots={"date": BUSY_DATE},
        goals=(
            "list the events on {date}",
            "look up everything that is planned for {date}",
            "go through the calendar of {date}",
            "read out what the calendar says for {date}",
        ),
        asks=(
            "What is in my calendar on {date}?",
            "Which events do I have on {date}?",
            "What are my plans for {date}?",
            "I forgot what happens on {date}. Can you look at my calendar?",
        ),
        gives=Gives(
            kind="titles",
            read=_titles,
            nouns=(
                "the list of events on {date}",
                "the list of what is planned for {date}",
                "everything that the calendar has on {date}",
            ),
            say=_all_of,
            facts=list,
        ),
        found="on {date} the calendar has: {out}",
        answers=("On {date} there is: {out}.", "In the calendar on {date}: {out}."),
        weight=0.5,
    ),
    Intent(
        tool=find_event,
        slots={"title": EVENT},
        goals=(
            "look up the date of {title}",
            "find out on which day {title} takes place",
            "check on what date {title} is",
            "see for which date {title} is planned",
        ),
        asks=(
            "On which date is {title}?",
            "What day is {title}?",
            "I have to book a sitter for {title}. Which date is it?",
            "For which day have I put down {title}?",
            "My boss wants to know the day of {title}. Which date is that?",
        ),
        gives=Gives(
            kind="date",
            read="date",
            nouns=(
                "the date of {title}",
                "the date on which {title} takes place",
                "the date in the calendar for {title}",
                "the date {title} is planned for",
            ),
            compares="date",
        ),
        found="{title} is on {out}",
        answers=("{title} is on {out}.", "The date of {title} is {out}."),
        weight=2,
    ),
    Intent(
        tool=find_event,
        slots={"title": LISTED},
        goals=(
            "look up at what time {title} starts",
            "find the starting time of {title}",
            "check when {title} begins",
        ),
        asks=(
            "At what time does {title} start?",
            "I do not want to be late for {title}. What time does it begin?",
            "What time should I be at {title}?",
            "From what time on is {title}?",
        ),
        gives=Gives(
            kind="clock",
            read="start",
            nouns=("the starting time of {title}", "the time at which {title} starts", "the time when {title} begins"),
        ),
        found="{title} starts at {out}",
        answers=("{title} starts at {out}.", "It starts at {out}."),
    ),
    Intent(
        tool=find_event,
        slots={"title": EVENT},
        goals=(
            "look up the date and time of {title}",
            "find out on which day and at what time {title} begins",
            "check the day and the hour of {title}",
        ),
        asks=(
            "When is {title}? I need the date and the time.",
            "On which day and at what time does {title} begin?",
            "Somebody asks when to come to {title}. Give me date and time.",
        ),
        gives=Gives(
            kind="moment",
            read=lambda result, _: f"{result['date']} {result['start']}",
            nouns=(
                "the date and time of {title}",
                "the day and time at which {title} begins",
                "the date and the starting time of {title}",
            ),
            facts=lambda out: out.split(),
        ),
        found="{title} begins on {out}",
        answers=("{title} begins on {out}.", "The date and time of {title} are {out}."),
        weight=0.7,
    ),
    Intent(
        tool=find_event,
        slots={"title": LISTED},
        goals=(
            "look up in which city {title} takes place",
            "find the city of {title}",
            "check where {title} is held",
            "see to which city one has to go for {title}",
        ),
        asks=(
            "In which city is {title}?",
            "Where does {title} take place?",
            "I am buying train tickets for {title}. Which city is it in?",
            "Which city do I travel to for {title}?",
        ),
        gives=Gives(
            kind="city",
            read="city",
            nouns=(
                "the city of {title}",
                "the city where {title} takes place",
                "the city in which {title} is held",
                "the place of {title}",
            ),
        ),
        found="{title} is in {out}",
        answers=("{title} is in {out}.", "It takes place in {out}."),
        weight=2,
    ),
    Intent(
        tool=participants,
        slots={"title": LISTED},
        goals=(
            "find out who organizes {title}",
            "look up the organizer of {title}",
            "check by whom {title} is organized",
        ),
        asks=(
            "Who organizes {title}?",
            "Whom do I have to ask about {title}? Name the organizer.",
            "I would like to thank whoever set up {title}. Who is the organizer?",
            "Whose idea is {title}? I mean the organizer.",
        ),
        gives=Gives(
            kind="person",
            read="organizer",
            nouns=("the organizer of {title}", "the person who organizes {title}", "the one in charge of {title}"),
        ),
        found="{out} organizes {title}",
        answers=("{out} organizes {title}.", "The organizer of {title} is {out}."),
        weight=2,
    ),
    Intent(
        tool=participants,
        slots={"title": LISTED},
        goals=(
            "count the attendees of {title}",
            "find out how many people attend {title}",
            "look up how many attendees {title} has",
        ),
        asks=(
            "How many attendees does {title} have?",
            "I am ordering sandwiches for the attendees of {title}. How many attendees are there?",
            "How many people are down as attendees of {title}?",
        ),
        gives=Gives(
            kind="count",
            read="attendees",
            nouns=(
                "the number of attendees of {title}",
                "the number of people who attend {title}",
                "the count of attendees of {title}",
            ),
            compares="size",
        ),
        found="the number of attendees of {title} is {out}",
        answers=("The number of attendees of {title} is {out}.", "The event has this number of attendees: {out}."),
    ),
    Intent(
        tool=participants,
        slots={"title": LISTED},
        goals=(
            "list the attendees of {title}",
            "look up who attends {title}",
            "find the names of the attendees of {title}",
        ),
        asks=(
            "Who are the attendees of {title}?",
            "I am printing name tags for the attendees of {title}. Who are they?",
            "Which people are on the list of attendees of {title}?",
        ),
        gives=Gives(
            kind="names",
            read="names",
            nouns=(
                "the list of attendees of {title}",
                "the list of people who attend {title}",
                "the names on the list of attendees of {title}",
            ),
            say=_all_of,
            facts=list,
        ),
        found="the attendees of {title} are: {out}",
        answers=("The attendees of {title} are: {out}.", "On the list of attendees: {out}."),
        weight=0.5,
    ),
)

_LASTS = Intent(
    tool=event_length,
    slots={"title": LISTED},
    goals=(
        "find out how many minutes {title} lasts",
        "look up the length of {title} in minutes",
        "get the duration of {title} in minutes",
        "check how long {title} takes, in minutes",
    ),
    asks=(
        "How many minutes does {title} last?",
        "How long is {title}, in minutes?",
        "The parking ticket has to last as long as {title}. How many minutes is that?",
        "How many minutes of my day go to {title}?",
    ),
    gives=Gives(
        kind="count",
        nouns=(
            "the duration of {title} in minutes",
            "the number of minutes that {title} takes",
            "the length of {title} in minutes",
            "the number of minutes set aside for {title}",
        ),
        compares="size",
    ),
    found="{title} lasts {out} minutes",
    answers=("{title} lasts {out} minutes.", "It takes {out} minutes."),
)
_COUNTED = Intent(
    tool=count_events,
    slots={"first_day": DAY, "last_day": DAY},
    goals=(
        "count the events from {first_day} to {last_day}",
        "find out how many events the calendar has from {first_day} up to and including {last_day}",
        "tell how many events there are from {first_day} until {last_day}",
    ),
    asks=(
        "How many events are in my calendar from {first_day} to {last_day}?",
        "I was away from {first_day} to {last_day}. How many events did I miss?",
        "The period is {first_day} to {last_day}. How many events are in it?",
    ),
    gives=Gives(
        kind="number",
        nouns=(
            "the number of events from {first_day} to {last_day}",
            "the number of calendar entries in the period {first_day} to {last_day}",
            "the count of events from {first_day} until {last_day}",
        ),
        compares="size",
    ),
    found="the number of events from {first_day} to {last_day} is {out}",
    answers=("The number of events from {first_day} to {last_day} is {out}.", "The number of events is {out}."),
    fits=lambda v: bool(v["first_day"] < v["last_day"]),
)

assert _LASTS.gives is not None

CATEGORY = Category(
    name="calendar",
    tools=(
        list_events,
        find_event,
        participants,
        event_length,
        free_slot,
        count_events,
        create_event,
        move_event,
        cancel_event,
        add_attendee,
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
