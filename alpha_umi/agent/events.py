"""What happens in a run, as typed events in the order in which it happens.

Nodes write them to LangGraph's `custom` stream; `Agent.stream` yields them. Plain data, like the state.
"""

from __future__ import annotations

from typing import Literal

from alpha_umi.agent.approval import ApprovalRequest
from alpha_umi.agent.state import Result
from alpha_umi.trajectory import Call, Frozen, Observation, Plan


class Token(Frozen):
    """A piece of text that a role has just written; a role's first piece after another's begins its turn."""

    kind: Literal["token"] = "token"
    role: str
    text: str


class Restarted(Frozen):
    """A role writes its turn anew, for the connection to its server was lost: its pieces so far are void."""

    kind: Literal["restarted"] = "restarted"
    role: str


class Decided(Frozen):
    """A plan, read from what the planner wrote."""

    kind: Literal["decided"] = "decided"
    role: str
    plan: Plan


class Called(Frozen):
    """A call, read from what the caller wrote, about to be carried out unless it has a fault."""

    kind: Literal["called"] = "called"
    call: Call


class Observed(Frozen):
    """What came back: from a tool, or from the agent itself when an output was unusable."""

    kind: Literal["observed"] = "observed"
    observation: Observation


class Reviewed(Frozen):
    """A further role has read the answer."""

    kind: Literal["reviewed"] = "reviewed"
    role: str
    choice: str | None
    """What it chose; None where that cannot be read or was chosen too often, so that the answer stands."""


class Backtracked(Frozen):
    """The search left a path and goes on from an earlier point."""

    kind: Literal["backtracked"] = "backtracked"
    steps: int
    """Steps of the path that are kept."""
    why: str


class Asked(Frozen):
    """A call waits for approval, or a tool or the planner asks the user; the run pauses until there is a reply."""

    kind: Literal["asked"] = "asked"
    ask: ApprovalRequest


class Finished(Frozen):
    """The last event of a run, or of a part of it that ends in a question to a person (`result.pending`)."""

    kind: Literal["finished"] = "finished"
    result: Result


AgentEvent = Token | Restarted | Decided | Called | Observed | Reviewed | Backtracked | Asked | Finished
"""Whatever `Agent.stream` yields and `on_event` is told; `kind` says which it is."""
