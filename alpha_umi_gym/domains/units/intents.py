"""Units of measure: conversions by pint's exact factors, and how long a way takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from alpha_umi_gym.domains.units import quantities, tools
from alpha_umi_gym.intents import Category, Gives, Intent, Slot, Values
from alpha_umi_gym.numbers import Quantity, exact, rounded
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


class _Conversion(NamedTuple):
    """A tool that converts."""

    tool: Callable[..., Any]
    slot: Slot
    units: str
    """Those that may be wanted."""
    arguments: Callable[[Quantity, str], Mapping[str, Any]]
    read: str | Callable[[Any, Values], Any] | None


def _intent(wanted: _Conversion, to: str) -> Intent:
    """The intent to have a quantity in one unit; the names of that unit take turns in the wordings."""
    it, unit = wanted.slot.kind, quantities.UNITS[to]
    return Intent(
        tool=wanted.tool,
        words=_WORDS[wanted.tool.__name__].filled(to=unit.names, plain=unit.names[0], written=unit.written),
        slots={it: wanted.slot},
        arguments=lambda v: wanted.arguments(v[it], to),
        fits=lambda v: _is_sensible(v[it], to),
        gives=Gives(kind="number", read=wanted.read, compares="size"),
        rivals=("calculate",),
    )


def _is_sensible(given: Quantity, to: str) -> bool:
    """Whether anybody would want this: another unit, and a number neither tiny nor huge."""
    if given.unit == to:
        return False
    if to in ("C", "F", "K"):
        slope, offset = tools.degrees_to(to, given.unit)
        return rounded(slope * exact(given.amount) + offset) != given.amount
    return 0.01 <= tools.converted(given.amount, given.unit, to) <= 10**6


_CONVERSIONS = (
    _Conversion(
        tools.convert_length,
        quantities.LENGTH,
        "km m cm mile ft inch",
        lambda q, to: {"value": q.amount, "unit": q.unit, "to_unit": to},
        "value",
    ),
    _Conversion(
        tools.convert_mass,
        quantities.MASS,
        "kg g lb oz",
        lambda q, to: {"mass": {"amount": q.amount, "unit": q.unit}, "to_unit": to},
        "amount",
    ),
    _Conversion(
        tools.convert_temperature,
        quantities.TEMPERATURE,
        "C F K",
        lambda q, to: {"degrees": q.amount, "scale": q.unit, "to_scale": to},
        None,
    ),
    _Conversion(
        tools.convert_volume,
        quantities.VOLUME,
        "l ml gal cup",
        lambda q, to: {"amount": q.amount, "from_unit": q.unit, "into": to},
        "volume",
    ),
    _Conversion(
        tools.convert_speed,
        quantities.SPEED,
        "km/h m/s mph knot",
        lambda q, to: {"speed": f"{q.amount} {q.unit}", "target": to},
        "speed",
    ),
    _Conversion(
        tools.convert_area,
        quantities.AREA,
        "m2 km2 ha acre",
        lambda q, to: {"area": {"size": q.amount, "unit": q.unit}, "to_unit": to},
        lambda text, _: rounded(exact(float(text.split(maxsplit=1)[0]))),
    ),
    _Conversion(
        tools.convert_data_size,
        quantities.DATA_SIZE,
        "MB GB TB MiB GiB",
        lambda q, to: {"size": q.amount, "unit": q.unit, "to": to},
        None,
    ),
    _Conversion(
        tools.convert_energy,
        quantities.ENERGY,
        "kJ MJ kcal kWh",
        lambda q, to: {"energy": q.amount, "unit": q.unit, "to_unit": to},
        "energy",
    ),
)


def _span(minutes: int) -> str:
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


_WAY = Slot(
    kind="length",
    draw=quantities.drawn({"km": (2, 900), "mile": (2, 600)}),
    say=quantities.LENGTH.say,
    vague=quantities.LENGTH.vague,
)
_PACE = Slot(
    kind="speed",
    draw=quantities.drawn({"km/h": (4, 130), "mph": (3, 80), "knot": (4, 25)}),
    say=quantities.SPEED.say,
    vague=quantities.SPEED.vague,
    unknown=lambda d: Quantity(0, d.any_value(("km/h", "mph", "knot"))),
)
_MINUTES = Slot(
    kind="minutes",
    draw=lambda d: d.split_value(range(5, 305, 5)),
    say=lambda value: tuple(dict.fromkeys((f"{value} minutes", _span(value)))),
    refer=("that many minutes",),
    nests=False,
    vague=("some time", "as long as usual", "the rest of the day"),
)
_TRIPS = (
    Intent(
        tool=tools.distance_covered,
        words=_WORDS["distance_covered"],
        slots={"speed": replace(_PACE, unknown=None), "minutes": _MINUTES},
        arguments=lambda v: {"speed": {"value": v["speed"].amount, "unit": v["speed"].unit}, "minutes": v["minutes"]},
        fits=lambda v: v["speed"].amount > 0 < v["minutes"] <= 6000,
        gives=Gives(
            kind="length",
            read=lambda result, _: Quantity(result["distance"], result["unit"]),
            say=lambda out: quantities.quantity_forms(out)[0],
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
            kind="duration", read="total_minutes", say=_span, facts=lambda out: [n for n in divmod(out, 60) if n]
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

CATEGORY = Category(
    name="units",
    intents=(*(_intent(wanted, unit) for wanted in _CONVERSIONS for unit in wanted.units.split()), *_TRIPS),
    held_out=("convert_speed", "convert_area", "travel_time"),
    alternatives={
        # An alternative way to convert: a known factor, multiplied as a percentage.
        "convert_area": ("percent_of",),
        "convert_data_size": ("percent_of",),
        "convert_energy": ("percent_of",),
        "convert_temperature": ("percent_of",),
        "convert_length": ("percent_of", "convert_speed", "travel_time"),
        "convert_mass": ("percent_of", "price_per_unit"),
        "convert_volume": ("percent_of", "price_per_unit"),
        "convert_speed": ("percent_of", "convert_length", "distance_covered", "travel_time"),
        "distance_covered": ("percent_of", "travel_time"),
        "travel_time": ("percent_of", "distance_covered"),
    },
    units=quantities.spoken(),
)
