"""Evaluation: decision points and live episodes, metrics with intervals, comparisons, ablations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.evaluation.comparison import Comparison, compare
    from alpha_umi.evaluation.results import EvaluationResult, read_evaluation
    from alpha_umi.evaluation.statistics import (
        Interval,
        Paired,
        Sample,
        bootstrap,
        holm,
        mcnemar,
        paired_bootstrap,
        pass_hat_k,
        wilson,
    )
    from alpha_umi.evaluation.tables import write_comparison
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.evaluation.comparison": ["Comparison", "compare"],
            "alpha_umi.evaluation.results": ["EvaluationResult", "read_evaluation"],
            "alpha_umi.evaluation.statistics": [
                "Interval",
                "Paired",
                "Sample",
                "bootstrap",
                "holm",
                "mcnemar",
                "paired_bootstrap",
                "pass_hat_k",
                "wilson",
            ],
            "alpha_umi.evaluation.tables": ["write_comparison"],
        },
    )

__all__ = [
    "Comparison",
    "EvaluationResult",
    "Interval",
    "Paired",
    "Sample",
    "bootstrap",
    "compare",
    "holm",
    "mcnemar",
    "paired_bootstrap",
    "pass_hat_k",
    "read_evaluation",
    "wilson",
    "write_comparison",
]
