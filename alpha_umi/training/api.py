"""`alpha_umi.train`: the command's work as one function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alpha_umi.roles import Team
from alpha_umi.team_files import load_team
from alpha_umi.training import glpft
from alpha_umi.training.recipe import load_recipe

if TYPE_CHECKING:
    from transformers import TrainerCallback


def train(
    recipe: str,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    overrides: Sequence[str] = (),
    resume: bool = False,
    callbacks: Sequence[TrainerCallback] = (),
) -> Team:
    """Run a recipe and return the team it made.

    Args:
        recipe: shipped name or YAML file.
        data: folder of `data convert`, or `gym:N`; overrides the recipe's.
        out: the run folder; `runs/<recipe>` by default.
        overrides: `a.b=c` assignments.
        resume: continue a stopped run.
        callbacks: instances of transformers' TrainerCallback, told of every stage's training.

    Raises:
        UsageError: the recipe, the data or the run folder is wrong.
        MissingExtra: the `train` extra is not installed.
    """
    loaded = load_recipe(recipe, overrides=overrides)
    if data is not None:
        loaded = loaded.model_copy(update={"data": str(data)})
    folder = Path(out) if out is not None else Path("runs") / loaded.name
    return load_team(str(glpft.train(loaded, folder, resume=resume, callbacks=callbacks)))
