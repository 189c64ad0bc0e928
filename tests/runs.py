"""Training runs of a tiny model by the real command, for the tests of both layouts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from alpha_umi.training import run_folder

SAVE_STEPS = 2


def recipe_file(folder: Path, tiny: Path, data: Path, **more: Any) -> Path:
    """The smoke recipe over the tiny model, with dropout so that random states matter.

    In fp32: a processor without products of bf16 takes four times as long for the other.
    """
    stage = {"learning_rate": 0.01, "lora": {"dropout": 0.1, "r": 4}}
    text = {
        "extends": "smoke",
        "team": "umi",
        "layout": "paper",
        "base": str(tiny),
        "data": str(data),
        "save_steps": SAVE_STEPS,
        "precision": "fp32",
        "defaults": {"batch_size": 4, "micro_batch": 2},
        **more,
    }
    named = more.get("stages", {})
    text["stages"] = {
        n: {**stage, "epochs": 3, **named.get(n, {})} for n in ("backbone", "planner", "caller", "summarizer")
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(text))
    return path


def command(recipe: Path, out: Path, *more: str) -> list[str]:
    """`alpha-umi train` in this environment."""
    return [sys.executable, "-m", "alpha_umi", "train", str(recipe), "--out", str(out), *more]


def kill_after_a_checkpoint(recipe: Path, out: Path, stage: str, *, updates: int = 0) -> None:
    """Run until kill -9 so many updates after a checkpoint of a stage, and leave a half line in the metrics as a kill
    may."""
    killed = [sys.executable, str(Path(__file__).with_name("killed_training.py")), stage, str(updates)]
    done = subprocess.run(
        [*killed, *command(recipe, out, "--resume")[3:]],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        timeout=600,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not run_folder.is_finished(out, stage)
    steps = [step for name, step, _ in losses_of(out) if name == stage]
    assert max(steps) == SAVE_STEPS + updates
    with (out / "metrics.jsonl").open("a") as stream:
        stream.write('{"stage": "cut sh')


def unlimited() -> dict[str, str]:
    """The environment, without the threads that whoever runs the tests allows: `nproc` heeds them too."""
    return {name: value for name, value in os.environ.items() if name not in {"OMP_NUM_THREADS", "OMP_THREAD_LIMIT"}}


def on_two_ranks(recipe: Path, out: Path) -> None:
    """The shipped launcher with two CPU ranks, which share the cores as it sees fit."""
    launcher = Path(__file__).parent.parent / "launch" / "deepspeed.sh"
    environment = {**unlimited(), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [str(launcher), "2", str(recipe), "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def losses_of(run: Path) -> list[tuple[str, int, float]]:
    """Stage, step and loss of every line of metrics."""
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [(line["stage"], line["step"], line["loss"]) for line in lines]
