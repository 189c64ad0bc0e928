"""Raw files -> trajectories -> step examples and training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.data import convert, store
    from alpha_umi.data.convert import Reader
    from alpha_umi.data.filters import Filter, Report
else:
    __getattr__, __dir__ = exports(
        __name__,
        {"alpha_umi.data.convert": ["Reader"], "alpha_umi.data.filters": ["Filter", "Report"]},
        modules=["convert", "store"],
    )

__all__ = ["Filter", "Reader", "Report", "convert", "store"]
