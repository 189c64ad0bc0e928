"""Facts in free text: numbers, dates and clock times are compared by value, other facts as words.

`1,234.50` is 1234.5, `May 4, 2024` is 2024-05-04, `2:05 pm` is 14:05. Knows nothing of trajectories.
"""

from __future__ import annotations

import functools
import re
from decimal import Decimal

_YEAR = "january february march april may june july august september october november december"
_MONTHS = _YEAR.split()
_MONTH = "(" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS) + r")\.?"
_DAY = r"([0-9]{1,2})(?:st|nd|rd|th)?"
_DAY_FIRST = re.compile(rf"\b{_DAY}(?: of)? {_MONTH},? ([0-9]{{4}})\b")
_MONTH_FIRST = re.compile(rf"\b{_MONTH} {_DAY},? ([0-9]{{4}})\b")
_CLOCK = re.compile(r"\b([0-9]{1,2}):([0-9]{2})(?::00)?(?: ?([ap])\.?m\b\.?)?")
_VALUE = re.compile(
    r"(?<![\w.])(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9])"
    r"|(?<![\w.:])(?P<clock>[0-9]{2}:[0-9]{2})(?![:0-9])"
    # Not in a compact list: [5,127] holds two numbers.
    r"|(?<![\w.])(?P<number>(?:(?<!\w)-)?(?:(?<![\[,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,\]])|[0-9]+)(?:\.[0-9]+)?)"
)


@functools.lru_cache(maxsize=1024)
def normalised(text: str) -> str:
    """The text with dates, clock times and signs in one form, lower case."""
    text = text.casefold().replace("\u2212", "-").replace("\u00a0", " ").replace("\u202f", " ")
    text = re.sub(r"(?<=[0-9])t(?=[0-9]{2}:)", " ", text)
    text = _DAY_FIRST.sub(lambda m: f"{m[3]}-{_month(m[2])}-{int(m[1]):02}", text)
    text = _MONTH_FIRST.sub(lambda m: f"{m[3]}-{_month(m[1])}-{int(m[2]):02}", text)
    return _CLOCK.sub(_clock, text)


def _month(name: str) -> str:
    return f"{1 + next(i for i, month in enumerate(_MONTHS) if month.startswith(name[:3])):02}"


def _clock(match: re.Match[str]) -> str:
    hour = int(match[1])
    if match[3] and 1 <= hour <= 12:
        hour = hour % 12 + (12 if match[3] == "p" else 0)
    return f"{hour:02}:{match[2]}"


def values_in(text: str) -> list[str]:
    """The numbers, dates and clock times of a text in one form, in order, repetitions included."""
    found = _VALUE.finditer(normalised(text))
    return [_plain(match["number"]) if match["number"] else match[0] for match in found]


def _plain(number: str) -> str:
    plain = f"{Decimal(number.replace(',', '')):f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    whole = plain.lstrip("-").lstrip("0") or "0"
    whole = f"0{whole}" if whole.startswith(".") else whole
    return f"-{whole}" if plain.startswith("-") and whole != "0" else whole


def holds(text: str, fact: str) -> bool:
    """Whether a text states a fact."""
    wanted = values_in(fact)
    if wanted and re.fullmatch(_VALUE, normalised(fact).strip()):
        return wanted[0] in values_in(text)
    return re.search(rf"(?<!\w){re.escape(normalised(fact))}(?!\w)", normalised(text)) is not None


def states(text: str, fact: str) -> bool:
    """Whether a text states a fact, or rounds its number: 1083.25 for 1083.2494, but to three digits at least."""
    if holds(text, fact):
        return True
    match = re.fullmatch(_VALUE, normalised(fact).strip())
    if match is None or not match["number"]:
        return False
    exact = Decimal(_plain(match["number"]))
    return any(_rounds(Decimal(value), exact) for value in values_in(text) if re.fullmatch(r"-?[0-9.]+", value))


def _rounds(stated: Decimal, exact: Decimal) -> bool:
    places = -int(stated.as_tuple().exponent)
    digits = len(f"{abs(stated)}".replace(".", "").lstrip("0"))
    return places >= 0 and digits >= 3 and round(exact, places) == stated
