"""One run while a node works on it: read from the plain state, written back to it.

Keeps the account of what was spent, and tells the search what became of each step. Knows nothing of models, prompts or
messages.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from alpha_umi.agent.search import End, Frontier
from alpha_umi.agent.state import (
    Budget,
    Reason,
    Result,
    State,
    Usage,
    faults_in_a_row,
    next_node,
    path_trajectory,
    repeats_in_a_row,
)
from alpha_umi.grammar import NO_TOOL
from alpha_umi.models.base import Completion
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Step, Trajectory

THOUGHTS = "thoughts"
"""Where a trajectory's `meta` holds what its roles thought aloud."""


class Episode:
    """The path under way, the tree it belongs to, and what all of it has cost."""

    def __init__(self, state: State, *, budget: Budget) -> None:
        self.session = state["session"]
        self.trajectory = Trajectory.model_validate_json(state["trajectory"])
        self.tree = Frontier.model_validate_json(state["tree"])
        self.node = state["node"]
        self.prompt = state["prompt"]
        self.usage = {view: Usage(**usage) for view, usage in state["usage"].items()}
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

    def charge(self, view: str, completion: Completion, *, seconds: float) -> None:
        """Put one completion on a role's account."""
        self.usage[view] = self.usage.get(view, Usage()).add(completion, seconds=seconds)

    def spent(self) -> Reason | None:
        """The budget that forbids another completion, if one does."""
        if self.seconds_left <= 0:
            return Reason.SECONDS
        if sum(usage.tokens for usage in self.usage.values()) >= self.budget.max_tokens:
            return Reason.TOKENS
        return None

    @property
    def in_step(self) -> bool:
        """Whether a step is under way."""
        return len(self.trajectory.steps) > len(self.tree.path(self.node))

    @property
    def call_key(self) -> str:
        """Names the call under way: the same when a run that was killed makes it again, and no other's."""
        return f"call_{self.session[:16]}_{len(self.tree.nodes)}"

    def begin_step(self, step: Step) -> None:
        """Add a step."""
        self.trajectory = self.trajectory.extend(step.model_copy(update={"prompt": self.prompt}))
        self.prompt = ""

    def fill(self, call: Call) -> None:
        """Give the step under way its call."""
        self.trajectory = self.trajectory.replace_last(self.last.model_copy(update={"call": call}))

    def observe(self, observation: Observation) -> None:
        """Give the step under way its observation, which ends it."""
        self.trajectory = self.trajectory.replace_last(self.last.model_copy(update={"observation": observation}))
        if self.tree.search.compat is None:
            if repeats_in_a_row(self.trajectory) >= self.budget.max_repeats:
                return self.end_path(Reason.REPETITION)
            if faults_in_a_row(self.trajectory) >= self.budget.max_faults:
                return self.end_path(Reason.FAULTS)
        return self._end_step()

    def note(self, **facts: str) -> None:
        """Record what has no place in a step."""
        self.trajectory = self.trajectory.model_copy(update={"meta": {**self.trajectory.meta, **facts}})

    def think(self, view: str, text: str) -> None:
        """Record what a role thought aloud, with the tree's node that its step becomes (in a chain: its number)."""
        thoughts = self.trajectory.meta.get(THOUGHTS, [])
        thought = {"role": view, "node": len(self.tree.nodes), "text": text}
        self.trajectory = self.trajectory.model_copy(
            update={"meta": {**self.trajectory.meta, THOUGHTS: [*thoughts, thought]}}
        )

    def answer(self, text: str) -> None:
        """End the path with an answer."""
        self._end_step(End.ANSWER, answer=text)

    def give_up(self) -> None:
        """End the path because the planner decided so."""
        self._end_step(End.GIVE_UP)

    def end_path(self, reason: Reason) -> None:
        """End the path because it leads nowhere."""
        if self.in_step:
            self._end_step(End.DEAD, why=reason.value)
        else:
            self.tree = self.tree.close(reason.value)
            self._conclude()

    def run_out(self, reason: Reason) -> None:
        """End the run because a budget is spent."""
        if self.tree.found:
            self.trajectory = path_trajectory(self.trajectory, self.tree, self.tree.best)
        else:
            self.trajectory, self.reason = self.trajectory.finish(Outcome.OUT_OF_BUDGET), reason

    def backtrack(self) -> None:
        """Go to the node from which the search goes on."""
        at = self.tree.at
        assert at is not None, "the graph goes to `backtrack` only while the search goes on"
        self.trajectory, self.node = path_trajectory(self.trajectory, self.tree, at), at

    def rank(self, order: Sequence[int]) -> None:
        """Visit what was tried, best first."""
        self.tree = self.tree.ranked(order)
        self._conclude()

    def _end_step(self, end: End | None = None, *, why: str = "", answer: str | None = None) -> None:
        """Tell the search what became of the step under way."""
        new = len(self.tree.nodes)
        self.tree = self.tree.add(self.last, end=end, why=why, answer=answer, weight=self._weight())
        if len(self.tree.nodes) > new:
            self.node = new
        self._conclude()

    def _weight(self) -> int:
        """How much deeper the step under way lies: 1, or what a released search makes of it.

        ToolBench: a node for the thought where there is one, and two for a call (`DFS.py`). In α-UMi's live run the
        thought is never absent, and a call that cannot be read is one of `none` (`collab_agent_parser`).
        """
        if self.tree.search.compat is None:
            return 1
        if self.tree.search.compat == "alpha-umi":
            return 3
        call = self.last.call
        acted = call.tool != NO_TOOL if call is not None else self.last.plan.decision is not Decision.CALL
        return max(1, bool(self.last.plan.rationale) + 2 * acted)

    def _conclude(self) -> None:
        """End the run when the search is over."""
        over = self.tree.over
        if over is None:
            return
        self.node = self.tree.best
        self.trajectory = path_trajectory(self.trajectory, self.tree, self.node)
        if self.trajectory.answer is not None:
            return
        if over == "calls":
            self.trajectory, self.reason = self.trajectory.finish(Outcome.OUT_OF_BUDGET), Reason.CALLS
        elif self.tree.search.one_path:
            end = self.tree.nodes[self.node]
            self.reason = Reason.PLANNER if end.end is End.GIVE_UP else Reason(end.why)
        else:
            self.trajectory, self.reason = self.trajectory.finish(Outcome.GAVE_UP), Reason.EXHAUSTED

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
            tree=None if self.tree.search.one_path else self.tree,
        )

    def update(self) -> dict[str, Any]:
        """The state's new values."""
        return {
            "trajectory": self.trajectory.model_dump_json(),
            "tree": self.tree.model_dump_json(),
            "node": self.node,
            "prompt": self.prompt,
            "usage": {view: usage.model_dump() for view, usage in self.usage.items()},
            "seconds": self.seconds,
            "reason": self.reason.value if self.reason else None,
            "next": next_node(self.trajectory, self.tree, self.node),
        }
