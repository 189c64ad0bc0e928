"""A grid as two Slurm job arrays, printed: one element trains or makes data, one evaluates, each a cell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from alpha_umi.errors import UsageError
from alpha_umi.evaluation.ablation.cells import CELLS
from alpha_umi.evaluation.ablation.grid import Cell, Grid
from alpha_umi.evaluation.ablation.schedule import left_of

_HEAD = """#!/usr/bin/env bash
# {title}. Submit it with: bash FILE
# The cells are files in {cells}; give sbatch what your cluster wants (--partition, --gres=gpu:1, --time).
set -euo pipefail
mkdir -p {cells}
"""
_ARRAY = """
{name}=$(sbatch --parsable --job-name={job} --array=0-{last}{wait} --output={cells}/slurm-%A_%a.txt "$@" <<'JOB'
#!/usr/bin/env bash
set -euo pipefail
cells=({names})
{command} --cell "${{cells[$SLURM_ARRAY_TASK_ID]}}"
JOB
)
echo "{name}: job ${name}"
"""
_LAST = """
echo "when they have ended: {command}"
"""


def array_script(grid: Grid, out: Path, command: Sequence[str]) -> str:
    """A script that submits what is left of a grid; evaluations begin when the training array has ended, and one whose
    training failed says so.

    Raises:
        UsageError: nothing is left.
    """
    left = left_of(grid, out)
    if not left:
        raise UsageError("every cell is finished: without --slurm the same command prints the table")
    before = [cell for cell in left if cell.kind in ("data", "train")]
    after = [cell for cell in left if cell.kind not in ("data", "train")]
    script = _HEAD.format(title=f"The experiment '{grid.experiment.name}', {len(left)} cells", cells=_folder(out))
    if before:
        script += _array("training", before, grid, out=out, command=command)
    if after:
        wait = " --dependency=afterany:$training" if before else ""
        script += _array("evaluation", after, grid, out=out, command=command, wait=wait)
    return script + _LAST.format(command=shlex.join(command))


def _folder(out: Path) -> str:
    return shlex.quote(str(out / CELLS))


def _array(name: str, cells: Sequence[Cell], grid: Grid, *, out: Path, command: Sequence[str], wait: str = "") -> str:
    return _ARRAY.format(
        name=name,
        job=shlex.quote(f"{grid.experiment.name}-{name}"),
        last=len(cells) - 1,
        wait=wait,
        cells=_folder(out),
        names=" ".join(cell.name for cell in cells),
        command=shlex.join(command),
    )
