"""What training a recipe will take, known before any of it begins: rows, tokens, updates, memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from alpha_umi.errors import ConfigError
from alpha_umi.prompts import View
from alpha_umi.training.environment import world_size
from alpha_umi.training.recipe import Recipe
from alpha_umi.training.rows import stage_rows

LIBRARIES = 2**29
"""Bytes that a process takes before it holds a model."""


@dataclass(frozen=True)
class StagePlan:
    """What training one stage will take."""

    name: str
    start: str
    method: str
    views: tuple[View, ...]
    trajectories: int
    rows: int
    tokens: int
    trained_tokens: int
    targets: int
    too_long: int
    """Targets left out because they do not fit the context even with short observations."""
    steps: int
    longest: int
    memory_gib: float
    """Estimated peak of one device; on a CPU the allocator was seen to hold up to twice as much."""


def check_recipe(recipe: Recipe) -> None:
    """Refuse what these devices or this base cannot do, all of it at once."""
    from alpha_umi.models.local import context_length

    world = world_size()
    odd = [
        f"stages.{name}: batch_size {s.batch_size} is no multiple of micro_batch {s.micro_batch} x {world} processes"
        for name, s in recipe.stages.items()
        if s.batch_size % (s.micro_batch * world)
    ]
    if recipe.context > (positions := context_length(recipe.base)):
        odd.append(f"context: {recipe.context} tokens are more than the {positions} positions of {recipe.base}")
    if odd:
        raise ConfigError(recipe.name, odd)


def plan(recipe: Recipe, data: Path, rows_folder: Path) -> list[StagePlan]:
    """Make every stage's rows and say what training them will take."""
    from alpha_umi.encoding import ChatEncoder
    from alpha_umi.models.local import count_parameters, load_tokenizer

    check_recipe(recipe)
    encoder = ChatEncoder(load_tokenizer(recipe.base))
    parameters, layers, width, vocabulary = count_parameters(recipe.base)
    plans = []
    for name, stage in recipe.stages.items():
        found = stage_rows(recipe, name, data, rows_folder, encoder)
        lengths = found.dataset["length"]
        trained = sum(sum(label >= 0 for label in labels) for labels in found.dataset["labels"])
        # Full: weights, gradients and two moments in fp32. LoRA: weights in bf16; its own state is negligible beside.
        state = parameters * (2 if stage.method == "lora" else 16) + LIBRARIES
        widest = stage.micro_batch * max(lengths)
        # Values of two bytes kept for the backward pass, per layer, token and unit of width; measured on SmolLM2-135M.
        kept = 2 if stage.gradient_checkpointing else 46 if stage.method == "lora" else 34
        activations = widest * (layers * width * kept * 2 + vocabulary * 8 * trained / max(sum(lengths), 1))
        plans.append(
            StagePlan(
                name=name,
                start=stage.start,
                method=stage.method,
                views=recipe.views_of(name),
                trajectories=found.trajectories,
                rows=len(found.dataset),
                tokens=sum(lengths),
                trained_tokens=trained,
                targets=sum(found.dataset["targets"]),
                too_long=found.too_long,
                steps=_steps(recipe, name, len(found.dataset)),
                longest=max(lengths),
                memory_gib=(state + activations) / 2**30,
            )
        )
    return plans


def _steps(recipe: Recipe, stage: str, rows: int) -> int:
    """Updates of a stage, as transformers counts them."""
    settings = recipe.stages[stage]
    return math.ceil(math.ceil(rows / settings.batch_size) * settings.epochs)
