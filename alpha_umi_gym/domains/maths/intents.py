"""Maths: sums of any two values, percentages, statistics, whole numbers, rounding and equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alpha_umi_gym.domains.maths.slots import (
    LARGE,
    LONG,
    NUMBER,
    NUMBERS,
    PERCENT,
    SMALL,
    equation,
    linear,
    square,
)
from alpha_umi_gym.domains.maths.sums import SUMS
from alpha_umi_gym.domains.maths.tools import (
    Measure,
    calculate,
    greatest_common_divisor,
    least_common_multiple,
    percent_change,
    percent_of,
    prime_factors,
    round_number,
    solve_equation,
    statistics_of,
    to_base,
)
from alpha_umi_gym.domains.maths.whole import WHOLE_NUMBERS
from alpha_umi_gym.domains.money.slots import PRICE, dollars
from alpha_umi_gym.domains.units.quantities import MASS, quantity_forms
from alpha_umi_gym.intents import Category, Gives, Intent, Slot, Values
from alpha_umi_gym.numbers import Quantity, exact


def _and(values: Sequence[Any]) -> str:
    shown = [str(value) for value in values]
    return ", ".join(shown[:-1]) + (" and " if shown[:-1] else "") + shown[-1]


_PERCENTAGES = (
    Intent(
        tool=percent_of,
        slots={"percent": PERCENT, "number": NUMBER},
        goals=(
            "find {percent} of {number}",
            "work out {percent} of {number}",
            "calculate how much {percent} of {number} is",
            "get {percent} of {number}",
        ),
        asks=(
            "How much is {percent} of {number}?",
            "Which number is {percent} of {number}?",
            "I need {percent} of {number} for a chart. What do I enter?",
            "Out of {number}, what part is {percent}?",
        ),
        gives=Gives(
            kind="number",
            nouns=(
                "{percent} of {number}",
                "the value of {percent} of {number}",
                "the part of {number} that {percent} makes",
            ),
            compares="size",
        ),
        found="{percent} of {number} is {out}",
        answers=("{percent} of {number} is {out}.", "That is {out}."),
        rivals=("calculate",),
    ),
    Intent(
        tool=percent_of,
        slots={"percent": PERCENT, "money": PRICE},
        arguments=lambda v: {"percent": v["percent"], "number": v["money"]},
        goals=(
            "find {percent} of {money}",
            "work out how much {percent} of {money} is",
            "take {percent} of {money}",
            "determine {percent} of {money}",
        ),
        asks=(
            "A fee of {percent} is due on {money}. How much is the fee?",
            "I put {percent} of {money} aside. How much do I save?",
            "How many dollars are {percent} of {money}?",
            "The agent keeps {percent} of {money}. What does the agent get?",
        ),
        gives=Gives(
            kind="money",
            nouns=(
                "{percent} of {money}",
                "the amount that is {percent} of {money}",
                "a share of {percent} in {money}",
            ),
            say=dollars,
            compares="size",
        ),
        found="{percent} of {money} is {out}",
        answers=("{percent} of {money} is {out}.", "That is {out}."),
        rivals=("calculate",),
    ),
    Intent(
        tool=percent_of,
        slots={"percent": PERCENT, "mass": MASS},
        arguments=lambda v: {"percent": v["percent"], "number": v["mass"].amount},
        goals=(
            "find {percent} of {mass}",
            "work out how much {percent} of {mass} is",
            "determine a part of {percent} of {mass}",
        ),
        asks=(
            "When {percent} of {mass} gets lost, how much is lost?",
            "How much is {percent} of {mass}?",
            "Sand makes up {percent} of {mass}. What does the sand weigh?",
        ),
        gives=Gives(
            kind="mass",
            read=lambda result, v: Quantity(result, v["mass"].unit),
            nouns=("{percent} of {mass}", "the weight of {percent} of {mass}", "a share of {percent} in {mass}"),
            say=lambda out: quantity_forms(out)[0],
            compares="size",
        ),
        found="{percent} of {mass} is {out}",
        answers=("{percent} of {mass} is {out}.", "That is {out}."),
        rivals=("calculate",),
    ),
)


def _change(slot: Slot, *, up: bool) -> Intent:
    """The intent to know a change in percent; what rises and what falls do not compare."""
    way, verb = ("increase", "grows") if up else ("decrease", "falls")

    def fits(v: Values) -> bool:
        low, high = (v["old"], v["new"]) if up else (v["new"], v["old"])
        return bool(0 < low < high < 10 * low)

    return Intent(
        tool=percent_change,
        slots={"old": slot, "new": slot},
        fits=fits,
        goals=(
            f"find the percentage {way} from {{old}} to {{new}}",
            f"work out by how many percent {{old}} {verb} to reach {{new}}",
            f"express the {way} from {{old}} to {{new}} in percent",
            f"get the {way} from {{old}} to {{new}} as a percentage",
        ),
        asks=(
            f"By how many percent does a value change that {verb} from {{old}} to {{new}}?",
            f"Last year it was {{old}}, now it is {{new}}. How large is the {way} in percent?",
            f"From {{old}} to {{new}}: what {way} in percent is that?",
            f"The index {verb} from {{old}} to {{new}}. What is that in percent?",
        ),
        gives=Gives(
            kind="number",
            read="percent",
            nouns=(
                f"the percentage {way} from {{old}} to {{new}}",
                f"the {way} from {{old}} to {{new}} in percent",
                f"the relative {way} in percent when {{old}} becomes {{new}}",
            ),
            say=lambda out: f"{out} percent",
            compares="size",
        ),
        found=f"the {way} from {{old}} to {{new}} is {{out}}",
        answers=(f"From {{old}} to {{new}} it is {'an' if up else 'a'} {way} of {{out}}.", f"The {way} is {{out}}."),
        rivals=("calculate",),
    )


def _measured(measure: Measure, *words: str) -> Intent:
    """The intent to know one measure of a list of numbers; the words for it take turns in the wordings."""

    def worded(*templates: str) -> tuple[str, ...]:
        return tuple(text.replace("<it>", words[index % len(words)]) for index, text in enumerate(templates))

    return Intent(
        tool=statistics_of,
        slots={"numbers": NUMBERS},
        arguments=lambda v: {"numbers": v["numbers"], "measure": measure},
        goals=worded(
            "find the <it> of {numbers}",
            "work out the <it> of {numbers}",
            "determine the <it> of these numbers: {numbers}",
            "tell the <it> of the values {numbers}",
        ),
        asks=worded(
            "My scores are {numbers}. What is the <it>?",
            "Here are the sales of some days: {numbers}. Give me the <it>.",
            "I counted {numbers} visitors. What is the <it>?",
            "The sensor sent {numbers}. Which value is the <it> of these?",
            "Given {numbers}, what would the <it> be?",
            "On the sheet I read {numbers}, and I need the <it> of them.",
        ),
        gives=Gives(
            kind="number",
            nouns=worded(
                "the <it> of {numbers}", "the <it> of the numbers {numbers}", "the <it> of the values {numbers}"
            ),
            compares="size",
        ),
        found=f"the {words[0]} of {{numbers}} is {{out}}",
        answers=(f"The {words[0]} of {{numbers}} is {{out}}.", f"The {words[0]} is {{out}}."),
        rivals=("calculate",),
    )


_STATISTICS = (
    *(_change(slot, up=up) for slot in (NUMBER, PRICE) for up in (True, False)),
    _measured("mean", "mean", "average"),
    _measured("median", "median"),
    _measured("sum", "sum", "total"),
    _measured("range", "range"),
    _measured("maximum", "maximum", "largest value"),
    _measured("minimum", "minimum", "smallest value"),
)
_EQUATIONS = (
    Intent(
        tool=solve_equation,
        slots={"equation": equation(linear)},
        goals=(
            "solve {equation}",
            "find the unknown in {equation}",
            "work out the solution of {equation}",
            "determine for which value {equation} holds",
        ),
        asks=(
            "For which value of the unknown is {equation} true?",
            "What is the solution of {equation}?",
            "In class we got {equation}. What must the letter be?",
            "I am stuck on {equation}. How much is the unknown?",
        ),
        gives=Gives(
            kind="number",
            read=lambda result, _: result["solutions"][0],
            nouns=("the solution of {equation}", "the unknown in {equation}", "the value that solves {equation}"),
            compares="size",
        ),
        found="the solution of {equation} is {out}",
        answers=("The solution of {equation} is {out}.", "The unknown is {out}."),
        weight=2.0,
    ),
    Intent(
        tool=solve_equation,
        slots={"equation": equation(square)},
        goals=(
            "solve {equation}",
            "find all solutions of {equation}",
            "work out the roots of {equation}",
            "determine where {equation} holds",
        ),
        asks=(
            "What are the solutions of {equation}?",
            "For which values does {equation} hold?",
            "My textbook asks for every solution of {equation}. What are they?",
            "Which numbers satisfy {equation}?",
        ),
        gives=Gives(
            kind="solutions",
            read="solutions",
            nouns=(
                "the full solution of {equation}",
                "the set of solutions of {equation}",
                "the list of roots of {equation}",
            ),
            say=_and,
            facts=lambda out: out,
        ),
        found="the equation {equation} holds for {out}",
        answers=("The equation {equation} holds for {out}.", "It is solved by {out}."),
    ),
    Intent(
        tool=solve_equation,
        slots={"a": SMALL, "b": NUMBER, "c": NUMBER},
        arguments=lambda v: {"equation": f"{v['a']}x + {v['b']} = {v['c']}"},
        fits=lambda v: v["b"] > 0 < v["a"] < v["c"] - v["b"],
        goals=(
            "find the number that gives {c} when it is multiplied by {a} and {b} is added",
            "solve for the number whose product with {a}, plus {b}, is {c}",
            "work out which number times {a} plus {b} makes {c}",
        ),
        asks=(
            "I think of a number, multiply it by {a}, add {b} and get {c}. What was my number?",
            "Which number times {a}, with {b} added, gives {c}?",
            "Times {a} and then plus {b}, my secret number becomes {c}. What is it?",
        ),
        gives=Gives(
            kind="number",
            read=lambda result, _: result["solutions"][0],
            nouns=(
                "the number that becomes {c} when multiplied by {a} and increased by {b}",
                "the number which, times {a} plus {b}, is {c}",
                "the number that, multiplied by {a} and with {b} added, makes {c}",
            ),
            compares="size",
        ),
        found="the number that becomes {c} is {out}",
        answers=("The number is {out}.", "It is {out}, which times {a} plus {b} makes {c}."),
        rivals=("calculate",),
    ),
)


def _rounding(slot: Slot, step: float, direction: str, *words: str) -> Intent:
    """The intent to round to something; the words for it take turns in the wordings."""
    arguments = {"step": step} if step != 1 else {}
    way = f" {direction}" if direction != "nearest" else ""

    def worded(*templates: str) -> tuple[str, ...]:
        return tuple(
            text.replace("<to>", words[index % len(words)]).replace("<way>", way)
            for index, text in enumerate(templates)
        )

    def fits(v: Values) -> bool:
        return (exact(v["number"]) / exact(step)).denominator != 1 and abs(v["number"]) > step

    return Intent(
        tool=round_number,
        slots={"number": slot},
        arguments=lambda v: {"number": v["number"], **arguments, **({"direction": direction} if way else {})},
        fits=fits,
        goals=worded(
            "round<way> {number} to <to>",
            "round {number}<way> to <to>",
            "bring {number}<way> to <to> by rounding",
            "get {number} rounded<way> to <to>",
        ),
        asks=worded(
            "What is {number} rounded<way> to <to>?",
            "I write numbers rounded<way> to <to>. What becomes of {number}?",
            "A table shows values rounded<way> to <to>. What does it show for {number}?",
            "How much is {number} when you round it<way> to <to>?",
        ),
        gives=Gives(
            kind="number",
            nouns=worded(
                "{number} rounded<way> to <to>",
                "the value of {number} rounded<way> to <to>",
                "the result of rounding {number}<way> to <to>",
            ),
            compares="size",
        ),
        found=f"{{number}} rounded{way} to {words[0]} is {{out}}",
        answers=(f"{{number}} rounded{way} to {words[0]} is {{out}}.", "It is {out}."),
    )


_ROUNDINGS = (
    _rounding(LONG, 1, "nearest", "the nearest whole number", "a whole number"),
    _rounding(LONG, 0.1, "nearest", "one decimal place", "one decimal", "the nearest tenth"),
    _rounding(LONG, 0.01, "nearest", "two decimal places", "two decimals", "the nearest hundredth"),
    _rounding(LARGE, 10, "nearest", "the nearest ten", "the nearest multiple of ten"),
    _rounding(LARGE, 100, "nearest", "the nearest hundred", "full hundreds"),
    _rounding(LONG, 1, "up", "the next whole number", "a whole number"),
    _rounding(LONG, 1, "down", "the next whole number", "a whole number"),
    _rounding(LONG, 5, "up", "a multiple of 5", "the next multiple of 5"),
)

_BILLS = ("add_tax", "net_price", "discount_price", "tip_and_split", "compound_interest")
"""Tools that take percentages too: with one year or one person nothing else is left of them."""

CATEGORY = Category(
    name="maths",
    tools=(
        calculate,
        percent_of,
        percent_change,
        statistics_of,
        prime_factors,
        greatest_common_divisor,
        least_common_multiple,
        solve_equation,
        round_number,
        to_base,
    ),
    intents=(*SUMS, *_PERCENTAGES, *_STATISTICS, *WHOLE_NUMBERS, *_EQUATIONS, *_ROUNDINGS),
    held_out=("greatest_common_divisor", "least_common_multiple", "to_base"),
    detours={
        "percent_of": ("percent_change", *_BILLS),
        "percent_change": ("percent_of", *_BILLS),
        "prime_factors": ("calculate", "greatest_common_divisor", "least_common_multiple"),
        "greatest_common_divisor": ("calculate", "least_common_multiple"),
        "least_common_multiple": ("calculate", "greatest_common_divisor"),
        "round_number": ("calculate", "tip_and_split", "add_tax", "discount_price"),
        "to_base": ("calculate",),
    },
)
