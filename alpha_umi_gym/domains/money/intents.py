"""Money: currencies and countries, bills, taxes, discounts, savings, loans and unit prices."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.maths.slots import SHARERS
from alpha_umi_gym.domains.money import tools
from alpha_umi_gym.domains.money.currencies import COINS
from alpha_umi_gym.domains.money.saving import LOANS, SAVINGS
from alpha_umi_gym.domains.money.slots import CHEAP, OFF, PRICE, TAX, TIP, in_dollars
from alpha_umi_gym.domains.units.quantities import MASS, VOLUME
from alpha_umi_gym.intents import Category, Intent, Slot, Values
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def _is_tax(v: Values) -> bool:
    return bool(v["tax_percent"] <= 40)


_DINNER = 3000
"""Nobody eats for more."""
_BILLS = (
    Intent(
        tool=tools.tip_and_split,
        words=_WORDS["tip_and_split"],
        slots={"bill": PRICE, "persons": SHARERS, "tip_percent": TIP},
        fits=lambda v: 1 < v["persons"] <= 100 and v["tip_percent"] <= 40 and v["bill"] <= _DINNER,
        gives=in_dollars("each"),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=tools.tip_and_split,
        words=_WORDS["tip_and_split_for_one"],
        slots={"bill": PRICE, "tip_percent": TIP},
        arguments=lambda v: {"bill": v["bill"], "persons": 1, "tip_percent": v["tip_percent"]},
        fits=lambda v: v["tip_percent"] <= 40 and v["bill"] <= _DINNER,
        gives=in_dollars("total"),
        rivals=("calculate", "percent_of", "add_tax"),
    ),
    Intent(
        tool=tools.add_tax,
        words=_WORDS["add_tax"],
        slots={"net": PRICE, "tax_percent": TAX},
        fits=_is_tax,
        gives=in_dollars("gross"),
        rivals=("calculate", "percent_of", "tip_and_split"),
        weight=2.0,
    ),
    Intent(
        tool=tools.net_price,
        words=_WORDS["net_price"],
        slots={"gross": PRICE, "tax_percent": TAX},
        fits=_is_tax,
        gives=in_dollars("net"),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=tools.net_price,
        words=_WORDS["net_price_tax"],
        slots={"gross": PRICE, "tax_percent": TAX},
        fits=_is_tax,
        gives=in_dollars("tax"),
        rivals=("calculate",),
    ),
    Intent(
        tool=tools.discount_price,
        words=_WORDS["discount_price"],
        slots={"price": PRICE, "percent_off": OFF},
        fits=lambda v: v["percent_off"] < 100,
        gives=in_dollars("price"),
        rivals=("calculate", "percent_of"),
        weight=2.0,
    ),
    Intent(
        tool=tools.discount_price,
        words=_WORDS["discount_price_with_coupon"],
        slots={"price": PRICE, "percent_off": OFF, "coupon": CHEAP},
        fits=lambda v: v["percent_off"] < 100 and v["price"] * (100 - v["percent_off"]) / 100 > v["coupon"],
        gives=in_dollars("price"),
        rivals=("calculate",),
    ),
    Intent(
        tool=tools.discount_price,
        words=_WORDS["discount_price_saving"],
        slots={"price": PRICE, "percent_off": OFF},
        fits=lambda v: v["percent_off"] < 100,
        gives=in_dollars("saved"),
        rivals=("calculate", "percent_of"),
    ),
)


def _unit_price(slot: Slot, per: str, name: str) -> Intent:
    """The intent to have the price of one unit of what is in a package."""

    def arguments(v: Values) -> dict[str, Any]:
        amount = v["amount"]
        return {"price": v["price"], "contents": {"amount": amount.amount, "unit": amount.unit}, "per": per}

    return Intent(
        tool=tools.price_per_unit,
        words=_WORDS["price_per_unit"].filled(name=name),
        slots={"price": CHEAP, "amount": slot},
        arguments=arguments,
        fits=lambda v: v["amount"].amount > 0 and v["amount"].unit != per and v["price"] < 200,
        gives=in_dollars("price"),
        rivals=("calculate",),
    )


_UNIT_PRICES = (
    _unit_price(MASS, "kg", "kilogram"),
    _unit_price(MASS, "lb", "pound"),
    _unit_price(VOLUME, "l", "litre"),
)

CATEGORY = Category(
    name="money",
    tools=(
        tools.exchange,
        tools.currency_of,
        tools.tip_and_split,
        tools.add_tax,
        tools.net_price,
        tools.discount_price,
        tools.compound_interest,
        tools.loan_payment,
        tools.price_per_unit,
    ),
    intents=(*COINS, *_BILLS, *_UNIT_PRICES, *SAVINGS, *LOANS),
    held_out=("loan_payment", "price_per_unit"),
    detours={
        "currency_of": ("exchange",),
        "tip_and_split": ("net_price", "discount_price", "compound_interest", "percent_change", "price_per_unit"),
        "add_tax": ("net_price", "discount_price", "compound_interest", "percent_change"),
        "net_price": (
            "percent_of",
            "add_tax",
            "discount_price",
            "tip_and_split",
            "compound_interest",
            "percent_change",
        ),
        "discount_price": ("add_tax", "net_price", "tip_and_split", "compound_interest", "percent_change"),
        "compound_interest": ("percent_of", "add_tax", "tip_and_split", "percent_change"),
        "price_per_unit": ("tip_and_split", "net_price", "percent_of", "convert_mass", "convert_volume"),
    },
)
