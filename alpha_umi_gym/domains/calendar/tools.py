"""The calendar of a world: nine events of 2024, and the tools that read and change it.

Owns the state; what the tools are wanted for is in `calendar`. A title names one event only. Days are kept as they
are: nobody's time zone matters here.
"""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from alpha_umi_gym.domains.time.intents import Date, read_date
from alpha_umi_gym.lookup import find
from alpha_umi_gym.people import People, names_in
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.world import World

TITLES = (
    "budget review", "sales meeting", "dentist visit", "yoga class", "piano lesson", "team lunch", "design workshop",
    "board meeting", "project kickoff", "book club", "parents evening", "garden party", "job interview", "eye test",
    "chess evening", "choir practice", "press briefing", "museum tour", "wine tasting", "code walkthrough",
    "customer call", "birthday dinner", "farewell drinks", "first aid course", "car inspection", "house viewing",
    "tax consultation", "cooking class", "film night", "photo shoot", "fire drill", "strategy session",
    "supplier talk", "poetry reading", "science fair", "charity run", "language exam", "swimming lesson",
    "flat handover", "summer picnic", "theatre visit", "bike repair", "vaccination", "haircut", "harbour tour",
)  # fmt: skip
DAY_START, DAY_END = 9 * 60, 17 * 60
"""The working day in minutes after midnight."""
_DAYS, _MIDNIGHT = 6, 24 * 60
_CITIES = tuple(CITIES)
Clock = Annotated[str, Field(description="HH:MM, 24 hours")]
Minutes = Annotated[int, Field(ge=5, le=480)]


@dataclass
class Event:
    """One entry of the calendar."""

    title: str
    date: str
    start: int
    """Minutes after midnight."""
    minutes: int
    city: str = "none"
    guests: tuple[int, ...] = ()
    """Who takes part from the beginning, by number among the people of the world; the first organizes it."""
    invited: list[str] = field(default_factory=list)
    """Who was invited since, by name."""

    @property
    def end(self) -> int:
        """Minutes after midnight."""
        return self.start + self.minutes


