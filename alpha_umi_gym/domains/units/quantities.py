"""Units of measure as people write them, and the slots of quantities in them.

Owns the short names that tools take. Knows nothing of conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from alpha_umi_gym.intents import Slot
from alpha_umi_gym.numbers import Quantity
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.yaml_data import read_as


class Unit(NamedTuple):
    """A unit as pint knows it and as people write it."""

    pint: str
    written: str
    """Behind a number, in its plain form."""
    one: str
    """In words, for one."""
    names: tuple[str, ...]
    """In words, for several."""


UNITS = read_as(dict[str, Unit], Path(__file__).with_name("units.yaml"))
"""The units by the names that tools take."""


def quantity_forms(value: Quantity) -> Sequence[str]:
    """3.5 km, 3.5 kilometres, 3.5 kilometers; a unit that is not known is written as it is."""
    amount, unit = value
    known = UNITS.get(unit)
    if known is None:
        return (f"{amount} {unit}",)
    if amount == 1:
        return (f"1 {known.one if known.written in known.names else known.written}", f"1 {known.one}")
    return tuple(dict.fromkeys(f"{amount} {name}" for name in (known.written, *known.names)))


def drawn(**bounds: tuple[int, int]) -> Callable[[Sampler], Quantity]:
    """A draw of a quantity between bounds, which are given by unit; _ stands for the stroke of `km/h`."""

    def draw(d: Sampler) -> Quantity:
        unit = d.any_value(list(bounds))
        low, high = bounds[unit]
        return Quantity(d.decimal(low, high) if high < 100 else d.integer(low, high), unit.replace("_", "/"))

    return draw


LENGTH = Slot(
    kind="length",
    draw=drawn(km=(1, 90), m=(5, 900), cm=(10, 250), mile=(1, 60), ft=(3, 400), inch=(4, 90)),
    say=quantity_forms,
    vague=("the length on the plan", "the usual distance", "as far as last time"),
)
MASS = Slot(
    kind="mass",
    draw=drawn(kg=(1, 95), g=(20, 950), lb=(1, 90), oz=(2, 60)),
    say=quantity_forms,
    vague=("the weight on the label", "the weight of my bag", "the amount in the recipe"),
)
VOLUME = Slot(
    kind="volume",
    draw=drawn(l=(1, 60), ml=(40, 950), gal=(1, 40), cup=(1, 16)),
    say=quantity_forms,
    vague=("what the bottle holds", "the contents of my tank", "the amount on the can"),
)
TEMPERATURE = Slot(
    kind="temperature",
    draw=drawn(C=(-25, 240), F=(-10, 450), K=(200, 400)),
    say=quantity_forms,
    vague=("the temperature outside", "the heat of my oven", "the usual temperature"),
    unknown=lambda d: Quantity(-d.integer(480, 2000), d.any_value(("C", "F"))),
)
SPEED = Slot(
    kind="speed",
    draw=drawn(km_h=(3, 260), m_s=(1, 60), mph=(2, 95), knot=(3, 60)),
    say=quantity_forms,
    vague=("the usual speed", "the speed on the sign", "my best pace"),
)
AREA = Slot(
    kind="area",
    draw=drawn(m2=(20, 9000), km2=(1, 90), ha=(1, 80), acre=(1, 90)),
    say=quantity_forms,
    vague=("the size of my garden", "the area on the map", "the size of the plot"),
)
DATA_SIZE = Slot(
    kind="data_size",
    draw=drawn(kB=(100, 9000), MB=(5, 9000), GB=(2, 900), TB=(1, 20), MiB=(5, 4000), GiB=(1, 90)),
    say=quantity_forms,
    vague=("the size of my backup", "the size of that film", "the space that is left"),
)
ENERGY = Slot(
    kind="energy",
    draw=drawn(kJ=(100, 9000), MJ=(1, 90), kcal=(50, 2500), kWh=(1, 40)),
    say=quantity_forms,
    vague=("the energy on the label", "what I used last month", "the energy I told you about"),
)
