"""Tools that convert quantities: the factors come exact from pint, and a result is rounded once, at the end.

pint's registry is made when the first factor is needed, and each factor is asked for once. Knows nothing of requests.
"""

from __future__ import annotations

import functools
import re
from fractions import Fraction
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, Field

from alpha_umi_gym.domains.units.quantities import UNITS
from alpha_umi_gym.numbers import Number, exact, rounded

Length = Literal["km", "m", "cm", "mile", "ft", "inch"]
MassUnit = Literal["kg", "g", "lb", "oz"]
Scale = Literal["C", "F", "K"]
Volume = Literal["l", "ml", "gal", "cup"]
SpeedUnit = Literal["km/h", "m/s", "mph", "knot"]
AreaUnit = Literal["m2", "km2", "ha", "acre"]
DataUnit = Literal["kB", "MB", "GB", "TB", "MiB", "GiB"]
Energy = Literal["kJ", "MJ", "kcal", "kWh"]
Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]

_MAX_MINUTES = 525_600


class Mass(BaseModel):
    """A mass with its unit."""

    amount: Size
    unit: MassUnit


class Area(BaseModel):
    """A surface."""

    size: Size
    unit: AreaUnit


class Distance(BaseModel):
    """How far."""

    value: Size
    unit: Length


class Speed(BaseModel):
    """How fast."""

    value: Size
    unit: SpeedUnit


def convert_length(value: Size, unit: Length, to_unit: Length) -> dict[str, float | str]:
    """Convert a length or distance between metric and imperial units."""
    return {"value": converted(value, unit, to_unit), "unit": to_unit}


def convert_mass(mass: Mass, to_unit: MassUnit) -> dict[str, float | str]:
    """Express a mass in another unit."""
    return {"amount": converted(mass.amount, mass.unit, to_unit), "unit": to_unit}


def convert_temperature(degrees: Number, scale: Scale, to_scale: Scale) -> int | float:
    """Translate a temperature from one scale to another: Celsius, Fahrenheit or Kelvin."""
    slope, offset = degrees_to("K", scale)
    if slope * exact(degrees) + offset < 0:
        raise ValueError(f"{rounded(exact(degrees))} {scale} is below absolute zero")
    slope, offset = degrees_to(to_scale, scale)
    return rounded(slope * exact(degrees) + offset)


def convert_volume(amount: Size, from_unit: Volume, into: Volume) -> dict[str, float | str]:
    """Change a volume of liquid into another unit; gallons and cups are those of the United States."""
    return {"volume": converted(amount, from_unit, into), "unit": into}


def convert_speed(
    speed: Annotated[str, Field(description="a number and one of km/h, m/s, mph, knot", examples=["90 km/h"])],
    target: SpeedUnit,
) -> dict[str, float | str]:
    """Give a speed in another unit."""
    match = re.fullmatch(r"\s*([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*(km/h|m/s|mph|knot)s?\s*", speed)
    if match is None:
        raise ValueError(f"'{speed[:40]}' is not a speed like '90 km/h', the units are km/h, m/s, mph and knot")
    return {"speed": converted(float(match[1]), match[2], target), "unit": target}


def convert_area(area: Area, to_unit: AreaUnit) -> str:
    """Restate the size of a surface in another unit, as text."""
    return f"{converted(area.size, area.unit, to_unit)} {to_unit}"


def convert_data_size(size: Size, unit: DataUnit, to: DataUnit) -> int | float:
    """Compute the size of data in other units: kB to TB count in thousands, MiB and GiB in steps of 1024."""
    return converted(size, unit, to)


def convert_energy(energy: Size, unit: Energy, to_unit: Energy) -> dict[str, float | str]:
    """Turn an amount of energy into joules, kilocalories or kilowatt hours."""
    return {"energy": converted(energy, unit, to_unit), "unit": to_unit}


def travel_time(distance: Distance, speed: Speed) -> dict[str, int]:
    """Estimate how long a distance takes at a constant speed, rounded to the minute."""
    metres = exact(distance.value) * factor(distance.unit, "m")
    per_minute = exact(speed.value) * factor(speed.unit, "m/s") * 60
    if per_minute == 0:
        raise ValueError("at a speed of 0 one never arrives")
    minutes = int(metres / per_minute + Fraction(1, 2))
    if minutes > _MAX_MINUTES:
        raise ValueError("this takes more than a year")
    return {"hours": minutes // 60, "minutes": minutes % 60, "total_minutes": minutes}


def distance_covered(speed: Speed, minutes: Annotated[float, Field(ge=0, le=_MAX_MINUTES)]) -> dict[str, float | str]:
    """Calculate how far one gets in some time: in miles for mph, in metres for m/s, else in kilometres."""
    unit = {"mph": "mile", "m/s": "m"}.get(speed.unit, "km")
    metres = exact(speed.value) * factor(speed.unit, "m/s") * 60 * exact(minutes)
    return {"distance": rounded(metres * factor("m", unit)), "unit": unit}


# Exact conversion


def converted(amount: Number, unit: str, to_unit: str) -> int | float:
    """An amount in another unit, rounded."""
    return rounded(exact(amount) * factor(unit, to_unit))


@functools.cache
def factor(unit: str, to_unit: str) -> Fraction:
    """How many of one unit make one of another of the same kind."""
    ratio = _measure(unit) / _measure(to_unit)
    return cast(Fraction, ratio.to("dimensionless").magnitude)


@functools.cache
def degrees_to(scale: str, from_scale: str) -> tuple[Fraction, Fraction]:
    """Slope and offset that lead from one temperature scale to another."""
    make, (start, end) = _registry().Quantity, (UNITS[name].pint for name in (from_scale, scale))
    zero, one = (cast(Fraction, make(Fraction(n), start).to(end).magnitude) for n in (0, 1))
    return one - zero, zero


def _measure(unit: str) -> Any:
    return _registry().parse_expression(UNITS[unit].pint)


@functools.cache
def _registry() -> Any:
    import pint  # takes most of a second

    return pint.UnitRegistry(non_int_type=Fraction)
