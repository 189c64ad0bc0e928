"""Global-to-local progressive fine-tuning (α-UMi, arXiv 2401.07324, section 3.2): a recipe's stages in order.

Stage 1 trains the backbone on the whole task; stage 2 continues a role from it on that role's own targets. Here any
stage may continue from any earlier one, so the paper's ablations are recipes and nothing more.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpha_umi.adapters import Card, write_card
from alpha_umi.data import store
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.training import batches, run_folder, saved
from alpha_umi.training.environment import deepspeed_config, is_first, need_extra, world_size
from alpha_umi.training.planning import check_recipe
from alpha_umi.training.recipe import BASE, Recipe
from alpha_umi.training.rows import StageRows, prepare_data, stage_rows
from alpha_umi.training.warm_start import WarmStart, warm_start_of

if TYPE_CHECKING:
    from alpha_umi.encoding import ChatEncoder
    from alpha_umi.training.trainer import StageTrainer


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
    import torch

    from alpha_umi.encoding import ChatEncoder
    from alpha_umi.models.local import default_device, load_tokenizer
    from alpha_umi.models.precision import running_dtype
    from alpha_umi.training import callbacks

    wanted = list(recipe.stages) if stage is None else [stage]
    if stage is not None and stage not in recipe.stages:
        raise UsageError(f"the recipe '{recipe.name}' has no stage '{stage}', only {', '.join(recipe.stages)}")
    recipe = check_recipe(recipe)
    begin = warm_start_of(recipe)
    encoder = ChatEncoder(load_tokenizer(recipe.base), date=recipe.date)
    if is_first():
        run_folder.check_folder(out, resume=resume or stage is not None)
    data = prepare_data(recipe, out)
    digest = store.digest(data)
    if is_first():
        reads = _reads(recipe, encoder)
        began_with = begin.digests
        run_folder.open_run(
            out, recipe, data=data, data_digest=digest, reads=reads, world=world_size(), began_with=began_with
        )
    left = [name for name in wanted if not run_folder.is_finished(out, name)]
    if left:
        recipe = batches.in_rows(recipe, data, out / "rows", encoder)
        if is_first():
            run_folder.write_recipe(out, recipe)
            if recipe.precision == "bf16" and running_dtype(default_device()) is not torch.bfloat16:
                callbacks.say("note: this processor does not multiply bf16; --set precision=fp32 may be much faster")
    for names in recipe.together(left):
        start = recipe.stages[names[0]].start
        if start != BASE and not run_folder.is_finished(out, start):
            raise UsageError(f"stage '{names[0]}' continues from '{start}', which has not been trained in {out}")
        if is_first():
            source = recipe.base if start == BASE else start
            callbacks.say(f"{_title(recipe, names)}  preparing rows; continues from {source}")
        rows = stage_rows(recipe, names, data, out / "rows", encoder)
        _train(
            recipe, names, rows, out, data_digest=digest, taskset=store.taskset_of(data), encoder=encoder, begin=begin
        )
    if is_first() and all(run_folder.is_finished(out, name) for name in recipe.stages):
        if not recipe.unfilled():
            run_folder.write_team(out, recipe)
        shutil.rmtree(out / "rows", ignore_errors=True)
    return out


def _train(
    recipe: Recipe,
    names: Sequence[str],
    rows: StageRows,
    out: Path,
    *,
    data_digest: str,
    taskset: str | None,
    encoder: ChatEncoder,
    begin: WarmStart,
) -> None:
    """Train one stage, or roles together; write their weights and cards, and drop their checkpoints."""
    from transformers import set_seed

    from alpha_umi.models.bases import base_digest, resolve_base
    from alpha_umi.training import callbacks, trainer

    first = recipe.stages[names[0]]
    seed = recipe.seed + list(recipe.stages).index(names[0])
    start = resolve_base(recipe.base if first.start == BASE else str(out / first.start))
    checkpoints = out / names[0] / "-".join(["checkpoints", *names[1:]])
    set_seed(seed)
    made = _trainer(recipe, names, rows, checkpoints, start=start, seed=seed, encoder=encoder, begin=begin.adapters)
    watchers: list[Any] = [
        callbacks.Metrics(out / "metrics.jsonl", names),
        callbacks.Bar(_title(recipe, names), sys.stderr),
        callbacks.Trim(),
    ]
    if recipe.wandb:
        watchers.append(callbacks.wandb_callback(out, f"{recipe.name}/{'+'.join(names)}"))
    made.title = ", ".join(names)
    checkpoint = run_folder.last_checkpoint(checkpoints)
    trainer.train_stage(made, watchers, str(checkpoint) if checkpoint else None)
    engine = type(made.model_wrapped).__name__
    if made.args.deepspeed and engine != "DeepSpeedEngine":
        raise WorkError(
            "DeepSpeed was asked for but left out; unset ACCELERATE_USE_CPU, which switches it off silently"
        )
    results = {name: {**_results(recipe, name, names, made, rows), "engine": engine} for name in names}
    if idle := [name for name in names if results[name]["final_loss"] is None]:
        raise WorkError(
            f"{', '.join(idle)}: no target in any update, so there is nothing to save: give more rows or epochs"
        )
    from_digest = base_digest(start)
    _save(recipe, names, made, out, start=start, encoder=encoder)
    if is_first():
        for name in names:
            saved.check(recipe, name, out / name)
            began_with = begin.digests.get(name)
            card = _card(
                recipe,
                name,
                results[name],
                base_digest=from_digest,
                data_digest=data_digest,
                taskset=taskset,
                warm_start=began_with,
                encoder=encoder,
            )
            write_card(out / name, card)
        shutil.rmtree(checkpoints, ignore_errors=True)
    trainer.finish_stage(made)


def _reads(recipe: Recipe, encoder: ChatEncoder) -> dict[str, str]:
    """Digests of what a recipe names and a run reads: the base, its tokenizer, its chat template."""
    from alpha_umi.models.bases import base_digest

    return {"base_digest": base_digest(recipe.base)} | _texts(encoder)


def _texts(encoder: ChatEncoder) -> dict[str, str]:
    return {"tokenizer_digest": encoder.tokenizer_digest, "template_digest": encoder.template_digest}


def _title(recipe: Recipe, names: Sequence[str]) -> str:
    """Which of a recipe's stages are under way, as progress names them."""
    numbers = [list(recipe.stages).index(name) + 1 for name in names]
    return f"[{'-'.join(map(str, dict.fromkeys((numbers[0], numbers[-1]))))}/{len(recipe.stages)}] {', '.join(names)}"


