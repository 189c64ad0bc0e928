"""Online evaluation by rollouts: a team works on the tasks of a task set in isolated worlds, many side by side.

Each episode gets its own toolbox; the task set judges what was done. Knows nothing of where tasks come from
(`task_selection`) or of how the numbers are summed up (`metrics`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alpha_umi.agent.approval import ApprovalRequest
from alpha_umi.agent.runner import Agent
from alpha_umi.agent.search.strategies import Strategy
from alpha_umi.agent.state import Budget, StopReason, Usage
from alpha_umi.errors import AlphaUmiError, WorkError
from alpha_umi.evaluation.agentic.task_selection import task_digest
from alpha_umi.evaluation.records import Origin, RecordLog
from alpha_umi.models.protocol import Model
from alpha_umi.roles import Team
from alpha_umi.tasks import AnsweringTaskset, StatefulTaskset, Task, Taskset, Verdict, label
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.tools.validation import one_line
from alpha_umi.trajectory import Frozen, Trajectory

EPISODES = "episodes.jsonl"
_UNKNOWN = "I do not know."
"""What a user says who is asked for what the task set does not tell."""
NOT_SCORED = "not_scored"
"""The code of an episode that its task set could not judge: run, on record, and judged when it is given again."""


class Episode(Frozen):
    """One task worked on: what was done, and whether it solves the task."""

    id: str
    task: str = ""
    """Digest of the task: an id alone may mean another task tomorrow."""
    kind: str
    split: str = ""
    difficulty: str = ""
    why: str
    """Why the task has no solution, or empty."""
    gold_calls: int | None
    """Calls of the task's own solution: its depth; None when it has none on record."""
    solvable: bool
    passed: bool
    basic: bool | None = None
    """Whether the basic checks hold, where the task set tells."""
    code: str
    """The kind of verdict, as the task set has it; or `NOT_SCORED`."""
    reason: str
    details: Mapping[str, Any] = {}
    """What else the task set put on record."""
    stopped: StopReason | None = None
    """Why the run ended without an answer."""
    seconds: float = 0.0
    usage: Mapping[str, Usage] = {}
    trajectory: Trajectory

    @property
    def scored(self) -> bool:
        """Whether there is a verdict."""
        return self.code != NOT_SCORED

    def judged(self, verdict: Verdict) -> Episode:
        """The same episode with this verdict."""
        return self.model_copy(update=dict(verdict))


class EpisodeLog(RecordLog[str, Episode]):
    """Episodes done so far by task, and the file that the next are appended to."""

    def __init__(self, folder: str | Path, origin: Origin) -> None:
        super().__init__(Path(folder) / EPISODES, origin, kind=Episode, key=lambda episode: episode.id)

    def remaining(self, tasks: Sequence[Task]) -> list[Task]:
        """The tasks that are still to be run; an episode of another task with the same id does not count."""
        return [task for task in tasks if task.id not in self.done or self.done[task.id].task != task_digest(task)]

    def rescore(self, tasks: Sequence[Task], taskset: Taskset[Any]) -> None:
        """Judge again what was run and could not be judged: the task set may have been mended."""
        left = {task.id for task in self.remaining(tasks)}
        for task in tasks:
            if task.id not in left and not self.done[task.id].scored:
                before = self.done[task.id]
                if (now := before.judged(scored(taskset, task, before.trajectory))) != before:
                    self.append([now])


def run_episodes(
    tasks: Sequence[Task],
    taskset: Taskset[Any],
    *,
    team: Team,
    models: Mapping[str, Model],
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

        async def one(task: Task) -> None:
            async with places:
                on_done(await run_episode(task, taskset, team=team, models=models, budget=budget, search=search))

        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(one(task))

    try:
        asyncio.run(work())
    except BaseExceptionGroup as errors:  # `except*` would wrap what is raised here in a group of its own
        known, others = errors.split(AlphaUmiError)
        if others is not None or known is None:
            raise
        raise next(_leaves(known)) from None


def _leaves(group: BaseExceptionGroup[AlphaUmiError]) -> Iterator[AlphaUmiError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def run_episode(
    task: Task,
    taskset: Taskset[Any],
    *,
    team: Team,
    models: Mapping[str, Model],
    budget: Budget,
    search: Strategy | None = None,
) -> Episode:
    """Let a team work on one task in a fresh world, and judge what it did.

    What a search did on paths that it left stays done, as in the real world: going back undoes no call.

    Raises:
        WorkError: the task set could not give the tools of the task.
    """
    # In threads: another's code may wait for a server, and the other episodes must not.
    toolbox = await asyncio.to_thread(_toolbox, taskset, task)
    agent = Agent(team, models=models, toolbox=toolbox, budget=budget, search=search)

    def on_ask(ask: ApprovalRequest) -> str:
        known = taskset.answer(task, str(ask.value)) if isinstance(taskset, AnsweringTaskset) else None
        return known or _UNKNOWN

    result = await agent.arun(task.query, on_ask=on_ask if team.asks_user else None)
    verdict = await asyncio.to_thread(scored, taskset, task, result.trajectory, toolbox)
    return Episode(
        id=task.id,
        task=task_digest(task),
        kind=task.kind,
        split=task.split,
        difficulty=task.difficulty,
        why=task.why,
        gold_calls=task.calls,
        solvable=task.solvable,
        **dict(verdict),
        stopped=result.reason,
        seconds=result.seconds,
        usage=result.usage,
        trajectory=result.trajectory.model_copy(update={"id": task.id, "meta": task.notes()}),
    )


def scored(taskset: Taskset[Any], task: Task, trajectory: Trajectory, toolbox: Toolbox | None = None) -> Verdict:
    """A task set's verdict; one of the code `NOT_SCORED` where it raises or gives none.

    `toolbox` is the one that was worked with.
    """
    try:
        if toolbox is not None and isinstance(taskset, StatefulTaskset):
            verdict = taskset.score_state(task, trajectory, toolbox)
        else:
            verdict = taskset.score(task, trajectory)
    except Exception as error:  # whatever another's code does
        return _not_scored(f"{type(error).__name__}: {error}")
    if not isinstance(verdict, Verdict):
        return _not_scored(f"score gave {type(verdict).__name__}, not Verdict")
    return verdict


def _not_scored(reason: str) -> Verdict:
    return Verdict(passed=False, code=NOT_SCORED, reason=one_line(reason, limit=300))


def _toolbox(taskset: Taskset[Any], task: Task) -> Toolbox:
    try:
        return taskset.toolbox(task)
    except AlphaUmiError:
        raise
    except Exception as error:  # whatever another's code does
        what = one_line(f"{type(error).__name__}: {error}", limit=300)
        raise WorkError(f"{label(taskset)}: the tools of task '{task.id}' cannot be had: {what}") from error
