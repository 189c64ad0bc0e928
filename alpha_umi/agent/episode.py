"""One run while a node works on it: read from the plain state, written back to it.

Keeps the account of what was spent and says when it is too much. Knows nothing of models, prompts or messages.
"""

from __future__ import annotations

import time
from typing import Any

from alpha_umi.agent.state import Budget, Reason, Result, State, Usage, faults_in_a_row, next_node, repeats_in_a_row
from alpha_umi.models.base import Completion
from alpha_umi.prompts import View
from alpha_umi.trajectory import Call, Observation, Outcome, Step, Trajectory


class Episode:
    """The trajectory so far and what it has cost."""

    def __init__(self, state: State, *, budget: Budget) -> None:
        self.session = state["session"]
        self.trajectory = Trajectory.model_validate(state["trajectory"])
        self.usage = {View(view): Usage(**usage) for view, usage in state["usage"].items()}
        self.reason = Reason(state["reason"]) if state["reason"] else None
        self.budget = budget
        self._before = state["seconds"]
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent inside nodes, so that a run that slept in a checkpoint is not charged for it."""
        return self._before + time.monotonic() - self._started

    @property
    def seconds_left(self) -> float:
        """What is left of the time budget; negative when overdrawn."""
        return self.budget.max_seconds - self.seconds

    @property
    def last(self) -> Step:
        """The step under way."""
        return self.trajectory.steps[-1]

    def charge(self, view: View, completion: Completion, *, seconds: float) -> None:
        """Put one completion on a role's account."""
        self.usage[view] = self.usage.get(view, Usage()).add(completion, seconds=seconds)

    def spent(self) -> Reason | None:
        """The budget that forbids another completion, if one does."""
        if self.seconds_left <= 0:
            return Reason.SECONDS
        if sum(usage.tokens for usage in self.usage.values()) >= self.budget.max_tokens:
            return Reason.TOKENS
        return None

    def spent_for_a_step(self) -> Reason | None:
        """The budget that forbids another step, if one does."""
        if repeats_in_a_row(self.trajectory) >= self.budget.max_repeats:
            return Reason.REPETITION
        if faults_in_a_row(self.trajectory) >= self.budget.max_faults:
            return Reason.FAULTS
        return Reason.STEPS if len(self.trajectory.steps) >= self.budget.max_steps else self.spent()

    def begin_step(self, step: Step) -> None:
        """Add a step."""
        self.trajectory = self.trajectory.extend(step)

    def fill(self, *, call: Call | None = None, observation: Observation | None = None) -> None:
        """Complete the step under way."""
        update = {"call": call or self.last.call, "observation": observation}
        self.trajectory = self.trajectory.replace_last(self.last.model_copy(update=update))

    def note(self, **facts: str) -> None:
        """Record what has no place in a step."""
        self.trajectory = self.trajectory.model_copy(update={"meta": {**self.trajectory.meta, **facts}})

    def answer(self, text: str) -> None:
        """End with an answer."""
        self.trajectory = self.trajectory.finish(Outcome.ANSWERED, text)

    def give_up(self) -> None:
        """End because the planner decided so."""
        self.trajectory, self.reason = self.trajectory.finish(Outcome.GAVE_UP), Reason.PLANNER

    def run_out(self, reason: Reason) -> None:
        """End because a budget is spent."""
        self.trajectory, self.reason = self.trajectory.finish(Outcome.OUT_OF_BUDGET), reason

    def result(self) -> Result:
        """What the run ends with."""
        end = self.trajectory
        return Result(
            answer=end.answer,
            outcome=end.outcome,
            reason=self.reason,
            seconds=self.seconds,
            usage=self.usage,
            trajectory=end,
        )

    def update(self) -> dict[str, Any]:
        """The state's new values."""
        return {
            "trajectory": self.trajectory.model_dump(mode="json"),
            "usage": {view.value: usage.model_dump() for view, usage in self.usage.items()},
            "seconds": self.seconds,
            "reason": self.reason.value if self.reason else None,
            "next": next_node(self.trajectory),
        }
