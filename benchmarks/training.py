"""Targets per second: one row per trajectory (ours) against one row per decision (the α-UMi release).

Same data, same Trainer, same model, as many updates, dynamic padding in both; only the rows differ. Each way trains on
the same targets once. The ratio is near that of the tokens, which is bounded by the decisions in a trajectory and falls
as observations grow longer, so name the data that you train on:

    python -m benchmarks.training --data DIR        a folder of `alpha-umi data convert`; default: gym trajectories
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, disable_progress_bars

import alpha_umi_gym as gym
from alpha_umi.data import store
from alpha_umi.data.tokens import IGNORED, Row, RowSettings, rows
from alpha_umi.models.local.base_weights import load_base, load_tokenizer
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import load_layout
from alpha_umi.training.recipe import Recipe
from alpha_umi.training.stage import Stage
from alpha_umi.training.trainer import StageTrainer, adapt, arguments, finish_stage, stage_trainer, train_stage
from benchmarks.report import finish, show

TARGET = 2.5


def per_decision(row: Row) -> Iterator[Row]:
    """A row for each target: everything up to its end, nothing else trained."""
    start = 0
    while start < len(row.labels):
        while start < len(row.labels) and row.labels[start] == IGNORED:
            start += 1
        end = start
        while end < len(row.labels) and row.labels[end] != IGNORED:
            end += 1
        if end > start:
            labels = [IGNORED] * start + row.labels[start:end]
            yield Row(row.trajectory, row.input_ids[:end], labels, row.branches[:1])
        start = end


def train(name: str, found: list[Row], pad: int, micro_batch: int, accumulated: int = 1) -> tuple[float, StageTrainer]:
    """Seconds to train once on the rows, with an update after `accumulated` micro-batches."""
    columns: list[dict[str, Any]] = [
        {"input_ids": r.input_ids, "labels": r.labels, "length": len(r.input_ids)} for r in found
    ]
    stage = Stage(roles=("planner",), batch_size=micro_batch * accumulated, micro_batch=micro_batch)
    recipe = Recipe(name=name, stages={"planner": stage}, save_steps=10**9, log_steps=10**9)
    with tempfile.TemporaryDirectory() as folder:
        args = arguments(recipe, stage, Path(folder), seed=0, deepspeed=None, world=1)
        model = adapt(load_base(dtype=torch.float32), stage)
        begin = time.perf_counter()
        trainer = stage_trainer(model, Dataset.from_list(columns), args, pad)
        train_stage(trainer, [], None)
        seconds = time.perf_counter() - begin
    finish_stage(trainer)
    return seconds, trainer


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--trajectories", type=int, default=6)
    parser.add_argument("--micro-batch", type=int, default=2)
    parser.add_argument("--observation-chars", type=int, default=256)
    options = parser.parse_args()
    disable_progress_bars()
    source = store.read(options.data) if options.data else (t.gold for t in gym.generate(10_000, seed=0))
    trajectories = list(islice((t for t in source if len(t.steps) > 1), options.trajectories))
    encoder = ChatEncoder(load_tokenizer())
    settings = RowSettings(
        learns=("planner",),
        layout=load_layout("paper"),
        context=4096,
        reserve={"planner": 256},
        observation_chars=options.observation_chars,
    )
    whole = [row for t in trajectories for row in rows(t, settings, encoder)]
    single = [part for row in whole for part in per_decision(row)]
    pad = encoder.end_ids[0]
    # An update after as many decisions in both ways, as the release has it; the optimiser's own work is the same then.
    each = round(len(single) / len(whole))
    # The other way first and last, so that a machine that slows down favours neither.
    first, _ = train("decision", single, pad, options.micro_batch, each)
    ours, trainer = train("trajectory", whole, pad, options.micro_batch)
    last, other = train("decision", single, pad, options.micro_batch, each)
    theirs = (first + last) / 2
    targets = trainer.targets_seen
    if targets != other.targets_seen:
        raise SystemExit("the two ways did not train on the same targets")
    show(
        f"planner targets of {len(trajectories)} trajectories, {len(single) / len(whole):.1f} decisions each",
        ("", "rows", "tokens", "target tokens", "seconds", "targets/s"),
        [
            (n, f"{len(r)}", f"{sum(len(x.input_ids) for x in r):,}", f"{targets:,}", f"{s:.1f}", f"{targets / s:.1f}")
            for n, r, s in (("row per trajectory", whole, ours), ("row per decision", single, theirs))
        ],
    )
    data = str(options.data.name) if options.data else "gym"
    finish("training", ratio=theirs / ours, target=TARGET, data=data, n=len(trajectories), targets=targets)


if __name__ == "__main__":
    main()
