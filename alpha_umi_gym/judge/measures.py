"""Units behind a number, by the words people write: "45 minutes" is not 45 hours.

Owns which words mean the same unit. A word that it does not know says nothing. Knows nothing of conversion.
"""

from __future__ import annotations

import functools
import re

from alpha_umi_gym.domains.units.quantities import UNITS

_OTHERS = {
    "s": ("second", "seconds", "sec", "secs"),
    "min": ("minute", "minutes", "min", "mins"),
    "h": ("hour", "hours", "hrs"),
    "day": ("day", "days"),
    "week": ("week", "weeks"),
    "month": ("month", "months"),
    "year": ("year", "years"),
    "%": ("percent", "%", "per cent"),
    "byte": ("byte", "bytes"),
    "dollar": ("dollar", "dollars", "us dollars", "usd"),
    "euro": ("euro", "euros", "eur"),
    "tonne": ("tonne", "tonnes"),
    "km/h": ("km per hour", "kilometers an hour", "kilometres an hour", "km an hour", "kph"),
    "mph": ("miles an hour",),
    "m2": ("m^2", "m\u00b2", "meters squared", "metres squared", "sq m"),
    "km2": ("km^2", "km\u00b2", "sq km"),
}
_ONE_LETTER_TELLS = {"m", "g", "l"}
"""Other single letters are too often no unit: 5k, 7 s."""


@functools.cache
def _units() -> tuple[re.Pattern[str], dict[str, str]]:
    """What matches a known unit right behind a number, and the unit that each word means."""
    meaning = {word: unit for unit, words in _OTHERS.items() for word in words}
    for key, unit in UNITS.items():
        for word in (unit.written, unit.one, *unit.names):
            if len(word) > 1 or word in _ONE_LETTER_TELLS:
                meaning[word.casefold()] = key
    words = "|".join(re.escape(word) for word in sorted(meaning, key=len, reverse=True))
    return re.compile(
        rf"['\"*)]*[ -]?({words})(?![\w/^\u00b2\u00b3]| (?:per|an?) (?:hour|second)\b| squared\b| cubed\b)"
    ), meaning


def unit_behind(text: str, end: int) -> str | None:
    """The unit that follows a place of a normalised text; None for a word that is none, or none that is known."""
    pattern, meaning = _units()
    match = pattern.match(text, end)
    return meaning[match[1]] if match else None
