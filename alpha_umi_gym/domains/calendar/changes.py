"""What is wanted of a calendar beyond looking: events put in, moved, cancelled, and people invited."""

from __future__ import annotations

from dataclasses import replace

from alpha_umi_gym.domains.calendar import tools
from alpha_umi_gym.domains.calendar.slots import CLOCK, EVENT, GAP, LISTED, MINUTES, NEW_DATE, TITLE
from alpha_umi_gym.intents import Gives, Intent
from alpha_umi_gym.people import PERSON
from alpha_umi_gym.slots import CITY
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


_CREATED = Intent(
    tool=tools.create_event,
    words=_WORDS["create_event"],
    slots={"title": TITLE, "date": NEW_DATE, "start": CLOCK, "minutes": MINUTES},
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
    slots={"title": TITLE, "gap": GAP},
    arguments=lambda v: {"title": v["title"], **v["gap"]._asdict()},
    changes=True,
    weight=1.5,
)
_CREATED_UNTIL = replace(
    _CREATED, words=_WORDS["create_event_and_name_end"], gives=Gives(kind="clock", read="ends"), weight=0.7
)
CHANGING = (
    _CREATED,
    _CREATED_UNTIL,
    _CREATED_THERE,
    _CREATED_WITH,
    _CREATED_IN,
    Intent(tool=tools.cancel_event, words=_WORDS["cancel_event"], slots={"title": LISTED}, changes=True),
    Intent(
        tool=tools.cancel_event,
        words=_WORDS["cancel_event_and_name_date"],
        slots={"title": EVENT},
        gives=Gives(kind="date", read="date"),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=tools.add_attendee, words=_WORDS["add_attendee"], slots={"title": LISTED, "person": PERSON}, changes=True
    ),
    Intent(
        tool=tools.add_attendee,
        words=_WORDS["add_attendee_and_count"],
        slots={"title": LISTED, "person": PERSON},
        gives=Gives(kind="count", read="attendees"),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=tools.move_event,
        words=_WORDS["move_event"],
        slots={"title": LISTED, "new_date": NEW_DATE},
        changes=True,
        rivals=("create_event",),
    ),
    Intent(
        tool=tools.move_event,
        words=_WORDS["move_event_to_time"],
        slots={"title": LISTED, "new_date": NEW_DATE, "new_start": CLOCK},
        changes=True,
        rivals=("create_event",),
    ),
)
