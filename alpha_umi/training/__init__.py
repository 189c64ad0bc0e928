"""Global-to-local progressive fine-tuning: recipes, stages, and the trainer of one stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.training import sft
    from alpha_umi.training.api import train
    from alpha_umi.training.recipe import Recipe, load_recipe
    from alpha_umi.training.stage import Lora, Stage
    from alpha_umi.training.stages import StageWork, TrainStage
    from alpha_umi.training.trainer import StageTrainer
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.training.api": ["train"],
            "alpha_umi.training.recipe": ["Recipe", "load_recipe"],
            "alpha_umi.training.stage": ["Lora", "Stage"],
            "alpha_umi.training.stages": ["StageWork", "TrainStage"],
            "alpha_umi.training.trainer": ["StageTrainer"],
        },
        modules=["sft"],
    )

__all__ = ["Lora", "Recipe", "Stage", "StageTrainer", "StageWork", "TrainStage", "load_recipe", "sft", "train"]
