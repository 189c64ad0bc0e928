"""What is in the files of a world: for each kind of file its folder, its names, and texts with facts of that kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from alpha_umi_gym.domains.reading import day_of_2024, filled
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.yaml_data import read_as

NOUNS = (
    "lantern", "kettle", "umbrella", "violin", "ladder", "blanket", "rucksack", "mirror", "hammer", "camera", "carpet",
    "curtain", "drawer", "easel", "feather", "guitar", "helmet", "jacket", "napkin", "paddle", "pillow", "racket",
    "saddle", "teapot", "trumpet", "wagon", "whistle", "bottle", "candle", "hammock", "puzzle", "ribbon", "shovel",
    "toaster", "zither", "balloon", "cushion", "doormat", "bicycle", "telescope",
)  # fmt: skip
"""Things: every file of a fresh world speaks of another one."""
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


KINDS = read_as(dict[str, FileKind], Path(__file__).with_name("kinds.yaml"))
FOLDERS = tuple(kind.folder for kind in KINDS.values())
"""All folders there are."""


def text_of(kind: FileKind, noun: str, chance: random.Random) -> str:
    """A text of this kind about a thing."""
    return filled(chance.choice(kind.texts), _FACTS, chance).replace("NOUN", noun)


_FACTS: Mapping[str, Callable[[random.Random], object]] = MappingProxyType(
    {
        "date": day_of_2024,
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
