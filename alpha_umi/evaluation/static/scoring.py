"""What a scorer is, and what it says of one prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from alpha_umi.evaluation.static.decision_points import Prediction
from alpha_umi.text import output_format
from alpha_umi.trajectory import Plan

NO_DECISION = "none"
"""Column of the confusion matrix for output that decides nothing."""

Mean = Callable[[Sequence[float]], float | None]
"""How the values of a metric are averaged; None, or what it says of nothing, where there are none."""


class Judgement(NamedTuple):
    """One step judged."""

    cluster: str
    """The trajectory that it belongs to: intervals are over these."""
    step: int
    reference: str
    """The reference's decision."""
    predicted: str
    """The predicted decision, or `none`."""
    scores: Mapping[str, float]
    """Fractions by metric. A metric that a step is no part of is absent."""
    faults: tuple[str, ...] = ()
    """What was wrong with the output, each as `role: reason`."""
    unscored: tuple[str, ...] = ()
    """Metrics that the reference does not allow to compute, each as `metric: reason`."""


class Routing(NamedTuple):
    """How a planner's text says which role is asked next, while predicting."""

    name: str
    """What records are told apart by; empty where it is the agent's own."""
    read_plan: Callable[[str, Mapping[str, str]], Plan]


AGENTS_ROUTING = Routing("", output_format.parse_plan)


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean."""
    return sum(values) / len(values) if values else None


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """The rules that a step is judged by: what an entry point of `alpha_umi.scorers` stands for.

    With the metrics `plan_acc` and `hallucination` a scorer has them by decision too, and `plan_macro`.
    """

    judge: Callable[[Prediction], Judgement]
    """Judges one step."""
    metrics: Mapping[str, Mean]
    """The metrics in the order in which they are listed, and how each is averaged."""
    order: Callable[[Prediction], int] | None = None
    """A rank, where sums depend on the order in which steps are added up; by default that of the data."""
    routing: Routing = AGENTS_ROUTING
    """How predictions for it are made. Those made with another routing are scored as they are."""

    def judge_all(self, predictions: Sequence[Prediction]) -> list[Judgement]:
        """Judge each prediction, in the scorer's order."""
        ordered = sorted(predictions, key=lambda p: p.n)
        return [self.judge(p) for p in (ordered if self.order is None else sorted(ordered, key=self.order))]
