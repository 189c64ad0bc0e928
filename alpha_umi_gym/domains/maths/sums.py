"""What people want from `calculate`: an expression as it stands, or two values put together, of whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from alpha_umi_gym.domains.maths.slots import EXPRESSION, NUMBER, PARTS, PIECES, SHARERS, SMALL, TIMES
from alpha_umi_gym.domains.maths.tools import calculate
from alpha_umi_gym.domains.money.slots import PRICE, dollars
from alpha_umi_gym.domains.units.quantities import LENGTH, MASS, VOLUME, quantity_forms
from alpha_umi_gym.intents import Gives, Intent, Values
from alpha_umi_gym.numbers import Quantity


def _joined(sign: str, first: str = "a", second: str = "b") -> Callable[[Values], Mapping[str, Any]]:
    """Arguments of `calculate` for two slots."""
    return lambda v: {"expression": f"{_term(v[first])} {sign} {_term(v[second])}"}


def _term(value: Any) -> str:
    number = value.amount if isinstance(value, Quantity) else value
    return f"({number})" if number < 0 else str(number)


def _measured(slot: str) -> Callable[[Any, Values], Quantity]:
    """A result in the unit of a slot."""
    return lambda result, v: Quantity(result, v[slot].unit)


def _is_larger(v: Values) -> bool:
    return bool(v["a"] > v["b"] > 0)


_NUMBERS = (
    Intent(
        tool=calculate,
        slots={"expression": EXPRESSION},
        goals=(
            "calculate {expression}",
            "work out {expression}",
            "evaluate {expression}",
            "find the value of {expression}",
            "compute {expression}",
            "get the result of {expression}",
        ),
        asks=(
            "How much is {expression}?",
            "Which number does {expression} give?",
            "My homework says {expression}. What is the solution?",
            "The calculator is broken; what would it show for {expression}?",
            "Can you do {expression} in your head?",
            "What comes out of {expression}?",
        ),
        gives=Gives(
            kind="number",
            nouns=(
                "the value of {expression}",
                "the result of {expression}",
                "{expression}",
                "the outcome of {expression}",
            ),
            compares="size",
        ),
        found="{expression} is {out}",
        answers=("{expression} is {out}.", "The result is {out}."),
        weight=4.0,
    ),
    Intent(
        tool=calculate,
        slots={"a": NUMBER, "b": NUMBER},
        arguments=_joined("+"),
        goals=(
            "add {b} to {a}",
            "work out the sum of {a} and {b}",
            "add up {a} and {b}",
            "find what {a} and {b} make together",
        ),
        asks=(
            "How much is {a} plus {b}?",
            "What do I get when I add {b} to {a}?",
            "I start from {a} and go up by {b}. Where do I end?",
            "Put {a} and {b} together. What is the sum?",
        ),
        gives=Gives(
            kind="number",
            nouns=("the sum of {a} and {b}", "{a} plus {b}", "the number reached by adding {b} to {a}"),
            compares="size",
        ),
        found="the sum of {a} and {b} is {out}",
        answers=("The sum of {a} and {b} is {out}.", "Together they make {out}."),
        rivals=("statistics_of",),
    ),
    Intent(
        tool=calculate,
        slots={"a": NUMBER, "b": NUMBER},
        arguments=_joined("-"),
        fits=_is_larger,
        goals=(
            "subtract {b} from {a}",
            "take {b} away from {a}",
            "find the difference between {a} and {b}",
            "work out by how much {a} exceeds {b}",
        ),
        asks=(
            "How much is {a} minus {b}?",
            "What remains when {b} is subtracted from {a}?",
            "By how much is {a} larger than {b}?",
            "I start from {a} and go down by {b}. Where do I end?",
        ),
        gives=Gives(
            kind="number",
            nouns=("the difference between {a} and {b}", "{a} minus {b}", "the amount by which {a} exceeds {b}"),
            compares="size",
        ),
        found="the difference between {a} and {b} is {out}",
        answers=("The difference between {a} and {b} is {out}.", "It is {out}."),
        rivals=("statistics_of",),
    ),
    Intent(
        tool=calculate,
        slots={"a": NUMBER, "b": SMALL},
        arguments=_joined("*"),
        fits=lambda v: 0 < v["a"] * v["b"] < 10**9,
        goals=(
            "multiply {a} by {b}",
            "find the product of {a} and {b}",
            "work out {a} times {b}",
            "scale {a} by a factor of {b}",
        ),
        asks=(
            "How much is {a} times {b}?",
            "What do I get when I multiply {a} by {b}?",
            "Take {a} and multiply it by {b}. Which number is that?",
            "By a factor of {b}, what does {a} grow to?",
        ),
        gives=Gives(
            kind="number",
            nouns=("the product of {a} and {b}", "{a} times {b}", "{a} multiplied by {b}"),
            compares="size",
        ),
        found="the product of {a} and {b} is {out}",
        answers=("{a} times {b} is {out}.", "The product is {out}."),
    ),
    Intent(
        tool=calculate,
        slots={"a": NUMBER, "b": SMALL},
        arguments=_joined("/"),
        fits=_is_larger,
        goals=(
            "divide {a} by {b}",
            "find the ratio of {a} to {b}",
            "work out how many times {b} goes into {a}",
            "get the quotient of {a} and {b}",
        ),
        asks=(
            "How much is {a} divided by {b}?",
            "How many times does {b} fit into {a}?",
            "What do I get when I divide {a} by {b}?",
            "By which factor is {a} larger than {b}?",
        ),
        gives=Gives(
            kind="number",
            nouns=("the quotient of {a} and {b}", "{a} divided by {b}", "the ratio of {a} to {b}"),
            compares="size",
        ),
        found="{a} divided by {b} is {out}",
        answers=("{a} divided by {b} is {out}.", "The quotient is {out}."),
    ),
)
_AMOUNTS = (
    Intent(
        tool=calculate,
        slots={"a": PRICE, "b": PRICE},
        arguments=_joined("+"),
        goals=(
            "add up {a} and {b}",
            "find out what {a} and {b} come to together",
            "work out the total of {a} and {b}",
        ),
        asks=(
            "How much do {a} and {b} come to together?",
            "What do I spend if I pay {a} first and then {b}?",
            "Two bills arrived, {a} and {b}. How much do I owe in all?",
        ),
        gives=Gives(
            kind="money",
            nouns=("the total of {a} and {b}", "the sum of {a} and {b}", "the money that {a} and {b} make together"),
            say=dollars,
            compares="size",
        ),
        found="{a} and {b} are {out} together",
        answers=("{a} and {b} come to {out}.", "The total is {out}."),
        rivals=("statistics_of",),
    ),
    Intent(
        tool=calculate,
        slots={"a": PRICE, "b": PRICE},
        arguments=_joined("-"),
        fits=_is_larger,
        goals=(
            "work out what is left of {a} after spending {b}",
            "find out how much of {a} remains once {b} is paid",
            "deduct {b} from {a}",
        ),
        asks=(
            "I had {a} and spent {b}. How much do I have left?",
            "How much remains of {a} if I pay {b}?",
            "My budget is {a}, and {b} is gone already. What is left?",
        ),
        gives=Gives(
            kind="money",
            nouns=(
                "the money left of {a} after spending {b}",
                "the rest of {a} once {b} is paid",
                "the remainder of {a} after a payment of {b}",
            ),
            say=dollars,
            compares="size",
        ),
        found="{out} are left of {a} after spending {b}",
        answers=("After spending {b}, {out} are left of {a}.", "There are {out} left."),
        rivals=("statistics_of",),
    ),
    Intent(
        tool=calculate,
        slots={"pieces": PIECES, "price": PRICE},
        arguments=_joined("*", "pieces", "price"),
        fits=lambda v: v["pieces"] > 0,
        goals=(
            "work out what {pieces} cost at {price} each",
            "find the cost of {pieces} at {price} apiece",
            "multiply out the bill for {pieces} at {price} each",
        ),
        asks=(
            "One costs {price}. What do {pieces} cost?",
            "I want {pieces} and each is {price}. How much is that?",
            "With {price} to pay for every single one, what is the bill for {pieces}?",
        ),
        gives=Gives(
            kind="money",
            nouns=(
                "the cost of {pieces} at {price} each",
                "the total for {pieces} at {price} apiece",
                "the bill for {pieces} at {price} each",
            ),
            say=dollars,
            compares="size",
        ),
        found="{pieces} at {price} each cost {out}",
        answers=("{pieces} at {price} each cost {out}.", "That costs {out}."),
    ),
    Intent(
        tool=calculate,
        slots={"money": PRICE, "people": SHARERS},
        arguments=_joined("/", "money", "people"),
        fits=lambda v: 1 < v["people"] <= 1000,
        goals=(
            "split {money} evenly among {people}",
            "divide {money} among {people}",
            "work out the share of each when {people} split {money}",
        ),
        asks=(
            "If {people} share {money} evenly, how much is it for each?",
            "We have {money} to divide among {people}. What does everyone get?",
            "A prize of {money} goes to {people} in equal shares. How much is one share?",
        ),
        gives=Gives(
            kind="money",
            nouns=(
                "the share of each if {money} is split among {people}",
                "an equal share of {money} for each of {people}",
                "one share of {money} divided among {people}",
            ),
            say=dollars,
            compares="size",
        ),
        found="one share is {out} when {people} split {money}",
        answers=("When {people} split {money}, each gets {out}.", "Each share is {out}."),
        rivals=("tip_and_split",),
    ),
)
_QUANTITIES = (
    Intent(
        tool=calculate,
        slots={"length": LENGTH, "parts": PARTS},
        arguments=_joined("/", "length", "parts"),
        fits=lambda v: 1 < v["parts"] <= 1000,
        goals=(
            "divide {length} into {parts}",
            "work out how long each piece is when {length} is cut into {parts}",
            "find the length of one piece of {length} cut into {parts}",
        ),
        asks=(
            "How long is one piece when {length} is cut into {parts}?",
            "A rope as long as {length} is cut into {parts}. How long is each?",
            "I split {length} into {parts}. What does one measure?",
        ),
        gives=Gives(
            kind="length",
            read=_measured("length"),
            nouns=(
                "the length of one piece when {length} is cut into {parts}",
                "the length of one section of {length} split into {parts}",
                "the size of one piece of {length} divided into {parts}",
            ),
            say=lambda out: quantity_forms(out)[0],
            compares="size",
        ),
        found="each piece of {length} cut into {parts} is {out} long",
        answers=("Each piece is {out} long.", "When {length} is cut into {parts}, one measures {out}."),
    ),
    Intent(
        tool=calculate,
        slots={"length": LENGTH, "times": TIMES},
        arguments=_joined("*", "length", "times"),
        fits=lambda v: 1 < v["times"] <= 1000,
        goals=(
            "work out how far one goes by covering {length} {times}",
            "find the total distance of {length} covered {times}",
            "add up {length} taken {times}",
        ),
        asks=(
            "How far is it in all if I cover {length} {times}?",
            "My way is {length} and I go it {times}. How far is that altogether?",
            "I walk {length}, and I do so {times}. What is the whole distance?",
        ),
        gives=Gives(
            kind="length",
            read=_measured("length"),
            nouns=(
                "the distance of {length} covered {times}",
                "the total distance when {length} is covered {times}",
                "the whole way made by {length} taken {times}",
            ),
            say=lambda out: quantity_forms(out)[0],
            compares="size",
        ),
        found="{length} covered {times} is {out}",
        answers=("{length} covered {times} is {out}.", "In all it is {out}."),
    ),
    Intent(
        tool=calculate,
        slots={"mass": MASS, "parts": PARTS},
        arguments=_joined("/", "mass", "parts"),
        fits=lambda v: 1 < v["parts"] <= 1000,
        goals=(
            "divide {mass} into {parts}",
            "work out how heavy each portion is when {mass} is divided into {parts}",
            "find the weight of one portion of {mass} split into {parts}",
        ),
        asks=(
            "How heavy is one portion if {mass} is divided into {parts}?",
            "I split {mass} into {parts}. What does each weigh?",
            "What does one of them weigh when {mass} is packed in {parts}?",
        ),
        gives=Gives(
            kind="mass",
            read=_measured("mass"),
            nouns=(
                "the weight of one portion when {mass} is divided into {parts}",
                "the weight of each share of {mass} split into {parts}",
                "the mass of one portion of {mass} cut into {parts}",
            ),
            say=lambda out: quantity_forms(out)[0],
            compares="size",
        ),
        found="each portion of {mass} divided into {parts} weighs {out}",
        answers=("Each portion weighs {out}.", "When {mass} is divided into {parts}, one weighs {out}."),
    ),
    Intent(
        tool=calculate,
        slots={"volume": VOLUME, "times": TIMES},
        arguments=_joined("*", "volume", "times"),
        fits=lambda v: 1 < v["times"] <= 1000,
        goals=(
            "work out how much {volume} taken {times} is",
            "find the total volume of {volume} poured {times}",
            "sum up {volume} filled in {times}",
        ),
        asks=(
            "I pour {volume} into a tank {times}. How much is in it then?",
            "How much is it altogether if I use {volume} {times}?",
            "A pump moves {volume} at a stroke and does so {times}. How much is that in all?",
        ),
        gives=Gives(
            kind="volume",
            read=_measured("volume"),
            nouns=(
                "the total volume of {volume} taken {times}",
                "the volume that {volume} poured {times} makes",
                "the whole amount when {volume} is filled in {times}",
            ),
            say=lambda out: quantity_forms(out)[0],
            compares="size",
        ),
        found="{volume} taken {times} is {out}",
        answers=("{volume} taken {times} is {out}.", "Altogether it is {out}."),
    ),
)
SUMS = (*_NUMBERS, *_AMOUNTS, *_QUANTITIES)
