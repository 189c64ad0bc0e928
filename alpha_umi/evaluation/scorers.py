"""Predictions -> metrics, each with its population size and a 95 % interval.

Two scorers judge a step: `strict` (the default, see `strict_scorer`) and `paper` (see `paper_scorer`). This module
only adds their judgements up: means, intervals, the confusion matrix of plans, faults by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from alpha_umi import grammar
from alpha_umi.errors import DataError
from alpha_umi.evaluation import paper_scorer, strict_scorer
from alpha_umi.evaluation.judgement import NO_DECISION, Judgement
from alpha_umi.evaluation.points import Prediction
from alpha_umi.evaluation.statistics import RESAMPLES, Groups, Interval, Sample, bootstrap

METRICS = ("plan_acc", "act_em", "hallucination", "arg_f1", "rouge_l")
"""Keys of the paper's columns Plan ACC, Act. EM, Hallu., Arg. F1, R-L."""
PUBLISHED_F1 = ("arg_f1", "easy_f1", "hard_f1")
DECISIONS = tuple(decision.value for decision in grammar.DECISIONS)

Metrics = dict[str, Any]


class Scorer(StrEnum):
    """Which rules a step is judged by."""

    STRICT = "strict"
    PAPER = "paper"


def judge_all(predictions: Iterable[Prediction], scorer: Scorer | str = Scorer.STRICT) -> list[Judgement]:
    """Judge each prediction; in the `paper` scorer in the order in which the published script adds up."""
    ordered = sorted(predictions, key=lambda p: p.n)
    if Scorer(scorer) is Scorer.STRICT:
        return [strict_scorer.judge(p) for p in ordered]
    return [paper_scorer.judge(p) for p in sorted(ordered, key=paper_scorer.output_order)]


def score(
    predictions: Iterable[Prediction],
    scorer: Scorer | str = Scorer.STRICT,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Metrics:
    """Compute the metrics of α-UMi's static test (table 1).

    Raises:
        DataError: there is nothing to score.
    """
    predictions = list(predictions)
    if not predictions:
        raise DataError("there is nothing to score: no predictions")
    scorer = Scorer(scorer)
    judged = judge_all(predictions, scorer)
    names = METRICS if scorer is Scorer.STRICT else (*METRICS, "easy_f1", "hard_f1")
    groups: dict[str, Groups] = {name: [_samples(judged, name)] for name in names}
    by_plan = [_samples(judged, "plan_acc", decision) for decision in DECISIONS]
    groups["plan_macro"] = [group for group in by_plan if group]
    for decision in DECISIONS:
        for name in ("plan_acc", "hallucination"):
            groups[f"{decision}/{name}"] = [_samples(judged, name, decision)]
    intervals = bootstrap(groups, resamples=resamples, seed=seed)
    metrics: Metrics = {"scorer": scorer.value}
    for name in (*names, "plan_macro"):
        metrics[name] = _metric(groups[name], intervals[name], _mean_of(name, scorer))
    metrics["by_decision"] = {
        decision: {
            name: _metric(groups[f"{decision}/{name}"], intervals[f"{decision}/{name}"], _mean)
            for name in ("plan_acc", "hallucination")
        }
        for decision in DECISIONS
    }
    return metrics | _counts(judged) | _usage(predictions)


def samples(predictions: Iterable[Prediction], metric: str, scorer: Scorer | str = Scorer.STRICT) -> list[Sample]:
    """One metric's value at each step of its population, for `statistics.paired_bootstrap`."""
    return _samples(judge_all(predictions, scorer), metric)


def _samples(judged: Iterable[Judgement], metric: str, reference: str | None = None) -> list[Sample]:
    return [
        Sample(j.cluster, j.scores[metric])
        for j in judged
        if metric in j.scores and (reference is None or j.reference == reference)
    ]


def _metric(groups: Groups, interval: Interval | None, mean: Callable[[Sequence[float]], float | None]) -> Metrics:
    """`{"value", "n", "low", "high"}`; the value of several groups is the mean of their means."""
    means = [mean([s.value for s in group]) for group in groups]
    known = [value for value in means if value is not None]
    low, high = interval or (None, None)
    value = sum(known) / len(known) if known else None
    return {"value": value, "n": sum(map(len, groups)), "low": low, "high": high}


def _mean_of(name: str, scorer: Scorer) -> Callable[[Sequence[float]], float | None]:
    """How a metric's values are averaged; the published scripts average each metric in a way of its own."""
    if scorer is Scorer.STRICT or name in {"plan_acc", "plan_macro", "hallucination"}:
        return _mean
    return _published_f1_mean if name in PUBLISHED_F1 else _published_mean


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _published_f1_mean(values: Sequence[float]) -> float | None:
    """With the constant that the published script adds after dividing; it stops where there are no values."""
    return sum(values) / len(values) + 1e-30 if values else None


def _published_mean(values: Sequence[float]) -> float:
    """Added up one by one as `rouge` does (from Python 3.12 on, `sum` rounds differently); 0 of nothing."""
    total = 0.0
    for value in values:
        total += value
    return total / len(values) if values else 0.0


def _counts(judged: Sequence[Judgement]) -> Metrics:
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


def _usage(predictions: Sequence[Prediction]) -> Metrics:
    return {
        "usage": {
            "prompt_tokens": sum(p.prompt_tokens for p in predictions),
            "encoded_tokens": sum(p.encoded_tokens for p in predictions),
            "completion_tokens": sum(p.completion_tokens for p in predictions),
            "seconds": round(sum(p.seconds for p in predictions), 3),
        }
    }
