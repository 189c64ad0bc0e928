"""A fixed day in place of today's, for chat templates that write the date into every prompt (Llama 3.2, SmolLM3).

With today's date a team would be asked each day with another prompt than it was trained on. transformers gives
templates `strftime_now`, which reads the clock, and lets no function of ours through; so a macro of that name is put
before the template.
"""

from __future__ import annotations

import datetime
from typing import Any

PINNED_DATE = "2024-07-26"
"""What Llama 3.1 and 3.2 say themselves where they are given no date."""

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_CLOCK = "strftime_now"
_GIVEN = "date_string"

# The template engine drops the line break after the macro, so that the template begins at a line's start as ever.
_MACRO = (
    "{% macro strftime_now(format) %}{% set said = namespace(text=format) %}"
    "{% for code, text in pinned_date_codes %}{% set said.text = said.text.replace(code, text) %}{% endfor %}"
    "{{ said.text }}{% endmacro %}\n"
)


def names_date(template: str) -> bool:
    """Whether a chat template writes a date that it asks for."""
    return _CLOCK in template or _GIVEN in template


def with_pinned_date(template: str, date: str) -> dict[str, Any]:
    """Options of `apply_chat_template` under which a template that `names_date` says this date, whatever the day.

    Args:
        template: a chat template.
        date: YYYY-MM-DD.
    """
    codes = _codes(datetime.date.fromisoformat(date))
    found: dict[str, Any] = {_GIVEN: f"{codes['%d']} {codes['%b']} {codes['%Y']}"}
    if _CLOCK in template:
        found |= {"chat_template": _MACRO + template, "pinned_date_codes": list(codes.items())}
    return found


def _codes(day: datetime.date) -> dict[str, str]:
    """Codes of `strftime` and what each stands for at midnight of a day; English, whatever the locale."""
    month, weekday = _MONTHS[day.month - 1], _DAYS[day.weekday()]
    numbers = {"%-d": str(day.day), "%-m": str(day.month), "%e": f"{day.day:2}", "%d": f"{day.day:02}"}
    numbers |= {"%m": f"{day.month:02}", "%Y": f"{day.year:04}", "%y": f"{day.year % 100:02}", "%j": f"{day:%j}"}
    names = {"%B": month, "%b": month[:3], "%h": month[:3], "%A": weekday, "%a": weekday[:3]}
    whole = {"%F": day.isoformat(), "%D": f"{day.month:02}/{day.day:02}/{day.year % 100:02}"}
    clock = {"%H": "00", "%I": "12", "%M": "00", "%S": "00", "%f": "000000", "%p": "AM", "%T": "00:00:00"}
    return {**numbers, **names, **whole, **clock, "%z": "", "%Z": "", "%%": "%"}
