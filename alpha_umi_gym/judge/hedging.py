"""Answers full of possibilities: whoever names everything names the right thing too, and has answered nothing.

A value or a name beside the facts is no harm when the request, its solution or a tool gave it; what an agent adds of
its own is counted. Knows nothing of whether the facts are right.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence

from alpha_umi.trajectory import Step, Trajectory
from alpha_umi_gym.judge.extra_values import given_by_task, is_fact, other_values, spelt
from alpha_umi_gym.judge.facts import normalised, spelt_placed, standing, stated, values_in, values_placed
from alpha_umi_gym.judge.negation import SENTENCE_END
from alpha_umi_gym.judge.vocabulary import Vocabulary
from alpha_umi_gym.task import GymTask

MAX_VALUES_PER_FACT = 4
"""An answer with more distinct values than that, for each one needed, lists instead of answering."""
MAX_SIBLINGS = 2
"""So many further entries of the list that the fact is from."""

# "There is no difference", "it returned the date": words of a closed set that name nothing there.
_ORDINARY = re.compile(r"\bno (?=[a-z])(?!(?:or|and|yes)\b)|\breturned (?=(?:that|the|an?)\b)")
_OR = re.compile(r"[^.;!?\n]{0,24}\bor\b[^.;!?\n]{0,24}")
_UNIT = re.compile(r"\W*([a-z°%]+)")
_IF = re.compile(r"\b(?:if|in case|unless|otherwise|else|should (?:it|that|this|the))\b|\bin (?:the|any) other case\b")
_DECIDED = re.compile(r"\b(?:since|because|so|as (?:it|this|that|the)|therefore|hence|thus)\b")
_PERSON = re.compile(r"\b[A-Z][^\W\d_]+ [A-Z][^\W\d_]+\b")
_OPENING = re.compile(r"[{\[]")
_DECODER = json.JSONDecoder()
_OR_BEFORE = re.compile(r"\bor (?:maybe |perhaps |possibly )?['\"(]*$")
_OR_AFTER = re.compile(r"['\")]*,? or (?!so\b|rather\b|in\b)")


def too_many(
    task: GymTask, produced: Trajectory, answer: str, facts: Sequence[str], vocabulary: Vocabulary
) -> str | None:
    """What an answer that states all facts does beside: lists or wavers; None when it simply answers."""
    values = [value for fact in facts for value in values_in(fact)]
    asked = set(values_in(task.query))
    said = set(values_in(answer)) - asked
    if len(said) > MAX_VALUES_PER_FACT * max(1, len(set(values))):
        return f"the answer lists {len(said)} values where {len(set(values))} are needed"
    text = normalised(answer)
    return (
        (other_values(task, produced, answer, facts, values) if values else None)
        or _undecided(task, answer, facts)
        or _pasted(produced, answer, facts)
        or (_hedge(task, answer, facts, values) if " or " in text else None)
        or _other_members(task, text, facts, vocabulary)
        or _unknown_person(task, produced, answer, facts, vocabulary)
        or _siblings(produced, task.query, text, facts)
    )


def _undecided(task: GymTask, answer: str, facts: Sequence[str]) -> str | None:
    """A decision left to the reader: "if it holds, it is 5"."""
    if task.kind != "branching":
        return None
    text = normalised(answer)
    starts = [span.start for fact in facts for span in stated(answer, fact)]
    clauses = [SENTENCE_END.split(text[:start])[-1] for start in starts]
    if clauses and all(_IF.search(clause) and not _DECIDED.search(clause) for clause in clauses):
        return "the answer leaves the decision to the reader"
    return None


def _pasted(produced: Trajectory, answer: str, facts: Sequence[str]) -> str | None:
    """An observation as it is."""
    whole = _OPENING.search(answer) and any(_whole_result(step, answer, facts) for step in produced.steps)
    return "the answer repeats a whole result" if whole else None


def _whole_result(step: Step, answer: str, facts: Sequence[str]) -> bool:
    """Whether an answer holds an observation of several values, as the tool wrote it or in another layout."""
    if step.observation is None or (seen := step.observation.text.strip())[:1] not in {"{", "["}:
        return False
    try:
        result = json.loads(seen)
    except ValueError:
        return False
    if isinstance(result, list) and all(entry in facts for entry in result):
        return False  # nothing beside the facts
    return len(result) > 1 and any(result == part for part in _json_in(answer))


@functools.lru_cache(maxsize=16)
def _json_in(answer: str) -> list[object]:
    """The JSON objects and lists that stand in a text, inner ones included."""
    found: list[object] = []
    at = 0
    while (match := _OPENING.search(answer, at)) is not None:
        at = match.end()
        try:
            found.append(_DECODER.raw_decode(answer, match.start())[0])
        except ValueError:
            continue
    return found


def _hedge(task: GymTask, answer: str, facts: Sequence[str], values: Sequence[str]) -> str | None:
    """A fact beside another possibility: "41 or 42"."""
    text = normalised(answer)
    known = {*values_in(given_by_task(task)), *spelt(task.query)}
    placed = sorted((*values_placed(answer), *spelt_placed(answer)), key=lambda value: value.start)
    for one, other in itertools.pairwise(placed):
        gap = text[one.end : other.start]
        right = [is_fact(value, values) for value in (one, other)]
        if any(right) and not all(right) and _OR.fullmatch(gap) and not _other_unit(gap, text[other.end :]):
            wrong = other if right[0] else one
            if wrong.value not in known:
                return f"the answer leaves open which it is: {text[one.start : other.end]}"
    for fact in facts:
        if values_in(fact) == []:
            for start, end in stated(answer, fact):
                if _OR_BEFORE.search(text, max(0, start - 20), start) or _OR_AFTER.match(text, end):
                    return f"the answer leaves open which it is: {text[max(0, start - 20) : end + 20]}"
    return None


def _other_unit(gap: str, after: str) -> bool:
    """Whether two values have units that differ: "90 minutes or 1.5 hours" is one thing said twice."""
    first, second = _UNIT.match(gap), _UNIT.match(after)
    return first is not None and second is not None and first[1] != "or" and first[1] != second[1]


def _other_members(task: GymTask, text: str, facts: Sequence[str], vocabulary: Vocabulary) -> str | None:
    """Another member of a set of known names or words of which a fact is one."""
    wanted = {fact.casefold() for fact in facts}
    for names in vocabulary.closed_sets:
        if wanted.isdisjoint(names):
            continue
        named = members(_ORDINARY.sub("", text), names, besides=vocabulary.compounds) - wanted
        if named and (strange := named - members(normalised(given_by_task(task)), names)):
            return f"the answer names more than it needs: {', '.join(sorted(strange))}"
    return None


def _unknown_person(
    task: GymTask, produced: Trajectory, answer: str, facts: Sequence[str], vocabulary: Vocabulary
) -> str | None:
    """A person's name beside the one that is right, where nobody gave it: names are no closed set."""
    if not any(_is_person(fact, vocabulary) for fact in facts):
        return None
    seen = "\n".join((given_by_task(task), *(step.observation.text for step in produced.steps if step.observation)))
    named = {name for name in _PERSON.findall(answer) if name.partition(" ")[0] in vocabulary.first_names}
    strange = sorted(name for name in named if name not in facts and name not in seen)
    return f"the answer names somebody else: {', '.join(strange)}" if strange else None


