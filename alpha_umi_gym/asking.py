"""Tasks that only asking solves: `gym-asking:SPLIT`, requests of the gym that leave open what their user knows.

A team that cannot ask has to give these tasks up, as `gym:SPLIT` expects; here giving up is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from alpha_umi.errors import UsageError
from alpha_umi.trajectory import Decision, Outcome, Plan, Step
from alpha_umi_gym.generator.tasks import generate, split_named
from alpha_umi_gym.judging import verify
from alpha_umi_gym.task import Exact, Fact, GymTask
from alpha_umi_gym.taskset import OverWorlds

SIZE = 60
"""Tasks of a split, where no number is given."""
_MAX_DRAWN = 4000


class AskingGym(OverWorlds):
    """The task set."""

    name = "gym-asking"
    version = "1"

    def tasks(self, split: str, n: int | None, seed: int) -> Iterator[GymTask]:
        """The first tasks of a split.

        Raises:
            UsageError: there is no such split, or it has fewer.
        """
        wanted, found = n or SIZE, 0
        drawn = generate(_MAX_DRAWN, seed=seed, split=split_named(split), kinds=("unsolvable",), with_withheld=True)
        for task in islice(solvable(drawn), wanted):
            found += 1
            yield task
        if found < wanted:
            raise UsageError(f"gym-asking:{split} has {found} tasks")

    def answer(self, task: GymTask, question: str) -> str | None:
        """What the user withheld, whatever the question."""
        return None if task.withheld is None else task.withheld.value


def solvable(tasks: Iterator[GymTask]) -> Iterator[GymTask]:
    """The tasks that leave something open, with the solution of who asks for it; only those whose solution passes."""
    for task in tasks:
        if task.withheld is not None and task.withheld.facts:
            asked = _asked(task)
            if verify(asked, asked.gold).passed:
                yield asked


def _asked(task: GymTask) -> GymTask:
    known = task.withheld
    assert known is not None
    stated = [_stated(fact) for fact in known.facts]
    steps = (
        Step(
            plan=Plan(rationale=f"What is the {known.argument.replace('_', ' ')}?", decision=Decision.ASK_USER),
            said={"user": known.value},
        ),
        Step(
            plan=Plan(rationale=f"Now I can call {known.call.tool}.", decision=Decision.CALL),
            call=known.call,
            observation=known.observation,
        ),
        Step(plan=Plan(rationale="That is what was asked.", decision=Decision.SUMMARIZE)),
    )
    answer = f"It is {', '.join(stated)}."
    gold = task.gold.model_copy(update={"steps": steps, "answer": answer, "outcome": Outcome.ANSWERED})
    update = {"id": f"asking-{task.id}", "kind": "single", "why": "", "facts": known.facts, "changes": known.changes}
    return task.model_copy(update={**update, "gold": gold})


def _stated(fact: Fact) -> str:
    if isinstance(fact, str):
        return fact
    return fact.exact if isinstance(fact, Exact) else fact.choice


GYM_ASKING = AskingGym()
