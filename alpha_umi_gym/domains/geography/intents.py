"""Places: countries, capitals, codes, and where cities lie on the globe and to one another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.geography import tools
from alpha_umi_gym.intents import Category, Gives, Intent, Slot
from alpha_umi_gym.numbers import Quantity
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.slots import CITY, counted, listed, quantity_ways
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


class _Capital(str):
    """A city that was found as the capital of its country: to ask for that country leads nowhere."""


_LIKE_WORDS = ("AE", "AT", "BE", "ES", "ID", "IN", "IS", "IT", "LT", "MA", "NO", "PE", "SO", "UA", "US")
"""Codes that are words or look like it: an answer would hold them by accident."""
_STYLE_NAMES = {"alpha-2": ("two-letter", "alpha-2"), "alpha-3": ("three-letter", "alpha-3"), "numeric": ("numeric",)}
_STYLE = Slot(kind="code_style", draw=lambda d: d.any_value(list(_STYLE_NAMES)), say=lambda value: _STYLE_NAMES[value])
_CODE = Slot(
    kind="letter_code",
    draw=lambda d: d.split_value(tools.letter_codes()),
    unknown=lambda d: d.from_short_list(("XQ", "QQZ", "XX", "ZZ", "XYX", "QM", "ZZZ", "XAX")),
)
_SETTLED = replace(
    tools.COUNTRY,
    unknown=lambda d: d.from_short_list([name for name, country in tools.COUNTRIES.items() if not country.capital]),
)
_ON_ONE = replace(
    tools.COUNTRY,
    unknown=lambda d: d.from_short_list(
        [name for name, country in tools.COUNTRIES.items() if len(country.continents) > 1]
    ),
)
_ON_MAP = replace(
    tools.COUNTRY,
    draw=lambda d: d.split_value(list(dict.fromkeys(tools.HOME.values()))),
    unknown=lambda d: d.from_short_list([name for name in tools.COUNTRIES if name not in tools.HOME.values()]),
)


def _capital(kind: str, *, weight: float) -> Intent:
    """Intent for a capital: a city that other tools know, or any."""
    known = kind == "city"
    return Intent(
        tool=tools.capital_of,
        words=_WORDS["capital_of"],
        by_heart=True,
        slots={"country": _SETTLED},
        fits=(lambda v: tools.COUNTRIES[v["country"]].capital in CITIES) if known else None,
        gives=Gives(kind=kind, read=lambda result, _: _Capital(result)),
        weight=weight,
    )


_INTENTS = (
    Intent(
        tool=tools.country_of,
        words=_WORDS["country_of"],
        by_heart=True,
        slots={"city": CITY},
        fits=lambda v: not isinstance(v["city"], _Capital),
        gives=Gives(kind="country", say=tools.in_text, facts=lambda out: [out]),
    ),
    _capital("city", weight=1.0),
    _capital("capital", weight=0.5),
    Intent(
        tool=tools.continent_of,
        words=_WORDS["continent_of"],
        by_heart=True,
        slots={"country": _ON_ONE},
        fits=lambda v: len(tools.COUNTRIES[v["country"]].continents) == 1,
        gives=Gives(kind="continent", compares="|".join(tools.CONTINENTS)),
    ),
    Intent(
        tool=tools.country_code,
        words=_WORDS["country_code"],
        slots={"country": tools.COUNTRY, "style": _STYLE},
        fits=lambda v: v["style"] != "alpha-2" or tools.COUNTRIES[v["country"]].code not in _LIKE_WORDS,
        gives=Gives(kind="country_code", read="code"),
        rivals=("country_with_code",),
    ),
    Intent(
        tool=tools.country_with_code,
        words=_WORDS["country_with_code"],
        by_heart=True,
        slots={"code": _CODE},
        gives=Gives(kind="country", say=tools.in_text, facts=lambda out: [out]),
    ),
    Intent(
        tool=tools.cities_in,
        words=_WORDS["cities_in"],
        slots={"country": _ON_MAP},
        fits=lambda v: v["country"] in tools.HOME.values(),
        gives=Gives(kind="cities", read="cities", say=listed, facts=lambda out: out),
    ),
    Intent(
        tool=tools.cities_in,
        words=_WORDS["cities_in_count"],
        slots={"country": _ON_MAP},
        fits=lambda v: v["country"] in tools.HOME.values(),
        gives=Gives(kind="count", read="count"),
        weight=0.5,
    ),
)


def _differ(one: str, other: str) -> Any:
    return lambda values: values[one] != values[other]


def _length(result: Any, _: Any) -> Quantity:
    return Quantity(result["distance"], result["unit"])


def _where(word: str) -> Intent:
    """Intent for one of the coordinates."""
    return Intent(
        tool=tools.coordinates_of,
        words=_WORDS[f"coordinates_of_{word}"],
        slots={"city": CITY},
        gives=Gives(kind=word, read=word, say=lambda out: counted(out, "degree"), compares="size"),
    )


def _side(word: str, sides: str) -> Intent:
    """Intent for the hemisphere by one of the coordinates."""
    return Intent(
        tool=tools.hemisphere_of,
        words=_WORDS[f"hemisphere_of_{word}"],
        slots={"city": CITY},
        gives=Gives(kind="hemisphere", read=f"by_{word}", compares=sides),
        rivals=("coordinates_of",),
    )


_GLOBE = (
    Intent(
        tool=tools.distance,
        words=_WORDS["distance"],
        slots={"city": CITY, "other_city": CITY},
        fits=_differ("city", "other_city"),
        gives=Gives(kind="length", read=_length, say=lambda out: quantity_ways(out)[0], compares="size"),
    ),
    Intent(
        tool=tools.bearing,
        words=_WORDS["bearing"],
        slots={"from_city": CITY, "to_city": CITY},
        fits=_differ("from_city", "to_city"),
        gives=Gives(kind="number", read="degrees", say=lambda out: counted(out, "degree"), compares="size"),
    ),
    Intent(
        tool=tools.bearing,
        words=_WORDS["bearing_compass"],
        slots={"from_city": CITY, "to_city": CITY},
        fits=_differ("from_city", "to_city"),
        gives=Gives(kind="direction", read="compass", compares="|".join(tools.COMPASS)),
    ),
    Intent(
        tool=tools.nearest_city,
        words=_WORDS["nearest_city"],
        slots={"city": CITY},
        gives=Gives(kind="city", read="city"),
        weight=2.0,
    ),
    Intent(
        tool=tools.nearest_city,
        words=_WORDS["nearest_city_distance"],
        slots={"city": CITY},
        gives=Gives(kind="length", read=_length, say=lambda out: quantity_ways(out)[0], compares="size"),
    ),
    _where("latitude"),
    _where("longitude"),
    _side("latitude", "northern|southern"),
    _side("longitude", "eastern|western"),
)
"""What the category geography asks about the globe."""

CATEGORY = Category(
    name="geography",
    tools=(
        tools.country_of,
        tools.capital_of,
        tools.continent_of,
        tools.country_code,
        tools.country_with_code,
        tools.distance,
        tools.bearing,
        tools.nearest_city,
        tools.coordinates_of,
        tools.hemisphere_of,
        tools.cities_in,
    ),
    intents=(*_INTENTS, *_GLOBE),
    held_out=("bearing", "nearest_city"),
    alternatives={
        "country_of": ("cities_in", "capital_of"),
        "capital_of": ("country_of", "cities_in"),
        "country_with_code": ("country_code",),
        "cities_in": ("country_of", "capital_of"),
        "distance": ("nearest_city",),
        "nearest_city": ("distance", "coordinates_of"),
        "bearing": ("coordinates_of",),
    },
    closed_sets=(
        frozenset(name.casefold() for name in (*CITIES, *(c.capital for c in tools.COUNTRIES.values())) if name),
        frozenset(name.casefold() for name in tools.COUNTRIES),
        frozenset(continent.casefold() for continent in tools.CONTINENTS),
        frozenset(tools.COMPASS),
        frozenset({"northern", "southern"}),
        frozenset({"eastern", "western"}),
    ),
    aliases={name: tuple(tools.COUNTRY.say(name)) for name in tools.COUNTRIES},
)