def _is_person(fact: str, vocabulary: Vocabulary) -> bool:
    first, _, last = fact.partition(" ")
    return first in vocabulary.first_names and last in vocabulary.last_names


def members(text: str, names: Iterable[str], *, besides: Iterable[str] = ()) -> set[str]:
    """The names that a normalised text gives, not those inside of longer ones: no "north" in "North America"."""
    wanted = frozenset(names)
    taken: list[tuple[int, int]] = []
    found: set[str] = set()
    for name in sorted((name for name in wanted.union(besides) if name in text), key=len, reverse=True):
        for start, end in standing(text, name):
            if not any(a <= start and end <= b for a, b in taken):
                taken.append((start, end))
                found.add(name)
    return found & wanted


def _siblings(produced: Trajectory, query: str, text: str, facts: Sequence[str]) -> str | None:
    """Further entries of the list that a fact is from."""
    for step in produced.steps:
        if step.observation is None or "[" not in step.observation.text:
            continue
        for column in _columns(step.observation.text):
            if column.isdisjoint(facts):
                continue
            others = {normalised(entry) for entry in column.difference(facts)}
            named = [entry for entry in others if next(standing(text, entry), None)]
            asked = normalised(query)
            strange = [entry for entry in named if next(standing(asked, entry), None) is None]
            if len(strange) > MAX_SIBLINGS:
                return f"the answer lists what the tool listed: {', '.join(sorted(strange))}"
    return None


def _columns(observation: str) -> Iterator[set[str]]:
    """The texts of each list of a result; of a list of objects those under each key."""
    try:
        result = json.loads(observation)
    except ValueError:
        return
    waiting = [result]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
            yield {entry for entry in part if isinstance(entry, str)}
            rows = [entry for entry in part if isinstance(entry, dict)]
            for key in {key for row in rows for key in row}:
                yield {row[key] for row in rows if isinstance(row.get(key), str)}
