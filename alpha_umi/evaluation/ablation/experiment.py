"""An experiment: the arms of an ablation, the seeds that they are trained with, and how all of them are evaluated.

Read from `experiments/*.yaml` or a file of the user's; every mistake is reported at once. An arm says how its team
comes about: a recipe trains it, it is there already, or it is another arm's with roles exchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from alpha_umi import resources
from alpha_umi.config import parse_config, read_yaml
from alpha_umi.errors import UsageError
from alpha_umi.team_files import find_team
from alpha_umi.training.overrides import merge_mappings
from alpha_umi.trajectory import Frozen

FOLDER = "experiments"
_FILE = re.compile(r"\w[\w.-]*\Z")
BACKBONE = "backbone"
"""In an arm's `roles`: the backbone, or the base, speaks in a role's place."""


class Evaluation(Frozen):
    """One measurement that every arm goes through."""

    kind: Literal["static", "agent"]
    data: str
    """Of `static` a folder of `data convert`, or TASKSET:SPLIT, whose solutions are made; of `agent` as of
    `evaluate agent`."""
    limit: int | None = Field(default=None, ge=1)
    """Only the first so many trajectories or tasks."""
    seed: int = 0
    """Of the tasks that TASKSET:SPLIT makes."""
    category: str | None = None
    max_steps: int = Field(default=12, ge=1)
    parallel: int | None = Field(default=None, ge=1)
    """Episodes or trajectories side by side; by default as many as `evaluate` takes."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.kind == "static" and ":" in self.data and not Path(self.data).exists() and self.limit is None:
            raise ValueError("limit: say how many trajectories of a task set are made")
        return self


class Arm(Frozen):
    """One row of the table."""

    description: str = ""
    recipe: str | None = None
    """Trains the team, once a seed."""
    team: str | None = None
    """A team that is there: shipped, a YAML file, or a run folder; a served one too."""
    of: str | None = None
    """The arm whose team it is, changed by `roles`, `free` or `search` and trained no further."""
    results: Mapping[str, str] = Field(default_factory=dict)
    """Finished evaluations in place of a team, by evaluation: folders of `evaluate`, made elsewhere."""
    set: Mapping[str, Any] = Field(default_factory=dict)
    """Changes to the recipe, as of `train --set`."""
    data: str | None = None
    """What it trains on, in place of the experiment's."""
    roles: Mapping[str, str] = Field(default_factory=dict)
    """Role -> whose weights it speaks with: another role's, or `backbone`."""
    free: bool = False
    """Whether planner and caller write without a grammar."""
    search: str = "chain"
    """Of its agent evaluations."""
    evaluations: tuple[str, ...] | None = None
    """Only these; by default all of the experiment."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        sources = [name for name in ("recipe", "team", "of", "results") if getattr(self, name)]
        if len(sources) != 1:
            raise ValueError(f"an arm has one of recipe, team, of and results (found {', '.join(sources) or 'none'})")
        if self.recipe is None and (self.set or self.data is not None):
            raise ValueError("set and data change a recipe, and the arm names none")
        if self.results and (self.roles or self.free or self.search != "chain"):
            raise ValueError("what was evaluated elsewhere cannot be changed: roles, free and search are for teams")
        return self


class Experiment(Frozen):
    """Arms side by side."""

    name: str
    description: str = ""
    baseline: str
    """The arm that the others are compared with; the table's first row."""
    seeds: tuple[int, ...] = ()
    """Every arm with a recipe is trained once with each."""
    data: str | None = None
    """What arms train on; by default what their recipes name."""
    set: Mapping[str, Any] = Field(default_factory=dict)
    """Changes to every arm's recipe; an arm's own come after."""
    evaluations: Mapping[str, Evaluation] = Field(min_length=1)
    scorer: str = "strict"
    """Of static evaluations."""
    metrics: tuple[str, ...] = ()
    """The table's columns; by default all that were measured."""
    arms: Mapping[str, Arm] = Field(min_length=2)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        found = [*self._wrong_seeds(), *self._wrong_names()]
        if found:
            raise ValueError("; ".join(found))
        return self

    def _wrong_seeds(self) -> list[str]:
        found = []
        trained = [name for name, arm in self.arms.items() if arm.recipe is not None]
        if trained and not self.seeds:
            found.append(f"seeds: {', '.join(trained)} are trained: name at least one seed")
        if len(set(self.seeds)) < len(self.seeds):
            found.append(f"seeds: {', '.join(map(str, self.seeds))} names one twice")
        return found

    def _wrong_names(self) -> list[str]:
        # They name files and folders.
        found = [
            f"'{name}' names files: use letters, digits, . _ -" for name in self._of_files() if not _FILE.match(name)
        ]
        if self.baseline not in self.arms:
            found.append(f"baseline: '{self.baseline}' is no arm ({', '.join(self.arms)})")
        for name, arm in self.arms.items():
            if arm.of is not None and (arm.of not in self.arms or self.arms[arm.of].of or self.arms[arm.of].results):
                found.append(f"arms.{name}.of: '{arm.of}' is no arm with a recipe or a team")
            for evaluation in (*(arm.evaluations or ()), *arm.results):
                if evaluation not in self.evaluations:
                    found.append(f"arms.{name}: '{evaluation}' is no evaluation ({', '.join(self.evaluations)})")
        return found

    def _of_files(self) -> tuple[str, ...]:
        return (self.name, *self.evaluations)

    def evaluations_of(self, arm: str) -> Mapping[str, Evaluation]:
        """What an arm goes through, by name."""
        wanted = self.arms[arm].evaluations
        return self.evaluations if wanted is None else {name: self.evaluations[name] for name in wanted}


