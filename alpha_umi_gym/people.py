"""The people of a world: contacts, colleagues and customers are the same twelve persons in every category."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass

from alpha_umi_gym.intents import Slot
from alpha_umi_gym.lookup import find
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.sampler import Draw
from alpha_umi_gym.world import World

FIRST_NAMES = tuple(
    [
        "Anna",
        "Ben",
        "Carla",
        "David",
        "Elena",
        "Farid",
        "Grace",
        "Hugo",
        "Ines",
        "Jonas",
        "Kaito",
        "Lena",
        "Maria",
        "Noah",
        "Olga",
        "Pablo",
        "Rosa",
        "Samir",
        "Tilda",
        "Umberto",
        "Vera",
        "Walter",
        "Ximena",
        "Yusuf",
        "Zoe",
        "Agnes",
        "Bruno",
        "Clara",
        "Dmitri",
        "Esther",
        "Felix",
        "Greta",
        "Henrik",
        "Irene",
        "Julian",
        "Katrin",
        "Luca",
        "Mira",
        "Nadia",
        "Oscar",
        "Petra",
        "Quentin",
        "Ruth",
        "Stefan",
        "Tara",
        "Ulrich",
        "Viola",
        "Wendy",
        "Yara",
        "Arthur",
    ]
)
LAST_NAMES = tuple(
    [
        "Adler",
        "Bauer",
        "Costa",
        "Dahl",
        "Evans",
        "Fischer",
        "Garcia",
        "Hansen",
        "Ito",
        "Jensen",
        "Kowalski",
        "Lindgren",
        "Meyer",
        "Novak",
        "Okafor",
        "Petrov",
        "Quinn",
        "Rossi",
        "Schmidt",
        "Tanaka",
        "Ueda",
        "Vargas",
        "Weber",
        "Xu",
        "Yilmaz",
        "Zhang",
        "Andersen",
        "Brandt",
        "Castillo",
        "Dubois",
        "Eriksen",
        "Ferrari",
        "Gruber",
        "Haddad",
        "Ivanov",
        "Jovanovic",
        "Keller",
        "Lopez",
        "Moreau",
        "Nielsen",
        "Olsen",
        "Peeters",
        "Ricci",
        "Santos",
        "Torres",
        "Urban",
        "Virtanen",
        "Wagner",
    ]
)
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


CALLING = {
    "AE": "+97150", "AT": "+431", "AU": "+6141", "BE": "+3247", "BR": "+551199", "CA": "+1416", "CH": "+4144",
    "CL": "+5699", "CN": "+861381", "CO": "+57310", "CZ": "+42077", "DE": "+4930", "DK": "+454", "EC": "+59399",
    "EE": "+3725", "EG": "+20100", "ES": "+3461", "FI": "+35840", "FR": "+3361", "GB": "+44207", "GR": "+30210",
    "HR": "+3851", "HU": "+361", "ID": "+6221", "IE": "+3531", "IN": "+91981", "IT": "+3902", "JP": "+81903",
    "KE": "+25420", "KR": "+822", "LT": "+3706", "LV": "+3716", "NG": "+234803", "NL": "+3120", "NO": "+479",
    "NZ": "+649", "PE": "+5199", "PH": "+63917", "PK": "+92300", "PL": "+4822", "PT": "+35121", "SE": "+468",
    "SG": "+658", "TH": "+662", "TR": "+90212", "US": "+1617",
}  # fmt: skip
"""Country -> calling code and the first digits of a number: with seven more it is one of that country."""


def names_in(world: World) -> list[str]:
    """The names of everybody in a world."""
    return list(world.part(People).persons)


def _stranger(d: Draw) -> str:
    known = names_in(d.world)
    name = f"{d.any_of(FIRST_NAMES)} {d.any_of(LAST_NAMES)}"
    return name if all(part not in other for part in name.split() for other in known) else _stranger(d)


PERSON = Slot(
    kind="person",
    draw=lambda d: d.choose(names_in(d.world)),
    vague=("a friend of mine", "the person I told you about", "my colleague", "you know who"),
    unknown=_stranger,
    slip=lambda d, value: d.misspell(value.split()[0]) + " " + value.split()[1],
)
