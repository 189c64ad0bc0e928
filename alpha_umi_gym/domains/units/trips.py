"""What people want to know of ways: how long they take, and how far one gets."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from alpha_umi_gym.domains.units.quantities import LENGTH, SPEED, drawn, quantity_forms
from alpha_umi_gym.domains.units.tools import distance_covered, factor, travel_time
from alpha_umi_gym.intents import Gives, Intent, Slot, Values
from alpha_umi_gym.numbers import Quantity, exact


def span(minutes: int) -> str:
    """2 hours and 15 minutes."""
    counted = zip(divmod(minutes, 60), ("hour", "minute"), strict=True)
    return " and ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in counted if n) or "0 minutes"


def _is_trip(v: Values) -> bool:
    """Whether it takes some minutes at least and a few days at most."""
    way, pace = v["distance"], v["speed"]
    if not pace.amount:
        return False
    hours = exact(way.amount) * factor(way.unit, "km") / (exact(pace.amount) * factor(pace.unit, "km/h"))
    return bool(Fraction(1, 10) <= hours <= 100)


def _trip(v: Values) -> dict[str, Any]:
    return {name: {"value": v[name].amount, "unit": v[name].unit} for name in ("distance", "speed")}


_WAY = Slot(kind="length", draw=drawn(km=(2, 900), mile=(2, 600)), say=LENGTH.say, vague=LENGTH.vague)
_PACE = Slot(
    kind="speed",
    draw=drawn(km_h=(4, 130), mph=(3, 80), knot=(4, 25)),
    say=SPEED.say,
    vague=SPEED.vague,
    unknown=lambda d: Quantity(0, d.any_of(("km/h", "mph", "knot"))),
)
_MINUTES = Slot(
    kind="minutes",
    draw=lambda d: d.choose(range(5, 305, 5)),
    say=lambda value: tuple(dict.fromkeys((f"{value} minutes", span(value)))),
    refer=("that many minutes",),
    nests=False,
    vague=("some time", "as long as usual", "the rest of the day"),
)
TRIPS = (
    Intent(
        tool=distance_covered,
        slots={"speed": replace(_PACE, unknown=None), "minutes": _MINUTES},
        arguments=lambda v: {"speed": {"value": v["speed"].amount, "unit": v["speed"].unit}, "minutes": v["minutes"]},
        fits=lambda v: v["speed"].amount > 0 < v["minutes"] <= 6000,
        goals=(
            "work out how far one gets in {minutes} at {speed}",
            "find the distance covered in {minutes} at {speed}",
            "calculate how far {speed} for {minutes} brings me",
            "tell how far one comes in {minutes} at a constant {speed}",
        ),
        asks=(
            "How far do I get in {minutes} at {speed}?",
            "I keep up {speed} for {minutes}. How far do I come?",
            "At {speed}, which distance is behind me after {minutes}?",
            "Suppose a boat does {speed} for {minutes}. What distance is that?",
            "Driving at a constant {speed}, where am I after {minutes}, measured from the start?",
        ),
        gives=Gives(
            kind="length",
            read=lambda result, _: Quantity(result["distance"], result["unit"]),
            nouns=(
                "the distance covered in {minutes} at {speed}",
                "the way made in {minutes} at {speed}",
                "the length of the way done in {minutes} at {speed}",
            ),
            say=lambda out: quantity_forms(out)[0],
            compares="size",
        ),
        found="in {minutes} at {speed} one covers {out}",
        answers=("In {minutes} at {speed} one covers {out}.", "The distance is {out}."),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=travel_time,
        slots={"distance": _WAY, "speed": _PACE},
        arguments=_trip,
        fits=_is_trip,
        goals=(
            "work out how long it takes to cover {distance} at {speed}",
            "estimate the travel time for {distance} at {speed}",
            "tell how long one is on the way for {distance} at {speed}",
            "find the time needed for {distance} when going at {speed}",
        ),
        asks=(
            "How long does it take to cover {distance} at {speed}?",
            "I have to go {distance} and move at {speed} all the way. How long will I be?",
            "A convoy keeps to {speed}. How much time does it need for {distance}?",
            "Going at a steady {speed}, in what time have I done {distance}?",
        ),
        gives=Gives(
            kind="duration",
            read="total_minutes",
            nouns=(
                "the travel time for {distance} at {speed}",
                "the time that {distance} takes at {speed}",
                "the time it takes to cover {distance} at a speed of {speed}",
            ),
            say=span,
            facts=lambda out: [n for n in divmod(out, 60) if n],
        ),
        found="it takes {out} to cover {distance} at {speed}",
        answers=("At {speed} it takes {out} to cover {distance}.", "It takes {out}."),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=travel_time,
        slots={"distance": _WAY, "speed": _PACE},
        arguments=_trip,
        fits=_is_trip,
        goals=(
            "count the minutes it takes to cover {distance} at {speed}",
            "find the travel time in minutes for {distance} at {speed}",
            "work out in how many minutes {distance} is done at {speed}",
        ),
        asks=(
            "How many minutes does {distance} take at {speed}?",
            "In how many minutes can one do {distance} at {speed}?",
            "I move at {speed} and have {distance} ahead of me. How many minutes are that?",
        ),
        gives=Gives(
            kind="minutes",
            read="total_minutes",
            nouns=(
                "the number of minutes that {distance} takes at {speed}",
                "the travel time in minutes for {distance} at {speed}",
                "the minutes needed to cover {distance} at {speed}",
            ),
            compares="size",
        ),
        found="{distance} at {speed} takes {out} minutes",
        answers=("{distance} at {speed} takes {out} minutes.", "It takes {out} minutes."),
        rivals=("calculate",),
    ),
)
