"""`alpha-umi ablate`: from an experiment to a table with intervals."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from alpha_umi.cli.progress import can_move, waiting
from alpha_umi.errors import AlphaUmiError, UsageError, WorkError

if TYPE_CHECKING:
    from rich.status import Status

    from alpha_umi.evaluation.ablation.estimate import CellEstimate
    from alpha_umi.evaluation.ablation.experiment import Experiment
    from alpha_umi.evaluation.ablation.grid import Cell, Grid
    from alpha_umi.evaluation.ablation.wandb_log import WandbLog
    from alpha_umi.evaluation.comparison import Comparison

_HELP = """Role ablations: train and evaluate every arm of an experiment, and compare them.

Examples:

  alpha-umi ablate roles --budget tiny --out ablations

  alpha-umi copy experiments/roles my_roles.yaml && alpha-umi ablate my_roles.yaml --out ablations --parallel 2

Each cell (a training, an evaluation) is kept in OUT/cells under what decides its result: a stopped grid goes on when
the same command is given again, and another experiment with the same OUT reuses what is finished. The table is written
to OUT/EXPERIMENT as Markdown, CSV, LaTeX, JSON, SVG plots and report.html. Exit 1 when a cell failed, which is named.
"""
_PRIOR = 120.0
"""Seconds of work as fast as thought that are counted in, so that a short first cell does not decide what is left."""
_QUIET = 60.0
"""Seconds after which a log file or pipe is told what goes on."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("ablate", help=_HELP, short_help="Role ablations: arms trained, evaluated, compared.")(ablate)


