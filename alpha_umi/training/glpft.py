"""Global-to-local progressive fine-tuning (α-UMi, arXiv 2401.07324, section 3.2): a recipe's stages in order.

Stage 1 trains the backbone on the whole task; stage 2 continues a role from it on that role's own targets. Here any
stage may continue from any earlier one, so the paper's ablations are recipes and nothing more. Rows are made once per
stage on disk (memory-mapped) and shared by all ranks.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpha_umi.adapters import Card, text_digest, write_card
from alpha_umi.data import store
from alpha_umi.errors import ConfigError, DataError, MissingExtra, UsageError, WorkError
from alpha_umi.prompts import View, load_prompts
from alpha_umi.roles import load_team
from alpha_umi.training import run_folder
from alpha_umi.training.recipe import BASE, Recipe, find_deepspeed
from alpha_umi.trajectory import Trajectory

if TYPE_CHECKING:
    from datasets import Dataset

    from alpha_umi.encoding import ChatEncoder

GYM = "gym:"


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
    """Estimated peak of one device."""


@dataclass(frozen=True)
class _Rows:
    dataset: Dataset
    trajectories: int
    too_long: int


def world_size() -> int:
    """Processes that train together; launchers set it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the process that prints and writes."""
    return int(os.environ.get("RANK", "0")) == 0


def prepare_data(recipe: Recipe, run: Path) -> Path:
    """The folder of trajectories to train on; `gym:N` is generated into the run folder first.

    Raises:
        UsageError: the recipe names no data.
        DataError: there is nothing there.
    """
    need_extra()
    if recipe.data is None:
        raise UsageError(
            f"the recipe '{recipe.name}' names no data: give --data DIR (made by `alpha-umi data convert`)"
        )
    if not recipe.data.startswith(GYM):
        return Path(recipe.data).expanduser()
    number = recipe.data.removeprefix(GYM)
    if not number.isdigit() or int(number) == 0:
        raise UsageError(f"data: '{recipe.data}' should be gym:N with the number of trajectories, e.g. gym:96")
    from filelock import FileLock

    from alpha_umi import gym
    from alpha_umi.data.filters import Report

    folder = run / "data"
    run.mkdir(parents=True, exist_ok=True)
    with FileLock(run / "data.lock"):
        if not (folder / store.TRAJECTORIES).is_file():
            store.write(folder, gym.generate(int(number), seed=recipe.seed), Report())
    return folder


def share(recipe: Recipe, stage: str, data: Path) -> Iterator[Trajectory]:
    """The trajectories a stage trains on: all, or without reuse the half that belongs to its stage number."""
    found: Iterator[Trajectory] = islice(store.read(data), recipe.limit)
    if not recipe.reuse and any(s.start != BASE for s in recipe.stages.values()):
        first = recipe.stages[stage].start == BASE
        # By the query, so that a query with several trajectories stays on one side.
        found = (t for t in found if (int(text_digest([recipe.seed, t.query]), 16) % 2 == 0) == first)
    return islice(found, recipe.stages[stage].max_rows)


def _rows(recipe: Recipe, stage: str, data: Path, folder: Path, encoder: ChatEncoder) -> _Rows:
    """A stage's rows as a memory-mapped data set; made by one process, read by all."""
    from datasets import Dataset, disable_progress_bars
    from filelock import FileLock

    from alpha_umi.data.tokens import RowSettings, count_targets, rows

    disable_progress_bars()
    team = load_team(recipe.team)
    settings = RowSettings(
        views=recipe.views_of(stage),
        layout=recipe.layout,
        context=recipe.context,
        reserve={view: team.role(view).generation.max_new_tokens for view in recipe.views_of(stage)},
        observation_chars=recipe.observation_chars,
    )
    counts = {"trajectories": 0, "too_long": 0}

    def generate() -> Iterator[dict[str, Any]]:
        for trajectory in share(recipe, stage, data):
            counts["trajectories"] += 1
            counts["too_long"] += count_targets(trajectory, settings)
            for row in rows(trajectory, settings, encoder):
                counts["too_long"] -= row.targets
                yield {
                    "input_ids": row.input_ids,
                    "labels": row.labels,
                    "targets": row.targets,
                    "length": len(row.input_ids),
                }

    folder.mkdir(parents=True, exist_ok=True)
    done, scratch = folder / f"{stage}.json", folder / f"{stage}.part"
    with FileLock(folder / f"{stage}.lock"):
        if not done.is_file():
            shutil.rmtree(scratch, ignore_errors=True)
            made = _some(generate(), f"{data}: no targets for stage '{stage}' ({', '.join(settings.views)})")
            # A cache of its own: the library's is shared by all runs and would hand out another run's rows.
            dataset = Dataset.from_generator(lambda: made, cache_dir=str(scratch), fingerprint=stage)
            dataset.save_to_disk(str(folder / stage))
            shutil.rmtree(scratch)
            done.write_text(json.dumps(counts), encoding="utf-8")
    counts = json.loads(done.read_text(encoding="utf-8"))
    return _Rows(Dataset.load_from_disk(str(folder / stage)), counts["trajectories"], counts["too_long"])


