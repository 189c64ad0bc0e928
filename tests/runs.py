"""Training runs of a tiny model by the real command, for the tests of both layouts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from alpha_umi.training import run_folder


def recipe_file(folder: Path, tiny: Path, data: Path, **more: Any) -> Path:
    """The smoke recipe over the tiny model, with dropout so that random states matter."""
    stage = {"learning_rate": 0.01, "lora": {"dropout": 0.1, "r": 4}}
    text = {
        "extends": "smoke",
        "team": "umi",
        "layout": "paper",
        "base": str(tiny),
        "data": str(data),
        "save_steps": 2,
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


def kill_after_a_checkpoint(recipe: Path, out: Path, stage: str) -> None:
    """Run, kill -9 just after a checkpoint of a stage, and leave a half line in the metrics as a kill may."""
    process = subprocess.Popen(
        command(recipe, out, "--resume"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 300
    while not list((out / stage).glob("checkpoints*/checkpoint-*/trainer_state.json")):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not run_folder.is_finished(out, stage)
    with (out / "metrics.jsonl").open("a") as stream:
        stream.write('{"stage": "cut sh')


def on_two_ranks(recipe: Path, out: Path) -> None:
    """The shipped launcher with two CPU ranks, which share the cores as it sees fit."""
    launcher = Path(__file__).parent.parent / "launch" / "deepspeed.sh"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run(
        [str(launcher), "2", str(recipe), "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def losses_of(run: Path) -> list[tuple[str, int, float]]:
    """Stage, step and loss of every line of metrics."""
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [(line["stage"], line["step"], line["loss"]) for line in lines]
