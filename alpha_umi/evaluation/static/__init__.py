"""Teacher-forced evaluation: each decision on the reference's history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.evaluation.static import paper_scorer, strict_scorer
    from alpha_umi.evaluation.static.decision_points import Point, Prediction
    from alpha_umi.evaluation.static.predictions import read_predictions
    from alpha_umi.evaluation.static.scorers import judge_all, samples, score
    from alpha_umi.evaluation.static.scoring import Judgement, Routing, Scorer, mean
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.evaluation.static.decision_points": ["Point", "Prediction"],
            "alpha_umi.evaluation.static.predictions": ["read_predictions"],
            "alpha_umi.evaluation.static.scorers": ["judge_all", "samples", "score"],
            "alpha_umi.evaluation.static.scoring": ["Judgement", "Routing", "Scorer", "mean"],
        },
        modules=["paper_scorer", "strict_scorer"],
    )

__all__ = [
    "Judgement",
    "Point",
    "Prediction",
    "Routing",
    "Scorer",
    "judge_all",
    "mean",
    "paper_scorer",
    "read_predictions",
    "samples",
    "score",
    "strict_scorer",
]
