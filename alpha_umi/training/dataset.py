"""The rows that a recipe's stage trains on: chosen from the data, made once on disk, memory-mapped by all ranks."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpha_umi.data import store
from alpha_umi.digests import SCHEME, text_digest
from alpha_umi.errors import AlphaUmiError, DataError, UsageError
from alpha_umi.resources import user_path
from alpha_umi.training.distributed import need_extra
from alpha_umi.training.recipe import Recipe
from alpha_umi.training.stage import BASE
from alpha_umi.trajectory import Trajectory

if TYPE_CHECKING:
    from datasets import Dataset

    from alpha_umi.text.encoders import Encoder

_MADE = re.compile(r"(?P<taskset>[^:@]+(?:@[^:]*)?):(?P<wanted>.*)")


@dataclass(frozen=True)
class StageRows:
    """A stage's rows and where they came from."""

    dataset: Dataset
    """A training sequence each: `input_ids`, `labels`, `targets`, `length`; of roles over a shared context `branches`
    in place of `labels` (`data.packed_targets.columns`)."""
    trajectories: int
    too_long: Mapping[str, int]
    """Targets of each role left out because they do not fit the context even with short observations."""

    order: Sequence[str] = ()
    """The team's roles, as `branches` numbers them."""

    def branches_of(self, role: str) -> list[list[tuple[int, int, int, int]]]:
        """The (role, tag, words, end) of each branch of a role, by row; of roles over a shared context only."""
        from alpha_umi.data.packed_targets import stored

        wanted = self.order.index(role)
        rows = ([branch for branch in stored(flat) if branch[0] == wanted] for flat in self.dataset["branches"])
        return [row for row in rows if row]


def prepare_data(recipe: Recipe, run: Path) -> Path:
    """The folder of trajectories to train on; TASKSET:N... (`Recipe.data`) is made into the run folder first.

    Raises:
        UsageError: the recipe names no data, or a version of a task set that there is not.
        DataError: there is nothing there.
    """
    need_extra()
    if recipe.data is None:
        raise UsageError(
            f"the recipe '{recipe.name}' names no data: give --data DIR (made by `alpha-umi data convert`)"
        )
    from alpha_umi.tasks import is_named

    match = _MADE.fullmatch(recipe.data)
    if match is None or not is_named(recipe.data):
        return user_path(recipe.data)
    number, only, kinds = [*match["wanted"].split(":", 2), "", ""][:3]
    if not number.isdigit() or int(number) == 0:
        name = match["taskset"]
        raise UsageError(f"data: '{recipe.data}' should be {name}:N with the number of trajectories, e.g. {name}:96")
    from filelock import FileLock

    from alpha_umi.data.filters import Report
    from alpha_umi.tasks import label, load_recorded

    taskset = load_recorded(match["taskset"], only or None)
    split = next(iter(taskset.sizes()))
    made = taskset.solutions(split, int(number), recipe.seed, kinds=_names(kinds))
    folder = run / "data" / "-".join([taskset.name, number, *_names(only), *_names(kinds), "seed", str(recipe.seed)])
    run.mkdir(parents=True, exist_ok=True)
    with FileLock(run / "data.lock"):
        if not (folder / store.TRAJECTORIES).is_file():
            store.write(folder, made, Report(taskset=label(taskset)))
    return folder


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def select(recipe: Recipe, stage: str, data: Path) -> Iterator[Trajectory]:
    """The trajectories a stage trains on: all, or, with `reuse: false`, one half for the stages that
    start from the base and the other half for those that continue from them."""
    found: Iterator[Trajectory] = islice(store.read(data), recipe.limit)
    if not recipe.reuse and any(s.start != BASE for s in recipe.stages.values()):
        first = recipe.stages[stage].start == BASE
        # By the query, so that a query with several trajectories stays on one side.
        found = (
            t for t in found if (int(text_digest([recipe.seed, t.query]).removeprefix(SCHEME), 16) % 2 == 0) == first
        )
    return islice(found, recipe.stages[stage].max_rows)


def stage_rows(recipe: Recipe, stages: Sequence[str], data: Path, folder: Path, encoder: Encoder) -> StageRows:
    """The rows of a stage, or of roles that train together, memory-mapped; made by one process, read by all."""
    from datasets import Dataset, disable_progress_bars
    from datasets.exceptions import DatasetGenerationError
    from filelock import FileLock

    disable_progress_bars()
    name = "+".join(stages)
    counts = Counter[str]()
    folder.mkdir(parents=True, exist_ok=True)
    done, scratch = folder / f"{name}.json", folder / f"{name}.part"
    with FileLock(folder / f"{name}.lock"):
        if not done.is_file():
            shutil.rmtree(scratch, ignore_errors=True)
            roles = ", ".join(role for stage in stages for role in recipe.roles_of(stage))
            rows = _generate(recipe, stages, data, encoder, counts)
            made = _some(rows, f"{data}: no targets for stage '{name}' ({roles})")
            # A cache of its own: the library's is shared by all runs and would hand out another run's rows.
            try:
                dataset = Dataset.from_generator(lambda: made, cache_dir=str(scratch), fingerprint=name)
            except DatasetGenerationError as error:
                raise (error.__cause__ if isinstance(error.__cause__, AlphaUmiError) else error) from None
            dataset.save_to_disk(str(folder / name))
            shutil.rmtree(scratch)
            done.write_text(json.dumps(counts), encoding="utf-8")
    found = json.loads(done.read_text(encoding="utf-8"))
    trajectories = found.pop("trajectories")
    whole = StageRows(Dataset.load_from_disk(str(folder / name)), trajectories, found, list(recipe.filled.roles))
    for stage in stages if recipe.shares(stages[0]) else ():
        if not whole.branches_of(recipe.roles_of(stage)[0]):
            raise DataError(f"{data}: no targets for stage '{stage}' ({', '.join(recipe.roles_of(stage))})")
    return whole


def _generate(
    recipe: Recipe, stages: Sequence[str], data: Path, encoder: Encoder, counts: Counter[str]
) -> Iterator[dict[str, Any]]:
    """Rows as they are stored; counts trajectories and targets left out on the way."""
    from alpha_umi.data import packed_targets
    from alpha_umi.data.tokens import RowSettings, count_targets, rows

    team = recipe.filled
    shares = [select(recipe, stage, data) for stage in stages]
    for at_once in zip_longest(*shares):  # a role with fewer rows has its first ones among the others'
        trajectory = next(t for t in at_once if t is not None)
        roles = tuple(
            role for stage, t in zip(stages, at_once, strict=True) if t is not None for role in recipe.roles_of(stage)
        )
        settings = RowSettings(
            learns=roles,
            layout=recipe.layout,
            roles=team.roles,
            context=recipe.context,
            reserve={role: recipe.role(role).generation.max_new_tokens for role in roles},
            observation_chars=recipe.observation_chars,
        )
        counts["trajectories"] += 1
        counts.update(count_targets(trajectory, settings))
        for row in rows(trajectory, settings, encoder):
            counts.subtract(role for role, _ in row.branches)
            if recipe.shares(stages[0]):
                yield packed_targets.columns(row, list(team.roles))
            else:
                yield {
                    "input_ids": row.input_ids,
                    "labels": row.labels,
                    "targets": row.targets,
                    "length": len(row.input_ids),
                }


def _some(rows: Iterator[dict[str, Any]], complaint: str) -> Iterator[dict[str, Any]]:
    """The same rows, or a DataError when there are none."""
    first = next(rows, None)
    if first is None:
        raise DataError(complaint)

    def chain() -> Iterator[dict[str, Any]]:
        yield first
        yield from rows

    return chain()
