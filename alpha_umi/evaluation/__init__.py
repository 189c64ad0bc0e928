"""Static evaluation: decision points, teacher-forced predictions, the paper's metrics with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.evaluation.statistics import Interval, Paired, Sample, bootstrap, paired_bootstrap, wilson
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.evaluation.statistics": [
                "Interval",
                "Paired",
                "Sample",
                "bootstrap",
                "paired_bootstrap",
                "wilson",
            ]
        },
    )

__all__ = ["Interval", "Paired", "Sample", "bootstrap", "paired_bootstrap", "wilson"]
