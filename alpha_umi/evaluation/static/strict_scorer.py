"""The default scorer: the paper's five metrics with the published scripts' faults repaired.

Plan ACC    only the planner's words decide; without a marker there is no decision, and the step is wrong
Act. EM     as published, over references that name an offered tool
Hallu.      over the calls that were predicted and name a tool, not over all steps
Arg. F1     values compared by type (True is not 1) and numbers by value (1 is 1.0); over readable references
R-L         ROUGE-L of lower-cased words counted as often as they occur; no answer scores 0, not the word `none`

Texts are read by `output_format`, as the agent reads them. The table of differences is docs/evaluation.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from alpha_umi.evaluation.static.decision_points import Point, Prediction
from alpha_umi.evaluation.static.scoring import NO_DECISION, Judgement, Scorer, mean
from alpha_umi.roles import RoleName
from alpha_umi.text import output_format
from alpha_umi.text.json_object import EMPTY_OUTPUTS
from alpha_umi.trajectory import Call, Decision

__all__ = ["SCORER", "judge"]

_UNNAMED = frozenset({"empty", "no_action"})
_WORD = re.compile(r"\w+")


class _Read(NamedTuple):
    """A prediction read as the agent would read it."""

    decision: Decision | None
    call: Call | None
    answer: str | None
    faults: tuple[str, ...]


def judge(prediction: Prediction) -> Judgement:
    """Judge one step (metrics of α-UMi, table 1; repaired)."""
    read = _read(prediction)
    scores = {"plan_acc": float(read.decision is prediction.decision)}
    if read.call is not None and read.call.fault not in _UNNAMED:
        scores["hallucination"] = float(read.call.tool not in prediction.tools)
    more: dict[str, float] = {}
    unscored = ""
    if prediction.decision is Decision.CALL:
        more, unscored = _judge_call(prediction, read.call)
    elif prediction.decision is Decision.SUMMARIZE:
        more, unscored = _judge_answer(prediction, read.answer)
    predicted = NO_DECISION if read.decision is None else read.decision.value
    return Judgement(
        cluster=prediction.id,
        step=prediction.step,
        reference=prediction.decision.value,
        predicted=predicted,
        scores=scores | more,
        faults=read.faults,
        unscored=(unscored,) if unscored else (),
    )


def _read(prediction: Prediction) -> _Read:
    """Decision, call or answer; a plan with a fault decides nothing, and what came of it does not count."""
    texts = prediction.predicted
    call: Call | None = None
    answer: str | None = None
    if RoleName.SINGLE in texts:
        role = RoleName.SINGLE
        plan, call, answer = output_format.parse_turn(texts[role])
    else:
        role = RoleName.PLANNER
        plan = output_format.parse_plan(texts[role], prediction.markers or output_format.MARKERS)
        if plan.decision is Decision.CALL and RoleName.CALLER in texts:
            call = output_format.parse_call(texts[RoleName.CALLER])
        elif plan.decision is Decision.SUMMARIZE and RoleName.SUMMARIZER in texts:
            answer = output_format.parse_answer(texts[RoleName.SUMMARIZER])
    wrong = {f"{role}: {plan.fault}": None} if plan.fault else {}
    if call is not None and call.fault and not plan.fault:
        wrong[f"{RoleName.SINGLE if role is RoleName.SINGLE else RoleName.CALLER}: {call.fault}"] = None
    if answer in EMPTY_OUTPUTS:
        wrong[f"{RoleName.SINGLE if role is RoleName.SINGLE else RoleName.SUMMARIZER}: empty"] = None
    for speaker, reason in prediction.finish.items():
        if reason == "context":  # nothing was written, so `empty` would be the wrong reason
            wrong.pop(f"{speaker}: empty", None)
        if reason != "stop":
            wrong[f"{speaker}: {reason}"] = None
    if role is RoleName.PLANNER and not plan.fault and (fault := prediction.not_asked(plan.decision)):
        wrong[fault] = None
    if plan.fault:
        return _Read(None, None, None, tuple(wrong))
    return _Read(plan.decision, call, answer, tuple(wrong))


def _judge_call(point: Point, call: Call | None) -> tuple[dict[str, float], str]:
    reference = output_format.parse_call(point.reference[RoleName.CALLER])
    if reference.tool not in point.tools:
        return {}, "act_em, arg_f1: the reference names no offered tool"
    same = call is not None and call.tool == reference.tool
    scores = {"act_em": float(same)}
    if reference.fault:
        return scores, f"arg_f1: the reference's arguments cannot be read ({reference.fault})"
    readable = call is not None and same and not call.fault
    scores["arg_f1"] = argument_f1(reference.arguments, call.arguments) if call is not None and readable else 0.0
    return scores, ""


def _judge_answer(point: Point, answer: str | None) -> tuple[dict[str, float], str]:
    reference = output_format.parse_answer(point.reference[RoleName.SUMMARIZER])
    if reference.lower() in {*EMPTY_OUTPUTS, output_format.NO_TOOL}:
        return {}, "rouge_l: the reference has no answer"
    return {"rouge_l": rouge_l(answer or "", reference)}, ""


def argument_f1(reference: Mapping[str, Any], predicted: Mapping[str, Any]) -> float:
    """F1 of arguments, a wrong value under a right key worth half (released code, with typed equality)."""
    if not reference or not predicted:
        return float(not reference and not predicted)
    credit = sum(1.0 if equal(value, predicted[key]) else 0.5 for key, value in reference.items() if key in predicted)
    return 2 * credit / (len(reference) + len(predicted))


def equal(a: Any, b: Any) -> bool:
    """Whether two JSON values are the same: of one type, numbers by value."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(value, b[key]) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)


def rouge_l(hypothesis: str, reference: str) -> float:
    """F1 of the longest common subsequence of lower-cased words (Lin 2004, sentence level)."""
    x, y = _WORD.findall(hypothesis.lower()), _WORD.findall(reference.lower())
    if not x or not y:
        return float(x == y and hypothesis.split() == reference.split())
    return 2 * lcs_length(x, y) / (len(x) + len(y))


def lcs_length(x: Sequence[str], y: Sequence[str]) -> int:
    """Length of the longest common subsequence, one machine word of the table at a time (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for i, word in enumerate(x):
        places[word] = places.get(word, 0) | 1 << i
    every = (1 << len(x)) - 1
    row = every
    for word in y:
        match = row & places.get(word, 0)
        row = ((row + match) | (row - match)) & every
    return len(x) - row.bit_count()


SCORER = Scorer(judge=judge, metrics=dict.fromkeys(("plan_acc", "act_em", "hallucination", "arg_f1", "rouge_l"), mean))
"""What `--scorer strict` judges by."""
