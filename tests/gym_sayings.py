"""Answers that hold the right fact and do not give it: taken back, shifted, listed, left open, of another unit."""

from __future__ import annotations

import re
from collections.abc import Callable

from alpha_umi.trajectory import Trajectory
from alpha_umi_gym.judge.facts import as_value, holds
from alpha_umi_gym.people import FIRST_NAMES
from alpha_umi_gym.task import Choice, GymTask

Mutation = Callable[[GymTask], Trajectory | None]

_DATE, _CLOCK = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d\d:\d\d")
_UNITS = {
    "minutes": "hours", "hours": "weeks", "days": "weeks", "years": "months", "kg": "pounds", "km": "miles",
    "miles": "km", "pounds": "grams", "percent": "days", "dollars": "euros", "liters": "gallons", "cups": "gallons",
}  # fmt: skip


def _said(task: GymTask, answer: str) -> Trajectory:
    return task.gold.model_copy(update={"answer": answer})


def _only_fact(task: GymTask) -> str | None:
    facts = task.facts
    return facts[0] if len(facts) == 1 and isinstance(facts[0], str) else None


def _form_of(fact: str) -> str:
    if _DATE.fullmatch(fact):
        return "date"
    if _CLOCK.fullmatch(fact):
        return "clock"
    if as_value(fact) is not None:
        return "number"
    return "person" if fact.partition(" ")[0] in FIRST_NAMES else "word"


def _other(task: GymTask, fact: str, form: str) -> str:
    """Something of the same form that occurs nowhere in the task."""
    everything = f"{task.query} {task.gold.answer} {[(s.call, s.observation) for s in task.gold.steps]}"
    others = {
        "number": (str(int(float(fact)) + 37 + n if form == "number" else 0) for n in range(99)),
        "date": (f"2011-11-{day}" for day in range(10, 30)),
        "clock": (f"03:{minute}" for minute in range(31, 59)),
    }.get(form, (f"{first} Smithers" for first in FIRST_NAMES))
    return next(other for other in others if not holds(everything, other))


def _saying(template: str, *forms: str) -> Mutation:
    def said(task: GymTask) -> Trajectory | None:
        fact = _only_fact(task)
        if fact is None or (form := _form_of(fact)) not in forms:
            return None
        return _said(task, template.format(fact, _other(task, fact, form)))

    said.__name__ = f"says: {template}"
    return said


_VALUES = ("number", "date", "clock")
_TAKEN_BACK = (
    "The answer is {0}. Actually the correct answer is {1}.",
    "I first thought {0}; the final answer is {1}.",
    "Final answer: {0}. Sorry, I meant {1}.",
    "It is {0}. Actually it is {1}.",
    "{0}... just kidding, {1}.",
    "It used to be {0}, now it is {1}.",
)
_OTHERS = (
    "Between {0} and {1}.",
    "{0} would be expected, yet the tool says {1}.",
    "{0}? No, it is {1}.",
    "The old value was {0}, the new one is {1}.",
    "If you trust the tool, {0}; if you trust me, {1}.",
)
_NEAR = ("Fewer than {0}.", "It is more than {0}.", "At least {0}.", "Twice {0}.", "{0} million.", "Anything but {0}.")
_SHIFTED = ("Before {0}.", "The day after {0}.", "One week before {0}.", "Not later than {0}.", "Two hours after {0}.")


def answers_both_ways(task: GymTask) -> Trajectory | None:
    """The right result of a condition, which the reader is to decide."""
    if task.kind != "branching" or not task.facts:
        return None
    facts = [fact for fact in task.facts if isinstance(fact, str)]
    return _said(task, f"If it holds, it is {' and '.join(facts)}. If not, it is not.") if facts else None


def has_no_idea(task: GymTask) -> Trajectory | None:
    """Says so, which holds a "no"."""
    return _said(task, "I have no idea.") if task.facts else None


def in_another_unit(task: GymTask) -> Trajectory | None:
    """The right number of something else."""
    fact = _only_fact(task)
    if fact is None or as_value(fact) is None or not task.gold.answer:
        return None
    for unit, other in _UNITS.items():
        if re.search(rf"(?<![\w.]){re.escape(fact)} {unit}\b", task.gold.answer):
            return _said(task, f"The answer is {fact} {other}.")
    return None


def _choosing(template: str) -> Mutation:
    def chooses(task: GymTask) -> Trajectory | None:
        choice = next((fact for fact in task.facts if isinstance(fact, Choice)), None)
        if choice is None:
            return None
        other = next(name for name in choice.among if name != choice.choice)
        return _said(task, template.format(choice.choice, other, task.facts[0]))

    chooses.__name__ = f"chooses: {template}"
    return chooses


SAYINGS: tuple[Mutation, ...] = (
    *(_saying(template, *_VALUES, "person") for template in _TAKEN_BACK),
    *(_saying(template, *_VALUES) for template in _OTHERS),
    *(_saying(template, "number") for template in _NEAR),
    *(_saying(template, "date", "clock") for template in _SHIFTED),
    *(_saying(template, "person") for template in ("{0} and {1}.", "{0} is out; {1} it is.", "Not {0} but {1}.")),
    answers_both_ways,
    has_no_idea,
    in_another_unit,
    *(
        _choosing(t)
        for t in ("The winner is {1}; {0} has only {2}.", "It is {1} ({0}: {2}).", "{0} with {2} loses to {1}.")
    ),
)
