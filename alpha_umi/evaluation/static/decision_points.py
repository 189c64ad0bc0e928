"""Trajectories -> decision points, the steps on which static evaluation asks a team to decide.

The population is that of α-UMi's static test (released code, `infer_pipeline.py`): every step whose plan was acted on.
A rationale that led to nothing stays in the history and is never scored. Knows neither models nor scores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from alpha_umi.errors import DataError
from alpha_umi.roles import Role, RoleName, Writes
from alpha_umi.text import output_format
from alpha_umi.trajectory import Decision, Frozen, Step, Trajectory

_WANTED = {Decision.CALL: RoleName.CALLER, Decision.SUMMARIZE: RoleName.SUMMARIZER}


class Point(Frozen):
    """One scored step: where it stands and what the reference says there (α-UMi §4, static evaluation)."""

    n: int
    """Position among all points of the data set."""
    id: str
    """The trajectory, unique in the data set."""
    step: int
    decision: Decision
    reference: Mapping[str, str]
    """Target text of each role that speaks at this step; a missing answer is `none`, as in the released data."""
    tools: tuple[str, ...]
    """Names of the tools offered."""
    choices: Mapping[str, str] = {}
    """What a role that reads the answer of this step chose, by its name."""


class Prediction(Point):
    """A point with what a team wrote there."""

    predicted: Mapping[str, str]
    """Raw text of each role that was asked, `single` or the planner first; empty where the prompt did not fit. What a
    team calls them makes no difference: the keys are planner, caller, summarizer and single."""
    markers: Mapping[str, str] = {}
    """The planner's markers by decision, in order of precedence; empty for the published ones."""
    finish: Mapping[str, str]
    """Why each of them, and each in `chosen`, stopped (`Completion.finish_reason`)."""
    chosen: Mapping[str, str] = {}
    """What each role in `choices` chose of the reference's answer; empty where that cannot be read."""
    fault: str | None = None
    """`context` when a role could not be asked because its prompt does not fit the model."""
    prompt_tokens: int = 0
    encoded_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    def not_asked(self, decision: Decision) -> str | None:
        """A fault where a decision wants a role that was not asked: the planner was read by another rule then."""
        role = _WANTED.get(decision)
        return f"{role}: not_asked" if role and role not in self.predicted and self.fault is None else None


class Case(NamedTuple):
    """A trajectory with its points."""

    trajectory: Trajectory
    points: tuple[Point, ...]


def decision_points(trajectories: Iterable[Trajectory], *, reader: Role | None = None) -> Iterator[Case]:
    """Find the scored steps of each trajectory, in order; empty and repeated ids are made unique.

    Args:
        trajectories: the references.
        reader: the role of the team that reads its answers, whose choices are compared too.

    Raises:
        DataError: a reference plan cannot be written as a target.
    """
    seen: Counter[str] = Counter()
    n = 0
    for number, trajectory in enumerate(trajectories):
        name = trajectory.id or f"#{number}"
        seen[name] += 1
        name = name if seen[name] == 1 else f"{name}#{seen[name]}"
        tools = tuple(tool.name for tool in trajectory.tools)
        points = []
        for i, step in enumerate(trajectory.steps):
            if step.is_decision and step.plan.decision is not Decision.ASK_USER:  # whom to ask is not scored
                reference = _reference(trajectory, i, step)
                decision = step.plan.decision
                chose = _choices(step, reader)
                points.append(
                    Point(n=n, id=name, step=i, decision=decision, reference=reference, tools=tools, choices=chose)
                )
                n += 1
        yield Case(trajectory, tuple(points))


def own_markers(planner: Role) -> Mapping[str, str]:
    """A planner's markers, where it has others than the published ones."""
    return {} if planner.writes is Writes.TURN or planner.markers == output_format.MARKERS else planner.markers


def _choices(step: Step, reader: Role | None) -> dict[str, str]:
    if reader is None or reader.name not in step.said:
        return {}
    choice = output_format.parse_choice(step.said[reader.name], reader.markers).choice
    return {} if choice is None else {reader.name: choice}


def _reference(trajectory: Trajectory, i: int, step: Step) -> dict[str, str]:
    try:
        texts: dict[str, str] = {RoleName.PLANNER: output_format.format_plan(step.plan)}
    except ValueError as error:
        raise DataError(f"trajectory {trajectory.id!r} step {i}: {error}") from error
    if step.plan.decision is Decision.CALL and step.call is not None:
        texts[RoleName.CALLER] = output_format.format_call(step.call)
    elif step.plan.decision is Decision.SUMMARIZE:
        # A conclusion that the trajectory went on from gave no answer.
        ends = i == len(trajectory.steps) - 1
        texts[RoleName.SUMMARIZER] = output_format.format_answer((trajectory.answer or "") if ends else "")
    return texts
