"""What people want to know of ways: how long they take, and how far one gets."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from alpha_umi_gym.domains.units import tools
from alpha_umi_gym.domains.units.quantities import LENGTH, SPEED, drawn, quantity_forms
from alpha_umi_gym.intents import Gives, Intent, Slot, Values
from alpha_umi_gym.numbers import Quantity, exact
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def span(minutes: int) -> str:
    """2 hours and 15 minutes."""
    counted = zip(divmod(minutes, 60), ("hour", "minute"), strict=True)
    return " and ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in counted if n) or "0 minutes"


def _is_trip(v: Values) -> bool:
    """Whether it takes some minutes at least and a few days at most."""
    way, pace = v["distance"], v["speed"]
    if not pace.amount:
        return False
    hours = exact(way.amount) * tools.factor(way.unit, "km") / (exact(pace.amount) * tools.factor(pace.unit, "km/h"))
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
        tool=tools.distance_covered,
        words=_WORDS["distance_covered"],
        slots={"speed": replace(_PACE, unknown=None), "minutes": _MINUTES},
        arguments=lambda v: {"speed": {"value": v["speed"].amount, "unit": v["speed"].unit}, "minutes": v["minutes"]},
        fits=lambda v: v["speed"].amount > 0 < v["minutes"] <= 6000,
        gives=Gives(
            kind="length",
            read=lambda result, _: Quantity(result["distance"], result["unit"]),
            say=lambda out: quantity_forms(out)[0],
            compares="size",
        ),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=tools.travel_time,
        words=_WORDS["travel_time"],
        slots={"distance": _WAY, "speed": _PACE},
        arguments=_trip,
        fits=_is_trip,
        gives=Gives(
            kind="duration", read="total_minutes", say=span, facts=lambda out: [n for n in divmod(out, 60) if n]
        ),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=tools.travel_time,
        words=_WORDS["travel_time_in_minutes"],
        slots={"distance": _WAY, "speed": _PACE},
        arguments=_trip,
        fits=_is_trip,
        gives=Gives(kind="minutes", read="total_minutes", compares="size"),
        rivals=("calculate",),
    ),
)
