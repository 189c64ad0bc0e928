"""Tasks of the gym: trajectories told by scenarios, each executed again and verified before it is given out.

`generate` is the same on every machine and in every process: item number, seed and split are the only source of
chance. A task that cannot be told or verified is dropped, counted by reason, and drawn again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import get_args

from alpha_umi.errors import UsageError, WorkError
from alpha_umi.gym import outside
from alpha_umi.gym.draft import Draft, DroppedTask, Split
from alpha_umi.gym.facts import holds
from alpha_umi.gym.registry import bound, categories, toolbox
from alpha_umi.gym.verify import verify
from alpha_umi.gym.world import Kind, Scenario, World
from alpha_umi.tools.base import Toolbox
from alpha_umi.tools.combined import CombinedToolbox
from alpha_umi.trajectory import Decision, Outcome, Tool, Trajectory

KINDS: dict[Kind, float] = {"single": 0.45, "sequential": 0.29, "recovery": 0.09, "unsolvable": 0.17}
"""The share of each kind of task."""

_UNSOLVABLE = {"hidden": 0.35, "outside": 0.3, "failing": 0.35}
"""Why there is no solution: the tool is not offered, there never was one, or it fails for good."""

_ATTEMPTS = 200
_DUPLICATES = 20
"""After that many repeated questions a repetition is accepted: small domains have only so many questions."""


def generate(
    n: int, *, seed: int = 0, split: Split = "train", dropped: Counter[str] | None = None
) -> Iterator[Trajectory]:
    """Give `n` verified trajectories; `dropped` counts what was drawn in vain, by reason.

    Raises:
        UsageError: there is no such split.
    """
    if split not in get_args(Split):
        raise UsageError(f"the gym has no split {split!r}; it has {', '.join(get_args(Split))}")
    return _generate(n, seed, split, Counter() if dropped is None else dropped)


def _generate(n: int, seed: int, split: Split, dropped: Counter[str]) -> Iterator[Trajectory]:
    asked: set[str] = set()
    for index in range(n):
        name = f"gym-{split}-{index:06}"
        kind = random.Random(f"{name}/{seed}").choices(list(KINDS), weights=list(KINDS.values()))[0]
        for attempt in range(_ATTEMPTS):
            try:
                task = _tell(random.Random(f"{name}/{seed}/{attempt}"), kind, split)
                _check(task, kind)
                if task.query in asked and attempt < _DUPLICATES:
                    raise DroppedTask("asked before")
            except DroppedTask as reason:
                dropped[str(reason)] += 1
                continue
            asked.add(task.query)
            yield task.model_copy(update={"id": name})
            break
        else:
            raise WorkError(f"the gym could not tell a task of kind {kind} in {_ATTEMPTS} attempts: {dict(dropped)}")


def task_toolbox(task: Trajectory) -> Toolbox:
    """The tools a task offers, over a fresh copy of the world it was told in: what an agent works with."""
    return CombinedToolbox([toolbox(seed=task.meta["seed"])], only=task.tool_names)


def replay(task: Trajectory) -> Trajectory:
    """The same calls executed again in a fresh world, with what they return now."""
    box = task_toolbox(task)
    steps = [
        step if step.call is None else step.model_copy(update={"observation": box.invoke(step.call)})
        for step in task.steps
    ]
    return task.model_copy(update={"steps": tuple(steps)})


def _tell(chance: random.Random, kind: Kind, split: Split) -> Trajectory:
    world = World(chance.randrange(2**31))
    box = bound(world)
    draft = Draft(chance, split=split, world=world, toolbox=box)
    known = {tool.name: tool for tool in box.tools}
    why = chance.choices(list(_UNSOLVABLE), weights=list(_UNSOLVABLE.values()))[0] if kind == "unsolvable" else ""
    if why == "outside":
        category = "outside"
        goal = outside.tell(draft)
        offered = _offer(chance, known, needs=(), avoid=())
        draft.decline(goal, [tool.name for tool in offered])
    else:
        category, scenario = _choose(chance, "single" if why == "hidden" else kind)
        scenario.play(draft)
        if why == "hidden":
            offered = _offer(chance, known, needs=(), avoid=(*scenario.needs, *scenario.rivals))
            draft.decline(draft.goal, [tool.name for tool in offered])
        else:
            offered = _offer(chance, known, needs=scenario.needs, avoid=scenario.rivals)
    return Trajectory(
        query=draft.query,
        tools=offered,
        steps=tuple(draft.steps),
        answer=draft.answer_text,
        outcome=draft.outcome,
        meta={"kind": kind, "category": category, "split": split, "seed": world.seed, "facts": draft.facts},
    )


def _choose(chance: random.Random, kind: Kind) -> tuple[str, Scenario]:
    found = [(name, task) for name, category in categories().items() for task in category.tasks if task.kind == kind]
    return chance.choice(found)


def _offer(
    chance: random.Random, known: dict[str, Tool], *, needs: Sequence[str], avoid: Sequence[str]
) -> tuple[Tool, ...]:
    """The tools needed among distractors, three to five in all, in any order."""
    size = max(chance.choice((3, 3, 4, 4, 5)), len(needs))
    others = [name for name in known if name not in needs and name not in avoid]
    names = [*needs, *chance.sample(others, size - len(needs))]
    chance.shuffle(names)
    return tuple(known[name] for name in names)


def _check(task: Trajectory, kind: Kind) -> None:
    """Execute a task again and judge it as if an agent had produced it; raises DroppedTask."""
    again = replay(task)
    if again != task:
        raise DroppedTask("another result when executed again")
    verdict = verify(task, again)
    if not verdict.passed:
        raise DroppedTask(f"not verified: {verdict.reason}")
    seen = [step.observation for step in task.steps if step.observation is not None]
    if task.outcome is Outcome.ANSWERED and all(holds(task.query, fact) for fact in task.meta["facts"]):
        raise DroppedTask("the question holds the answer")
    failures = sum(not observation.ok for observation in seen)
    shapes = {
        "single": (len(seen) == 1, failures == 0),
        "sequential": (len(seen) >= 2, failures == 0),
        "recovery": (len(seen) >= 2, failures >= 1 and seen[-1].ok),
        "unsolvable": (failures == len(seen), task.steps[-1].plan.decision is Decision.GIVE_UP),
    }
    if not all(shapes[kind]):
        raise DroppedTask(f"not of the kind {kind}")
