"""Completion text <-> Plan, Call, answer. `format_*` and `parse_*` are inverses.

The output markers are the published ones of α-UMi (arXiv 2401.07324, released code), so its data is read as it is.
Parsing never raises on model output: what is wrong with a text is recorded as `fault` on the value. Only model output
is ever parsed here, never an observation, so no observation can steer the agent; what a reasoning model thinks aloud
is dropped first. The published scorers' own parsing lives in `evaluation`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from alpha_umi.text.json_object import EMPTY_OUTPUTS, end_of_value, read_object
from alpha_umi.trajectory import Call, Decision, Plan

MARKERS: Mapping[str, str] = {
    Decision.GIVE_UP: "Next: give up.",
    Decision.SUMMARIZE: "Next: conclusion.",
    Decision.CALL: "Next: caller.",
}
"""The published planner's, in order of precedence where none ends a line: then the first of these wins, wherever it
stands (released code)."""

DECISIONS = (Decision.CALL, Decision.SUMMARIZE, Decision.GIVE_UP)
"""What the published planner decides among."""

PLAN_FAULTS = frozenset({"empty", "no_marker"})
CALL_FAULTS = frozenset({"empty", "no_action", "bad_json", "not_an_object", "too_deep"})

NO_TOOL = "none"
"""Tool name of a call without a readable action (released code)."""

_ACTION = re.compile(r"^[ \t]*Action[ \t]*:[ \t]*(?P<tool>.*?)[ \t]*$", re.MULTILINE)
_INPUT = re.compile(r"Action[ \t]+Input[ \t]*:", re.IGNORECASE)
_ACTION_ON_ONE_LINE = re.compile(r"Action[ \t]*:[ \t]*(?P<tool>.*?)[ \t]*(?=Action[ \t]+Input[ \t]*:|$)", re.MULTILINE)
_CONCLUSION = re.compile(r"^[ \t]*conclusion:[ \t]?", re.MULTILINE)
_GIVE_UP_ANSWER = "give up."
_THOUGHT_BEGINS = re.compile(r"<(?P<tag>think|thinking)>|\[THINK\]", re.IGNORECASE)
_THOUGHT_ENDS = re.compile(r"</think(?:ing)?>|\[/THINK\]", re.IGNORECASE)
_QUOTES = frozenset("`'\"“‘«")


class Said(NamedTuple):
    """A completion without what was thought aloud, and that."""

    text: str
    thought: str


def without_thought(text: str) -> Said:
    """Part what a reasoning model thinks aloud from what it says.

    A block that is never closed reaches to the end. A closing tag alone ends a block that the chat template opened in
    the prompt. Tags inside a call's arguments are data; one in quotes, or a closing one with a space on both sides, is
    spoken of.
    """
    thoughts: list[str] = []
    while parted := _part(text):
        text, thoughts = parted.text, [*thoughts, parted.thought]
    return Said(text, "\n".join(thoughts).strip())


def _part(text: str) -> Said | None:
    """One thought apart from the rest; None where there is none."""
    data = _arguments(text)
    for begin in _THOUGHT_BEGINS.finditer(text):
        if not _is_spoken_of(begin, text, data):
            closing = re.escape(f"</{begin['tag']}>" if begin["tag"] else "[/THINK]")
            end = re.compile(closing, re.IGNORECASE).search(text, begin.end())
            stop = len(text) if end is None else end.end()
            return Said(text[: begin.start()] + text[stop:], text[begin.start() : stop])
    ends = [end.end() for end in _THOUGHT_ENDS.finditer(text) if not _is_spoken_of(end, text, data)]
    return Said(text[ends[-1] :], text[: ends[-1]]) if ends else None


def _is_spoken_of(tag: re.Match[str], text: str, data: Sequence[range]) -> bool:
    """Whether a tag is part of what is said, and begins or ends no thought."""
    before, after = text[tag.start() - 1 : tag.start()], text[tag.end() : tag.end() + 1]
    amid = before == after == " " and _THOUGHT_ENDS.fullmatch(tag[0]) is not None
    return amid or before in _QUOTES or any(tag.start() in span for span in data)


def _arguments(text: str) -> list[range]:
    """Where the objects stand that follow an `Action Input:`."""
    spans, at = [], 0
    while found := _INPUT.search(text, at):
        value, at = text[found.end() :].lstrip(), found.end()
        if value.startswith(("{", "[")) and (length := end_of_value(value)) > 0:
            start = len(text) - len(value)
            spans.append(range(start, start + length))
            at = start + length
    return spans


def format_plan(plan: Plan, markers: Mapping[str, str] = MARKERS) -> str:
    """Write a plan as the planner's target text: rationale, one space, marker.

    Args:
        plan: what is written.
        markers: the marker of each decision that the planner has, in order of precedence.

    Raises:
        ValueError: the rationale itself holds a marker that would outrank the decision's own, here or in the release,
            or the planner has no such decision.
    """
    if plan.decision not in markers:
        raise ValueError(f"the planner has no choice '{plan.decision}' (it has {', '.join(markers)})")
    return format_choice(plan.rationale, plan.decision, markers)


def format_choice(rationale: str, choice: str, markers: Mapping[str, str]) -> str:
    """Write what a role thought and chose: rationale, one space, marker.

    Raises:
        ValueError: the rationale itself holds a marker that would outrank the choice's own, here or in the release.
    """
    own = markers[choice]
    found = _ending(tuple(markers.values())).search(f"{rationale} {own}")
    if found is not None and found.start() < len(rationale):
        raise ValueError(f"the rationale holds the marker {found[1]!r}, so the plan cannot be read back")
    for name, marker in markers.items():
        if marker in rationale:
            raise ValueError(f"the rationale holds the marker {marker!r}, so the plan cannot be read back")
        if name == choice:
            break
    return f"{rationale} {own}" if rationale else own


class Chosen(NamedTuple):
    """What a role thought, and which of its choices it wrote."""

    rationale: str
    choice: str | None
    """None where the text holds no marker."""


def parse_plan(text: str, markers: Mapping[str, str] = MARKERS) -> Plan:
    """Read a planner's completion, as `parse_choice` does.

    Without any marker the decision is CALL, as in the released code, with fault `no_marker`.
    """
    rationale, choice = parse_choice(text, markers)
    if choice is None:
        return Plan(rationale=rationale, decision=Decision.CALL, fault="no_marker" if rationale else "empty")
    return Plan(rationale=rationale, decision=Decision(choice))


def parse_choice(text: str, markers: Mapping[str, str]) -> Chosen:
    """Read the completion of a role that writes a choice.

    The first marker that ends a line decides: one in the middle of a sentence was quoted, from an observation say, and
    what a model writes after its decision is no other one. Where none ends a line it is as in the released code: the
    first of the markers that occurs anywhere. The text before the chosen marker is the rationale, where quoted markers
    lose their full stop, so that no reader takes them for the decision; what follows is cut.
    """
    text = without_thought(text).text.removeprefix(": ").strip()
    if text in EMPTY_OUTPUTS:
        return Chosen("", None)
    if ending := _ending(tuple(markers.values())).search(text):
        choice = next(name for name, marker in markers.items() if marker == ending[1])
        return Chosen(_quoting(text[: ending.start()].removesuffix(" "), markers), choice)
    for name, marker in markers.items():
        before, found, _ = text.partition(marker)
        if found:
            return Chosen(before.removesuffix(" "), name)
    return Chosen(text, None)


@lru_cache
def _ending(markers: tuple[str, ...]) -> re.Pattern[str]:
    """A marker at the end of a line; of two that begin alike the longer one."""
    longest = sorted(markers, key=len, reverse=True)
    return re.compile("(" + "|".join(map(re.escape, longest)) + r")[ \t\r]*$", re.MULTILINE)


def _quoting(rationale: str, markers: Mapping[str, str]) -> str:
    for marker in markers.values():
        rationale = rationale.replace(marker, marker.removesuffix("."))
    return rationale


def format_call(call: Call) -> str:
    """Write a call as the caller's two-line target text; `raw` wins when the call has one."""
    if call.raw:
        return call.raw
    return f"Action: {call.tool}\nAction Input: {json.dumps(dict(call.arguments), ensure_ascii=False)}"


