"""What people want changed in an address book: somebody new, a detail that is no longer right, an entry to go."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.contacts.tools import add_contact, delete_contact, update_contact
from alpha_umi_gym.intents import Intent, Slot, Values
from alpha_umi_gym.people import CALLING, PERSON
from alpha_umi_gym.sampler import Draw
from alpha_umi_gym.slots import CITY, date_ways

_ANIMALS = (
    "otter", "badger", "heron", "lynx", "walrus", "magpie", "beaver", "falcon", "hedgehog", "panda", "gecko", "moose",
    "puffin", "raven", "salmon", "tapir", "wombat", "zebra", "ibex", "koala", "lemur", "mantis", "newt", "ocelot",
)  # fmt: skip


def some_phone(d: Draw) -> str:
    """A number of some country."""
    codes = list(CALLING.values())
    return d.choose([f"{d.any_of(codes)}{d.any_of(range(2_000_000, 9_999_999))}" for _ in range(30)])


def some_email(d: Draw) -> str:
    """An address that nobody in a world has."""
    return f"{d.choose(_ANIMALS)}{d.any_of(range(10, 100))}@{d.any_of(('post.example', 'letters.example'))}"


HOLDER = replace(PERSON, accepts=("holder",), refer=("that person",))
"""Somebody who may also be named by an address or number."""
_NEWCOMER = Slot(
    kind="newcomer",
    draw=PERSON.unknown,
    vague=("somebody", "the new neighbour", "the man from the train"),
)
_EMAIL = Slot(kind="new_email", draw=some_email, vague=("the address on the card", "the usual address"))
_NUMBER = Slot(kind="new_phone", draw=some_phone, vague=("the number on the card", "the usual number"))
_BORN = Slot(
    kind="new_birthday",
    draw=lambda d: d.date(datetime.date(1950, 1, 1), datetime.date(2008, 12, 31)),
    say=date_ways,
    vague=("that day in spring", "the same day as mine"),
)


def _update(field: str, *, words: str, slot: Slot, asks: tuple[str, ...]) -> Intent:
    def arguments(values: Values) -> dict[str, Any]:
        return {"name": values["name"], "field": field, "value": values["value"]}

    return Intent(
        tool=update_contact,
        slots={"name": HOLDER, "value": slot},
        goals=(
            f"change the {words} of {{name}} to {{value}}",
            f"set the {words} of {{name}} to {{value}} in my contacts",
            f"save {{value}} as the new {words} of {{name}}",
        ),
        asks=asks,
        found=f"the {words} of {{name}} is {{value}} now",
        answers=(f"The {words} of {{name}} is now {{value}}.", f"I changed the {words} of {{name}} to {{value}}."),
        arguments=arguments,
        changes=True,
    )


CHANGES = (
    Intent(
        tool=add_contact,
        slots={"name": _NEWCOMER, "email": _EMAIL},
        goals=(
            "add {name} with the email address {email} to my contacts",
            "save {name} as a new contact with the email address {email}",
            "make a new contact: {name}, email address {email}",
        ),
        asks=(
            "I met {name}, whose email address is {email}. Put that into my contacts.",
            "There is a new colleague, {name}. Add a contact with the email address {email}.",
            "{name} gave me the email address {email}. Keep it in the address book.",
        ),
        found="{name} is in the address book now",
        answers=("{name} is added to your contacts.", "I saved {name} with the email address {email}."),
        changes=True,
    ),
    Intent(
        tool=add_contact,
        slots={"name": _NEWCOMER, "email": _EMAIL, "city": CITY},
        goals=(
            "add {name} to my contacts, with {city} as the city and {email} as the email address",
            "save a new contact named {name} with the email address {email} and {city} as the city",
            "enter {name} into the address book, living in {city} and using the email address {email}",
        ),
        asks=(
            "My new friend {name} lives in {city} and has the email address {email}. Add a contact.",
            "Please remember {name} as a contact: email address {email}, city {city}.",
            "A cousin of mine, {name}, has moved to {city}. Make a contact with the email address {email}.",
        ),
        found="{name} from {city} is in the address book now",
        answers=("{name} from {city} is added to your contacts.", "I saved {name} with {email} and {city}."),
        changes=True,
    ),
    Intent(
        tool=add_contact,
        slots={"name": _NEWCOMER, "phone": _NUMBER, "birthday": _BORN},
        goals=(
            "add {name} to my contacts, with the phone number {phone} and the birthday {birthday}",
            "save a new contact named {name}, phone number {phone}, born on {birthday}",
            "put {name} into the address book, the phone number being {phone} and the birthday {birthday}",
        ),
        asks=(
            "{name}, born on {birthday}, has the phone number {phone}. Save that as a new contact.",
            "Our new trainer is {name}, phone number {phone}, birthday {birthday}. Add a contact.",
            "Keep this in the address book: {name}, {phone}, born on {birthday}.",
        ),
        found="{name} is in the address book with a phone number and a birthday",
        answers=("{name} is added to your contacts.", "I saved {name} with the phone number {phone}."),
        changes=True,
        weight=0.7,
    ),
    _update(
        "city",
        words="city",
        slot=CITY,
        asks=(
            "{name} has moved to {value}. Update my contacts.",
            "In my contacts, {name} should live in {value} from now on.",
            "A change of address: the city of {name} is {value} now, so correct the address book.",
        ),
    ),
    _update(
        "email",
        words="email address",
        slot=_EMAIL,
        asks=(
            "{name} has a new email address, {value}. Update my contacts.",
            "From now on {name} writes from {value}. Correct the email address in my contacts.",
            "Mails to {name} come back, the email address is {value} now. Change it in the address book.",
        ),
    ),
    _update(
        "phone",
        words="phone number",
        slot=_NUMBER,
        asks=(
            "{name} has a new phone number, {value}. Update my contacts.",
            "The number I have of {name} is old. Correct the phone number to {value}.",
            "There is another phone for {name}: {value}. Replace the number in the address book.",
        ),
    ),
    _update(
        "birthday",
        words="birthday",
        slot=_BORN,
        asks=(
            "The birthday of {name} is wrong in my contacts: it is {value}. Correct it.",
            "{name} was really born on {value}. Correct the birthday in my contacts.",
            "I noted the wrong birthday for {name}. Put {value} into the address book instead.",
        ),
    ),
    Intent(
        tool=delete_contact,
        slots={"name": HOLDER},
        goals=(
            "delete {name} from my contacts",
            "remove {name} from the address book",
            "strike {name} off my contacts",
        ),
        asks=(
            "I no longer need {name} among my contacts. Delete the entry.",
            "Please clear the entry of {name} out of my address book.",
            "The entry of {name} in the address book can go. Remove it.",
        ),
        found="{name} is deleted from the contacts",
        answers=("{name} is no longer among your contacts.", "I deleted {name} from the address book."),
        changes=True,
    ),
)
