"""Places: countries, capitals, codes, and where cities lie on the globe and to one another."""

from __future__ import annotations

from alpha_umi_gym.domains.geography.globe import GLOBE_INTENTS
from alpha_umi_gym.domains.geography.tools import (
    COMPASS,
    CONTINENTS,
    COUNTRIES,
    COUNTRY,
    HOME,
    bearing,
    capital_of,
    cities_in,
    continent_of,
    coordinates_of,
    country_code,
    country_of,
    country_with_code,
    distance,
    hemisphere_of,
    in_text,
    letter_codes,
    nearest_city,
)
from alpha_umi_gym.intents import Category, Gives, Intent, Slot
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.slots import CITY


class _Capital(str):
    """A city that was found as the capital of its country: to ask for that country leads nowhere."""


_WORDS = ("AE", "AT", "BE", "ES", "ID", "IN", "IS", "IT", "LT", "MA", "NO", "PE", "SO", "UA", "US")
"""Codes that are words or look like it: an answer would hold them by accident."""
_STYLE_NAMES = {"alpha-2": ("two-letter", "alpha-2"), "alpha-3": ("three-letter", "alpha-3"), "numeric": ("numeric",)}
_STYLE = Slot(
    kind="code_style",
    draw=lambda d: d.any_of(list(_STYLE_NAMES)),
    say=lambda value: _STYLE_NAMES[value],
)
_CODE = Slot(
    kind="letter_code",
    draw=lambda d: d.choose(letter_codes()),
    unknown=lambda d: d.ours(("XQ", "QQZ", "XX", "ZZ", "XYX", "QM", "ZZZ", "XAX")),
)
_SETTLED = Slot(
    kind="country",
    draw=COUNTRY.draw,
    say=COUNTRY.say,
    vague=COUNTRY.vague,
    unknown=lambda d: d.ours([name for name, country in COUNTRIES.items() if not country.capital]),
    slip=COUNTRY.slip,
)
_ON_ONE = Slot(
    kind="country",
    draw=COUNTRY.draw,
    say=COUNTRY.say,
    vague=COUNTRY.vague,
    unknown=lambda d: d.ours([name for name, country in COUNTRIES.items() if len(country.continents) > 1]),
    slip=COUNTRY.slip,
)
_ON_MAP = Slot(
    kind="country",
    draw=lambda d: d.choose(list(dict.fromkeys(HOME.values()))),
    say=COUNTRY.say,
    vague=COUNTRY.vague,
    unknown=lambda d: d.ours([name for name in COUNTRIES if name not in HOME.values()]),
    slip=COUNTRY.slip,
)


def _listed(cities: list[str]) -> str:
    return cities[0] if len(cities) == 1 else ", ".join(cities[:-1]) + f" and {cities[-1]}"


def _capital(kind: str, *, weight: float) -> Intent:
    """Intent for a capital: a city that other tools know, or any."""
    known = kind == "city"
    return Intent(
        tool=capital_of,
        by_heart=True,
        slots={"country": _SETTLED},
        fits=(lambda v: COUNTRIES[v["country"]].capital in CITIES) if known else None,
        goals=(
            "find the capital of {country}",
            "look up which city is the capital of {country}",
            "name the capital of {country}",
            "tell what the capital of {country} is called",
        ),
        asks=(
            "What is the capital of {country} called?",
            "Which city is the capital of {country}?",
            "I am filling in a crossword: the capital of {country}. What do I write?",
            "My flight goes to the capital of {country}. Which city is that?",
            "In a list of capitals, which city stands next to {country}?",
        ),
        gives=Gives(
            kind=kind,
            read=lambda result, _: _Capital(result),
            nouns=(
                "the capital of {country}",
                "the capital city of {country}",
                "the city that is the capital of {country}",
            ),
        ),
        found="the capital of {country} is {out}",
        answers=("The capital of {country} is {out}.", "{out} is the capital of {country}."),
        weight=weight,
    )


