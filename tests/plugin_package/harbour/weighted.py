"""`trainer: weighted`, `options: {weight: 0.5}`: supervised fine-tuning with the loss times a weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alpha_umi.training import StageTrainer, StageWork, sft


def train(work: StageWork) -> Mapping[str, Mapping[str, Any]]:
    """Train, and say on the card with what weight."""
    weight = float(work.stage.options.get("weight", 1.0))

    class Weighted(StageTrainer):
        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            return weight * super().compute_loss(model, inputs, num_items_in_batch=num_items_in_batch)

    results = sft.train(work, trainer_class=Weighted)
    return {name: {**result, "weight": weight} for name, result in results.items()}
