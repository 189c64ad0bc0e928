"""Whether a trajectory that an agent produced solves a task of the gym: by execution, never by wording.

The produced calls are carried out again in a fresh world. An answer passes when it states every fact of the task, each
of them was really observed, it does not hide them in a list of everything, and the world is left exactly as the gold
trajectory leaves it. A task without a solution passes when the agent gave up, or said that it cannot be done, and
changed nothing. Knows no world: what it needs of one comes in as a `Vocabulary`.

Beside `passed` stands `basic`, the three checks that others' judges make: the world, the facts that the answer has, and
whether a tool returned them. How the answer says them is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from alpha_umi.tasks import Verdict
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.trajectory import Outcome, Trajectory
from alpha_umi_gym.judge.entities import chosen, places, swapped
from alpha_umi_gym.judge.facts import as_value, holds, normalised, stated, values_in, without_year
from alpha_umi_gym.judge.hedging import too_many
from alpha_umi_gym.judge.negation import Fits, asserts, denied, mentions
from alpha_umi_gym.judge.refusal import invents, refuses, says_undone
from alpha_umi_gym.judge.vocabulary import Vocabulary
from alpha_umi_gym.task import Choice, Exact, GymTask
from alpha_umi_gym.world import World

MAX_ANSWER_CHARS = 2000
"""A longer answer does not answer: no task of the gym needs it."""

_KEY = re.compile(r'"\w+": ?')
_LETTERS = re.compile(r"[^\W\d_]+")

Code = Literal[
    "solved", "gave_up_rightly", "gave_up_wrongly", "no_answer", "wrong_answer", "not_observed", "lists_everything",
    "wrong_change", "answered_the_impossible", "forged",
]  # fmt: skip
"""Kinds of verdict, for counting."""
_Wrong = tuple[Code, str]
"""What is wrong with an answer, and the reason in words."""


def _failed(code: Code, reason: str, *, basic: bool = False) -> Verdict:
    return Verdict(passed=False, basic=basic, code=code, reason=reason)


def _passed(code: Code, reason: str) -> Verdict:
    return Verdict(passed=True, basic=True, code=code, reason=reason)


def is_forged(produced: Trajectory, fresh: Toolbox) -> bool:
    """Whether an observation is not what the tools return when the same calls are carried out again."""
    return any(fresh.invoke(step.call) != step.observation for step in produced.steps if step.call is not None)


def verify(
    task: GymTask, produced: Trajectory, vocabulary: Vocabulary, *, world: World, fresh: Toolbox | None = None
) -> Verdict:
    """Judge a produced trajectory by a task's facts, its changes and the outcome of its solution.

    `world` is the one in which the produced calls were carried out; where it is untouched, they are carried out again
    with `fresh`, the task's tools over it.
    """
    if fresh is not None and is_forged(produced, fresh):
        return _failed("forged", "an observation is not what the tool returns")
    changes = world.changes()
    if task.gold.outcome is Outcome.GAVE_UP:
        return _judge_refusal(task, produced, changes, vocabulary)
    if produced.outcome is not Outcome.ANSWERED or not produced.answer or not produced.answer.strip():
        code: Code = "gave_up_wrongly" if produced.outcome is Outcome.GAVE_UP else "no_answer"
        return _failed(code, f"should have answered, but: {produced.outcome.value}")
    wanted = task.changes
    if _plain(changes) != _plain(wanted):
        extra = sorted(set(changes) - set(wanted))
        what = f"{', '.join(extra)} should not have changed" if extra else "not the changes asked for"
        return _failed("wrong_change", what)
    return _judge_answer(task, produced, produced.answer, vocabulary)


def _plain(changes: object) -> object:
    """Changes as JSON gives them back: tuples are lists, keys are strings, texts are compared normalised."""
    if isinstance(changes, Mapping):
        return {normalised(str(key)): _plain(value) for key, value in changes.items()}
    if isinstance(changes, list | tuple):
        return [_plain(value) for value in changes]
    return normalised(changes).strip(" .!") if isinstance(changes, str) else changes


def _judge_refusal(
    task: GymTask, produced: Trajectory, changes: Mapping[str, object], vocabulary: Vocabulary
) -> Verdict:
    if changes:
        return _failed("wrong_change", f"{', '.join(sorted(changes))} should not have changed")
    if produced.outcome is Outcome.GAVE_UP:
        return _passed("gave_up_rightly", "gave up, as it should")
    answer = (produced.answer if produced.outcome is Outcome.ANSWERED else None) or ""
    refused = bool(answer) and refuses(task, produced, answer)
    if refused and len(answer) <= MAX_ANSWER_CHARS and not invents(task, produced, answer, vocabulary):
        return _passed("gave_up_rightly", "said that it cannot be done")
    reason = f"should have given up, but: {produced.outcome.value}"
    return _failed("answered_the_impossible", reason, basic=refused)


def _states_all(task: GymTask, answer: str, seen: str, vocabulary: Vocabulary) -> bool:
    """Whether an answer has every fact, in whatever sentence, and a tool returned it; a choice only has to be named."""
    for fact in task.facts:
        if isinstance(fact, Choice):
            found = bool(places(answer, fact.choice))
        elif isinstance(fact, Exact):
            found = fact.exact in answer and fact.exact in seen
        else:
            found = any(mentions(answer, way) for way in _ways(fact, task.query, vocabulary)) and holds(seen, fact)
        if not found:
            return False
    return True


def _judge_answer(task: GymTask, produced: Trajectory, answer: str, vocabulary: Vocabulary) -> Verdict:
    seen = "\n".join(step.observation.text for step in produced.steps if step.observation is not None)
    if len(answer) > MAX_ANSWER_CHARS:
        basic = _states_all(task, answer, seen, vocabulary)
        return _failed("lists_everything", f"the answer has {len(answer)} characters", basic=basic)
    facts = task.stated
    special = [fact for fact in task.facts if not isinstance(fact, str)]
    exact = [fact.exact for fact in special if isinstance(fact, Exact)]
    least = not vocabulary.smallest.isdisjoint(task.wordings)
    if wrong := (
        _judge_facts(task, facts, answer, seen, vocabulary)
        or _judge_special(special, answer, seen, facts[0] if facts else None, least=least)
    ):
        code, reason = wrong
        return _failed(code, reason, basic=_states_all(task, answer, seen, vocabulary))
    return _judge_kind(task, produced, answer) or _judge_extent(task, produced, answer, [*facts, *exact], vocabulary)


def _judge_facts(task: GymTask, facts: list[str], answer: str, seen: str, vocabulary: Vocabulary) -> _Wrong | None:
    """Facts that are values; None when all are right."""
    for fact in facts:
        fits = _fitting(task.gold.answer or "", fact, vocabulary)
        if not any(asserts(answer, way, fits=fits, facts=facts) for way in _ways(fact, task.query, vocabulary)):
            return ("wrong_answer", f"the answer does not state {fact}")
        if not holds(seen, fact):
            return ("not_observed", f"the answer states {fact}, which no tool returned")
    return None


def _fitting(gold: str, fact: str, vocabulary: Vocabulary) -> Fits | None:
    """That no other unit stands behind a fact than in the gold answer; None where it has none there."""
    if as_value(fact) is None:
        return None
    text, behind = normalised(gold), vocabulary.unit_behind
    units = {unit for span in stated(gold, fact) if (unit := behind(text, span.end)) is not None}
    return (lambda text, end: behind(text, end) in {None, *units}) if units else None


def _ways(fact: str, query: str, vocabulary: Vocabulary) -> Iterator[str]:
    """A fact, the other names of what it is, and a date without a year that the request names."""
    yield fact
    yield from vocabulary.aliases.get(fact, ())
    if (ways := without_year(fact)) and fact[:4] in query:
        yield from ways


def _judge_special(
    facts: list[Exact | Choice], answer: str, seen: str, value: str | None, *, least: bool
) -> _Wrong | None:
    """Facts that are more than a value; None when all are right."""
    for fact in facts:
        if isinstance(fact, Choice):
            if not _chooses(answer, fact, value, least=least):
                return ("wrong_answer", f"the answer does not choose {fact.choice}")
        elif fact.exact not in answer or not asserts(answer, fact.exact):
            return ("wrong_answer", f"the answer does not state {fact.exact}")
        elif fact.exact not in seen:
            return ("not_observed", f"the answer states {fact.exact}, which no tool returned")
    return None


def _chooses(answer: str, fact: Choice, value: str | None, *, least: bool) -> bool:
    if chosen(answer, fact.among, value, least=least) != fact.choice:
        return False
    return any(not denied(answer, span, fact.choice, bounds=False) for span in places(answer, fact.choice))


def _judge_kind(task: GymTask, produced: Trajectory, answer: str) -> Verdict | None:
    """What the kind of task asks for beside the facts; None when it is there."""
    if not task.facts and says_undone(answer):
        return _failed("wrong_answer", "the answer says that it was not done", basic=True)
    if task.kind == "branching" and not _checked(task, produced):
        return _failed("not_observed", "what the condition is about was never looked up", basic=True)
    if task.kind == "aggregation" and swapped(task, answer):
        return _failed("wrong_answer", "the answer gives one thing the value of another", basic=True)
    return None


def _judge_extent(
    task: GymTask, produced: Trajectory, answer: str, facts: list[str], vocabulary: Vocabulary
) -> Verdict:
    reason = too_many(task, produced, answer, facts, vocabulary)
    if reason is not None:
        return _failed("lists_everything", reason, basic=True)
    return _passed("solved", "states every fact")


def _checked(task: GymTask, produced: Trajectory) -> bool:
    """Whether the value that a decision depends on was observed, before or beside the action that was chosen.

    The last call of the solution is the action, the one before gave the value; another tool may have told the same.
    """
    gold = [step for step in task.gold.steps if step.call is not None and step.observation is not None]
    if len(gold) < 2 or gold[-2].observation is None or gold[-1].call is None:
        return True
    wanted, action = gold[-2].observation.text, gold[-1].call
    seen = [
        step.observation.text
        for step in produced.steps
        if step.observation is not None
        and step.call is not None
        # The action may mention the value by accident.
        and (step.call.tool, step.call.arguments) != (action.tool, action.arguments)
    ]
    return wanted in seen or (bool(seen) and _told(wanted) <= _told("\n".join(seen)))


def _told(observations: str) -> set[str]:
    """The values and words of observations; the keys of a result are neither."""
    text = normalised(_KEY.sub(" ", observations))
    return {*values_in(text), *_LETTERS.findall(text)}
