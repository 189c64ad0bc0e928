"""A run that trains a team on: its LoRA stages begin with that team's adapters in place of fresh ones.

The backbone's stage begins with the team's backbone, a role's with that role. Optimisers and schedules begin anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alpha_umi.digests import weights_digest
from alpha_umi.errors import ModelError, UsageError
from alpha_umi.model_card import ADAPTER, is_adapter, read_card
from alpha_umi.roles import Team
from alpha_umi.team_files import load_team
from alpha_umi.training import adapted
from alpha_umi.training.recipe import Recipe
from alpha_umi.training.stage import BASE, Lora, Stage

if TYPE_CHECKING:
    from torch import Tensor

_WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True)
class WarmStart:
    """What the stages of a run begin with."""

    adapters: Mapping[str, Path]
    """Folder of each LoRA stage's; empty when all begin with fresh ones."""
    digests: Mapping[str, str]
    """Of their weights: what a run is resumed with must be what it began with."""


def warm_start_of(recipe: Recipe) -> WarmStart:
    """The adapters a recipe begins with.

    Raises:
        UsageError: there is no such team, or it has no adapter for a stage.
    """
    adapters: dict[str, Path] = {}
    if recipe.warm_start is not None:
        team = load_team(recipe.warm_start)
        lora = [name for name, stage in recipe.stages.items() if stage.method == "lora"]
        adapters = {name: _adapter_of(team, recipe, name) for name in lora}
    return WarmStart(adapters, {name: weights_digest(folder) for name, folder in adapters.items()})


def _adapter_of(team: Team, recipe: Recipe, stage: str) -> Path:
    if stage in recipe.filled.roles and not recipe.is_continued(stage):
        what, possible = f"its {stage}", [team.role(stage).weights]
    else:
        weights = {role.weights for role in team.roles.values()}
        alone = weights.pop() if len(weights) == 1 else None  # one model that speaks for all, as in Single-LLM
        what, possible = "its backbone", [team.backbone, str(Path(team.base) / ADAPTER), alone]
    for folder in possible:
        if folder is not None and is_adapter(Path(folder)):
            return Path(folder)
    raise UsageError(f"{what} is no adapter that was trained")


def check(recipe: Recipe) -> list[str]:
    """What is wrong with the team that a recipe begins with, a line each; found before anything is trained."""
    if recipe.warm_start is None:
        return []
    try:
        mistakes = _misfits(recipe, load_team(recipe.warm_start))
    except UsageError as error:
        return [f"warm_start: {error}"]
    return [f"warm_start: '{recipe.warm_start}': {mistake}" for mistake in mistakes]


def _misfits(recipe: Recipe, team: Team) -> list[str]:
    lora = {name: stage for name, stage in recipe.stages.items() if stage.method == "lora"}
    if not lora:
        return ["these are adapters, but every stage is trained in full; train a LoRA recipe, such as gym"]
    mistakes = []
    if team.layout.name != recipe.layout.name:
        mistakes.append(f"it speaks the '{team.layout.name}' layout, the recipe '{recipe.layout.name}'")
    for name, stage in lora.items():
        try:
            folder = _adapter_of(team, recipe, name)
            mistakes += [f"its {name} has {odd}" for odd in _differences(folder, stage.lora)]
            if not mistakes:
                mistakes += _other_base(folder, stage, recipe.base)
        except (UsageError, ModelError) as error:
            mistakes.append(str(error))
    return mistakes


def _differences(folder: Path, lora: Lora) -> list[str]:
    """How an adapter's configuration differs from what a stage trains."""
    path = folder / "adapter_config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise ModelError(f"{path} is no configuration of an adapter")
    odd = [
        f"{key} {config.get(theirs)}, not {ours:g}"
        for key, theirs, ours in (("r", "r", lora.r), ("alpha", "lora_alpha", lora.alpha))
        if config.get(theirs) != ours
    ]
    modules = config.get("target_modules")
    if not isinstance(modules, list) or set(modules) != set(lora.names):
        odd.append("other target_modules")
    return odd


def _other_base(folder: Path, stage: Stage, base: str) -> list[str]:
    """Whether an adapter belongs on another base; a role's follows its backbone as that moves, so shapes must do."""
    from alpha_umi.models.local.bases import continued

    card = read_card(folder) or (read_card(folder.parent) if folder.name == ADAPTER else None)
    if card is not None and stage.start == BASE and not continued(card, base):
        return [f"it was trained over other weights than {base}"]
    if _shapes_in(folder) != adapted.shapes(base, stage.lora):
        return [f"{folder / _WEIGHTS} holds other layers than {base} has"]
    return []


def _shapes_in(folder: Path) -> dict[str, tuple[int, ...]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / _WEIGHTS, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        raise ModelError(f"{folder / _WEIGHTS} cannot be read") from None


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """An adapter's tensors, fp32, by PEFT's names in a file."""
    import torch
    from safetensors.torch import load_file

    return {name: tensor.to(torch.float32) for name, tensor in load_file(folder / _WEIGHTS).items()}
