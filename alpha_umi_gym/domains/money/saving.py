"""What people want to know of savings and loans."""

from __future__ import annotations

from alpha_umi_gym.domains.money.slots import LOAN, MONTHS, RATE, YEARS, in_dollars
from alpha_umi_gym.domains.money.tools import compound_interest, loan_payment
from alpha_umi_gym.intents import Intent
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


_SAVING = {"principal": LOAN, "rate_percent": RATE, "years": YEARS}
SAVINGS = (
    Intent(
        tool=compound_interest,
        words=_WORDS["compound_interest"],
        slots=_SAVING,
        fits=lambda v: v["principal"] >= 20 and v["rate_percent"] <= 20,
        gives=in_dollars("balance"),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=compound_interest,
        words=_WORDS["compound_interest_monthly"],
        slots=_SAVING,
        arguments=lambda v: {**v, "times_per_year": 12},
        fits=lambda v: v["principal"] >= 20 and v["rate_percent"] <= 20,
        gives=in_dollars("balance"),
        rivals=("calculate",),
    ),
    Intent(
        tool=compound_interest,
        words=_WORDS["compound_interest_earned"],
        slots=_SAVING,
        fits=lambda v: v["principal"] >= 20 and v["rate_percent"] <= 20,
        gives=in_dollars("interest"),
        rivals=("calculate",),
    ),
)
_LOAN = {"principal": LOAN, "rate_percent": RATE, "months": MONTHS}
LOANS = (
    Intent(
        tool=loan_payment,
        words=_WORDS["loan_payment"],
        slots=_LOAN,
        fits=lambda v: v["principal"] >= 300 and v["rate_percent"] <= 30,
        gives=in_dollars("monthly"),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=loan_payment,
        words=_WORDS["loan_payment_interest"],
        slots=_LOAN,
        fits=lambda v: v["principal"] >= 300 and v["rate_percent"] <= 30,
        gives=in_dollars("total_interest"),
        rivals=("calculate",),
    ),
)
