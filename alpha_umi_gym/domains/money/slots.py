"""What may fill the places of requests about money: prices, percentages, spans of time and currencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alpha_umi_gym.domains.geography.tools import COUNTRY
from alpha_umi_gym.domains.maths.slots import PERCENT
from alpha_umi_gym.domains.money.tools import CURRENCIES, PAYING
from alpha_umi_gym.intents import Gives, Slot
from alpha_umi_gym.numbers import Quantity
from alpha_umi_gym.sampler import DroppedTask, Sampler
from alpha_umi_gym.slots import MONEY


def dollars(value: int | float) -> str:
    """45 dollars, 45.50 dollars."""
    return f"{_written(value)} dollars"


def in_dollars(read: str) -> Gives:
    """What an intent gives when a field of the result is an amount of dollars."""
    return Gives(kind="money", read=read, say=dollars, compares="size")


def _written(value: int | float) -> str:
    return f"{value:.2f}" if round(value, 2) == value != int(value) else str(value)


def _dollar_forms(value: int | float) -> Sequence[str]:
    return (dollars(value), f"${_written(value)}")


def _price(low: int, high: int) -> Slot:
    """Dollars and often cents."""

    def draw(d: Sampler) -> int | float:
        if d.chances(0.4):
            return d.integer(low, high)
        whole, cents = divmod(d.integer(100 * low, 100 * high), 100)
        return whole + cents / 100 if cents else whole

    return replace(MONEY, draw=draw, say=_dollar_forms)


def _percent(low: int, high: int) -> Slot:
    """Whole and half percents."""
    halves = [n // 2 if n % 2 == 0 else n / 2 for n in range(2 * low, 2 * high + 1)]
    return replace(PERCENT, draw=lambda d: d.split_value(halves))


def _span(low: int, high: int, unit: str) -> Slot:
    return Slot(
        kind=unit,
        draw=lambda d: d.integer(low, high),
        say=lambda value: (f"{value} {unit}",),
        vague=("some time", "the usual time", "as long as we agreed"),
    )


def _code_forms(code: str) -> Sequence[str]:
    return (code, CURRENCIES[code].names) if code in CURRENCIES else (code,)


def _cash_forms(value: Quantity) -> Sequence[str]:
    return tuple(f"{_written(value.amount)} {form}" for form in _code_forms(value.unit))


def _typo(d: Sampler, code: str) -> str:
    """Two letters of a code swapped."""
    at = d.any_value((0, 1))
    slip = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    if slip in CURRENCIES:
        raise DroppedTask("the slip is a currency")
    return slip


def _cash(d: Sampler) -> Quantity:
    """An amount that buys something: many thousands where a dollar is a thousand."""
    code = d.any_value(_FOREIGN)
    digits = len(str(int(CURRENCIES[code].per_dollar or 0)))
    return Quantity(d.integer(5, 2000) * 10 ** (digits - 1), code)


_TRADED = tuple(code for code, currency in CURRENCIES.items() if currency.per_dollar is not None)
_FOREIGN = tuple(code for code in _TRADED if code != "USD")

PRICE = _price(4, 900)
CHEAP = _price(1, 40)
LOAN = replace(MONEY, draw=lambda d: 100 * d.integer(10, 900), say=_dollar_forms)
TIP, TAX, OFF = _percent(3, 25), _percent(3, 27), _percent(5, 70)
RATE = replace(PERCENT, draw=lambda d: d.decimal(1, 9))
YEARS, MONTHS = _span(2, 30, "years"), _span(6, 120, "months")
COIN = replace(COUNTRY, draw=lambda d: d.split_value(PAYING))
"""A country whose currency is on file."""
CURRENCY = Slot(
    kind="currency",
    draw=lambda d: d.split_value(_FOREIGN),
    say=_code_forms,
    vague=("the local currency", "the money they use there", "that other currency"),
    unknown=lambda d: d.from_short_list([code for code in CURRENCIES if code not in _TRADED]),
    slip=_typo,
)
CASH = Slot(
    kind="foreign_money",
    draw=_cash,
    say=_cash_forms,
    vague=("my holiday money", "the notes from my last trip", "some foreign money"),
)
UNITS_OF_IT = Slot(
    kind="price_abroad",
    draw=lambda d: d.integer(2, 500) * d.any_value((1, 10, 100, 1000)),
    vague=("some", "a few", "a certain number of"),
)
