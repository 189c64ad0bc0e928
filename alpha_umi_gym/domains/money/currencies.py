"""What people want to know of currencies: which a country has, and what money is worth in another."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.money import tools
from alpha_umi_gym.domains.money.slots import CASH, COIN, CURRENCY, UNITS_OF_IT, in_dollars
from alpha_umi_gym.intents import Gives, Intent, Values
from alpha_umi_gym.slots import MONEY
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def _paid_out(result: dict[str, Any], _: Values) -> str:
    return f"{result['amount']} {result['currency']}"


def _is_worth_it(v: Values) -> bool:
    """Whether it is foreign money for some dollars at least."""
    rate = tools.CURRENCIES[v["source"]].per_dollar
    return v["source"] != "USD" and rate is not None and 3 <= v["amount"] / rate <= 50_000


COINS = (
    Intent(
        tool=tools.currency_of,
        words=_WORDS["currency_of"],
        slots={"country": COIN},
        gives=Gives(kind="currency", read="code", compares="EUR|USD|GBP|CHF|JPY|SEK|CAD"),
        weight=3.0,
    ),
    Intent(
        tool=tools.currency_of,
        words=_WORDS["currency_of_name"],
        slots={"country": COIN},
        gives=Gives(kind="currency_name", read="name"),
    ),
    Intent(
        tool=tools.exchange,
        words=_WORDS["exchange"],
        slots={"cash": CASH, "target": CURRENCY},
        arguments=lambda v: {"amount": v["cash"].amount, "source": v["cash"].unit, "target": v["target"]},
        fits=lambda v: v["cash"].unit != v["target"],
        gives=Gives(kind="changed_money", read=_paid_out, facts=lambda out: out.split()[:1]),
    ),
    Intent(
        tool=tools.exchange,
        words=_WORDS["exchange_dollars"],
        slots={"money": MONEY, "target": CURRENCY},
        arguments=lambda v: {"amount": v["money"], "source": "USD", "target": v["target"]},
        fits=lambda v: v["target"] != "USD",
        gives=Gives(kind="changed_money", read=_paid_out, facts=lambda out: out.split()[:1]),
        weight=2.0,
    ),
    Intent(
        tool=tools.exchange,
        words=_WORDS["exchange_into_dollars"],
        slots={"cash": CASH},
        arguments=lambda v: {"amount": v["cash"].amount, "source": v["cash"].unit, "target": "USD"},
        fits=lambda v: v["cash"].unit != "USD",
        gives=in_dollars("amount"),
    ),
    Intent(
        tool=tools.exchange,
        words=_WORDS["exchange_price_abroad"],
        slots={"amount": UNITS_OF_IT, "source": CURRENCY},
        arguments=lambda v: {"amount": v["amount"], "source": v["source"], "target": "USD"},
        fits=_is_worth_it,
        gives=in_dollars("amount"),
    ),
)
