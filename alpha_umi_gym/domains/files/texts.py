"""What is in the files of a world: for each kind of file its folder, its names, and texts with facts of that kind."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from alpha_umi_gym.domains.mail.topics import SHARED_FILES
from alpha_umi_gym.domains.reading import filled
from alpha_umi_gym.places import CITIES

NOUNS = (
    "lantern", "kettle", "umbrella", "violin", "ladder", "blanket", "rucksack", "mirror", "hammer", "camera", "carpet",
    "curtain", "drawer", "easel", "feather", "guitar", "helmet", "jacket", "napkin", "paddle", "pillow", "racket",
    "saddle", "teapot", "trumpet", "wagon", "whistle", "bottle", "candle", "hammock", "puzzle", "ribbon", "shovel",
    "toaster", "zither", "balloon", "cushion", "doormat", "bicycle", "telescope",
)  # fmt: skip
"""Things: every file of a fresh world speaks of another one."""
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_FOODS = ("flour", "butter", "sugar", "cheese", "potatoes", "spinach", "pumpkin", "almonds")
_CITIES = tuple(CITIES)


class FileKind(NamedTuple):
    """A kind of file."""

    folder: str
    stems: tuple[str, ...]
    extension: str
    texts: tuple[str, ...]
    many: int = 2
    """Files of this kind in a world."""


KINDS: Mapping[str, FileKind] = MappingProxyType(
    {
        "invoice": FileKind(
            "invoices",
            _MONTHS,
            "txt",
            (
                "Invoice for one NOUN: {amount} dollars, paid on {date}.",
                "Repair of the NOUN, {amount} dollars in all. Paid on {date}.",
                "One NOUN with delivery, {amount} dollars. The money came on {date}.",
            ),
        ),
        "report": FileKind(
            "reports",
            _MONTHS,
            "txt",
            (
                "We sold {count} pieces of the NOUN, which is {percent} percent more than before.",
                "The best article was the NOUN with {count} pieces sold, up by {percent} percent.",
                "There are {count} pieces of the NOUN left. Costs went up by {percent} percent.",
            ),
        ),
        "recipe": FileKind(
            "recipes",
            ("pancakes", "lasagna", "goulash", "muffins", "risotto", "strudel", "gratin", "focaccia", "crumble"),
            "md",
            (
                "Take {mass} g of {food}, stir well and bake it at {heat} C. This was in the box of the NOUN.",
                "Heat the oven to {heat} C. For the dough you need {mass} g of {food}. Put the NOUN away first.",
                "You need {mass} g of {food}. It goes into the oven at {heat} C. Eat it next to the NOUN.",
            ),
        ),
        "trip": FileKind(
            "trips",
            ("easter", "summer", "honeymoon", "conference", "skiing", "sailing", "reunion", "wedding", "marathon"),
            "md",
            (
                "We stay in {city} from {date} on. Do not forget the NOUN.",
                "The train to {city} leaves on {date}. Pack the NOUN.",
                "Arrival in {city} on {date}. The NOUN comes later.",
            ),
        ),
        "note": FileKind(
            "notes",
            ("garden", "kitchen", "garage", "birthday", "weekend", "homework", "cellar", "balcony", "attic", "chores"),
            "md",
            (
                "Clean the NOUN and bring it back to the neighbours",
                "Look for another NOUN before the guests arrive",
                "Ask at the market for a small NOUN made of wood",
                "Hide the old NOUN behind the shed",
            ),
        ),
        "shared": FileKind(
            "shared",
            tuple(path.removeprefix("shared/").removesuffix(".txt") for path in SHARED_FILES),
            "txt",
            (
                "Everybody may use the NOUN at the door",
                "Please leave the NOUN where it is",
                "The NOUN belongs to all of us",
                "Nobody may sit down before the NOUN is ready",
            ),
            len(SHARED_FILES),
        ),
    }
)
FOLDERS = tuple(kind.folder for kind in KINDS.values())
"""All folders there are."""


def text_of(kind: FileKind, noun: str, chance: random.Random) -> str:
    """A text of this kind about a thing."""
    return filled(chance.choice(kind.texts), _FACTS, chance).replace("NOUN", noun)


def _day(chance: random.Random) -> datetime.date:
    return datetime.date(2024, 1, 1) + datetime.timedelta(days=chance.randrange(366))


_FACTS: Mapping[str, Callable[[random.Random], object]] = MappingProxyType(
    {
        "date": _day,
        "amount": lambda chance: chance.randrange(20, 900),
        "count": lambda chance: chance.randrange(11, 400),
        "percent": lambda chance: chance.randrange(2, 40),
        "mass": lambda chance: chance.randrange(15, 160) * 5,
        "heat": lambda chance: chance.randrange(28, 47) * 5,
        "food": lambda chance: chance.choice(_FOODS),
        "city": lambda chance: chance.choice(_CITIES),
    }
)
"""Something for every place of a text."""
