"""What people want to know of whole numbers: their primes, what they share, and how they are written."""

from __future__ import annotations

import math

from alpha_umi_gym.domains.maths import tools
from alpha_umi_gym.domains.maths.slots import NUMBERS, WHOLE
from alpha_umi_gym.intents import Gives, Intent, Slot
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


_MULTIPLES = Slot(
    kind="numbers",
    draw=lambda d: d.chance.sample([6 * d.integer(2 + 60 * n, 61 + 60 * n) for n in range(3)], 3),
    say=NUMBERS.say,
)


def _is_composite(number: int) -> bool:
    """Whether there is something to break down."""
    return 2 <= number < 10**12 and not tools.prime_factors(number)["is_prime"]


_DIVISION = (
    Intent(
        tool=tools.prime_factors,
        words=_WORDS["prime_factors"],
        slots={"number": WHOLE},
        fits=lambda v: _is_composite(v["number"]),
        gives=Gives(kind="factors", read="factors", facts=lambda out: list(dict.fromkeys(out.split(" * ")))),
    ),
    Intent(
        tool=tools.prime_factors,
        words=_WORDS["prime_factors_largest"],
        slots={"number": WHOLE},
        fits=lambda v: _is_composite(v["number"]),
        gives=Gives(kind="integer", read="largest", compares="size"),
    ),
    Intent(
        tool=tools.greatest_common_divisor,
        words=_WORDS["greatest_common_divisor_of_two"],
        slots={"a": WHOLE, "b": WHOLE},
        arguments=lambda v: {"numbers": [v["a"], v["b"]]},
        fits=lambda v: v["a"] != v["b"] and min(v["a"], v["b"]) > 0,
        gives=Gives(kind="integer", compares="size"),
        rivals=("prime_factors",),
    ),
    Intent(
        tool=tools.greatest_common_divisor,
        words=_WORDS["greatest_common_divisor"],
        slots={"numbers": _MULTIPLES},
        gives=Gives(kind="integer", compares="size"),
        rivals=("prime_factors",),
    ),
    Intent(
        tool=tools.least_common_multiple,
        words=_WORDS["least_common_multiple"],
        slots={"a": WHOLE, "b": WHOLE},
        arguments=lambda v: {"first": v["a"], "second": v["b"]},
        fits=lambda v: min(v["a"], v["b"]) > 1 and math.lcm(v["a"], v["b"]) not in (v["a"], v["b"]),
        gives=Gives(kind="integer", compares="size"),
        rivals=("prime_factors",),
    ),
)
_SYSTEM = Slot(kind="numeral_system", draw=lambda d: d.any_of(("binary", "octal", "hexadecimal")))
_YEAR = Slot(
    kind="count",
    draw=lambda d: d.integer(4, 3900),
    vague=WHOLE.vague,
    unknown=lambda d: d.integer(tools.MAX_ROMAN + 1, 20_000),
)
_NUMERALS = (
    Intent(
        tool=tools.to_base,
        words=_WORDS["to_base"],
        slots={"number": WHOLE, "system": _SYSTEM},
        fits=lambda v: v["number"] > 7,
        gives=Gives(kind="digits", read="digits"),
        weight=2.0,
    ),
    Intent(
        tool=tools.to_base,
        words=_WORDS["to_base_roman"],
        slots={"number": _YEAR},
        arguments=lambda v: {"number": v["number"], "system": "roman"},
        fits=lambda v: 0 < v["number"] <= tools.MAX_ROMAN,
        gives=Gives(kind="digits", read="digits"),
    ),
)
WHOLE_NUMBERS = (*_DIVISION, *_NUMERALS)
