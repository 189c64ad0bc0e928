"""Free time in the calendar: when there is some, and the gap itself, to put an event into."""

from __future__ import annotations

from dataclasses import replace

from alpha_umi_gym.domains.calendar.slots import BUSY_DATE, CLOCK, MINUTES, Gap
from alpha_umi_gym.domains.calendar.tools import free_slot
from alpha_umi_gym.intents import Gives, Intent
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


_FREE = Intent(
    tool=free_slot,
    words=_WORDS["free_slot"],
    slots={"minutes": MINUTES, "date": BUSY_DATE},
    gives=Gives(kind="free_time"),
    rivals=("list_events",),
)
_FREE_LATER = replace(
    _FREE,
    words=_WORDS["free_slot_not_before"],
    slots={**_FREE.slots, "not_before": CLOCK},
    gives=Gives(kind="free_time"),
    fits=lambda v: bool(v["not_before"] < "15:00"),
    weight=0.6,
)
_GAP = replace(
    _FREE,
    words=_WORDS["free_slot_gap"],
    gives=Gives(
        kind="gap",
        read=lambda result, values: Gap(values["date"], str(result), values["minutes"]),
        say=lambda gap: str(gap.start),
    ),
    root=False,
)
FREE = (_FREE, _FREE_LATER, _GAP)
