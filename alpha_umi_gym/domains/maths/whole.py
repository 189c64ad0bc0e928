"""What people want to know of whole numbers: their primes, what they share, and how they are written."""

from __future__ import annotations

import math

from alpha_umi_gym.domains.maths.slots import NUMBERS, WHOLE
from alpha_umi_gym.domains.maths.tools import (
    MAX_ROMAN,
    greatest_common_divisor,
    least_common_multiple,
    prime_factors,
    to_base,
)
from alpha_umi_gym.intents import Gives, Intent, Slot

_MULTIPLES = Slot(
    kind="numbers",
    draw=lambda d: d.chance.sample([6 * d.integer(2 + 60 * n, 61 + 60 * n) for n in range(3)], 3),
    say=NUMBERS.say,
)


def _is_composite(number: int) -> bool:
    """Whether there is something to break down."""
    return 2 <= number < 10**12 and not prime_factors(number)["is_prime"]


_DIVISION = (
    Intent(
        tool=prime_factors,
        slots={"number": WHOLE},
        fits=lambda v: _is_composite(v["number"]),
        goals=(
            "break {number} down into prime factors",
            "factorize {number}",
            "find the primes that multiply to {number}",
            "decompose {number} into primes",
        ),
        asks=(
            "Which prime factors does {number} have?",
            "Which primes give {number} when they are multiplied?",
            "Into which primes can {number} be split?",
            "For class I have to factorize {number}. What comes out?",
        ),
        gives=Gives(
            kind="factors",
            read="factors",
            nouns=(
                "the prime factorization of {number}",
                "the list of prime factors of {number}",
                "the decomposition of {number} into primes",
            ),
            facts=lambda out: list(dict.fromkeys(out.split(" * "))),
        ),
        found="{number} factorizes into {out}",
        answers=("The prime factorization of {number} is {out}.", "It is {out}."),
    ),
    Intent(
        tool=prime_factors,
        slots={"number": WHOLE},
        fits=lambda v: _is_composite(v["number"]),
        goals=(
            "find the largest prime factor of {number}",
            "determine the greatest prime that divides {number}",
            "tell which is the biggest prime factor of {number}",
        ),
        asks=(
            "What is the largest prime that divides {number}?",
            "Among the primes that divide {number}, which is the greatest?",
            "How large is the biggest prime factor of {number}?",
        ),
        gives=Gives(
            kind="integer",
            read="largest",
            nouns=(
                "the largest prime factor of {number}",
                "the greatest prime that divides {number}",
                "the biggest prime factor of {number}",
            ),
            compares="size",
        ),
        found="the largest prime factor of {number} is {out}",
        answers=("The largest prime factor of {number} is {out}.", "It is {out}."),
    ),
    Intent(
        tool=greatest_common_divisor,
        slots={"a": WHOLE, "b": WHOLE},
        arguments=lambda v: {"numbers": [v["a"], v["b"]]},
        fits=lambda v: v["a"] != v["b"] and min(v["a"], v["b"]) > 0,
        goals=(
            "find the greatest common divisor of {a} and {b}",
            "work out the largest number that divides both {a} and {b}",
            "get the highest common factor of {a} and {b}",
        ),
        asks=(
            "What is the largest whole number that divides {a} and {b}?",
            "Which is the greatest number that goes into {a} and also into {b}?",
            "I look for the largest divisor that {a} and {b} share. Which is it?",
        ),
        gives=Gives(
            kind="integer",
            nouns=(
                "the greatest common divisor of {a} and {b}",
                "the highest common factor of {a} and {b}",
                "the largest number that divides both {a} and {b}",
            ),
            compares="size",
        ),
        found="the greatest common divisor of {a} and {b} is {out}",
        answers=("The greatest common divisor of {a} and {b} is {out}.", "It is {out}."),
        rivals=("prime_factors",),
    ),
    Intent(
        tool=greatest_common_divisor,
        slots={"numbers": _MULTIPLES},
        goals=(
            "find the greatest common divisor of {numbers}",
            "work out the largest number that divides all of {numbers}",
            "get the highest common factor of {numbers}",
        ),
        asks=(
            "What is the largest whole number that divides {numbers}?",
            "Which number is the greatest divisor that {numbers} share?",
            "Boards of {numbers} cm are cut into equal pieces without waste. How long can a piece be at most?",
        ),
        gives=Gives(
            kind="integer",
            nouns=(
                "the greatest common divisor of {numbers}",
                "the highest common factor of {numbers}",
                "the largest number that divides each of {numbers}",
            ),
            compares="size",
        ),
        found="the greatest common divisor of {numbers} is {out}",
        answers=("The greatest common divisor of {numbers} is {out}.", "It is {out}."),
        rivals=("prime_factors",),
    ),
    Intent(
        tool=least_common_multiple,
        slots={"a": WHOLE, "b": WHOLE},
        arguments=lambda v: {"first": v["a"], "second": v["b"]},
        fits=lambda v: min(v["a"], v["b"]) > 1 and math.lcm(v["a"], v["b"]) not in (v["a"], v["b"]),
        goals=(
            "find the least common multiple of {a} and {b}",
            "work out the smallest number that {a} and {b} both divide",
            "get the lowest common multiple of {a} and {b}",
        ),
        asks=(
            "What is the smallest number that can be divided by both {a} and {b}?",
            "Counting in steps of {a} and in steps of {b}, at which number do I first meet?",
            "I look for the first number that is a multiple of {a} and also of {b}. Which is it?",
        ),
        gives=Gives(
            kind="integer",
            nouns=(
                "the least common multiple of {a} and {b}",
                "the lowest common multiple of {a} and {b}",
                "the smallest number that both {a} and {b} divide",
            ),
            compares="size",
        ),
        found="the least common multiple of {a} and {b} is {out}",
        answers=("The least common multiple of {a} and {b} is {out}.", "It is {out}."),
        rivals=("prime_factors",),
    ),
)
_SYSTEM = Slot(kind="numeral_system", draw=lambda d: d.any_of(("binary", "octal", "hexadecimal")))
_YEAR = Slot(
    kind="count",
    draw=lambda d: d.integer(4, 3900),
    vague=WHOLE.vague,
    unknown=lambda d: d.integer(MAX_ROMAN + 1, 20_000),
)
_NUMERALS = (
    Intent(
        tool=to_base,
        slots={"number": WHOLE, "system": _SYSTEM},
        fits=lambda v: v["number"] > 7,
        goals=(
            "write {number} in {system} notation",
            "convert the decimal number {number} to {system}",
            "turn {number} into {system} digits",
        ),
        asks=(
            "How is {number} written in {system}?",
            "What does {number} look like in the {system} system?",
            "A programmer wants {number} in {system} notation. What do I type?",
        ),
        gives=Gives(
            kind="digits",
            read="digits",
            nouns=(
                "the {system} form of {number}",
                "{number} in {system} notation",
                "the {system} notation of {number}",
            ),
        ),
        found="{number} is {out} in {system}",
        answers=("In {system} notation {number} is {out}.", "It is written {out}."),
        weight=2.0,
    ),
    Intent(
        tool=to_base,
        slots={"number": _YEAR},
        arguments=lambda v: {"number": v["number"], "system": "roman"},
        fits=lambda v: 0 < v["number"] <= MAX_ROMAN,
        goals=(
            "write {number} in Roman numerals",
            "turn {number} into a Roman numeral",
            "find the Roman numeral for {number}",
        ),
        asks=(
            "How did the Romans write {number}?",
            "A sculptor carves {number} in Roman numerals. What does it look like?",
            "Which Roman numeral stands for {number}?",
        ),
        gives=Gives(
            kind="digits",
            read="digits",
            nouns=("the Roman numeral for {number}", "{number} in Roman numerals", "the Roman way to write {number}"),
        ),
        found="{number} is {out} in Roman numerals",
        answers=("In Roman numerals {number} is {out}.", "It is {out}."),
    ),
)
WHOLE_NUMBERS = (*_DIVISION, *_NUMERALS)
