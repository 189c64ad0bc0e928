"""Arithmetic, percentages and statistics, exact within.

Owns the three maths tools and the tasks that start from them. An expression is read by Python's parser and
walked node by node: nothing of it is ever executed.
"""

from __future__ import annotations

import ast
import operator
import statistics
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from alpha_umi.gym.draft import Draft
from alpha_umi.gym.numbers import Number, exact, rounded
from alpha_umi.gym.world import Category, Scenario

MAX_LENGTH = 200
MAX_POWER = 64
MAX_BITS = 4096
"""Larger numbers on the way are refused: no answer of the gym needs them."""

_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}


def calculate(expression: Annotated[str, Field(description="uses + - * / ** % ( )")]) -> int | float:
    """Calculate an arithmetic expression."""
    if len(expression) > MAX_LENGTH:
        raise ValueError(f"the expression is longer than {MAX_LENGTH} characters")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(f"cannot read '{expression}', use numbers and + - * / ** % ( )") from None
    return rounded(_value(tree.body))


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return exact(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _bounded(_power(_value(left), _value(right)))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _bounded(_OPERATORS[type(op)](_value(left), _value(right)))
    raise ValueError(f"'{ast.unparse(node)}' is not arithmetic, use numbers and + - * / ** % ( )")


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > MAX_POWER:
        raise ValueError(f"exponents must be whole numbers up to {MAX_POWER}")
    return base ** int(exponent)


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise ValueError("the numbers become too large")
    return value


def percent_of(percent: Number, number: Number) -> int | float:
    """Take a percentage of a number."""
    return rounded(exact(percent) * exact(number) / 100)


def statistics_of(
    numbers: Annotated[list[Number], Field(min_length=1)], measure: Literal["mean", "median", "sum", "range"]
) -> int | float:
    """Summarize numbers by one measure."""
    values = [exact(number) for number in numbers]
    results: dict[str, Fraction] = {
        "mean": statistics.mean(values),
        "median": statistics.median(values),
        "sum": sum(values, Fraction(0)),
        "range": max(values) - min(values),
    }
    return rounded(results[measure])


def _expression(d: Draft) -> str:
    a, b, c = d.integer(12, 980), d.integer(3, 95), d.integer(2, 60)
    shapes = ("{a} * {b} + {c}", "({a} + {b}) * {c}", "{a} * {b} - {c}", "({a} - {b}) / {c}", "{a} + {b} * {c}")
    return d.any_of((*shapes, "{a} * {b} / {c}", "{b} ** 2 - {a}")).format(a=a, b=b, c=c)


def _calculate(d: Draft) -> None:
    expression = _expression(d)
    d.ask(
        (
            "What is {expression}?",
            "Calculate {expression}.",
            "Please work out {expression} for me.",
            "How much is {expression}?",
            "I need the value of {expression}.",
            "Evaluate {expression}, please.",
            "Which number does {expression} give?",
        ),
        expression=expression,
    )
    result = d.call(f"calculate {expression}", "calculate", expression=expression)
    answers = ("{expression} is {result}.", "The result is {result}.", "It is {result}.")
    d.answer(f"the result is {result}", answers, facts=[result], expression=expression, result=result)


def _percent(d: Draft) -> None:
    percent, number = d.integer(2, 95), d.decimal(20, 900)
    d.ask(
        (
            "What is {percent} percent of {number}?",
            "How much is {percent}% of {number}?",
            "The bill is {number} dollars and I tip {percent} percent. How much is the tip?",
            "A tax of {percent}% is due on {number} dollars. What is the tax?",
            "{percent} percent of {number} people said yes on average. How many is that?",
            "Take {percent} percent from the sum of {number}; what is that part?",
            "I save {percent}% of an income of {number} dollars. What do I save?",
        ),
        percent=percent,
        number=number,
    )
    part = d.call(f"take {percent} percent of {number}", "percent_of", percent=percent, number=number)
    answers = ("{percent} percent of {number} is {part}.", "That is {part}.", "It comes to {part}.")
    d.answer(f"it is {part}", answers, facts=[part], percent=percent, number=number, part=part)


_MEASURES = {"mean": ("mean", "average"), "median": ("median",), "sum": ("sum", "total"), "range": ("range",)}


def _statistics(d: Draft) -> None:
    measure = d.any_of(list(_MEASURES))
    word, numbers = d.any_of(_MEASURES[measure]), [d.integer(3, 400) for _ in range(d.any_of((3, 4, 5)))]
    shown = ", ".join(str(number) for number in numbers)
    d.ask(
        (
            "What is the {word} of {shown}?",
            "Find the {word} of {shown}.",
            "My scores are {shown}. What is their {word}?",
            "Here are the sales of the week: {shown}. Give me the {word}.",
            "I counted {shown} visitors. What is the {word}?",
            "Please state the {word} for these numbers: {shown}.",
            "Given {shown}, what would the {word} be?",
        ),
        word=word,
        shown=shown,
    )
    result = d.call(f"find the {word} of {shown}", "statistics_of", numbers=numbers, measure=measure)
    answers = ("The {word} is {result}.", "The {word} of {shown} is {result}.", "It is {result}.")
    d.answer(f"the {word} is {result}", answers, facts=[result], word=word, shown=shown, result=result)


def _tip_and_share(d: Draft) -> None:
    bill, percent, people = d.decimal(20, 300), d.integer(5, 25), d.any_of((2, 3, 4, 5, 6))
    d.ask(
        (
            "The bill is {bill} dollars. With a tip of {percent} percent, what does each of {people} people pay?",
            "We are {people} and the bill is {bill} dollars plus {percent}% tip. What is one share?",
            "Split {bill} dollars plus {percent} percent service among {people} friends. How much is it for each?",
            "{people} guests share {bill} dollars and a {percent}% tip equally; what does one owe?",
            "Dinner was {bill} dollars. Adding {percent} percent, how much falls on each of {people}?",
        ),
        bill=bill,
        percent=percent,
        people=people,
    )
    tip = d.call(f"take {percent} percent of {bill}", "percent_of", percent=percent, number=bill)
    sum_ = f"({bill} + {tip}) / {people}"
    share = d.call(f"calculate {sum_}", "calculate", known=f"the tip is {tip}", expression=sum_)
    answers = ("Each pays {share} dollars.", "With a tip of {tip} dollars each pays {share} dollars.")
    d.answer(f"each pays {share} dollars", answers, facts=[share], share=share, tip=tip)


def _total_then_percent(d: Draft) -> None:
    numbers, percent = [d.integer(5, 400) for _ in range(d.any_of((3, 4)))], d.integer(5, 60)
    shown = ", ".join(str(number) for number in numbers)
    d.ask(
        (
            "I earned {shown} dollars and save {percent} percent of the total. How much do I save?",
            "What is {percent} percent of the sum of {shown}?",
            "Our stalls took {shown} dollars; {percent} percent of the total is rent. What is the rent?",
            "Add up {shown} and tell me {percent} percent of it.",
            "{percent}% of everything I sold ({shown} dollars) goes to charity. How much is given?",
        ),
        shown=shown,
        percent=percent,
    )
    total = d.call(f"find the sum of {shown}", "statistics_of", numbers=numbers, measure="sum")
    known = f"the sum is {total}"
    part = d.call(f"take {percent} percent of it", "percent_of", known=known, percent=percent, number=total)
    answers = ("{percent} percent of {total} is {part}.", "That is {part}.", "It comes to {part}.")
    d.answer(f"it is {part}", answers, facts=[part], percent=percent, total=total, part=part)


def _by_zero(d: Draft) -> None:
    a, b = d.integer(12, 980), d.integer(3, 95)
    expression = d.any_of(("{a} / ({b} - {b})", "({a} + {b}) / 0", "{a} * {b} / 0", "{b} / (2 * {a} - {a} * 2)"))
    expression = expression.format(a=a, b=b)
    templates = (
        "What is {expression}?",
        "Calculate {expression}.",
        "How much is {expression}?",
        "Evaluate {expression}, please.",
        "Which number does {expression} give?",
    )
    d.ask(templates, expression=expression)
    d.call_in_vain(f"calculate {expression}", "calculate", expression=expression)
    d.give_up(f"{expression} divides by zero")


CATEGORY = Category(
    "maths",
    (calculate, percent_of, statistics_of),
    (
        Scenario(kind="single", needs=("calculate",), play=_calculate),
        Scenario(kind="single", needs=("percent_of",), play=_percent, rivals=("calculate",)),
        Scenario(kind="single", needs=("statistics_of",), play=_statistics, rivals=("calculate",)),
        Scenario(kind="sequential", needs=("percent_of", "calculate"), play=_tip_and_share),
        Scenario(
            kind="sequential", needs=("statistics_of", "percent_of"), play=_total_then_percent, rivals=("calculate",)
        ),
        Scenario(kind="unsolvable", needs=("calculate",), play=_by_zero),
    ),
)
