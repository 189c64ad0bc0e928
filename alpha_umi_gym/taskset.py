"""The gym as a task set: what `gym:SPLIT` stands for.

Its version is raised when tasks or verdicts change: what another version asked or judged is not summed up with this
one's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from alpha_umi.errors import UsageError
from alpha_umi.tasks import Verdict
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.trajectory import Trajectory
from alpha_umi_gym import task
from alpha_umi_gym.generator.tasks import SIZES, calls_any_of, generate, split_named
from alpha_umi_gym.generator.wording import words_digest
from alpha_umi_gym.judging import verify
from alpha_umi_gym.registry import categories, library_versions, named, owners
from alpha_umi_gym.task import GymTask
from alpha_umi_gym.task_toolbox import TaskToolbox


class OverWorlds:
    """What each task set of the gym does with a task: its tools over a world of its own, judged by execution."""

    def toolbox(self, task: GymTask) -> TaskToolbox:
        """A task's tools over a fresh copy of its world."""
        return TaskToolbox(task)

    def score(self, task: GymTask, trajectory: Trajectory) -> Verdict:
        """Judge by carrying the calls out again."""
        return verify(task, trajectory)

    def score_state(self, task: GymTask, trajectory: Trajectory, toolbox: Toolbox) -> Verdict:
        """Judge by the world that the calls left behind."""
        assert isinstance(toolbox, TaskToolbox)
        return verify(task, trajectory, world=toolbox.world)


@dataclass(frozen=True)
class Gym(OverWorlds):
    """Tasks composed over the offline tools."""

    categories: tuple[str, ...] = ()
    """Only tasks that ask for tools of these; all when empty."""

    name = "gym"
    version = "1"

    def of(self, categories: str) -> Gym:
        """The gym with tasks of these categories alone; one's own are named by MODULE:ATTRIBUTE and registered."""
        return replace(self, categories=tuple(named(categories)))

    def tasks(self, split: str, n: int | None, seed: int) -> Iterator[GymTask]:
        """The first tasks of a split; all of them are as many as its data set holds."""
        name = split_named(split)
        return generate(SIZES[name] if n is None else n, seed=seed, split=name, only=self.categories)

    def sizes(self) -> Mapping[str, int]:
        """The splits in which these categories have tools, and the sizes of their data sets."""
        return {name: n for name, n in SIZES.items() if not self.categories or calls_any_of(name, self.categories)}

    def solutions(
        self, split: str, n: int, seed: int, *, kinds: Collection[str] = (), dropped: Counter[str] | None = None
    ) -> Iterator[Trajectory]:
        """The solutions of tasks, with what is known of each task."""
        named = split_named(split)
        made = generate(n, seed=seed, split=named, only=self.categories, kinds=kinds, dropped=dropped)
        return (task.recorded() for task in made)

    def versions(self) -> Mapping[str, str]:
        """Versions of the libraries that its facts come from."""
        return library_versions()

    def words_digest(self) -> str:
        """Digest of the wordings of its tasks."""
        return words_digest(categories()[name] for name in self.categories or categories())

    def task_of(self, trajectory: Trajectory) -> GymTask:
        """The task of a trajectory that `data convert gym` wrote.

        Raises:
            UsageError: it is none, or one of a category that is not registered.
        """
        found = task.task_of(trajectory)
        if unknown := sorted(found.tool_names - owners().keys()):
            raise UsageError(f"the gym has no tool {unknown[0]!r}; name your own with --category MODULE:ATTRIBUTE")
        return found

    def filtered(self, tasks: Iterable[GymTask]) -> Iterator[GymTask]:
        """Those that ask for tools of the categories alone, as those that `generate` makes of them do.

        What a task asks for but does not call (a missing tool, the other branch) is known by its wordings.
        """
        wanted, of = {*self.categories}, _asking()
        for found in tasks:
            called = [{owners().get(step.call.tool, "")} for step in found.gold.steps if step.call is not None]
            asked = called + [of[wording] for wording in found.wordings if wording in of]
            if not wanted or (asked and all(names & wanted for names in asked)):
                yield found


def _asking() -> Mapping[str, set[str]]:
    """The categories that each wording of a request belongs to."""
    of = defaultdict[str, set[str]](set)
    for category in categories().values():
        for intent in category.intents:
            for template in (*intent.goals, *intent.asks, *(intent.gives.nouns if intent.gives else ())):
                of[template].add(category.name)
    return of


GYM = Gym()