def parse_call(text: str) -> Call:
    """Read a caller's completion: the first action and the JSON object after its `Action Input:`.

    Reading from the left, and the arguments with a JSON decoder, keeps markers inside argument strings and
    text after the object from corrupting either field (the released code searches from the right). A missing
    `Action Input:` means no arguments; single-quoted Python literals are accepted.
    """
    raw = without_thought(text).text.strip()
    if raw in EMPTY_OUTPUTS:
        return Call(tool=NO_TOOL, raw=raw, fault="empty")
    action = _find_action(raw)
    if action is None or not action.group("tool"):
        return Call(tool=NO_TOOL, raw=raw, fault="no_action")
    tool = action.group("tool").strip("\"'` \r")
    found = _INPUT.search(raw, action.end())
    if not tool:
        return Call(tool=NO_TOOL, raw=raw, fault="no_action")
    if found is None:
        return Call(tool=tool, raw=raw)
    arguments, fault = read_object(raw[found.end() :].strip())
    return Call(tool=tool, arguments=arguments, raw=raw, fault=fault)


def _find_action(text: str) -> re.Match[str] | None:
    """The first `Action:` line; its name ends where the line or `Action Input:` begins."""
    line = _ACTION.search(text)
    if line is not None and not _INPUT.search(line.group("tool")):
        return line
    return _ACTION_ON_ONE_LINE.search(text)


