"""Teacher-forced prediction: at each point the history is the reference's, and the team writes that one step.

The planner is asked first, then the caller or the summarizer with the plan the planner wrote, not the reference's
(α-UMi, released code, `infer_pipeline.py`; here greedy and in the order of the data). Who is asked is said by the rule
that reads the planner's text: the agent's, or the published one. Knows nothing of scores or files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from alpha_umi.evaluation.static.decision_points import Case, Point, Prediction, own_markers
from alpha_umi.models.protocol import Completion, Model, Request, session_of
from alpha_umi.roles import Role, RoleName, Team
from alpha_umi.text import output_format
from alpha_umi.text.context_window import fit_to_context
from alpha_umi.text.layouts import Layout
from alpha_umi.tools.protocol import writable
from alpha_umi.trajectory import Decision, Outcome, Plan, Step, Trajectory

BATCH = 16
"""Trajectories predicted side by side by models that complete many requests at once."""

ReadPlan = Callable[[str, Mapping[str, str]], Plan]
"""Reads a planner's text with its markers: `output_format.parse_plan`, or what else a scorer's `routing` says."""

_NOT_ASKED = Completion(text="", finish_reason="context")


def predict(
    cases: Sequence[Case],
    *,
    team: Team,
    models: Mapping[str, Model],
    done: Collection[int] = (),
    batch: int = BATCH,
    read_plan: ReadPlan = output_format.parse_plan,
) -> Iterator[list[Prediction]]:
    """Predict every point that is not done, yielding the predictions made together.

    Args:
        cases: trajectories with their points.
        team: its layout, limits and generation settings; decoding is always greedy.
        models: a model for each role of the team, by its name.
        done: numbers of the points to leave out.
        batch: trajectories side by side, where every model has `complete_many`.
        read_plan: the rule by which the planner's text says who is asked next.
    """
    left = [Case(case.trajectory, tuple(p for p in case.points if p.n not in done)) for case in cases]
    left = [case for case in left if case.points]
    width = batch if all(hasattr(model, "complete_many") for model in models.values()) else 1
    for start in range(0, len(left), width):
        side_by_side = left[start : start + width]
        try:
            for points in zip_longest(*(case.points for case in side_by_side)):
                drafts = [_Draft(c.trajectory, p) for c, p in zip(side_by_side, points, strict=True) if p is not None]
                yield _predict_together(drafts, team, models, read_plan)
        finally:
            for case in side_by_side:
                for role, model in models.items():
                    model.release(_session(case.points[0], role, team.layout))


def complete_all(model: Model, requests: Sequence[Request]) -> list[Completion]:
    """Complete requests, at once where the model has `complete_many(requests)`, else one by one."""
    many = getattr(model, "complete_many", None)
    if many is not None and len(requests) > 1:
        return list(many(requests))
    return [model.complete(request) for request in requests]


def _session(point: Point, role: str, layout: Layout) -> str:
    return session_of(f"static/{point.id}", role, layout)


def history(trajectory: Trajectory, step: int, plan: Plan | None = None) -> tuple[Trajectory, str | None]:
    """The reference up to a step and, once the planner has spoken, the plan it wrote there.

    Returns:
        The trajectory so far, and what the user said before the step if nobody has answered it yet.
    """
    said = trajectory.steps[step].prompt
    spoken = () if plan is None else (Step(plan=plan, prompt=said),)
    before = {"steps": (*trajectory.steps[:step], *spoken), "answer": None, "outcome": Outcome.UNFINISHED}
    return trajectory.model_copy(update=before), said if plan is None else None


@dataclass
class _Draft:
    """A prediction under way."""

    trajectory: Trajectory
    point: Point
    plan: Plan | None = None
    written: dict[str, Completion] = field(default_factory=dict)
    read: dict[str, Completion] = field(default_factory=dict)
    """What a role that reads the reference's answer wrote."""
    chosen: dict[str, str] = field(default_factory=dict)

    def finish(self, seconds: float, markers: Mapping[str, str]) -> Prediction:
        completions = [*self.written.values(), *self.read.values()]
        return Prediction(
            **dict(self.point),
            predicted={role: writable(c.text) for role, c in self.written.items()},
            finish={role: c.finish_reason for role, c in {**self.written, **self.read}.items()},
            chosen=self.chosen,
            markers=markers,
            fault="context" if any(c.finish_reason == "context" for c in completions) else None,
            prompt_tokens=sum(c.prompt_tokens for c in completions),
            encoded_tokens=sum(c.encoded_tokens for c in completions),
            completion_tokens=sum(c.completion_tokens for c in completions),
            seconds=round(seconds, 4),
        )


