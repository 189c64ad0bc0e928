"""Money: currencies and countries, bills, taxes, discounts, savings, loans and unit prices."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.maths.slots import SHARERS
from alpha_umi_gym.domains.money import slots, tools
from alpha_umi_gym.domains.units.quantities import MASS, VOLUME
from alpha_umi_gym.intents import Category, Gives, Intent, Slot, Values
from alpha_umi_gym.slots import MONEY
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
        slots={"bill": slots.PRICE, "persons": SHARERS, "tip_percent": slots.TIP},
        fits=lambda v: 1 < v["persons"] <= 100 and v["tip_percent"] <= 40 and v["bill"] <= _DINNER,
        gives=slots.in_dollars("each"),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=tools.tip_and_split,
        words=_WORDS["tip_and_split_for_one"],
        slots={"bill": slots.PRICE, "tip_percent": slots.TIP},
        arguments=lambda v: {"bill": v["bill"], "persons": 1, "tip_percent": v["tip_percent"]},
        fits=lambda v: v["tip_percent"] <= 40 and v["bill"] <= _DINNER,
        gives=slots.in_dollars("total"),
        rivals=("calculate", "percent_of", "add_tax"),
    ),
    Intent(
        tool=tools.add_tax,
        words=_WORDS["add_tax"],
        slots={"net": slots.PRICE, "tax_percent": slots.TAX},
        fits=_is_tax,
        gives=slots.in_dollars("gross"),
        rivals=("calculate", "percent_of", "tip_and_split"),
        weight=2.0,
    ),
    Intent(
        tool=tools.net_price,
        words=_WORDS["net_price"],
        slots={"gross": slots.PRICE, "tax_percent": slots.TAX},
        fits=_is_tax,
        gives=slots.in_dollars("net"),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=tools.net_price,
        words=_WORDS["net_price_tax"],
        slots={"gross": slots.PRICE, "tax_percent": slots.TAX},
        fits=_is_tax,
        gives=slots.in_dollars("tax"),
        rivals=("calculate",),
    ),
    Intent(
        tool=tools.discount_price,
        words=_WORDS["discount_price"],
        slots={"price": slots.PRICE, "percent_off": slots.OFF},
        fits=lambda v: v["percent_off"] < 100,
        gives=slots.in_dollars("price"),
        rivals=("calculate", "percent_of"),
        weight=2.0,
    ),
    Intent(
        tool=tools.discount_price,
        words=_WORDS["discount_price_with_coupon"],
        slots={"price": slots.PRICE, "percent_off": slots.OFF, "coupon": slots.CHEAP},
        fits=lambda v: v["percent_off"] < 100 and v["price"] * (100 - v["percent_off"]) / 100 > v["coupon"],
        gives=slots.in_dollars("price"),
        rivals=("calculate",),
    ),
    Intent(
        tool=tools.discount_price,
        words=_WORDS["discount_price_saving"],
        slots={"price": slots.PRICE, "percent_off": slots.OFF},
        fits=lambda v: v["percent_off"] < 100,
        gives=slots.in_dollars("saved"),
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
        slots={"price": slots.CHEAP, "amount": slot},
        arguments=arguments,
        fits=lambda v: v["amount"].amount > 0 and v["amount"].unit != per and v["price"] < 200,
        gives=slots.in_dollars("price"),
        rivals=("calculate",),
    )


_UNIT_PRICES = (
    _unit_price(MASS, "kg", "kilogram"),
    _unit_price(MASS, "lb", "pound"),
    _unit_price(VOLUME, "l", "litre"),
)


def _paid_out(result: dict[str, Any], _: Values) -> str:
    return f"{result['amount']} {result['currency']}"


def _is_worth_it(v: Values) -> bool:
    """Whether it is foreign money for some dollars at least."""
    rate = tools.CURRENCIES[v["source"]].per_dollar
    return v["source"] != "USD" and rate is not None and 3 <= v["amount"] / rate <= 50_000


_COINS = (
    Intent(
        tool=tools.currency_of,
        words=_WORDS["currency_of"],
        slots={"country": slots.COIN},
        gives=Gives(kind="currency", read="code", compares="EUR|USD|GBP|CHF|JPY|SEK|CAD"),
        weight=3.0,
    ),
    Intent(
        tool=tools.currency_of,
        words=_WORDS["currency_of_name"],
        slots={"country": slots.COIN},
        gives=Gives(kind="currency_name", read="name"),
    ),
    Intent(
        tool=tools.exchange,
        words=_WORDS["exchange"],
        slots={"cash": slots.CASH, "target": slots.CURRENCY},
        arguments=lambda v: {"amount": v["cash"].amount, "source": v["cash"].unit, "target": v["target"]},
        fits=lambda v: v["cash"].unit != v["target"],
        gives=Gives(kind="changed_money", read=_paid_out, facts=lambda out: out.split()[:1]),
    ),
    Intent(
        tool=tools.exchange,
        words=_WORDS["exchange_dollars"],
        slots={"money": MONEY, "target": slots.CURRENCY},
        arguments=lambda v: {"amount": v["money"], "source": "USD", "target": v["target"]},
        fits=lambda v: v["target"] != "USD",
        gives=Gives(kind="changed_money", read=_paid_out, facts=lambda out: out.split()[:1]),
        weight=2.0,
    ),
    Intent(
        tool=tools.exchange,
        words=_WORDS["exchange_into_dollars"],
        slots={"cash": slots.CASH},
        arguments=lambda v: {"amount": v["cash"].amount, "source": v["cash"].unit, "target": "USD"},
        fits=lambda v: v["cash"].unit != "USD",
        gives=slots.in_dollars("amount"),
    ),
    Intent(
        tool=tools.exchange,
        words=_WORDS["exchange_price_abroad"],
        slots={"amount": slots.UNITS_OF_IT, "source": slots.CURRENCY},
        arguments=lambda v: {"amount": v["amount"], "source": v["source"], "target": "USD"},
        fits=_is_worth_it,
        gives=slots.in_dollars("amount"),
    ),
)
_SAVING = {"principal": slots.LOAN, "rate_percent": slots.RATE, "years": slots.YEARS}
_SAVINGS = (
    Intent(
        tool=tools.compound_interest,
        words=_WORDS["compound_interest"],
        slots=_SAVING,
        fits=lambda v: v["principal"] >= 20 and v["rate_percent"] <= 20,
        gives=slots.in_dollars("balance"),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=tools.compound_interest,
        words=_WORDS["compound_interest_monthly"],
        slots=_SAVING,
        arguments=lambda v: {**v, "times_per_year": 12},
        fits=lambda v: v["principal"] >= 20 and v["rate_percent"] <= 20,
        gives=slots.in_dollars("balance"),
        rivals=("calculate",),
    ),
    Intent(
        tool=tools.compound_interest,
        words=_WORDS["compound_interest_earned"],
        slots=_SAVING,
        fits=lambda v: v["principal"] >= 20 and v["rate_percent"] <= 20,
        gives=slots.in_dollars("interest"),
        rivals=("calculate",),
    ),
)
_LOAN = {"principal": slots.LOAN, "rate_percent": slots.RATE, "months": slots.MONTHS}
_LOANS = (
    Intent(
        tool=tools.loan_payment,
        words=_WORDS["loan_payment"],
        slots=_LOAN,
        fits=lambda v: v["principal"] >= 300 and v["rate_percent"] <= 30,
        gives=slots.in_dollars("monthly"),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=tools.loan_payment,
        words=_WORDS["loan_payment_interest"],
        slots=_LOAN,
        fits=lambda v: v["principal"] >= 300 and v["rate_percent"] <= 30,
        gives=slots.in_dollars("total_interest"),
        rivals=("calculate",),
    ),
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
    intents=(*_COINS, *_BILLS, *_UNIT_PRICES, *_SAVINGS, *_LOANS),
    held_out=("loan_payment", "price_per_unit"),
    alternatives={
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
