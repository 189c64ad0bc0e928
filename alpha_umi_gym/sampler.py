"""Chance, and the line between train and test: test requests use wordings and values that training never uses.

Everything random in a task comes from here, so a task is the same on every machine. Knows nothing of tools.
"""

from __future__ import annotations

import datetime
import random
import zlib
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from alpha_umi_gym.world import World

Split = Literal["train", "unseen_instructions", "unseen_tools", "unseen_categories"]
"""As in ToolBench: the test splits hold unseen wordings and values; the last two hold unseen tools as well."""
T = TypeVar("T")
NOTHING_SUCH = "no intent of this kind"
"""The reason for which no task of a kind can be made."""

_PLAINEST = 0.5
TEST_SHARE = 5
"""One value of that many is for test only."""
FIRST_DAY, LAST_DAY = datetime.date(2015, 1, 1), datetime.date(2024, 12, 31)
"""Past dates only: their clock changes can no longer be revised by a newer time zone database."""


class DroppedTask(Exception):
    """This task cannot be made; the generator draws another and counts the reason."""


def for_split(templates: Sequence[T], *, test: bool, of: int = 3) -> Sequence[T]:
    """The wordings of one side: the last third (one part of `of`), at least one, is for test only."""
    held = max(1, len(templates) // of)
    if held == len(templates):
        return templates  # a single word is nobody's own
    return templates[-held:] if test else templates[:-held]


def is_for_test(value: object) -> bool:
    """Whether a value is for test only; a checksum, so that it is the same in every process."""
    return zlib.crc32(str(value).encode()) % TEST_SHARE == 0


class Sampler:
    """The random choices of one task, all from its own seed."""

    def __init__(
        self, chance: random.Random, *, split: Split, world: World, is_overused: Callable[[str], bool] = lambda _: False
    ) -> None:
        self.chance, self.split, self.world = chance, split, world
        self._is_overused = is_overused
        """Whether a wording stands behind as many requests as it may."""
        self.test = split != "train"
        self.wordings: list[str] = []
        """The templates drawn so far, for the count of how often each is used."""
        self.values: list[str] = []
        """The values drawn so far that belong to one side only."""

    def wording(self, templates: Sequence[str]) -> str:
        """One of this side's frames, which every request needs: half of them are for test."""
        return self._worded(for_split(templates, test=self.test, of=2))

    def _worded(self, templates: Sequence[str]) -> str:
        """One that has not been used too often."""
        fresh = [template for template in templates if not self._is_overused(template)]
        if not fresh:
            raise DroppedTask("its words were used often enough")
        template = self.chance.choice(fresh)
        self.wordings.append(template)
        return template

    def thought(self, templates: Sequence[str]) -> str:
        """Words of a rationale: in every split those of training, so that no rationale gives a test wording away.

        The first, which is the plainest, most often: what varies by chance alone cannot be learned.
        """
        allowed = for_split(templates, test=False)
        return allowed[0] if self.chances(_PLAINEST) else self.chance.choice(allowed)

    def phrase(self, templates: Sequence[str]) -> str:
        """One of an intent's own wordings: all of them are unseen when its tool is."""
        if self.split in {"train", "unseen_instructions"}:
            return self.wording(templates)
        return self._worded(templates)

    def any_value(self, values: Sequence[T]) -> T:
        """One of a closed set (units, measures), whatever the split."""
        return self.chance.choice(values)

    def from_short_list(self, values: Sequence[T]) -> T:
        """One of a short list (unknown places, vague words), the last third of which is for test."""
        return self.chance.choice(for_split(values, test=self.test))

    def split_value(self, values: Sequence[T]) -> T:
        """One of an open set (cities, products, numbers), of this side only."""
        for _ in range(100):
            value = self.chance.choice(values)
            if is_for_test(value) == self.test:
                self.values.append(str(value))
                return value
        raise DroppedTask("no value of this split")

    def chances(self, probability: float) -> bool:
        """True with this probability."""
        return self.chance.random() < probability

    def integer(self, low: int, high: int) -> int:
        """A whole number of this side, both ends included."""
        return self.split_value(range(low, high + 1))

    def decimal(self, low: int, high: int) -> int | float:
        """A number with one decimal of this side; integral ones are int."""
        tenths = self.split_value(range(low * 10, high * 10 + 1))
        return tenths // 10 if tenths % 10 == 0 else tenths / 10

    def date(self, first: datetime.date = FIRST_DAY, last: datetime.date = LAST_DAY) -> str:
        """An ISO date of this side."""
        days = (last - first).days
        return self.split_value(
            [str(first + datetime.timedelta(days=self.chance.randrange(days + 1))) for _ in range(40)]
        )

    def misspell(self, value: object) -> str:
        """A slip of the pen: two inner letters swapped, or one left out or doubled."""
        word = str(value)
        if len(word) < 4:
            raise DroppedTask("too short to be misspelt")
        at = self.chance.randrange(1, len(word) - 1)
        slips = [word[:at] + word[at + 1] + word[at] + word[at + 2 :], word[:at] + word[at + 1 :]]
        slip = self.chance.choice([*slips, word[:at] + word[at] + word[at:]])
        if slip == word or not slip.replace(" ", "").isalpha():
            raise DroppedTask("the slip changed nothing")
        return slip
