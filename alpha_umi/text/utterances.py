"""What was said in a trajectory, in order: by the user, the environment, and each role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from alpha_umi.roles import Role, Writes, cast_of
from alpha_umi.text import output_format
from alpha_umi.trajectory import Call, Step, Trajectory

INVALID_TOOL = "invalid_hallucination_function_name"
"""What ToolBench writes in place of a function name that the model invented."""

SINGLE, OBSERVATION = "single", "observation"
"""What a role that writes whole turns, and what comes back from a tool, are called in a conversation."""

USER = "user"
"""Whose words are in `Step.said` where a run asked the user."""


class Utterance(NamedTuple):
    """Something said: by the user, the environment, or (as the text of an assistant message) a role."""

    speaker: str
    text: str
    step: int = -1
    target: bool = False


def of_step(
    trajectory: Trajectory, i: int, roles: Mapping[str, Role], *, alone: bool, ask: str | None
) -> Iterator[Utterance]:
    """What was said in a step, in order, each with whether it is worth training on (α-UMi, released preprocessing)."""
    step, last = trajectory.steps[i], len(trajectory.steps) - 1
    if step.prompt:
        yield Utterance(USER, step.prompt)
    if alone:
        yield _whole_turn(trajectory, i, step)
    else:
        yield from _planned(trajectory, i, roles, asks_caller=i == last and _is_caller(ask, roles))
    if step.observation is not None:
        yield Utterance(OBSERVATION, step.observation.text)
    if not alone:
        summarizer = cast_of(roles).summarizer
        if i == last and trajectory.answer is not None:
            answer = output_format.format_answer(trajectory.answer)
            yield Utterance(summarizer, answer, last, answer != output_format.NO_TOOL)
        yield from _said(i, step, roles, summarizer)


def _planned(trajectory: Trajectory, i: int, roles: Mapping[str, Role], *, asks_caller: bool) -> Iterator[Utterance]:
    """The plan of a step, and the call."""
    step, cast = trajectory.steps[i], cast_of(roles)
    decided = step.is_decision or asks_caller
    text = output_format.format_plan(step.plan, roles[cast.planner].markers) if decided else step.plan.rationale
    known = not _hallucinated(step.call, trajectory)
    yield Utterance(cast.planner, text, i, step.is_decision and known)
    if step.call is not None:
        yield Utterance(cast.caller, output_format.format_call(step.call), i, known)


def _is_caller(ask: str | None, roles: Mapping[str, Role]) -> bool:
    return ask is not None and ask in roles and roles[ask].writes is Writes.CALL


def _said(i: int, step: Step, roles: Mapping[str, Role], summarizer: str) -> Iterator[Utterance]:
    """What else was said in a step. An answer that was sent back is no target, and its verdict is one; a role that the
    team has not is not heard."""
    for name, text in step.said.items():
        if name == USER or name in roles:
            yield Utterance(name, text, i, name not in {USER, summarizer})


def _whole_turn(trajectory: Trajectory, i: int, step: Step) -> Utterance:
    """One merged turn a step, hallucinated calls included (released preprocessing of the backbone)."""
    if not step.is_decision:
        return Utterance(SINGLE, step.plan.rationale, i, False)
    is_end = i == len(trajectory.steps) - 1  # an earlier conclusion led to no answer and the trajectory went on
    answer = trajectory.answer if is_end else None
    turn = output_format.format_turn(output_format.ParsedTurn(step.plan, step.call, answer))
    # One model has no answer that was sent back, and no question to the user.
    return Utterance(SINGLE, turn, i, not step.said or answer is not None)


def _hallucinated(call: Call | None, trajectory: Trajectory) -> bool:
    """Whether a call names a tool that was not offered, or cannot be read."""
    if call is None:
        return False
    return call.fault is not None or call.tool == INVALID_TOOL or call.tool not in trajectory.tool_names


def without_steps(trajectory: Trajectory, roles: Mapping[str, Role], *, alone: bool) -> Iterator[Utterance]:
    """The answer of a trajectory that has no step to which it would belong."""
    if not trajectory.steps and trajectory.answer is not None and not alone:
        yield Utterance(cast_of(roles).summarizer, output_format.format_answer(trajectory.answer), -1, True)
