"""What the cells of a grid measured, as one comparison: each arm's evaluations, its training, and why it lacks some."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from alpha_umi.data import store
from alpha_umi.digests import weight_files
from alpha_umi.errors import AlphaUmiError, UsageError, WorkError
from alpha_umi.evaluation.ablation.cells import RESULT, RUN, folder_of, read_record
from alpha_umi.evaluation.ablation.estimate import PLAN
from alpha_umi.evaluation.ablation.experiment import Evaluation, Experiment
from alpha_umi.evaluation.ablation.grid import Grid, recipe_of, source_arm
from alpha_umi.evaluation.agentic.task_selection import choose_tasks, task_digest
from alpha_umi.evaluation.comparison import Comparison, TrainingCost, compare
from alpha_umi.evaluation.results import EvaluationResult, read_evaluation
from alpha_umi.model_card import is_adapter
from alpha_umi.models.local.bases import base_folder
from alpha_umi.roles import Team
from alpha_umi.tasks import is_named, label
from alpha_umi.team_files import load_team


def compare_arms(grid: Grid, out: Path, failed: Mapping[str, str]) -> Comparison:
    """One comparison of all arms that have results.

    Args:
        grid: the experiment's.
        out: where its cells lie.
        failed: why cells have no result, by name.

    Raises:
        WorkError: the baseline, or all others, have none.
    """
    experiment = grid.experiment
    arms: dict[str, dict[str, list[EvaluationResult]]] = {}
    lost: dict[str, str] = {}
    for name in experiment.arms:
        if why := _lost(grid, name, failed):
            lost[name] = why
            continue
        try:
            arms[name] = _results(grid, out, name)
        except AlphaUmiError as error:
            lost[name] = str(error)
    if experiment.baseline in lost:
        raise WorkError(f"the baseline '{experiment.baseline}' has no results: {lost[experiment.baseline]}")
    if len(arms) < 2:
        raise WorkError("no arm but the baseline has results: " + "; ".join(f"{k}: {why}" for k, why in lost.items()))
    training = {name: _training(grid, out, name) for name in arms}
    return compare(
        arms,
        baseline=experiment.baseline,
        training={name: cost for name, cost in training.items() if cost is not None},
        failed=lost,
        metrics=experiment.metrics,
    )


def check_given(experiment: Experiment) -> None:
    """See that the finished evaluations which arms bring are whole and of the experiment's tasks, before hours are
    spent on what they would be compared with.

    Raises:
        DataError: one is not whole.
        UsageError: one is of another kind, of other tasks or data, or judged by another version.
    """
    for name, arm in experiment.arms.items():
        for evaluation, folder in arm.results.items():
            found, what = read_evaluation(folder, scorer=experiment.scorer), experiment.evaluations[evaluation]
            if why := _unlike(found, what):
                raise UsageError(f"arms.{name}.results.{evaluation}: {folder} is {why}")


def _unlike(found: EvaluationResult, what: Evaluation) -> str:
    """What a finished evaluation has of its own; empty where it can stand beside the others."""
    if found.kind != what.kind:
        return f"a {found.kind} evaluation"
    if what.kind == "agent":
        asked = choose_tasks(what.data, limit=what.limit, seed=what.seed, categories=what.category)
        if found.judged_by != label(asked.taskset):
            return f"judged by {found.judged_by}, and {label(asked.taskset)} is here"
        if found.units != {task.id: task_digest(task) for task in asked.tasks}:
            return f"of other tasks than these {len(asked.tasks)} of {what.data}"
    elif not is_named(what.data) and found.origin.data_digest != store.digest(what.data):
        return f"of other data than {what.data}"
    return ""


def _lost(grid: Grid, arm: str, failed: Mapping[str, str]) -> str:
    """Why an arm is not compared: one of its cells, or of those that they need, has no result."""
    cells = [cell for names in grid.runs[arm].values() for name in names for cell in (*grid.cells[name].needs, name)]
    return next((f"{grid.cells[name].title}: {failed[name]}" for name in cells if name in failed), "")


def _results(grid: Grid, out: Path, arm: str) -> dict[str, list[EvaluationResult]]:
    scorer = grid.experiment.scorer
    if given := grid.experiment.arms[arm].results:
        return {evaluation: [read_evaluation(folder, scorer=scorer)] for evaluation, folder in given.items()}
    return {
        evaluation: [read_evaluation(folder_of(out, name) / RESULT, scorer=scorer) for name in names]
        for evaluation, names in grid.runs[arm].items()
    }


def _training(grid: Grid, out: Path, arm: str) -> TrainingCost | None:
    """What an arm's weights took, of the mean seed; None where nobody knows."""
    if source_arm(grid.experiment, arm).results:
        return None
    cells = [folder_of(out, name) for name in grid.trained.get(arm, [])]
    source = source_arm(grid.experiment, arm)
    team = load_team(str(cells[0] / RUN) if cells else source.team or "")
    if not any(role.local for role in team.roles.values()):
        return None  # served: its weights are somebody else's
    records = [record for cell in cells if (record := read_record(cell)) is not None]
    whole = [record.seconds for record in records if not record.resumed]
    seconds = sum(whole) / len(whole) if whole else None
    began_with = team.base
    if cells:
        began_with = recipe_of(grid.experiment, grid.experiment.arms[arm].of or arm, grid.experiment.seeds[0]).base
    weights = _weights(team)
    return TrainingCost(
        trained_parameters=_parameters(_as_trained(folder) for folder in weights - {base_folder(began_with)}),
        all_parameters=_parameters(weights),
        tokens=_tokens(cells[0]) if cells else None,
        seconds=seconds,
    )


def _weights(team: Team) -> set[Path]:
    """The folders that a team's roles on this machine are loaded from."""
    found: set[Path] = set()
    for role in team.roles.values():
        own = None if role.weights is None else Path(role.weights)
        if not role.local:
            continue
        if own is None or is_adapter(own):
            found |= {base_folder(team.base), *([] if team.backbone is None else [Path(team.backbone)])}
        found |= set() if own is None else {own}
    return found


def _as_trained(folder: Path) -> Path:
    """What was trained of a folder's weights: of a backbone that was merged into its base, the adapter beside it."""
    adapter = folder / "adapter"
    return adapter if is_adapter(adapter) else folder


def _parameters(folders: Iterable[Path]) -> int:
    """Numbers in the tensors of some folders, by the headers of their files."""
    return sum(_count(file) for folder in folders for file in weight_files(folder) if file.suffix == ".safetensors")


def _count(file: Path) -> int:
    with file.open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def _tokens(cell: Path) -> int | None:
    """Tokens that training went over, by its plan."""
    try:
        stages: list[dict[str, float]] = json.loads((cell / PLAN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return round(sum(stage["trained"] + stage["context"] for stage in stages))
