"""The address book: everybody is found in every way, under a number of the country they live in."""

from __future__ import annotations

from gym_cases import domain_tasks

from alpha_umi_gym.domains.contacts.tools import (
    contacts_in,
    find_contact,
    format_phone,
    phone_country,
    reverse_lookup,
)
from alpha_umi_gym.domains.geography.tools import country_of
from alpha_umi_gym.people import People
from alpha_umi_gym.world import World


def test_everybody_has_a_number_of_the_country_they_live_in() -> None:
    for seed in range(40):
        for person in World(seed).part(People).persons.values():
            assert phone_country(person.phone) == country_of(person.city)


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


def test_who_lives_somewhere_is_no_question_of_its_own() -> None:
    tasks = domain_tasks("contacts")
    assert not any("What is the contact" in task.query or "What is my contact" in task.query for task in tasks)
