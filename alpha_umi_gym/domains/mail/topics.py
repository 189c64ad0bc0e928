"""What the mails of a world are about: subjects, and texts with places for one fact or two.

Every topic has facts of its own, so that a request can ask for them. Knows nothing of mailboxes.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from alpha_umi_gym.domains.reading import filled
from alpha_umi_gym.places import CITIES

_CITIES = tuple(CITIES)
SHARED_FILES = tuple(f"shared/{name}.txt" for name in ("agenda", "menu", "packing", "rules", "speech", "wishes"))
"""Files that mails mention; every world's file store has them."""


class Topic(NamedTuple):
    """What a mail may be about."""

    subjects: tuple[str, ...]
    bodies: tuple[str, ...]


TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        "bill": Topic(
            ("printer invoice", "catering invoice", "roof repair bill", "hotel bill", "flower order", "piano tuning"),
            (
                "Hello, the total is {amount} dollars. Please pay it by {date}.",
                "All in all it comes to {amount} dollars, due on {date}.",
                "We charge {amount} dollars for this. The money should be with us by {date}.",
            ),
        ),
        "room": Topic(
            ("exam room", "workshop room", "new office", "rehearsal room", "storage room", "lecture hall"),
            (
                "Good news: we got room {room} on floor {floor}.",
                "It is room {room}. Take the lift to floor {floor}.",
                "They gave us number {room}, which is on floor {floor}.",
            ),
        ),
        "trip": Topic(
            ("spring trip", "trade fair", "company outing", "ski weekend", "study tour", "choir tour"),
            (
                "We leave for {city} on {date}. Bring a warm coat.",
                "This time it goes to {city}. The train leaves on {date}.",
                "The destination is {city}, and we meet at the station on {date}.",
            ),
        ),
        "appointment": Topic(
            ("dental check", "visa interview", "bank appointment", "boiler inspection", "passport pickup", "eye exam"),
            (
                "You can come on {date} at {clock}. Please be on time.",
                "We are expecting you on {date} at {clock}.",
                "The new time is {clock} on {date}. Let us know if that does not suit you.",
            ),
        ),
        "parcel": Topic(
            ("wine parcel", "book parcel", "camera parcel", "honey delivery", "bicycle delivery", "paint delivery"),
            (
                "It weighs {mass} kg and arrives on {date}.",
                "You will get it on {date}. With its {mass} kg it takes two to carry it.",
                "Weight: {mass} kg. Expected: {date}.",
            ),
        ),
        "newcomer": Topic(
            ("new accountant", "new trainee", "new neighbour", "new goalkeeper", "new translator", "new gardener"),
            (
                "The choice fell on {person}, who starts on {date}.",
                "Please welcome {person}. The first day is {date}.",
                "It will be {person}, from {date} on.",
            ),
        ),
        "guests": Topic(
            (
                "street festival",
                "wedding dinner",
                "anniversary",
                "school reunion",
                "harvest feast",
                "bridge tournament",
            ),
            (
                "So far {count} guests have said yes, and {less} could not decide.",
                "We expect {count} guests. Another {less} sent their regrets.",
                "I counted {count} guests and {less} cakes.",
            ),
        ),
        "figures": Topic(
            ("sales figures", "survey results", "exam results", "visitor numbers", "energy report", "club statistics"),
            (
                "Compared to last year we are up by {percent} percent.",
                "The increase is {percent} percent, better than we thought.",
                "An increase of {percent} percent. Well done, everybody.",
            ),
        ),
        "paper": Topic(
            ("summer fete", "camping week", "retirement party", "house rules", "jubilee", "scout camp"),
            (
                "I put all of it into the file {file} for you.",
                "What you asked for is in {file} now.",
                "Have a look at the file {file} and tell me what you think.",
            ),
        ),
        "number": Topic(
            ("new phone number", "plumber contact", "taxi service", "doctor on call", "piano teacher", "babysitter"),
            (
                "The number to call is {phone}, best in the evening.",
                "Write this number down: {phone}.",
                "From today on it is {phone}. Please delete the old number.",
            ),
        ),
        "deadline": Topic(
            ("grant application", "tax return", "photo contest", "course registration", "parking permit", "ballot"),
            (
                "Do not forget: it has to be there by {date}.",
                "The last day for it is {date}, no excuses.",
                "They moved the deadline to {date}.",
            ),
        ),
        "route": Topic(
            ("bike tour", "charity walk", "canoe trip", "night hike", "pilgrimage", "marathon relay"),
            (
                "The whole route is {length} km long, with one break.",
                "I measured it on the map: {length} km.",
                "We will cover {length} km, so wear good shoes.",
            ),
        ),
    }
)


def body_of(topic: str, chance: random.Random) -> str:
    """A text about a topic with its facts; a person stays {person}, since only a world knows its people."""
    return filled(chance.choice(TOPICS[topic].bodies), _FACTS, chance)


def _day(chance: random.Random) -> datetime.date:
    return datetime.date(2024, 1, 1) + datetime.timedelta(days=chance.randrange(366))


_FACTS: Mapping[str, Callable[[random.Random], object]] = MappingProxyType(
    {
        "amount": lambda chance: chance.randrange(40, 960),
        "date": _day,
        "room": lambda chance: chance.randrange(11, 480),
        "floor": lambda chance: chance.randrange(2, 10),
        "city": lambda chance: chance.choice(_CITIES),
        "clock": lambda chance: f"{chance.randrange(8, 19):02}:{chance.choice((0, 10, 15, 20, 30, 40, 45)):02}",
        "mass": lambda chance: f"{chance.randrange(4, 90) / 2:g}",
        "person": lambda _: "{person}",
        "count": lambda chance: chance.randrange(12, 99),
        "less": lambda chance: chance.randrange(2, 12),
        "percent": lambda chance: chance.randrange(2, 40),
        "file": lambda chance: chance.choice(SHARED_FILES),
        "phone": lambda chance: f"{chance.choice(('+4930', '+1617'))}{chance.randrange(2_000_000, 9_999_999)}",
        "length": lambda chance: chance.randrange(6, 80),
    }
)
"""Something for every place of a text."""
