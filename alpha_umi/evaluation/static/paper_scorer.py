"""The published static scorers, `evaluate-multi_agent.py` and `evaluate-backbone.py` of α-UMi, faults included.

Texts are first put together as `infer_pipeline.py` does, then read as the scorers do: any `Next: give up` in any text
wins, then any `Next: conclusion`, all else is a call; fields are searched from the right. Where the published script
would stop with an exception the step scores 0 and the fault says so. What is wrong with all this: docs/evaluation.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from alpha_umi.errors import DataError, UsageError
from alpha_umi.evaluation.static import rouge_paper
from alpha_umi.evaluation.static.decision_points import Point, Prediction
from alpha_umi.evaluation.static.scoring import Judgement, Routing, Scorer, mean
from alpha_umi.roles import RoleName
from alpha_umi.text import output_format
from alpha_umi.text.json_object import EMPTY_OUTPUTS
from alpha_umi.trajectory import Decision, Plan

__all__ = ["SCORER", "judge"]

_EOS = "</s>"
_ROUTES = tuple(output_format.MARKERS)
_OUTPUT_ORDER = (Decision.CALL, Decision.GIVE_UP, Decision.SUMMARIZE)


class Parsed(NamedTuple):
    """Plan, action, arguments and answer as the published scorers read them."""

    plan: Decision
    action: str | None = None
    arguments: str | None = None
    answer: str | None = None
    stop: str | None = None
    """Why the published script would have stopped here."""


def judge(prediction: Prediction) -> Judgement:
    """Judge one step as the published scorers do (released code).

    Raises:
        DataError: its planner has other markers than the published ones.
    """
    if prediction.markers:
        written = ", ".join(map(repr, prediction.markers.values()))
        raise DataError(f"the published scorers know the published markers alone, not {written}: --scorer strict")
    single = RoleName.SINGLE in prediction.predicted
    parse = parse_single if single else parse_roles
    reference = parse(reference_of_single(prediction) if single else reference_of_roles(prediction))
    predicted = parse(clean(prediction.predicted[RoleName.SINGLE]) if single else prediction_of_roles(prediction))
    invented = predicted.action not in (None, output_format.NO_TOOL, *prediction.tools)
    scores = {"plan_acc": float(reference.plan is predicted.plan), "hallucination": float(invented)}
    stops = [stop for stop in (reference.stop, predicted.stop) if stop]
    unscored: tuple[str, ...] = ()
    if reference.plan is Decision.CALL:
        action = output_format.NO_TOOL if predicted.action is None else predicted.action
        arguments = "{}" if predicted.arguments is None else predicted.arguments
        scores["act_em"] = float(action == reference.action)
        f1 = argument_f1(reference.action, reference.arguments or "", action, arguments)
        scores.update(f1)
        unscored = () if f1 else ("arg_f1: the reference's arguments are not JSON",)
    elif reference.plan is Decision.SUMMARIZE:
        answer = output_format.NO_TOOL if predicted.answer is None else predicted.answer
        try:
            scores["rouge_l"] = rouge_paper.rouge_l(answer, reference.answer or "")
        except ValueError as error:
            scores["rouge_l"] = 0.0
            stops.append(f"rouge: {error}")
    faults = [f"published script stops: {stop}" for stop in stops]
    if not single and (fault := prediction.not_asked(_route(clean(prediction.predicted[RoleName.PLANNER]))[0])):
        faults.append(fault)
    where = (prediction.id, prediction.step, reference.plan.value, predicted.plan.value)
    return Judgement(*where, scores, tuple(faults), unscored)


def output_order(prediction: Prediction) -> int:
    """Rank in the published `predictions.json`: calls, give-ups, answers. Sums of floats depend on the order."""
    if RoleName.SINGLE in prediction.predicted:
        return 0
    return _OUTPUT_ORDER.index(_route(clean(prediction.predicted[RoleName.PLANNER]))[0])


def clean(text: str) -> str:
    """A completion as `infer_pipeline.py` keeps it."""
    text = text.removeprefix(": ")
    return output_format.NO_TOOL if text.strip() in EMPTY_OUTPUTS else text


def _route(planned: str) -> tuple[Decision, str]:
    """Who is asked next, and the planner's text up to the marker; without one the caller is asked."""
    for decision in _ROUTES:
        marker = output_format.MARKERS[decision]
        before, found, _ = planned.partition(marker)
        if found:
            return Decision(decision), before + marker
    return Decision.CALL, planned + output_format.MARKERS[Decision.CALL]


def published_plan(text: str, markers: Mapping[str, str] = output_format.MARKERS) -> Plan:
    """A planner's text as `infer_pipeline.py` acts on it: give up over conclusion over caller, wherever they stand.

    It knows no other `markers`. What is cut off after the marker is never read. Another marker before it loses its full
    stop, as a reader of the history would take it for the decision otherwise.
    """
    if markers != output_format.MARKERS:
        written = ", ".join(map(repr, markers.values()))
        raise UsageError(f"the published scripts know the published markers alone, not {written}: --scorer strict")
    decision, planned = _route(clean(text))
    rationale = planned.removesuffix(output_format.MARKERS[decision]).removesuffix(" ")
    for marker in output_format.MARKERS.values():
        rationale = re.sub(re.escape(marker) + r"\.*", marker.removesuffix("."), rationale)
    return Plan(rationale=rationale, decision=decision)


