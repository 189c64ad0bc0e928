"""What people want from an address book: who somebody is, and details; the rest is in `changes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alpha_umi_gym.domains.contacts.changes import CHANGES, HOLDER, some_email, some_phone
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
from alpha_umi_gym.domains.geography.tools import in_text
from alpha_umi_gym.domains.unknown_people import far
from alpha_umi_gym.intents import Category, Gives, Intent, Slot
from alpha_umi_gym.people import PERSON, People
from alpha_umi_gym.places import CITIES, UNKNOWN_PLACES
from alpha_umi_gym.sampler import Draw
from alpha_umi_gym.slots import DATE


def _known(d: Draw, detail: str) -> list[str]:
    return [getattr(person, detail) for person in d.world.part(People).persons.values()]


def _misspelt_email(d: Draw, value: Any) -> str:
    first, rest = str(value).split(".", 1)
    return f"{d.misspell(first)}.{rest}"


def _address(
    detail: str, vague: tuple[str, ...], slip: Callable[[Draw, Any], Any], make: Callable[[Draw], str]
) -> Slot:
    return Slot(
        kind=f"known_{detail}",
        draw=lambda d: d.choose(_known(d, detail)),
        vague=vague,
        unknown=lambda d: far(lambda: make(d), _known(d, detail)),
        slip=slip,
    )


_KNOWN_EMAIL = _address("email", ("that strange address", "the address on the card"), _misspelt_email, some_email)
_KNOWN_PHONE = _address(
    "phone", ("the number on my screen", "that strange number"), lambda d, value: value[:-1], some_phone
)
_HOME = Slot(
    kind="home",
    draw=lambda d: d.choose(_known(d, "city")),
    vague=("the place I told you about", "that nice town", "the city we talked about"),
    unknown=lambda d: (
        d.any_of(UNKNOWN_PLACES) if d.chances(0.5) else far(lambda: d.any_of(list(CITIES)), _known(d, "city"))
    ),
    slip=lambda d, value: d.misspell(value),
)
_PHONE = Slot(
    kind="phone",
    draw=some_phone,
    refer=("that number", "that phone number"),
    vague=("the number on the card", "the number I told you", "the usual number"),
    unknown=lambda d: f"+{d.any_of((999, 296, 693, 384, 422))}{d.any_of(range(20_000_000, 99_999_999))}",
    slip=lambda d, value: f"00{value[1:]}",
)
_STYLE = Slot(
    kind="phone_style",
    draw=lambda d: d.any_of(("national", "international")),
)

_INTENTS = (
    Intent(
        tool=find_contact,
        slots={"name": PERSON},
        goals=(
            "look up the email address of {name}",
            "find the email address of {name}",
            "get the address for emails to {name}",
        ),
        asks=(
            "What is the email address of {name}?",
            "I want to write an email to {name}. Where does it have to go?",
            "Which email address does {name} have?",
            "The newsletter should also reach {name}; what email address do we have?",
        ),
        gives=Gives(
            kind="email",
            read="email",
            nouns=("the email address of {name}", "the email of {name}", "the email address that {name} uses"),
        ),
        found="the email address of {name} is {out}",
        answers=("The email address of {name} is {out}.", "You can write to {out}.", "{name} uses {out}."),
    ),
    Intent(
        tool=find_contact,
        slots={"name": PERSON},
        goals=(
            "look up the phone number of {name}",
            "find the phone number of {name}",
            "get the number for a call to {name}",
        ),
        asks=(
            "What is the phone number of {name}?",
            "Under which number can I call {name}?",
            "I have to ring {name} tonight. What do I dial?",
            "{name} should be called back; which phone number is it?",
        ),
        gives=Gives(
            kind="phone",
            read="phone",
            nouns=("the phone number of {name}", "the telephone number of {name}", "the number to call {name}"),
        ),
        found="the phone number of {name} is {out}",
        answers=("The phone number of {name} is {out}.", "Call {name} under {out}.", "It is {out}."),
    ),
    Intent(
        tool=find_contact,
        slots={"name": HOLDER},
        goals=("look up the city of {name}", "find out in which city {name} lives", "get the home town of {name}"),
        asks=(
            "In which city does {name} live?",
            "Where does {name} live?",
            "I am sending a parcel to {name}. Which city do I write on it?",
            "To what city must one travel to visit {name}?",
        ),
        gives=Gives(
            kind="city",
            read="city",
            nouns=("the city of {name}", "the city where {name} lives", "the home town of {name}"),
        ),
        found="{name} lives in {out}",
        answers=("{name} lives in {out}.", "The city is {out}.", "The home of {name} is {out}."),
    ),
    Intent(
        tool=find_contact,
        slots={"name": HOLDER},
        goals=("look up the birthday of {name}", "find out when {name} was born", "get the date of birth of {name}"),
        asks=(
            "When was {name} born?",
            "On what date is the birthday of {name}?",
            "I want to congratulate {name}. Which date of birth do I have?",
            "A form asks for the date of birth of {name}. What do I enter?",
        ),
        gives=Gives(
            kind="birthday",
            read="birthday",
            nouns=("the birthday of {name}", "the date of birth of {name}", "the day on which {name} was born"),
            compares="date",
        ),
        found="{name} was born on {out}",
        answers=("{name} was born on {out}.", "The birthday of {name} is {out}.", "The date of birth is {out}."),
    ),
    *(
        Intent(
            tool=reverse_lookup,
            slots={"address": slot},
            goals=(
                f"find out to whom the {words} {{address}} belongs",
                f"look up who has the {words} {{address}}",
                f"see whose {words} {{address}} is",
            ),
            asks=asks if whole else (),
            gives=Gives(
                kind="name" if whole else "holder",
                nouns=(
                    f"the {'name of the ' if whole else ''}person with the {words} {{address}}",
                    f"the {'name of the ' if whole else ''}contact whose {words} is {{address}}",
                    f"the {'name of the ' if whole else ''}owner of the {words} {{address}}",
                ),
            ),
            found="the owner of {address} is {out}",
            answers=("The owner of {address} is {out}.", "It belongs to {out}."),
            weight=0.5 if whole else 1.0,
            root=whole,
        )
        for words, slot, asks in (
            (
                "email address",
                _KNOWN_EMAIL,
                (
                    "To whom does the email address {address} belong?",
                    "A mail came from {address}. Who is that?",
                    "Who among my contacts writes from {address}?",
                ),
            ),
            (
                "phone number",
                _KNOWN_PHONE,
                (
                    "Whose phone number is {address}?",
                    "I missed a call from {address}. Who was it?",
                    "Which of my contacts can be reached under {address}?",
                ),
            ),
        )
        for whole in (True, False)
    ),
    Intent(
        tool=contacts_in,
        slots={"city": _HOME},
        goals=("find out who lives in {city}", "look up whom I know in {city}", "see which contact lives in {city}"),
        asks=(
            "Whom do I know in {city}?",
            "Which of my contacts lives in {city}?",
            "I am travelling to {city} soon. Who from my address book lives there?",
        ),
        gives=Gives(
            kind="name",
            read=lambda names, _: names[0],
            nouns=(
                "the name of my contact in {city}",
                "the name of the contact who lives in {city}",
                "the name of the person I know in {city}",
            ),
        ),
        found="{out} lives in {city}",
        answers=("{out} lives in {city}.", "Your contact in {city} is {out}."),
    ),
    Intent(
        tool=contacts_in,
        slots={"city": _HOME},
        goals=("find out who lives in {city}", "look up whom I know in {city}", "see which contact lives in {city}"),
        gives=Gives(
            kind="person",
            read=lambda names, _: names[0],
            nouns=("my contact in {city}", "the contact who lives in {city}", "the person I know in {city}"),
        ),
        found="{out} lives in {city}",
        answers=("{out} lives in {city}.", "Your contact in {city} is {out}."),
        root=False,
    ),
    Intent(
        tool=phone_country,
        by_heart=True,
        slots={"number": _PHONE},
        goals=(
            "find out from which country {number} is",
            "look up the country of {number}",
            "tell which country {number} is registered in",
            "work out what country {number} is a number of",
            "see to which country {number} belongs",
            "identify the home country of {number}",
        ),
        asks=(
            "Which country does {number} belong to?",
            "A message came from {number}. From what country was it?",
            "If I call {number}, which country am I calling?",
            "Before I pick up: what country is {number} from?",
        ),
        gives=Gives(
            kind="country",
            say=in_text,
            nouns=(
                "the country of {number}",
                "the country to which {number} belongs",
                "the country where {number} is registered",
                "the country behind {number}",
                "the country that {number} is from",
                "the home country of {number}",
            ),
            facts=lambda out: (out,),
        ),
        found="{number} belongs to {out}",
        answers=("{number} is a number from {out}.", "The country is {out}."),
    ),
    Intent(
        tool=format_phone,
        slots={"number": _PHONE, "style": _STYLE},
        goals=(
            "write {number} in {style} format",
            "put {number} into the {style} format",
            "convert {number} to the {style} way of writing",
        ),
        asks=(
            "How is {number} written in {style} format?",
            "My business card has to show {number} in {style} format. How does that look?",
            "The form accepts only the {style} format. What do I enter for {number}?",
        ),
        gives=Gives(
            kind="text",
            nouns=(
                "{number} in {style} format",
                "the {style} format of {number}",
                "the {style} way of writing {number}",
            ),
        ),
        found="the {style} format of {number} is {out}",
        answers=("In {style} format, {number} is {out}.", "It is written {out}."),
    ),
    Intent(
        tool=next_birthday,
        slots={"name": HOLDER, "date": DATE},
        goals=(
            "find the next birthday of {name} from {date} on",
            "find the day of the first birthday that {name} has from {date} on",
            "work out when {name} has the next birthday, counting from {date}",
        ),
        asks=(
            "From {date} on, when does {name} have the next birthday?",
            "We are planning from {date} on. On what date does {name} celebrate a birthday next?",
            "It is {date}. On which date is the next birthday of {name}?",
        ),
        gives=Gives(
            kind="date",
            read="date",
            nouns=(
                "the date of the next birthday of {name} from {date} on",
                "the first day from {date} on that is a birthday of {name}",
                "the date on which {name} next has a birthday, counting from {date}",
            ),
            compares="date",
        ),
        found="the next birthday of {name} from {date} on is {out}",
        answers=("The next birthday of {name} is on {out}.", "It is on {out}."),
        rivals=("find_contact",),
    ),
    Intent(
        tool=next_birthday,
        slots={"name": HOLDER, "date": DATE},
        goals=(
            "find how old {name} turns on the first birthday from {date} on",
            "work out which age {name} reaches on the next birthday, counting from {date}",
            "tell how many years old {name} becomes at the next birthday from {date} on",
        ),
        asks=(
            "How old does {name} turn on the next birthday from {date} on?",
            "From {date} on, which age does {name} reach at the next birthday?",
            "It is {date} and a cake for the next birthday of {name} is being planned. How many candles does it need?",
        ),
        gives=Gives(
            kind="count",
            read="turns",
            nouns=(
                "the age that {name} reaches on the next birthday from {date} on",
                "the number of years {name} turns on the first birthday from {date} on",
                "the age {name} gets to at the next birthday, counting from {date}",
            ),
            compares="size",
        ),
        found="{name} turns {out} on the first birthday from {date} on",
        answers=("{name} turns {out}.", "The age is {out}."),
        weight=0.6,
        rivals=("find_contact",),
    ),
    *CHANGES,
)

_BY_NAME = (
    "find_contact", "contacts_in", "update_contact", "delete_contact", "next_birthday", "customer_orders",
    "search_mail", "count_unread", "create_event", "add_attendee",
)  # fmt: skip

CATEGORY = Category(
    name="contacts",
    tools=(
        find_contact,
        reverse_lookup,
        contacts_in,
        add_contact,
        update_contact,
        delete_contact,
        phone_country,
        format_phone,
        next_birthday,
    ),
    intents=_INTENTS,
    held_out=("next_birthday", "delete_contact"),
    detours={
        # Sending to an address that is nearly right tells the right one, and an address holds its owner's name:
        # what takes a name confirms it, or goes on with it at once.
        "find_contact": ("reverse_lookup", "contacts_in", "send_mail", "forward_mail"),
        "reverse_lookup": _BY_NAME,
        "contacts_in": ("find_contact",),
        "update_contact": ("delete_contact",),
        "next_birthday": ("age_on",),
    },
)
