"""The people of a world: contacts, colleagues and customers are the same twelve persons in every category."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass
from pathlib import Path

from alpha_umi.trajectory import Frozen
from alpha_umi_gym.intents import Slot
from alpha_umi_gym.lookup import find
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.world import World
from alpha_umi_gym.yaml_data import read_as


class _Source(Frozen):
    """What `people.yaml` holds."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    calling: dict[str, str]


_SOURCE = read_as(_Source, Path(__file__).with_name("people.yaml"))
FIRST_NAMES, LAST_NAMES = _SOURCE.first_names, _SOURCE.last_names
CALLING = _SOURCE.calling
"""Country -> calling code and the first digits of a number: with seven more it is one of that country."""
_MANY = 12


@dataclass
class Person:
    """One person of a world."""

    name: str
    email: str
    phone: str
    """International, in the country of the city."""
    city: str
    birthday: str


class People:
    """The persons of one episode."""

    def __init__(self, chance: random.Random) -> None:
        firsts, lasts = chance.sample(FIRST_NAMES, _MANY), chance.sample(LAST_NAMES, _MANY)
        cities = chance.sample(list(CITIES), _MANY)
        self.persons: dict[str, Person] = {}
        for first, last, city in zip(firsts, lasts, cities, strict=True):
            born = datetime.date(1950, 1, 1) + datetime.timedelta(days=chance.randrange(20_000))
            email = f"{first}.{last}@{chance.choice(('example.com', 'example.org', 'mail.example'))}".lower()
            phone = f"{CALLING[CITIES[city].country]}{chance.randrange(2_000_000, 9_999_999)}"
            self.persons[f"{first} {last}"] = Person(f"{first} {last}", email, phone, city, str(born))
        self.original = tuple(self.persons)
        """The names the world began with: other parts refer to them by position, whatever becomes of the contacts."""

    def find(self, name: str) -> Person:
        """A person by full name.

        Raises:
            LookupError: there is none; a close name is suggested.
        """
        return self.persons[find(name, self.persons, what="person")]

    def state(self) -> object:
        """What matters of them."""
        return {name: [p.email, p.phone, p.city, p.birthday] for name, p in sorted(self.persons.items())}


def names_in(world: World) -> list[str]:
    """The names of everybody in a world."""
    return list(world.part(People).persons)


def _stranger(d: Sampler) -> str:
    known = names_in(d.world)
    name = f"{d.any_value(FIRST_NAMES)} {d.any_value(LAST_NAMES)}"
    return name if all(part not in other for part in name.split() for other in known) else _stranger(d)


PERSON = Slot(
    kind="person",
    draw=lambda d: d.split_value(names_in(d.world)),
    vague=("a friend of mine", "the person I told you about", "my colleague", "you know who"),
    unknown=_stranger,
    slip=lambda d, value: d.misspell(value.split()[0]) + " " + value.split()[1],
)
