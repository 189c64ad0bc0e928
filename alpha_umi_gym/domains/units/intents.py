"""Units of measure: conversions by pint's exact factors, and how long a way takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from alpha_umi_gym.domains.units.quantities import (
    AREA,
    DATA_SIZE,
    ENERGY,
    LENGTH,
    MASS,
    SPEED,
    TEMPERATURE,
    UNITS,
    VOLUME,
)
from alpha_umi_gym.domains.units.tools import (
    convert_area,
    convert_data_size,
    convert_energy,
    convert_length,
    convert_mass,
    convert_speed,
    convert_temperature,
    convert_volume,
    converted,
    degrees_to,
    distance_covered,
    travel_time,
)
from alpha_umi_gym.domains.units.trips import TRIPS
from alpha_umi_gym.intents import Category, Gives, Intent, Slot, Values
from alpha_umi_gym.numbers import Quantity, exact, rounded


class _Conversion(NamedTuple):
    """A tool that converts, and how people ask for it; {it} is the quantity and <to> the unit wanted."""

    tool: Callable[..., Any]
    slot: Slot
    units: str
    """Those that may be wanted."""
    arguments: Callable[[Quantity, str], Mapping[str, Any]]
    read: str | Callable[[Any, Values], Any] | None
    goals: tuple[str, ...]
    nouns: tuple[str, ...]
    asks: tuple[str, ...]


def _intents(wanted: _Conversion) -> tuple[Intent, ...]:
    return tuple(_intent(wanted, unit) for unit in wanted.units.split())


def _intent(wanted: _Conversion, to: str) -> Intent:
    """The intent to have a quantity in one unit; the names of that unit take turns in the wordings."""
    it, names = wanted.slot.kind, UNITS[to].names

    def worded(templates: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            text.replace("{it}", f"{{{it}}}").replace("<to>", names[index % len(names)])
            for index, text in enumerate(templates)
        )

    return Intent(
        tool=wanted.tool,
        slots={it: wanted.slot},
        arguments=lambda v: wanted.arguments(v[it], to),
        fits=lambda v: _is_sensible(v[it], to),
        goals=worded(wanted.goals),
        asks=worded(wanted.asks),
        gives=Gives(kind="number", read=wanted.read, nouns=worded(wanted.nouns), compares="size"),
        found=f"{{{it}}} is {{out}} {UNITS[to].written}",
        answers=(
            f"{{{it}}} is {{out}} {names[0]}.",
            f"That is {{out}} {UNITS[to].written}.",
            f"It comes to {{out}} {names[0]}.",
        ),
        rivals=("calculate",),
    )


def _is_sensible(given: Quantity, to: str) -> bool:
    """Whether anybody would want this: another unit, and a number neither tiny nor huge."""
    if given.unit == to:
        return False
    if to in ("C", "F", "K"):
        slope, offset = degrees_to(to, given.unit)
        return rounded(slope * exact(given.amount) + offset) != given.amount
    return 0.01 <= converted(given.amount, given.unit, to) <= 10**6


_CONVERSIONS = (
    _Conversion(
        convert_length,
        LENGTH,
        "km m cm mile ft inch",
        lambda q, to: {"value": q.amount, "unit": q.unit, "to_unit": to},
        "value",
        goals=(
            "convert {it} to <to>",
            "express {it} in <to>",
            "work out how many <to> there are in {it}",
            "turn {it} into <to>",
            "find the number of <to> that make up {it}",
            "restate {it} in <to>",
        ),
        nouns=(
            "the number of <to> in {it}",
            "{it} in <to>",
            "{it} expressed in <to>",
            "{it} counted in <to>",
            "the count of <to> in {it}",
            "{it} converted into <to>",
        ),
        asks=(
            "How many <to> are there in {it}?",
            "I only think in <to>. How much is {it}?",
            "A form asks for <to>, and what I have is {it}. What do I write?",
            "If I had to cover {it}, how many <to> would that be?",
            "How long is {it} when you measure it in <to>?",
            "The plan is drawn in <to>. Which number stands for {it}?",
        ),
    ),
    _Conversion(
        convert_mass,
        MASS,
        "kg g lb oz",
        lambda q, to: {"mass": {"amount": q.amount, "unit": q.unit}, "to_unit": to},
        "amount",
        goals=(
            "convert {it} to <to>",
            "work out how many <to> {it} amounts to",
            "change {it} into <to>",
            "find out what {it} is in <to>",
            "give {it} as a number of <to>",
            "state {it} in <to>",
        ),
        nouns=(
            "the number of <to> in {it}",
            "{it} in <to>",
            "{it} given in <to>",
            "{it} counted in <to>",
            "the figure in <to> for {it}",
            "{it} as a number of <to>",
        ),
        asks=(
            "How many <to> is {it}?",
            "I have to weigh out {it}, but my scale shows <to>. What should it show?",
            "What does something of {it} weigh in <to>?",
            "A customs form wants <to>, and I am sending {it}. What do I fill in?",
            "I can carry {it}. How much is that in <to>?",
            "Someone lifted {it}. What is that for a person who counts in <to>?",
        ),
    ),
    _Conversion(
        convert_temperature,
        TEMPERATURE,
        "C F K",
        lambda q, to: {"degrees": q.amount, "scale": q.unit, "to_scale": to},
        None,
        goals=(
            "convert {it} to <to>",
            "express {it} in <to>",
            "find out what {it} is in <to>",
            "translate {it} into <to>",
            "work out the reading in <to> for {it}",
            "restate {it} in <to>",
        ),
        nouns=(
            "{it} in <to>",
            "the value of {it} in <to>",
            "the reading in <to> for {it}",
            "{it} expressed in <to>",
            "the equivalent of {it} in <to>",
            "{it} converted to <to>",
        ),
        asks=(
            "What is {it} in <to>?",
            "My instrument shows <to>. What does it say at {it}?",
            "The laboratory keeps a sample at {it}. How much is that in <to>?",
            "A sensor reports {it}, and my software wants <to>. What do I enter?",
            "Somebody measured {it}. How would I put that in <to>?",
            "The manual says {it}. What would a thermometer in <to> show?",
        ),
    ),
    _Conversion(
        convert_volume,
        VOLUME,
        "l ml gal cup",
        lambda q, to: {"amount": q.amount, "from_unit": q.unit, "into": to},
        "volume",
        goals=(
            "convert {it} to <to>",
            "change {it} into <to>",
            "work out how many <to> {it} makes",
            "measure {it} in <to>",
            "find the number of <to> in {it}",
            "work out what {it} is in <to>",
        ),
        nouns=(
            "the number of <to> in {it}",
            "{it} in <to>",
            "{it} measured in <to>",
            "{it} counted in <to>",
            "the count of <to> that make {it}",
            "{it} restated in <to>",
        ),
        asks=(
            "How many <to> are {it}?",
            "A container is marked in <to>. Up to which mark do I fill in {it}?",
            "A canister holds {it}. How much is that in <to>?",
            "The seller counts in <to>. What will he call {it}?",
            "What is {it} for somebody who measures in <to>?",
            "I need {it}, but it is sold by <to>. How many do I take?",
        ),
    ),
    _Conversion(
        convert_speed,
        SPEED,
        "km/h m/s mph knot",
        lambda q, to: {"speed": f"{q.amount} {q.unit}", "target": to},
        "speed",
        goals=(
            "convert {it} to <to>",
            "express {it} in <to>",
            "work out how fast {it} is in <to>",
            "turn {it} into <to>",
            "tell what {it} comes to in <to>",
            "give {it} as a number of <to>",
        ),
        nouns=(
            "{it} in <to>",
            "the speed of {it} in <to>",
            "the value of {it} in <to>",
            "{it} expressed in <to>",
            "the equivalent of {it} in <to>",
            "{it} restated in <to>",
        ),
        asks=(
            "How fast is {it} in <to>?",
            "A sign allows {it}, but my dashboard shows <to>. What may it show?",
            "The wind blows at {it}. How much is that in <to>?",
            "My drone reached {it}. What is that in <to>?",
            "Someone boasts of {it}. How much is it for me, who thinks in <to>?",
            "A boat makes {it}. What do I write in a log that uses <to>?",
        ),
    ),
    _Conversion(
        convert_area,
        AREA,
        "m2 km2 ha acre",
        lambda q, to: {"area": {"size": q.amount, "unit": q.unit}, "to_unit": to},
        lambda text, _: rounded(exact(float(text.split(maxsplit=1)[0]))),
        goals=(
            "convert {it} to <to>",
            "express {it} in <to>",
            "work out how many <to> {it} covers",
            "turn {it} into <to>",
            "find out how large {it} is in <to>",
            "state {it} as a number of <to>",
        ),
        nouns=(
            "the number of <to> in {it}",
            "{it} in <to>",
            "the area of {it} in <to>",
            "{it} expressed in <to>",
            "the size of {it} in <to>",
            "{it} as a number of <to>",
        ),
        asks=(
            "How many <to> are {it}?",
            "A farm has {it} of land. What is that in <to>?",
            "The advertisement says {it}. How much is it in <to>?",
            "They want to build on {it}. Give me the size in <to>.",
            "A fire burnt {it} of forest. How many <to> are that?",
            "The deed of my plot says {it}, the tax office wants <to>. What do I declare?",
        ),
    ),
    _Conversion(
        convert_data_size,
        DATA_SIZE,
        "MB GB TB MiB GiB",
        lambda q, to: {"size": q.amount, "unit": q.unit, "to": to},
        None,
        goals=(
            "convert {it} to <to>",
            "express {it} in <to>",
            "work out how many <to> {it} takes up",
            "tell how much {it} is in <to>",
            "find the number of <to> in {it}",
            "recompute {it} in <to>",
        ),
        nouns=(
            "the number of <to> in {it}",
            "{it} in <to>",
            "{it} expressed in <to>",
            "{it} counted in <to>",
            "the count of <to> in {it}",
            "the size of {it} in <to>",
        ),
        asks=(
            "How many <to> are {it}?",
            "My disk has {it} left. How much is that in <to>?",
            "The download is {it}. What will a program that counts in <to> show?",
            "A server wants its quota in <to>, and I was granted {it}. What do I enter?",
            "My plan includes {it} of data. How much is it in <to>?",
            "The archive takes {it}. State that in <to>, would you?",
        ),
    ),
    _Conversion(
        convert_energy,
        ENERGY,
        "kJ MJ kcal kWh",
        lambda q, to: {"energy": q.amount, "unit": q.unit, "to_unit": to},
        "energy",
        goals=(
            "convert {it} to <to>",
            "express {it} in <to>",
            "work out how many <to> {it} makes",
            "change {it} into <to>",
            "tell what {it} amounts to in <to>",
            "restate an energy of {it} in <to>",
        ),
        nouns=(
            "the number of <to> in {it}",
            "{it} in <to>",
            "the energy of {it} in <to>",
            "{it} expressed in <to>",
            "the count of <to> in {it}",
            "{it} as a number of <to>",
        ),
        asks=(
            "How many <to> are {it}?",
            "The label says {it}. How much is that in <to>?",
            "A battery stores {it}. What is it in <to>?",
            "My table is in <to>. What do I write there for {it}?",
            "Something used {it}. How much is that in <to>?",
            "A heater gave off {it}. Tell me the figure in <to>.",
        ),
    ),
)


CATEGORY = Category(
    name="units",
    tools=(
        convert_length,
        convert_mass,
        convert_temperature,
        convert_volume,
        convert_speed,
        convert_area,
        convert_data_size,
        convert_energy,
        distance_covered,
        travel_time,
    ),
    intents=(*(intent for wanted in _CONVERSIONS for intent in _intents(wanted)), *TRIPS),
    held_out=("convert_speed", "convert_area", "travel_time"),
    detours={
        # Whoever knows a factor by heart multiplies by it as a percentage.
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
)
