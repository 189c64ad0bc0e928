"""Stage 2 for all three roles, targets per second: over one shared context, against rows that each role reads whole.

    shared        the frozen backbone encodes each conversation once; the roles train on their branches
    same rows     a row per trajectory and role of the same conversations, which each role reads itself
    paper's rows  a row per trajectory and role in the `paper` layout, whose conversations are shorter: each shows one
                  role its own turns
    decisions     a row per decision, each reading its own prompt (the α-UMi release)

The same trajectories and targets, an update after the same trajectories, the same Trainer and optimiser.

    python -m benchmarks.shared_training --data DIR     a folder of `alpha-umi data convert`; default: gym trajectories
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import torch
from datasets import Dataset, disable_progress_bars

import alpha_umi_gym as gym
from alpha_umi.data import packed_targets, store
from alpha_umi.data.tokens import Row, RowSettings, rows
from alpha_umi.models.local.base_weights import load_base, load_tokenizer
from alpha_umi.roles import ROLES
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import Layout, load_layout
from alpha_umi.training.joint_trainer import shared_trainer
from alpha_umi.training.recipe import Recipe
from alpha_umi.training.stage import Stage
from alpha_umi.training.trainer import adapt, arguments, finish_stage, stage_trainer, train_stage
from alpha_umi.trajectory import Trajectory
from benchmarks.report import finish, show
from benchmarks.training import per_decision

FASTER_THAN_ROWS, FASTER_THAN_DECISIONS = 3.0, 9.0


class Spent(NamedTuple):
    """What a way took."""

    seconds: float
    targets: int
    tokens: int

    def each(self) -> float:
        """Targets per second."""
        return self.targets / self.seconds


class Bench:
    """The ways, on one set of trajectories."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.encoder = ChatEncoder(load_tokenizer())
        self.pad = self.encoder.end_ids[0]
        self.method = cast(Literal["full", "lora"], options.method)
        self.chars = options.observation_chars
        self.batch = options.batch

    def settings(self, layout: Layout, *roles: Any) -> RowSettings:
        """How trajectories become rows."""
        reserve = dict.fromkeys(roles, 256)
        return RowSettings(learns=roles, layout=layout, context=8192, reserve=reserve, observation_chars=self.chars)

    def arguments(self, folder: str, rows_in_batch: int, accumulated: int, *, shares: bool = False) -> Any:
        """The same training arguments for all ways."""
        stage = Stage(roles=("planner",), batch_size=rows_in_batch * accumulated, micro_batch=rows_in_batch)
        recipe = Recipe(name="shared_training", stages={"planner": stage}, save_steps=10**9, log_steps=10**9)
        return arguments(recipe, stage, Path(folder), seed=0, deepspeed=None, world=1, shares=shares)

    def shared(self, trajectories: Sequence[Trajectory]) -> Spent:
        """Branches over one encoding."""
        found = [
            row for t in trajectories for row in rows(t, self.settings(load_layout("shared"), *ROLES), self.encoder)
        ]
        stages: dict[str, Any] = {v: (v, Stage(roles=(v,), method=self.method, batch_size=self.batch)) for v in ROLES}
        full: dict[str, Any] = {v: load_base(dtype=torch.float32) for v in ROLES} if self.method == "full" else {}
        with tempfile.TemporaryDirectory() as folder:
            args = self.arguments(folder, self.batch, 1, shares=True)
            data = Dataset.from_list([packed_targets.columns(row) for row in found])
            trainer = shared_trainer(load_base(), stages, full, data, args, pad_id=self.pad)
            seconds = _timed(trainer)
        return Spent(seconds, sum(row.targets for row in found), int(trainer.tokens_seen))

    def whole_rows(self, trajectories: Sequence[Trajectory], layout: Layout, *, decisions: bool = False) -> Spent:
        """Each role in turn on rows of its own."""
        seconds, targets, tokens = 0.0, 0, 0
        for role in ROLES:
            found = [row for t in trajectories for row in rows(t, self.settings(layout, role), self.encoder)]
            targets += sum(row.targets for row in found)
            each = 1
            if decisions:
                split = [part for row in found for part in per_decision(row)]
                each, found = max(1, round(len(split) / len(found))), split
            spent = self._rows(found, each)
            seconds, tokens = seconds + spent.seconds, tokens + spent.tokens
        return Spent(seconds, targets, tokens)

    def _rows(self, found: Sequence[Row], accumulated: int) -> Spent:
        columns = [{"input_ids": r.input_ids, "labels": r.labels, "length": len(r.input_ids)} for r in found]
        stage = Stage(roles=("planner",), method=self.method)
        with tempfile.TemporaryDirectory() as folder:
            args = self.arguments(folder, self.batch, accumulated)
            base = load_base(dtype=torch.float32 if self.method == "full" else torch.bfloat16)
            trainer = stage_trainer(adapt(base, stage), Dataset.from_list(columns), args, self.pad)
            seconds = _timed(trainer)
        return Spent(seconds, 0, int(trainer.tokens_seen))


def _timed(trainer: Any) -> float:
    begin = time.perf_counter()
    train_stage(trainer, [], None)
    seconds = time.perf_counter() - begin
    finish_stage(trainer)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--trajectories", type=int, default=6)
    parser.add_argument("--batch", type=int, default=2, help="rows in one forward pass, in all ways")
    parser.add_argument("--observation-chars", type=int, default=256)
    parser.add_argument("--method", choices=("lora", "full"), default="lora")
    options = parser.parse_args()
    disable_progress_bars()
    source = store.read(options.data) if options.data else (t.gold for t in gym.generate(10_000, seed=0))
    trajectories = list(islice((t for t in source if len(t.steps) > 1 and t.answer), options.trajectories))
    bench = Bench(options)
    bench.shared(trajectories[:1])  # first calls allocate
    bench.whole_rows(trajectories[:1], load_layout("paper"))
    # Ours first and last, so that a machine that slows down favours neither.
    first = bench.shared(trajectories)
    by_row = bench.whole_rows(trajectories, load_layout("shared"))
    by_paper = bench.whole_rows(trajectories, load_layout("paper"))
    by_decision = bench.whole_rows(trajectories, load_layout("paper"), decisions=True)
    last = bench.shared(trajectories)
    ours = first._replace(seconds=(first.seconds + last.seconds) / 2)
    show(
        f"three roles ({options.method}), {len(trajectories)} trajectories, {options.batch} rows in a batch",
        ("", "targets", "tokens", "seconds", "targets/s", "shared is"),
        [
            (
                name,
                f"{s.targets}",
                f"{s.tokens:,}",
                f"{s.seconds:.1f}",
                f"{s.each():.2f}",
                f"{ours.each() / s.each():.2f}x",
            )
            for name, s in (
                ("shared context", ours),
                ("row per trajectory and role", by_row),
                ("the same in the paper layout", by_paper),
                ("row per decision", by_decision),
            )
        ],
    )
    finish(
        "shared_training",
        ratio=ours.each() / by_row.each(),
        target=FASTER_THAN_ROWS,
        against_paper_rows=round(ours.each() / by_paper.each(), 3),
        against_decisions={"ratio": round(ours.each() / by_decision.each(), 3), "target": FASTER_THAN_DECISIONS},
        method=options.method,
        data=options.data.name if options.data else "gym",
        n=len(trajectories),
        batch=options.batch,
    )


if __name__ == "__main__":
    main()
