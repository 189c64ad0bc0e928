"""What a person and a program see while a stage trains: a progress bar, `metrics.jsonl`, W&B.

Everything here runs on the first rank only and reads the trainer; nothing changes what is trained.
"""

from __future__ import annotations

import ctypes.util
import json
import math
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations.integration_utils import WandbCallback

from alpha_umi.errors import UsageError
from alpha_umi.files import write_atomically
from alpha_umi.pace import Pace
from alpha_umi.training.wandb_settings import set_environment

if TYPE_CHECKING:
    from alpha_umi.training.trainer import StageTrainer


def memory_mib() -> float:
    """Peak memory of this process in MiB: of the GPU where one is used, else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    unit = 1 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


_OF_A_STAGE = ("loss", "learning_rate", "grad_norm")


def say(text: str) -> None:
    """A line on stderr about what goes on before there is anything to count."""
    Console(stderr=True, highlight=False).print(text, markup=False, soft_wrap=True)


def check_callbacks(callbacks: Sequence[object]) -> None:
    """Refuse what transformers would make an attribute error of, hours later.

    Raises:
        UsageError: one is no instance of TrainerCallback.
    """
    if odd := [callback for callback in callbacks if not isinstance(callback, TrainerCallback)]:
        raise UsageError(f"callbacks: {odd[0]!r} is no instance of transformers.TrainerCallback")


class MetricsCallback(TrainerCallback):
    """Appends one JSON line per logged step to `metrics.jsonl`, for each of the stages that train together."""

    trainer: StageTrainer | None = None

    def __init__(self, path: Path, stages: Sequence[str]) -> None:
        self._path = path
        self._stages = stages
        self._last = (time.perf_counter(), 0, 0)

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Forget lines of steps that a resumed run is about to do again, and start the clock."""
        if state.is_world_process_zero and self._path.is_file():
            kept = [r for r in self._lines() if r["stage"] not in self._stages or r["step"] <= state.global_step]
            write_atomically(self._path, "".join(json.dumps(r) + "\n" for r in kept))
        self._last = (time.perf_counter(), 0, 0)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Have the last update logged, whatever `log_steps`: a run says with what loss it ended."""
        if state.global_step >= state.max_steps:
            control.should_log = True

    def _lines(self) -> Iterator[dict[str, Any]]:
        """What was written, less a last line that a kill cut short."""
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Write loss, learning rate, speed since the last line and memory."""
        if not state.is_world_process_zero or not logs or "loss" not in logs or self.trainer is None:
            return
        now, tokens, targets = time.perf_counter(), self.trainer.tokens_seen, self.trainer.targets_seen
        seconds = max(now - self._last[0], 1e-9)
        common = {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": round(state.epoch or 0, 4),
            "tokens_per_second": round((tokens - self._last[1]) / seconds * args.world_size, 1),
            "targets_per_second": round((targets - self._last[2]) / seconds * args.world_size, 1),
            "memory_mib": round(memory_mib(), 1),
        }
        self._last = (now, tokens, targets)
        with self._path.open("a", encoding="utf-8") as stream:
            for stage in self._stages:
                # Stages that train together log their own as `stage/loss`; one that has ended logs none.
                own = {key: logs.get(f"{stage}/{key}") for key in _OF_A_STAGE}
                if len(self._stages) == 1:
                    own = {key: logs.get(key) for key in _OF_A_STAGE}
                if own["loss"] is not None:
                    # NaN and infinity are no JSON.
                    line = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in own.items()}
                    stream.write(json.dumps({"stage": stage, **common, **line}, allow_nan=False) + "\n")


class Trim(TrainerCallback):
    """Gives memory that is no longer used back to the system after each update on a CPU.

    Rows differ in length, and glibc keeps what it cannot reuse: a run of 77 updates grew from 4 to 9 GiB.
    """

    def __init__(self) -> None:
        name = None if torch.cuda.is_available() else ctypes.util.find_library("c")
        self._trim = getattr(ctypes.CDLL(name), "malloc_trim", None) if name else None

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Trim the heap."""
        if self._trim is not None:
            self._trim(0)


class Bar(TrainerCallback):
    """One progress bar a stage on a terminal; elsewhere a line at its start, after the first update, and at a pace."""

    def __init__(self, title: str, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._title = title
        self._loss: float | None = None
        self._progress: Progress | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Draw the bar."""
        if not state.is_world_process_zero:
            return
        self._first, self._pace = state.global_step, Pace(state.max_steps, state.global_step)
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("step {task.completed}/{task.total}"))
            loss = TextColumn("loss {task.fields[loss]}")
            self._progress = Progress(
                *columns, loss, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=self._console
            )
            self._task = self._progress.add_task(
                self._title, total=state.max_steps, loss="...", completed=state.global_step
            )
            self._progress.start()
        else:
            self._line(state, "")

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Move the bar, or print a line when one is due."""
        if not state.is_world_process_zero:
            return
        if self._progress is not None:
            self._progress.update(self._task, completed=state.global_step)
            return
        # The first update says how long the rest will take, long before a tenth is done.
        if self._pace.is_due(state.global_step) or state.global_step == self._first + 1:
            loss = "" if self._loss is None else f"  loss {self._loss:.3f}"
            self._line(state, f"{loss}  {self._pace.remaining(state.global_step)}")

    def _line(self, state: TrainerState, more: str) -> None:
        self._console.print(
            f"{self._title}  step {state.global_step}/{state.max_steps}{more}", markup=False, soft_wrap=True
        )

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Show the newest loss."""
        if logs and "loss" in logs:
            self._loss = float(logs["loss"])
            if self._progress is not None:
                self._progress.update(self._task, loss=f"{self._loss:.3f}")

    def close(self) -> None:
        """Leave the bar on the screen and give the cursor back, whether training ended well or not."""
        if self._progress is not None:
            self._progress.stop()


def wandb_callback(run: Path, name: str) -> TrainerCallback:
    """transformers' W&B reporter; it writes into the run folder, and stays offline when there is no key."""
    set_environment(run)
    os.environ["WANDB_NAME"] = name
    return WandbCallback()
