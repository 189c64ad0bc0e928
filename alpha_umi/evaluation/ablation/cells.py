"""One cell on disk: `cell.json` when it has ended, `log.txt`, and what it made; and the command that makes it.

A cell is made by the package's own verbs (`data convert`, `train`, `evaluate`), which continue what was stopped, so a
cell that was killed goes on where it was. Whoever works on one holds its lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import yaml
from filelock import FileLock
from pydantic import ValidationError

from alpha_umi.errors import DataError
from alpha_umi.evaluation.ablation.exchange import exchanged
from alpha_umi.evaluation.ablation.experiment import Experiment
from alpha_umi.evaluation.ablation.grid import Cell, Grid, recipe_of, source_arm
from alpha_umi.files import write_atomically
from alpha_umi.roles import Team
from alpha_umi.team_files import load_team, write_team
from alpha_umi.trajectory import Frozen

CELLS = "cells"
RECORD = "cell.json"
LOG = "log.txt"
RUN, RESULT, DATA, TEAM = "run", "result", "data", "team.yaml"
"""What a cell makes: a training run, an evaluation, a data set; and the team that it evaluates."""


class CellRecord(Frozen):
    """How a cell ended."""

    state: Literal["done", "failed"]
    title: str
    command: tuple[str, ...]
    """As it can be pasted after `alpha-umi`."""
    seconds: float
    resumed: bool = False
    """Whether it went on with what an earlier process had begun: then `seconds` are not all that it took."""
    error: str = ""


def folder_of(out: Path, cell: Cell | str) -> Path:
    """Where a cell lies."""
    return out / CELLS / (cell if isinstance(cell, str) else cell.name)


def read_record(folder: Path) -> CellRecord | None:
    """How a cell ended; None for one that has not.

    Raises:
        DataError: its record cannot be read.
    """
    path = folder / RECORD
    try:
        return CellRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise DataError(f"{path} is no record of a cell: remove it to have the cell made again") from error


def is_done(folder: Path) -> bool:
    """Whether a cell's result is there."""
    record = read_record(folder)
    return record is not None and record.state == "done"


def finished_codes(out: Path) -> Mapping[str, str]:
    """The code that finished cells were made with, by name without it: what `--any-code` takes."""
    names = (path.parent.name for path in (out / CELLS).glob(f"*/{RECORD}") if is_done(path.parent))
    return {name.rpartition("-")[0]: name.rpartition("-")[2] for name in names}


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold a cell while it is worked on; waits for another process that does."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "cell.lock"):
        yield


def write_record(folder: Path, record: CellRecord) -> None:
    """Say how a cell ended; written last, so that its presence means that the rest is whole."""
    write_atomically(folder / RECORD, record.model_dump_json(indent=2) + "\n")


def command_of(grid: Grid, cell: Cell, out: Path) -> list[str]:
    """What makes a cell, after `alpha-umi`; the files that it reads are written into the cell's folder."""
    folder = folder_of(out, cell)
    folder.mkdir(parents=True, exist_ok=True)
    if cell.kind == "train":
        return _train(grid.experiment, cell, folder)
    what = grid.experiment.evaluations[cell.evaluation]
    if cell.kind == "data":
        name, _, split = what.data.partition(":")
        words = ["data", "convert", name, "--split", split, "--n", str(what.limit), "--seed", str(what.seed)]
        return [*words, *_option("--category", what.category), "--out", str(folder / DATA)]
    write_team(folder / TEAM, _team(grid, cell, out))
    made = next((folder_of(out, name) / DATA for name in cell.needs if name.startswith("data-")), None)
    common = ["--data", str(made or what.data), "--team", str(folder / TEAM), "--out", str(folder / RESULT)]
    if cell.kind == "static":
        limit = None if made is not None else what.limit
        scorer = ["--scorer", grid.experiment.scorer]
        return ["evaluate", "static", *common, *_option("--limit", limit), *_option("--batch", what.parallel), *scorer]
    arm = grid.experiment.arms[cell.arm]
    limits = [*_option("--limit", what.limit), *_option("--seed", what.seed or None)]
    limits += _option("--category", what.category)
    settings = ["--search", arm.search, "--max-steps", str(what.max_steps), *_option("--parallel", what.parallel)]
    return ["evaluate", "agent", *common, *limits, *settings, *(["--free"] if arm.free else [])]


def _option(name: str, value: object) -> list[str]:
    return [] if value is None else [name, str(value)]


def _train(experiment: Experiment, cell: Cell, folder: Path) -> list[str]:
    assert cell.seed is not None
    recipe = recipe_of(experiment, cell.arm, cell.seed)
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_atomically(folder / "recipe.yaml", text)
    resume = ["--resume"] if (folder / RUN / "recipe.yaml").is_file() else []
    return ["train", str(folder / "recipe.yaml"), "--out", str(folder / RUN), *resume]


def _team(grid: Grid, cell: Cell, out: Path) -> Team:
    """The team that a cell evaluates."""
    arm = grid.experiment.arms[cell.arm]
    trained = next((name for name in cell.needs if name.startswith("train-")), None)
    source = source_arm(grid.experiment, cell.arm).team or ""
    team = load_team(source if trained is None else str(folder_of(out, trained) / RUN))
    team = exchanged(team, arm.roles, folder_of(out, cell) / "weights")
    free = {"constrained": False} if arm.free and cell.kind == "static" else {}
    return team.model_copy(update={"name": cell.arm, **free})


def describe(folder: Path) -> str:
    """The last words of a cell's log, for one line."""
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
