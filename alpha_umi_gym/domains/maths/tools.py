"""Arithmetic, percentages, statistics, whole numbers and small equations, exact within.

An expression is read by Python's parser and walked node by node: nothing of it is ever executed. Knows nothing of
requests.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import statistics
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from alpha_umi_gym.numbers import Number, exact, rounded

MAX_LENGTH = 200
MAX_POWER = 64
MAX_BITS = 4096
"""Larger numbers on the way are refused: no answer of the gym needs them."""
MAX_WHOLE = 10**12
MAX_ROMAN = 3999

Whole = Annotated[int, Field(ge=1)]
Measure = Literal["mean", "median", "sum", "range", "maximum", "minimum"]
System = Literal["binary", "octal", "hexadecimal", "roman"]

_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_NO_NAMES: Mapping[str, Fraction] = MappingProxyType({})
_CHECKS = (Fraction(2), Fraction(3), Fraction(-5), Fraction(1_000_003, 7))
"""Where a polynomial found at three places has to be right as well."""
_ROMAN = tuple(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
        strict=True,
    )
)


def calculate(expression: Annotated[str, Field(description="uses + - * / ** % ( )")]) -> int | float:
    """Calculate an arithmetic expression."""
    return rounded(_value(_parsed(expression)))


def percent_of(percent: Number, number: Number) -> int | float:
    """Take a percentage of a number."""
    return rounded(exact(percent) * exact(number) / 100)


def percent_change(old: Number, new: Number) -> dict[str, float | str]:
    """Tell by how many percent a value rose or fell."""
    before, after = exact(old), exact(new)
    if before == 0:
        raise ValueError("there is no percentage of a change that starts from 0")
    change = (after - before) / abs(before) * 100
    return {"percent": rounded(abs(change)), "direction": "decrease" if change < 0 else "increase"}


def statistics_of(
    numbers: Annotated[list[Number], Field(min_length=1, max_length=100)], measure: Measure
) -> int | float:
    """Summarize a list of numbers by one measure."""
    values = [exact(number) for number in numbers]
    measures: Mapping[str, Callable[[list[Fraction]], Fraction]] = {
        "mean": statistics.mean,
        "median": statistics.median,
        "sum": lambda many: sum(many, Fraction(0)),
        "range": lambda many: max(many) - min(many),
        "maximum": max,
        "minimum": min,
    }
    return rounded(measures[measure](values))


def prime_factors(number: int) -> dict[str, object]:
    """Break a whole number down into primes, in ascending order."""
    if number < 2:
        raise ValueError(f"{number} has no prime factors, the smallest number that has is 2")
    _check_size(number)
    from sympy import factorint  # takes half a second

    factors = [prime for prime, power in sorted(factorint(number).items()) for _ in range(power)]
    product = " * ".join(str(factor) for factor in factors)
    return {"factors": product, "largest": factors[-1], "is_prime": len(factors) == 1}


def greatest_common_divisor(numbers: Annotated[list[Whole], Field(min_length=2, max_length=10)]) -> int:
    """Find the largest whole number that divides all the given ones."""
    _check_size(*numbers)
    return math.gcd(*numbers)


def least_common_multiple(first: Whole, second: Whole) -> int:
    """Get the smallest number that is a multiple of both."""
    _check_size(first, second)
    return math.lcm(first, second)


def solve_equation(
    equation: Annotated[
        str, Field(description="with one unknown, of first or second degree", examples=["3x + 5 = 20"])
    ],
) -> dict[str, object]:
    """Solve an equation for its unknown and list the real solutions in ascending order."""
    sides = _python(equation).split("=")
    if len(sides) != 2:
        raise ValueError(f"'{equation[:60]}' is not an equation like 3x + 5 = 20")
    left, right = (_parsed(side) for side in sides)
    names = {node.id for side in (left, right) for node in ast.walk(side) if isinstance(node, ast.Name)}
    if len(names) != 1:
        raise ValueError(f"the equation must have one unknown, not {len(names)}")
    unknown = names.pop()

    def off(at: Fraction) -> Fraction:
        return _value(left, {unknown: at}) - _value(right, {unknown: at})

    solutions = _roots(*_quadratic(off))
    return {"unknown": unknown, "solutions": [rounded(solution) for solution in solutions]}


def round_number(
    number: Number,
    step: Annotated[float, Field(gt=0, le=10**9, description="round to a multiple of this: 0.01, 1, 10")] = 1,
    direction: Literal["nearest", "up", "down"] = "nearest",
) -> int | float:
    """Round a number; a half is rounded away from zero."""
    parts = exact(number) / exact(step)
    nearest = math.floor(abs(parts) + Fraction(1, 2)) * (1 if parts >= 0 else -1)
    whole = {"nearest": nearest, "up": math.ceil(parts), "down": math.floor(parts)}[direction]
    return rounded(whole * exact(step))


def to_base(number: Whole, system: System) -> dict[str, str]:
    """Write a whole number in another numeral system."""
    _check_size(number)
    if system != "roman":
        return {"digits": format(number, {"binary": "b", "octal": "o", "hexadecimal": "X"}[system]), "system": system}
    if number > MAX_ROMAN:
        raise ValueError(f"Roman numerals end at {MAX_ROMAN}")
    digits = ""
    for size, digit in _ROMAN:
        digits += digit * (number // size)
        number %= size
    return {"digits": digits, "system": system}


def _check_size(*numbers: int) -> None:
    if max(numbers) > MAX_WHOLE:
        raise ValueError(f"{max(numbers):.6g} is too large, the limit is {MAX_WHOLE}")


# Expressions


def _parsed(expression: str) -> ast.expr:
    if len(expression) > MAX_LENGTH:
        raise ValueError(f"the expression is longer than {MAX_LENGTH} characters")
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(f"cannot read '{expression}', use numbers and + - * / ** % ( )") from None


def _value(node: ast.expr, names: Mapping[str, Fraction] = _NO_NAMES) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and math.isfinite(number):
            return _bounded(exact(number))
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, names)
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, ast.Pow) or type(op) in _OPERATORS:
            return _bounded(_combined(op, _value(left, names), _value(right, names)))
    raise ValueError(f"'{ast.unparse(node)}' is not arithmetic, use numbers and + - * / ** % ( )")


def _combined(op: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    try:
        return _power(left, right) if isinstance(op, ast.Pow) else _OPERATORS[type(op)](left, right)
    except ZeroDivisionError:
        raise ValueError("this divides by zero") from None


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > MAX_POWER:
        raise ValueError(f"exponents must be whole numbers up to {MAX_POWER}")
    return base ** int(exponent)


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise ValueError("the numbers become too large")
    return value


# Equations


def _python(equation: str) -> str:
    """3x² as 3*x**2: the way people write, as the parser reads it."""
    text = equation.replace("²", "**2").replace("^", "**").replace("==", "=")
    return re.sub(r"(?<=[0-9)])\s*(?=[A-Za-z(])", "*", text)


def _quadratic(off: Callable[[Fraction], Fraction]) -> tuple[Fraction, Fraction, Fraction]:
    """The coefficients of a polynomial of second degree at most, from its values."""
    zero, one, other = (off(Fraction(n)) for n in (0, 1, -1))
    a, b, c = (one + other) / 2 - zero, (one - other) / 2, zero
    if any(off(x) != a * x * x + b * x + c for x in _CHECKS):
        raise ValueError("only equations of first or second degree can be solved")
    return a, b, c


def _roots(a: Fraction, b: Fraction, c: Fraction) -> list[Fraction]:
    if a == 0 and b == 0:
        raise ValueError("the equation has no solution" if c else "every number solves the equation")
    if a == 0:
        return [-c / b]
    inner = b * b - 4 * a * c
    if inner < 0:
        raise ValueError("the equation has no real solution")
    root = _root(inner)
    return sorted({(-b - root) / (2 * a), (-b + root) / (2 * a)})


def _root(square: Fraction) -> Fraction:
    """The square root, exact where it is rational, else to many digits."""
    over, under = math.isqrt(square.numerator), math.isqrt(square.denominator)
    if over * over == square.numerator and under * under == square.denominator:
        return Fraction(over, under)
    scale = 10**12
    return Fraction(math.isqrt(square.numerator * square.denominator * scale**2), square.denominator * scale)
