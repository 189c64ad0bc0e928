"""Supervised fine-tuning of a stage, or of roles together: next-token cross-entropy on the targets of its rows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import torch

from alpha_umi.errors import UsageError, WorkError
from alpha_umi.models.local.base_weights import load_base
from alpha_umi.nn import blockwise_attention
from alpha_umi.training import callbacks, joint_trainer, run_folder, trainer
from alpha_umi.training.distributed import deepspeed_config, world_size
from alpha_umi.training.recipe import Recipe
from alpha_umi.training.stages import StageWork
from alpha_umi.training.trainer import StageTrainer

__all__ = ["train"]


def train(work: StageWork, *, trainer_class: type[StageTrainer] = StageTrainer) -> dict[str, dict[str, Any]]:
    """Train a stage and save its weights.

    Args:
        work: the stage.
        trainer_class: with a loss or an optimiser of its own, for a stage that learns whole rows.

    Raises:
        WorkError: a loss is not finite, no update had a target, or DeepSpeed was left out.
    """
    made = _trainer(work, trainer_class)
    made.title = ", ".join(work.names)
    for callback in work.callbacks:
        made.add_callback(callback)
    checkpoint = run_folder.last_checkpoint(work.checkpoints)
    trainer.train_stage(made, _watchers(work), str(checkpoint) if checkpoint else None)
    engine = type(made.model_wrapped).__name__
    if made.args.deepspeed and engine != "DeepSpeedEngine":
        raise WorkError(
            "DeepSpeed was asked for but left out; unset ACCELERATE_USE_CPU, which switches it off silently"
        )
    results = {name: {**_results(work, name, made), "engine": engine} for name in work.names}
    if idle := [name for name in work.names if results[name]["final_loss"] is None]:
        raise WorkError(
            f"{', '.join(idle)}: no target in any update, so there is nothing to save: give more rows or epochs"
        )
    save(work, made)
    trainer.finish_stage(made)
    return results


def title(recipe: Recipe, names: Sequence[str]) -> str:
    """Which of a recipe's stages are under way, as progress names them."""
    numbers = [list(recipe.stages).index(name) + 1 for name in names]
    return f"[{'-'.join(map(str, dict.fromkeys((numbers[0], numbers[-1]))))}/{len(recipe.stages)}] {', '.join(names)}"


def _watchers(work: StageWork) -> list[Any]:
    found: list[Any] = [
        callbacks.MetricsCallback(work.out / "metrics.jsonl", work.names),
        callbacks.Bar(title(work.recipe, work.names), sys.stderr),
        callbacks.Trim(),
    ]
    if work.recipe.wandb:
        found.append(callbacks.wandb_callback(work.out, f"{work.recipe.name}/{'+'.join(work.names)}"))
    return found


def _results(work: StageWork, name: str, made: StageTrainer) -> dict[str, Any]:
    """What a card says of how a stage went."""
    recipe, rows = work.recipe, work.rows
    own = rows.branches_of(recipe.roles_of(name)[0]) if recipe.shares(name) else rows.dataset
    last = f"{name}/loss" if len(work.names) > 1 else "loss"
    results: dict[str, Any] = {
        "steps": made.updates_of(recipe.roles_of(name)[0]),
        "final_loss": next((x[last] for x in reversed(made.state.log_history) if last in x), None),
        "rows": len(own),
        "targets_too_long": sum(rows.too_long.get(role, 0) for role in recipe.roles_of(name)),
    }
    if len(work.names) > 1:
        results["together_with"] = [other for other in work.names if other != name]
    return results


def _trainer(work: StageWork, trainer_class: type[StageTrainer]) -> StageTrainer:
    """The trainer of a stage, or of roles together, with its models loaded."""
    recipe, encoder = work.recipe, work.encoder
    stages = [recipe.stages[name] for name in work.names]
    shares = recipe.shares(work.names[0])
    args = trainer.arguments(
        recipe,
        stages[0].model_copy(update={"epochs": max(stage.epochs for stage in stages)}),
        work.checkpoints,
        seed=work.seed,
        deepspeed=deepspeed_config(recipe),
        world=world_size(),
        shares=shares,
    )
    pad = encoder.tokenizer.eos_token_id if encoder.tokenizer.eos_token_id is not None else encoder.end_ids[0]
    if shares:
        if trainer_class is not StageTrainer:
            raise UsageError(
                f"{trainer_class.__name__} learns whole rows, and '{work.names[0]}' is a role over a shared context"
            )
        return _joint_trainer(work, args, pad)
    dtype = torch.float32 if stages[0].method == "full" else _frozen(recipe)
    base = load_base(work.start, dtype=dtype, device=str(args.device))
    blockwise_attention.use_on(base)
    model = trainer.adapt(base, stages[0], begin=work.begin.get(work.names[0]))
    return trainer.stage_trainer(model, work.rows.dataset, args, pad, kind=trainer_class)


def _joint_trainer(work: StageWork, args: Any, pad: int) -> joint_trainer.SharedTrainer:
    recipe, device = work.recipe, str(args.device)
    roles = {recipe.roles_of(name)[0]: (name, recipe.stages[name]) for name in work.names}
    full = {
        role: load_base(work.start, dtype=torch.float32, device=device)
        for role, (_, stage) in roles.items()
        if stage.method == "full"
    }
    backbone = load_base(work.start, dtype=_frozen(recipe), device=device)
    seeds = {role: recipe.seed + list(recipe.stages).index(name) for role, (name, _) in roles.items()}
    begin = {role: work.begin[name] for role, (name, _) in roles.items() if name in work.begin}
    return joint_trainer.shared_trainer(
        backbone,
        roles,
        full,
        work.rows.dataset,
        args,
        order=work.rows.order,
        seeds=seeds,
        begin=begin,
        pad_id=pad,
    )


def _frozen(recipe: Recipe) -> torch.dtype:
    """What is trained is held in fp32: steps of 1e-5 vanish in bf16. Frozen weights need no such care."""
    return torch.float32 if recipe.precision == "fp32" else torch.bfloat16


def save(work: StageWork, made: StageTrainer) -> None:
    """Write the weights of stages that have ended."""
    recipe, encoder = work.recipe, work.encoder
    if not isinstance(made, joint_trainer.SharedTrainer):
        name = work.names[0]
        trainer.save_stage(made, work.folder(name), encoder.tokenizer, merge=recipe.saves_full_weights(name))
        return
    for name in work.names:
        role = recipe.roles_of(name)[0]
        tag = encoder.tag_ids(recipe.role(role).tag)
        joint_trainer.save_role(made, role, work.folder(name), encoder.tokenizer, base=work.start, tag=tag)