def _some(rows: Iterator[dict[str, Any]], complaint: str) -> Iterator[dict[str, Any]]:
    """The same rows, or a DataError when there are none."""
    first = next(rows, None)
    if first is None:
        raise DataError(complaint)

    def chain() -> Iterator[dict[str, Any]]:
        yield first
        yield from rows

    return chain()


def _steps(recipe: Recipe, stage: str, rows: int) -> int:
    """Updates of a stage, as transformers counts them."""
    settings = recipe.stages[stage]
    return math.ceil(math.ceil(rows / settings.batch_size) * settings.epochs)


def need_extra() -> None:
    """Find missing libraries before any work begins.

    Raises:
        MissingExtra: torch and its companions are not installed.
    """
    try:
        import filelock  # noqa: F401

        from alpha_umi.training import trainer  # noqa: F401
    except ImportError as error:
        raise MissingExtra("training", "train", error) from error


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
        found = _rows(recipe, name, data, rows_folder, encoder)
        lengths = found.dataset["length"]
        trained = sum(sum(label >= 0 for label in labels) for labels in found.dataset["labels"])
        # Full: weights, gradients and two moments in fp32. LoRA: weights in bf16; its own state is negligible beside.
        state = parameters * (2 if stage.method == "lora" else 16)
        widest = stage.micro_batch * max(lengths)
        kept = 2 if stage.gradient_checkpointing else 34
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


def train(recipe: Recipe, out: Path, *, stage: str | None = None, resume: bool = False) -> Path:
    """Run a recipe's stages in order; returns the run folder, which is a team once the last stage has ended.

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
    data = prepare_data(recipe, out)
    digest = store.digest(data)
    if is_first():
        run_folder.open_run(out, recipe, data_digest=digest, resume=resume or stage is not None, world=world_size())
    for name in wanted:
        if not run_folder.is_finished(out, name):
            start = recipe.stages[name].start
            if start != BASE and not run_folder.is_finished(out, start):
                raise UsageError(f"stage '{name}' continues from '{start}', which has not been trained in {out}")
            rows = _rows(recipe, name, data, out / "rows", encoder)
            _train_one(recipe, name, rows, out, data_digest=digest, encoder=encoder)
    if is_first() and all(run_folder.is_finished(out, name) for name in recipe.stages):
        run_folder.write_team(out, recipe)
        shutil.rmtree(out / "rows", ignore_errors=True)
    return out


def _train_one(recipe: Recipe, name: str, rows: _Rows, out: Path, *, data_digest: str, encoder: ChatEncoder) -> None:
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
    watchers: list[Any] = [callbacks.Metrics(out / "metrics.jsonl", name), callbacks.Bar(title, sys.stderr)]
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


def deepspeed_config(recipe: Recipe) -> dict[str, Any] | None:
    """The DeepSpeed configuration to use: the recipe's under a launcher, none in a single process.

    Raises:
        ConfigError: the file is not JSON.
    """
    if recipe.deepspeed is None or "LOCAL_RANK" not in os.environ:
        return None
    path = find_deepspeed(recipe.deepspeed)
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(str(path), [f"not JSON: {error}"]) from error
    return config
