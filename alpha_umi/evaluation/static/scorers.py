"""Predictions -> metrics, each with its population size and a 95 % interval.

Scorers judge a step and are a plug-in group, `alpha_umi.scorers`: `strict` (the default, see `strict_scorer`), `paper`
(see `paper_scorer`), and those that packages bring. This module only adds their judgements up: means, intervals, the
confusion matrix of plans, faults by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alpha_umi.errors import DataError
from alpha_umi.evaluation.static.decision_points import Prediction
from alpha_umi.evaluation.static.scoring import NO_DECISION, Judgement, Mean, Scorer, mean
from alpha_umi.evaluation.statistics import RESAMPLES, Groups, Interval, Sample, bootstrap, wilson
from alpha_umi.plugins import PluginPoint
from alpha_umi.text import output_format

DECISIONS = tuple(decision.value for decision in output_format.DECISIONS)
BY_DECISION = ("plan_acc", "hallucination")
"""MetricValues that are also given by the reference's decision."""
STRICT = "strict"

SCORERS = PluginPoint[Scorer](
    "scorers",
    {name: f"alpha_umi.evaluation.static.{name}_scorer:SCORER" for name in (STRICT, "paper")},
    fits=lambda found: isinstance(found, Scorer),
)

MetricValues = dict[str, Any]


def judge_all(predictions: Iterable[Prediction], scorer: str = STRICT) -> list[Judgement]:
    """Judge each prediction, in the scorer's order; a scorer is a name of `SCORERS`, or MODULE:ATTRIBUTE."""
    return SCORERS.load(scorer).judge_all(list(predictions))


def score(
    predictions: Iterable[Prediction], scorer: str = STRICT, *, resamples: int = RESAMPLES, seed: int = 0
) -> MetricValues:
    """Compute the metrics of a scorer; those of the shipped two are α-UMi's static test (table 1).

    Raises:
        UsageError: there is no such scorer.
        DataError: there is nothing to score.
    """
    predictions = list(predictions)
    if not predictions:
        raise DataError("there is nothing to score: no predictions")
    means = SCORERS.load(scorer).metrics
    judged = judge_all(predictions, scorer)
    split = [name for name in BY_DECISION if name in means]
    groups: dict[str, Groups] = {name: [_samples(judged, name)] for name in means}
    macro: dict[str, Mean] = {}
    if "plan_acc" in means:
        by_plan = [_samples(judged, "plan_acc", decision) for decision in DECISIONS]
        groups["plan_macro"], macro = [group for group in by_plan if group], {"plan_macro": mean}
    for decision in DECISIONS:
        for name in split:
            groups[f"{decision}/{name}"] = [_samples(judged, name, decision)]
    intervals = bootstrap(groups, resamples=resamples, seed=seed)
    metrics: MetricValues = {"scorer": scorer}
    for name, average in {**means, **macro}.items():
        metrics[name] = _metric(groups[name], intervals[name], average)
    metrics["by_decision"] = {
        decision: {name: _metric(groups[f"{decision}/{name}"], intervals[f"{decision}/{name}"], mean) for name in split}
        for decision in DECISIONS
    }
    return metrics | _choices(predictions) | _counts(judged) | _usage(predictions)


def _choices(predictions: Sequence[Prediction]) -> MetricValues:
    """How often each role that reads answers chose as the reference did, as `ROLE_acc`."""
    right: dict[str, list[bool]] = {}
    for prediction in predictions:
        for role, choice in prediction.choices.items():
            right.setdefault(role, []).append(prediction.chosen.get(role) == choice)
    found: MetricValues = {}
    for role, each in right.items():
        low, high = wilson(sum(each), len(each))
        found[f"{role}_acc"] = {"value": sum(each) / len(each), "n": len(each), "low": low, "high": high}
    return found


def samples(predictions: Iterable[Prediction], metric: str, scorer: str = STRICT) -> list[Sample]:
    """One metric's value at each step of its population, for `statistics.paired_bootstrap`."""
    return _samples(judge_all(predictions, scorer), metric)


def _samples(judged: Iterable[Judgement], metric: str, reference: str | None = None) -> list[Sample]:
    return [
        Sample(j.cluster, j.scores[metric])
        for j in judged
        if metric in j.scores and (reference is None or j.reference == reference)
    ]


def _metric(groups: Groups, interval: Interval | None, average: Mean) -> MetricValues:
    """`{"value", "n", "low", "high"}`; the value of several groups is the mean of their means."""
    means = [average([s.value for s in group]) for group in groups]
    known = [value for value in means if value is not None]
    low, high = interval or (None, None)
    value = sum(known) / len(known) if known else None
    return {"value": value, "n": sum(map(len, groups)), "low": low, "high": high}


def _counts(judged: Sequence[Judgement]) -> MetricValues:
    """Confusion matrix (reference, then predicted), faults by reason, and steps a metric had to leave out."""
    pairs = Counter((j.reference, j.predicted) for j in judged)
    unscored: dict[str, list[str]] = {}
    for j in judged:
        for reason in j.unscored:
            unscored.setdefault(reason, []).append(f"{j.cluster} step {j.step}")
    return {
        "confusion": {r: {p: pairs[r, p] for p in (*DECISIONS, NO_DECISION)} for r in DECISIONS},
        "faults": _by_count(Counter(fault for j in judged for fault in j.faults)),
        "unscored": {reason: {"n": len(steps), "steps": steps} for reason, steps in unscored.items()},
        "n_points": len(judged),
        "n_trajectories": len({j.cluster for j in judged}),
    }


def _by_count(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _usage(predictions: Sequence[Prediction]) -> MetricValues:
    return {
        "usage": {
            "prompt_tokens": sum(p.prompt_tokens for p in predictions),
            "encoded_tokens": sum(p.encoded_tokens for p in predictions),
            "completion_tokens": sum(p.completion_tokens for p in predictions),
            "seconds": round(sum(p.seconds for p in predictions), 3),
        }
    }
