"""The address book: real phone numbers and countries, birthdays by the calendar, and entries that come and go."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from alpha_umi.trajectory import Call
from alpha_umi_gym import generate, toolbox
from alpha_umi_gym.domains.contacts.tools import (
    add_contact,
    contacts_in,
    delete_contact,
    find_contact,
    format_phone,
    next_birthday,
    phone_country,
    reverse_lookup,
    update_contact,
)
from alpha_umi_gym.domains.geography.tools import country_of
from alpha_umi_gym.people import People, Person
from alpha_umi_gym.world import World


def first(world: World) -> Person:
    return next(iter(world.part(People).persons.values()))


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+1 212 555 0123", "United States"),
        ("+1 416 555 0123", "Canada"),
        ("+44 20 7946 0958", "United Kingdom"),
        ("+39 02 7255 0123", "Italy"),
        ("+82-2-312-3456", "South Korea"),
        ("+90 (212) 293 1234", "Turkey"),
        ("+420 224 123 456", "Czechia"),
        ("+61 2 9374 4000", "Australia"),
        ("+354 410 4000", "Iceland"),
        ("+7 727 250 1234", "Kazakhstan"),
    ],
)
def test_a_number_tells_its_country(number: str, country: str) -> None:
    assert phone_country(number) == country


def test_everybody_has_a_number_of_the_country_they_live_in() -> None:
    for seed in range(40):
        for person in World(seed).part(People).persons.values():
            assert phone_country(person.phone) == country_of(person.city)


@pytest.mark.parametrize(
    ("style", "written"),
    [("national", "020 7946 0958"), ("international", "+44 20 7946 0958"), ("e164", "+442079460958")],
)
def test_a_number_is_written_in_each_style(style: Any, written: str) -> None:
    assert format_phone("+44 (20) 79460958", style) == written
    assert format_phone(format_phone("+442079460958", "international"), style) == written


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("00442079460958", r"did you mean '\+442079460958'"),
        ("44 20 7946 0958", r"did you mean '\+442079460958'"),
        ("+99912345678", "is no international phone number"),
        ("+44", "is no international phone number"),
        ("call me", "is no international phone number like"),
        ("", "is no international phone number"),
    ],
)
def test_what_is_no_number_is_refused(number: str, message: str) -> None:
    for tool in (phone_country, lambda text: format_phone(text, "national")):
        with pytest.raises(ValueError, match=message):
            tool(number)


def test_a_contact_is_found_by_name_address_number_and_city() -> None:
    for seed in range(5):
        world = World(seed)
        for person in world.part(People).persons.values():
            assert find_contact(world, person.name.upper()) == {
                "email": person.email,
                "phone": person.phone,
                "city": person.city,
                "birthday": person.birthday,
            }
            assert reverse_lookup(world, person.email.upper()) == person.name
            assert reverse_lookup(world, format_phone(person.phone, "international")) == person.name
            assert contacts_in(world, person.city.lower()) == [person.name]


def test_near_misses_are_suggested_and_strangers_are_not() -> None:
    world = World(1)
    person = first(world)
    with pytest.raises(LookupError, match=f"did you mean '{person.name}'"):
        find_contact(world, person.name[:-1])
    with pytest.raises(LookupError, match=f"did you mean '{person.email}'"):
        reverse_lookup(world, person.email.replace(".", "", 1))
    with pytest.raises(LookupError, match=f"no contact lives in .*, did you mean '{person.city}'"):
        contacts_in(world, person.city + "n")
    with pytest.raises(LookupError, match=r"no contact lives in 'Atlantis'$"):
        contacts_in(world, "Atlantis")


@pytest.mark.parametrize(
    ("born", "date", "birthday", "turns"),
    [
        ("1980-05-17", "2020-05-16", "2020-05-17", 40),
        ("1980-05-17", "2020-05-17", "2020-05-17", 40),
        ("1980-05-17", "2020-05-18", "2021-05-17", 41),
        ("1980-12-31", "2019-12-31", "2019-12-31", 39),
        ("1980-01-01", "2019-12-31", "2020-01-01", 40),
        ("1984-02-29", "2020-02-01", "2020-02-29", 36),
        ("1984-02-29", "2021-02-01", "2021-02-28", 37),
        ("1984-02-29", "2020-03-01", "2021-02-28", 37),
        ("1980-05-17", "1980-05-17", "1980-05-17", 0),
    ],
)
def test_the_next_birthday_is_the_first_from_the_date_on(born: str, date: str, birthday: str, turns: int) -> None:
    world = World(2)
    person = first(world)
    person.birthday = born
    assert next_birthday(world, person.name, date) == {"date": birthday, "turns": turns}


def test_nobody_has_a_birthday_before_birth_or_without_one() -> None:
    world = World(2)
    person = first(world)
    person.birthday = "1990-01-02"
    with pytest.raises(ValueError, match="was not born yet"):
        next_birthday(world, person.name, "1989-12-31")
    add_contact(world, "Otto Nagel", email="otto@example.com")
    with pytest.raises(LookupError, match="the birthday of Otto Nagel is not known"):
        next_birthday(world, "Otto Nagel", "2020-01-01")


# Changes


def test_a_new_contact_is_found_in_every_way_and_gone_when_deleted() -> None:
    world = World(3)
    city = first(world).city
    add_contact(world, " Otto  Nagel ", "Otto@Example.com", "+44 20 7946 0958", city.lower(), "1970-01-02")
    assert find_contact(world, "Otto Nagel") == {
        "email": "otto@example.com",
        "phone": "+442079460958",
        "city": city,
        "birthday": "1970-01-02",
    }
    assert contacts_in(world, city) == sorted([first(world).name, "Otto Nagel"])
    assert set(world.changes()) == {"People"}
    assert World(3).changes() == {}
    delete_contact(world, "otto nagel")
    assert world.changes() == {}
    with pytest.raises(LookupError, match="unknown person"):
        delete_contact(world, "Otto Nagel")


def test_what_is_not_known_of_a_contact_is_left_out() -> None:
    world = World(3)
    add_contact(world, "Otto Nagel", phone="+442079460958")
    assert find_contact(world, "Otto Nagel") == {"phone": "+442079460958"}


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("email", "Otter42@Post.example", "otter42@post.example"),
        ("phone", "+1 (212) 555-0123", "+12125550123"),
        ("birthday", "1999-12-31", "1999-12-31"),
    ],
)
def test_a_detail_is_replaced_and_can_be_put_back(field: Any, given: str, kept: str) -> None:
    world = World(4)
    person = first(world)
    before = getattr(person, field)
    update_contact(world, person.name, field, given)
    assert find_contact(world, person.name)[field] == kept
    assert world.changes()
    with pytest.raises(ValueError, match=r"is .* already"):
        update_contact(world, person.name, field, given)
    update_contact(world, person.name, field, before)
    assert world.changes() == {}


@pytest.mark.parametrize(
    ("field", "value", "error", "message"),
    [
        ("email", "otto at example.com", ValueError, "is not an email address"),
        ("email", "otto@example", ValueError, "is not an email address"),
        ("phone", "0207 946", ValueError, "is no international phone number"),
        ("city", "Viena", LookupError, "did you mean 'Vienna'"),
        ("birthday", "31.12.1999", ValueError, "is not a date"),
    ],
)
def test_a_detail_must_be_one_of_its_kind(field: Any, value: str, error: type[Exception], message: str) -> None:
    world = World(5)
    with pytest.raises(error, match=message):
        update_contact(world, first(world).name, field, value)
    with pytest.raises(error, match=message):
        add_contact(world, "Otto Nagel", **{"email": "otto@example.com", field: value})
    assert world.changes() == {}


def test_a_contact_needs_a_new_name_and_a_way_to_be_reached() -> None:
    world = World(6)
    with pytest.raises(ValueError, match="already"):
        add_contact(world, first(world).name.lower(), email="a@example.com")
    with pytest.raises(ValueError, match="needs a name, and an email address or a phone number"):
        add_contact(world, "Otto Nagel", city="Vienna")
    assert world.changes() == {}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("format_phone", {"number": "+442079460958", "style": "fancy"}),
        ("update_contact", {"name": "Anna Adler", "field": "name", "value": "Otto Nagel"}),
        ("phone_country", {"number": "+4" * 30}),
    ],
)
def test_arguments_outside_the_schema_are_refused(tool: str, arguments: dict[str, Any]) -> None:
    assert not toolbox("contacts", seed=1).invoke(Call(tool=tool, arguments=arguments)).ok


def test_who_lives_somewhere_flows_into_other_calls_but_is_no_question_of_its_own() -> None:
    tasks = list(generate(200, seed=2, only=["contacts"]))
    flows: set[tuple[str, str]] = set()
    for task in tasks:
        flows.update(pairwise(step.call.tool for step in task.gold.steps if step.call is not None))
    assert {("contacts_in", "find_contact"), ("find_contact", "phone_country")} <= flows
    assert not any("What is the contact" in task.query or "What is my contact" in task.query for task in tasks)
