"""Intents about where cities are: distances, directions, neighbours, coordinates and hemispheres."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.geography import tools
from alpha_umi_gym.intents import Gives, Intent
from alpha_umi_gym.numbers import Quantity
from alpha_umi_gym.slots import CITY, quantity_ways
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def _differ(one: str, other: str) -> Any:
    return lambda values: values[one] != values[other]


def _length(result: Any, _: Any) -> Quantity:
    return Quantity(result["distance"], result["unit"])


def _degrees(out: float) -> str:
    return f"{out} degree" if out == 1 else f"{out} degrees"


def _where(kind: str, word: str, *, side: str) -> Intent:
    """Intent for one of the coordinates."""
    return Intent(
        tool=tools.coordinates_of,
        words=_WORDS["coordinates_of"].filled(word=word, side=side),
        slots={"city": CITY},
        gives=Gives(kind=kind, read=word, say=_degrees, compares="size"),
    )


def _side(key: str, word: str) -> Intent:
    """Intent for the hemisphere by one of the coordinates."""
    return Intent(
        tool=tools.hemisphere_of,
        words=_WORDS["hemisphere_of"].filled(word=word),
        slots={"city": CITY},
        gives=Gives(
            kind="hemisphere", read=key, compares="northern|southern" if word == "latitude" else "eastern|western"
        ),
        rivals=("coordinates_of",),
    )


GLOBE_INTENTS = (
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
        gives=Gives(kind="number", read="degrees", say=_degrees, compares="size"),
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
    _where("latitude", "latitude", side="south"),
    _where("longitude", "longitude", side="west"),
    _side("by_latitude", "latitude"),
    _side("by_longitude", "longitude"),
)
"""What the category geography asks about the globe."""
