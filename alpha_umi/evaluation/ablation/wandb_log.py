"""An experiment in Weights & Biases: each cell's metrics as it ends, and the table at last. Offline without a key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpha_umi.errors import MissingExtra
from alpha_umi.evaluation.ablation.grid import Cell
from alpha_umi.evaluation.comparison import Comparison
from alpha_umi.training.wandb_settings import set_environment


class WandbLog:
    """One W&B run for one experiment."""

    def __init__(self, name: str, folder: Path) -> None:
        """Begin it; files lie in `folder`.

        Raises:
            MissingExtra: wandb is not installed.
        """
        set_environment(folder)
        try:
            import wandb
        except ImportError as error:
            raise MissingExtra("--wandb", "train", error) from error
        self._wandb = wandb
        self._run = wandb.init(name=name, dir=str(folder))

    def cell(self, cell: Cell, metrics: Mapping[str, Any]) -> None:
        """Log what one cell measured: every metric with a value."""
        values = {
            f"{cell.title}/{key}": found["value"]
            for key, found in metrics.items()
            if isinstance(found, Mapping) and found.get("value") is not None
        }
        if values:
            self._run.log(values)

    def table(self, comparison: Comparison) -> None:
        """Log the rows of the comparison and end the run."""
        from alpha_umi.evaluation.tables import rows

        head, *body = rows(comparison)
        self._run.log({"comparison": self._wandb.Table(columns=list(head), data=[list(row) for row in body])})
        self._run.finish()
