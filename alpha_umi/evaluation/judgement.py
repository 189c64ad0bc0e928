"""What a scorer says of one prediction. A metric that a step is no part of is absent from its scores."""

from __future__ import annotations

from typing import NamedTuple

NO_DECISION = "none"
"""Column of the confusion matrix for output that decides nothing."""


class Judgement(NamedTuple):
    """One step judged."""

    cluster: str
    step: int
    reference: str
    """The reference's decision."""
    predicted: str
    """The predicted decision, or `none`."""
    scores: dict[str, float]
    faults: tuple[str, ...] = ()
    """What was wrong with the output, each as `role: reason`."""
    unscored: tuple[str, ...] = ()
    """Metrics that the reference does not allow to compute, each as `metric: reason`."""