class Calendar:
    """The events of one episode."""

    def __init__(self, chance: random.Random) -> None:
        days = chance.sample(range(366), _DAYS)
        circle = chance.sample(range(12), 12)
        titles = iter(chance.sample(TITLES, _DAYS + _DAYS // 2))
        self.events: dict[str, Event] = {}
        self.names: list[str] = []
        """The people of the world by number; `calendar` fills it in."""
        for index, day in enumerate(days):
            date = str(datetime.date(2024, 1, 1) + datetime.timedelta(days=day))
            clock = DAY_START
            for _ in range(1 + index % 2):
                start, minutes = clock + 15 * chance.randrange(9), chance.choice((30, 45, 60, 75, 90, 120))
                first = chance.randrange(8)
                guests = tuple(circle[first : first + chance.randrange(2, 5)])
                event = Event(next(titles), date, start, minutes, chance.choice(_CITIES), guests)
                self.events[event.title] = event
                clock = event.end

    def organizer(self, event: Event) -> str:
        """Who invites to an event."""
        return self.names[event.guests[0] % len(self.names)] if event.guests else "you"

    def attendees(self, event: Event) -> list[str]:
        """Who is invited to an event."""
        return [*(self.names[number % len(self.names)] for number in event.guests[1:]), *event.invited]

    def find(self, title: str) -> Event:
        """An event by title, with or without "the".

        Raises:
            LookupError: there is none; a close title is suggested.
        """
        bare = title.strip()
        bare = bare[4:] if bare.casefold().startswith("the ") else bare
        return self.events[find(bare, self.events, what="event")]

    def on(self, date: str) -> list[Event]:
        """The events of a day in order."""
        return sorted((e for e in self.events.values() if e.date == date), key=lambda e: (e.start, e.title))

    def check_free(self, date: str, start: int, minutes: int, *, but: str = "") -> None:
        """Refuse a time that is taken by another event than `but`, or that runs past midnight.

        Raises:
            ValueError: it is.
        """
        if start + minutes > _MIDNIGHT:
            raise ValueError(f"{minutes} minutes from {clock_of(start)} run past midnight")
        for event in self.on(date):
            if event.title != but and start < event.end and event.start < start + minutes:
                taken = f"{clock_of(event.start)} to {clock_of(event.end)}"
                raise ValueError(f"{date} is taken from {taken} by '{event.title}'")

    def state(self) -> object:
        """What matters of it."""
        return {
            title: [e.date, clock_of(e.start), e.minutes, e.city, list(e.guests), sorted(e.invited)]
            for title, e in sorted(self.events.items())
        }


def calendar(world: World) -> Calendar:
    """The calendar of a world, with the people of its beginning: they stay whatever becomes of the contacts."""
    part = world.part(Calendar)
    part.names = part.names or names_in(world)
    return part


def list_events(world: World, date: Date) -> dict[str, Any]:
    """List what is in the calendar on a date, in order of the starting times."""
    day = str(read_date(date))
    events = [{"title": event.title, "start": clock_of(event.start)} for event in calendar(world).on(day)]
    return {"count": len(events), "events": events[:6]}


def find_event(world: World, title: str) -> dict[str, str]:
    """Look an event up by its title and get when and where it takes place."""
    event = calendar(world).find(title)
    return {"date": event.date, "start": clock_of(event.start), "city": event.city}


def participants(world: World, title: str) -> dict[str, Any]:
    """Who organizes an event of the calendar, and who attends it."""
    book = calendar(world)
    event = book.find(title)
    attendees = book.attendees(event)
    return {"organizer": book.organizer(event), "attendees": len(attendees), "names": attendees}


def event_length(world: World, title: str) -> int:
    """Say how many minutes an event of the calendar lasts."""
    return calendar(world).find(title).minutes


def free_slot(world: World, date: Date, minutes: Minutes, not_before: Clock = "09:00") -> str:
    """Find the earliest time of a working day, 09:00 to 17:00, at which so many minutes are free."""
    day, clock = str(read_date(date)), max(DAY_START, read_clock(not_before))
    for event in calendar(world).on(day):
        if event.start < clock + minutes and clock < event.end:
            clock = event.end
    if clock + minutes > DAY_END:
        raise LookupError(f"no {minutes} minutes are free on {day} until {clock_of(DAY_END)}")
    return clock_of(clock)


def count_events(
    world: World, first_day: Date, last_day: Annotated[str, Field(description="YYYY-MM-DD, included")]
) -> int:
    """Number of calendar entries in a period."""
    first, last = str(read_date(first_day)), str(read_date(last_day))
    if last < first:
        raise ValueError(f"the period ends on {last}, before it starts on {first}")
    return sum(first <= event.date <= last for event in calendar(world).events.values())


def create_event(
    world: World,
    title: Annotated[str, Field(min_length=1, max_length=80)],
    date: Date,
    start: Clock,
    minutes: Minutes,
    *,
    attendees: Annotated[list[str], Field(max_length=12, description="full names")] | None = None,
    city: str | None = None,
) -> dict[str, str]:
    """Put a new event into the calendar; the time has to be free."""
    book, title = calendar(world), " ".join(title.split())
    if title.casefold() in {known.casefold() for known in book.events}:
        raise ValueError(f"there is an event '{title}' already")
    people = world.part(People)
    names = list(dict.fromkeys(people.find(name).name for name in attendees or ()))
    where = "none" if city is None else find(city, CITIES, what="city")
    day, clock = str(read_date(date)), read_clock(start)
    book.check_free(day, clock, minutes)
    book.events[title] = Event(title, day, clock, minutes, where, invited=names)
    return {"created": title, "ends": clock_of((clock + minutes) % _MIDNIGHT)}


def move_event(world: World, title: str, new_date: Date, new_start: Clock | None = None) -> dict[str, str]:
    """Reschedule an event to another date, and to another time if one is given."""
    book = calendar(world)
    event = book.find(title)
    day, clock = str(read_date(new_date)), event.start if new_start is None else read_clock(new_start)
    book.check_free(day, clock, event.minutes, but=event.title)
    event.date, event.start = day, clock
    return {"moved": event.title, "date": day, "start": clock_of(clock)}


def cancel_event(world: World, title: str) -> dict[str, str]:
    """Take an event off the calendar for good."""
    book = calendar(world)
    event = book.events.pop(book.find(title).title)
    return {"cancelled": event.title, "date": event.date}


def add_attendee(world: World, title: str, person: Annotated[str, Field(description="full name")]) -> dict[str, Any]:
    """Invite one more person of the contacts to an event."""
    book, name = calendar(world), world.part(People).find(person).name
    event = book.find(title)
    if name in (*book.attendees(event), book.organizer(event)):
        raise ValueError(f"{name} takes part in '{event.title}' already")
    event.invited.append(name)
    return {"title": event.title, "attendees": len(book.attendees(event))}


def clock_of(minutes: int) -> str:
    """Minutes after midnight as HH:MM."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def read_clock(text: str) -> int:
    """HH:MM as minutes after midnight.

    Raises:
        ValueError: it is no such time.
    """
    try:
        moment = datetime.datetime.strptime(text, "%H:%M")
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not a time like 09:30") from None
    return moment.hour * 60 + moment.minute
