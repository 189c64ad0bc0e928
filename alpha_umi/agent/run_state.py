"""One run while a node works on it: taken from the state, and what changed written back to it.

Keeps the account of what was spent, and tells the search what became of each step. Knows nothing of models, prompts or
messages.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from alpha_umi.agent.channels import STATE_VERSION
from alpha_umi.agent.search.tree import ROOT, End, Tree, growth, stored_tree
from alpha_umi.agent.state import (
    Budget,
    Question,
    Result,
    State,
    StopReason,
    Usage,
    faults_in_a_row,
    repeats_in_a_row,
)
from alpha_umi.agent.stored import stored_step
from alpha_umi.models.protocol import Completion
from alpha_umi.text.output_format import NO_TOOL
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Step, Trajectory

THOUGHTS = "thoughts"
"""Where a trajectory's `meta` holds what its roles thought aloud."""
_EDGES = {
    Decision.CALL: "call",
    Decision.SUMMARIZE: "summarize",
    Decision.GIVE_UP: "give_up",
    Decision.ASK_USER: "ask_user",
}


class RunState:
    """The path under way, the tree it belongs to, and what all of it has cost."""

    def __init__(self, state: State, *, budget: Budget) -> None:
        self.state, self.budget = state, budget
        self.session, self.task = state["session"], state["task"]
        self.tree, self.node, self.draft = state["tree"], state["node"], state["draft"]
        self.prompt, self.notes, self.thoughts = state["prompt"], state["notes"], state["thoughts"]
        self.usage = dict(state["usage"])
        self.outcome, self.reason = state["outcome"], state["reason"]
        self.approved = state["approved"]
        self._before = state["seconds"]
        self._started = time.monotonic()

    @property
    def trajectory(self) -> Trajectory:
        """The path that is under way or, in the end, that ended the run."""
        steps, answered = self.tree.steps(self.node), self.outcome is Outcome.ANSWERED
        return Trajectory.model_construct(
            query=self.task.query,
            tools=self.task.tools,
            steps=steps if self.draft is None else (*steps, self.draft),
            answer=self.tree.nodes[self.node].answer if answered else None,
            outcome=self.outcome,
            meta=self._meta(),
        )

    def _meta(self) -> dict[str, Any]:
        thoughts = [{"role": role, "node": node, "text": text} for role, node, text in self.thoughts]
        return {**self.notes, **({THOUGHTS: thoughts} if thoughts else {})}

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
        assert self.draft is not None, "the graph goes there only with a step under way"
        return self.draft

    def charge(self, role: str, completion: Completion, *, seconds: float) -> None:
        """Put one completion on a role's account."""
        self.usage[role] = self.usage.get(role, Usage()).add(completion, seconds=seconds)

    def spent(self) -> StopReason | None:
        """The budget that forbids another completion, if one does."""
        if self.seconds_left <= 0:
            return StopReason.SECONDS
        if sum(usage.tokens for usage in self.usage.values()) >= self.budget.max_tokens:
            return StopReason.TOKENS
        return None

    @property
    def next(self) -> str:
        """The graph's node whose turn it is: what the step under way still lacks, or what the search wants."""
        if self.outcome is not Outcome.UNFINISHED:
            return "finish"
        if self.tree.to_rank:
            return "rank"
        if self.draft is None:
            return "plan" if self.tree.at == self.node else "backtrack"
        if self.draft.call is not None:
            return "act"
        return "review" if self.draft.said else _EDGES[self.draft.plan.decision]

    @property
    def call_key(self) -> str:
        """Names the call under way: the same when a run that was killed makes it again, and no other's."""
        return f"call_{self.session[:16]}_{len(self.tree.nodes)}"

    def add_step(self, step: Step) -> None:
        """Add a step."""
        self.draft, self.prompt = step.model_copy(update={"prompt": self.prompt}), ""

    def set_call(self, call: Call) -> None:
        """Give the step under way its call."""
        self.draft = self.last.model_copy(update={"call": call})

    def observe(self, observation: Observation) -> None:
        """Give the step under way its observation, which ends it."""
        self.draft = self.last.model_copy(update={"observation": observation})
        if self.tree.compat is None:
            if repeats_in_a_row(self.trajectory) >= self.budget.max_repeats:
                return self.end_path(StopReason.REPETITION)
            if faults_in_a_row(self.trajectory) >= self.budget.max_faults:
                return self.end_path(StopReason.FAULTS)
        return self._end_step()

    def say(self, name: str, text: str) -> None:
        """Record what a further role, or the user, said in the step under way."""
        self.draft = self.last.model_copy(update={"said": {**self.last.said, name: text}})

    def go_on(self) -> None:
        """End the step under way; the planner is next."""
        self._end_step()

    def annotate(self, **facts: str) -> None:
        """Record what has no place in a step."""
        self.notes = {**self.notes, **facts}

    def think(self, role: str, text: str) -> None:
        """Record what a role thought aloud, with the tree's node that its step becomes (in a chain: its number)."""
        self.thoughts = (*self.thoughts, (role, len(self.tree.nodes), text))

    def answer(self, text: str, *, by: str = "") -> None:
        """End the path with an answer; one that others have read stood under the name of who wrote it."""
        if by in self.last.said:
            said = {name: words for name, words in self.last.said.items() if name != by}
            self.draft = self.last.model_copy(update={"said": said})
        self._end_step(End.ANSWER, answer=text)

    def give_up(self) -> None:
        """End the path because the planner decided so."""
        self._end_step(End.GIVE_UP)

    def end_path(self, reason: StopReason) -> None:
        """End the path because it leads nowhere."""
        if self.draft is not None:
            self._end_step(End.DEAD, why=reason.value)
        else:
            self.tree = self.tree.close(reason.value)
            self._conclude()

    def run_out(self, reason: StopReason) -> None:
        """End the run because a budget is spent."""
        if self.tree.found:
            self.node, self.draft, self.outcome = self.tree.best, None, Outcome.ANSWERED
        else:
            self.outcome, self.reason = Outcome.OUT_OF_BUDGET, reason

    def backtrack(self) -> None:
        """Go to the node from which the search goes on."""
        at = self.tree.at
        assert at is not None, "the graph goes to `backtrack` only while the search goes on"
        self.node, self.draft = at, None

    def rank(self, order: Sequence[int]) -> None:
        """Visit what was tried, best first."""
        self.tree = self.tree.ranked(order)
        self._conclude()

    def _end_step(self, end: End | None = None, *, why: str = "", answer: str | None = None) -> None:
        """Tell the search what became of the step under way."""
        new = len(self.tree.nodes)
        self.tree = self.tree.add(self.last, end=end, why=why, answer=answer, weight=self._weight())
        if len(self.tree.nodes) > new:
            self.node, self.draft = new, None
        self._conclude()

    def _weight(self) -> int:
        """How much deeper the step under way lies: 1, or what a released search makes of it.

        ToolBench: a node for the thought where there is one, and two for a call (`DFS.py`). In α-UMi's live run the
        thought is never absent, and a call that cannot be read is one of `none` (`collab_agent_parser`).
        """
        if self.tree.compat is None:
            return 1
        if self.tree.compat == "alpha-umi":
            return 3
        call = self.last.call
        acted = call.tool != NO_TOOL if call is not None else self.last.plan.decision is not Decision.CALL
        return max(1, bool(self.last.plan.rationale) + 2 * acted)

    def _conclude(self) -> None:
        """End the run when the search is over."""
        over = self.tree.over
        if over is None:
            return
        self.node, self.draft = self.tree.best, None
        end = self.tree.nodes[self.node]
        if end.answer is not None:
            self.outcome = Outcome.ANSWERED
        elif over == "calls":
            self.outcome, self.reason = Outcome.OUT_OF_BUDGET, StopReason.CALLS
        elif self.tree.one_path:
            given_up = end.end is End.GIVE_UP
            self.outcome = Outcome.GAVE_UP if given_up else Outcome.OUT_OF_BUDGET
            self.reason = StopReason.PLANNER if given_up else StopReason(end.why)
        else:
            self.outcome, self.reason = Outcome.GAVE_UP, StopReason.EXHAUSTED

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
            tree=None if self.tree.one_path else self.tree,
        )

    def update(self) -> dict[str, Any]:
        """The state's new values, as they are stored."""
        update: dict[str, Any] = {"seconds": self.seconds, "next": self.next}
        if self.tree is not self.state["tree"]:
            update["tree"] = growth(self.state["tree"], self.tree)
        if self.draft is not self.state["draft"]:
            update["draft"] = self.draft and stored_step(self.draft)
        if len(self.thoughts) > (before := len(self.state["thoughts"])):
            update["thoughts"] = {"after": before, "thought": [list(thought) for thought in self.thoughts[before:]]}
        if self.usage != self.state["usage"]:
            update["usage"] = {role: usage.model_dump() for role, usage in self.usage.items()}
        plain = {"node": self.node, "prompt": self.prompt, "notes": self.notes, "approved": self.approved}
        plain |= {"outcome": self.outcome.value, "reason": self.reason and self.reason.value}
        return update | {key: value for key, value in plain.items() if value != self.state[key]}  # type: ignore[literal-required]


def beginning(session: str, task: Question, tree: Tree) -> dict[str, Any]:
    """The state in which a run begins."""
    return {
        "version": STATE_VERSION,
        "session": session,
        "task": task.stored(),
        "tree": {"begin": stored_tree(tree)},
        "node": ROOT,
        "draft": None,
        "prompt": "",
        "thoughts": {"after": 0, "thought": []},
        "notes": {},
        "usage": {},
        "seconds": 0.0,
        "outcome": Outcome.UNFINISHED.value,
        "reason": None,
        "approved": "",
        "next": "plan",
    }
