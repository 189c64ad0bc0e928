"""How a stage is trained: the plug-in group `alpha_umi.stages`, in which `sft` (supervised fine-tuning) ships.

`Stage.trainer` names one. `glpft` prepares the rows, asks it for weights, reads them back and writes their card.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from alpha_umi.errors import UsageError
from alpha_umi.plugins import PluginPoint, is_own

if TYPE_CHECKING:
    from transformers import TrainerCallback

    from alpha_umi.text.encoders import Encoder
    from alpha_umi.training.dataset import StageRows
    from alpha_umi.training.recipe import Recipe
    from alpha_umi.training.stage import Stage

SFT = "sft"


@dataclass(frozen=True, kw_only=True)
class StageWork:
    """One stage to train; of `sft` also several roles, in one pass over a context that they share."""

    recipe: Recipe
    names: tuple[str, ...]
    """The stages; one, but for roles that `sft` trains together."""
    rows: StageRows
    """What `sft` trains on, memory-mapped."""
    data: Path
    """The folder of trajectories that the rows were made of."""
    encoder: Encoder
    """Trajectory texts to token ids, as the rows were made."""
    start: str
    """Folder of the model to continue from."""
    begin: Mapping[str, Path]
    """Adapters that LoRA stages begin with in place of fresh ones, by stage (`Recipe.warm_start`)."""
    out: Path
    """The run folder; the weights of a stage go to `folder(name)`."""
    checkpoints: Path
    """Where checkpoints go. It is deleted once the weights have been read back; what it holds is from a run that was
    stopped, and is to be continued."""
    seed: int
    """Of the stage. torch, numpy and random have it already."""
    callbacks: Sequence[TrainerCallback] = ()
    """The user's, for whatever trainer is used."""

    @property
    def stage(self) -> Stage:
        """The settings of the (first) stage, its `options` among them."""
        return self.recipe.stages[self.names[0]]

    def folder(self, name: str) -> Path:
        """Where the weights of a stage go."""
        return self.out / name


class TrainStage(Protocol):
    """What a name of `alpha_umi.stages` stands for."""

    def __call__(self, work: StageWork, /) -> Mapping[str, Mapping[str, Any]]:
        """Train, and leave the weights in `work.folder(name)` of each stage.

        A whole model with its tokenizer where `work.recipe.saves_full_weights(name)`, else a PEFT adapter with the
        stage's `lora` settings: they are read back and compared with the base. In a distributed run every process calls
        it, and the first one writes.

        Returns:
            For each stage what its card says of how it went (`steps`, `final_loss` and whatever else), as JSON values.

        Raises:
            WorkError: there is nothing worth saving; the run may be resumed.
        """
        ...


STAGES = PluginPoint[TrainStage]("stages", {SFT: "alpha_umi.training.sft:train"}, fits=callable)


def wrong_trainers(stages: Any, given: Collection[str]) -> list[str]:
    """Names of no trainer in a recipe's raw stages; MODULE:ATTRIBUTE only counts where `--set` gives it, as `given`."""
    mistakes = []
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        trainer = stage.get("trainer", SFT) if isinstance(stage, dict) else SFT
        if not isinstance(trainer, str) or trainer in STAGES.names():
            continue
        if not (is_own(trainer) and trainer in given):
            mistakes.append(f"stages.{name}.trainer: {STAGES.unknown(trainer, own=trainer in given)}")
    return mistakes


def mistakes(recipe: Recipe) -> list[str]:
    """Trainers of a recipe that cannot be imported or called."""
    found = []
    for name, stage in recipe.stages.items():
        try:
            STAGES.load(stage.trainer)
        except UsageError as error:
            found.append(f"stages.{name}.trainer: {error}")
    return found
