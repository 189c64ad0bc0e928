"""Which value an answer gives to which thing: the one it chooses, and whether values were swapped.

Things are named by the values the request has for them, in any usual form. Knows nothing of what was observed beyond
which fact came from which call of the solution.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from alpha_umi_gym.judge.facts import Span, as_value, holds, normalised, standing, stated, values_in, values_placed
from alpha_umi_gym.task import Choice, Exact, GymTask

_BREAK = re.compile(r"[.;,\n0-9]")
_FAR = 1000
"""Further than any two words of one clause: a name across a comma or another number belongs elsewhere."""

_MORE_WORDS = r"more|most|(?:great|larg|bigg|high|long|lat|old|heav|fast)i?(?:er|est)|maximum|top"
_LESS_WORDS = r"less|least|lesser|fewer|fewest|(?:small|low|short|earl|young|light|cheap)i?(?:er|est)|minimum"
_MORE = re.compile(_MORE_WORDS)
# "Than Rome", "beats Rome", "not Rome but".
_BEATEN = re.compile(
    r"\b(?:than|beats?|exceeds?|surpasses|outdoes|over|against|unlike|not|versus|vs\.?|ahead of|behind|"
    r"compared (?:to|with))"
    r"(?: the| that of| of)?[\s'\"(*]*$"
)
# "Less than Rome" and "more than Rome", "the other one is Rome", "the smallest is Rome".
_THAN = re.compile(rf"\b({_MORE_WORDS}|{_LESS_WORDS})(?: \w+)? than(?: the| that of| of)?[\s'\"(*]*$")
_OTHER = re.compile(r"\b(?:other|second|runner-up|loser)(?: \w+)? (?:is|was)[\s'\"(*]*$")
_SUPERLATIVE = re.compile(rf"\b({_MORE_WORDS}|{_LESS_WORDS})(?: \w+){{0,2}} (?:is|was)[\s'\"(*]*$")
# "It is Rome", "the winner is Rome", "namely Rome".
_CALLED = re.compile(r"(?:\b(?:is|namely|wins:|winner:|answer:|pick|choose)|'s)(?: the)?[\s'\"(*]*$")
# "Rome wins", "Rome has more", "Rome is the smallest"; with a number behind the verb it says no more than its value.
_COMPARED = re.compile(
    r"['\")*]*(?: \w+ly)? (?:wins|beats|comes out on top|is (?:the )?(?:winner|one|answer)|"
    rf"(?:has|is|takes|costs|lasts|was|gives)(?: the| even| still| a)* ({_MORE_WORDS}|{_LESS_WORDS}))\b"
)

_WINS_BEFORE = re.compile(r"\bloses (?:to|against)[\s'\"(*]*$")
_LOSES = re.compile(r"['\")*]*(?:,? with [\w.]+(?: \w+)?,?)? loses\b")

Facts = tuple[str, ...]


class _Exact(str):
    """A fact whose case and spelling matter."""


def places(answer: str, name: str) -> list[Span]:
    """Where an answer names something: by its words, or else by its values ("24.1 kilograms" for 24.1 kg)."""
    if (value := as_value(name)) is not None:
        return [Span(placed.start, placed.end) for placed in values_placed(answer) if placed.value == value]
    text, words = normalised(answer), normalised(name).strip(" '\"")
    if found := list(standing(text, words)):
        return found
    wanted = values_in(name)
    placed = values_placed(answer)
    if not wanted:
        return []
    runs = (placed[i : i + len(wanted)] for i in range(len(placed) - len(wanted) + 1))
    return [Span(run[0].start, run[-1].end) for run in runs if [value.value for value in run] == wanted]


def chosen(answer: str, names: Sequence[str], value: str | None, *, least: bool = False) -> str | None:
    """The name that an answer chooses: the only one it gives, or calls the winner, or the one nearest to the value.

    `least`: the smallest was asked for, so "has less" is to win.
    """
    # A name inside of a longer one is not given: no "lunch" in "team lunch".
    spans = [(span, name) for name in names for span in places(answer, name)]
    spans = [
        (span, name)
        for span, name in spans
        if not any(other.start <= span.start and span.end <= other.end and other != span for other, _ in spans)
    ]
    text = normalised(answer)
    roles = {span: _role(text, span, least=least) for span, _ in spans}
    lost = {name for span, name in spans if roles[span] == "lost"}
    won = {name for span, name in spans if roles[span] == "won"} - lost
    if len(won) == 1:
        return won.pop()
    spans = [(span, name) for span, name in spans if name not in lost] or spans
    given = {name for _, name in spans}
    if len(given) < 2 or value is None:
        return spans[0][1] if spans and spans[0][1] not in lost else None
    statements = _apart(stated(answer, value), [span for span, _ in spans])
    nearest = {
        name: min(
            (_distance(answer, span, at) for span, other in spans if other == name for at in statements), default=0
        )
        for name in given
    }
    closest = min(nearest.values())
    winners = [name for name, distance in nearest.items() if distance == closest]
    return winners[0] if len(winners) == 1 else None


def _role(text: str, span: Span, *, least: bool) -> str | None:
    """Whether a mention of something says that it won or lost a comparison."""
    before, after = text[max(0, span.start - 30) : span.start], text[span.end : span.end + 40]
    than, called, compared = _THAN.search(before), _SUPERLATIVE.search(before), _COMPARED.match(after)
    if than is not None:
        won = not _wins(than[1], least=least)
    elif called is not None:
        won = _wins(called[1], least=least)
    elif _WINS_BEFORE.search(before):
        won = True
    elif _OTHER.search(before) or _BEATEN.search(before) or _LOSES.match(after):
        won = False
    elif compared is not None:
        won = compared[1] is None or _wins(compared[1], least=least)
    elif _CALLED.search(before):
        won = True
    else:
        return None
    return "won" if won else "lost"


def _wins(word: str, *, least: bool) -> bool:
    """Whether what is more, or less, is what was asked for."""
    return (_MORE.fullmatch(word) is None) is least


def _stated(answer: str, fact: str) -> Sequence[Span]:
    """Where an answer states a fact; where case matters, by the letters of the answer itself if those stand alike."""
    if isinstance(fact, _Exact) and len(normalised(answer)) == len(answer):
        return list(standing(answer, fact))
    return stated(answer, fact)


def _apart(spans: Sequence[Span], names: Sequence[Span]) -> Sequence[Span]:
    """Statements of a value that are no part of a name; all of them where there are no others."""
    free = [span for span in spans if not any(span.start < name.end and name.start < span.end for name in names)]
    return free or spans


def _distance(answer: str, one: Span, other: Span) -> int:
    first, second = sorted((one, other))
    gap = normalised(answer)[first.end : second.start]
    return len(gap) + _FAR * len(_BREAK.findall(gap))


def swapped(task: GymTask, answer: str) -> bool:
    """Whether an answer to the same question about several things gives one the value of another.

    When it names the things, the facts must come in the order of the names; when it does not, in that of the request.
    """
    groups = _groups(task)
    if len(set(groups)) < 2:
        return False
    names = _names(task)
    order = _named_order(answer, names, groups)
    spans = [span for name in names for span in places(answer, name)] if len(order) > 1 else []
    if order == sorted(order):
        order = list(range(len(groups)))  # in the order of the request, whether or not all are named
    return not _in_order(answer, [groups[i] for i in order], spans)


def _groups(task: GymTask) -> list[Facts]:
    """The facts of each call of the solution; none where they cannot be told apart."""
    facts = [
        _Exact(fact.exact) if isinstance(fact, Exact) else fact for fact in task.facts if not isinstance(fact, Choice)
    ]
    steps = [step for step in task.gold.steps if step.call is not None and step.observation is not None]
    if len(facts) < len(task.facts) or len({step.call.tool for step in steps if step.call}) != 1 or not facts:
        return []
    texts = [step.observation.text for step in steps if step.observation]
    each, rest = divmod(len(facts), len(texts))
    if not rest:
        even = [tuple(facts[i * each : (i + 1) * each]) for i in range(len(texts))]
        if all(holds(text, fact) for text, group in zip(texts, even, strict=True) for fact in group):
            return even
    groups: list[Facts] = []
    for fact in facts:
        if not groups or fact in groups[-1] or not holds(texts[len(groups) - 1], fact):
            if len(groups) == len(texts):
                return []
            groups.append(())
        groups[-1] += (fact,)
    return groups if len(groups) == len(texts) else []


def _names(task: GymTask) -> list[str]:
    """What tells the calls of a solution apart: the one argument whose values all differ."""
    arguments = [dict(_leaves(step.call.arguments)) for step in task.gold.steps if step.call is not None]
    for place in arguments[0]:
        values = [str(given.get(place, "")) for given in arguments]
        if len(set(values)) == len(values) and all(values):
            return values
    return []


def _leaves(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}/{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{place}/{index}")
    else:
        yield place, value


def _named_order(answer: str, names: Sequence[str], groups: Sequence[Facts]) -> list[int]:
    """The calls whose things an answer names, in its order.

    A name that only enumerates ("of A and B, A is 3 and B is 5") does not count where it comes again.
    """
    facts = {fact for group in groups for fact in group}
    marks: list[tuple[Span, int]] = []
    for index, name in enumerate(names):
        if as_value(name) is None or name not in facts:  # a number that is a fact as well names nothing
            marks += [(span, index) for span in places(answer, name)]
    marks.sort()
    names_at = [span for span, _ in marks]
    values = [span.start for fact in facts for span in _apart(_stated(answer, fact), names_at)]
    left = [sum(index == other for _, other in marks) for index in range(len(names))]
    order: list[int] = []
    for place, (span, index) in enumerate(marks):
        until = marks[place + 1][0].start if place + 1 < len(marks) else None
        followed = until is not None and any(span.end <= value < until for value in values)
        last = until is None and any(value >= span.end for value in values)
        left[index] -= 1
        if index not in order and (followed or last or not left[index]):
            order.append(index)
    return order


def _in_order(answer: str, groups: Sequence[Facts], names: Sequence[Span]) -> bool:
    """Whether an answer states groups of facts one after another."""
    found = {fact: [span.start for span in _apart(_stated(answer, fact), names)] for group in groups for fact in group}
    needed = {fact: sum(fact in group for group in groups) for fact in found}
    if any(len(found[fact]) < needed[fact] for fact in found):
        # Equal facts are said once: only those that differ have an order.
        shared = set(groups[0]).intersection(*groups[1:])
        groups = list(dict.fromkeys(tuple(fact for fact in group if fact not in shared) for group in groups))
    at = 0
    for group in groups:
        starts = [next((start for start in found[fact] if start >= at), None) for fact in group]
        if None in starts:
            return False
        at = max((start for start in starts if start is not None), default=at) + 1
    return True
