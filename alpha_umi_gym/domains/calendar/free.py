"""Free time in the calendar: when there is some, and the gap itself, to put an event into."""

from __future__ import annotations

from dataclasses import replace

from alpha_umi_gym.domains.calendar.slots import BUSY_DATE, CLOCK, MINUTES, Gap
from alpha_umi_gym.domains.calendar.tools import free_slot
from alpha_umi_gym.intents import Gives, Intent

_FREE = Intent(
    tool=free_slot,
    slots={"minutes": MINUTES, "date": BUSY_DATE},
    goals=(
        "find the earliest free {minutes} on {date}",
        "look for the first time on {date} at which {minutes} are free",
        "search the calendar of {date} for the first gap of {minutes}",
        "see from what time on {minutes} are free on {date}",
    ),
    asks=(
        "When can I fit in {minutes} on {date} at the earliest?",
        "A customer wants {minutes} of my time on {date}. What is the earliest free time?",
        "From when are {minutes} free in my calendar on {date}, at the earliest?",
        "I need {minutes} for myself on {date}. When is the first gap that is long enough?",
    ),
    gives=Gives(
        kind="free_time",
        nouns=(
            "the first time on {date} at which {minutes} are free",
            "the earliest time on {date} with {minutes} free",
            "the start of the first gap of {minutes} on {date}",
        ),
    ),
    found="on {date} the earliest free time for {minutes} is {out}",
    answers=("On {date} {minutes} are free from {out}.", "The earliest free time on {date} is {out}."),
    rivals=("list_events",),
)
_FREE_LATER = replace(
    _FREE,
    slots={**_FREE.slots, "not_before": CLOCK},
    goals=(
        "find the earliest free {minutes} on {date}, not before {not_before}",
        "look for the first time on {date} at which {minutes} are free, counting from {not_before}",
        "see when, from {not_before} onwards, {minutes} are free on {date} at the earliest",
    ),
    asks=(
        "When are {minutes} free on {date}, at {not_before} or later? I want the earliest time.",
        "Before {not_before} I am not in the office on {date}. When can I have {minutes} at the earliest?",
        "Somebody needs {minutes} of me on {date} but cannot come before {not_before}. What is the earliest free time?",
    ),
    gives=Gives(
        kind="free_time",
        nouns=(
            "the earliest time on {date} with {minutes} free, not before {not_before}",
            "the first time on {date} at which {minutes} are free, {not_before} or later",
            "the start of the first gap of {minutes} on {date}, at {not_before} or later",
        ),
    ),
    found="on {date} the earliest free time for {minutes}, not before {not_before}, is {out}",
    fits=lambda v: bool(v["not_before"] < "15:00"),
    weight=0.6,
)
_GAP = replace(
    _FREE,
    gives=Gives(
        kind="gap",
        read=lambda result, values: Gap(values["date"], str(result), values["minutes"]),
        nouns=(
            "the first {minutes} that are free on {date}",
            "the earliest free {minutes} on {date}",
            "the first gap of {minutes} on {date}",
            "the first {minutes} on {date} that nothing else takes",
        ),
        say=lambda gap: str(gap.start),
    ),
    root=False,
)
FREE = (_FREE, _FREE_LATER, _GAP)
