"""Money: currencies and countries, bills, taxes, discounts, savings, loans and unit prices."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.maths.slots import SHARERS
from alpha_umi_gym.domains.money.currencies import COINS
from alpha_umi_gym.domains.money.saving import LOANS, SAVINGS
from alpha_umi_gym.domains.money.slots import (
    CHEAP,
    OFF,
    PRICE,
    TAX,
    TIP,
    in_dollars,
)
from alpha_umi_gym.domains.money.tools import (
    add_tax,
    compound_interest,
    currency_of,
    discount_price,
    exchange,
    loan_payment,
    net_price,
    price_per_unit,
    tip_and_split,
)
from alpha_umi_gym.domains.units.quantities import MASS, VOLUME
from alpha_umi_gym.intents import Category, Intent, Slot, Values


def _is_tax(v: Values) -> bool:
    return bool(v["tax_percent"] <= 40)


_DINNER = 3000
"""Nobody eats for more."""
_BILLS = (
    Intent(
        tool=tip_and_split,
        slots={"bill": PRICE, "persons": SHARERS, "tip_percent": TIP},
        fits=lambda v: 1 < v["persons"] <= 100 and v["tip_percent"] <= 40 and v["bill"] <= _DINNER,
        goals=(
            "split {bill} plus a tip of {tip_percent} among {persons}",
            "work out what each of {persons} pays for {bill} with a tip of {tip_percent}",
            "add a tip of {tip_percent} to {bill} and divide it by {persons}",
            "find the share of each if {persons} pay {bill} and tip {tip_percent}",
        ),
        asks=(
            "If {persons} split {bill} and tip {tip_percent}, what does each pay?",
            "We were {persons}, the bill is {bill} and we tip {tip_percent}. How much is it for each of us?",
            "With a tip of {tip_percent} on {bill}, how much falls on each of {persons}?",
            "Dinner came to {bill} without the tip of {tip_percent}. What does one of {persons} owe?",
        ),
        gives=in_dollars(
            "each",
            "the share of each when {persons} split {bill} plus a tip of {tip_percent}",
            "the amount each of {persons} pays for {bill} with a tip of {tip_percent}",
            "one share of {bill} plus a tip of {tip_percent} split among {persons}",
        ),
        found="each of {persons} pays {out}",
        answers=("Each of {persons} pays {out}.", "With the tip it is {out} for each."),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=tip_and_split,
        slots={"bill": PRICE, "tip_percent": TIP},
        arguments=lambda v: {"bill": v["bill"], "persons": 1, "tip_percent": v["tip_percent"]},
        fits=lambda v: v["tip_percent"] <= 40 and v["bill"] <= _DINNER,
        goals=(
            "add a tip of {tip_percent} to a bill of {bill}",
            "work out the total of a bill of {bill} with a tip of {tip_percent}",
            "find out what I pay alone for a bill of {bill} when I tip {tip_percent}",
        ),
        asks=(
            "My lunch was {bill} and I tip {tip_percent}. What do I pay in all?",
            "What do I hand over for a bill of {bill} with a tip of {tip_percent}?",
            "I eat alone for {bill} and leave a tip of {tip_percent}. How much is that altogether?",
        ),
        gives=in_dollars(
            "total",
            "the total of a bill of {bill} with a tip of {tip_percent}",
            "the sum to pay for a bill of {bill} plus a tip of {tip_percent}",
            "the full cost of a meal for {bill} with a tip of {tip_percent}",
        ),
        found="with a tip of {tip_percent} the bill of {bill} comes to {out}",
        answers=("With a tip of {tip_percent} the bill comes to {out}.", "You pay {out} in all."),
        rivals=("calculate", "percent_of", "add_tax"),
    ),
    Intent(
        tool=add_tax,
        slots={"net": PRICE, "tax_percent": TAX},
        fits=_is_tax,
        goals=(
            "add a sales tax of {tax_percent} to {net}",
            "work out the gross price for {net} net and a tax of {tax_percent}",
            "put {tax_percent} tax on {net}",
            "find out what {net} becomes with a tax of {tax_percent}",
        ),
        asks=(
            "Without tax it is {net}, and the tax is {tax_percent}. What do I pay at the till?",
            "How much is {net} with {tax_percent} sales tax on top?",
            "A supplier quotes {net} net. With a tax of {tax_percent}, what will the invoice say?",
            "What does a customer pay for {net} plus {tax_percent} tax?",
        ),
        gives=in_dollars(
            "gross",
            "the price with tax for {net} net at a tax of {tax_percent}",
            "the gross price for {net} and a tax of {tax_percent}",
            "the price of {net} including a tax of {tax_percent}",
        ),
        found="with a tax of {tax_percent}, {net} becomes {out}",
        answers=("With a tax of {tax_percent} it is {out}.", "The gross price is {out}."),
        rivals=("calculate", "percent_of", "tip_and_split"),
        weight=2.0,
    ),
    Intent(
        tool=net_price,
        slots={"gross": PRICE, "tax_percent": TAX},
        fits=_is_tax,
        goals=(
            "take a tax of {tax_percent} out of {gross}",
            "work out the net price if {gross} includes a tax of {tax_percent}",
            "find the price before tax for {gross} with {tax_percent} tax inside",
            "remove the {tax_percent} tax that {gross} includes",
        ),
        asks=(
            "I paid {gross} including {tax_percent} tax. What is the net price?",
            "The receipt says {gross} with {tax_percent} tax included. How much was it without?",
            "What is left of {gross} when the included tax of {tax_percent} is taken out?",
            "My company gets a tax of {tax_percent} back. What does something for {gross} cost us then?",
        ),
        gives=in_dollars(
            "net",
            "the net price of what costs {gross} including {tax_percent} tax",
            "the price without tax if {gross} includes a tax of {tax_percent}",
            "the net part of {gross} at a tax of {tax_percent}",
        ),
        found="without the tax of {tax_percent}, {gross} is {out}",
        answers=("Without the tax of {tax_percent} it is {out}.", "The net price is {out}."),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=net_price,
        slots={"gross": PRICE, "tax_percent": TAX},
        fits=_is_tax,
        goals=(
            "find the tax contained in {gross} at {tax_percent}",
            "work out how much tax {gross} includes at {tax_percent}",
            "tell what part of {gross} is tax if {tax_percent} is included",
        ),
        asks=(
            "How much tax is in {gross} if {tax_percent} is included?",
            "I paid {gross} with {tax_percent} tax included. How much of that was tax?",
            "Out of {gross}, {tax_percent} tax included, what does the state get?",
        ),
        gives=in_dollars(
            "tax",
            "the tax contained in {gross} at {tax_percent}",
            "the amount of tax in {gross} if {tax_percent} is included",
            "the tax inside {gross} at a rate of {tax_percent}",
        ),
        found="{gross} contains {out} of tax",
        answers=("{gross} contains {out} of tax.", "The tax is {out}."),
        rivals=("calculate",),
    ),
    Intent(
        tool=discount_price,
        slots={"price": PRICE, "percent_off": OFF},
        fits=lambda v: v["percent_off"] < 100,
        goals=(
            "take {percent_off} off {price}",
            "work out the sale price of {price} with {percent_off} off",
            "reduce {price} by {percent_off}",
            "find out what {price} comes to after a discount of {percent_off}",
        ),
        asks=(
            "What do I pay for {price} with {percent_off} off?",
            "Everything is reduced by {percent_off}. What does something for {price} cost now?",
            "It was {price} before a discount of {percent_off}. How much is it today?",
            "A member gets {percent_off} off. What is left to pay of {price}?",
        ),
        gives=in_dollars(
            "price",
            "the price of {price} after {percent_off} off",
            "the sale price of {price} at a discount of {percent_off}",
            "the reduced price of {price} with {percent_off} off",
        ),
        found="with {percent_off} off, {price} becomes {out}",
        answers=("With {percent_off} off it is {out}.", "The reduced price is {out}."),
        rivals=("calculate", "percent_of"),
        weight=2.0,
    ),
    Intent(
        tool=discount_price,
        slots={"price": PRICE, "percent_off": OFF, "coupon": CHEAP},
        fits=lambda v: v["percent_off"] < 100 and v["price"] * (100 - v["percent_off"]) / 100 > v["coupon"],
        goals=(
            "take {percent_off} off {price} and then a coupon of {coupon}",
            "work out the price of {price} after {percent_off} off and a coupon of {coupon}",
            "reduce {price} by {percent_off} and subtract a coupon of {coupon}",
        ),
        asks=(
            "There is {percent_off} off {price}, and then I hand in a coupon of {coupon}. What do I pay?",
            "What remains of {price} after {percent_off} off and then a coupon of {coupon}?",
            "With {percent_off} off {price} and my coupon of {coupon}, what is the final price?",
        ),
        gives=in_dollars(
            "price",
            "the price of {price} after {percent_off} off and a coupon of {coupon}",
            "the amount to pay for {price} with {percent_off} off and a coupon of {coupon}",
            "the final price of {price} at {percent_off} off, less a coupon of {coupon}",
        ),
        found="{price} comes down to {out}",
        answers=("{price} comes down to {out}.", "You pay {out}."),
        rivals=("calculate",),
    ),
    Intent(
        tool=discount_price,
        slots={"price": PRICE, "percent_off": OFF},
        fits=lambda v: v["percent_off"] < 100,
        goals=(
            "work out how much one saves on {price} with {percent_off} off",
            "find the saving that {percent_off} off {price} brings",
            "tell the saving on {price} at a discount of {percent_off}",
        ),
        asks=(
            "How much do I save on {price} with {percent_off} off?",
            "There is a discount of {percent_off} on {price}. What does it save me?",
            "With {percent_off} off {price}, how many dollars stay in my pocket?",
        ),
        gives=in_dollars(
            "saved",
            "the saving on {price} with {percent_off} off",
            "the money saved by {percent_off} off {price}",
            "the amount that a discount of {percent_off} takes off {price}",
        ),
        found="{percent_off} off {price} saves {out}",
        answers=("{percent_off} off {price} saves {out}.", "You save {out}."),
        rivals=("calculate", "percent_of"),
    ),
)


def _unit_price(slot: Slot, per: str, name: str) -> Intent:
    """The intent to have the price of one unit of what is in a package."""

    def arguments(v: Values) -> dict[str, Any]:
        amount = v["amount"]
        return {"price": v["price"], "contents": {"amount": amount.amount, "unit": amount.unit}, "per": per}

    return Intent(
        tool=price_per_unit,
        slots={"price": CHEAP, "amount": slot},
        arguments=arguments,
        fits=lambda v: v["amount"].amount > 0 and v["amount"].unit != per and v["price"] < 200,
        goals=(
            f"work out the price per {name} if {{amount}} costs {{price}}",
            f"find the unit price per {name} of {{amount}} for {{price}}",
            f"tell what one {name} costs when {{amount}} is sold at {{price}}",
        ),
        asks=(
            f"If {{amount}} costs {{price}}, how much is one {name}?",
            f"A pack of {{amount}} is sold for {{price}}. What is that per {name}?",
            f"I paid {{price}} for {{amount}}. What did I pay per {name}?",
        ),
        gives=in_dollars(
            "price",
            f"the price per {name} when {{amount}} costs {{price}}",
            f"the unit price per {name} of {{amount}} for {{price}}",
            f"the price of one {name} if {{amount}} is {{price}}",
        ),
        found=f"{{amount}} for {{price}} is {{out}} per {name}",
        answers=(f"{{amount}} for {{price}} is {{out}} per {name}.", f"One {name} costs {{out}}."),
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
        exchange,
        currency_of,
        tip_and_split,
        add_tax,
        net_price,
        discount_price,
        compound_interest,
        loan_payment,
        price_per_unit,
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
