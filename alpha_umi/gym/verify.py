"""Whether a trajectory that an agent produced solves a task of the gym: by execution, never by wording.

The produced calls are carried out again in a fresh world. An answer passes when it states every fact of the task, each
of them was really observed, it does not hide them in a list of everything, and the world is left exactly as the gold
trajectory leaves it. A task without a solution passes when the agent gave up, or said that it cannot be done, and
changed nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from alpha_umi.gym.facts import holds, normalised, states, values_in
from alpha_umi.gym.registry import categories
from alpha_umi.gym.world import World
from alpha_umi.tools.base import Toolbox
from alpha_umi.trajectory import Outcome, Trajectory

MAX_VALUES_PER_FACT = 4
"""An answer with more distinct values than that, for each one needed, lists instead of answering."""
MAX_ANSWER_CHARS = 2000
"""A longer answer does not answer: no task of the gym needs it."""

_UNABLE = re.compile(
    r"\b(?:can(?:no|')t|could(?: no|n')t|unable|not (?:able|possible|available|allowed|permitted|offered|supported)|"
    r"impossible|no (?:tool|way|such|access|permission)|do(?:es)?(?: no|n')t (?:exist|know|have|say)|unknown|"
    r"there (?:is|are) no|missing|not found|give up|sorry)\b"
)


Code = Literal[
    "solved", "gave_up_rightly", "gave_up_wrongly", "no_answer", "wrong_answer", "not_observed", "lists_everything",
    "wrong_change", "answered_the_impossible", "forged",
]  # fmt: skip
"""Kinds of verdict, for counting."""


class Verdict(NamedTuple):
    """Whether a task was solved, and why not."""

    passed: bool
    code: Code
    reason: str


def replayed(produced: Trajectory, box: Toolbox) -> Trajectory:
    """The same calls carried out again, with what they return now."""
    steps = [
        step if step.call is None else step.model_copy(update={"observation": box.invoke(step.call)})
        for step in produced.steps
    ]
    return produced.model_copy(update={"steps": tuple(steps)})


def verify(task: Trajectory, produced: Trajectory, *, world: World | None = None) -> Verdict:
    """Judge a produced trajectory by the facts, the changes and the outcome of a task's gold trajectory.

    `world` is the world in which the produced calls were carried out; without it they are carried out again.
    """
    if world is None:
        from alpha_umi.gym.tasks import task_world

        box, world = task_world(task)
        again = replayed(produced, box)
        if [s.observation for s in again.steps] != [s.observation for s in produced.steps]:
            return Verdict(False, "forged", "an observation is not what the tool returns")
        produced = again
    changes = world.changes()
    if task.outcome is Outcome.GAVE_UP:
        return _judge_refusal(task, produced, changes)
    if produced.outcome is not Outcome.ANSWERED or not produced.answer or not produced.answer.strip():
        code: Code = "gave_up_wrongly" if produced.outcome is Outcome.GAVE_UP else "no_answer"
        return Verdict(False, code, f"should have answered, but: {produced.outcome.value}")
    wanted = task.meta["changes"]
    if _plain(changes) != _plain(wanted):
        extra = sorted(set(changes) - set(wanted))
        what = f"{', '.join(extra)} should not have changed" if extra else "not the changes asked for"
        return Verdict(False, "wrong_change", what)
    return _judge_answer(task, produced, produced.answer)


def _plain(changes: object) -> object:
    """Changes as JSON gives them back: tuples are lists, keys are strings, texts are compared normalised."""
    if isinstance(changes, Mapping):
        return {normalised(str(key)): _plain(value) for key, value in changes.items()}
    if isinstance(changes, list | tuple):
        return [_plain(value) for value in changes]
    return normalised(changes).strip(" .!") if isinstance(changes, str) else changes


def _judge_refusal(task: Trajectory, produced: Trajectory, changes: Mapping[str, object]) -> Verdict:
    if changes:
        return Verdict(False, "wrong_change", f"{', '.join(sorted(changes))} should not have changed")
    if produced.outcome is Outcome.GAVE_UP:
        return Verdict(True, "gave_up_rightly", "gave up, as it should")
    if produced.outcome is Outcome.ANSWERED and produced.answer and _says_so(task, produced.answer):
        return Verdict(True, "gave_up_rightly", "said that it cannot be done")
    return Verdict(False, "answered_the_impossible", f"should have given up, but: {produced.outcome.value}")


def _says_so(task: Trajectory, answer: str) -> bool:
    """Whether an answer says that it cannot be done and invents no value beside it."""
    invented = set(values_in(answer)) - set(values_in(task.query))
    return len(answer) <= MAX_ANSWER_CHARS and not invented and _UNABLE.search(normalised(answer)) is not None


def _judge_answer(task: Trajectory, produced: Trajectory, answer: str) -> Verdict:
    if len(answer) > MAX_ANSWER_CHARS:
        return Verdict(False, "lists_everything", f"the answer has {len(answer)} characters")
    facts = [fact for fact in task.meta["facts"] if isinstance(fact, str)]
    seen = "\n".join(step.observation.text for step in produced.steps if step.observation is not None)
    for fact in facts:
        if not states(answer, fact):
            return Verdict(False, "wrong_answer", f"the answer does not state {fact}")
        if not holds(seen, fact):
            return Verdict(False, "not_observed", f"the answer states {fact}, which no tool returned")
    special = [fact for fact in task.meta["facts"] if isinstance(fact, Mapping)]
    return _judge_special(special, answer, seen) or _judge_length(task, answer, facts)


def _judge_special(facts: list[Mapping[str, Any]], answer: str, seen: str) -> Verdict | None:
    """Facts that are more than a value; None when all are right."""
    for fact in facts:
        if "choice" in fact and _first_named(answer, fact["among"]) != fact["choice"]:
            return Verdict(False, "wrong_answer", f"the answer does not choose {fact['choice']}")
        if "exact" in fact and fact["exact"] not in answer:
            return Verdict(False, "wrong_answer", f"the answer does not state {fact['exact']}")
        if "exact" in fact and fact["exact"] not in seen:
            return Verdict(False, "not_observed", f"the answer states {fact['exact']}, which no tool returned")
    return None


def _judge_length(task: Trajectory, answer: str, facts: list[str]) -> Verdict:
    """An answer that names everything names the right thing too, and is none."""
    needed = {value for fact in facts for value in values_in(fact)}
    stated = set(values_in(answer)) - set(values_in(task.query))
    if len(stated) > MAX_VALUES_PER_FACT * max(1, len(needed)):
        return Verdict(
            False, "lists_everything", f"the answer lists {len(stated)} values where {len(needed)} are needed"
        )
    for closed in (words for category in categories().values() for words in category.closed_sets):
        if not (asked := {fact.casefold() for fact in facts} & closed):
            continue
        named = [word for word in closed if holds(answer, word)]
        if len(named) > len(asked) + 1:
            return Verdict(
                False, "lists_everything", f"the answer names {len(named)} possibilities where {len(asked)} are needed"
            )
    return Verdict(True, "solved", "states every fact")


def _first_named(answer: str, names: list[str]) -> str | None:
    """The name that an answer gives first: the one it chooses."""
    text = normalised(answer)
    places = {name: text.find(normalised(name)) for name in names}
    found = {name: at for name, at in places.items() if at >= 0}
    return min(found, key=lambda name: (found[name], -len(name))) if found else None
