"""Values of an answer beside the facts: its own, those that read as another answer, and bare lists of them.

What the request gives and what stands on the way to the facts in the solution may be repeated. Knows nothing of names.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterable, Sequence

from alpha_umi.trajectory import Trajectory
from alpha_umi_gym.judge.facts import Placed, Span, normalised, rounds, spelt_placed, stated, values_in, values_placed
from alpha_umi_gym.task import GymTask

MAX_EXTRA_VALUES = 1
"""So many values may stand in an answer that neither the request nor a tool gave."""

_UNIT_HERE = re.compile(
    r" ?(?!(?:is|are|was|were|and|or|but|in|on|at|for|with|of|as|not|which|that|the|it)\b)([a-z\u00b0%]+)"
)
# "1) ", "2. " at the beginning of a line; a lone "7. " may be an answer.
_MARKER = re.compile(r"(?:^|\n)[ *#-]*(?:\(?[0-9]{1,2}[):]|1\.|(?<=\n)[0-9]{1,2}\.|\[[0-9]{1,2}\]) ?$")
_LABELLED = re.compile(
    r"(?:#|\b(?:step|call|tool|attempt|try|round|turn|part|question|task|request|query|answer|fact|result|item|no\.|number)"
    r"s?(?: no\.| number)?) ?#?$"
)
_COUNTED = re.compile(
    r"(?:st|nd|rd|th)\b|(?: \w+)? (?:steps?|(?:tool |function )?calls?|tools?|tries|attempts?|requests?|quer(?:y|ies)|"
    r"look-?ups?|searches|sources?|rounds?|turns?|times)\b"
)
_ANSWERING = re.compile(
    r"(?:\b(?:is|are|was|were|be|equals?|makes?|gives?|gave|has|have|had|get|got|returned|says?|said|to|answer|result)|'s|"
    r"[=:\u2248])(?: (?:the|an?|about|around|exactly|roughly|only|on|at|in))*[\s'\"(*$\u20ac]*$"
)
_SIGNS = re.compile(r"[^:-]|(?<![0-9])-")
_BARE = re.compile(r"[\s,;/&|*'\"()]*(?:and|plus)?[\s'\"(*]*")


def other_values(
    task: GymTask, produced: Trajectory, answer: str, facts: Sequence[str], values: Sequence[str]
) -> str | None:
    """Values beside the facts: too many of the agent's own, one that reads as the answer, or a bare list."""
    if len(extra := _own_values(task, produced, answer, values)) > MAX_EXTRA_VALUES:
        return f"the answer adds values of its own: {', '.join(sorted(extra))}"
    if (other := _other_answer(task, answer, facts, values)) is not None:
        return f"the answer gives another value: {other}"
    pair = _enumerated(task, answer, values)
    return None if pair is None else f"the answer lists values: {pair}"


def spelt(text: str) -> set[str]:
    """The numbers that a text gives in words."""
    return {placed.value for placed in spelt_placed(text)}


def _own_values(task: GymTask, produced: Trajectory, answer: str, values: Sequence[str]) -> set[str]:
    """Values of an answer that nobody gave; cheap sources first, for most answers need no other.

    Rounded ones, parts of dates and what the solution's calls name were given.
    """
    own = set(values_in(answer)) | spelt(answer)
    own.difference_update(values, values_in(task.query))
    own = {value for value in own if not any(rounds(value, fact) for fact in values)}
    if not own:
        return own
    seen = {value for step in produced.steps if step.observation for value in values_in(step.observation.text)}
    given = seen.union(values_in(given_by_task(task)), spelt(task.query))
    own -= given | _parts(given)
    if own:
        text = normalised(answer)
        own = own & {v.value for v in values_placed(answer) if not _counts_work(text, v)} | own & spelt(answer)
    return {value for value in own if not any(rounds(value, exact) for exact in given)}


def _other_answer(task: GymTask, answer: str, facts: Sequence[str], values: Sequence[str]) -> str | None:
    """A value beside the facts that reads as an answer and is none on the way to them: neither the request nor the
    solution has it, wherever else the agent may have seen it."""
    others = [value for value in values_placed(answer) if not is_fact(value, values)]
    spans = sorted(span for fact in facts for span in stated(answer, fact)) if others else []
    if not spans:
        return None
    text, known = normalised(answer), _on_the_way(task)
    for value in others:
        ours = value.value in known or any(rounds(value.value, exact) for exact in known)
        if not ours and _answers(text, value, min(spans, key=lambda span: abs(span.start - value.start))):
            return value.value
    return None


def _on_the_way(task: GymTask) -> set[str]:
    """The values that the request, the solution's calls and what they returned have, with the parts of dates."""
    seen = (step.observation.text for step in task.gold.steps if step.observation is not None)
    known = {
        *values_in(given_by_task(task)),
        *spelt(task.query),
        *(value for text in seen for value in values_in(text)),
    }
    return known | _parts(known)


def _parts(values: Iterable[str]) -> set[str]:
    """Years, months and days of the dates among values."""
    return {str(int(part)) for value in values if value[1:].count("-") == 2 for part in value.split("-")}


def _enumerated(task: GymTask, answer: str, values: Sequence[str]) -> str | None:
    """A fact in a bare list with another value of its form: "60, 16.8"."""
    text = normalised(answer)
    for one, other in itertools.pairwise(values_placed(answer)):
        right = [is_fact(value, values) for value in (one, other)]
        wrong = other if right[0] else one
        listed = sum(right) == 1 and _BARE.fullmatch(text, one.end, other.start)
        if listed and _form(text, one) == _form(text, other) and wrong.value not in values_in(task.query):
            return text[one.start : other.end]
    return None


def _answers(text: str, value: Placed, fact: Span) -> bool:
    """Whether a value reads as the answer: it stands where one does, or is of the kind and the unit of the fact."""
    before, unit = text[max(0, value.start - 24) : value.start], _unit(text, value.end)
    asked = _unit(text, fact.end)
    if _is_label(text, value) or (unit != asked and _COUNTED.match(text, value.end)):
        return False
    same_form = _form(text, value) == _form(text, fact)
    return _ANSWERING.search(before) is not None or (same_form and unit in {None, asked})


def _form(text: str, span: Placed | Span) -> str:
    """What tells a date or a clock time from a number."""
    return _SIGNS.sub("", text[span.start : span.end])


def _is_label(text: str, value: Placed) -> bool:
    """Whether a number only marks a place: "1) ", "step 9"."""
    before = text[max(0, value.start - 24) : value.start]
    marked = _MARKER.search(before + text[value.start : value.end + 2])
    return marked is not None or _LABELLED.search(before) is not None


def _counts_work(text: str, value: Placed) -> bool:
    """Whether a number is about the work and not its result: a label, or how many steps and calls there were."""
    return _is_label(text, value) or _COUNTED.match(text, value.end) is not None


def _unit(text: str, end: int) -> str | None:
    """The word right behind a value, unless it is one that goes with any."""
    match = _UNIT_HERE.match(text, end)
    return match[1] if match else None


@functools.lru_cache(maxsize=64)
def _together(query: str, arguments: tuple[str, ...]) -> str:
    return "\n".join((query, *arguments))


def given_by_task(task: GymTask) -> str:
    """What the request and the solution's calls name; an agent cannot add to it."""
    calls = (step.call for step in task.gold.steps if step.call is not None)
    return _together(task.query, tuple(json.dumps(dict(call.arguments), ensure_ascii=False) for call in calls))


def is_fact(value: Placed, values: Iterable[str]) -> bool:
    """Whether a value is one of these, or rounds one."""
    return any(value.value == fact or rounds(value.value, fact) for fact in values)
