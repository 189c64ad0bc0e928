"""The nouns of the project: what is offered, decided, called, seen and answered.

All types are frozen pydantic models, so a trajectory is plain data: it can be written as one
line of JSON, stored by any checkpointer and compared. This module knows nothing of
text formats (`output_format`), prompts (`prompts`) or models.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer


class Frozen(BaseModel):
    """Base of the central types: immutable and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tool(Frozen):
    """What a model may call."""

    name: str = Field(min_length=1)
    description: str = ""
    parameters: Mapping[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    """JSON Schema of the arguments, always of type `object`."""


class Call(Frozen):
    """One tool call as the caller wrote it."""

    tool: str
    arguments: Mapping[str, Any] = Field(default_factory=dict)
    raw: str = ""
    """The exact text written, kept so that history is token for token what was generated; empty when
    the call was built by a program, and then formatted canonically."""
    fault: str | None = None
    """Why the text is not a usable call (`output_format.CALL_FAULTS`), or None."""


class Observation(Frozen):
    """What came back from a tool, success or failure."""

    text: str
    ok: bool = True


class Decision(StrEnum):
    """What the planner decides: the edges of the agent graph."""

    CALL = "call"
    SUMMARIZE = "summarize"
    GIVE_UP = "give_up"
    ASK_USER = "ask_user"
    """Of a planner that has such a choice: its rationale is a question to the user."""


class Plan(Frozen):
    """The planner's words of one step: a rationale and a decision."""

    rationale: str
    decision: Decision
    fault: str | None = None
    """Why the text was not a well-formed plan (`output_format.PLAN_FAULTS`), or None."""


class Step(Frozen):
    """One turn of the loop: plan, and for a CALL decision the call and its observation."""

    plan: Plan
    call: Call | None = None
    observation: Observation | None = None
    said: Mapping[str, str] = Field(default_factory=dict)
    """What further roles wrote in this step, and the user where it asked for their word, by name and in order. An
    answer that was sent back stands here under the name of who wrote it."""
    prompt: str = ""
    """A user message given just before this step (a follow-up, DFSDT's diversity prompt)."""

    @model_serializer(mode="wrap")
    def _without_nothing(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What nobody said is not written: digests of data made before there were further roles stay valid."""
        found: dict[str, Any] = dump(self)
        if not self.said:
            found.pop("said", None)
        return found

    @property
    def is_decision(self) -> bool:
        """Whether the plan was acted on. A rationale that led to nothing is history, never a target."""
        return self.call is not None or self.plan.decision is not Decision.CALL


class Outcome(StrEnum):
    """How a trajectory ended."""

    ANSWERED = "answered"
    GAVE_UP = "gave_up"
    OUT_OF_BUDGET = "out_of_budget"
    UNFINISHED = "unfinished"


class Trajectory(Frozen):
    """A query, the tools offered, the steps taken and the answer."""

    query: str
    tools: tuple[Tool, ...] = ()
    steps: tuple[Step, ...] = ()
    answer: str | None = None
    outcome: Outcome = Outcome.UNFINISHED
    id: str = ""
    """Where it came from: unique within a data set."""
    meta: Mapping[str, Any] = Field(default_factory=dict)
    """Facts a reader or generator wants to keep (kind, split, source); never shown to a model."""

    def extend(self, step: Step) -> Trajectory:
        """Return a new trajectory with one more step."""
        return self.model_copy(update={"steps": (*self.steps, step)})

    def replace_last(self, step: Step) -> Trajectory:
        """Return a new trajectory whose last step is `step` (a call or observation was filled in)."""
        return self.model_copy(update={"steps": (*self.steps[:-1], step)})

    def finish(self, outcome: Outcome, answer: str | None = None) -> Trajectory:
        """Return the trajectory with its end recorded."""
        return self.model_copy(update={"outcome": outcome, "answer": answer})

    @property
    def tool_names(self) -> frozenset[str]:
        """Names of the tools offered."""
        return frozenset(tool.name for tool in self.tools)
