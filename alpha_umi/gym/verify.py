"""Whether a trajectory that an agent produced solves a task of the gym: by facts, never by wording.

An answer passes when it states every fact of the task, each of them was observed on the way, and it does not
hide them in a list of everything. A task without a solution passes only when the agent gave up.
"""

from __future__ import annotations

from typing import NamedTuple

from alpha_umi.gym.facts import holds, values_in
from alpha_umi.trajectory import Outcome, Trajectory

MAX_VALUES_PER_FACT = 4
"""An answer with more distinct values than that, for each one needed, lists instead of answering."""

CLOSED_SETS = (
    frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}),
    frozenset({"packed", "shipped", "delivered"}),
)
"""Facts that could be had by naming every possibility: an answer may name two of a set at most."""


class Verdict(NamedTuple):
    """Whether a task was solved, and why not."""

    passed: bool
    reason: str


def verify(task: Trajectory, produced: Trajectory) -> Verdict:
    """Judge a produced trajectory by the facts and the outcome of the task's gold trajectory."""
    if task.outcome is Outcome.GAVE_UP:
        if produced.outcome is Outcome.GAVE_UP:
            return Verdict(True, "gave up, as it should")
        return Verdict(False, f"should have given up, but: {produced.outcome.value}")
    if produced.outcome is not Outcome.ANSWERED or not produced.answer:
        return Verdict(False, f"should have answered, but: {produced.outcome.value}")
    return _judge_answer(task, produced, produced.answer)


def _judge_answer(task: Trajectory, produced: Trajectory, answer: str) -> Verdict:
    facts = [str(fact) for fact in task.meta.get("facts", ())]
    seen = "\n".join(step.observation.text for step in produced.steps if step.observation is not None)
    for fact in facts:
        if not holds(answer, fact):
            return Verdict(False, f"the answer does not state {fact}")
        if not holds(seen, fact):
            return Verdict(False, f"the answer states {fact}, which no tool returned")
    needed = {value for fact in facts for value in values_in(fact)}
    stated = set(values_in(answer)) - set(values_in(task.query))
    limit = MAX_VALUES_PER_FACT * max(1, len(needed))
    if len(stated) > limit:
        return Verdict(False, f"the answer lists {len(stated)} values where {len(needed)} are needed")
    for closed in CLOSED_SETS:
        named = [word for word in closed if holds(answer, word)]
        if len(named) > 2 and any(fact.casefold() in closed for fact in facts):
            return Verdict(False, f"the answer names {len(named)} possibilities where one is needed")
    return Verdict(True, "states every fact")
