"""Countries and cities on the map: names, codes, capitals, and distances on the WGS84 ellipsoid.

Only what is settled: a capital that is about to move, or a country on two continents, is refused in words. Owns the
English names of countries, which every category uses. Knows nothing of how a request is worded.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from alpha_umi_gym.intents import Slot
from alpha_umi_gym.lookup import find
from alpha_umi_gym.places import CITIES, UNKNOWN_PLACES, place
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.yaml_data import read_as

Style = Literal["alpha-2", "alpha-3", "numeric"]


class Country(NamedTuple):
    """A country as the tools know it."""

    code: str
    """ISO 3166-1 alpha-2."""
    continents: tuple[str, ...]
    capital: str = ""
    """"" where it is not settled."""
    other_names: tuple[str, ...] = ()


COUNTRIES = read_as(dict[str, Country], Path(__file__).with_name("countries.yaml"))
"""English short name -> country."""
CONTINENTS = ("Africa", "Asia", "Europe", "North America", "Oceania", "South America")
COMPASS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
_NAME_OF = {country.code: name for name, country in COUNTRIES.items()}
_PLURAL = ("Netherlands", "Philippines", "United Arab Emirates", "United Kingdom", "United States")
HOME = {city: _NAME_OF[where.country] for city, where in CITIES.items()}
"""City -> country."""


def country_named(name: str) -> str:
    """The short name of a country, whatever its case; other common names are understood.

    Raises:
        LookupError: there is none; a close name is suggested.
    """
    wanted = " ".join(name.casefold().split())
    others = {other.casefold(): short for short, country in COUNTRIES.items() for other in country.other_names}
    return others[wanted] if wanted in others else find(name, COUNTRIES, what="country")


def country_of(city: str) -> str:
    """Tell in which country a city lies."""
    return _NAME_OF[place(city).country]


def capital_of(country: str) -> str:
    """Name the capital of a country."""
    name = country_named(country)
    if not COUNTRIES[name].capital:
        raise LookupError(f"no capital of {in_text(name)} is on file")
    return COUNTRIES[name].capital


def continent_of(country: str) -> str:
    """Say on which continent a country is situated."""
    name = country_named(country)
    found = COUNTRIES[name].continents
    if len(found) > 1:
        raise ValueError(f"{in_text(name)} lies on more than one continent: {' and '.join(found)}")
    return found[0]


def country_code(country: str, style: Style = "alpha-2") -> dict[str, str]:
    """Look up the ISO 3166 code of a country: two letters, three letters, or digits."""
    return {"code": _codes()[country_named(country)][style]}


def country_with_code(code: Annotated[str, Field(description="ISO 3166 alpha-2 or alpha-3")]) -> str:
    """Find the country for which a code of two or three letters stands."""
    wanted = code.strip().upper()
    for name, codes in _codes().items():
        if wanted in (codes["alpha-2"], codes["alpha-3"]):
            return name
    raise LookupError(f"no country on file has the code '{code[:20]}'")


def cities_in(country: str) -> dict[str, Any]:
    """List the cities of the atlas that are in a country, and their number."""
    name = country_named(country)
    cities = [city for city, home in HOME.items() if home == name]
    if not cities:
        raise LookupError(f"the atlas has no city in {in_text(name)}")
    return {"count": len(cities), "cities": cities}


def coordinates_of(city: str) -> dict[str, float]:
    """Give the latitude and longitude of a city in degrees, negative in the south and in the west."""
    where = place(city)
    return {"latitude": where.latitude, "longitude": where.longitude}


def hemisphere_of(city: str) -> dict[str, str]:
    """Determine the hemispheres of a city, by latitude and by longitude."""
    where = place(city)
    return {
        "by_latitude": "northern" if where.latitude > 0 else "southern",
        "by_longitude": "eastern" if where.longitude > 0 else "western",
    }


def distance(city: str, other_city: str) -> dict[str, float | str]:
    """Measure the straight-line distance between two cities."""
    length, _ = _line(_known(city), _known(other_city))
    return {"distance": length, "unit": "km"}


def bearing(from_city: str, to_city: str) -> dict[str, float | str]:
    """Compute the compass direction in which one sets out from a city towards another."""
    start, end = _known(from_city), _known(to_city)
    if start == end:
        raise ValueError("both cities are the same, so there is no direction")
    _, degrees = _line(start, end)
    return {"degrees": degrees, "compass": COMPASS[round(degrees / 45) % 8]}


@functools.cache
def _nearest(city: str) -> tuple[int, str]:
    return min((_line(city, other)[0], other) for other in CITIES if other != city)


def nearest_city(city: str) -> dict[str, float | str]:
    """Pick the city of the atlas that is closest to another one."""
    length, nearest = _nearest(_known(city))
    return {"city": nearest, "distance": length, "unit": "km"}


def _known(city: str) -> str:
    return find(city, CITIES, what="city")


@functools.cache
def _line(start: str, end: str) -> tuple[int, int]:
    """Whole kilometres and whole degrees from one city to another."""
    from geographiclib.geodesic import Geodesic

    here, there = CITIES[start], CITIES[end]
    line = Geodesic.WGS84.Inverse(here.latitude, here.longitude, there.latitude, there.longitude)
    return round(line["s12"] / 1000), round(line["azi1"]) % 360


@functools.cache
def _codes() -> dict[str, dict[str, str]]:
    import pycountry

    listed = {entry.alpha_2: entry for entry in pycountry.countries}
    return {
        name: {"alpha-2": code, "alpha-3": listed[code].alpha_3, "numeric": listed[code].numeric}
        for name, code in ((name, country.code) for name, country in COUNTRIES.items())
    }


def in_text(country: str) -> str:
    """The name of a country within a sentence: the United States, Germany."""
    return f"the {country}" if country in _PLURAL else country


def letter_codes() -> list[str]:
    """Every code of two or three letters."""
    return [codes[style] for codes in _codes().values() for style in ("alpha-2", "alpha-3")]


_SHORT = {"United States": "the USA", "United Kingdom": "the UK"}


def _ways(value: str) -> tuple[str, ...]:
    return (in_text(value), _SHORT[value]) if value in _SHORT else (in_text(value),)


def _some_country(d: Sampler) -> str:
    return d.split_value(list(COUNTRIES))


COUNTRY = Slot(
    kind="country",
    draw=_some_country,
    say=_ways,
    vague=(
        "the country I told you about",
        "that lovely country",
        "the country we talked about",
        "the country I have in mind",
    ),
    unknown=lambda d: d.from_short_list(UNKNOWN_PLACES),
    slip=lambda d, value: d.misspell(value),
)
"""A country by its English short name."""
