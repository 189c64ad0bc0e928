"""What the graph carries from node to node, what a run may spend, and what it ends with.

The state holds typed values that are stored as plain data (`channels`), so that any checkpointer takes them and a
person can read them; the trajectory is derived from them. The caches of the models live outside, under the state's
session. Knows nothing of models, tools or LangGraph's wiring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langgraph.channels import DeltaChannel
from langgraph.graph.message import _messages_delta_reducer
from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    SerializeAsAny,
    ValidationError,
    model_serializer,
    model_validator,
)
from typing_extensions import TypedDict  # not typing's: before Python 3.12 pydantic makes no JSON Schema of that

from alpha_umi.agent.approval import ApprovalRequest
from alpha_umi.agent.channels import SNAPSHOT_EVERY, Grown, Kept, Version
from alpha_umi.agent.search.frontier import Frontier
from alpha_umi.agent.search.tree import End, Tree, grown, kinds
from alpha_umi.agent.stored import Data, read_step, read_tool, stored_step, stored_tool
from alpha_umi.config import config_mistakes
from alpha_umi.errors import UsageError
from alpha_umi.models.protocol import Completion
from alpha_umi.trajectory import Frozen, Outcome, Step, Tool, Trajectory


class StopReason(StrEnum):
    """Why a run ended without an answer."""

    PLANNER = "planner"
    """The planner gave up."""
    STEPS = "steps"
    TOKENS = "tokens"
    SECONDS = "seconds"
    FAULTS = "faults"
    """Too many unusable outputs in a row."""
    REPETITION = "repetition"
    """The same call was answered alike several times in a row, or a role repeated its own words."""
    CONTEXT = "context"
    """The prompt no longer fits the model, however short its observations are cut."""
    CALLS = "calls"
    """A search has tried as many steps as it may."""
    EXHAUSTED = "exhausted"
    """A search has tried every path that it may, and none led to an answer."""


class Budget(Frozen):
    """What one run may spend; whichever limit is met first ends it."""

    max_steps: int = Field(default=12, gt=0)
    """Plans made on one path; the one that leads to the answer counts too."""
    max_tokens: int = Field(default=200_000, gt=0)
    """Prompt tokens encoded and tokens written, by all roles; the completion that goes over it is still used."""
    max_seconds: float = Field(default=600.0, gt=0)
    """Time inside the run; holds while a role writes and while a tool works."""
    max_faults: int = Field(default=3, gt=0)
    """Unusable outputs in a row on one path."""
    max_repeats: int = Field(default=3, gt=1)
    """Times in a row that the same call may be answered alike on one path."""
    max_history_chars: int = Field(default=2000, ge=0)
    """Characters of a thread's earlier questions and answers that a later question is told with; 0 tells nothing."""

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_line(cls, value: Any, handler: ModelWrapValidatorHandler[Budget]) -> Budget:
        try:
            return handler(value)
        except ValidationError as error:
            raise UsageError("budget: " + "; ".join(config_mistakes(error))) from None


class Usage(Frozen):
    """What one role cost."""

    calls: int = 0
    prompt_tokens: int = 0
    encoded_tokens: int = 0
    """Prompt tokens that no cache held."""
    completion_tokens: int = 0
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """What counts against `Budget.max_tokens`."""
        return self.encoded_tokens + self.completion_tokens

    def add(self, completion: Completion, *, seconds: float) -> Usage:
        """Return the usage with one completion more."""
        return Usage(
            calls=self.calls + 1,
            prompt_tokens=self.prompt_tokens + completion.prompt_tokens,
            encoded_tokens=self.encoded_tokens + completion.encoded_tokens,
            completion_tokens=self.completion_tokens + completion.completion_tokens,
            seconds=self.seconds + seconds,
        )


class Result(Frozen):
    """How a run ended."""

    answer: str | None
    outcome: Outcome
    reason: StopReason | None = None
    """Why there is no answer; None when there is one."""
    seconds: float = 0.0
    usage: Mapping[str, Usage] = Field(default_factory=dict)
    trajectory: Trajectory
    """The path that ended the run: the answer's, else the first that gave up, else the longest."""
    pending: ApprovalRequest | None = None
    """What the run waits for a person to say; then it is not over, and `Agent.resume` goes on with it."""
    tree: SerializeAsAny[Tree] | None = None
    """Everything that a search tried; None where there was one path, which is the trajectory."""

    @property
    def attempts(self) -> list[Trajectory]:
        """Every path that was tried to its end, in order."""
        if self.tree is None:
            return [self.trajectory]
        return [path_trajectory(self.trajectory, self.tree, leaf) for leaf in self.tree.leaves()]


