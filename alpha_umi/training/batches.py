"""How many rows an update reads, where a recipe says how many targets it is to learn from.

Roles differ in targets a row: a trajectory has about four decisions, fewer calls and one answer. Found once, before
anything is trained, because schedules, checkpoints and DeepSpeed need a number that does not change.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alpha_umi.errors import ConfigError
from alpha_umi.training.dataset import StageRows, stage_rows
from alpha_umi.training.distributed import world_size
from alpha_umi.training.recipe import Recipe

if TYPE_CHECKING:
    from alpha_umi.text.encoders import Encoder


def in_rows(recipe: Recipe, data: Path, folder: Path, encoder: Encoder) -> Recipe:
    """The recipe with the rows of each stage's batch, where it says how many targets.

    Args:
        recipe: the recipe.
        data: folder of trajectories.
        folder: where rows are kept.
        encoder: of the base.

    Raises:
        ConfigError: the fewest rows that these processes can read hold more than twice the targets.
    """
    stages = dict(recipe.stages)
    odd: list[str] = []
    for name, stage in stages.items():
        if (wanted := stage.batch_targets) is None:
            continue
        each = targets_a_row(recipe, name, stage_rows(recipe, [name], data, folder, encoder))
        least = stage.micro_batch * world_size()
        rows = max(1, round(wanted / each / least)) * least
        stages[name] = stage.model_copy(update={"batch_size": rows})
        if rows * each > 2 * wanted and rows > 1:
            odd.append(
                f"stages.{name}: batch_targets {wanted}, but micro_batch {stage.micro_batch} x {world_size()} "
                f"processes read about {rows * each:.0f} targets at once"
            )
    if odd:
        raise ConfigError(recipe.name, odd)
    return recipe.model_copy(update={"stages": stages})


def targets_a_row(recipe: Recipe, stage: str, rows: StageRows) -> float:
    """Mean number of a stage's targets in the rows that it reads."""
    if not recipe.shares(stage):
        return float(sum(rows.dataset["targets"]) / len(rows.dataset))
    return sum(map(len, rows.branches_of(recipe.roles_of(stage)[0]))) / len(rows.dataset)
