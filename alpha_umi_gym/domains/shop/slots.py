"""What fills the places of the shop's intents: articles, orders, amounts, all read from the world of the episode.

An article or an order can be named by its id or by another call: "order 3 of the red lamp", "cancel the latest order
of Anna Adler".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

from alpha_umi_gym.domains.shop.database import LOOKS, WAREHOUSES, Department, Shop
from alpha_umi_gym.domains.shop.tools import Reason
from alpha_umi_gym.domains.unknown_people import far
from alpha_umi_gym.intents import Slot
from alpha_umi_gym.people import PERSON
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.slots import MONEY


def _texts(d: Sampler, sql: str, *values: object) -> list[str]:
    return d.world.part(Shop).texts(sql, *values)


def _ids(word: str, other: str) -> Callable[[Any], tuple[str, ...]]:
    """R123, order R123; an id without its letter is no more than "order 123"."""
    return lambda value: (value, f"{word} {value}", f"{other} {value}") if value[0].isalpha() else (f"{word} {value}",)


_STRANGE = ("unicycle", "piano", "canoe", "tractor", "telescope", "saxophone", "trampoline", "parachute", "aquarium")
_NOTES = (
    "Happy birthday!", "With love from all of us", "Get well soon", "Thank you for everything", "Congratulations!",
    "Enjoy your new home", "See you in June", "A little something for you", "Good luck with the exam", "Welcome back",
    "For the best neighbour", "Sorry I am late", "To a wonderful year", "Merry Christmas", "You have earned it",
    "From your old friends", "Open it at once", "Best wishes for the wedding", "Guess who this is from", "Sleep well",
)  # fmt: skip
NAME = Slot(
    kind="product_name",
    draw=lambda d: d.split_value(_texts(d, "SELECT name FROM products")),
    vague=("thing I looked at last week", "usual one", "present I have in mind", "other one"),
    unknown=lambda d: far(
        lambda: f"{d.any_value(LOOKS)} {d.any_value(_STRANGE)}", _texts(d, "SELECT name FROM products")
    ),
    slip=lambda d, value: d.misspell(value),
)
PRODUCT = Slot(
    kind="product_id",
    draw=lambda d: d.split_value(_texts(d, "SELECT id FROM products")),
    say=_ids("product", "article"),
    refer=("that article", "that product"),
    vague=("the usual article", "the thing I liked so much", "that product from the leaflet"),
    unknown=lambda d: far(lambda: f"P{d.any_value(range(10_000, 99_999))}", _texts(d, "SELECT id FROM products")),
    slip=lambda d, value: value[1:],
)
ORDER = Slot(
    kind="order_id",
    draw=lambda d: d.split_value(_texts(d, "SELECT id FROM orders")),
    say=_ids("order", "the order"),
    refer=("that order", "this order"),
    vague=("my order", "the order I told you about", "the big order"),
    unknown=lambda d: far(lambda: f"R{d.any_value(range(100_000, 999_999))}", _texts(d, "SELECT id FROM orders")),
    slip=lambda d, value: value[1:],
)


def _order_that_is(*statuses: str, never: str) -> Slot:
    """An order in one of these states; one in the state `never` is refused for good."""

    def drawn(d: Sampler, wanted: tuple[str, ...]) -> str:
        marks = ", ".join("?" * len(wanted))
        return d.any_value(_texts(d, f"SELECT id FROM orders WHERE status IN ({marks})", *wanted))

    return Slot(
        kind="order_id",
        draw=lambda d: drawn(d, statuses),
        say=ORDER.say,
        refer=ORDER.refer,
        vague=ORDER.vague,
        unknown=lambda d: drawn(d, (never,)),
    )


PACKED = _order_that_is("packed", never="delivered")
DELIVERED = _order_that_is("delivered", never="packed")
CUSTOMER = replace(PERSON, accepts=("holder",), refer=("that person",))
"""Somebody who may also be named by an email address or phone number."""
PIECES = Slot(
    kind="pieces",
    draw=lambda d: d.any_value(range(2, 10)),
    vague=("some", "the usual number", "as many as last time"),
    unknown=lambda d: d.from_short_list(range(200, 900)),
)
NOTE = Slot(
    kind="text",
    draw=lambda d: d.split_value(_NOTES),
    say=lambda value: (f"'{value}'", f'"{value}"'),
    vague=("the usual words", "something nice", "the text we agreed on"),
)
WAREHOUSE = Slot(
    kind="warehouse",
    draw=lambda d: d.any_value(WAREHOUSES),
    say=lambda value: (f"{value} warehouse", f"{value}ern warehouse"),
    vague=("other warehouse", "warehouse near me", "usual warehouse"),
)
DEPARTMENT = Slot(kind="department", draw=lambda d: d.any_value(get_args(Department)))
LIMIT = Slot(kind="money", draw=lambda d: d.integer(30, 140), say=MONEY.say, vague=MONEY.vague)
LOW = Slot(kind="low_price", draw=lambda d: d.integer(5, 60), say=MONEY.say)
REASON = Slot(
    kind="reason",
    draw=lambda d: d.any_value(get_args(Reason)),
    say=lambda value: {
        "damaged": ("it is damaged", "it came damaged"),
        "wrong size": ("it has the wrong size", "the size is wrong"),
        "too late": ("it came too late", "it arrived too late"),
        "not needed": ("it is not needed", "I do not need it any more"),
    }[value],
)
CODE = Slot(
    kind="coupon",
    draw=lambda d: d.split_value(_texts(d, "SELECT code FROM coupons")),
    vague=("from the newsletter", "that my sister gave me", "I got last time"),
    unknown=lambda d: far(lambda: f"X{d.any_value(range(100, 999))}Z", _texts(d, "SELECT code FROM coupons")),
)


def dollars(value: float) -> str:
    return f"{value} dollars"
