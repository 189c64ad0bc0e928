"""The category geography against the map: codes, distances, and the formulas of the sphere as a second opinion."""

from __future__ import annotations

import itertools
from math import acos, atan2, cos, degrees, radians, sin

import pycountry
import pytest

from alpha_umi_gym import generate
from alpha_umi_gym.domains.geography.tools import (
    COUNTRIES,
    HOME,
    bearing,
    cities_in,
    coordinates_of,
    country_code,
    country_of,
    country_with_code,
    distance,
    hemisphere_of,
    nearest_city,
)
from alpha_umi_gym.places import CITIES

EARTH_KM = 6371.0
PAIRS = [pair for index, pair in enumerate(itertools.permutations(CITIES, 2)) if index % 29 == 0]


@pytest.mark.parametrize(
    ("country", "alpha_2", "alpha_3", "numeric"),
    [
        ("Germany", "DE", "DEU", "276"),
        ("Switzerland", "CH", "CHE", "756"),
        ("Japan", "JP", "JPN", "392"),
        ("Austria", "AT", "AUT", "040"),
        ("Greece", "GR", "GRC", "300"),
        ("South Korea", "KR", "KOR", "410"),
        ("United Kingdom", "GB", "GBR", "826"),
        ("Croatia", "HR", "HRV", "191"),
        ("Turkey", "TR", "TUR", "792"),
    ],
)
def test_codes_in_both_directions(country: str, alpha_2: str, alpha_3: str, numeric: str) -> None:
    assert country_code(country) == {"code": alpha_2}
    assert country_code(country, "alpha-3") == {"code": alpha_3}
    assert country_code(country, "numeric") == {"code": numeric}
    assert country_with_code(alpha_2.lower()) == country_with_code(f" {alpha_3} ") == country


def test_every_country_is_called_as_in_iso_3166_or_as_everybody_calls_it() -> None:
    """A row of the table with another country's code would make every fact about it wrong."""
    common = {"Russia": "RU", "Turkey": "TR"}
    for name, country in COUNTRIES.items():
        if name in common:
            assert country.code == common[name]
        else:
            assert pycountry.countries.lookup(name).alpha_2 == country.code, name
    assert len({country.code for country in COUNTRIES.values()}) == len(COUNTRIES)
    assert {where.country for where in CITIES.values()} <= {country.code for country in COUNTRIES.values()}


@pytest.mark.parametrize(
    ("city", "other", "km"),
    [
        ("London", "Paris", 344),
        ("Berlin", "Munich", 504),
        ("Tokyo", "Osaka", 397),
        ("Sydney", "Melbourne", 714),
        ("Paris", "Berlin", 878),
        ("London", "Sydney", 16990),
    ],
)
def test_known_distances(city: str, other: str, km: int) -> None:
    there, back = distance(city, other), distance(other, city)
    assert there == back
    assert there["unit"] == "km"
    assert there["distance"] == pytest.approx(km, abs=15)


def _sphere(start: str, end: str) -> tuple[float, float]:
    """Kilometres and degrees on a sphere: the ellipsoid differs by half a percent at most."""
    here, there = CITIES[start], CITIES[end]
    a, b, turn = radians(here.latitude), radians(there.latitude), radians(there.longitude - here.longitude)
    length = EARTH_KM * acos(sin(a) * sin(b) + cos(a) * cos(b) * cos(turn))
    angle = degrees(atan2(sin(turn) * cos(b), cos(a) * sin(b) - sin(a) * cos(b) * cos(turn)))
    return length, angle % 360


def test_lines_agree_with_the_sphere() -> None:
    assert len(PAIRS) > 100
    for start, end in PAIRS:
        length, angle = _sphere(start, end)
        assert distance(start, end)["distance"] == pytest.approx(length, rel=0.006)
        found = float(bearing(start, end)["degrees"])
        if length < 17_000:  # towards the antipode any direction is nearly right
            assert abs((found - angle + 180) % 360 - 180) < 1.5, (start, end)


@pytest.mark.parametrize("city", CITIES)
def test_a_city_lies_in_its_country_and_on_its_side_of_the_lines(city: str) -> None:
    assert city in cities_in(country_of(city))["cities"]
    where, sides = coordinates_of(city), hemisphere_of(city)
    assert (where["latitude"] < 0) == (sides["by_latitude"] == "southern")
    assert (where["longitude"] < 0) == (sides["by_longitude"] == "western")


@pytest.mark.parametrize("city", CITIES)
def test_the_nearest_city_is_nearest(city: str) -> None:
    found = nearest_city(city)
    others = {other: distance(city, other)["distance"] for other in CITIES if other != city}
    assert others[str(found["city"])] == found["distance"] == min(others.values(), key=float)
    assert list(others.values()).count(found["distance"]) == 1


def test_a_country_without_a_city_is_only_refused_where_cities_are_listed() -> None:
    empty = [name for name in COUNTRIES if name not in HOME.values()]
    assert {"Iceland", "Brazil", "Fiji"} <= set(empty)
    for name in empty:
        assert country_with_code(country_code(name)["code"]) == name


def test_no_request_goes_from_a_capital_back_to_its_country() -> None:
    """To ask for the country of the capital of Norway is no chain but a circle."""
    chains = [t for t in generate(150, seed=3, only=("geography",)) if t.kind == "sequential"]
    assert len(chains) > 20
    for task in chains:
        capitals: set[str] = set()
        for step in task.gold.steps:
            if step.call is None or step.observation is None:
                continue
            assert step.call.tool != "country_of" or step.call.arguments["city"] not in capitals
            if step.call.tool == "capital_of":
                capitals.add(step.observation.text)
