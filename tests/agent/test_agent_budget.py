"""Every budget ends a run, says so, and cannot be nonsense."""

from __future__ import annotations

import threading
import time
from typing import Any, Literal

import pytest

from alpha_umi.agent.runner import Agent
from alpha_umi.agent.state import Budget, Result, StopReason, faults_in_a_row, repeats_in_a_row
from alpha_umi.errors import UsageError
from alpha_umi.models.protocol import Completion, Request
from alpha_umi.models.scripted import ScriptedModel
from alpha_umi.team_files import load_team
from alpha_umi.text.context_window import fit_to_context
from alpha_umi.text.layouts import Layout, load_layout
from alpha_umi.text.prompts import SHORTER_OBSERVATIONS
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step, Tool, Trajectory

GOOD = "Action: look\nAction Input: {}"
ROLES = ("planner", "caller", "summarizer")


class Counter:
    """A toolbox that gives a new number at each call, or always the same text."""

    tools = (Tool(name="look"),)

    def __init__(self, text: str | None = None) -> None:
        self._text = text
        self.calls = 0

    def invoke(self, call: Call) -> Observation:
        self.calls += 1
        return Observation(text=self._text if self._text is not None else str(self.calls))


def forever(plan: str = "Look. Next: caller.", call: str = GOOD, answer: str = "") -> dict[str, ScriptedModel]:
    """Models that write the same for ever."""
    return {
        role: ScriptedModel([text], repeat_last=True) for role, text in zip(ROLES, (plan, call, answer), strict=True)
    }


def run(models: Any, toolbox: Any = None, **budget: Any) -> Result:
    """Run under a budget."""
    agent = Agent.from_team("umi", tools=toolbox or Counter(), models=models, budget=Budget(**budget))
    return agent.run("What now?")


def assert_ended(result: Result, reason: StopReason) -> None:
    """No answer, out of budget, for that reason."""
    assert (result.answer, result.outcome, result.reason) == (None, Outcome.OUT_OF_BUDGET, reason)
    assert result.trajectory.outcome is Outcome.OUT_OF_BUDGET


def test_steps() -> None:
    toolbox = Counter()
    result = run(forever(), toolbox, max_steps=4)
    assert_ended(result, StopReason.STEPS)
    assert (len(result.trajectory.steps), toolbox.calls) == (4, 4)


def test_many_steps_meet_our_budget_and_not_langgraphs() -> None:
    assert len(run(forever(), max_steps=60).trajectory.steps) == 60


def test_tokens() -> None:
    result = run(forever(), max_tokens=500)
    assert_ended(result, StopReason.TOKENS)
    spent = [usage.tokens for usage in result.usage.values()]
    assert sum(spent) >= 500
    assert sum(spent) - max(spent) < 500


def test_what_was_paid_for_is_used() -> None:
    result = run({**forever(plan="Next: conclusion.", answer="Here.")}, max_tokens=90)
    assert result.answer == "Here."
    assert sum(usage.tokens for usage in result.usage.values()) > 90


class Endless(ScriptedModel):
    """Writes as long as it may."""

    def __init__(self) -> None:
        super().__init__([])

    def complete(self, request: Request) -> Completion:
        assert request.should_stop is not None
        while not request.should_stop():
            time.sleep(0.005)
        return Completion(text="hm", finish_reason="cancelled")


def test_seconds_hold_while_a_role_writes() -> None:
    started = time.monotonic()
    assert_ended(run({**forever(), "caller": Endless()}, max_seconds=0.3), StopReason.SECONDS)
    assert 0.3 <= time.monotonic() - started < 30


def test_seconds_hold_while_a_tool_hangs() -> None:
    free = threading.Event()

    class Hanging(Counter):
        def invoke(self, call: Call) -> Observation:
            free.wait(120)
            return super().invoke(call)

    started = time.monotonic()
    result = run(forever(), Hanging(), max_seconds=2)  # the two roles before the tool take a few ms of it
    free.set()
    assert_ended(result, StopReason.SECONDS)
    assert time.monotonic() - started < 60
    observation = result.trajectory.steps[0].observation
    assert observation is not None
    assert not observation.ok
    assert "time" in observation.text


@pytest.mark.parametrize("text", ["", "nothing to call", "Action: look\nAction Input: {"])
def test_faults(text: str) -> None:
    result = run(forever(call=text))
    assert_ended(result, StopReason.FAULTS)
    assert len(result.trajectory.steps) == 3
    assert all(step.call is not None and step.call.raw == text for step in result.trajectory.steps)


def test_empty_answers_are_faults() -> None:
    result = run(forever(plan="Next: conclusion."))
    assert_ended(result, StopReason.FAULTS)
    assert len(result.trajectory.steps) == 3


def test_a_usable_call_forgives_the_faults_before_it() -> None:
    calls = ["", "", GOOD, "", "", GOOD]
    models = {**forever(), "caller": ScriptedModel(calls)}
    assert_ended(run(models, max_steps=6), StopReason.STEPS)


def test_a_model_that_never_writes_a_marker_ends() -> None:
    result = run(forever(plan="I think about it"), max_steps=5)
    assert_ended(result, StopReason.STEPS)
    assert all(step.plan.fault == "no_marker" for step in result.trajectory.steps)
    assert_ended(run(forever(plan="", call="")), StopReason.FAULTS)


