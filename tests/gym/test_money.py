"""The money of the gym: bills and interest done by hand, currencies as they are, rates as each world has them."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pycountry
import pytest

from alpha_umi.trajectory import Call, Observation
from alpha_umi_gym import generate, toolbox
from alpha_umi_gym.domains.geography.tools import COUNTRIES
from alpha_umi_gym.domains.money.slots import CASH, CURRENCY, dollars
from alpha_umi_gym.domains.money.tools import CURRENCIES, PAYING, Rates, cents
from alpha_umi_gym.numbers import Quantity
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.registry import bound
from alpha_umi_gym.world import World

BOX = toolbox("money", seed=4)


def call(tool: str, **arguments: Any) -> Observation:
    return BOX.invoke(Call(tool=tool, arguments=arguments))


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("tip_and_split", {"bill": 80, "persons": 4, "tip_percent": 25}, '{"tip":20,"total":100,"each":25}'),
        ("tip_and_split", {"bill": 84.6, "persons": 3}, '{"tip":12.69,"total":97.29,"each":32.43}'),
        ("add_tax", {"net": 19.99, "tax_percent": 19}, '{"gross":23.79,"tax":3.8}'),
        ("net_price", {"gross": 119, "tax_percent": 19}, '{"net":100,"tax":19}'),
        ("net_price", {"gross": 0.1, "tax_percent": 0}, '{"net":0.1,"tax":0}'),
        ("discount_price", {"price": 80, "percent_off": 25}, '{"price":60,"saved":20}'),
        ("discount_price", {"price": 80, "percent_off": 25, "coupon": 9.5}, '{"price":50.5,"saved":29.5}'),
        (  # 1000 * 1.05 ** 3
            "compound_interest",
            {"principal": 1000, "rate_percent": 5, "years": 3},
            '{"balance":1157.63,"interest":157.63}',
        ),
        (  # 1000 * 1.01 ** 12, twelve percent a year in monthly steps
            "compound_interest",
            {"principal": 1000, "rate_percent": 12, "years": 1, "times_per_year": 12},
            '{"balance":1126.83,"interest":126.83}',
        ),
        (  # the textbook mortgage: 200000 over 30 years at 6.5 percent is 1264.14 a month
            "loan_payment",
            {"principal": 200000, "rate_percent": 6.5, "months": 360},
            '{"monthly":1264.14,"total_interest":255088.98}',
        ),
        ("loan_payment", {"principal": 1200, "rate_percent": 0, "months": 12}, '{"monthly":100,"total_interest":0}'),
        (
            "price_per_unit",
            {"price": 4.2, "contents": {"amount": 350, "unit": "g"}, "per": "kg"},
            '{"price":12,"per":"kg"}',
        ),
        (
            "price_per_unit",
            {"price": 8, "contents": {"amount": 1, "unit": "gal"}, "per": "cup"},
            '{"price":0.5,"per":"cup"}',
        ),
        ("currency_of", {"country": "Japan"}, '{"code":"JPY","name":"Japanese yen"}'),
        ("currency_of", {"country": "croatia"}, '{"code":"EUR","name":"euro"}'),
        ("currency_of", {"country": "Ecuador"}, '{"code":"USD","name":"US dollar"}'),
        ("currency_of", {"country": "UK"}, '{"code":"GBP","name":"British pound"}'),
        ("exchange", {"amount": 12.34, "source": "usd", "target": "USD"}, '{"amount":12.34,"currency":"USD"}'),
    ],
)
def test_tools_compute(tool: str, arguments: dict[str, Any], text: str) -> None:
    assert call(tool, **arguments) == Observation(text=text)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("exchange", {"amount": 1, "source": "GPB", "target": "USD"}, "did you mean 'GBP'?"),
        ("exchange", {"amount": 1, "source": "USD", "target": "GHS"}, "no exchange rate for 'GHS'"),
        ("exchange", {"amount": 1, "source": "USD", "target": "galleons" * 9}, "no exchange rate for 'galleons"),
        ("exchange", {"amount": -1, "source": "USD", "target": "EUR"}, "amount: -1 is less than the minimum of 0"),
        ("exchange", {"amount": 1e300, "source": "USD", "target": "EUR"}, "too large"),
        ("currency_of", {"country": "Germny"}, "did you mean 'Germany'?"),
        ("currency_of", {"country": "Narnia"}, "unknown country 'Narnia'"),
        ("currency_of", {"country": "Bulgaria"}, "the currency of Bulgaria is not on file"),
        ("tip_and_split", {"bill": 10, "persons": 0}, "persons: 0 is less than the minimum of 1"),
        ("discount_price", {"price": 10, "percent_off": 50, "coupon": 6}, "the coupon is worth more"),
        ("discount_price", {"price": 10, "percent_off": 101}, "percent_off: 101 is greater than"),
        ("compound_interest", {"principal": 1, "rate_percent": 1, "years": 61}, "years: 61 is greater than"),
        (
            "compound_interest",
            {"principal": 1, "rate_percent": 1, "years": 6, "times_per_year": 3},
            "times_per_year: 3 is not one of",
        ),
        ("loan_payment", {"principal": 1, "rate_percent": 1, "months": 0}, "months: 0 is less than"),
        (
            "price_per_unit",
            {"price": 1, "contents": {"amount": 2, "unit": "l"}, "per": "kg"},
            "what is measured in l has no price per kg",
        ),
        ("price_per_unit", {"price": 1, "contents": {"amount": 0, "unit": "g"}, "per": "kg"}, "amount: "),
    ],
)
def test_tools_refuse_in_words(tool: str, arguments: dict[str, Any], words: str) -> None:
    seen = call(tool, **arguments)
    assert not seen.ok
    assert words in seen.text
    assert "\n" not in seen.text


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


def test_nothing_that_is_asked_changes_the_world() -> None:
    world = World(4)
    box = bound(world)
    assert box.invoke(Call(tool="exchange", arguments={"amount": 5, "source": "EUR", "target": "PLN"})).ok
    assert world.changes() == {}


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


def test_a_country_flows_into_an_exchange() -> None:
    chains = [t for t in generate(300, seed=8, only=("money", "geography")) if t.kind == "sequential"]
    pairs = {
        (a.call.tool, b.call.tool)
        for t in chains
        for a, b in zip(t.gold.steps, t.gold.steps[1:], strict=False)
        if a.call and b.call
    }
    assert ("currency_of", "exchange") in pairs
    assert any(into == "currency_of" for _, into in pairs)  # a country that another tool found
