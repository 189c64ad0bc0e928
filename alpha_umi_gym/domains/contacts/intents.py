"""What people want from an address book: who somebody is, details, and changes."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.contacts import tools
from alpha_umi_gym.domains.geography.tools import in_text
from alpha_umi_gym.domains.unknown_people import far
from alpha_umi_gym.intents import Category, Gives, Intent, Slot
from alpha_umi_gym.people import CALLING, PERSON, People
from alpha_umi_gym.places import CITIES, UNKNOWN_PLACES
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.slots import CITY, DATE, date_ways
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)
_ANIMALS = (
    "otter", "badger", "heron", "lynx", "walrus", "magpie", "beaver", "falcon", "hedgehog", "panda", "gecko", "moose",
    "puffin", "raven", "salmon", "tapir", "wombat", "zebra", "ibex", "koala", "lemur", "mantis", "newt", "ocelot",
)  # fmt: skip


def _some_phone(d: Sampler) -> str:
    """A number of some country."""
    codes = list(CALLING.values())
    return d.split_value([f"{d.any_value(codes)}{d.any_value(range(2_000_000, 9_999_999))}" for _ in range(30)])


def _some_email(d: Sampler) -> str:
    """An address that nobody in a world has."""
    return f"{d.split_value(_ANIMALS)}{d.any_value(range(10, 100))}@{d.any_value(('post.example', 'letters.example'))}"


_HOLDER = replace(PERSON, accepts=("holder",), refer=("that person",))
"""Somebody who may also be named by an address or number."""
_NEWCOMER = Slot(
    kind="newcomer", draw=PERSON.unknown, vague=("somebody", "the new neighbour", "the man from the train")
)
_EMAIL = Slot(kind="new_email", draw=_some_email, vague=("the address on the card", "the usual address"))
_NUMBER = Slot(kind="new_phone", draw=_some_phone, vague=("the number on the card", "the usual number"))
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
        slots={"name": _HOLDER, "value": slot},
        arguments=lambda v: {"name": v["name"], "field": field, "value": v["value"]},
        changes=True,
    )


_CHANGES = (
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
    Intent(tool=tools.delete_contact, words=_WORDS["delete_contact"], slots={"name": _HOLDER}, changes=True),
)


def _known(d: Sampler, detail: str) -> list[str]:
    return [getattr(person, detail) for person in d.world.part(People).persons.values()]


def _misspelt_email(d: Sampler, value: Any) -> str:
    first, rest = str(value).split(".", 1)
    return f"{d.misspell(first)}.{rest}"


def _address(
    detail: str, vague: tuple[str, ...], slip: Callable[[Sampler, Any], Any], make: Callable[[Sampler], str]
) -> Slot:
    return Slot(
        kind=f"known_{detail}",
        draw=lambda d: d.split_value(_known(d, detail)),
        vague=vague,
        unknown=lambda d: far(lambda: make(d), _known(d, detail)),
        slip=slip,
    )


_KNOWN_EMAIL = _address("email", ("that strange address", "the address on the card"), _misspelt_email, _some_email)
_KNOWN_PHONE = _address(
    "phone", ("the number on my screen", "that strange number"), lambda d, value: value[:-1], _some_phone
)
_HOME = Slot(
    kind="home",
    draw=lambda d: d.split_value(_known(d, "city")),
    vague=("the place I told you about", "that nice town", "the city we talked about"),
    unknown=lambda d: (
        d.any_value(UNKNOWN_PLACES) if d.chances(0.5) else far(lambda: d.any_value(list(CITIES)), _known(d, "city"))
    ),
    slip=lambda d, value: d.misspell(value),
)
_PHONE = Slot(
    kind="phone",
    draw=_some_phone,
    refer=("that number", "that phone number"),
    vague=("the number on the card", "the number I told you", "the usual number"),
    unknown=lambda d: f"+{d.any_value((999, 296, 693, 384, 422))}{d.any_value(range(20_000_000, 99_999_999))}",
    slip=lambda d, value: f"00{value[1:]}",
)
_STYLE = Slot(kind="phone_style", draw=lambda d: d.any_value(("national", "international")))


def _owner(key: str, slot: Slot, *, named: bool) -> Intent:
    """The intent to know whose an address is: the name, or somebody for another call."""
    return Intent(
        tool=tools.reverse_lookup,
        words=_WORDS[f"reverse_lookup_{key}{'_name' if named else ''}"],
        slots={"address": slot},
        gives=Gives(kind="name" if named else "holder"),
        weight=0.5 if named else 1.0,
        root=named,
    )


_INTENTS = (
    Intent(
        tool=tools.find_contact,
        words=_WORDS["find_contact_email"],
        slots={"name": PERSON},
        gives=Gives(kind="email", read="email"),
    ),
    Intent(
        tool=tools.find_contact,
        words=_WORDS["find_contact_phone"],
        slots={"name": PERSON},
        gives=Gives(kind="phone", read="phone"),
    ),
    Intent(
        tool=tools.find_contact,
        words=_WORDS["find_contact_city"],
        slots={"name": _HOLDER},
        gives=Gives(kind="city", read="city"),
    ),
    Intent(
        tool=tools.find_contact,
        words=_WORDS["find_contact_birthday"],
        slots={"name": _HOLDER},
        gives=Gives(kind="birthday", read="birthday", compares="date"),
    ),
    *(
        _owner(key, slot, named=named)
        for key, slot in (("email", _KNOWN_EMAIL), ("phone", _KNOWN_PHONE))
        for named in (True, False)
    ),
    Intent(
        tool=tools.contacts_in,
        words=_WORDS["contacts_in_name"],
        slots={"city": _HOME},
        gives=Gives(kind="name", read=lambda names, _: names[0]),
    ),
    Intent(
        tool=tools.contacts_in,
        words=_WORDS["contacts_in_person"],
        slots={"city": _HOME},
        gives=Gives(kind="person", read=lambda names, _: names[0]),
        root=False,
    ),
    Intent(
        tool=tools.phone_country,
        words=_WORDS["phone_country"],
        by_heart=True,
        slots={"number": _PHONE},
        gives=Gives(kind="country", say=in_text, facts=lambda out: (out,)),
    ),
    Intent(
        tool=tools.format_phone,
        words=_WORDS["format_phone"],
        slots={"number": _PHONE, "style": _STYLE},
        gives=Gives(kind="text"),
    ),
    Intent(
        tool=tools.next_birthday,
        words=_WORDS["next_birthday"],
        slots={"name": _HOLDER, "date": DATE},
        gives=Gives(kind="date", read="date", compares="date"),
        rivals=("find_contact",),
    ),
    Intent(
        tool=tools.next_birthday,
        words=_WORDS["next_birthday_age"],
        slots={"name": _HOLDER, "date": DATE},
        gives=Gives(kind="count", read="turns", compares="size"),
        weight=0.6,
        rivals=("find_contact",),
    ),
    *_CHANGES,
)

_BY_NAME = (
    "find_contact", "contacts_in", "update_contact", "delete_contact", "next_birthday", "customer_orders",
    "search_mail", "count_unread", "create_event", "add_attendee",
)  # fmt: skip

CATEGORY = Category(
    name="contacts",
    tools=(
        tools.find_contact,
        tools.reverse_lookup,
        tools.contacts_in,
        tools.add_contact,
        tools.update_contact,
        tools.delete_contact,
        tools.phone_country,
        tools.format_phone,
        tools.next_birthday,
    ),
    intents=_INTENTS,
    held_out=("next_birthday", "delete_contact"),
    alternatives={
        # Sending to an address that is nearly right tells the right one, and an address holds its owner's name:
        # what takes a name confirms it, or goes on with it at once.
        "find_contact": ("reverse_lookup", "contacts_in", "send_mail", "forward_mail"),
        "reverse_lookup": _BY_NAME,
        "contacts_in": ("find_contact",),
        "update_contact": ("delete_contact",),
        "next_birthday": ("age_on",),
    },
)