def _results(recipe: Recipe, name: str, names: Sequence[str], made: StageTrainer, rows: StageRows) -> dict[str, Any]:
    """What a card says of how a stage went."""
    own = rows.of(recipe.views_of(name)[0]) if recipe.shares(name) else rows.dataset
    last = f"{name}/loss" if len(names) > 1 else "loss"
    results: dict[str, Any] = {
        "steps": made.updates_of(recipe.views_of(name)[0]),
        "final_loss": next((x[last] for x in reversed(made.state.log_history) if last in x), None),
        "rows": len(own),
        "targets_too_long": sum(rows.too_long.get(view, 0) for view in recipe.views_of(name)),
    }
    if len(names) > 1:
        results["together_with"] = [other for other in names if other != name]
    return results


def _card(
    recipe: Recipe,
    name: str,
    results: dict[str, Any],
    *,
    base_digest: str,
    data_digest: str,
    taskset: str | None,
    warm_start: str | None,
    encoder: ChatEncoder,
) -> Card:
    stage = recipe.stages[name]
    return Card(
        stage=name,
        views=recipe.views_of(name),
        kind="full" if recipe.whole(name) else "lora",
        base=recipe.base if stage.start == BASE else stage.start,
        base_digest=base_digest,
        warm_start=warm_start,
        layout=recipe.layout.name,
        prompt_digest=recipe.filled.prompt_digest,
        observation_chars=recipe.observation_chars,
        date=encoder.date,
        **_texts(encoder),
        recipe_digest=run_folder.recipe_digest(recipe),
        data_digest=data_digest,
        taskset=taskset,
        seed=recipe.seed + list(recipe.stages).index(name),
        versions=run_folder.versions(),
        results=results,
    )


def _trainer(
    recipe: Recipe,
    names: Sequence[str],
    rows: StageRows,
    checkpoints: Path,
    *,
    start: str,
    seed: int,
    encoder: ChatEncoder,
    begin: Mapping[str, Path],
) -> StageTrainer:
    """The trainer of a stage, or of roles together, with its models loaded."""
    import torch

    from alpha_umi.models.local import load_base
    from alpha_umi.training import causal, shared, trainer

    stages = [recipe.stages[name] for name in names]
    shares = recipe.shares(names[0])
    args = trainer.arguments(
        recipe,
        stages[0].model_copy(update={"epochs": max(stage.epochs for stage in stages)}),
        checkpoints,
        seed=seed,
        deepspeed=deepspeed_config(recipe),
        world=world_size(),
        shares=shares,
    )
    pad = encoder.tokenizer.eos_token_id if encoder.tokenizer.eos_token_id is not None else encoder.end_ids[0]
    # What is trained is held in fp32: steps of 1e-5 vanish in bf16. Frozen weights need no such care.
    frozen = torch.float32 if recipe.precision == "fp32" else torch.bfloat16
    device = str(args.device)
    if not shares:
        dtype = torch.float32 if stages[0].method == "full" else frozen
        base = load_base(start, dtype=dtype, device=device)
        causal.use_on(base)
        model = trainer.adapt(base, stages[0], begin=begin.get(names[0]))
        return trainer.stage_trainer(model, rows.dataset, args, pad)
    roles = {recipe.views_of(name)[0]: (name, recipe.stages[name]) for name in names}
    full = {
        view: load_base(start, dtype=torch.float32, device=device)
        for view, (_, stage) in roles.items()
        if stage.method == "full"
    }
    backbone = load_base(start, dtype=frozen, device=device)
    seeds = {view: recipe.seed + list(recipe.stages).index(name) for view, (name, _) in roles.items()}
    adapters = {view: begin[name] for view, (name, _) in roles.items() if name in begin}
    return shared.shared_trainer(
        backbone, roles, full, rows.dataset, args, order=rows.order, seeds=seeds, begin=adapters, pad_id=pad
    )


def _save(
    recipe: Recipe, names: Sequence[str], made: StageTrainer, out: Path, *, start: str, encoder: ChatEncoder
) -> None:
    """Write the weights of stages that have ended."""
    from alpha_umi.training import shared, trainer

    if not isinstance(made, shared.SharedTrainer):
        trainer.save_stage(made, out / names[0], encoder.tokenizer, merge=recipe.whole(names[0]))
        return
    for name in names:
        view = recipe.views_of(name)[0]
        cue = encoder.cue_ids(recipe.role(view).tag)
        shared.save_role(made, view, out / name, encoder.tokenizer, base=start, cue=cue)
