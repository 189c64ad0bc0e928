"""What the gym knows of a task: the solution that was executed, and all that the verifier and the world need.

In a data set a task is its solution, a Trajectory, with the rest in its `meta`. Knows nothing of how tasks are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import StrictInt, StringConstraints, ValidationError, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from alpha_umi.config import config_mistakes
from alpha_umi.errors import UsageError
from alpha_umi.tasks import Task
from alpha_umi.trajectory import Call, Frozen, Observation, Outcome, Trajectory
from alpha_umi_gym.faults import Fault

Kind = Literal["single", "sequential", "branching", "aggregation", "state_change", "recovery", "unsolvable"]

_Text = Annotated[str, StringConstraints(pattern=r"\S")]


class Exact(Frozen):
    """A text that an answer must give letter for letter."""

    exact: _Text


class Choice(Frozen):
    """The one of several things that an answer must choose."""

    choice: _Text
    among: tuple[_Text, ...]

    @model_validator(mode="after")
    def _is_among(self) -> Self:
        if self.choice not in self.among:
            raise ValueError("the choice is none of those it is among")
        return self


def _fact(value: Any, validate: Any) -> Any:
    """One line for a fact of no known form, in place of one for each form."""
    try:
        return validate(value)
    except ValidationError:
        forms = "text, {'exact': text} or {'choice': text, 'among': texts with the choice}"
        raise PydanticCustomError("fact", "{forms}", {"forms": f"should be {forms}"}) from None


Fact = Annotated[_Text | Exact | Choice, WrapValidator(_fact)]
"""A value that an answer must state, whatever its case and form; or one of the stricter kinds."""

NOTES = ("kind", "why", "split", "seed", "faults", "facts", "changes", "calls", "wordings", "values")
"""What a data set keeps in the `meta` of a solution, in this order."""


class Withheld(Frozen):
    """What a request leaves open and its user knows, and what comes of it."""

    argument: str
    value: str
    """As the user says it."""
    call: Call
    observation: Observation
    facts: tuple[Fact, ...]
    changes: Mapping[str, Any]


class GymTask(Task):
    """A task in a world of the gym."""

    seed: StrictInt
    kind: Kind
    split: str
    why: str
    """Why it has no solution (missing tool, missing information, ...), or empty."""
    facts: tuple[Fact, ...]
    changes: Mapping[str, Any]
    """The state of each part of the world that the solution leaves changed."""
    gold: Trajectory
    faults: Mapping[str, Fault]
    """Which tool fails how."""
    wordings: tuple[str, ...] = ()
    """The templates that its request was worded with."""
    values: tuple[str, ...] = ()
    """The values of its request that belong to one side of the splits only."""
    withheld: Withheld | None = None
    """Of a request that leaves something open; not kept in a data set (`asking`)."""

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if strange := [tool for tool in self.faults if tool not in self.tool_names]:
            raise ValueError(f"its faults name {strange[0]!r:.60}, a tool that it does not offer")
        is_checked = bool(self.facts or self.changes)
        if self.gold.outcome is Outcome.UNFINISHED:
            raise ValueError("its solution is unfinished")
        if self.gold.outcome is Outcome.ANSWERED and not is_checked:
            raise ValueError("it has an answer, but its facts and changes are empty, so any answer would pass")
        if self.gold.outcome is Outcome.GAVE_UP and is_checked:
            raise ValueError("it has no solution, so its facts and changes should be empty")
        return self

    @property
    def stated(self) -> list[str]:
        """The facts that are plain values."""
        return [fact for fact in self.facts if isinstance(fact, str)]

    @property
    def calls(self) -> int:
        """How many calls its solution makes."""
        return sum(step.call is not None for step in self.gold.steps)

    def notes(self) -> dict[str, Any]:
        """What a data set keeps of it in the `meta` of its solution."""
        known = self.model_dump(mode="json", include=set(NOTES)) | {"calls": self.calls}
        return {key: known[key] for key in NOTES}

    def recorded(self) -> Trajectory:
        """Its solution as a data set keeps it."""
        said = {"id": self.id, "query": self.query, "tools": self.tools, "meta": self.notes()}
        return self.gold.model_copy(update=said)


def task_of(recorded: Trajectory) -> GymTask:
    """The task that a trajectory of a data set is the solution of.

    Raises:
        UsageError: its `meta` is not what the gym writes.
    """
    notes = {key: recorded.meta[key] for key in NOTES if key in recorded.meta and key != "calls"}
    whole = {"id": recorded.id, "query": recorded.query, "tools": recorded.tools}
    try:
        return GymTask.model_validate({**notes, **whole, "gold": recorded.model_copy(update={"meta": {}})})
    except ValidationError as error:
        mistake = " ".join(config_mistakes(error)[0].split())
        raise UsageError(f"'{recorded.id}' is no task of the gym: {mistake} (use gym:SPLIT)") from None