def prediction_of_roles(prediction: Prediction) -> str:
    """The string that `infer_pipeline.py` writes as `predictions`, its misspelling included."""
    decision, planned = _route(clean(prediction.predicted[RoleName.PLANNER]))
    if decision is Decision.GIVE_UP:
        return planned
    role, name = (RoleName.CALLER, "caller") if decision is Decision.CALL else (RoleName.SUMMARIZER, "conclusion")
    return f"asssitant: {planned}{_EOS}{name}: {clean(prediction.predicted.get(role, ''))}"


def reference_of_roles(point: Point) -> str:
    """The string that `infer_pipeline.py` writes as `reference`."""
    planned = point.reference[RoleName.PLANNER]
    if point.decision is Decision.GIVE_UP:
        return planned
    role, name = (RoleName.CALLER, "caller") if point.decision is Decision.CALL else (RoleName.SUMMARIZER, "conclusion")
    return f"assistant: {planned}{_EOS}{name}: {point.reference[role]}{_EOS}"


def reference_of_single(point: Point) -> str:
    """The backbone's target at a point (`prepro_backbone.py`)."""
    call = output_format.parse_call(point.reference[RoleName.CALLER]) if RoleName.CALLER in point.reference else None
    plan = output_format.parse_plan(point.reference[RoleName.PLANNER])
    return output_format.format_turn(output_format.ParsedTurn(plan, call, point.reference.get(RoleName.SUMMARIZER)))


def parse_roles(text: str) -> Parsed:
    """`parse_output` of the multi-agent scorer."""
    if "Next: give up" in text:
        return Parsed(Decision.GIVE_UP)
    if "Next: conclusion" not in text:
        parts = text.split(_EOS)
        if len(parts) < 2:
            return Parsed(Decision.CALL, output_format.NO_TOOL, "{}", stop="a call without </s>")
        return _parse_action(parts[1])
    _, found, answer = text.rpartition("conclusion: ")
    if found or "conclusion:" not in text:
        return Parsed(Decision.SUMMARIZE, answer=answer.replace(_EOS, ""))
    return Parsed(Decision.SUMMARIZE, answer=text.replace(_EOS, ""), stop="`conclusion:` without a space after it")


def parse_single(text: str) -> Parsed:
    """`parse_output` of the backbone scorer."""
    if "conclusion: give up" in text:
        return Parsed(Decision.GIVE_UP)
    if "conclusion: " in text:
        return Parsed(Decision.SUMMARIZE, answer=text.rpartition("conclusion: ")[2])
    return _parse_action(text)


def _parse_action(text: str) -> Parsed:
    _, found, arguments = text.rpartition("Action Input:")
    _, named, action = text.rpartition("Action:")
    action = action.partition("Action Input:")[0].strip() if named else output_format.NO_TOOL
    return Parsed(Decision.CALL, action, arguments.strip() if found else "{}")


def argument_f1(action: str | None, arguments: str, predicted_action: str, predicted: str) -> dict[str, float]:
    """Argument F1 of one step; empty when the reference's arguments cannot be read, which skips the step."""
    if action != predicted_action:
        return {"arg_f1": 0.0, "easy_f1": 0.0, "hard_f1": 0.0}
    readable, reference = _decode(arguments)
    if not readable:
        return {}
    readable, candidate = _decode(predicted)
    if reference == {}:
        value = float(readable and candidate == {})
        return {"arg_f1": value, "easy_f1": value}
    try:
        value = _credit(reference, candidate) if readable else 0.0
    except RecursionError:  # values too deep to compare: the original counts any exception as 0
        value = 0.0
    return {"arg_f1": value, "hard_f1": value}


def _decode(text: str) -> tuple[bool, Any]:
    try:
        return True, json.loads(text)
    except (ValueError, RecursionError):
        return False, None


def _credit(reference: Any, candidate: Any) -> float:
    """Python's `==` decides, so 1, 1.0 and True are the same; a wrong value under a right key is worth half."""
    if not isinstance(reference, dict) or not isinstance(candidate, dict):
        return 0.0
    half = full = 0
    for key, value in reference.items():
        if key in candidate:
            if candidate[key] == value:
                full += 1
            else:
                half += 1
    if not half and not full:
        return 0.0
    recall = (0.5 * half + full) / (len(reference) + 1e-30)
    precision = (0.5 * half + full) / (len(candidate) + 1e-30)
    return (2 * recall * precision) / (recall + precision)


def _f1_mean(values: Sequence[float]) -> float | None:
    """With the constant that the published script adds after dividing; it stops where there are no values."""
    return sum(values) / len(values) + 1e-30 if values else None


def _mean(values: Sequence[float]) -> float:
    """Added up one by one as `rouge` does (from Python 3.12 on, `sum` rounds differently); 0 of nothing."""
    total = 0.0
    for value in values:
        total += value
    return total / len(values) if values else 0.0


SCORER = Scorer(
    judge=judge,
    metrics={
        "plan_acc": mean,
        "act_em": _mean,
        "hallucination": mean,
        "arg_f1": _f1_mean,
        "rouge_l": _mean,
        "easy_f1": _f1_mean,
        "hard_f1": _f1_mean,
    },
    order=output_order,
    routing=Routing("roles asked by the published rule", published_plan),
)
"""What `--scorer paper` judges by."""
