"""The seam to every benchmark: a Task, the Taskset that it belongs to, and the Verdict on what was done with it.

A task set is named as NAME, or as MODULE:ATTRIBUTE of one's own code; a version belongs to the name (`gym@1`), and the
bare name means the newest. Knows no task set: they are found by entry point (`plugins`) and imported when asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, runtime_checkable

from pydantic import Field, model_validator

from alpha_umi.errors import UsageError
from alpha_umi.plugins import ADDRESS, PluginPoint
from alpha_umi.trajectory import Frozen, Outcome, Tool, Trajectory

if TYPE_CHECKING:
    from alpha_umi.tools.protocol import Toolbox


class Task(Frozen):
    """Something to be done with tools, and what tells whether it was. A task set may have a subclass of its own."""

    id: str
    """Unique within the task set."""
    query: str
    tools: tuple[Tool, ...] = ()
    """What is offered: the tools of its toolbox, at least one."""
    seed: int = 0
    """What its world is made from."""
    kind: str = ""
    """What it takes, for grouping results (single, sequential)."""
    split: str = ""
    difficulty: str = ""
    """For grouping results too (easy, I3)."""
    why: str = ""
    """Why it has no solution; empty for one that has."""
    facts: tuple[Any, ...] = ()
    """What an answer must state."""
    changes: Mapping[str, Any] = Field(default_factory=dict)
    """What must be left changed."""
    gold: Trajectory | None = None
    """A solution."""

    @property
    def tool_names(self) -> frozenset[str]:
        """Names of the tools offered."""
        return frozenset(tool.name for tool in self.tools)

    @property
    def solvable(self) -> bool:
        """Whether it has a solution; if not, giving up is right."""
        return not self.why if self.gold is None else self.gold.outcome is Outcome.ANSWERED

    @property
    def calls(self) -> int | None:
        """How many calls its solution makes; None when none is known."""
        return None if self.gold is None else sum(step.call is not None for step in self.gold.steps)

    def notes(self) -> dict[str, Any]:
        """What is known of it beside its id, request, tools and solution, as plain data."""
        return self.model_dump(mode="json", exclude={"id", "query", "tools", "gold"}, exclude_defaults=True)


class Verdict(Frozen):
    """Whether a task was solved, and why not."""

    passed: bool
    basic: bool | None = None
    """Whether it holds what most benchmarks check: the state that is left, the facts in the answer, and that a tool
    returned them. So does whatever passed; None where the task set does not tell."""
    code: str = Field(default_factory=lambda given: "solved" if given.get("passed") else "failed")
    """The kind of verdict, for counting (wrong_answer, gave_up_wrongly)."""
    reason: str = ""
    """The verdict in words, for a person."""
    details: Mapping[str, Any] = Field(default_factory=dict)
    """What else is to be put on record; plain data."""

    @model_validator(mode="after")
    def _holds_what_passed(self) -> Self:
        if self.passed and self.basic is False:
            raise ValueError("it passed, so its basic checks hold")
        return self


T = TypeVar("T", bound=Task)


@runtime_checkable
class Taskset(Protocol[T]):
    """A benchmark: tasks, the tools that each is worked on with, and a judge."""

    @property
    def name(self) -> str:
        """What it is called in records."""
        ...

    @property
    def version(self) -> str:
        """Another one when a task or a verdict changes: results of two versions are never mixed."""
        ...

    def tasks(self, split: str, n: int | None, seed: int, /) -> Iterator[T]:
        """The first `n` tasks of a split, or all of it; the same ones for the same seed.

        An empty split is the task set's own choice. What comes after the first `n` is not asked for.
        """
        ...

    def toolbox(self, task: T, /) -> Toolbox:
        """The task's tools over a fresh state of the world: what one episode works with."""
        ...

    def score(self, task: T, trajectory: Trajectory, /) -> Verdict:
        """Judge what was done."""
        ...


@runtime_checkable
class StatefulTaskset(Taskset[T], Protocol[T]):
    """A task set that judges by what an episode left behind, calls on paths that a search gave up included."""

    def score_state(self, task: T, trajectory: Trajectory, toolbox: Toolbox, /) -> Verdict:
        """Judge what was done with this toolbox, in place of `score`."""
        ...


@runtime_checkable
class AnsweringTaskset(Taskset[T], Protocol[T]):
    """A task set whose user can be asked, by a planner that asks."""

    def answer(self, task: T, question: str, /) -> str | None:
        """What the user of a task says; None where the user does not know."""
        ...


@runtime_checkable
class DividedTaskset(Taskset[T], Protocol[T]):
    """A task set of which some categories can be asked for (`--category`)."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of those that were asked for; empty for all."""
        ...

    def of(self, categories: str, /) -> DividedTaskset[T]:
        """The same with tasks of these categories alone, a comma list."""
        ...

    def filtered(self, tasks: Iterable[T], /) -> Iterator[T]:
        """Those of some tasks that ask for the categories alone."""
        ...


