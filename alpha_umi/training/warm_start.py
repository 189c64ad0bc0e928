"""A run that trains a team on: its LoRA stages begin with that team's adapters in place of fresh ones.

The backbone's stage begins with the team's backbone, a role's with that role. Optimisers and schedules begin anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpha_umi.adapters import ADAPTER, is_adapter, read_card, weights_digest
from alpha_umi.errors import ConfigError
from alpha_umi.prompts import View
from alpha_umi.roles import ROLES, load_team
from alpha_umi.training.recipe import BASE, Lora, Recipe

if TYPE_CHECKING:
    from torch import Tensor

_SEATS = {view.value for view in ROLES}


def adapter_of(recipe: Recipe, stage: str) -> Path | None:
    """The adapter that a stage begins with; None when it begins with a fresh one, or trains in full.

    Raises:
        ConfigError: the team has none for this stage, or one of another shape.
    """
    if recipe.warm_start is None or recipe.stages[stage].method == "full":
        return None
    team = load_team(recipe.warm_start)
    folder: Path | None
    if stage in _SEATS and not recipe.continued(stage):
        what, weights = f"its {stage}", team.role(View(stage)).weights
        folder = None if weights is None else Path(weights)
    else:
        what = "its backbone"
        folder = Path(team.base) / ADAPTER if team.backbone is None else Path(team.backbone)
    if folder is None or not is_adapter(folder):
        raise ConfigError(recipe.name, [f"warm_start: '{recipe.warm_start}': {what} is no adapter that was trained"])
    if odd := _differences(folder, recipe.stages[stage].lora):
        raise ConfigError(recipe.name, [f"warm_start: '{recipe.warm_start}': {what} has {'; '.join(odd)}"])
    return folder


def check(recipe: Recipe) -> list[str]:
    """What is wrong with the team that a recipe begins with, a line each."""
    from alpha_umi.models.local import base_digest

    if recipe.warm_start is None:
        return []
    if not any(stage.method == "lora" for stage in recipe.stages.values()):
        return ["warm_start: begins with adapters, but every stage is trained in full; set base to the team's model"]
    mistakes: list[str] = []
    for name, stage in recipe.stages.items():
        try:
            folder = adapter_of(recipe, name)
        except ConfigError as error:
            mistakes += error.mistakes
            continue
        # Roles follow their backbone as it moves; what stands on the base itself fits that base alone.
        card = None if folder is None or stage.start != BASE else _card_of(folder)
        if card is not None and card["base_digest"] != base_digest(recipe.base):
            mistakes.append(f"warm_start: '{recipe.warm_start}' was trained over other weights than {recipe.base}")
    return mistakes


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """An adapter's tensors, fp32, by PEFT's names in a file."""
    import torch
    from safetensors.torch import load_file

    return {name: tensor.to(torch.float32) for name, tensor in load_file(folder / "adapter_model.safetensors").items()}


def digest_of(recipe: Recipe, stage: str) -> str | None:
    """What a card says of the adapter a stage began with."""
    folder = adapter_of(recipe, stage)
    return None if folder is None else weights_digest(folder)


def _card_of(folder: Path) -> dict[str, Any] | None:
    """The card of an adapter; that of a run's merged backbone lies one folder up."""
    card = read_card(folder) or (read_card(folder.parent) if folder.name == ADAPTER else None)
    return None if card is None else card.model_dump()


def _differences(folder: Path, lora: Lora) -> list[str]:
    """How an adapter differs from what a stage trains; its tensors could not be taken over."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    odd = [
        f"{key} {config.get(theirs)}, not {ours:g}"
        for key, theirs, ours in (("r", "r", lora.r), ("alpha", "lora_alpha", lora.alpha))
        if config.get(theirs) != ours
    ]
    if set(config.get("target_modules") or ()) != set(lora.target_modules):
        odd.append("other target_modules")
    return odd
