"""What people want changed in an address book: somebody new, a detail that is no longer right, an entry to go."""

from __future__ import annotations

import datetime
from dataclasses import replace

from alpha_umi_gym.domains.contacts import tools
from alpha_umi_gym.intents import Intent, Slot
from alpha_umi_gym.people import CALLING, PERSON
from alpha_umi_gym.sampler import Draw
from alpha_umi_gym.slots import CITY, date_ways
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


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
    kind="newcomer", draw=PERSON.unknown, vague=("somebody", "the new neighbour", "the man from the train")
)
_EMAIL = Slot(kind="new_email", draw=some_email, vague=("the address on the card", "the usual address"))
_NUMBER = Slot(kind="new_phone", draw=some_phone, vague=("the number on the card", "the usual number"))
_BORN = Slot(
    kind="new_birthday",
    draw=lambda d: d.date(datetime.date(1950, 1, 1), datetime.date(2008, 12, 31)),
    say=date_ways,
    vague=("that day in spring", "the same day as mine"),
)


def _update(field: str, slot: Slot) -> Intent:
    return Intent(
        tool=tools.update_contact,
        words=_WORDS[f"update_contact_{field}"],
        slots={"name": HOLDER, "value": slot},
        arguments=lambda v: {"name": v["name"], "field": field, "value": v["value"]},
        changes=True,
    )


CHANGES = (
    Intent(
        tool=tools.add_contact, words=_WORDS["add_contact"], slots={"name": _NEWCOMER, "email": _EMAIL}, changes=True
    ),
    Intent(
        tool=tools.add_contact,
        words=_WORDS["add_contact_with_city"],
        slots={"name": _NEWCOMER, "email": _EMAIL, "city": CITY},
        changes=True,
    ),
    Intent(
        tool=tools.add_contact,
        words=_WORDS["add_contact_with_birthday"],
        slots={"name": _NEWCOMER, "phone": _NUMBER, "birthday": _BORN},
        changes=True,
        weight=0.7,
    ),
    _update("city", CITY),
    _update("email", _EMAIL),
    _update("phone", _NUMBER),
    _update("birthday", _BORN),
    Intent(tool=tools.delete_contact, words=_WORDS["delete_contact"], slots={"name": HOLDER}, changes=True),
)
