"""What is wanted of a calendar beyond looking: events put in, moved, cancelled, and people invited."""

from __future__ import annotations

from dataclasses import replace

from alpha_umi_gym.domains.calendar.slots import CLOCK, EVENT, GAP, LISTED, MINUTES, NEW_DATE, TITLE
from alpha_umi_gym.domains.calendar.tools import add_attendee, cancel_event, create_event, move_event
from alpha_umi_gym.intents import Gives, Intent
from alpha_umi_gym.people import PERSON
from alpha_umi_gym.slots import CITY

_CREATED = Intent(
    tool=create_event,
    slots={"title": TITLE, "date": NEW_DATE, "start": CLOCK, "minutes": MINUTES},
    goals=(
        "put an event called {title} into the calendar on {date} at {start} for {minutes}",
        "create the event {title} on {date}, starting at {start} and lasting {minutes}",
        "add {title} to the calendar: on {date} at {start}, {minutes} long",
        "schedule {title} for {date} at {start} with {minutes}",
    ),
    asks=(
        "I need a new event in my calendar: {title}, on {date}, from {start}, for {minutes}.",
        "We agreed on {date} at {start} for {title}. Please block {minutes} in my calendar.",
        "My calendar lacks {title}. It is on {date}, starts at {start} and lasts {minutes}. Put it in.",
        "Please note {title} on {date} in my calendar; it begins at {start} and takes {minutes}.",
    ),
    found="{title} is in the calendar on {date} at {start}",
    answers=("{title} is now in the calendar on {date} at {start}.", "I created {title} on {date} at {start}."),
    changes=True,
)
_CREATED_WITH = replace(
    _CREATED,
    slots={**_CREATED.slots, "person": PERSON},
    goals=(
        "put an event called {title} into the calendar on {date} at {start} for {minutes}, with {person} as attendee",
        "create the event {title} with {person} on {date}, starting at {start} and lasting {minutes}",
        "schedule {title} on {date} at {start} for {minutes} and invite {person} to it",
    ),
    asks=(
        "I need a new event in my calendar: {title} with {person}, on {date}, from {start}, for {minutes}.",
        "I meet {person} on {date} at {start} for {title}. Enter it with {minutes} and {person} as attendee.",
        "Plan {title} for {date}, {start}, {minutes} long, and put {person} on the list of attendees.",
    ),
    arguments=lambda v: {
        **{name: value for name, value in v.items() if name != "person"},
        "attendees": [v["person"]],
    },
    weight=0.6,
)
_CREATED_IN = replace(
    _CREATED,
    slots={**_CREATED.slots, "city": CITY},
    goals=(
        "put an event called {title} into the calendar on {date} at {start} for {minutes}, with {city} as the city",
        "create the event {title} in {city} on {date}, starting at {start} and lasting {minutes}",
        "schedule {title} in the city {city} for {date} at {start}, {minutes} long",
    ),
    asks=(
        "I need a new event in my calendar: {title} on {date}, from {start}, for {minutes}, in {city}.",
        "There will be {title} in {city} on {date} at {start}. Enter it with city and {minutes}.",
        "Enter {title} for {date}: it is in {city}, starts at {start} and takes {minutes}.",
    ),
    weight=0.6,
)
_CREATED_THERE = Intent(
    tool=create_event,
    slots={"title": TITLE, "gap": GAP},
    goals=(
        "put a new event called {title} into {gap}",
        "use {gap} for a new event with the title {title}",
        "fill {gap} with an event called {title}",
        "reserve {gap} for a new event, {title}",
    ),
    asks=(
        "I need time for {title}. Put it into the calendar as an event that takes {gap}.",
        "The event {title} should take {gap}. Please enter it in my calendar.",
        "Let {title} be a new event in my calendar; it is to take {gap}.",
        "My calendar needs an event called {title}. Give it {gap}.",
    ),
    found="{title} is in the calendar and takes {gap}",
    answers=("{title} is in the calendar now and takes {gap}.", "I created {title}; it takes {gap}."),
    arguments=lambda v: {"title": v["title"], **v["gap"]._asdict()},
    changes=True,
    weight=1.5,
)
_CREATED_UNTIL = replace(
    _CREATED,
    goals=(
        "put an event called {title} into the calendar on {date} at {start} for {minutes} and name the time it ends",
        "create the event {title} on {date}, starting at {start} and lasting {minutes}, and report when it is over",
        "schedule {title} for {date} at {start} with {minutes} and say at what time it ends",
    ),
    asks=(
        "Enter the event {title} on {date} from {start}, {minutes} long. At what time will it be over?",
        "Please block {minutes} for {title} on {date} at {start}. When does it end?",
        "My calendar lacks {title}, {minutes} on {date} from {start}. Put it in and tell me when it ends.",
    ),
    gives=Gives(
        kind="clock",
        read="ends",
        nouns=(
            "the end of {title} after you have put it into the calendar on {date} at {start} for {minutes}",
            "the time at which {title} ends once you have scheduled it on {date} at {start} for {minutes}",
            "the end of the event {title} that you create on {date} at {start} for {minutes}",
        ),
    ),
    found="{title} is in the calendar on {date} and ends at {out}",
    answers=("{title} is in the calendar and ends at {out}.", "I created {title}; it ends at {out}."),
    weight=0.7,
)
CHANGING = (
    _CREATED,
    _CREATED_UNTIL,
    _CREATED_THERE,
    _CREATED_WITH,
    _CREATED_IN,
    Intent(
        tool=cancel_event,
        slots={"title": LISTED},
        goals=(
            "cancel {title}",
            "take {title} off the calendar",
            "delete {title} from the calendar",
            "call off {title}",
        ),
        asks=(
            "I have no time for {title}. Please cancel it.",
            "Nobody wants to come to {title}, so remove it from the calendar.",
            "I will not go to {title}. Strike it from my calendar.",
            "There is no need for {title} any more; take it out of my plans.",
        ),
        found="{title} is cancelled",
        answers=("{title} is cancelled.", "I have taken {title} off the calendar."),
        changes=True,
    ),
    Intent(
        tool=cancel_event,
        slots={"title": EVENT},
        goals=(
            "cancel {title} and name the date it was planned for",
            "take {title} off the calendar and report which date it was on",
            "delete {title} from the calendar and say what its date was",
        ),
        asks=(
            "Cancel {title}. Which date was it on?",
            "I will not go to {title}: strike it from my calendar and tell me the date that it was on.",
            "Remove {title} from the calendar, and let me know for which date it was planned.",
        ),
        gives=Gives(
            kind="date",
            read="date",
            nouns=(
                "the date of {title} after you have cancelled it",
                "the date that {title} was on once you have deleted it",
                "the date for which {title} was planned before you cancel it",
            ),
        ),
        found="{title} is cancelled, and it was planned for {out}",
        answers=("{title}, planned for {out}, is cancelled.", "I cancelled {title}; its date was {out}."),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=add_attendee,
        slots={"title": LISTED, "person": PERSON},
        goals=(
            "invite {person} to {title}",
            "add {person} to the attendees of {title}",
            "put {person} on the list of attendees of {title}",
            "let {person} take part in {title}",
        ),
        asks=(
            "{person} would like to come to {title}. Please send an invitation through the calendar.",
            "I forgot to invite {person} to {title}. Please do it.",
            "Can {person} join {title}? Yes, so add the name to the event.",
            "Make {person} one more attendee of {title}, please.",
        ),
        found="{person} is invited to {title}",
        answers=("{person} is invited to {title}.", "I added {person} to the attendees of {title}."),
        changes=True,
    ),
    Intent(
        tool=add_attendee,
        slots={"title": LISTED, "person": PERSON},
        goals=(
            "invite {person} to {title} and count how many attendees it has then",
            "add {person} to the attendees of {title} and say how many there are then",
            "put {person} on the list of attendees of {title} and report how long the list is then",
        ),
        asks=(
            "Invite {person} to {title}. How many attendees are there then?",
            "{person} wants to come to {title}. Add the name, and tell me the new number of attendees.",
            "Make {person} an attendee of {title}. How many attendees does that make?",
        ),
        gives=Gives(
            kind="count",
            read="attendees",
            nouns=(
                "the number of attendees of {title} after you have invited {person}",
                "the number of attendees that {title} has once you have added {person}",
                "the new count of attendees of {title} with {person} added by you",
            ),
        ),
        found="{person} is invited to {title}, which has {out} attendees now",
        answers=("{person} is invited; {title} has {out} attendees now.", "I added {person}, which makes {out}."),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=move_event,
        slots={"title": LISTED, "new_date": NEW_DATE},
        goals=(
            "move {title} to {new_date}, at the same time of day",
            "shift {title} to {new_date} and leave its time as it is",
            "put {title} off to {new_date} without changing the hour",
        ),
        asks=(
            "I cannot make it to {title}. Move it to {new_date}, same time.",
            "{title} has to be on {new_date} instead, at the usual hour. Please change that.",
            "Please let {title} take place on {new_date}; the time of day stays.",
        ),
        found="{title} is moved to {new_date}",
        answers=("{title} is now on {new_date}.", "I moved {title} to {new_date}."),
        changes=True,
        rivals=("create_event",),
    ),
    Intent(
        tool=move_event,
        slots={"title": LISTED, "new_date": NEW_DATE, "new_start": CLOCK},
        goals=(
            "move {title} to {new_date} at {new_start}",
            "shift {title} to {new_start} on {new_date}",
            "reschedule {title}: the new date is {new_date}, the new time {new_start}",
        ),
        asks=(
            "{title} cannot stay where it is. Move it to {new_date}, {new_start}.",
            "We found a better time for {title}: {new_date} at {new_start}. Please change it.",
            "From now on {title} is on {new_date} and starts at {new_start}. Correct the calendar.",
        ),
        found="{title} is moved to {new_date} at {new_start}",
        answers=("{title} is now on {new_date} at {new_start}.", "I moved {title} to {new_date} at {new_start}."),
        changes=True,
        rivals=("create_event",),
    ),
)
