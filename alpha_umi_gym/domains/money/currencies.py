"""What people want to know of currencies: which a country has, and what money is worth in another."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.money.slots import CASH, COIN, CURRENCY, UNITS_OF_IT, in_dollars
from alpha_umi_gym.domains.money.tools import CURRENCIES, currency_of, exchange
from alpha_umi_gym.intents import Gives, Intent, Values
from alpha_umi_gym.slots import MONEY


def _paid_out(result: dict[str, Any], _: Values) -> str:
    return f"{result['amount']} {result['currency']}"


def _is_worth_it(v: Values) -> bool:
    """Whether it is foreign money for some dollars at least."""
    rate = CURRENCIES[v["source"]].per_dollar
    return v["source"] != "USD" and rate is not None and 3 <= v["amount"] / rate <= 50_000


COINS = (
    Intent(
        tool=currency_of,
        slots={"country": COIN},
        goals=(
            "find the currency of {country}",
            "look up which currency is used in {country}",
            "tell with what currency one pays in {country}",
            "name the currency code of {country}",
        ),
        asks=(
            "Which currency do people use in {country}?",
            "I am going to {country}. What currency do I need there?",
            "What is the currency code of {country}?",
            "In which currency are prices given in {country}?",
        ),
        gives=Gives(
            kind="currency",
            read="code",
            nouns=("the currency of {country}", "the currency used in {country}", "the legal tender of {country}"),
            compares="EUR|USD|GBP|CHF|JPY|SEK|CAD",
        ),
        found="the currency of {country} is {out}",
        answers=("The currency of {country} is {out}.", "People there pay with {out}."),
        weight=3.0,
    ),
    Intent(
        tool=currency_of,
        slots={"country": COIN},
        goals=(
            "find the name of the currency of {country}",
            "look up what the money of {country} is called",
            "name the money that people use in {country}",
        ),
        asks=(
            "What is the money of {country} called?",
            "What do they call their currency in {country}?",
            "What name does the currency of {country} have?",
        ),
        gives=Gives(
            kind="currency_name",
            read="name",
            nouns=(
                "the name of the currency of {country}",
                "the name of the money used in {country}",
                "the full name of the currency in {country}",
            ),
        ),
        found="the money of {country} is the {out}",
        answers=("The money of {country} is the {out}.", "It is called the {out}."),
    ),
    Intent(
        tool=exchange,
        slots={"cash": CASH, "target": CURRENCY},
        arguments=lambda v: {"amount": v["cash"].amount, "source": v["cash"].unit, "target": v["target"]},
        fits=lambda v: v["cash"].unit != v["target"],
        goals=(
            "exchange {cash} for {target}",
            "convert {cash} into {target}",
            "find out how much {cash} is in {target}",
            "change {cash} into {target}",
        ),
        asks=(
            "How much is {cash} in {target}?",
            "I have {cash} left over and need {target}. How much will I get?",
            "What does the bank pay for {cash} if I want {target}?",
            "If I change {cash} into {target}, what do I hold in my hands?",
        ),
        gives=Gives(
            kind="changed_money",
            read=_paid_out,
            nouns=("the value of {cash} in {target}", "{cash} in {target}", "the worth of {cash} in {target}"),
            facts=lambda out: out.split()[:1],
        ),
        found="{cash} is worth {out}",
        answers=("{cash} is worth {out}.", "You get {out}."),
    ),
    Intent(
        tool=exchange,
        slots={"money": MONEY, "target": CURRENCY},
        arguments=lambda v: {"amount": v["money"], "source": "USD", "target": v["target"]},
        fits=lambda v: v["target"] != "USD",
        goals=(
            "exchange {money} for {target}",
            "convert {money} into {target}",
            "work out what {money} is in {target}",
            "turn {money} into {target}",
        ),
        asks=(
            "How much is {money} in {target}?",
            "I want to change {money} into {target}. What do I get?",
            "What is {money} worth in {target}?",
            "I count in {target}. How much is {money} for me?",
        ),
        gives=Gives(
            kind="changed_money",
            read=_paid_out,
            nouns=("the value of {money} in {target}", "{money} in {target}", "the equivalent of {money} in {target}"),
            facts=lambda out: out.split()[:1],
        ),
        found="{money} makes {out}",
        answers=("{money} makes {out}.", "You get {out}."),
        weight=2.0,
    ),
    Intent(
        tool=exchange,
        slots={"cash": CASH},
        arguments=lambda v: {"amount": v["cash"].amount, "source": v["cash"].unit, "target": "USD"},
        fits=lambda v: v["cash"].unit != "USD",
        goals=(
            "exchange {cash} for US dollars",
            "convert {cash} into dollars",
            "find out how many dollars {cash} makes",
            "change {cash} into USD",
        ),
        asks=(
            "How many dollars is {cash}?",
            "Something costs {cash} abroad. What is that in US dollars?",
            "What is {cash} worth in USD?",
            "I come back with {cash}. How many dollars do I get for it?",
        ),
        gives=in_dollars(
            "amount", "the value of {cash} in dollars", "the worth of {cash} in US dollars", "{cash} in US dollars"
        ),
        found="{cash} is worth {out}",
        answers=("{cash} is worth {out}.", "That is {out}."),
    ),
    Intent(
        tool=exchange,
        slots={"amount": UNITS_OF_IT, "source": CURRENCY},
        arguments=lambda v: {"amount": v["amount"], "source": v["source"], "target": "USD"},
        fits=_is_worth_it,
        goals=(
            "convert an amount of {amount} in {source} into dollars",
            "find the value in dollars of an amount of {amount} in {source}",
            "exchange an amount of {amount} in {source} for US dollars",
        ),
        asks=(
            "A price tag says {amount}, and prices are in {source}. How many dollars is that?",
            "In {source} the amount is {amount}. What is that in US dollars?",
            "The invoice is over {amount} in {source}. How many dollars do I have to pay?",
        ),
        gives=in_dollars(
            "amount",
            "the value in dollars of an amount of {amount} in {source}",
            "the equivalent in US dollars of {amount} in {source}",
            "the dollar value of an amount of {amount} in {source}",
        ),
        found="an amount of {amount} in {source} is worth {out}",
        answers=("An amount of {amount} in {source} is worth {out}.", "That is {out}."),
    ),
)
