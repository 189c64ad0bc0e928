"""An experiment as a grid of cells: what is trained, made and evaluated once, under the digest of all that decides it.

A cell's folder is named by that digest, so a killed grid continues, another experiment in the same place reuses what is
finished, and a changed arm is made anew. Knows what cells are, not how they are worked on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from alpha_umi.agent.search.strategies import named_search
from alpha_umi.data import store
from alpha_umi.digests import text_digest
from alpha_umi.errors import UsageError
from alpha_umi.evaluation.ablation.code_digest import AGENT, STATIC, TRAINING, code_digest
from alpha_umi.evaluation.ablation.exchange import check_exchange
from alpha_umi.evaluation.ablation.experiment import Arm, Evaluation, Experiment, overrides
from alpha_umi.evaluation.records import team_digest
from alpha_umi.models.local.bases import base_digest
from alpha_umi.tasks import WordedTaskset, is_named, label, load_taskset
from alpha_umi.team_files import load_team
from alpha_umi.training.recipe import Recipe, load_recipe
from alpha_umi.training.run_folder import prompts_digest, recipe_digest

Kind = Literal["data", "train", "static", "agent"]


@dataclass(frozen=True)
class Cell:
    """One piece of work, and where its result lies."""

    kind: Kind
    settings: str
    """Digest of everything but code that decides the result, the cells that it needs included."""
    code: str
    """Digest of the code that it runs through."""
    arm: str
    """The first arm that needs it."""
    seed: int | None = None
    evaluation: str = ""
    needs: tuple[str, ...] = ()
    """Names of the cells that must be finished before."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        settings, code = (digest.rpartition(":")[2] for digest in (self.settings, self.code))
        return f"{self.kind}-{settings}" + (f"-{code[:6]}" if code else "")

    @property
    def title(self) -> str:
        """What people call it."""
        seed = "" if self.seed is None else f" seed {self.seed}"
        return {"data": self.evaluation, "train": f"{self.arm}{seed}"}.get(
            self.kind, f"{self.arm}{seed}, {self.evaluation}"
        )


@dataclass
class Grid:
    """The cells of an experiment in an order in which they can be made, and what each run of an arm needs."""

    experiment: Experiment
    made: Mapping[str, str] = field(default_factory=dict)
    """Names of cells that were finished with other code and count all the same, by name without code."""
    cells: dict[str, Cell] = field(default_factory=dict)
    runs: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Arm -> evaluation -> names of its cells, one a seed."""
    trained: dict[str, list[str]] = field(default_factory=dict)
    """Arm -> names of the cells that train it."""

    def add(self, cell: Cell) -> Cell:
        """Take in a cell, or find the same one that another arm needs too."""
        if (code := self.made.get(f"{cell.kind}-{cell.settings.rpartition(':')[2]}")) is not None:
            cell = replace(cell, code=code)
        return self.cells.setdefault(cell.name, cell)


def plan_grid(experiment: Experiment, *, made: Mapping[str, str] = MappingProxyType({})) -> Grid:
    """Work out every cell of an experiment; nothing is trained or loaded.

    Args:
        experiment: which.
        made: as of `Grid`.

    Raises:
        UsageError: a recipe, team, data set or task set that there is not.
        ConfigError: the mistakes of a recipe.
    """
    grid = Grid(experiment, made)
    for name, arm in experiment.arms.items():
        grid.runs[name] = {evaluation: [] for evaluation in experiment.evaluations_of(name)} if not arm.results else {}
        if arm.results:
            continue
        _check(experiment, name)
        for seed, identity, needs in _teams(grid, name):
            for evaluation in experiment.evaluations_of(name):
                cell = grid.add(_evaluated(grid, name, evaluation, seed=seed, identity=identity, needs=needs))
                grid.runs[name][evaluation].append(cell.name)
    return grid


def _check(experiment: Experiment, name: str) -> None:
    """Refuse what an arm's last cell would, hours later."""
    arm, source = experiment.arms[name], source_arm(experiment, name)
    try:
        named_search(arm.search)
        if source.team is not None:
            team = load_team(source.team)
        else:
            team = recipe_of(experiment, arm.of or name, experiment.seeds[0]).filled
        check_exchange(team, arm.roles)
    except UsageError as error:
        raise UsageError(f"arms.{name}: {error}") from error