def test_a_single_model_that_never_writes_a_marker_ends() -> None:
    model = ScriptedModel(["I think about it"], repeat_last=True)
    result = Agent.from_team("single", tools=Counter(), models={"single": model}).run("What now?")
    assert_ended(result, StopReason.FAULTS)


def test_the_same_call_answered_alike() -> None:
    toolbox = Counter("nothing")
    assert_ended(run(forever(), toolbox), StopReason.REPETITION)
    assert toolbox.calls == 3
    assert_ended(run(forever(), Counter("nothing"), max_repeats=5, max_steps=4), StopReason.STEPS)


def test_the_same_call_answered_anew_is_no_repetition() -> None:
    assert_ended(run(forever(), Counter(), max_steps=6), StopReason.STEPS)


class Babbling(ScriptedModel):
    """Ends every completion with a finish reason of choice."""

    def __init__(self, text: str, reason: Literal["repetition", "context"]) -> None:
        super().__init__([text], repeat_last=True)
        self._reason = reason

    def complete(self, request: Request) -> Completion:
        return super().complete(request).model_copy(update={"finish_reason": self._reason})


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_repeats_its_words(role: str) -> None:
    plan = "Next: conclusion." if role == "summarizer" else "Look. Next: caller."
    toolbox = Counter()
    result = run({**forever(plan=plan), role: Babbling("so so so so", "repetition")}, toolbox)
    assert_ended(result, StopReason.REPETITION)
    assert toolbox.calls == 0
    assert "so so so so" in result.trajectory.model_dump_json()


def test_a_model_without_room() -> None:
    assert_ended(run({**forever(), "planner": Babbling("", "context")}), StopReason.CONTEXT)
    models = {**forever(), "planner": ScriptedModel(["Next: caller."], context_length=200)}
    assert_ended(run(models), StopReason.CONTEXT)


def test_observations_are_cut_before_a_run_is_out_of_context() -> None:
    team = load_team("umi")
    room = 500 + team.planner.generation.max_new_tokens
    planner = ScriptedModel(["Next: caller.", "Next: give up."], context_length=room)
    result = run({**forever(), "planner": planner}, Counter("a " * 1000))
    assert result.outcome is Outcome.GAVE_UP
    assert 100 < planner.count_tokens(planner.requests[1].messages) <= 500
    observation = result.trajectory.steps[0].observation
    assert observation is not None
    assert len(observation.text) == 2000


@pytest.mark.parametrize("layout", [load_layout("paper"), load_layout("shared")])
@pytest.mark.parametrize("ask", ["planner", None])
def test_fit_takes_the_longest_observations_that_fit(layout: Layout, ask: str | None) -> None:
    plan = Plan(rationale="Look.", decision=Decision.CALL)
    step = Step(plan=plan, call=Call(tool="look"), observation=Observation(text="z" * 3000))
    trajectory = Trajectory(query="q", tools=Counter.tools, steps=(step, step))

    def count(messages: Any) -> int:
        return sum(len(message.content) for message in messages)

    def chars(room: int) -> int | None:
        fitted = fit_to_context(
            trajectory,
            role="planner",
            layout=layout,
            ask=ask,
            observation_chars=2048,
            count=count,
            max_prompt_tokens=room,
        )
        assert fitted is None or fitted.tokens == count(fitted.conversation.messages) <= room
        return None if fitted is None else fitted.observation_chars

    sizes = [chars(room) for room in range(0, 8000, 50)]
    kept = [size for size in sizes if size is not None]
    assert sizes[0] is None
    assert kept == sorted(kept)
    assert set(kept) == {2048, *SHORTER_OBSERVATIONS}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"max_steps": 0}, "max_steps"),
        ({"max_steps": -1}, "max_steps"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_seconds": 0}, "max_seconds"),
        ({"max_seconds": float("nan")}, "max_seconds"),
        ({"max_faults": 0}, "max_faults"),
        ({"max_repeats": 1}, "max_repeats"),
        ({"max_steps": "many"}, "max_steps"),
        ({"steps": 3}, "unknown key"),
    ],
)
def test_a_budget_that_cannot_be(values: dict[str, Any], found: str) -> None:
    with pytest.raises(UsageError, match=found) as caught:
        Budget(**values)
    assert "\n" not in str(caught.value)


def test_all_mistakes_of_a_budget_at_once() -> None:
    with pytest.raises(UsageError, match=r"max_steps.*max_seconds"):
        Budget(max_steps=0, max_seconds=-1)


def test_counting_looks_at_the_end_only() -> None:
    plan = Plan(rationale="", decision=Decision.CALL)
    bad = Step(plan=plan, call=Call(tool="none", fault="empty"), observation=Observation(text="no", ok=False))
    good = Step(plan=plan, call=Call(tool="look"), observation=Observation(text="1"))
    ends = {"": (0, 0), "b": (1, 0), "bb": (2, 0), "bg": (0, 1), "gg": (0, 2), "gbg": (0, 1), "gb": (1, 0)}
    for pattern, (faults, repeats) in ends.items():
        trajectory = Trajectory(query="q", steps=tuple(bad if letter == "b" else good for letter in pattern))
        assert (faults_in_a_row(trajectory), repeats_in_a_row(trajectory)) == (faults, repeats), pattern
