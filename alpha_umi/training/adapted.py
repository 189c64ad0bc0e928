"""The layers that a recipe's LoRA stages adapt: named as PEFT names them, and known to be there before any training."""

from __future__ import annotations

from collections.abc import Mapping

from alpha_umi.model_card import is_called
from alpha_umi.training.recipe import Recipe
from alpha_umi.training.stage import Lora

ALL = "all-linear"


def with_names(recipe: Recipe) -> Recipe:
    """The recipe with the base's own names in place of `all-linear`."""
    from alpha_umi.models.local.base_weights import linear_shapes

    if all(stage.lora.target_modules != ALL for stage in recipe.stages.values()):
        return recipe
    names = tuple(sorted({_leaf(path) for path in linear_shapes(recipe.base)}))
    stages = {
        name: stage.model_copy(update={"lora": stage.lora.model_copy(update={"target_modules": names})})
        if stage.lora.target_modules == ALL
        else stage
        for name, stage in recipe.stages.items()
    }
    return recipe.model_copy(update={"stages": stages})


def mistakes(recipe: Recipe) -> list[str]:
    """Names that no linear layer of the base has, which PEFT leaves out in silence; a line for each list of them."""
    from alpha_umi.models.local.base_weights import linear_shapes

    lora = {name: stage.lora for name, stage in recipe.stages.items() if stage.method == "lora"}
    if not lora:
        return []
    inner, whole = list(linear_shapes(recipe.base)), list(linear_shapes(recipe.base, head=True))
    odd: dict[str, list[str]] = {}
    for name, each in lora.items():
        there = inner if recipe.shares(name) else whole
        if wrong := [m for m in each.names if not any(is_called(path, [m]) for path in there)]:
            odd.setdefault(", ".join(wrong), []).append(f"stages.{name}.lora.target_modules")
    has = ", ".join(sorted({_leaf(path) for path in inner})) or "none"
    return [
        f"{', '.join(where)}: {recipe.base} has no linear layer called {wrong} between embedding and head; it has {has}"
        for wrong, where in odd.items()
    ]


def shapes(base: str, lora: Lora) -> Mapping[str, tuple[int, ...]]:
    """The tensors of an adapter on a base, by PEFT's names in a file."""
    from alpha_umi.models.local.base_weights import linear_shapes

    found: dict[str, tuple[int, ...]] = {}
    for path, (wide, narrow) in linear_shapes(base, head=True).items():
        if is_called(path, lora.names):
            found[f"base_model.model.{path}.lora_A.weight"] = (lora.r, narrow)
            found[f"base_model.model.{path}.lora_B.weight"] = (wide, lora.r)
    return found


def _leaf(path: str) -> str:
    return path.rpartition(".")[2]
