"""Units of measure as people write them, and the slots of quantities in them.

Owns the short names that tools take. Knows nothing of conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from alpha_umi.trajectory import Frozen
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


_HERE = Path(__file__).parent
UNITS = read_as(dict[str, Unit], _HERE / "units.yaml")
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


def drawn(bounds: Mapping[str, tuple[int, int]]) -> Callable[[Sampler], Quantity]:
    """A draw of a quantity between bounds, which are given by unit."""

    def draw(d: Sampler) -> Quantity:
        unit = d.any_value(list(bounds))
        low, high = bounds[unit]
        return Quantity(d.decimal(low, high) if high < 100 else d.integer(low, high), unit)

    return draw


def spoken() -> dict[str, tuple[str, ...]]:
    """Unit -> the words that mean it behind a number."""
    said = read_as(dict[str, tuple[str, ...]], _HERE / "spoken.yaml")
    return said | {key: (u.written, u.one, *u.names, *said.get(key, ())) for key, u in UNITS.items()}


class _Range(Frozen):
    """An entry of `quantities.yaml`."""

    bounds: dict[str, tuple[int, int]]
    vague: tuple[str, ...]


_RANGES = read_as(dict[str, _Range], _HERE / "quantities.yaml")


def _slot(kind: str) -> Slot:
    return Slot(kind=kind, draw=drawn(_RANGES[kind].bounds), say=quantity_forms, vague=_RANGES[kind].vague)


LENGTH = _slot("length")
MASS = _slot("mass")
VOLUME = _slot("volume")
TEMPERATURE = replace(_slot("temperature"), unknown=lambda d: Quantity(-d.integer(480, 2000), d.any_value(("C", "F"))))
SPEED = _slot("speed")
AREA = _slot("area")
DATA_SIZE = _slot("data_size")
ENERGY = _slot("energy")
