"""What people want to know of savings and loans."""

from __future__ import annotations

from alpha_umi_gym.domains.money.slots import LOAN, MONTHS, RATE, YEARS, in_dollars
from alpha_umi_gym.domains.money.tools import compound_interest, loan_payment
from alpha_umi_gym.intents import Intent

_SAVING = {"principal": LOAN, "rate_percent": RATE, "years": YEARS}
SAVINGS = (
    Intent(
        tool=compound_interest,
        slots=_SAVING,
        fits=lambda v: v["principal"] >= 20 and v["rate_percent"] <= 20,
        goals=(
            "work out what {principal} grows to in {years} at {rate_percent} a year",
            "find the balance of {principal} after {years} with {rate_percent} compound interest a year",
            "compound {principal} at {rate_percent} a year for {years}",
            "compute how much {principal} becomes in {years} at a yearly rate of {rate_percent}",
        ),
        asks=(
            "What does {principal} grow to in {years} at {rate_percent} interest a year?",
            "I put {principal} into an account with {rate_percent} a year. How much is there after {years}?",
            "After {years} at {rate_percent} a year, what has become of {principal}?",
            "A fund adds {rate_percent} every year. What will {principal} be worth in {years}?",
        ),
        gives=in_dollars(
            "balance",
            "the balance of {principal} after {years} at {rate_percent} a year",
            "the value of {principal} after {years} with {rate_percent} interest a year",
            "the sum that {principal} grows to in {years} at {rate_percent} a year",
        ),
        found="{principal} at {rate_percent} a year is {out} after {years}",
        answers=("After {years} it is {out}.", "At {rate_percent} a year, {principal} grows to {out}."),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=compound_interest,
        slots=_SAVING,
        arguments=lambda v: {**v, "times_per_year": 12},
        fits=lambda v: v["principal"] >= 20 and v["rate_percent"] <= 20,
        goals=(
            "work out what {principal} grows to in {years} at {rate_percent} a year, compounded monthly",
            "find the balance of {principal} after {years} at {rate_percent} a year with interest added every month",
            "compound {principal} monthly for {years} at a yearly rate of {rate_percent}",
        ),
        asks=(
            "My bank adds interest every month, at {rate_percent} a year. What does {principal} grow to in {years}?",
            "With monthly compounding at {rate_percent} a year, how much is {principal} after {years}?",
            "Each month my account credits interest, at {rate_percent} a year. What is {principal} after {years}?",
        ),
        gives=in_dollars(
            "balance",
            "the balance of {principal} after {years} at {rate_percent} a year compounded monthly",
            "the value of {principal} after {years} of monthly compounding at {rate_percent} a year",
            "the sum that {principal} makes in {years} at {rate_percent} a year with monthly interest",
        ),
        found="{principal} at {rate_percent} a year, compounded monthly, is {out} after {years}",
        answers=("After {years} it is {out}.", "With monthly interest, {principal} grows to {out}."),
        rivals=("calculate",),
    ),
    Intent(
        tool=compound_interest,
        slots=_SAVING,
        fits=lambda v: v["principal"] >= 20 and v["rate_percent"] <= 20,
        goals=(
            "work out the interest that {principal} earns in {years} at {rate_percent} a year",
            "find how much interest comes together on {principal} in {years} at {rate_percent} a year",
            "tell the compound interest on {principal} for {years} at {rate_percent} a year",
        ),
        asks=(
            "How much interest does {principal} earn in {years} at {rate_percent} a year?",
            "I save {principal} for {years} at {rate_percent} a year. How much do I gain?",
            "What interest builds up on {principal} at {rate_percent} a year over {years}?",
        ),
        gives=in_dollars(
            "interest",
            "the interest on {principal} in {years} at {rate_percent} a year",
            "the compound interest earned by {principal} in {years} at {rate_percent} a year",
            "the gain on {principal} over {years} at {rate_percent} a year",
        ),
        found="the interest on {principal} in {years} is {out}",
        answers=("The interest on {principal} comes to {out}.", "You gain {out}."),
        rivals=("calculate",),
    ),
)
_LOAN = {"principal": LOAN, "rate_percent": RATE, "months": MONTHS}
LOANS = (
    Intent(
        tool=loan_payment,
        slots=_LOAN,
        fits=lambda v: v["principal"] >= 300 and v["rate_percent"] <= 30,
        goals=(
            "work out the monthly payment for a loan of {principal} over {months} at {rate_percent} a year",
            "find what one pays each month for {principal} borrowed for {months} at {rate_percent} a year",
            "compute the monthly instalment of a loan of {principal} at {rate_percent} a year paid back in {months}",
        ),
        asks=(
            "I borrow {principal} at {rate_percent} a year and pay it back in {months}. What do I pay a month?",
            "A car dealer lends {principal} for {months} at {rate_percent} a year. How much is one monthly payment?",
            "How much a month does it take to pay off {principal} in {months} at {rate_percent} a year?",
        ),
        gives=in_dollars(
            "monthly",
            "the monthly payment for a loan of {principal} over {months} at {rate_percent} a year",
            "the amount due each month for {principal} borrowed for {months} at {rate_percent} a year",
            "the monthly instalment of a loan of {principal} at {rate_percent} a year paid back in {months}",
        ),
        found="the loan of {principal} costs {out} a month",
        answers=("The loan of {principal} costs {out} a month.", "Each month {out} are due."),
        rivals=("calculate",),
        weight=2.0,
    ),
    Intent(
        tool=loan_payment,
        slots=_LOAN,
        fits=lambda v: v["principal"] >= 300 and v["rate_percent"] <= 30,
        goals=(
            "work out the total interest on a loan of {principal} over {months} at {rate_percent} a year",
            "find what a loan of {principal} for {months} costs in interest at {rate_percent} a year",
            "tell the interest paid in all on {principal} borrowed for {months} at {rate_percent} a year",
        ),
        asks=(
            "How much interest do I pay on {principal} borrowed for {months} at {rate_percent} a year?",
            "What does it cost me to borrow {principal} for {months} at {rate_percent} a year?",
            "I pay back {principal} in {months} at {rate_percent} a year. How much interest is that altogether?",
        ),
        gives=in_dollars(
            "total_interest",
            "the total interest on a loan of {principal} over {months} at {rate_percent} a year",
            "the cost in interest of {principal} borrowed for {months} at {rate_percent} a year",
            "the whole interest on {principal} lent for {months} at {rate_percent} a year",
        ),
        found="the loan of {principal} costs {out} of interest",
        answers=("The loan of {principal} costs {out} of interest.", "The interest is {out} in all."),
        rivals=("calculate",),
    ),
)
