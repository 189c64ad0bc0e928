"""`alpha-umi ablate` from an experiment to its table: killed, continued, with a training that fails, and logged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from alpha_umi.evaluation.ablation.cells import read_record
from alpha_umi.testing import save_tiny_model

pytestmark = pytest.mark.slow

ALONE = {"stages.planner": None, "stages.caller": None, "stages.summarizer": None}
TIME = {"data": "gym:unseen_instructions", "category": "time"}


def command(experiment: Path, out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "alpha_umi", "ablate", str(experiment), "--out", str(out), *options]


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WANDB")}
    return subprocess.run(
        command(folder / "mine.yaml", folder / "out", *options),
        capture_output=True,
        text=True,
        check=False,
        env=environment | {"ALPHA_UMI_CACHE": str(folder / "cache"), "HOME": str(folder)},
    )


def write(folder: Path, arms: dict[str, Any], **more: Any) -> None:
    (folder / "mine.yaml").write_text(yaml.safe_dump({"arms": arms, **more}, sort_keys=False), encoding="utf-8")


def records(folder: Path) -> dict[str, Any]:
    """How the cells ended, by title."""
    found = (read_record(path.parent) for path in (folder / "out" / "cells").glob("*/cell.json"))
    return {record.title: record for record in found if record is not None}


def _title(cell: Path) -> str:
    record = read_record(cell)
    return "" if record is None else record.title


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A grid of a tiny model that was killed while it trained, and then continued to its end; one arm diverges."""
    folder = tmp_path_factory.mktemp("grid")
    base = save_tiny_model(folder / "tiny")
    arms = {
        "single": {"recipe": "smoke", "set": {"team": "single", **ALONE}},
        "glpft": {"recipe": "smoke"},
        "swapped": {"of": "glpft", "roles": {"planner": "caller", "caller": "planner"}},
        "diverges": {"recipe": "smoke", "set": {**ALONE, "team": "single", "stages.backbone.learning_rate": 1e30}},
    }
    write(
        folder,
        arms,
        baseline="single",
        seeds=[1],
        data="gym:6:time:single",
        set={"base": str(base), "deepspeed": None, "precision": "fp32"},
        evaluations={"steps": {"kind": "static", "limit": 3, **TIME}},
    )
    first = subprocess.Popen(
        command(folder / "mine.yaml", folder / "out"),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not list((folder / "out" / "cells").glob("train-*/run/recipe.yaml")):
        assert first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    return folder, run(folder, "--wandb", "--json")


def test_a_killed_grid_goes_on_where_it_was(ended: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = ended
    found = json.loads(done.stdout)
    assert [*found["evaluations"]["steps"]["arms"]] == ["single", "glpft", "swapped"]
    assert records(folder)["single seed 1"].resumed
    assert not records(folder)["glpft seed 1"].resumed
    written = {path.name for path in (folder / "out" / "mine").iterdir()}
    assert {
        "comparison.md",
        "comparison.csv",
        "comparison.tex",
        "comparison.json",
        "steps.svg",
        "report.html",
    } <= written


def test_what_it_will_take_is_said_before(ended: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, done = ended
    lines = done.stderr.splitlines()
    assert lines[0] == "mine: 4 arms, 3 trainings, 4 evaluations; 1 of 8 cells are finished"
    assert lines[1] == "  steps: 3 trajectories can show a difference of 80 points or more"
    assert any("of disk" in line and ("minutes" in line or " s " in line) for line in lines)


def test_a_training_that_fails_is_named_and_the_table_says_so(
    ended: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = ended
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: 2 cells have no result, first diverges seed 1: ")
    failed = json.loads(done.stdout)["failed"]
    assert "the loss is not finite" in failed["diverges"]
    assert "the loss is not finite" in (folder / "out" / "mine" / "report.html").read_text(encoding="utf-8")
    assert "Traceback" not in done.stderr


def test_training_is_counted(ended: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    training = json.loads(ended[1].stdout)["training"]
    base = training["single"]["all_parameters"]
    assert training["single"]["trained_parameters"] == base  # a model of its own stands in the base's place
    assert base < training["glpft"]["all_parameters"] < 1.2 * base
    assert training["swapped"] == training["glpft"]
    assert training["single"]["tokens"] > 100
    assert training["single"]["seconds"] is None  # it was killed once, so nobody knows
    assert training["glpft"]["seconds"] > 0


def _logged(folder: Path) -> Iterator[tuple[str, str]]:
    """Keys and values of the history in W&B's offline file."""
    from wandb.proto import wandb_internal_pb2

    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    for data in _log_records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        for item in record.history.item:
            yield item.key or "/".join(item.nested_key), item.value_json


def _log_records(data: bytes, block: int = 32768) -> Iterator[bytes]:
    """Records of a LevelDB log, which W&B writes behind seven bytes of its own: each fragment has a checksum, its
    length and whether it is the whole, the first, a middle or the last part of a record."""
    at, parts = 7, b""
    while at + 7 <= len(data):
        if block - at % block < 7:  # no header fits, so the block was filled up
            at += block - at % block
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield parts
            parts = b""


def test_cells_and_table_are_in_the_offline_file_of_wandb(
    ended: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = ended
    logged = dict(_logged(folder / "out" / "mine"))
    (cell,) = (path for path in (folder / "out" / "cells").glob("static-*") if _title(path) == "glpft seed 1, steps")
    metrics = json.loads((cell / "result" / "metrics.json").read_text(encoding="utf-8"))
    assert json.loads(logged["glpft seed 1, steps/plan_acc"]) == metrics["plan_acc"]["value"]
    assert json.loads(logged["comparison/_type"]) == "table-file"
    path = json.loads(logged["comparison/path"])
    (file,) = (folder / "out" / "mine").glob(f"wandb/offline-run-*/files/{path}")
    rows = json.loads(file.read_text(encoding="utf-8"))
    arms = {row[rows["columns"].index("arm")] for row in rows["data"]}
    assert arms == {"single", "glpft", "swapped"}


def test_an_edited_experiment_keeps_what_is_the_same(
    ended: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = ended
    edited = yaml.safe_load((folder / "mine.yaml").read_text(encoding="utf-8"))
    del edited["arms"]["diverges"]
    edited["baseline"] = "glpft"
    write(folder, **edited)
    before = {title: record.seconds for title, record in records(folder).items()}
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert "changed since the last run: arms.diverges" in done.stderr
    assert "changed since the last run: baseline" in done.stderr
    assert "6 of 6 cells are finished" in done.stderr
    assert {title: record.seconds for title, record in records(folder).items()} == before
    assert done.stdout.index(" glpft ") < done.stdout.index(" single ")


@pytest.mark.model
def test_the_shipped_team_is_compared_with_itself_under_another_search(tmp_path: Path) -> None:
    tasks = {"kind": "agent", "limit": 2, "max_steps": 3, **TIME}
    write(
        tmp_path,
        {"chain": {"team": "default"}, "react2": {"team": "default", "search": "react@2"}},
        baseline="chain",
        evaluations={"tasks": tasks},
    )
    done = run(tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["evaluations"]["tasks"]["arms"]
    # What a chain passes, the first of two chains passes too, and it costs no less to try again.
    assert found["react2"]["metrics"]["pass_rate"]["value"] >= found["chain"]["metrics"]["pass_rate"]["value"]
    assert found["react2"]["cost"]["tokens"] >= found["chain"]["cost"]["tokens"] > 0


def test_a_disk_that_is_full_is_said_and_the_cell_made_later(tmp_path: Path) -> None:
    steps = {"kind": "static", "limit": 40, **TIME}
    arms = {"a": {"team": "default"}, "b": {"team": "default", "roles": {"planner": "backbone"}}}
    write(tmp_path, arms, baseline="a", evaluations={"steps": steps})
    limited = ["bash", "-c", 'ulimit -f 16; exec "$@"', "-", *command(tmp_path / "mine.yaml", tmp_path / "out")]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: the baseline 'a' has no results: steps: ")
    assert "File too large" in last
    again = subprocess.run(
        [*command(tmp_path / "mine.yaml", tmp_path / "out"), "--dry-run"], capture_output=True, text=True, check=False
    )
    assert "0 of 3 cells are finished" in again.stdout
