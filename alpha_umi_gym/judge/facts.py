"""Facts in free text: numbers, dates and clock times are compared by value, other facts as words.

`1,234.50` is 1234.5, `May 4, 2024` is 2024-05-04, `2:05 pm` is 14:05. So digits pass in any language, while whatever is
written in words (months, weekdays, yes and no, "four", "noon") is read in English only: "lundi" does not state Monday,
because a word cannot be told from another word without knowing every language. Knows nothing of trajectories.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

MAX_PLACES = 9
"""A number with more decimals rounds nothing: no tool of the gym gives so many."""

_YEAR = "january february march april may june july august september october november december"
_MONTHS = _YEAR.split()
_MONTH = "(" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS).replace("sep(?:", "sep(?:t|") + r")\.?"
_DAY = r"([0-9]{1,2})(?:st|nd|rd|th)?"
_DAY_FIRST = re.compile(rf"\b{_DAY}(?: of)?[ -]{_MONTH},?[ -]([0-9]{{4}})\b")
_MONTH_FIRST = re.compile(rf"\b{_MONTH} {_DAY},? ([0-9]{{4}})\b")
_SLASHED = re.compile(r"(?<![\w/.])([12][0-9]{3})/(0[1-9]|1[0-2])/(0[1-9]|[12][0-9]|3[01])(?![\w/])")
_MOMENT = re.compile("[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
# 13.04.2020, and 04/13/2020 or 13/04/2020 where only one reading is a date.
_DOTTED = re.compile(r"(?<![\w/.-])(0?[1-9]|[12][0-9]|3[01])\.(0?[1-9]|1[0-2])\.([12][0-9]{3})(?!\w|[./-]\w)")
_STROKES = re.compile(r"(?<![\w/.-])([0-9]{1,2})/([0-9]{1,2})/([12][0-9]{3})(?!\w|[./-]\w)")
_DIGIT = re.compile("[0-9]")
_ISO_MOMENT = re.compile(r"(?<=[0-9])t(?=[0-9]{2}:)")
_CLOCK = re.compile(r"\b([0-9]{1,2}):([0-9]{2})(?::00)?(?: ?([ap])\.?m\b\.?| in the (morning|afternoon|evening)\b)?")
_HOUR = re.compile(r"(?<![\w.:-])(1[0-2]|0?[1-9]) ?([ap])\.?m\b\.?")
_TWELVE = re.compile(r"(?<![\w.:-])12 (noon|midnight)\b")
# Between two numbers it is an operation.
_MINUS = re.compile(r"(?<![0-9] )\bminus (?=[0-9])")
_COMPASS = re.compile(r"\b(north|south)[- ](?=(?:east|west)\b)")
_SIGNS = str.maketrans("\u2212\u2013\u00a0\u202f\u2018\u2019\u201c\u201d", "--  ''\"\"")
_VALUE = re.compile(
    r"(?<![\w.])(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9])"
    r"|(?<![\w.:])(?P<clock>[0-9]{2}:[0-9]{2})(?![:0-9])"
    # Not in a compact list: [5,127] holds two numbers.
    r"|(?<![\w.])(?P<number>(?:(?<!\w)-)?"
    r"(?:(?:(?<![\[,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,\]])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+))"
)

_UNITS = "zero one two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_NUMBER_WORDS = [*_UNITS.split(), *_TEENS.split()]
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_HALVES = {"morning": "a", "afternoon": "p", "evening": "p"}
_SPELT = re.compile(
    r"\b(?=[efmnostz])(?<!-)"
    + "".join(f"(?<!{before} )" for before in (*_TENS, "hundred", "hundred and", "thousand and", "point"))
    + r"(?P<minus>minus )?(?P<word>"
    # "No one knows this one", "one of them": no number.
    + "".join(f"(?<!{before} )" for before in ("no", "this", "that", "the", "which", "each", "any", "every", "some"))
    + rf"one(?! of\b)|{'|'.join(word for word in _NUMBER_WORDS if word != 'one')}"
    + rf"|(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_NUMBER_WORDS[1:10])}))?)"
    + rf"\b(?![- ](?:{'|'.join(_NUMBER_WORDS[1:10])}|hundred|thousand|million|dozen|point|and a half)\b)"
)
# "I cannot do that" states no Roman numeral.
_PRONOUN = re.compile(r"'| (?!(?:is|in|for|as|and|or|stands)\b)[a-z]")
_NOTHING = re.compile(
    r"\bnone\b(?! of (?:the|these|my|them)\b)|"
    r"\bno (?:such |more |other )?(?!(?:tools|ways|means|ideas|clues|"
    r"details|results|answers|doubts|problems|errors|rights|others)\b)[a-z]{2,}s\b"
)
_WORDED_CLOCKS = {"12:00": re.compile(r"\bnoon\b"), "00:00": re.compile(r"\bmidnight\b")}


class Span(NamedTuple):
    """A part of a normalised text."""

    start: int
    end: int


class Placed(NamedTuple):
    """A value and where a normalised text gives it."""

    value: str
    start: int
    end: int


@functools.lru_cache(maxsize=1024)
def normalised(text: str) -> str:
    """The text with dates, clock times, signs and quotation marks in one form, lower case."""
    text = text.casefold()
    if not text.isascii():
        text = text.translate(_SIGNS)
    if "/" in text:
        text = _STROKES.sub(_by_strokes, _SLASHED.sub(r"\1-\2-\3", text))
    if "minus" in text:
        text = _MINUS.sub("-", text)
    if "north" in text or "south" in text:
        text = _COMPASS.sub(r"\1", text)
    if not _DIGIT.search(text):
        return text
    text = _ISO_MOMENT.sub(" ", text)
    text = _DAY_FIRST.sub(lambda m: f"{m[3]}-{_month(m[2])}-{int(m[1]):02}", text)
    text = _MONTH_FIRST.sub(lambda m: f"{m[3]}-{_month(m[1])}-{int(m[2]):02}", text)
    if text.count(".") > 1:
        text = _DOTTED.sub(lambda m: f"{m[3]}-{int(m[2]):02}-{int(m[1]):02}", text)
    text = _CLOCK.sub(lambda m: _clock(int(m[1]), m[2], m[3] or _HALVES.get(m[4])), text)
    text = _HOUR.sub(lambda m: _clock(int(m[1]), "00", m[2]), text)
    return _TWELVE.sub(lambda m: "12:00" if m[1] == "noon" else "00:00", text)


def _by_strokes(match: re.Match[str]) -> str:
    """A date with strokes, where its day can be told from its month."""
    first, second = int(match[1]), int(match[2])
    if 12 < first <= 31 and 0 < second <= 12:
        first, second = second, first
    return f"{match[3]}-{first:02}-{second:02}" if 0 < first <= 12 < second <= 31 else match[0]


def _month(name: str) -> str:
    return f"{1 + next(i for i, month in enumerate(_MONTHS) if month.startswith(name[:3])):02}"


def _clock(hour: int, minutes: str, half: str | None) -> str:
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour:02}:{minutes}"


def values_in(text: str) -> list[str]:
    """The numbers, dates and clock times of a text in one form, in order, repetitions included."""
    return [placed.value for placed in values_placed(text)]


@functools.lru_cache(maxsize=1024)
def values_placed(text: str) -> tuple[Placed, ...]:
    """The same, with where they stand in the normalised text."""
    found = _VALUE.finditer(normalised(text))
    return tuple(Placed(_plain(m["number"]) if m["number"] else m[0], m.start(), m.end()) for m in found)


@functools.lru_cache(maxsize=1024)
def spelt_placed(text: str) -> tuple[Placed, ...]:
    """The numbers from zero to ninety-nine that a text gives in English words; these are no values of `values_in`."""
    return tuple(
        Placed(("-" if m["minus"] else "") + str(_spelt(m["word"])), m.start(), m.end())
        for m in _SPELT.finditer(normalised(text))
    )


def _spelt(word: str) -> int:
    """The number that a word is."""
    if word in _NUMBER_WORDS:
        return _NUMBER_WORDS.index(word)
    tens, _, ones = word.replace("-", " ").partition(" ")
    return 20 + 10 * _TENS.index(tens) + (_NUMBER_WORDS.index(ones) if ones else 0)


def _plain(number: str) -> str:
    plain = f"{Decimal(number.replace(',', '')):f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    whole = plain.lstrip("-").lstrip("0") or "0"
    whole = f"0{whole}" if whole.startswith(".") else whole
    return f"-{whole}" if plain.startswith("-") and whole != "0" else whole


def holds(text: str, fact: str) -> bool:
    """Whether a text gives a fact as it is: its value, or its words."""
    value = as_value(fact)
    if value is not None:
        return any(placed.value == value for placed in values_placed(text))
    return next(_worded(text, fact), None) is not None


def without_year(fact: str) -> list[str]:
    """The ways to say a date whose year is known, normalised: "april 13", "13th of april"; none for other facts."""
    if not _MOMENT.fullmatch(fact):
        return []
    month, day = _MONTHS[int(fact[5:7]) - 1], int(fact[8:])
    days = [str(day), f"{day}{'th' if 10 < day < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"]
    return [way for d in days for m in (month, month[:3]) for way in (f"{m} {d}", f"{d} {m}", f"{d} of {m}")]


def states(text: str, fact: str) -> bool:
    """Whether a text states a fact, or rounds its number: 1083.25 for 1083.2494, but to three digits at least."""
    return holds(text, fact) or bool(stated(text, fact))


@functools.lru_cache(maxsize=1024)
def stated(text: str, fact: str) -> tuple[Span, ...]:
    """Where a normalised text states a fact, in order."""
    value = as_value(fact)
    if value is None:
        return tuple(_worded(text, fact))
    found = [Span(p.start, p.end) for p in values_placed(text) if p.value == value or rounds(p.value, value)]
    if value.lstrip("-").isdigit() and len(value) <= 3:
        found += [Span(p.start, p.end) for p in spelt_placed(text) if p.value == value]
    if value == "0":
        found += [Span(m.start(), m.end()) for m in _NOTHING.finditer(normalised(text))]
    if value in _WORDED_CLOCKS:
        found += [Span(m.start(), m.end()) for m in _WORDED_CLOCKS[value].finditer(normalised(text))]
    return tuple(sorted(found))


def _worded(text: str, fact: str) -> Iterator[Span]:
    text, words = normalised(text), normalised(fact)
    found = standing(text, words)
    return (span for span in found if not _PRONOUN.match(text, span.end)) if words == "i" else found


def standing(text: str, words: str) -> Iterator[Span]:
    """Where words stand in a text, not as a part of longer words; both are normalised."""
    start = text.find(words) if words else -1
    while start >= 0:
        end = start + len(words)
        if not (start and _in_word(text[start - 1])) and not (end < len(text) and _in_word(text[end])):
            yield Span(start, end)
        start = text.find(words, start + 1)


def _in_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


@functools.lru_cache(maxsize=1024)
def as_value(fact: str) -> str | None:
    """The value that a fact is, in its one form; None for words."""
    match = _VALUE.fullmatch(normalised(fact).strip())
    if match is None:
        return None
    return _plain(match["number"]) if match["number"] else match[0]


def rounds(value: str, exact: str) -> bool:
    """Whether a number is another one rounded; a tie may go either way, as it does in decimals and in floats."""
    if ":" in exact or "-" in exact[1:] or ":" in value or "-" in value[1:]:
        return False
    places = len(value.partition(".")[2])
    digits = len(value.lstrip("-").replace(".", "").lstrip("0"))
    if places > MAX_PLACES or digits < 3:
        return False
    return abs(Decimal(value) - Decimal(exact)) <= Decimal(5).scaleb(-places - 1)