def _teams(grid: Grid, name: str) -> Iterator[tuple[int | None, list[Any], tuple[str, ...]]]:
    """An arm's teams, one a seed: the seed, what the team is, and the cells that it comes from."""
    arm = source_arm(grid.experiment, name)
    changed = [dict(grid.experiment.arms[name].roles)]
    if arm.team is not None:
        yield None, [team_digest(load_team(arm.team)), *changed], ()
        return
    first = grid.experiment.arms[name].of or name
    for seed in grid.experiment.seeds:
        cell = grid.add(_training(grid.experiment, first, seed))
        if cell.name not in grid.trained.setdefault(name, []):
            grid.trained[name].append(cell.name)
        yield seed, [cell.name, *changed], (cell.name,)


def source_arm(experiment: Experiment, name: str) -> Arm:
    """The arm that an arm's weights come from: itself, or the one that it is of."""
    arm = experiment.arms[name]
    return arm if arm.of is None else experiment.arms[arm.of]


def recipe_of(experiment: Experiment, arm: str, seed: int) -> Recipe:
    """The recipe that trains an arm with a seed."""
    recipe = experiment.arms[arm].recipe
    assert recipe is not None, "only an arm with a recipe is trained"
    loaded = load_recipe(recipe, overrides=overrides(experiment, arm, seed))
    if loaded.data is None:
        raise UsageError(f"the recipe '{loaded.name}' names no data: give the experiment or the arm `data`")
    return loaded.model_copy(update={"name": arm})


def _training(experiment: Experiment, arm: str, seed: int) -> Cell:
    recipe = recipe_of(experiment, arm, seed)
    assert recipe.data is not None
    parts = [recipe_digest(recipe), prompts_digest(recipe), base_digest(recipe.base), _data(recipe.data)]
    if recipe.warm_start is not None:
        parts.append(team_digest(load_team(recipe.warm_start)))
    return Cell("train", text_digest(parts), code_digest(TRAINING), arm, seed)


@lru_cache
def _data(name: str) -> Any:
    """What a data set is: its content, or what it is made by."""
    if is_named(name):
        return [name, *_taskset(name.partition(":")[0])]
    return store.digest(name)


@lru_cache
def _taskset(name: str) -> tuple[str, ...]:
    found = load_taskset(name)
    if found is None:
        return ()
    words = found[0].words_digest() if isinstance(found[0], WordedTaskset) else ""
    return (label(found[0]), words)


def _evaluated(
    grid: Grid, name: str, evaluation: str, *, seed: int | None, identity: list[Any], needs: tuple[str, ...]
) -> Cell:
    arm, what = grid.experiment.arms[name], grid.experiment.evaluations[evaluation]
    if what.kind == "static":
        routing = grid.experiment.scorer  # who is asked next may be the scorer's to say
        parts = [what.limit, routing]
        if made := _static_data(evaluation, what):
            needs = (*needs, grid.add(made).name)
    else:
        parts = [what.limit, what.seed, what.category, what.max_steps, arm.search]
    return Cell(
        what.kind,
        text_digest([identity, arm.free, _tasks(what.data), *parts]),
        code_digest(STATIC if what.kind == "static" else AGENT),
        name,
        seed,
        evaluation,
        needs,
    )


def _static_data(evaluation: str, what: Evaluation) -> Cell | None:
    """The cell that makes the trajectories of a static evaluation, where they are a task set's solutions."""
    if not is_named(what.data):
        return None
    parts = [what.data, *_taskset(what.data.partition(":")[0]), what.limit, what.seed, what.category]
    return Cell("data", text_digest(parts), "", "", evaluation=evaluation)


def _tasks(data: str) -> Any:
    """Where trajectories or tasks come from: a task set in a version, which stands for its code, or a folder."""
    named = None if Path(data).exists() else load_taskset(data)
    return store.digest(data) if named is None else [data, *_taskset(data)]