class Messages(TypedDict):
    """The graph's public input and output, as of LangChain's `create_agent`."""

    messages: Annotated[list[AnyMessage], DeltaChannel(_messages_delta_reducer, snapshot_frequency=SNAPSHOT_EVERY)]


class Question(Frozen):
    """What a run is asked, and the tools that it was begun with."""

    query: str
    tools: tuple[Annotated[Tool, BeforeValidator(read_tool)], ...] = ()

    @model_serializer
    def stored(self) -> Data:
        """As a checkpointer stores it."""
        return {"query": self.query, "tools": [stored_tool(tool) for tool in self.tools]}


def _asked(_: Question | None, writes: Sequence[Any]) -> Question:
    return Question.model_validate(writes[-1])


def _grown(tree: Tree | None, writes: Sequence[Data]) -> Tree | None:
    for write in writes:
        tree = Tree.model_validate(write["begin"]) if tree is None or "begin" in write else grown(tree, write)
    return tree


def _thought(thoughts: Thoughts | None, writes: Sequence[Data]) -> Thoughts:
    """Each write says after how many of the thoughts so far its own come: none at the beginning of a run."""
    for write in writes:
        thoughts = (*(thoughts or ())[: write["after"]], *((role, node, text) for role, node, text in write["thought"]))
    return thoughts or ()


StoredStep = Annotated[Step, BeforeValidator(read_step)]

Thoughts = tuple[tuple[str, int, str], ...]
"""What roles thought aloud: the role, the tree's node that its step became, and the words."""


class State(Messages):
    """The graph's inner state."""

    version: Annotated[int, Version]
    session: str
    """Names the episode to the models' caches."""
    task: Annotated[Question, Grown(_asked)]
    tree: Annotated[Tree, Grown(_grown)]
    """All paths, and where the search is."""
    node: int
    """The tree's node at which the steps of the path that are complete end."""
    draft: Annotated[Step | None, Kept(StoredStep | None, store=stored_step)]
    """The step under way."""
    prompt: str
    """What the planner is told before its next step."""
    thoughts: Annotated[Thoughts, Grown(_thought)]
    notes: dict[str, str]
    """What has no place in a step."""
    usage: Annotated[dict[str, Usage], Kept(dict[str, Usage])]
    seconds: float
    outcome: Annotated[Outcome, Kept(Outcome)]
    reason: Annotated[StopReason | None, Kept(StopReason | None)]
    sensitive: list[str]
    """Tools that a person is asked about, as the run was begun (`ToolExecutor.requires_approval`)."""
    approved: str
    """Key of the call that a person has let happen."""
    next: str
    """The graph's node whose turn it is."""


GROWN = ("messages", "task", "tree", "thoughts")
"""Those of which only the changes are stored."""


def stored_whole() -> list[tuple[str, str]]:
    """Names of the types of grown values, by which a checkpointer finds them where it has stored one whole."""
    types: list[type] = [Question, Frontier, *kinds()]
    return [(kind.__module__, kind.__name__) for kind in types]


def path_trajectory(of: Trajectory, tree: Tree, node: int) -> Trajectory:
    """The path to a node of a tree as a trajectory of the same question, with its end."""
    end = tree.nodes[node]
    outcome = {End.ANSWER: Outcome.ANSWERED, End.GIVE_UP: Outcome.GAVE_UP, End.DEAD: Outcome.OUT_OF_BUDGET}
    return of.model_copy(
        update={
            "steps": tree.steps(node),
            "answer": end.answer,
            "outcome": Outcome.UNFINISHED if end.end is None else outcome[end.end],
        }
    )


def faults_in_a_row(trajectory: Trajectory) -> int:
    """How many of the last steps led to nothing because an output was unusable."""
    count = 0
    for step in reversed(trajectory.steps):
        if step.observation is None or (step.call is not None and step.call.fault is None):
            break
        count += 1
    return count


def repeats_in_a_row(trajectory: Trajectory) -> int:
    """How many of the last steps made the same readable call and saw the same."""
    count = 0
    for step in reversed(trajectory.steps):
        last = trajectory.steps[-1]
        if step.call is None or last.call is None or step.call.fault is not None:
            break
        same_call = (step.call.tool, step.call.arguments) == (last.call.tool, last.call.arguments)
        if not same_call or step.observation != last.observation:
            break
        count += 1
    return count
