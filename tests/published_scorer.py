"""The published static scorer, written again from its description alone, over PyPI `rouge`: what `paper` must equal.

Source: the notes on `infer_pipeline.py`, `evaluate-multi_agent.py` and `evaluate-backbone.py` of α-UMi. Shares no line
with `alpha_umi.evaluation`. Raises where the published script does.
"""

from __future__ import annotations

import json
from typing import Any

from rouge import Rouge

EMPTY = ("", ".", ",")


def written(text: str) -> str:
    """What inference keeps of a completion."""
    if text[:2] == ": ":
        text = text[2:]
    return "none" if text.strip() in EMPTY else text


def pipeline(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`predictions.json`: caller samples, then give-up samples, then summarizer samples.

    A record holds `tools`, `turns` (planner text, then None or (speaker, text)) and `planner`, `caller`, `summarizer`.
    """
    callers: list[dict[str, Any]] = []
    give_ups: list[dict[str, Any]] = []
    summarizers: list[dict[str, Any]] = []
    for record in records:
        planner_turn, next_turn = record["turns"]
        reference = planner_turn
        if next_turn is not None:
            reference = f"assistant: {planner_turn}</s>{next_turn[0]}: {next_turn[1]}</s>"
        plan = written(record["planner"])
        if "Next: give up." in plan:
            plan = plan[: plan.index("Next: give up.") + len("Next: give up.")]
            target, prediction = give_ups, plan
        elif "Next: conclusion." in plan:
            plan = plan[: plan.index("Next: conclusion.") + len("Next: conclusion.")]
            target, prediction = summarizers, f"asssitant: {plan}</s>conclusion: {written(record['summarizer'])}"
        else:
            if "Next: caller." in plan:
                plan = plan[: plan.index("Next: caller.") + len("Next: caller.")]
            else:
                plan = plan + "Next: caller."
            target, prediction = callers, f"asssitant: {plan}</s>caller: {written(record['caller'])}"
        target.append({"tools": record["tools"], "reference": reference, "predictions": prediction})
    return callers + give_ups + summarizers


def _action(text: str) -> tuple[str, str]:
    arguments = "{}"
    if "Action Input:" in text:
        arguments = text[text.rindex("Action Input:") + len("Action Input:") :].strip()
    if "Action:" not in text:
        return "none", arguments
    action = text[text.rindex("Action:") + len("Action:") :].strip()
    if "Action Input:" in action:
        action = action[: action.index("Action Input:")].strip()
    return action, arguments


def parse_multi(text: str) -> tuple[str, str | None, str | None, str | None]:
    if "Next: give up" in text:
        return "give up", None, None, None
    if "Next: conclusion" in text:
        if "conclusion:" in text:
            text = text[text.rindex("conclusion: ") + len("conclusion: ") :]
        return "finish", None, None, text.replace("</s>", "")
    return "call", *_action(text.split("</s>")[1]), None


def parse_backbone(text: str) -> tuple[str, str | None, str | None, str | None]:
    if "conclusion: give up" in text:
        return "give up", None, None, None
    if "conclusion: " in text:
        return "finish", None, None, text[text.rindex("conclusion: ") + len("conclusion: ") :]
    return "call", *_action(text), None


def published_metrics(data: list[dict[str, Any]], *, backbone: bool = False) -> dict[str, float | None]:
    """The seven numbers of `metrics.json`."""
    parse = parse_backbone if backbone else parse_multi
    parsed = [(d["tools"], parse(d["reference"]), parse(d["predictions"])) for d in data]
    calls = [(ref, pred) for _, ref, pred in parsed if ref[0] == "call"]
    ends = [(ref[3], "none" if pred[3] is None else pred[3]) for _, ref, pred in parsed if ref[0] == "finish"]
    invented = [p[1] for tools, _, p in parsed if p[1] is not None and p[1] != "none" and p[1] not in tools]
    easy, hard, both = argument_f1(calls)
    rouge = 0.0
    if ends:
        rouge = Rouge().get_scores([e[1] for e in ends], [e[0] for e in ends], avg=True)["rouge-l"]["f"]
    return {
        "rouge_l": rouge,
        "plan_acc": sum(ref[0] == pred[0] for _, ref, pred in parsed) / len(parsed),
        "act_em": sum(named(p) == ref[1] for ref, p in calls) / len(calls) if calls else 0.0,
        "easy_f1": mean(easy),
        "hard_f1": mean(hard),
        "arg_f1": mean(both),
        "hallucination": len(invented) / len(data),
    }


def named(prediction: tuple[str, str | None, str | None, str | None]) -> str:
    return "none" if prediction[1] is None else prediction[1]


def mean(values: list[float]) -> float | None:
    """None where the published script divides by zero."""
    return sum(values) / len(values) + 1e-30 if values else None


def argument_f1(calls: list[tuple[Any, Any]]) -> tuple[list[float], list[float], list[float]]:
    easy: list[float] = []
    hard: list[float] = []
    both: list[float] = []
    for ref, pred in calls:
        arguments = "{}" if pred[2] is None else pred[2]
        if named(pred) != ref[1]:
            for scores in (easy, hard, both):
                scores.append(0)
            continue
        try:
            expected = json.loads(ref[2])
        except (ValueError, RecursionError):
            continue
        if expected == {}:
            try:
                value = float(json.loads(arguments) == {})
            except (ValueError, RecursionError):
                value = 0.0
            easy.append(value)
            both.append(value)
            continue
        try:
            got = json.loads(arguments)
            full = sum(1 for k, v in expected.items() if k in got.keys() and got[k] == v)  # noqa: SIM118 -- lists fail
            half = sum(1 for k in expected if k in got) - full
            recall = (0.5 * half + full) / (len(expected) + 1e-30)
            precision = (0.5 * half + full) / (len(got) + 1e-30)
            value = 2 * recall * precision / (recall + precision)
        except (ValueError, RecursionError, AttributeError, TypeError, ZeroDivisionError):
            value = 0.0
        hard.append(value)
        both.append(value)
    return easy, hard, both
