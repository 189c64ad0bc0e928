"""The cities of the world, with their time zones and countries: real ones, the same for every category."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from alpha_umi_gym.lookup import find
from alpha_umi_gym.yaml_data import read_as

__all__ = ["CITIES", "Place", "place"]


class Place(NamedTuple):
    """A city as the tools know it."""

    zone: str
    country: str
    """ISO 3166-1 alpha-2."""
    latitude: float
    longitude: float
    """Degrees, north and east positive."""


CITIES = read_as(dict[str, Place], Path(__file__).with_name("cities.yaml"))
"""City -> place."""
UNKNOWN_PLACES = (
    "Atlantis", "Gotham", "Narnia", "Mordor", "El Dorado", "Wakanda", "Zubrowka", "Hogwarts", "Utopia", "Lilliput",
    "Brigadoon", "Metropolis", "Shangri-La", "Camelot", "Rivendell", "Springfield Heights", "Avalon", "Oz",
)  # fmt: skip


def place(city: str) -> Place:
    """A city by name, whatever its case.

    Raises:
        LookupError: there is none; a close name is suggested.
    """
    return CITIES[find(city, CITIES, what="city")]
