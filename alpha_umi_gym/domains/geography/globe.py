"""Intents about where cities are: distances, directions, neighbours, coordinates and hemispheres."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.geography.tools import (
    COMPASS,
    bearing,
    coordinates_of,
    distance,
    hemisphere_of,
    nearest_city,
)
from alpha_umi_gym.intents import Gives, Intent
from alpha_umi_gym.numbers import Quantity
from alpha_umi_gym.slots import CITY, quantity_ways


def _differ(one: str, other: str) -> Any:
    return lambda values: values[one] != values[other]


def _length(result: Any, _: Any) -> Quantity:
    return Quantity(result["distance"], result["unit"])


def _degrees(out: float) -> str:
    return f"{out} degree" if out == 1 else f"{out} degrees"


def _where(kind: str, word: str, *, side: str) -> Intent:
    """Intent for one of the coordinates."""
    return Intent(
        tool=coordinates_of,
        slots={"city": CITY},
        goals=(
            f"look up the {word} of {{city}}",
            f"find out at which {word} {{city}} lies",
            f"get, in degrees, the {word} of {{city}}",
            f"read the {word} of {{city}} off the map",
        ),
        asks=(
            f"At which {word} does {{city}} lie?",
            f"I am drawing {{city}} on a map. What is its {word}?",
            f"My GPS receiver wants the {word} of {{city}} in degrees. What do I enter?",
            f"Which {word}, negative in the {side}, does {{city}} have?",
        ),
        gives=Gives(
            kind=kind,
            read=word,
            say=_degrees,
            nouns=(
                f"the {word} of {{city}}",
                f"the {word} in degrees at which {{city}} lies",
                f"the {word} of {{city}} in degrees",
            ),
            compares="size",
        ),
        found=f"the {word} of {{city}} is {{out}}",
        answers=(f"The {word} of {{city}} is {{out}}.", f"{{city}} lies at a {word} of {{out}}."),
    )


def _side(key: str, word: str) -> Intent:
    """Intent for the hemisphere by one of the coordinates."""
    return Intent(
        tool=hemisphere_of,
        slots={"city": CITY},
        goals=(
            f"find the hemisphere, by {word}, of {{city}}",
            f"look up in which hemisphere, by {word}, {{city}} lies",
            f"determine to which hemisphere, by {word}, {{city}} belongs",
        ),
        asks=(
            f"By {word}, in which hemisphere is {{city}}?",
            f"I have to file {{city}} under a hemisphere by its {word}. Which one is right?",
            f"Which hemisphere is {{city}} in, going by {word}?",
        ),
        gives=Gives(
            kind="hemisphere",
            read=key,
            nouns=(
                f"the hemisphere by {word} of {{city}}",
                f"the hemisphere, by {word}, in which {{city}} lies",
                f"the hemisphere to which, by {word}, {{city}} belongs",
            ),
            compares="northern|southern" if word == "latitude" else "eastern|western",
        ),
        found=f"by {word} {{city}} is in the {{out}} hemisphere",
        answers=("{city} is in the {out} hemisphere.", "It is the {out} hemisphere."),
        rivals=("coordinates_of",),
    )


GLOBE_INTENTS = (
    Intent(
        tool=distance,
        slots={"city": CITY, "other_city": CITY},
        fits=_differ("city", "other_city"),
        goals=(
            "find the distance from {city} to {other_city}",
            "measure how far {other_city} is from {city}",
            "work out the distance between {city} and {other_city}",
            "get the length of the straight line from {city} to {other_city}",
            "tell how far apart {city} and {other_city} are",
        ),
        asks=(
            "How far is it from {city} to {other_city} as the crow flies?",
            "A plane flies straight from {city} to {other_city}. What distance does it cover?",
            "How far apart are {city} and {other_city}?",
            "I am moving from {city} to {other_city}. How far away is that in a straight line?",
            "If a crow left {city} for {other_city}, how far would it have to fly?",
        ),
        gives=Gives(
            kind="length",
            read=_length,
            say=lambda out: quantity_ways(out)[0],
            nouns=(
                "the distance from {city} to {other_city}",
                "the distance between {city} and {other_city}",
                "the length of the straight line from {city} to {other_city}",
                "the straight-line distance between {city} and {other_city}",
            ),
            compares="size",
        ),
        found="the distance from {city} to {other_city} is {out}",
        answers=("It is {out} from {city} to {other_city}.", "The distance is {out}."),
    ),
    Intent(
        tool=bearing,
        slots={"from_city": CITY, "to_city": CITY},
        fits=_differ("from_city", "to_city"),
        goals=(
            "compute the bearing from {from_city} to {to_city} in degrees",
            "find the course in degrees from {from_city} to {to_city}",
            "get, in degrees, the bearing that leads from {from_city} to {to_city}",
            "look up the course that a pilot sets in {from_city} for {to_city}, in degrees",
            "work out at how many degrees one leaves {from_city} for {to_city}",
            "calculate in degrees the initial course from {from_city} to {to_city}",
        ),
        asks=(
            "At how many degrees does a plane leave {from_city} for {to_city}?",
            "What is the initial course in degrees from {from_city} to {to_city}?",
            "Seen from {from_city}, at how many degrees is {to_city}?",
            "My autopilot takes degrees. What do I set in {from_city} to get to {to_city}?",
            "I am turning an antenna in {from_city} towards {to_city}. To how many degrees do I set it?",
            "Which bearing, in degrees, takes me from {from_city} to {to_city}?",
        ),
        gives=Gives(
            kind="number",
            read="degrees",
            say=_degrees,
            nouns=(
                "the bearing from {from_city} to {to_city} in degrees",
                "the course in degrees from {from_city} to {to_city}",
                "the bearing in degrees of {to_city} from {from_city}",
                "the course that leads from {from_city} to {to_city} in degrees",
                "the initial bearing in degrees on the way from {from_city} to {to_city}",
                "the angle in degrees at which one leaves {from_city} for {to_city}",
            ),
            compares="size",
        ),
        found="the bearing from {from_city} to {to_city} is {out}",
        answers=("The bearing from {from_city} to {to_city} is {out}.", "It is {out}."),
    ),
    Intent(
        tool=bearing,
        slots={"from_city": CITY, "to_city": CITY},
        fits=_differ("from_city", "to_city"),
        goals=(
            "find the compass direction from {from_city} to {to_city}",
            "tell which point of the compass leads from {from_city} to {to_city}",
            "get the direction of {to_city} as seen from {from_city}",
            "determine where on the compass {to_city} lies from {from_city}",
            "look up in which direction one leaves {from_city} for {to_city}",
            "work out which way to set out from {from_city} for {to_city}",
        ),
        asks=(
            "In which direction does one leave {from_city} to get to {to_city}?",
            "A pigeon flies from {from_city} to {to_city}. Towards which point of the compass does it start?",
            "As seen from {from_city}, in which direction is {to_city}?",
            "By the compass, which way is it from {from_city} to {to_city}?",
            "I stand in {from_city} and want to face {to_city}. Which way do I turn?",
            "A ray of light leaves {from_city} for {to_city}. Which point of the compass does it head for?",
        ),
        gives=Gives(
            kind="direction",
            read="compass",
            nouns=(
                "the compass direction from {from_city} to {to_city}",
                "the direction in which one leaves {from_city} for {to_city}",
                "the direction of {to_city} from {from_city}",
                "the direction that leads from {from_city} to {to_city}",
                "the point of the compass that leads from {from_city} to {to_city}",
                "the compass direction in which {to_city} lies from {from_city}",
            ),
            compares="|".join(COMPASS),
        ),
        found="the direction from {from_city} to {to_city} is {out}",
        answers=("From {from_city} one sets out {out} to reach {to_city}.", "The direction is {out}."),
    ),
    Intent(
        tool=nearest_city,
        slots={"city": CITY},
        goals=(
            "find the city of the atlas that is nearest to {city}",
            "look up which other city of the atlas is closest to {city}",
            "tell what city of the atlas is the next to {city}",
            "determine the closest city to {city} in the atlas",
            "name the nearest neighbour of {city} among the cities of the atlas",
            "pick out of the atlas the city that lies closest to {city}",
        ),
        asks=(
            "Of all the cities in the atlas, which is closest to {city}?",
            "Apart from {city} itself, which city of the atlas is the nearest to it?",
            "If I leave {city} for the nearest city that the atlas has, where do I end up?",
            "What is the nearest city to {city} in the atlas?",
            "I live in {city}. Which other city of the atlas is the closest to me?",
            "Which city would I find next to {city} if the atlas were sorted by how far away they are?",
        ),
        gives=Gives(
            kind="city",
            read="city",
            nouns=(
                "the city of the atlas that is nearest to {city}",
                "the atlas city closest to {city}",
                "the nearest city to {city} in the atlas",
                "the city that is closest to {city} in the atlas",
                "the nearest other city of the atlas as seen from {city}",
                "the closest neighbour of {city} in the atlas",
            ),
        ),
        found="the city nearest to {city} is {out}",
        answers=("The city of the atlas nearest to {city} is {out}.", "It is {out}."),
        weight=2.0,
    ),
    Intent(
        tool=nearest_city,
        slots={"city": CITY},
        goals=(
            "find how far it is from {city} to the nearest other city of the atlas",
            "measure the distance from {city} to the closest city of the atlas",
            "get the distance between {city} and the nearest city that the atlas has",
            "look up how far the closest other city of the atlas is from {city}",
            "tell how far away the next city of the atlas is from {city}",
            "work out the distance of {city} from its closest neighbour in the atlas",
        ),
        asks=(
            "How far is the nearest other city of the atlas from {city}?",
            "From {city}, how far is it to the closest city of the atlas?",
            "How far must I travel from {city} to reach the next city of the atlas?",
            "Between {city} and the nearest other city of the atlas, how far is it?",
            "I am in {city}. How far away is the nearest other city in the atlas?",
            "How lonely is {city}, that is, how far is the closest other city of the atlas?",
        ),
        gives=Gives(
            kind="length",
            read=_length,
            say=lambda out: quantity_ways(out)[0],
            nouns=(
                "the distance from {city} to the nearest other city of the atlas",
                "the distance between {city} and the atlas city closest to it",
                "the way from {city} to the nearest city in the atlas",
                "the distance of the closest atlas city from {city}",
                "the distance of {city} from its nearest neighbour in the atlas",
                "the distance that separates {city} from the closest other city of the atlas",
            ),
            compares="size",
        ),
        found="the city nearest to {city} is {out} away",
        answers=("The city nearest to {city} is {out} away.", "It is {out}."),
    ),
    _where("latitude", "latitude", side="south"),
    _where("longitude", "longitude", side="west"),
    _side("by_latitude", "latitude"),
    _side("by_longitude", "longitude"),
)
"""What the category geography asks about the globe."""