def _predict_together(
    drafts: Sequence[_Draft], team: Team, models: Mapping[str, Model], read_plan: ReadPlan
) -> list[Prediction]:
    """One step of each draft's trajectory: first the planner for all, then whom each plan names."""
    began = time.perf_counter()
    if team.single:
        _ask(RoleName.SINGLE, team.planner, drafts, team, models)
    else:
        _ask(RoleName.PLANNER, team.planner, drafts, team, models)
        for draft in drafts:
            if draft.written[RoleName.PLANNER].finish_reason != "context":
                draft.plan = read_plan(draft.written[RoleName.PLANNER].text, team.planner.markers)
        for part, role, decision in (
            (RoleName.CALLER, team.caller, Decision.CALL),
            (RoleName.SUMMARIZER, team.summarizer, Decision.SUMMARIZE),
        ):
            _ask(part, role, [d for d in drafts if d.plan is not None and d.plan.decision is decision], team, models)
    if team.reader is not None:
        _read_answers(team.reader, [d for d in drafts if team.reader.name in d.point.choices], team, models)
    each = (time.perf_counter() - began) / len(drafts)
    markers = own_markers(team.planner)
    return [draft.finish(each, markers) for draft in drafts]


def _ask(part: RoleName, role: Role, drafts: Sequence[_Draft], team: Team, models: Mapping[str, Model]) -> None:
    """Ask one role at each draft, whatever the team calls it."""
    prompts = [_Prompt(d.point, *history(d.trajectory, d.point.step, d.plan)) for d in drafts]
    for draft, completion in zip(drafts, _written(role, prompts, team, models[role.name]), strict=True):
        draft.written[part] = completion


def _read_answers(reader: Role, drafts: Sequence[_Draft], team: Team, models: Mapping[str, Model]) -> None:
    """Let a role judge the answers of the reference, which stand where the agent's own would."""
    prompts = [_Prompt(d.point, _answered(d, team.summarizer.name)) for d in drafts]
    for draft, completion in zip(drafts, _written(reader, prompts, team, models[reader.name]), strict=True):
        draft.read[reader.name] = completion
        draft.chosen[reader.name] = output_format.parse_choice(completion.text, reader.markers).choice or ""


def _answered(draft: _Draft, summarizer: str) -> Trajectory:
    """The reference up to the answer of a draft's step."""
    step = draft.trajectory.steps[draft.point.step]
    answer = step.said.get(summarizer, draft.trajectory.answer or "")
    past, _ = history(draft.trajectory, draft.point.step)
    return past.model_copy(update={"steps": (*past.steps, step.model_copy(update={"said": {summarizer: answer}}))})


@dataclass(frozen=True)
class _Prompt:
    """What a role is to continue."""

    point: Point
    past: Trajectory
    follow_up: str | None = None


def _written(role: Role, prompts: Sequence[_Prompt], team: Team, model: Model) -> list[Completion]:
    """What one role writes after each prompt; it is not asked where the prompt does not fit the context."""
    # Evaluation must give the same numbers twice, whatever the role decodes with elsewhere.
    greedy = role.generation.model_copy(update={"temperature": 0.0, "seed": 0})
    written = [_NOT_ASKED] * len(prompts)
    requests: dict[int, Request] = {}
    for i, prompt in enumerate(prompts):
        fitted = fit_to_context(
            prompt.past,
            role=role.name,
            layout=team.layout,
            roles=team.roles,
            ask=role.name,
            follow_up=prompt.follow_up,
            observation_chars=team.observation_chars,
            count=model.count_tokens,
            max_prompt_tokens=model.context_length - role.generation.max_new_tokens,
        )
        if fitted is not None:
            session = _session(prompt.point, role.name, team.layout)
            requests[i] = Request(messages=fitted.conversation.messages, generation=greedy, session=session)
    for i, completion in zip(requests, complete_all(model, [*requests.values()]), strict=True):
        written[i] = completion
    return written
