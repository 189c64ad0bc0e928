"""What a grid will take, before any of it is made: hours by this machine's measured speed, disk, and what n can show.

The speed is measured on the base for a few seconds: tokens trained, read and written a second. Cells that were finished
in the same place correct it, by what they took beside what they had been thought to take.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from alpha_umi.data import store
from alpha_umi.errors import UsageError
from alpha_umi.evaluation.ablation.cells import CELLS, RUN, folder_of, read_record
from alpha_umi.evaluation.ablation.experiment import Evaluation
from alpha_umi.evaluation.ablation.grid import Cell, Grid, recipe_of
from alpha_umi.evaluation.agentic.task_selection import choose_tasks
from alpha_umi.files import write_atomically
from alpha_umi.roles import DEFAULT_BASE
from alpha_umi.tasks import is_named, load_recorded
from alpha_umi.team_files import load_team
from alpha_umi.training.recipe import Recipe
from alpha_umi.trajectory import Frozen, Trajectory

PLAN = "plan.json"
_CHARS_PER_TOKEN = 3.5
_TOKENS, _WRITTEN, _TOGETHER = 512, 16, 8
_STARTING = 15.0
"""Seconds in which a process imports torch and loads a small base."""
_TRIES = 1.5
"""An agent's steps beside those of a solution: some fail, some are repeated."""


class Rates(Frozen):
    """Tokens a second on this machine."""

    trained: float
    read: float
    written: float
    written_together: float
    """With several texts side by side."""


class StageWork(Frozen):
    """Tokens that one stage goes over in all its epochs."""

    trained: float
    context: float
    """Encoded by a frozen backbone."""
    full_weights: bool
    method: str


class CellEstimate(Frozen):
    """What one cell will take."""

    seconds: float
    disk: float = 0.0
    """Bytes that stay."""
    peak: float = 0.0
    """Bytes more while it is made: checkpoints."""


def base_of(grid: Grid) -> str:
    """A base that its cells train or let speak: the first one's."""
    for name, arm in grid.experiment.arms.items():
        if arm.recipe is not None:
            return recipe_of(grid.experiment, name, grid.experiment.seeds[0]).base
        if arm.team is not None:
            team = load_team(arm.team)
            if any(role.local for role in team.roles.values()):
                return team.base
    return DEFAULT_BASE


def measure(base: str = DEFAULT_BASE) -> Rates:
    """Train, read and write a few tokens with a base, each once more than is timed.

    Raises:
        MissingExtra: torch is not installed.
        ModelError: there is no such base.
    """
    import torch

    from alpha_umi.models.local.base_weights import default_device, load_base

    model: Any = load_base(base, device=default_device()).requires_grad_(True)
    ids = torch.arange(_TOKENS, device=model.device)[None] % 1000 + 100

    def train() -> None:
        model(input_ids=ids, labels=ids).loss.backward()
        model.zero_grad()

    def read() -> None:
        with torch.no_grad():
            model(input_ids=ids)

    def write(together: int) -> None:
        prompts = ids[:, :64].expand(together, -1)
        model.generate(
            input_ids=prompts,
            attention_mask=torch.ones_like(prompts),
            max_new_tokens=_WRITTEN,
            min_new_tokens=_WRITTEN,
            do_sample=False,
            pad_token_id=0,
        )

    return Rates(
        trained=_TOKENS / _timed(train),
        read=_TOKENS / _timed(read),
        written=_WRITTEN / _timed(lambda: write(1)),
        written_together=_TOGETHER * _WRITTEN / _timed(lambda: write(_TOGETHER)),
    )


def _timed(call: Callable[[], None]) -> float:
    call()
    began = time.perf_counter()
    call()
    return max(time.perf_counter() - began, 1e-6)


def training_work(recipe: Recipe, folder: Path) -> list[StageWork]:
    """The tokens of a recipe's stages, by its dry run; kept in the cell's folder, where it has been made before."""
    path = folder / PLAN
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps([work.model_dump() for work in _planned(recipe, folder)]) + "\n")
    return [StageWork.model_validate(work) for work in json.loads(path.read_text(encoding="utf-8"))]


def _planned(recipe: Recipe, folder: Path) -> Iterator[StageWork]:
    import tempfile

    from alpha_umi.training.cost_estimate import plan
    from alpha_umi.training.dataset import prepare_data

    with tempfile.TemporaryDirectory(dir=folder) as rows:
        for stage in plan(recipe, prepare_data(recipe, folder / RUN), Path(rows)):
            epochs = stage.steps * stage.batch_size / max(stage.rows, 1)
            yield StageWork(
                trained=stage.tokens * epochs,
                context=stage.context_tokens * epochs,
                full_weights=recipe.saves_full_weights(stage.name),
                method=stage.method,
            )


