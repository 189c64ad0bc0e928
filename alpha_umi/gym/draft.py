"""A task while it is being told: a scenario asks, calls real tools, and answers or gives up.

Owns chance and wording, and the line between train and test: test questions use wordings and values that train
questions never use. What a call returns is what the tool returned in this episode's world, so an answer can only
be written from it. Knows nothing of which scenarios exist.
"""

from __future__ import annotations

import datetime
import json
import random
import zlib
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from alpha_umi.gym import wording
from alpha_umi.gym.world import World
from alpha_umi.tools.base import Toolbox
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step

Split = Literal["train", "test"]
T = TypeVar("T")

TEST_WORDINGS = 2
"""The last that many templates of every question are for test only."""
TEST_SHARE = 5
"""One value of that many is for test only."""
FIRST_DAY, LAST_DAY = datetime.date(2015, 1, 1), datetime.date(2024, 12, 31)
"""Past dates only: their clock changes can no longer be revised by a newer time zone database."""


class DroppedTask(Exception):
    """This task cannot be told; the generator draws another and counts the reason."""


class Draft:
    """One task in the making."""

    def __init__(self, chance: random.Random, *, split: Split, world: World, toolbox: Toolbox) -> None:
        self.chance, self.split, self.world = chance, split, world
        self.query = ""
        self.goal = ""
        """What the first call was for; what nobody can do when its tool is not offered."""
        self.steps: list[Step] = []
        self.facts: list[str] = []
        self.answer_text: str | None = None
        self.outcome = Outcome.UNFINISHED
        self._toolbox = toolbox

    # Values

    def _is_ours(self, value: object) -> bool:
        """Whether a value belongs to this split; a checksum, so that it is the same in every process."""
        for_test = zlib.crc32(str(value).encode()) % TEST_SHARE == 0
        return for_test == (self.split == "test")

    def integer(self, low: int, high: int) -> int:
        """A whole number of this split, both ends included."""
        return self.choose(range(low, high + 1))

    def decimal(self, low: int, high: int) -> float:
        """A number with one decimal of this split; integral ones are int."""
        tenths = self.choose(range(low * 10, high * 10 + 1))
        return tenths // 10 if tenths % 10 == 0 else tenths / 10

    def date(self) -> str:
        """An ISO date of this split."""
        days = (LAST_DAY - FIRST_DAY).days
        return self.choose([str(FIRST_DAY + datetime.timedelta(days=n)) for n in self.chance.sample(range(days), 40)])

    def choose(self, values: Sequence[T]) -> T:
        """One of an open set (cities, products, numbers), of this split only."""
        for _ in range(100):
            value = self.chance.choice(values)
            if self._is_ours(value):
                return value
        raise DroppedTask("no value of this split")

    def any_of(self, values: Sequence[T]) -> T:
        """One of a closed set (units, measures), whatever the split."""
        return self.chance.choice(values)

    def misspell(self, word: str) -> str:
        """A slip of the pen: two inner letters swapped, or one left out or doubled."""
        at = self.chance.randrange(1, len(word) - 1)
        slips = [word[:at] + word[at + 1] + word[at] + word[at + 2 :], word[:at] + word[at + 1 :]]
        slip = self.chance.choice([*slips, word[:at] + word[at] + word[at:]])
        if slip == word or not slip.replace(" ", "").isalpha():
            raise DroppedTask("the slip changed nothing")
        return slip

    # The story

    def ask(self, templates: Sequence[str], **values: object) -> None:
        """Set the question in one of the wordings of this split."""
        ours = templates[-TEST_WORDINGS:] if self.split == "test" else templates[:-TEST_WORDINGS]
        self.query = self.chance.choice(ours).format(**values)

    def call(self, goal: str, tool: str, *, known: str = "", **arguments: object) -> Any:
        """Call a tool that must succeed; returns its result, decoded when it is JSON.

        `goal` completes "I have to ..."; `known` is what an earlier call gave and this one uses.
        """
        seen = self._step(goal, tool, known, arguments)
        if not seen.ok:
            raise DroppedTask(f"{tool} failed")
        try:
            return json.loads(seen.text)
        except ValueError:
            return seen.text

    def call_in_vain(self, goal: str, tool: str, **arguments: object) -> str:
        """Call a tool that must fail; returns the words of its error."""
        seen = self._step(goal, tool, "", arguments)
        if seen.ok:
            raise DroppedTask(f"{tool} did not fail")
        return seen.text

    def _step(self, goal: str, tool: str, known: str, arguments: dict[str, object]) -> Observation:
        self.goal = self.goal or goal
        pool = wording.CONTINUE if known else wording.START
        rationale = self.chance.choice(pool).format(goal=goal, tool=tool, known=known, Known=_capital(known))
        call = Call(tool=tool, arguments=arguments)
        seen = self._toolbox.invoke(call)
        plan = Plan(rationale=rationale, decision=Decision.CALL)
        self.steps.append(Step(plan=plan, call=call, observation=seen))
        return seen

    def answer(self, known: str, answers: Sequence[str], *, facts: Sequence[object], **values: object) -> None:
        """Conclude: `known` is the finding for the rationale, `facts` are what the answer must hold."""
        self.facts = [str(fact) for fact in facts]
        self.answer_text = self.chance.choice(answers).format(**values)
        self.outcome = Outcome.ANSWERED
        self._end(Decision.SUMMARIZE, self.chance.choice(wording.CONCLUDE).format(known=known, Known=_capital(known)))

    def give_up(self, why: str, *, goal: str = "") -> None:
        """Conclude that a failed call cannot be mended: `why` is the failure in words."""
        goal = goal or self.goal
        text = self.chance.choice(wording.NO_WAY_ON).format(why=why, Why=_capital(why), goal=goal)
        self._end(Decision.GIVE_UP, text)
        self.outcome = Outcome.GAVE_UP

    def decline(self, goal: str, offered: Sequence[str]) -> None:
        """Conclude at once that no offered tool can do it; what was told so far is forgotten."""
        self.steps, self.facts, self.answer_text = [], [], None
        names = ", ".join(offered[:-1]) + f" and {offered[-1]}"
        self._end(Decision.GIVE_UP, self.chance.choice(wording.NO_TOOL).format(goal=goal, names=names))
        self.outcome = Outcome.GAVE_UP

    def _end(self, decision: Decision, rationale: str) -> None:
        self.steps.append(Step(plan=Plan(rationale=rationale, decision=decision)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
