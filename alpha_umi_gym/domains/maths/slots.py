"""What may fill the places of mathematical requests: numbers, lists of them, shares, expressions and equations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alpha_umi_gym.intents import Slot
from alpha_umi_gym.sampler import Sampler


def _listed(numbers: Sequence[int | float]) -> Sequence[str]:
    """3, 8 and 12."""
    shown = [str(number) for number in numbers]
    return (", ".join(shown[:-1]) + f" and {shown[-1]}", ", ".join(shown))


def _of(count: str) -> Callable[[int], Sequence[str]]:
    return lambda value: (f"{value} {count}",)


def _term(value: int | float) -> str:
    """A value as a term of an expression."""
    return f"({value})" if value < 0 else str(value)


def _expression(d: Sampler) -> str:
    a, b, c = d.integer(12, 980), d.integer(3, 95), d.integer(2, 60)
    shapes = ("{a} * {b} + {c}", "({a} + {b}) * {c}", "{a} * {b} - {c}", "({a} - {b}) / {c}", "{a} + {b} * {c}")
    return d.any_value((*shapes, "{a} * {b} / {c}", "{b} ** 2 - {a}", "{a} - {b} / {c}")).format(a=a, b=b, c=c)


def _expression_forms(expression: str) -> Sequence[str]:
    """As a program writes it, and as people do."""
    signs = expression.replace(" ** 2", "²").replace("*", "×").replace("/", "÷")
    if "(" in expression or "²" in signs:
        return (expression, signs)
    words = expression.replace("*", "times").replace("/", "divided by").replace("+", "plus").replace("-", "minus")
    return (expression, signs, words)


def _by_zero(d: Sampler) -> str:
    a, b = d.integer(12, 980), d.integer(3, 95)
    return d.any_value(("{a} / ({b} - {b})", "({a} + {b}) / 0", "{a} * {b} / 0")).format(a=a, b=b)


def linear(d: Sampler) -> str:
    """A drawn equation of first degree."""
    a, b, at, x = d.integer(2, 19), d.integer(2, 90), d.integer(-12, 60), d.any_value("xyznt")
    return f"{a}{x} + {b} = {a * at + b}" if d.chances(0.5) else f"{a}{x} - {b} = {a * at - b}"


def square(d: Sampler) -> str:
    """A drawn equation of second degree with whole solutions."""
    one, other, x = d.integer(-12, 14), d.integer(-12, 14), d.any_value("xyznt")
    b, c = -(one + other), one * other
    terms = [f"{'-' if n < 0 else '+'} {abs(n)}{letter}" for n, letter in ((b, x), (c, "")) if n]
    return " ".join([f"{x}^2", *terms, "= 0"]).replace(f" 1{x}", f" {x}")


def _never(d: Sampler) -> str:
    a, b, x = d.integer(2, 19), d.integer(2, 90), d.any_value("xyznt")
    return d.any_value(("{x}^2 + {b} = 0", "{a}{x} + {b} = {a}{x} - {b}", "{a}{x}^2 + {b} = -{a}")).format(
        a=a, b=b, x=x
    )


_VAGUE = ("a certain number", "the number from yesterday", "the number I had in mind", "my number")
NUMBER = Slot(kind="number", draw=lambda d: d.decimal(2, 900), accepts=("count", "minutes", "integer"), vague=_VAGUE)
SMALL = Slot(
    kind="number",
    draw=lambda d: d.decimal(2, 40),
    accepts=("count", "minutes", "integer"),
    vague=_VAGUE,
    unknown=lambda d: 0,
)
LONG = Slot(
    kind="number",
    draw=lambda d: d.integer(1001, 999_999) / 1000,
    accepts=("count", "money", "minutes", "integer"),
    vague=_VAGUE,
)
LARGE = Slot(
    kind="number",
    draw=lambda d: d.integer(1001, 98_765),
    accepts=("count", "money", "minutes", "integer"),
    vague=_VAGUE,
)
WHOLE = Slot(
    kind="count",
    accepts=("integer",),
    draw=lambda d: d.integer(12, 2500),
    vague=_VAGUE,
    unknown=lambda d: -d.integer(2, 90),
)
NUMBERS = Slot(
    kind="numbers",
    draw=lambda d: [d.integer(3, 400) for _ in range(d.any_value((3, 4, 5)))],
    say=_listed,
    vague=("my marks", "the figures of last week", "the numbers on the list"),
)
PERCENT = Slot(
    kind="percent",
    draw=lambda d: d.integer(2, 95),
    say=lambda value: (f"{value} percent", f"{value}%"),
    refer=("that percentage",),
    nests=False,
    vague=("some percent", "the usual percentage", "the agreed percentage"),
)
PIECES = Slot(
    kind="count", draw=lambda d: d.integer(2, 48), say=_of("pieces"), refer=("that many pieces",), nests=False
)
SHARERS = Slot(
    kind="count", draw=lambda d: d.integer(2, 24), say=_of("people"), refer=("that many people",), nests=False
)
PARTS = Slot(
    kind="count", draw=lambda d: d.integer(2, 24), say=_of("equal parts"), refer=("that many parts",), nests=False
)
TIMES = Slot(kind="count", draw=lambda d: d.integer(2, 40), say=_of("times"), refer=("that many times",), nests=False)
EXPRESSION = Slot(
    kind="expression",
    draw=_expression,
    say=_expression_forms,
    vague=("the sum on the board", "my homework", "the formula I told you about"),
    unknown=_by_zero,
)


def equation(draw: Callable[[Sampler], str]) -> Slot:
    """A slot of equations of one sort."""
    return Slot(
        kind="equation",
        draw=draw,
        say=lambda value: (value, value.replace("^2", "²")),
        vague=("my equation", "the equation on the board", "the equation from class"),
        unknown=_never,
    )
