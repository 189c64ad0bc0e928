"""How people ask and how a planner thinks aloud, whatever the task is about: the frames of `frames.yaml`.

In a frame `goal` completes "I have to ...", `noun` names a value, `known` and `why` are statements without a full stop;
a place with a capital (`Goal`) begins a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from alpha_umi.digests import text_digest
from alpha_umi.trajectory import Frozen
from alpha_umi_gym.intents import Category, Intent
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.words import Templates
from alpha_umi_gym.yaml_data import read_as


class Frames(Frozen):
    """The lists of `frames.yaml`, which says what each is for."""

    noun: Templates
    goal: Templates
    first: Templates
    between: Templates
    last: Templates
    second: Templates
    referring: Mapping[str, Templates]
    list_all: Templates
    greatest: Templates
    smallest: Templates
    if_yes_first: Templates
    if_value_first: Templates
    above: Templates
    below: Templates
    after: Templates
    before: Templates
    opener: Templates
    aside: Templates
    closer: Templates
    start: Templates
    carry_on: Templates
    left: Templates
    decide_later: Templates
    conclude: Templates
    found_most: Templates
    answer_most: Templates
    denied: Templates
    retry: Templates
    correct: Templates
    decide: Templates
    no_way_on: Templates
    no_tool: Templates
    no_information: Templates

    @property
    def if_any(self) -> Templates:
        """Every frame of a decision: one that begins with what to do on each side of the split."""
        return (self.if_yes_first[0], *self.if_value_first, *self.if_yes_first[1:])


FRAMES = read_as(Frames, Path(__file__).with_name("frames.yaml"))


def capital(text: str) -> str:
    """With a capital first letter, where a sentence begins with a word and not with a tool's name."""
    first = text.split(" ", 1)[0]
    return text if "_" in first or "^" in first else text[:1].upper() + text[1:]


def referring(d: Sampler, intent: Intent) -> str:
    """Words that refer back to what an intent gives."""
    if intent.gives is None:
        return "it"
    kind = intent.gives.kind
    return d.any_value(FRAMES.referring.get(kind, (f"that {kind.replace('_', ' ')}",)))


def words_digest(categories: Iterable[Category]) -> str:
    """What the wordings of these categories and the frames say, as a digest: whatever files they are in."""
    worded = {
        category.name: [
            (i.name, i.goals, i.asks, i.gives and i.gives.nouns, i.found, i.answers) for i in category.intents
        ]
        for category in categories
    }
    return text_digest([worded, FRAMES.model_dump()])
