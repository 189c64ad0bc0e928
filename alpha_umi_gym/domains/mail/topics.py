"""What the mails of a world are about: subjects, and texts with places for one fact or two.

Every topic has facts of its own, so that a request can ask for them. Knows nothing of mailboxes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from alpha_umi_gym.domains.reading import day_of_2024, filled
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.yaml_data import read_as

_CITIES = tuple(CITIES)
SHARED_FILES = tuple(f"shared/{name}.txt" for name in ("agenda", "menu", "packing", "rules", "speech", "wishes"))
"""Files that mails mention; every world's file store has them."""


class Topic(NamedTuple):
    """What a mail may be about."""

    subjects: tuple[str, ...]
    bodies: tuple[str, ...]


TOPICS = read_as(dict[str, Topic], Path(__file__).with_name("topics.yaml"))


def body_of(topic: str, chance: random.Random) -> str:
    """A text about a topic with its facts; a person stays {person}, since only a world knows its people."""
    return filled(chance.choice(TOPICS[topic].bodies), _FACTS, chance)


_FACTS: Mapping[str, Callable[[random.Random], object]] = MappingProxyType(
    {
        "amount": lambda chance: chance.randrange(40, 960),
        "date": day_of_2024,
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
