"""The money of the gym: currencies as they are, rates as each world has them, and how amounts are written."""

from __future__ import annotations

import json
from fractions import Fraction

import pycountry
import pytest

from alpha_umi.trajectory import Call
from alpha_umi_gym import toolbox
from alpha_umi_gym.domains.geography.tools import COUNTRIES
from alpha_umi_gym.domains.money.slots import CASH, CURRENCY, dollars
from alpha_umi_gym.domains.money.tools import CURRENCIES, PAYING, Rates, cents
from alpha_umi_gym.numbers import Quantity
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.world import World


def test_rates_belong_to_the_world_and_agree_with_each_other() -> None:
    def worth(seed: int, source: str, target: str) -> float:
        seen = toolbox("money", seed=seed).invoke(
            Call(tool="exchange", arguments={"amount": 1000, "source": source, "target": target})
        )
        return float(json.loads(seen.text)["amount"])

    assert worth(1, "EUR", "JPY") == worth(1, "EUR", "JPY") != worth(2, "EUR", "JPY")
    there, back = Fraction(worth(1, "EUR", "CHF")), Fraction(worth(1, "CHF", "EUR"))
    assert abs(there * back - 10**6) < 20  # a rate and its inverse, up to a cent each
    for seed in range(20):
        rates = World(seed).part(Rates).per_dollar
        assert rates["USD"] == 1
        assert all(
            abs(rate / (CURRENCIES[code].per_dollar or 0) - 1) <= Fraction(8, 100) for code, rate in rates.items()
        )


def test_codes_and_countries_are_those_of_iso() -> None:
    for code, currency in CURRENCIES.items():
        assert pycountry.currencies.get(alpha_3=code) is not None, code
        for country in currency.countries:
            assert pycountry.countries.get(alpha_2=country) is not None, country
    shared = {code for code, currency in CURRENCIES.items() if len(currency.countries) > 1}
    assert shared == {"EUR", "USD"}
    own = {code for code, currency in CURRENCIES.items() if code[:2] in currency.countries}
    assert set(CURRENCIES) - own == {"EUR", "XOF"}  # every other code begins with its country


def test_every_country_of_a_city_has_a_currency() -> None:
    codes = {COUNTRIES[name].code for name in PAYING}
    assert {place.country for place in CITIES.values()} <= codes


@pytest.mark.parametrize(
    ("value", "text"),
    [(45, "45 dollars"), (45.5, "45.50 dollars"), (0.05, "0.05 dollars"), (33.3333, "33.3333 dollars")],
)
def test_dollars_are_written_with_cents_or_without(value: float, text: str) -> None:
    assert dollars(value) == text


def test_half_a_cent_is_rounded_up() -> None:
    assert [cents(Fraction(n, 1000)) for n in (125, 135, 1994, 1995, 2000)] == [0.13, 0.14, 1.99, 2, 2]


def test_currencies_are_said_by_code_and_by_name() -> None:
    assert tuple(CURRENCY.say("SEK")) == ("SEK", "Swedish kronor")
    assert tuple(CASH.say(Quantity(70.5, "EUR"))) == ("70.50 EUR", "70.50 euros")
    assert tuple(CURRENCY.say("EUO")) == ("EUO",)
