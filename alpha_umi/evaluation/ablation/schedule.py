"""The cells of a grid, each made by a process of its own, in the order of what they need, one by one or N at once.

A cell that fails takes nobody with it: what needs it is skipped and said so. Cells that another process is at are
waited for, so several machines may work on one grid.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from alpha_umi.evaluation.ablation.cells import LOG, describe, folder_of, is_done, read_record
from alpha_umi.evaluation.ablation.grid import Cell, Grid

_POLL = 0.2


class Reporter(Protocol):
    """Is told how far a grid is."""

    def began(self, cell: Cell) -> None:
        """A cell is being worked on."""

    def working(self, cells: Sequence[Cell]) -> None:
        """These are still being worked on; told several times a second."""

    def ended(self, cell: Cell, why: str) -> None:
        """A cell has ended; `why` it failed, or empty."""


def left_of(grid: Grid, out: Path) -> list[Cell]:
    """The cells that are not finished, in the order in which they are made: seed by seed, so that a grid which is
    stopped early has every arm once."""
    left = [cell for cell in grid.cells.values() if not is_done(folder_of(out, cell))]
    return sorted(left, key=lambda cell: -1 if cell.seed is None else grid.experiment.seeds.index(cell.seed))


def make_cells(
    grid: Grid, out: Path, command: Sequence[str], *, parallel: int = 1, reporter: Reporter
) -> dict[str, str]:
    """Have every cell made that is not finished.

    Args:
        grid: the experiment's.
        out: where cells lie.
        command: of this program, to which `--cell NAME` is added.
        parallel: processes at once.
        reporter: is told of each.

    Returns:
        Why cells have no result, by name: what failed, and what could not be begun since that did.
    """
    waiting = left_of(grid, out)
    running: dict[str, tuple[Cell, subprocess.Popen[bytes]]] = {}
    failed: dict[str, str] = {}
    try:
        while waiting or running:
            for cell, process in _ended(running):
                del running[cell.name]
                if why := _why(cell, out, process.returncode):
                    failed[cell.name] = why
                reporter.ended(cell, failed.get(cell.name, ""))
            for cell in _lost(waiting, failed):
                waiting.remove(cell)
                failed[cell.name] = _because(cell, grid, failed)
                reporter.ended(cell, failed[cell.name])
            while len(running) < parallel and (ready := _ready(waiting, out)) is not None:
                waiting.remove(ready)
                reporter.began(ready)
                running[ready.name] = (ready, _start(ready, out, command))
            reporter.working([cell for cell, _ in running.values()])
            time.sleep(_POLL if running else 0)
    finally:
        for _, process in running.values():  # Ctrl-C: each goes on where it was when it is begun again
            process.terminate()
        for _, process in running.values():
            process.wait()
    return failed


def _start(cell: Cell, out: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
    folder = folder_of(out, cell)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [*command, "--cell", cell.name], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )


def _ended(running: dict[str, tuple[Cell, subprocess.Popen[bytes]]]) -> Iterator[tuple[Cell, subprocess.Popen[bytes]]]:
    yield from [found for found in running.values() if found[1].poll() is not None]


def _ready(waiting: Sequence[Cell], out: Path) -> Cell | None:
    """The first cell whose needs are there."""
    return next((c for c in waiting if all(is_done(folder_of(out, name)) for name in c.needs)), None)


def _lost(waiting: Sequence[Cell], failed: Mapping[str, str]) -> list[Cell]:
    return [cell for cell in waiting if any(name in failed for name in cell.needs)]


def _because(cell: Cell, grid: Grid, failed: Mapping[str, str]) -> str:
    name = next(name for name in cell.needs if name in failed)
    return f"it needs {grid.cells[name].title}, which failed"


def _why(cell: Cell, out: Path, code: int) -> str:
    """Why a process left no result."""
    folder = folder_of(out, cell)
    record = read_record(folder)
    if record is not None and record.state == "done" and code == 0:
        return ""
    if record is not None and record.state == "failed":
        return record.error
    how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
    last = describe(folder)
    return f"its process {how}" + (f": {last}" if last else "")


def this_program() -> list[str]:
    """The command that runs this package again, whatever started it."""
    return [sys.executable, "-m", "alpha_umi"]
