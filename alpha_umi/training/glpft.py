"""Global-to-local progressive fine-tuning (α-UMi, arXiv 2401.07324, section 3.2): a recipe's stages in order.

Stage 1 trains the backbone on the whole task; stage 2 continues a role from it on that role's own targets. Here any
stage may continue from any earlier one, so the paper's ablations are recipes and nothing more.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpha_umi.data import store
from alpha_umi.errors import UsageError
from alpha_umi.model_card import Card, write_card
from alpha_umi.training import batches, run_folder, saved
from alpha_umi.training.cost_estimate import check_recipe
from alpha_umi.training.dataset import StageRows, prepare_data, stage_rows
from alpha_umi.training.distributed import is_first, need_extra, wait_for_all, world_size
from alpha_umi.training.recipe import Recipe
from alpha_umi.training.stage import BASE
from alpha_umi.training.stages import STAGES, StageWork
from alpha_umi.training.warm_start import WarmStart, warm_start_of

if TYPE_CHECKING:
    from transformers import TrainerCallback

    from alpha_umi.text.encoders import Encoder


def train(
    recipe: Recipe,
    out: Path,
    *,
    stage: str | None = None,
    resume: bool = False,
    callbacks: Sequence[TrainerCallback] = (),
) -> Path:
    """Run a recipe's stages in order; returns the run folder, a team once stages have filled all its roles.

    Args:
        recipe: what to do.
        out: the run folder.
        stage: only this stage; those it continues from must have ended.
        resume: continue a run that was stopped, at its last checkpoint.
        callbacks: told of every stage's training beside what shows it and writes `metrics.jsonl`.

    Raises:
        UsageError: unknown stage or trainer, no callback, data missing, or a run folder that cannot be continued.
        MissingExtra: torch and its companions are not installed.
    """
    need_extra()
    from alpha_umi.models.local.base_weights import load_encoder
    from alpha_umi.training.callbacks import check_callbacks, say
    from alpha_umi.training.sft import title

    check_callbacks(callbacks)
    wanted = _wanted(recipe, stage)
    recipe = check_recipe(recipe)
    begin = warm_start_of(recipe)
    encoder = load_encoder(recipe.base, recipe.layout, date=recipe.date)
    if is_first():
        run_folder.check_folder(out, resume=resume or stage is not None)
    data = prepare_data(recipe, out)
    digest = store.digest(data)
    if is_first():
        reads = _reads(recipe, encoder)
        run_folder.open_run(
            out, recipe, data=data, data_digest=digest, reads=reads, world=world_size(), began_with=begin.digests
        )
    left = [name for name in wanted if not run_folder.is_finished(out, name)]
    if left:
        recipe = batches.in_rows(recipe, data, out / "rows", encoder)
        if is_first():
            run_folder.write_recipe(out, recipe)
            _note_slow_precision(recipe)
    for names in recipe.together(left):
        start = recipe.stages[names[0]].start
        if start != BASE and not run_folder.is_finished(out, start):
            raise UsageError(f"stage '{names[0]}' continues from '{start}', which has not been trained in {out}")
        if is_first():
            source = recipe.base if start == BASE else start
            say(f"{title(recipe, names)}  preparing rows; continues from {source}")
        rows = stage_rows(recipe, names, data, out / "rows", encoder)
        work = _work(recipe, names, rows, data, out, encoder=encoder, begin=begin, callbacks=callbacks)
        _train(work, data_digest=digest, taskset=store.taskset_of(data), begin=begin)
    if is_first():
        _end(recipe, out)
    return out


def _wanted(recipe: Recipe, stage: str | None) -> list[str]:
    """The stages to train."""
    if stage is not None and stage not in recipe.stages:
        raise UsageError(f"the recipe '{recipe.name}' has no stage '{stage}', only {', '.join(recipe.stages)}")
    return list(recipe.stages) if stage is None else [stage]


def _end(recipe: Recipe, out: Path) -> None:
    """Make a team of a run whose stages have all ended, and drop their rows."""
    if all(run_folder.is_finished(out, name) for name in recipe.stages):
        if not recipe.unfilled():
            run_folder.write_team(out, recipe)
        shutil.rmtree(out / "rows", ignore_errors=True)


def _note_slow_precision(recipe: Recipe) -> None:
    import torch

    from alpha_umi.models.local.base_weights import default_device
    from alpha_umi.nn.precision import running_dtype
    from alpha_umi.training.callbacks import say

    if recipe.precision == "bf16" and running_dtype(default_device()) is not torch.bfloat16:
        say("note: this processor does not multiply bf16; --set precision=fp32 may be much faster")


def _work(
    recipe: Recipe,
    names: Sequence[str],
    rows: StageRows,
    data: Path,
    out: Path,
    *,
    encoder: Encoder,
    begin: WarmStart,
    callbacks: Sequence[TrainerCallback],
) -> StageWork:
    from alpha_umi.models.local.bases import resolve_base

    first = recipe.stages[names[0]]
    return StageWork(
        recipe=recipe,
        names=tuple(names),
        rows=rows,
        data=data,
        encoder=encoder,
        start=resolve_base(recipe.base if first.start == BASE else str(out / first.start)),
        begin=begin.adapters,
        out=out,
        checkpoints=out / names[0] / "-".join(["checkpoints", *names[1:]]),
        seed=recipe.seed + list(recipe.stages).index(names[0]),
        callbacks=callbacks,
    )


def _train(work: StageWork, *, data_digest: str, taskset: str | None, begin: WarmStart) -> None:
    """Train one stage, or roles together; read their weights back, write their cards, and drop their checkpoints."""
    from transformers import set_seed

    from alpha_umi.models.local.bases import base_digest

    set_seed(work.seed)
    base = base_digest(work.start)
    results = STAGES.load(work.stage.trainer)(work)
    if is_first():
        for name in work.names:
            saved.check(work.recipe, name, work.folder(name))
            card = _card(
                work.recipe,
                name,
                results.get(name, {}),
                base_digest=base,
                data_digest=data_digest,
                taskset=taskset,
                warm_start=begin.digests.get(name),
                encoder=work.encoder,
            )
            write_card(work.folder(name), card)
        shutil.rmtree(work.checkpoints, ignore_errors=True)
    wait_for_all()  # the next stage looks for the card


def _reads(recipe: Recipe, encoder: Encoder) -> dict[str, str]:
    """Digests of what a recipe names and a run reads: the base, its tokenizer, its chat template."""
    from alpha_umi.models.local.bases import base_digest

    return {"base_digest": base_digest(recipe.base)} | _texts(encoder)


def _texts(encoder: Encoder) -> dict[str, str]:
    return {"tokenizer_digest": encoder.tokenizer_digest, "template_digest": encoder.template_digest}


def _card(
    recipe: Recipe,
    name: str,
    results: Mapping[str, Any],
    *,
    base_digest: str,
    data_digest: str,
    taskset: str | None,
    warm_start: str | None,
    encoder: Encoder,
) -> Card:
    stage = recipe.stages[name]
    return Card(
        stage=name,
        roles=recipe.roles_of(name),
        kind="full" if recipe.saves_full_weights(name) else "lora",
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