@runtime_checkable
class RecordedTaskset(Taskset[T], Protocol[T]):
    """A task set whose solutions make data sets (`data convert NAME`, `data: NAME:N` in a recipe)."""

    def sizes(self) -> Mapping[str, int]:
        """The splits, the one to train on first, and how many trajectories the data set of each holds."""
        ...

    def solutions(
        self, split: str, n: int, seed: int, /, *, kinds: Collection[str] = (), dropped: Counter[str] | None = None
    ) -> Iterator[Trajectory]:
        """The solutions of the first `n` tasks of a split, each with what `task_of` needs.

        Args:
            split: one of `sizes`.
            n: how many.
            seed: as in `tasks`.
            kinds: only tasks of these kinds; all when empty.
            dropped: counts what was made in vain, by reason.

        Raises:
            UsageError: there is no such split or kind.
        """
        ...

    def versions(self) -> Mapping[str, str]:
        """Versions of the libraries that its facts come from, for a data set's report."""
        ...

    def task_of(self, trajectory: Trajectory, /) -> T:
        """The task that a trajectory of a data set is the solution of.

        Raises:
            UsageError: it is none of this task set.
        """
        ...


@runtime_checkable
class WordedTaskset(RecordedTaskset[T], Protocol[T]):
    """A task set whose tasks are worded from templates, which may change while its version stays."""

    def words_digest(self) -> str:
        """Digest of all templates (`digests.text_digest`), for a data set's report."""
        ...


TASKSETS: PluginPoint[Taskset[Any]] = PluginPoint("tasksets", {})
"""None is of this package: `gym` is one of the wheel's other one. A name stands for the newest version; one before it,
kept, is named with its version (`shop@1`)."""

_ENDS = r"(?:@(?P<version>[^:]*))?(?::(?P<split>.*))?"
_NAMED = re.compile(rf"(?P<name>[^:@]+){_ENDS}")
_OWN = re.compile(rf"(?P<name>{ADDRESS}){_ENDS}")
_MEMBERS = ("name", "version", "tasks", "toolbox", "score")


def label(taskset: Taskset[Any]) -> str:
    """A task set's name with its version, as records have it."""
    return f"{taskset.name}@{taskset.version}"


def is_named(data: str) -> bool:
    """Whether a text begins with the name of a task set that ships or is installed."""
    match = _NAMED.fullmatch(data)
    return match is not None and match["name"] in TASKSETS.names()


def load_taskset(data: str) -> tuple[Taskset[Any], str] | None:
    """The task set and the split that `NAME[@VERSION][:SPLIT]` or `MODULE:ATTRIBUTE[@VERSION][:SPLIT]` names.

    Returns:
        None when the text has neither form, so that it may be a path.

    Raises:
        UsageError: there is no such task set or version, or what is there is no task set.
    """
    match = _NAMED.fullmatch(data) if is_named(data) else _OWN.fullmatch(data)
    if match is None:
        return None
    name, version = match["name"], match["version"]
    kept = f"{name}@{version}"
    taskset = _checked(TASKSETS.load(kept if kept in TASKSETS.names() else name), name)
    if version is not None and version != str(taskset.version):
        raise UsageError(f"task set '{name}' has no version '{version}'; it has {', '.join(_versions(name, taskset))}")
    return taskset, match["split"] or ""


def load_recorded(name: str, categories: str | None = None) -> RecordedTaskset[Any]:
    """The task set of a name, to make data sets of: of these categories alone, a comma list, or of all.

    Raises:
        UsageError: there is no such task set or category, or it makes no data sets.
    """
    found = load_taskset(name)
    if found is None:
        raise UsageError(TASKSETS.unknown(name))
    taskset = divided(found[0], categories)
    if not isinstance(taskset, RecordedTaskset):
        raise UsageError(f"{label(taskset)} keeps no solutions: data sets are made of those that do")
    return taskset


def divided(taskset: Taskset[Any], categories: str | None) -> Taskset[Any]:
    """A task set with tasks of some categories alone, a comma list.

    Raises:
        UsageError: it has none.
    """
    if categories is None:
        return taskset
    if not isinstance(taskset, DividedTaskset):
        raise UsageError(f"{label(taskset)} has no categories: leave out --category")
    return taskset.of(categories)


def _versions(name: str, newest: Taskset[Any]) -> list[str]:
    kept = [other.removeprefix(f"{name}@") for other in TASKSETS.names() if other.startswith(f"{name}@")]
    return [*kept, str(newest.version)]


def _checked(found: Any, name: str) -> Taskset[Any]:
    if isinstance(found, type):
        raise UsageError(f"'{name}' is the class {found.__name__}, not a task set: name an instance of it")
    if missing := [member for member in _MEMBERS if not hasattr(found, member)]:
        raise UsageError(f"'{name}' is no task set: {type(found).__name__} has no {', '.join(missing)}")
    taskset: Taskset[Any] = found
    return taskset