_INTENTS = (
    Intent(
        tool=country_of,
        by_heart=True,
        slots={"city": CITY},
        fits=lambda v: not isinstance(v["city"], _Capital),
        goals=(
            "find the country in which {city} lies",
            "look up which country {city} belongs to",
            "tell what country {city} is in",
            "name the country of {city}",
            "check in which country {city} is",
        ),
        asks=(
            "Which country is {city} in?",
            "I am flying to {city}. In which country do I land?",
            "A postcard came from {city}. In which country was it posted?",
            "My cousin moved to {city}. What country does she live in now?",
            "To which country does {city} belong?",
            "Our next meeting is in {city}. Which country's visa rules should I read?",
        ),
        gives=Gives(
            kind="country",
            say=in_text,
            facts=lambda out: [out],
            nouns=(
                "the country of {city}",
                "the country that contains {city}",
                "the country around {city}",
                "the country that includes {city}",
            ),
        ),
        found="{city} is in {out}",
        answers=("{city} is in {out}.", "It is in {out}."),
    ),
    _capital("city", weight=1.0),
    _capital("capital", weight=0.5),
    Intent(
        tool=continent_of,
        by_heart=True,
        slots={"country": _ON_ONE},
        fits=lambda v: len(COUNTRIES[v["country"]].continents) == 1,
        goals=(
            "find the continent on which {country} lies",
            "look up which continent {country} belongs to",
            "tell on what continent {country} is",
            "name the continent of {country}",
        ),
        asks=(
            "On which continent is {country}?",
            "I am sorting stamps by continent. Where do the ones from {country} go?",
            "Which continent does {country} belong to?",
            "My atlas has one page for each continent. On which one do I find {country}?",
        ),
        gives=Gives(
            kind="continent",
            nouns=(
                "the continent of {country}",
                "the continent on which {country} lies",
                "the continent where {country} is",
                "the continent that {country} belongs to",
            ),
            compares="|".join(CONTINENTS),
        ),
        found="the continent of {country} is {out}",
        answers=("The continent of {country} is {out}.", "It is {out}."),
    ),
    Intent(
        tool=country_code,
        slots={"country": COUNTRY, "style": _STYLE},
        fits=lambda v: v["style"] != "alpha-2" or COUNTRIES[v["country"]].code not in _WORDS,
        goals=(
            "look up the {style} ISO code of {country}",
            "find the {style} code that stands for {country}",
            "get the {style} country code of {country}",
            "tell which {style} code {country} has",
        ),
        asks=(
            "What {style} code does {country} have?",
            "A customs form wants the {style} code of {country}. What do I put there?",
            "In a table of countries, which {style} ISO code is the one of {country}?",
            "Which {style} country code do I enter for {country}?",
        ),
        gives=Gives(
            kind="country_code",
            read="code",
            nouns=(
                "the {style} code of {country}",
                "the {style} country code of {country}",
                "the {style} ISO code of {country}",
                "the {style} code that stands for {country}",
            ),
        ),
        found="the {style} code of {country} is {out}",
        answers=("The {style} code of {country} is {out}.", "It is {out}."),
        rivals=("country_with_code",),
    ),
    Intent(
        tool=country_with_code,
        by_heart=True,
        slots={"code": _CODE},
        goals=(
            "find the country with the code {code}",
            "look up which country the code {code} stands for",
            "tell what country has the ISO code {code}",
            "name the country behind the code {code}",
        ),
        asks=(
            "Which country has the code {code}?",
            "There is a sticker with {code} on my suitcase. Which country is that?",
            "A runner wears the country code {code}. Where does he come from?",
            "In a list of countries, what does {code} stand for?",
        ),
        gives=Gives(
            kind="country",
            say=in_text,
            facts=lambda out: [out],
            nouns=(
                "the country with the code {code}",
                "the country whose ISO code is {code}",
                "the country behind the code {code}",
            ),
        ),
        found="the code {code} stands for {out}",
        answers=("{code} stands for {out}.", "It is the code of {out}."),
    ),
    Intent(
        tool=cities_in,
        slots={"country": _ON_MAP},
        fits=lambda v: v["country"] in HOME.values(),
        goals=(
            "list the cities of the atlas in {country}",
            "find out which cities of the atlas are in {country}",
            "look up the cities that the atlas has in {country}",
            "name the cities of {country} in the atlas",
        ),
        asks=(
            "Which cities of {country} are in the atlas?",
            "I am going round {country}. Which cities there does the atlas have?",
            "What cities does the atlas show in {country}?",
            "Which of the cities in the atlas belong to {country}?",
        ),
        gives=Gives(
            kind="cities",
            read="cities",
            say=_listed,
            facts=lambda out: out,
            nouns=(
                "the list of cities that the atlas has in {country}",
                "the atlas entry on the cities in {country}",
                "the list of the atlas's cities in {country}",
            ),
        ),
        found="the atlas has {out} in {country}",
        answers=("In {country} the atlas has {out}.", "The list for {country} is: {out}."),
    ),
    Intent(
        tool=cities_in,
        slots={"country": _ON_MAP},
        fits=lambda v: v["country"] in HOME.values(),
        goals=(
            "count the cities of the atlas in {country}",
            "find out how many cities of the atlas are in {country}",
            "get the number of cities that the atlas has in {country}",
        ),
        asks=(
            "How many cities of {country} are in the atlas?",
            "How many cities does the atlas show in {country}?",
            "I am counting: how many of the atlas's cities belong to {country}?",
        ),
        gives=Gives(
            kind="count",
            read="count",
            nouns=(
                "the number of cities of the atlas in {country}",
                "the number of cities that the atlas has in {country}",
                "the count of the atlas's cities in {country}",
            ),
        ),
        found="the number of cities of the atlas in {country} is {out}",
        answers=("The number of cities in {country} is {out}.", "It is {out}."),
        weight=0.5,
    ),
)

CATEGORY = Category(
    name="geography",
    tools=(
        country_of,
        capital_of,
        continent_of,
        country_code,
        country_with_code,
        distance,
        bearing,
        nearest_city,
        coordinates_of,
        hemisphere_of,
        cities_in,
    ),
    intents=(*_INTENTS, *GLOBE_INTENTS),
    held_out=("bearing", "nearest_city"),
    detours={
        "country_of": ("cities_in", "capital_of"),
        "capital_of": ("country_of", "cities_in"),
        "country_with_code": ("country_code",),
        "cities_in": ("country_of", "capital_of"),
        "distance": ("nearest_city",),
        "nearest_city": ("distance", "coordinates_of"),
        "bearing": ("coordinates_of",),
    },
    closed_sets=(
        frozenset(continent.casefold() for continent in CONTINENTS),
        frozenset(COMPASS),
        frozenset({"northern", "southern"}),
        frozenset({"eastern", "western"}),
    ),
)
