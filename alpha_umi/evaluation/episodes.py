"""Online evaluation in the gym: a team works on tasks in isolated worlds, many side by side on one model.

Each episode gets its own world and toolbox; the verifier judges it by what its calls did there. Knows nothing of how
the numbers are summed up (`gym_metrics`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from alpha_umi.agent.runner import Agent
from alpha_umi.agent.state import Budget, Reason, Usage
from alpha_umi.agent.strategies import Strategy
from alpha_umi.data import store
from alpha_umi.digests import ordered_digest, text_digest
from alpha_umi.errors import AlphaUmiError, UsageError
from alpha_umi.evaluation.records import Origin, RecordLog
from alpha_umi.evaluation.task_checks import asks_only, mistake_in
from alpha_umi.gym.registry import owners
from alpha_umi.gym.tasks import SIZES, SPLITS, generate, task_world
from alpha_umi.gym.verify import verify
from alpha_umi.models.base import Model
from alpha_umi.prompts import View
from alpha_umi.roles import Team
from alpha_umi.trajectory import Frozen, Outcome, Trajectory

EPISODES = "episodes.jsonl"


class Episode(Frozen):
    """One task worked on: what was done, and whether it solves the task."""

    id: str
    task: str = ""
    """Digest of the task: an id alone may mean another task tomorrow."""
    kind: str
    why: str
    """Why the task has no solution, or empty."""
    gold_calls: int
    """Calls of the task's own solution: its depth."""
    solvable: bool
    passed: bool
    code: str
    """The kind of verdict (`gym.verify.Code`)."""
    reason: str
    stopped: Reason | None = None
    """Why the run ended without an answer."""
    seconds: float = 0.0
    usage: Mapping[View, Usage] = {}
    trajectory: Trajectory


class EpisodeLog(RecordLog[str, Episode]):
    """Episodes done so far by task, and the file that the next are appended to."""

    def __init__(self, folder: str | Path, origin: Origin) -> None:
        super().__init__(Path(folder) / EPISODES, origin, kind=Episode, key=lambda episode: episode.id)

    def left_of(self, tasks: Sequence[Trajectory]) -> list[Trajectory]:
        """The tasks that are still to be played; an episode of another task with the same id does not count."""
        return [task for task in tasks if task.id not in self.done or self.done[task.id].task != task_digest(task)]


def task_digest(task: Trajectory) -> str:
    """Changes with anything about a task."""
    return ordered_digest([store.content(task)])


def run_episodes(
    tasks: Sequence[Trajectory],
    *,
    team: Team,
    models: Mapping[View, Model],
    budget: Budget,
    search: Strategy | None = None,
    parallel: int,
    on_done: Callable[[Episode], None],
) -> None:
    """Let a team work on every task, `parallel` at a time; `on_done` is told of each as it ends.

    Raises:
        AlphaUmiError: the first that an episode raised; the others are stopped.
    """

    async def work() -> None:
        places = asyncio.Semaphore(parallel)

        async def one(task: Trajectory) -> None:
            async with places:
                on_done(await play(task, team=team, models=models, budget=budget, search=search))

        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(one(task))

    try:
        asyncio.run(work())
    except* AlphaUmiError as errors:
        raise next(_leaves(errors)) from None


def _leaves(group: BaseExceptionGroup[AlphaUmiError]) -> Iterator[AlphaUmiError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def gym_tasks(
    data: str, *, limit: int | None = None, seed: int = 0, only: Collection[str] = ()
) -> tuple[list[Trajectory], str]:
    """The tasks that `gym:SPLIT` names, or those in a folder that `data convert gym` wrote; of the categories `only`.

    Returns:
        The tasks, and a digest of where they come from; fewer or more of the same have the same.

    Raises:
        UsageError: there is no such split or folder, its trajectories are no tasks of this gym, none is of these
            categories, or a folder is given a seed.
    """
    scheme, colon, split = data.partition(":")
    if scheme == "gym" and colon:
        if split not in SPLITS:
            raise UsageError(f"the gym has no split '{split}'; it has {', '.join(SPLITS)}")
        name = SPLITS[SPLITS.index(split)]
        tasks = list(generate(limit or SIZES[name], seed=seed, split=name, only=only))
        return tasks, text_digest([data, seed, sorted(only), task_digest(tasks[0])])
    if seed:
        raise UsageError(f"the tasks of {data} are made already: --seed is for gym:SPLIT")
    checked = _checked(data)
    tasks = list(islice(filter(asks_only(only), checked) if only else checked, limit))
    if not tasks:
        raise UsageError(f"{data}: no task calls tools of {', '.join(sorted(only))} alone")
    if len({task.id for task in tasks}) < len(tasks):
        raise UsageError(f"{data}: several tasks have one id")
    digest = store.digest(data)
    return tasks, text_digest([digest, sorted(only)]) if only else digest


def _checked(data: str) -> Iterator[Trajectory]:
    """The tasks of a folder, each as far as it is asked for."""
    for task in store.read(data):
        if wrong := mistake_in(task):
            raise UsageError(f"{data}: '{task.id}' is no task of the gym: {wrong} (use gym:SPLIT)")
        if unknown := sorted(task.tool_names - owners().keys()):
            raise UsageError(
                f"{data}: the gym has no tool {unknown[0]!r}; name your own with --category MODULE:ATTRIBUTE"
            )
        yield task


async def play(
    task: Trajectory, *, team: Team, models: Mapping[View, Model], budget: Budget, search: Strategy | None = None
) -> Episode:
    """Let a team work on one task in a fresh world, and judge what it did.

    What a search did on paths that it left stays done, as in the real world: going back undoes no call.
    """
    toolbox, world = task_world(task)
    agent = Agent(team, models=models, toolbox=toolbox, budget=budget, search=search)
    result = await agent.arun(task.query)
    verdict = verify(task, result.trajectory, world=world)
    return Episode(
        id=task.id,
        task=task_digest(task),
        kind=task.meta["kind"],
        why=task.meta["why"],
        gold_calls=task.meta["calls"],
        solvable=task.outcome is Outcome.ANSWERED,
        passed=verdict.passed,
        code=verdict.code,
        reason=verdict.reason,
        stopped=result.reason,
        seconds=result.seconds,
        usage=result.usage,
        trajectory=result.trajectory.model_copy(update={"id": task.id, "meta": task.meta}),
    )
