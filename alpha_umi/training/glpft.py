"""Global-to-local progressive fine-tuning (α-UMi, arXiv 2401.07324, section 3.2): a recipe's stages in order.

Stage 1 trains the backbone on the whole task; stage 2 continues a role from it on that role's own targets. Here any
stage may continue from any earlier one, so the paper's ablations are recipes and nothing more.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpha_umi.adapters import Card, write_card
from alpha_umi.data import store
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.prompts import load_prompts
from alpha_umi.training import run_folder
from alpha_umi.training.environment import deepspeed_config, is_first, need_extra, world_size
from alpha_umi.training.planning import check_recipe
from alpha_umi.training.recipe import BASE, Recipe
from alpha_umi.training.rows import StageRows, prepare_data, stage_rows

if TYPE_CHECKING:
    from alpha_umi.encoding import ChatEncoder


def train(recipe: Recipe, out: Path, *, stage: str | None = None, resume: bool = False) -> Path:
    """Run a recipe's stages in order; returns the run folder, a team once stages have filled all its seats.

    Args:
        recipe: what to do.
        out: the run folder.
        stage: only this stage; those it continues from must have ended.
        resume: continue a run that was stopped, at its last checkpoint.

    Raises:
        UsageError: unknown stage, data missing, or a run folder that cannot be continued.
        MissingExtra: torch and its companions are not installed.
    """
    need_extra()
    from alpha_umi.encoding import ChatEncoder
    from alpha_umi.models.local import load_tokenizer

    wanted = list(recipe.stages) if stage is None else [stage]
    if stage is not None and stage not in recipe.stages:
        raise UsageError(f"the recipe '{recipe.name}' has no stage '{stage}', only {', '.join(recipe.stages)}")
    check_recipe(recipe)
    encoder = ChatEncoder(load_tokenizer(recipe.base))
    if is_first():
        run_folder.check_folder(out, resume=resume or stage is not None)
    data = prepare_data(recipe, out)
    digest = store.digest(data)
    if is_first():
        run_folder.open_run(out, recipe, data_digest=digest, world=world_size())
    for name in wanted:
        if not run_folder.is_finished(out, name):
            start = recipe.stages[name].start
            if start != BASE and not run_folder.is_finished(out, start):
                raise UsageError(f"stage '{name}' continues from '{start}', which has not been trained in {out}")
            rows = stage_rows(recipe, name, data, out / "rows", encoder)
            _train_one(recipe, name, rows, out, data_digest=digest, encoder=encoder)
    if is_first() and all(run_folder.is_finished(out, name) for name in recipe.stages):
        if not recipe.empty_seats():
            run_folder.write_team(out, recipe)
        shutil.rmtree(out / "rows", ignore_errors=True)
    return out


def _train_one(
    recipe: Recipe, name: str, rows: StageRows, out: Path, *, data_digest: str, encoder: ChatEncoder
) -> None:
    """Train one stage, write its weights and card, and drop its checkpoints."""
    import torch
    from transformers import set_seed

    from alpha_umi.models.local import base_digest, load_base, resolve_base
    from alpha_umi.training import callbacks, trainer

    stage = recipe.stages[name]
    folder = out / name
    seed = recipe.seed + list(recipe.stages).index(name)
    start = resolve_base(recipe.base if stage.start == BASE else str(out / stage.start))
    set_seed(seed)
    args = trainer.arguments(
        recipe, stage, folder / "checkpoints", seed=seed, deepspeed=deepspeed_config(recipe), world=world_size()
    )
    # What is trained is held in fp32: steps of 1e-5 vanish in bf16. Frozen weights need no such care.
    dtype = torch.float32 if stage.method == "full" or recipe.precision == "fp32" else torch.bfloat16
    model = trainer.adapt(load_base(start, dtype=dtype, device=str(args.device)), stage)
    title = f"[{list(recipe.stages).index(name) + 1}/{len(recipe.stages)}] {name}"
    watchers: list[Any] = [
        callbacks.Metrics(out / "metrics.jsonl", name),
        callbacks.Bar(title, sys.stderr),
        callbacks.Trim(),
    ]
    if recipe.wandb:
        watchers.append(callbacks.wandb_callback(out, f"{recipe.name}/{name}"))
    checkpoint = run_folder.last_checkpoint(folder / "checkpoints")
    pad = encoder.tokenizer.eos_token_id if encoder.tokenizer.eos_token_id is not None else encoder.end_ids[0]
    done = trainer.train_stage(model, rows.dataset, args, pad, watchers, str(checkpoint) if checkpoint else None)
    if args.deepspeed and type(done.model_wrapped).__name__ != "DeepSpeedEngine":
        raise WorkError(
            "DeepSpeed was asked for but left out; unset ACCELERATE_USE_CPU, which switches it off silently"
        )
    card = Card(
        stage=name,
        views=recipe.views_of(name),
        kind="full" if stage.method == "full" or recipe.continued(name) else "lora",
        base=recipe.base if stage.start == BASE else stage.start,
        base_digest=base_digest(start),
        layout=recipe.layout,
        prompt_digest=load_prompts(recipe.layout).digest,
        observation_chars=recipe.observation_chars,
        recipe_digest=run_folder.recipe_digest(recipe),
        data_digest=data_digest,
        seed=seed,
        versions=run_folder.versions(),
        results={
            "steps": done.state.global_step,
            "final_loss": next((x["loss"] for x in reversed(done.state.log_history) if "loss" in x), None),
            "engine": type(done.model_wrapped).__name__,
            "rows": len(rows.dataset),
            "targets_too_long": rows.too_long,
        },
    )
    trainer.save_stage(done, folder, encoder.tokenizer, merge=recipe.continued(name))
    if is_first():
        write_card(folder, card)
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    trainer.finish_stage(done)
