"""Tools for money: currencies with rates of this world, bills, taxes, discounts, interest and unit prices.

Amounts are exact and rounded to the cent once, at the end. Rates are invented for each world, near what they were
in 2024; which country pays with what is real. Knows nothing of requests.
"""

from __future__ import annotations

import difflib
import math
import random
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, Field

from alpha_umi_gym.domains.geography.tools import COUNTRIES, country_named, in_text
from alpha_umi_gym.domains.units.tools import factor
from alpha_umi_gym.numbers import exact, rounded
from alpha_umi_gym.world import World
from alpha_umi_gym.yaml_data import read_as

Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=1000)]
Code = Annotated[str, Field(description="ISO 4217, three letters")]
Kilo = Literal["kg", "g", "lb", "oz", "l", "ml", "gal", "cup"]


class Currency(NamedTuple):
    """A currency as the tools know it."""

    name: str
    names: str
    """For several units of it."""
    countries: tuple[str, ...]
    """Their ISO codes."""
    per_dollar: Fraction | None = None
    """About how many make a dollar; None where the bank has no rate."""


CURRENCIES = read_as(dict[str, Currency], Path(__file__).with_name("currencies.yaml"))
"""ISO code -> currency."""
_CODE_OF = {country: code for code, currency in CURRENCIES.items() for country in currency.countries}
PAYING = tuple(name for name, country in COUNTRIES.items() if country.code in _CODE_OF)
"""Countries whose currency is on file; where it is about to change, it is not."""


class Rates:
    """What a dollar is worth in this world."""

    def __init__(self, chance: random.Random) -> None:
        self.per_dollar = {
            code: currency.per_dollar * (Fraction(chance.randrange(9200, 10_801), 10_000) if code != "USD" else 1)
            for code, currency in CURRENCIES.items()
            if currency.per_dollar is not None
        }

    def of(self, code: str) -> Fraction:
        """How many units make a dollar.

        Raises:
            LookupError: the bank has no such rate; a close code is suggested.
        """
        wanted = code.strip().upper()
        if wanted in self.per_dollar:
            return self.per_dollar[wanted]
        close = [] if wanted in CURRENCIES else difflib.get_close_matches(wanted[:20], self.per_dollar, n=1, cutoff=0.6)
        hint = f", did you mean '{close[0]}'?" if close else ""
        raise LookupError(f"the bank has no exchange rate for '{code[:20]}'{hint}")


class Amount(BaseModel):
    """How much one gets for a price."""

    amount: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    unit: Kilo


def exchange(world: World, amount: Money, source: Code, target: Code) -> dict[str, float | str]:
    """Exchange an amount of one currency for another at the bank's rate of today."""
    rates = world.part(Rates)
    result = exact(amount) / rates.of(source) * rates.of(target)
    return {"amount": cents(result), "currency": target.strip().upper()}


def currency_of(country: str) -> dict[str, str]:
    """Tell with which currency people pay in a country."""
    name = country_named(country)
    if name not in PAYING:
        raise LookupError(f"the currency of {in_text(name)} is not on file")
    code = _CODE_OF[COUNTRIES[name].code]
    return {"code": code, "name": CURRENCIES[code].name}


def tip_and_split(
    bill: Money, persons: Annotated[int, Field(ge=1, le=1000)], tip_percent: Percent = 15
) -> dict[str, int | float]:
    """Add a tip to a restaurant bill and share it equally."""
    tip = exact(bill) * exact(tip_percent) / 100
    total = exact(bill) + tip
    return {"tip": cents(tip), "total": cents(total), "each": cents(total / persons)}


def compound_interest(
    principal: Money,
    rate_percent: Annotated[float, Field(ge=0, le=100, description="per year")],
    years: Annotated[int, Field(ge=1, le=60)],
    times_per_year: Literal[1, 2, 4, 12] = 1,
) -> dict[str, int | float]:
    """Grow savings by interest that is added and earns interest itself."""
    growth = (1 + exact(rate_percent) / 100 / times_per_year) ** (years * times_per_year)
    balance = exact(principal) * growth
    return {"balance": cents(balance), "interest": cents(balance - exact(principal))}


def add_tax(net: Money, tax_percent: Percent) -> dict[str, int | float]:
    """Put sales tax on a net price."""
    tax = exact(net) * exact(tax_percent) / 100
    return {"gross": cents(exact(net) + tax), "tax": cents(tax)}


def net_price(gross: Money, tax_percent: Percent) -> dict[str, int | float]:
    """Take the sales tax out of a price that includes it."""
    net = exact(gross) / (1 + exact(tax_percent) / 100)
    return {"net": cents(net), "tax": cents(exact(gross) - net)}


def discount_price(
    price: Money,
    percent_off: Annotated[float, Field(ge=0, le=100)],
    coupon: Annotated[float, Field(ge=0, allow_inf_nan=False, description="taken off afterwards")] = 0,
) -> dict[str, int | float]:
    """Compute a reduced price: first a percentage off, then a coupon."""
    reduced = exact(price) * (100 - exact(percent_off)) / 100 - exact(coupon)
    if reduced < 0:
        raise ValueError("the coupon is worth more than what is left to pay")
    return {"price": cents(reduced), "saved": cents(exact(price) - reduced)}


def loan_payment(
    principal: Money,
    rate_percent: Annotated[float, Field(ge=0, le=100, description="per year")],
    months: Annotated[int, Field(ge=1, le=480)],
) -> dict[str, int | float]:
    """Work out the equal monthly payment that pays a loan back, and the interest it costs in all."""
    rate = exact(rate_percent) / 1200
    growth = (1 + rate) ** months
    monthly = exact(principal) * (rate * growth / (growth - 1) if rate else Fraction(1, months))
    return {"monthly": cents(monthly), "total_interest": cents(monthly * months - exact(principal))}


def price_per_unit(price: Money, contents: Amount, per: Kilo) -> dict[str, float | str]:
    """Make prices of packages comparable: what one unit of the contents costs."""
    weights = {"kg", "g", "lb", "oz"}
    if (contents.unit in weights) != (per in weights):
        raise ValueError(f"what is measured in {contents.unit} has no price per {per}")
    return {"price": cents(exact(price) / (exact(contents.amount) * factor(contents.unit, per))), "per": per}


def cents(value: Fraction) -> int | float:
    """An amount of money rounded to two decimals, half a cent up, as a till does."""
    return rounded(Fraction(math.floor(value * 100 + Fraction(1, 2)), 100))