def ablate(
    experiment: Annotated[str, typer.Argument(help="Shipped experiment (see `alpha-umi list`) or a YAML file.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for cells and tables; several experiments may share it.")],
    budget: Annotated[str | None, typer.Option(help="One of the experiment's budgets, e.g. tiny.")] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Cells at once.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print cells, hours, disk; make nothing.")] = False,
    slurm: Annotated[
        bool, typer.Option("--slurm", help="Print a script that submits the cells as job arrays.")
    ] = False,
    any_code: Annotated[
        bool, typer.Option("--any-code", help="Take finished cells whatever version of the code made them.")
    ] = False,
    wandb: Annotated[bool, typer.Option("--wandb", help="Log cells and table to Weights & Biases.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    cell: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Make what is missing, compare, write, print."""
    from alpha_umi.evaluation.ablation import edits
    from alpha_umi.evaluation.ablation import slurm as arrays
    from alpha_umi.evaluation.ablation.cells import finished_codes
    from alpha_umi.evaluation.ablation.experiment import load_experiment
    from alpha_umi.evaluation.ablation.grid import plan_grid
    from alpha_umi.evaluation.ablation.outcome import check_given
    from alpha_umi.evaluation.ablation.schedule import this_program

    out = out.resolve()
    loaded = load_experiment(experiment, budget=budget)
    grid = plan_grid(loaded, made=finished_codes(out) if any_code else {})
    words = ["ablate", experiment, "--out", str(out), *(["--budget", budget] if budget else [])]
    words += ["--any-code"] if any_code else []
    if cell is not None:
        _make(grid, cell, out)
        return
    if slurm:
        typer.echo(arrays.array_script(grid, out, [*this_program(), *words]), nl=False)
        return
    check_given(loaded)
    stderr = Console(stderr=True, highlight=False)
    for key in edits.edits(loaded, out / loaded.name):
        stderr.print(f"changed since the last run: {key}", markup=False, soft_wrap=True)
    expected = _announce(grid, out, Console(highlight=False) if dry_run else stderr)
    if dry_run:
        return
    edits.remember(loaded, out / loaded.name)
    log = _wandb(loaded, out) if wandb else None
    failed = _make_all(grid, out, [*this_program(), *words], parallel, expected, stderr, log)
    _compare(grid, out, failed, log, as_json=as_json)


def _wandb(experiment: Experiment, out: Path) -> WandbLog:
    from alpha_umi.evaluation.ablation.wandb_log import WandbLog

    return WandbLog(experiment.name, out / experiment.name)


def _make(grid: Grid, name: str, out: Path) -> None:
    """Make one cell in this process, and put on record how it ended."""
    from alpha_umi.cli import app
    from alpha_umi.evaluation.ablation import cells

    cell = grid.cells.get(name)
    if cell is None:
        raise UsageError(f"the experiment '{grid.experiment.name}' has no cell {name}: was it changed since?")
    folder = cells.folder_of(out, cell)
    with cells.claimed(folder):
        if cells.is_done(folder):
            return
        began, resumed = time.monotonic(), (folder / cells.RUN / "recipe.yaml").is_file()
        command: list[str] = []

        def ended(state: Any, error: str = "") -> None:
            seconds = round(time.monotonic() - began, 1)
            cells.write_record(
                folder,
                cells.CellRecord(
                    state=state,
                    title=cell.title,
                    command=tuple(command),
                    seconds=seconds,
                    resumed=resumed,
                    error=error,
                ),
            )

        try:
            command = cells.command_of(grid, cell, out)
            code = app(args=command, prog_name="alpha-umi", standalone_mode=False)
        except AlphaUmiError as error:
            ended("failed", str(error))
            raise
        if code:
            ended("failed", f"alpha-umi {shlex.join(command)} ended with {code}")
            raise typer.Exit(int(code))
        ended("done")


def _announce(grid: Grid, out: Path, console: Console) -> Mapping[str, CellEstimate]:
    """Say how many cells there are and what is left of them will take, and what differences n can show."""
    from alpha_umi.evaluation.ablation.estimate import base_of, estimate, measure, size_of
    from alpha_umi.evaluation.ablation.schedule import left_of
    from alpha_umi.evaluation.statistics import smallest_difference

    left = left_of(grid, out)
    trained = sum(cell.kind == "train" for cell in grid.cells.values())
    evaluated = sum(cell.kind in {"static", "agent"} for cell in grid.cells.values())
    console.print(
        f"{grid.experiment.name}: {len(grid.experiment.arms)} arms, {trained} trainings, {evaluated} evaluations; "
        f"{len(grid.cells) - len(left)} of {len(grid.cells)} cells are finished",
        markup=False,
        soft_wrap=True,
    )
    for name, what in grid.experiment.evaluations.items():
        n, unit = size_of(what), "tasks" if what.kind == "agent" else "trajectories"
        shown = 100 * smallest_difference(n)
        console.print(f"  {name}: {n} {unit} can show a difference of {shown:.0f} points or more", soft_wrap=True)
    if not left:
        return {}
    with waiting("measuring this machine", console):
        found = estimate(grid, out, measure(base_of(grid)))
    seconds = sum(found[cell.name].seconds for cell in left)
    disk = sum(found[cell.name].disk for cell in left)
    peak = max(found[cell.name].peak for cell in left)
    more = f", and {_size(peak)} more while one is trained" if peak else ""
    console.print(f"  about {_duration(seconds)} for one cell at a time, {_size(disk)} of disk{more}", soft_wrap=True)
    return found


def _make_all(
    grid: Grid,
    out: Path,
    command: Sequence[str],
    parallel: int,
    expected: Mapping[str, CellEstimate],
    console: Console,
    log: WandbLog | None,
) -> dict[str, str]:
    from alpha_umi.evaluation.ablation.schedule import left_of, make_cells

    if not (left := left_of(grid, out)):
        return {}
    with _progress(left, out, {name: found.seconds for name, found in expected.items()}, console, log) as progress:
        return make_cells(grid, out, command, parallel=parallel, reporter=progress)


def _compare(grid: Grid, out: Path, failed: Mapping[str, str], log: WandbLog | None, *, as_json: bool) -> None:
    from alpha_umi.evaluation.ablation.outcome import compare_arms
    from alpha_umi.evaluation.tables import render, write_comparison

    comparison: Comparison = compare_arms(grid, out, failed)
    folder = out / grid.experiment.name
    write_comparison(folder, comparison)
    if log is not None:
        log.table(comparison)
    if as_json:
        typer.echo(comparison.model_dump_json())
    else:
        Console(highlight=False).print(render(comparison))
        typer.echo(f"{folder / 'report.html'}", err=True)
    if failed:
        first = next(iter(failed))
        raise WorkError(f"{len(failed)} cells have no result, first {grid.cells[first].title}: {failed[first]}")


class _Progress:
    """Says which cell is worked on, and how long the rest will take."""

    def __init__(
        self, left: Sequence[Cell], out: Path, expected: Mapping[str, float], console: Console, log: WandbLog | None
    ) -> None:
        self._total, self._done, self._out, self._console, self._log = len(left), 0, out, console, log
        self._expected, self._left = expected, [cell.name for cell in left]
        self._told = self._begun = time.monotonic()
        self._worked = 0.0
        """Seconds that the cells which have ended were thought to take."""
        self._status: Status | None = None

    def began(self, cell: Cell) -> None:
        """Name it."""
        self._say(f"{cell.kind} {cell.title}")

    def working(self, cells: Sequence[Cell]) -> None:
        """Show the last line of each one's log; on a pipe now and then."""
        from alpha_umi.evaluation.ablation.cells import describe, folder_of

        now = time.monotonic()
        words = "; ".join(f"{cell.title}: {describe(folder_of(self._out, cell))}" for cell in cells)
        if self._status is not None:
            self._status.update(words)
        elif now - self._told > _QUIET:
            self._say(words)

    def ended(self, cell: Cell, why: str) -> None:
        """Say how, and how long the rest will take at this pace."""
        self._done += 1
        self._left.remove(cell.name)
        self._worked += self._expected.get(cell.name, 0.0)
        rest = sum(self._expected.get(name, 0.0) for name in self._left)
        pace = (time.monotonic() - self._begun + _PRIOR) / (self._worked + _PRIOR)
        more = f", about {_duration(rest * pace)} left" if self._left else ""
        self._say(f"{cell.title} failed: {why}" if why else f"{cell.title} done{more}")
        if self._log is not None and not why and cell.kind in {"static", "agent"}:
            self._log.cell(cell, _metrics(self._out, cell))

    def _say(self, words: str) -> None:
        self._told = time.monotonic()
        self._console.print(f"[{self._done}/{self._total}] {words}", markup=False, soft_wrap=True)

    def show(self, status: Status) -> None:
        """Let the last lines of logs be shown there."""
        self._status = status


def _metrics(out: Path, cell: Cell) -> Mapping[str, Any]:
    from alpha_umi.evaluation.ablation.cells import RESULT, folder_of

    found = json.loads((folder_of(out, cell) / RESULT / "metrics.json").read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


@contextmanager
def _progress(
    left: Sequence[Cell], out: Path, expected: Mapping[str, float], console: Console, log: WandbLog | None
) -> Iterator[_Progress]:
    progress = _Progress(left, out, expected, console, log)
    if not can_move(console):
        yield progress
        return
    with console.status("") as status:
        progress.show(status)
        yield progress


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"
