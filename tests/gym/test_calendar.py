"""The calendar of the gym: free time by hand, what is refused, and what counts as a change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gym_calls import ask, told

from alpha_umi.tools.protocol import Toolbox
from alpha_umi_gym.domains.calendar.slots import NEW_TITLES, NO_EVENTS
from alpha_umi_gym.domains.calendar.tools import TITLES, Calendar, calendar
from alpha_umi_gym.lookup import find
from alpha_umi_gym.people import People, names_in
from alpha_umi_gym.registry import bound
from alpha_umi_gym.world import World

EMPTY_DAY = "2031-05-02"
"""A day on which a fresh world has nothing."""


@pytest.fixture
def world() -> World:
    return World(4)


@pytest.fixture
def box(world: World) -> Toolbox:
    return bound(world)


def fill(box: Toolbox) -> None:
    """09:30-10:15, 10:15-11:00, 13:00-16:30."""
    for title, start, minutes in (("first", "09:30", 45), ("second", "10:15", 45), ("third", "13:00", 210)):
        told(box, "create_event", title=title, date=EMPTY_DAY, start=start, minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "not_before", "start"),
    [
        (30, None, "09:00"),
        (31, None, "11:00"),
        (120, None, "11:00"),
        (30, "09:15", "11:00"),
        (30, "11:45", "11:45"),
        (30, "12:31", "16:30"),
        (30, "16:00", "16:30"),
        (30, "07:00", "09:00"),
    ],
)
def test_the_earliest_gap_that_is_long_enough(box: Toolbox, minutes: int, not_before: str | None, start: str) -> None:
    fill(box)
    more = {} if not_before is None else {"not_before": not_before}
    assert told(box, "free_slot", date=EMPTY_DAY, minutes=minutes, **more) == start


@pytest.mark.parametrize(("minutes", "not_before"), [(121, "09:00"), (30, "16:31"), (5, "17:00"), (480, "09:00")])
def test_no_gap_is_an_error(box: Toolbox, minutes: int, not_before: str) -> None:
    fill(box)
    seen = ask(box, "free_slot", date=EMPTY_DAY, minutes=minutes, not_before=not_before)
    assert not seen.ok
    assert f"no {minutes} minutes are free on {EMPTY_DAY} until 17:00" in seen.text


def test_an_empty_day_is_free_from_nine_to_five(box: Toolbox) -> None:
    assert told(box, "list_events", date=EMPTY_DAY) == {"count": 0, "events": []}
    assert told(box, "free_slot", date=EMPTY_DAY, minutes=480) == "09:00"


def test_what_was_created_is_found(box: Toolbox, world: World) -> None:
    ann, bob = names_in(world)[:2]
    made = told(
        box,
        "create_event",
        title="  tea  party ",
        date=EMPTY_DAY,
        start="15:45",
        minutes=90,
        attendees=[bob.lower(), ann, bob],
        city="paris",
    )
    assert made == {"created": "tea party", "ends": "17:15"}
    assert told(box, "find_event", title="The Tea Party") == {"date": EMPTY_DAY, "start": "15:45", "city": "Paris"}
    assert told(box, "event_length", title="tea party") == 90
    assert told(box, "participants", title="tea party") == {"organizer": "you", "attendees": 2, "names": [bob, ann]}
    assert told(box, "list_events", date=EMPTY_DAY) == {
        "count": 1,
        "events": [{"title": "tea party", "start": "15:45"}],
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_events_of_a_world_agree_with_each_other(seed: int) -> None:
    world = World(seed)
    box = bound(world)
    titles = list(calendar(world).events)
    days: dict[str, list[str]] = {}
    for title in titles:
        found, people = told(box, "find_event", title=title), told(box, "participants", title=title)
        days.setdefault(found["date"], []).append(title)
        assert people["attendees"] == len(people["names"]) >= 1
        assert {people["organizer"], *people["names"]} <= set(names_in(world))
        assert people["organizer"] not in people["names"]
    for day, there in days.items():
        listed = told(box, "list_events", date=day)
        assert {event["title"] for event in listed["events"]} == set(there)
        starts = [event["start"] for event in listed["events"]]
        assert starts == sorted(starts)
        assert told(box, "count_events", first_day=day, last_day=day) == listed["count"] == len(there)
    assert told(box, "count_events", first_day="2024-01-01", last_day="2024-12-31") == len(titles) == 9
    assert told(box, "count_events", first_day="2025-01-01", last_day="2025-12-31") == 0


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("list_events", {"date": "2024-02-30"}, "'2024-02-30' is not a date"),
        ("free_slot", {"date": EMPTY_DAY, "minutes": 4}, "minutes: 4"),
        ("free_slot", {"date": EMPTY_DAY, "minutes": 30, "not_before": "25:00"}, "'25:00' is not a time"),
        ("count_events", {"first_day": "2024-05-02", "last_day": "2024-05-01"}, "before it starts"),
        ("find_event", {"title": "llama festival"}, "unknown event 'llama festival'"),
        ("cancel_event", {"title": "frist"}, "did you mean 'first'?"),
        (
            "create_event",
            {"title": "x", "date": EMPTY_DAY, "start": "10:59", "minutes": 5},
            "from 10:15 to 11:00 by 'second'",
        ),
        ("create_event", {"title": "x", "date": EMPTY_DAY, "start": "12:30", "minutes": 31}, "by 'third'"),
        ("create_event", {"title": "FIRST", "date": EMPTY_DAY, "start": "11:00", "minutes": 5}, "'FIRST' already"),
        ("create_event", {"title": "x", "date": EMPTY_DAY, "start": "23:00", "minutes": 61}, "run past midnight"),
        ("create_event", {"title": "x", "date": EMPTY_DAY, "start": "noon", "minutes": 30}, "'noon' is not a time"),
        ("create_event", {"title": "", "date": EMPTY_DAY, "start": "11:00", "minutes": 30}, "title: "),
        (
            "create_event",
            {"title": "x", "date": EMPTY_DAY, "start": "11:00", "minutes": 30, "attendees": ["Nobody Nowhere"]},
            "unknown person 'Nobody Nowhere'",
        ),
        (
            "create_event",
            {"title": "x", "date": EMPTY_DAY, "start": "11:00", "minutes": 30, "city": "Berlni"},
            "did you mean 'Berlin'?",
        ),
        ("move_event", {"title": "first", "new_date": EMPTY_DAY, "new_start": "10:00"}, "by 'second'"),
        ("move_event", {"title": "first", "new_date": "2031-5-2 "}, "is not a date"),
        ("add_attendee", {"title": "first", "person": "Nobody Nowhere"}, "unknown person"),
    ],
)
def test_refused_in_words_and_without_a_change(
    box: Toolbox, world: World, tool: str, arguments: dict[str, Any], words: str
) -> None:
    fill(box)
    before = json.dumps(world.changes())
    seen = ask(box, tool, **arguments)
    assert not seen.ok
    assert words in seen.text
    assert json.dumps(world.changes()) == before


def test_an_event_may_start_when_another_ends(box: Toolbox) -> None:
    fill(box)
    told(box, "create_event", title="between", date=EMPTY_DAY, start="11:00", minutes=120)
    assert told(box, "list_events", date=EMPTY_DAY)["count"] == 4


def test_an_event_can_be_moved_into_its_own_time(box: Toolbox) -> None:
    fill(box)
    moved = told(box, "move_event", title="third", new_date=EMPTY_DAY, new_start="12:30")
    assert moved == {"moved": "third", "date": EMPTY_DAY, "start": "12:30"}
    assert told(box, "move_event", title="third", new_date="2031-05-03")["start"] == "12:30"
    assert told(box, "list_events", date=EMPTY_DAY)["count"] == 2


def test_who_takes_part_already_is_not_added_again(box: Toolbox, world: World) -> None:
    title = next(iter(calendar(world).events))
    there = told(box, "participants", title=title)
    new = next(name for name in names_in(world) if name not in (*there["names"], there["organizer"]))
    assert told(box, "add_attendee", title=title, person=new)["attendees"] == there["attendees"] + 1
    for name in (new, there["organizer"], there["names"][0]):
        assert f"{name} takes part in '{title}' already" in ask(box, "add_attendee", title=title, person=name).text


def test_changes_are_seen_and_undone_ones_are_not(box: Toolbox, world: World) -> None:
    title, event = next(iter(calendar(world).events.items()))
    told(box, "participants", title=title)
    told(box, "list_events", date=event.date)
    assert world.changes() == {}
    was = told(box, "find_event", title=title)
    told(box, "move_event", title=title, new_date=EMPTY_DAY, new_start="09:00")
    assert set(world.changes()) == {"Calendar"}
    told(box, "move_event", title=title, new_date=was["date"], new_start=was["start"])
    assert world.changes() == {}
    told(box, "create_event", title="tea", date=EMPTY_DAY, start="09:00", minutes=30)
    assert "tea" in str(world.changes())
    told(box, "cancel_event", title="tea")
    assert world.changes() == {}


def test_the_order_of_changes_does_not_matter() -> None:
    results = []
    for order in (1, -1):
        world = World(8)
        box, (ann, bob) = bound(world), names_in(world)[:2]
        told(box, "create_event", title="tea", date=EMPTY_DAY, start="09:00", minutes=30)
        for name in (ann, bob)[::order]:
            told(box, "add_attendee", title="tea", person=name)
        results.append(world.changes())
    assert results[0] == results[1]


def test_worlds_do_not_share_a_calendar(box: Toolbox) -> None:
    other = World(4)
    told(box, "create_event", title="tea", date=EMPTY_DAY, start="09:00", minutes=30)
    assert "tea" not in calendar(other).events
    assert other.changes() == {}
    assert list(calendar(World(5)).events) != list(calendar(other).events)


def test_guests_keep_their_names_when_contacts_go(box: Toolbox, world: World) -> None:
    title = next(iter(calendar(world).events))
    before = told(box, "participants", title=title)
    world.part(People).persons.clear()
    assert told(box, "participants", title=title) == before


@pytest.mark.parametrize("title", [*NEW_TITLES, *NO_EVENTS])
def test_titles_that_are_not_there_resemble_none_that_is(title: str) -> None:
    with pytest.raises(LookupError, match="unknown event") as error:
        find(title, TITLES, what="event")
    assert title in NEW_TITLES or "did you mean" not in str(error.value)


def test_a_calendar_is_the_same_for_the_same_seed() -> None:
    assert World(7).part(Calendar).state() == World(7).part(Calendar).state()