def format_answer(answer: str) -> str:
    """Write an answer as the summarizer's target text."""
    return answer.strip() or NO_TOOL


def parse_answer(text: str) -> str:
    """Read a summarizer's completion."""
    return without_thought(text).text.removeprefix(": ").strip()


class ParsedTurn(NamedTuple):
    """A whole step in one completion, as the Team `single` writes it."""

    plan: Plan
    call: Call | None
    answer: str | None


def format_turn(turn: ParsedTurn) -> str:
    """Write rationale and action, or rationale and conclusion, as one text (α-UMi's backbone target)."""
    if turn.plan.decision is Decision.CALL:
        tail = format_call(turn.call) if turn.call is not None else ""
    elif turn.plan.decision is Decision.GIVE_UP:
        tail = f"conclusion: {_GIVE_UP_ANSWER}"
    else:
        tail = f"conclusion: {format_answer(turn.answer or '')}"
    # A rationale may end in the line break that stood before its marker (`\\n Next: caller.`); here that is one anyway.
    return f"{turn.plan.rationale.rstrip()}\n{tail}".strip()


def parse_turn(text: str) -> ParsedTurn:
    """Read a whole step from one completion; whichever of `Action:` and `conclusion:` comes first decides."""
    text = without_thought(text).text.removeprefix(": ").strip()
    action, conclusion = _ACTION.search(text), _CONCLUSION.search(text)
    if conclusion is not None and (action is None or conclusion.start() < action.start()):
        rationale, answer = text[: conclusion.start()].removesuffix("\n"), text[conclusion.end() :].strip()
        if answer.rstrip(".") == _GIVE_UP_ANSWER.rstrip("."):
            return ParsedTurn(Plan(rationale=rationale, decision=Decision.GIVE_UP), None, None)
        return ParsedTurn(Plan(rationale=rationale, decision=Decision.SUMMARIZE), None, answer)
    if action is not None:
        rationale = text[: action.start()].removesuffix("\n")
        return ParsedTurn(Plan(rationale=rationale, decision=Decision.CALL), parse_call(text[action.start() :]), None)
    fault = "empty" if text in EMPTY_OUTPUTS else "no_marker"
    # The text stands once, as the call's raw text, so that it is written back once.
    return ParsedTurn(Plan(rationale="", decision=Decision.CALL, fault=fault), parse_call(text), None)
