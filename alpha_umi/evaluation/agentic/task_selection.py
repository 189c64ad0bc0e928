"""Which tasks `evaluate agent --data` means: a split of any task set, or a folder that keeps tasks of one.

What cannot be evaluated is refused here, before anything runs. Knows nothing of teams or of how tasks are run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from alpha_umi.data import store
from alpha_umi.digests import ordered_digest, text_digest
from alpha_umi.errors import AlphaUmiError, UsageError
from alpha_umi.resources import user_path
from alpha_umi.tasks import (
    DividedTaskset,
    RecordedTaskset,
    Task,
    Taskset,
    divided,
    is_named,
    label,
    load_taskset,
)
from alpha_umi.tools.validation import one_line

KEPT = "gym"
"""The task set whose tasks a data set keeps that names none."""
_NAMES_LISTED = 5


@dataclass(frozen=True)
class ChosenTasks:
    """Tasks to be worked on, and where they come from."""

    taskset: Taskset[Any]
    tasks: Sequence[Task]
    data: str
    """The split with the task set's version (`gym@1:unseen_tools`), or the folder."""
    digest: str
    """Of where they come from: fewer or more of the same have the same."""
    seed: int | None
    """None where the tasks were made already."""


def choose_tasks(data: str, *, limit: int | None = None, seed: int = 0, categories: str | None = None) -> ChosenTasks:
    """The tasks that a text names: TASKSET:SPLIT, MODULE:ATTRIBUTE:SPLIT, or a folder of `data convert gym`.

    Args:
        data: as `evaluate agent` takes it; a name or MODULE:ATTRIBUTE may end with a version (`gym@1`).
        limit: only the first so many.
        seed: of tasks that are made.
        categories: only tasks of these, a comma list, where the task set has such.

    Raises:
        UsageError: there is no such task set, version, split or folder, or its tasks cannot be evaluated: they raise,
            share an id, or have no tools; or a folder is given a seed.
        DataError: the folder cannot be read.
    """
    named = None if _is_path(data) else load_taskset(data)
    if named is None:
        return _of_folder(data, limit, seed, categories)
    taskset, split = divided(named[0], categories), named[1]
    what = f"{label(taskset)}:{split}"
    tasks = list(_made(taskset, split, limit, seed, what))
    _check(tasks, what)
    digest = text_digest([what, seed, categories_of(taskset), task_digest(tasks[0])])
    return ChosenTasks(taskset, tasks, what, digest, seed)


def categories_of(taskset: Taskset[Any]) -> list[str]:
    """Those that were asked for, sorted; none means all."""
    return sorted(taskset.categories) if isinstance(taskset, DividedTaskset) else []


def _is_path(data: str) -> bool:
    """What exists is a path, unless it begins as the splits of a known task set do."""
    return not (":" in data and is_named(data)) and user_path(data).exists()


def task_digest(task: Task) -> str:
    """Changes with anything about a task.

    Raises:
        UsageError: it holds what is no plain data.
    """
    try:
        return ordered_digest([task.model_dump(mode="json", exclude_defaults=True)])
    except ValueError as error:  # pydantic cannot write it
        raise UsageError(f"task '{task.id}' is no plain data: {one_line(str(error), limit=200)}") from error


def _made(taskset: Taskset[Any], split: str, limit: int | None, seed: int, what: str) -> Iterator[Task]:
    """The tasks of a split as its task set gives them."""
    try:
        for task in islice(taskset.tasks(split, limit, seed), limit):
            if not isinstance(task, Task):
                raise UsageError(f"{what}: its tasks should be Task, not {type(task).__name__}")
            yield task
    except AlphaUmiError:
        raise
    except Exception as error:  # whatever another's code does
        said = one_line(f"{type(error).__name__}: {error}", limit=300)
        raise UsageError(f"{what}: its tasks cannot be made: {said}") from error


def _of_folder(data: str, limit: int | None, seed: int, categories: str | None) -> ChosenTasks:
    taskset = divided(_keeper(data), categories)
    if seed:
        raise UsageError(f"the tasks of {data} are made already: --seed is for {taskset.name}:SPLIT")
    kept = _kept(data, taskset)
    tasks = list(islice(taskset.filtered(kept) if isinstance(taskset, DividedTaskset) else kept, limit))
    digest, chosen = store.digest(data), categories_of(taskset)
    if not tasks:
        raise UsageError(f"{data}: no task calls tools of {', '.join(chosen)} alone")
    _check(tasks, data)
    return ChosenTasks(taskset, tasks, data, text_digest([digest, chosen]) if chosen else digest, None)


def _keeper(data: str) -> Taskset[Any]:
    """The task set, in the version, whose tasks a folder keeps: its report names it."""
    named = store.taskset_of(data) or KEPT
    if not is_named(named):
        raise UsageError(f"{data} keeps tasks of {named}: no task set of this name is installed")
    try:
        found = load_taskset(named)
    except UsageError as error:
        raise UsageError(f"{data} keeps tasks of {named}: {error}") from None
    assert found is not None
    return found[0]


def _kept(data: str, taskset: Taskset[Any]) -> Iterator[Task]:
    """The tasks of a folder, each as far as it is asked for."""
    if not isinstance(taskset, RecordedTaskset):
        raise UsageError(f"{data}: {label(taskset)} keeps no tasks in data sets")
    for trajectory in store.read(data):
        try:
            yield taskset.task_of(trajectory)
        except UsageError as error:
            raise UsageError(f"{data}: {error}") from None


def _check(tasks: Sequence[Task], what: str) -> None:
    if not tasks:
        raise UsageError(f"{what}: there are no tasks")
    if shared := [name for name, times in Counter(task.id for task in tasks).items() if times > 1]:
        raise UsageError(f"{what}: several tasks have one id: {_listed(shared)}")
    if bare := [task.id for task in tasks if not task.tools]:
        raise UsageError(f"{what}: a task needs tools, and these have none: {_listed(bare)}")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_LISTED
    return ", ".join(repr(name) for name in names[:_NAMES_LISTED]) + (f" and {more} more" if more > 0 else "")
