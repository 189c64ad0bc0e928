"""Facts that stand in sentences, as in mails and files: how they get there, and the intents that find them there.

What a request asks for is found as a reader would find it; the tools only return the text. No category of its own.
"""

from __future__ import annotations

import datetime
import functools
import random
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alpha_umi_gym.intents import Gives, Intent, Slot, Values
from alpha_umi_gym.numbers import Quantity
from alpha_umi_gym.sampler import DroppedTask
from alpha_umi_gym.words import WordsFile


@dataclass(frozen=True)
class Fact:
    """One fact of the texts on a topic."""

    topic: str
    kind: str
    pattern: str
    """What to search for, with one group."""
    read: Callable[[str], Any] = str
    say: Callable[[Any], str] = str
    compares: str = ""


def asking(fact: Fact, words: WordsFile, *, tool: Callable[..., Any], place: str, slot: Slot, key: str = "") -> Intent:
    """The intent to get a fact by a tool whose parameter `place` names the text, found under `key` of its result."""

    def read(result: Any, _: Values) -> Any:
        match = re.search(fact.pattern, result[key] if key else result)
        if match is None:
            raise DroppedTask("the text does not say it")
        return fact.read(match[1])

    return Intent(
        tool=tool,
        words=words[f"{fact.topic}_{fact.kind}"],
        slots={place: slot},
        gives=Gives(kind=fact.kind, read=read, say=fact.say, compares=fact.compares),
    )


def quantity_in(unit: str) -> Callable[[str], Quantity]:
    """Reads the number before a unit."""
    return lambda text: Quantity(float(text) if "." in text else int(text), unit)


def said_quantity(value: Quantity) -> str:
    """3.5 km."""
    return f"{value.amount} {value.unit}"


def day_of_2024(chance: random.Random) -> datetime.date:
    """Any date of that year."""
    return datetime.date(2024, 1, 1) + datetime.timedelta(days=chance.randrange(366))


def as_texts(values: Values) -> dict[str, str]:
    """The arguments of a call that writes them: what flows in may be of any kind."""
    return {name: str(value) for name, value in values.items()}


def filled(template: str, makers: Mapping[str, Callable[[random.Random], object]], chance: random.Random) -> str:
    """A template with something in each of its places."""
    return template.format(**{name: makers[name](chance) for name in _places(template)})


@functools.cache
def _places(template: str) -> tuple[str, ...]:
    return tuple(field for _, field, _, _ in string.Formatter().parse(template) if field)