def estimate(grid: Grid, out: Path, rates: Rates) -> dict[str, CellEstimate]:
    """What each cell that is not finished will take, by name."""
    plain = {name: _of(grid, cell, out, rates) for name, cell in grid.cells.items()}
    pace = {kind: _pace(kind, plain, out) for kind in ("data", "train", "static", "agent")}
    return {
        name: found.model_copy(update={"seconds": found.seconds * pace[grid.cells[name].kind]})
        for name, found in plain.items()
    }


def _pace(kind: str, plain: Mapping[str, CellEstimate], out: Path) -> float:
    """How much longer cells of a kind took than they had been thought to, where some are finished."""
    found = []
    for name, thought in plain.items():
        record = read_record(out / CELLS / name) if name.startswith(f"{kind}-") else None
        if record is not None and record.state == "done" and thought.seconds > 0 and record.seconds > 0:
            found.append(record.seconds / thought.seconds)
    return statistics.median(found) if found else 1.0


def _of(grid: Grid, cell: Cell, out: Path, rates: Rates) -> CellEstimate:
    if cell.kind == "data":
        return CellEstimate(seconds=5.0)
    if cell.kind == "train":
        recipe = recipe_of(grid.experiment, cell.arm, grid.experiment.seeds[0])  # other seeds take as long
        first = next(c for c in grid.cells.values() if c.kind == "train" and c.arm == cell.arm)
        return _of_training(recipe, training_work(recipe, folder_of(out, first)), rates)
    what = grid.experiment.evaluations[cell.evaluation]
    return CellEstimate(seconds=_STARTING + _reading(what, rates))


def _of_training(recipe: Recipe, work: list[StageWork], rates: Rates) -> CellEstimate:
    from alpha_umi.models.local.base_weights import count_parameters

    parameters = count_parameters(recipe.base)[0]
    seconds = sum(stage.trained / rates.trained + stage.context / rates.read for stage in work)
    kept = sum(4.0 * parameters if stage.full_weights else 0.04 * parameters for stage in work)
    peak = max(12.0 * parameters * recipe.keep_checkpoints if stage.method == "full" else 0.0 for stage in work)
    return CellEstimate(seconds=_STARTING * (1 + len(work)) + seconds, disk=kept, peak=peak)


def _reading(what: Evaluation, rates: Rates) -> float:
    """Seconds in which a team goes through an evaluation as its references do."""
    tries = _TRIES if what.kind == "agent" else 1.0
    read = written = 0.0
    for trajectory in _references(what):
        own = sum(len(step.plan.rationale) + len(step.call.raw if step.call else "") + 40 for step in trajectory.steps)
        own += len(trajectory.answer or "")
        seen = sum(len(step.observation.text) for step in trajectory.steps if step.observation is not None)
        shown = sum(len(tool.model_dump_json()) for tool in trajectory.tools)
        read += (shown + len(trajectory.query) + (seen + own) * tries) / _CHARS_PER_TOKEN
        written += own * tries / _CHARS_PER_TOKEN
    together = what.kind == "agent" if what.parallel is None else what.parallel >= _TOGETHER
    return read / rates.read + written / (rates.written_together if together else rates.written)


def _references(what: Evaluation) -> Iterator[Trajectory]:
    if what.kind == "static" and is_named(what.data):
        name, _, split = what.data.partition(":")
        yield from load_recorded(name, what.category).solutions(split, what.limit or 1, what.seed)
    elif what.kind == "static":
        yield from islice(store.read(what.data), what.limit)
    else:
        chosen = choose_tasks(what.data, limit=what.limit, seed=what.seed, categories=what.category)
        yield from (task.gold for task in chosen.tasks if task.gold is not None)


def size_of(what: Evaluation) -> int:
    """How many trajectories or tasks an evaluation has.

    Raises:
        UsageError: none.
    """
    n = sum(1 for _ in _references(what)) if what.kind == "static" else len(_chosen(what))
    if n == 0:
        raise UsageError(f"{what.data}: there is nothing to evaluate on")
    return n


def _chosen(what: Evaluation) -> Any:
    return choose_tasks(what.data, limit=what.limit, seed=what.seed, categories=what.category).tasks
