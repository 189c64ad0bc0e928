"""The calendar of the gym: the events of a world agree, and titles that are not there resemble none."""

from __future__ import annotations

import pytest
from gym_calls import told

from alpha_umi_gym.domains.calendar.slots import NEW_TITLES, NO_EVENTS
from alpha_umi_gym.domains.calendar.tools import TITLES, calendar
from alpha_umi_gym.lookup import find
from alpha_umi_gym.people import People, names_in
from alpha_umi_gym.registry import bound
from alpha_umi_gym.world import World


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


def test_guests_keep_their_names_when_contacts_go() -> None:
    world = World(4)
    box = bound(world)
    title = next(iter(calendar(world).events))
    before = told(box, "participants", title=title)
    world.part(People).persons.clear()
    assert told(box, "participants", title=title) == before


@pytest.mark.parametrize("title", [*NEW_TITLES, *NO_EVENTS])
def test_titles_that_are_not_there_resemble_none_that_is(title: str) -> None:
    with pytest.raises(LookupError, match="unknown event") as error:
        find(title, TITLES, what="event")
    assert title in NEW_TITLES or "did you mean" not in str(error.value)
