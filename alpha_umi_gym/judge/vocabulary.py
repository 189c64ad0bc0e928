"""What the judge is told of a world: names, words that can be facts, and units. Made by whoever has the world."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

_ONE_LETTER_TELLS = {"m", "g", "l"}
"""Other single letters are too often no unit: 5k, 7 s."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Vocabulary:
    """The names and words by which an answer is read; one is made for many verdicts."""

    closed_sets: tuple[frozenset[str], ...]
    """Sets of names and words, folded: where a fact is of one, an answer may name no other of it."""
    aliases: Mapping[str, tuple[str, ...]]
    """Fact -> the ways to say it (the United States, the USA)."""
    units: tuple[tuple[str, tuple[str, ...]], ...]
    """Units with words that mean them behind a number; a word that is none of these says nothing."""
    first_names: frozenset[str]
    last_names: frozenset[str]
    smallest: frozenset[str]
    """The wordings of a request that asks for the smallest of several things."""

    @functools.cached_property
    def compounds(self) -> frozenset[str]:
        """The names of several words: a shorter one inside of them is not meant."""
        return frozenset(name for names in self.closed_sets for name in names if " " in name)

    @functools.cached_property
    def folded_aliases(self) -> list[list[str]]:
        """Each fact that has other ways, with them."""
        return [[way.casefold() for way in (name, *ways)] for name, ways in self.aliases.items()]

    def unit_behind(self, text: str, end: int) -> str | None:
        """The unit that follows a place of a normalised text; None for a word that is none, or none that is known."""
        pattern, meaning = self._measures
        match = pattern.match(text, end)
        return meaning[match[1]] if match else None

    @functools.cached_property
    def _measures(self) -> tuple[re.Pattern[str], dict[str, str]]:
        """What matches a known unit right behind a number, and the unit that each word means."""
        said = ((word, unit) for unit, words in self.units for word in words)
        meaning = {word.casefold(): unit for word, unit in said if len(word) > 1 or word in {"%", *_ONE_LETTER_TELLS}}
        words = "|".join(re.escape(word) for word in sorted(meaning, key=len, reverse=True))
        return re.compile(
            rf"['\"*)]*[ -]?({words})(?![\w/^\u00b2\u00b3]| (?:per|an?) (?:hour|second)\b| squared\b| cubed\b)"
        ), meaning