def load_experiment(name: str, *, budget: str | None = None) -> Experiment:
    """Read an experiment by shipped name or path.

    Args:
        name: which.
        budget: one of those in its file, whose values are merged over the others (`tiny`).

    Raises:
        UsageError: no such experiment or budget.
        ConfigError: every mistake of the file.
    """
    path = resources.find(FOLDER, name)
    raw = {"name": path.stem, **read_yaml(path, loader=_Loader)}
    budgets = raw.pop("budgets", None) or {}
    if budget is not None:
        if not isinstance(budgets, dict) or budget not in budgets:
            raise UsageError(f"{path} has no budget '{budget}' ({', '.join(budgets) or 'it names none'})")
        raw = merge_mappings(raw, budgets[budget] or {})
    return parse_config(Experiment, _in_full(raw, path), path)


def _in_full(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    """The paths that a file names, made absolute; an arm that a budget removed is gone."""
    raw = {**raw}
    if isinstance(raw.get("data"), str):
        raw["data"] = resources.in_full(raw["data"], beside=path)
    for key in ("evaluations", "arms"):
        if isinstance(raw.get(key), dict):
            raw[key] = {name: _paths(value, path) for name, value in raw[key].items() if value is not None}
    return raw


def _paths(value: Any, path: Path) -> Any:
    if not isinstance(value, dict):
        return value
    value = {**value}
    if isinstance(value.get("data"), str):
        value["data"] = resources.in_full(value["data"], beside=path)
    if isinstance(recipe := value.get("recipe"), str) and Path(recipe).suffix:  # a bare name is shipped
        value["recipe"] = resources.in_full(recipe, beside=path)
    if isinstance(value.get("team"), str):
        value["team"] = find_team(value["team"], beside=path)
    if isinstance(value.get("results"), dict):
        value["results"] = {key: resources.in_full(str(found), beside=path) for key, found in value["results"].items()}
    return value


class _Loader(yaml.SafeLoader):
    """YAML in which a key that stands twice is a mistake: of two arms of one name the first would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping, each key once."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key}' stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def overrides(experiment: Experiment, arm: str, seed: int) -> list[str]:
    """What a seed of an arm changes in its recipe, as `train --set` takes it."""
    data = experiment.arms[arm].data or experiment.data
    changes = {**experiment.set, **experiment.arms[arm].set, "seed": seed, **({} if data is None else {"data": data})}
    return [f"{key}={json.dumps(value)}" for key, value in changes.items()]
