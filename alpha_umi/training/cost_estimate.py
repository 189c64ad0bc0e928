"""What training a recipe will take, known before any of it begins: rows, tokens, updates, memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alpha_umi.errors import ConfigError
from alpha_umi.training import adapted, batches, stages, warm_start
from alpha_umi.training.dataset import StageRows, stage_rows
from alpha_umi.training.distributed import sharding, world_size
from alpha_umi.training.recipe import Recipe

LIBRARIES = 2**29
"""Bytes that a process takes before it holds a model."""


@dataclass(frozen=True)
class StagePlan:
    """What training one stage will take."""

    name: str
    start: str
    method: str
    trainer: str
    roles: tuple[str, ...]
    trajectories: int
    rows: int
    tokens: int
    trained_tokens: int
    targets: int
    too_long: int
    """Targets left out because they do not fit the context even with short observations."""
    batch_size: int
    """Rows in one update."""
    batch_targets: float
    """Targets in one update, on average."""
    steps: int
    longest: int
    context_tokens: int
    """Tokens that a frozen backbone encodes for this role, or for it and those that train together with it."""
    memory_gib: float
    """Estimated peak of one device; on a CPU the allocator was seen to hold up to twice as much."""


def check_recipe(recipe: Recipe) -> Recipe:
    """The recipe with the base's own names of layers, or what these devices or this base cannot do, all of it at once.

    Raises:
        ConfigError: something cannot be done.
    """
    from alpha_umi.models.local import probe
    from alpha_umi.models.local.base_weights import context_length, outline

    recipe = adapted.with_names(recipe)
    world = world_size()
    odd = [
        f"stages.{name}: batch_size {s.batch_size} is no multiple of micro_batch {s.micro_batch} x {world} processes"
        for name, s in recipe.stages.items()
        if s.batch_targets is None and s.batch_size % (s.micro_batch * world)
    ]
    odd += stages.mistakes(recipe)
    odd += sharding(recipe)
    if why := probe.refusal(outline(recipe.base), shared=any(recipe.shares(name) for name in recipe.stages)):
        odd.append(f"base: {recipe.base}: {why}")
    if recipe.context > (positions := context_length(recipe.base)):
        odd.append(f"context: {recipe.context} tokens are more than the {positions} positions of {recipe.base}")
    odd += adapted.mistakes(recipe)
    odd += warm_start.check(recipe)
    if odd:
        raise ConfigError(recipe.name, odd)
    return recipe


def plan(recipe: Recipe, data: Path, rows_folder: Path) -> list[StagePlan]:
    """Make every stage's rows and say what training them will take."""
    from alpha_umi.models.local.base_weights import load_encoder

    recipe = check_recipe(recipe)
    encoder = load_encoder(recipe.base, recipe.layout, date=recipe.date)
    recipe = batches.in_rows(recipe, data, rows_folder, encoder)
    plans = []
    for names in recipe.together(list(recipe.stages)):
        found = stage_rows(recipe, names, data, rows_folder, encoder)
        work = [_branches(recipe, name, found) if recipe.shares(name) else _whole_rows(found) for name in names]
        memory = _memory(recipe, names, work)
        for name, stage_work in zip(names, work, strict=True):
            plans.append(
                StagePlan(
                    name=name,
                    start=recipe.stages[name].start,
                    method=recipe.stages[name].method,
                    trainer=recipe.stages[name].trainer,
                    roles=recipe.roles_of(name),
                    trajectories=found.trajectories,
                    rows=stage_work.rows,
                    tokens=stage_work.tokens,
                    trained_tokens=stage_work.trained_tokens,
                    targets=stage_work.targets,
                    too_long=sum(found.too_long.get(role, 0) for role in recipe.roles_of(name)),
                    batch_size=recipe.stages[name].batch_size,
                    batch_targets=round(stage_work.targets / _updates(recipe, name, len(found.dataset)), 1),
                    steps=_steps(recipe, name, len(found.dataset)),
                    longest=stage_work.longest,
                    context_tokens=stage_work.context_tokens if name == names[0] else 0,
                    memory_gib=memory / 2**30,
                )
            )
    return plans


@dataclass(frozen=True)
class _Work:
    """What a stage reads and learns in one epoch."""

    rows: int
    tokens: int
    """Tokens that its own weights go over."""
    trained_tokens: int
    targets: int
    longest: int
    """Most tokens of a row that its own weights go over."""
    context_tokens: int = 0
    """Tokens that the frozen backbone encodes for it."""
    longest_context: int = 0


def _whole_rows(found: StageRows) -> _Work:
    lengths = found.dataset["length"]
    return _Work(
        rows=len(found.dataset),
        tokens=sum(lengths),
        trained_tokens=sum(sum(label >= 0 for label in labels) for labels in found.dataset["labels"]),
        targets=sum(found.dataset["targets"]),
        longest=max(lengths),
    )


def _branches(recipe: Recipe, stage: str, found: StageRows) -> _Work:
    rows = found.branches_of(recipe.roles_of(stage)[0])
    own = [sum(end - tag for _, tag, _, end in row) for row in rows]
    return _Work(
        rows=len(rows),
        tokens=sum(own),
        trained_tokens=sum(end - words for row in rows for _, _, words, end in row),
        targets=sum(map(len, rows)),
        longest=max(own, default=0),
        context_tokens=sum(found.dataset["length"]),
        longest_context=max(found.dataset["length"]),
    )


def _memory(recipe: Recipe, names: Sequence[str], work: Sequence[_Work]) -> float:
    """Estimated peak in bytes of one device while stages train together."""
    from alpha_umi.models.local.base_weights import count_parameters

    parameters, layers, width, vocabulary = count_parameters(recipe.base)
    shares = recipe.shares(names[0])
    # Full: weights, gradients and two moments in fp32. LoRA: weights in bf16; its own state is negligible beside.
    state = LIBRARIES + (2 * parameters if shares or recipe.stages[names[0]].method == "lora" else 0)
    held = 0.0
    for name, each in zip(names, work, strict=True):
        stage = recipe.stages[name]
        state += 16 * parameters if stage.method == "full" else 0
        # Values of two bytes kept for the backward pass, per layer, token and unit of width; measured on SmolLM2-135M.
        kept = 2 * width * (2 if stage.gradient_checkpointing else 46 if stage.method == "lora" else 34)
        if shares:  # attention weights over the context, by heads of 64; and its keys and values
            kept += 4 * width // 64 * each.longest_context
        logits = vocabulary * 8 * each.trained_tokens / max(each.tokens, 1)
        held += stage.micro_batch * each.longest * (layers * kept + logits)
    context = recipe.stages[names[0]].micro_batch * work[0].longest_context * layers * width * 4
    return state + held + context


def _steps(recipe: Recipe, stage: str, rows: int) -> int:
    """Updates of a stage, as transformers counts them."""
    return math.ceil(_updates(recipe, stage, rows) * recipe.stages[stage].epochs)


def _updates(recipe: Recipe, stage: str, rows: int) -> int:
    """Updates in an epoch."""
    return math.ceil(rows / recipe.stages[stage].batch_size)
