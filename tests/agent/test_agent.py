"""The agent over scripted models: the loop, bad output, bad tools, events, and what is given back."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from alpha_umi.agent.events import AgentEvent, Called, Decided, Finished, Observed, Token
from alpha_umi.agent.runner import Agent
from alpha_umi.agent.state import Budget, StopReason
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.models.protocol import Completion, Request
from alpha_umi.models.scripted import ScriptedModel
from alpha_umi.team_files import load_team
from alpha_umi.testing import scripted_models
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Tool

QUESTION = "What is 2 + 3?"
CALL = 'Action: add\nAction Input: {"a": 2, "b": 3}'


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def one_call() -> dict[str, ScriptedModel]:
    """A run that calls once and answers."""
    return scripted_models(["I add. Next: caller.", "Done. Next: conclusion."], [CALL], ["It is 5."])


class Box:
    """A toolbox that does whatever a function does."""

    tools = (Tool(name="add"),)

    def __init__(self, invoke: Callable[[Call], Any]) -> None:
        self._invoke = invoke

    def invoke(self, call: Call) -> Observation:
        """Whatever the function gives."""
        seen: Observation = self._invoke(call)
        return seen


def test_a_question_is_planned_called_and_answered() -> None:
    models = one_call()
    result = Agent.from_team("umi", tools=[add], models=models).run(QUESTION)
    assert (result.answer, result.outcome, result.reason) == ("It is 5.", Outcome.ANSWERED, None)
    step, end = result.trajectory.steps
    assert step.call is not None
    assert (step.call.arguments, step.call.raw) == ({"a": 2, "b": 3}, CALL)
    assert step.observation == Observation(text="5")
    assert end.plan.decision is Decision.SUMMARIZE
    assert [tool.name for tool in result.trajectory.tools] == ["add"]
    assert result.trajectory.query == QUESTION


def test_usage_counts_each_role() -> None:
    models = one_call()
    result = Agent.from_team("umi", tools=[add], models=models).run(QUESTION)
    planner = result.usage["planner"]
    sent = [models["planner"].count_tokens(request.messages) for request in models["planner"].requests]
    assert (planner.calls, planner.prompt_tokens, planner.encoded_tokens) == (2, sum(sent), sum(sent))
    assert planner.completion_tokens == 7
    assert planner.tokens == sum(sent) + 7
    assert result.usage["caller"].calls == result.usage["summarizer"].calls == 1
    assert 0 < sum(usage.seconds for usage in result.usage.values()) <= result.seconds


def test_the_result_is_one_line_of_json() -> None:
    result = Agent.from_team("umi", tools=[add], models=one_call()).run(QUESTION)
    assert type(result).model_validate_json(result.model_dump_json()) == result


def test_the_planner_gives_up() -> None:
    result = Agent.from_team("umi", tools=[add], models=scripted_models(["I cannot. Next: give up."])).run(QUESTION)
    assert (result.answer, result.outcome, result.reason) == (None, Outcome.GAVE_UP, StopReason.PLANNER)


@pytest.mark.parametrize(("team", "sessions"), [("umi", 3), ("umi-shared", 1)])
def test_each_role_decodes_with_its_own_settings_over_its_own_conversation(team: str, sessions: int) -> None:
    models = one_call()
    agent = Agent.from_team(team, tools=[add], models=models)
    agent.run(QUESTION)
    requests = [request for model in models.values() for request in model.requests]
    for role, model in models.items():
        assert {request.generation for request in model.requests} == {agent.team.role(role).generation}
    assert len({request.session for request in requests}) == sessions
    assert all(request.session for request in requests)
    assert all(model.released == [model.requests[0].session] for model in models.values())


def test_roles_that_share_a_model_release_all_they_used() -> None:
    model = ScriptedModel(["Next: conclusion.", "Hi."])
    Agent.from_team("umi", models=dict.fromkeys(["planner", "caller", "summarizer"], model)).run("Hello?")
    assert {request.session for request in model.requests} < set(model.released)
    assert len(model.released) == len(set(model.released)) == 3


def test_an_empty_answer_is_given_back_to_the_planner() -> None:
    models = scripted_models(["Next: conclusion.", "Next: conclusion."], [], ["", "It is 5."])
    result = Agent.from_team("umi", models=models).run(QUESTION)
    assert result.answer == "It is 5."
    observation = result.trajectory.steps[0].observation
    assert observation is not None
    assert not observation.ok
    assert observation.text in models["planner"].requests[1].messages[-1].content


@pytest.mark.parametrize(
    ("text", "fault", "told"),
    [
        ("", "empty", "nothing was written"),
        ("I will add.", "no_action", "Action: TOOL"),
        ("Action: add\nAction Input: {a", "bad_json", "JSON"),
        ("Action: add\nAction Input: 5", "not_an_object", "JSON object"),
        ("Action: add\nAction Input: " + '{"a":' * 1000, "too_deep", "too deep"),
    ],
)
def test_an_unreadable_call_never_reaches_the_toolbox(text: str, fault: str, told: str) -> None:
    def refuse(call: Call) -> Observation:
        raise AssertionError(call)

    models = scripted_models(["Next: caller.", "Next: give up."], [text])
    result = Agent.from_team("umi", tools=Box(refuse), models=models).run(QUESTION)
    step = result.trajectory.steps[0]
    assert step.call is not None
    assert step.observation is not None
    assert (step.call.fault, step.call.raw, step.observation.ok) == (fault, text, False)
    assert told in step.observation.text


def test_an_unknown_tool_and_wrong_arguments_are_observations() -> None:
    models = scripted_models(
        ["Next: caller.", "Next: caller.", "Next: give up."],
        ["Action: subtract\nAction Input: {}", 'Action: add\nAction Input: {"a": "x"}'],
    )
    result = Agent.from_team("umi", tools=[add], models=models).run(QUESTION)
    unknown, wrong, _ = (step.observation for step in result.trajectory.steps)
    assert unknown is not None
    assert wrong is not None
    assert not unknown.ok
    assert "add" in unknown.text
    assert not wrong.ok


@pytest.mark.parametrize("error", [ValueError("no luck"), SystemExit(3), TimeoutError("slow")])
def test_a_toolbox_that_raises_fails_alone(error: BaseException) -> None:
    def fail(call: Call) -> Observation:
        raise error

    result = Agent.from_team("umi", tools=Box(fail), models=one_call()).run(QUESTION)
    observation = result.trajectory.steps[0].observation
    assert observation is not None
    assert not observation.ok
    assert type(error).__name__ in observation.text
    assert result.answer == "It is 5."


def test_a_toolbox_that_gives_no_observation_fails_alone() -> None:
    result = Agent.from_team("umi", tools=Box(lambda _: "5"), models=one_call()).run(QUESTION)
    observation = result.trajectory.steps[0].observation
    assert observation is not None
    assert "str" in observation.text
    assert not observation.ok


def test_half_a_character_can_be_recorded() -> None:
    text = 'Action: add\nAction Input: {"a": "\\ud83d", "b": null}'
    box = Box(lambda _: Observation(text="\ud83d"))
    models = scripted_models(["Next: caller.", "Next: give up."], [text])
    result = Agent.from_team("umi", tools=box, models=models).run(QUESTION)
    assert type(result).model_validate_json(result.model_dump_json()) == result
    call = result.trajectory.steps[0].call
    assert call is not None
    assert call.arguments == {"a": "?", "b": None}


def test_a_megabyte_reaches_no_prompt() -> None:
    models = one_call()
    agent = Agent.from_team("umi", tools=Box(lambda _: Observation(text="x" * 1_000_000)), models=models)
    agent.run(QUESTION)
    assert len(models["planner"].requests[1].messages[-1].content) < 2 * agent.team.observation_chars


def test_the_single_team_writes_whole_steps() -> None:
    model = ScriptedModel([f"I add.\n{CALL}", "I know.\nconclusion: It is 5."])
    result = Agent.from_team("single", tools=[add], models={"single": model}).run(QUESTION)
    assert result.answer == "It is 5."
    assert [step.plan.rationale for step in result.trajectory.steps] == ["I add.", "I know."]
    assert list(result.usage) == ["single"]


def test_the_single_team_gives_up() -> None:
    model = ScriptedModel(["Hm.\nconclusion: give up."])
    result = Agent.from_team("single", models={"single": model}).run(QUESTION)
    assert (result.answer, result.outcome) == (None, Outcome.GAVE_UP)


def test_events_tell_the_run_in_order() -> None:
    told: list[AgentEvent] = []
    result = Agent.from_team("umi", tools=[add], models=one_call()).run(QUESTION, on_event=told.append)
    kinds = [event.kind for event in told]
    assert kinds == ["token", "decided", "token", "called", "observed", "token", "decided", "token", "finished"]
    assert [event.role for event in told if isinstance(event, Token)] == ["planner", "caller", "planner", "summarizer"]
    assert [event.plan.decision for event in told if isinstance(event, Decided)] == [Decision.CALL, Decision.SUMMARIZE]
    assert [event.call.tool for event in told if isinstance(event, Called)] == ["add"]
    assert [event.observation.text for event in told if isinstance(event, Observed)] == ["5"]
    assert told[-1] == Finished(result=result)


def test_streaming_sync_and_async_tell_the_same() -> None:
    def told(events: list[AgentEvent]) -> list[Any]:
        return [event.model_dump(exclude={"result"}) for event in events]

    async def collect() -> list[AgentEvent]:
        return [event async for event in Agent.from_team("umi", tools=[add], models=one_call()).stream(QUESTION)]

    streamed = list(Agent.from_team("umi", tools=[add], models=one_call()).stream_sync(QUESTION))
    assert told(streamed) == told(asyncio.run(collect()))
    assert len(streamed) == 9


def test_run_works_inside_a_running_loop() -> None:
    async def notebook() -> str | None:
        return Agent.from_team("umi", tools=[add], models=one_call()).run(QUESTION).answer

    assert asyncio.run(notebook()) == "It is 5."


def test_a_failing_model_is_raised_and_everything_released() -> None:
    models = scripted_models(["Next: caller."], [])
    with pytest.raises(WorkError, match="holds 0 texts"):
        Agent.from_team("umi", tools=[add], models=models).run(QUESTION)
    episode = models["planner"].requests[0].session.removesuffix("/planner")
    assert all(f"{episode}/{role}" in model.released for role, model in models.items())


class Slow(ScriptedModel):
    """Writes until it is told to stop."""

    def __init__(self) -> None:
        super().__init__([])
        self.stopped = threading.Event()

    def complete(self, request: Request) -> Completion:
        self.requests.append(request)
        assert request.should_stop is not None
        assert request.on_text is not None
        while not request.should_stop():
            request.on_text("hm ")
            time.sleep(0.005)
        self.stopped.set()
        return Completion(text="hm", finish_reason="cancelled")


def test_closing_a_stream_stops_the_model_and_releases() -> None:
    slow = Slow()
    agent = Agent.from_team("umi", models={**scripted_models([]), "planner": slow})
    events = agent.stream_sync(QUESTION)
    assert isinstance(next(events), Token)
    events.close()  # type: ignore[attr-defined]
    assert slow.stopped.is_set()
    assert slow.requests[0].session in slow.released


def test_cancelling_a_task_stops_the_model_and_releases() -> None:
    slow = Slow()
    agent = Agent.from_team("umi", models={**scripted_models([]), "planner": slow})

    async def main() -> None:
        task = asyncio.create_task(agent.arun(QUESTION))
        while not slow.requests:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert slow.stopped.is_set()
    assert slow.requests[0].session in slow.released


def test_cancelling_does_not_wait_for_a_tool() -> None:
    begun, free = threading.Event(), threading.Event()

    def hang(call: Call) -> Observation:
        begun.set()
        free.wait(120)
        return Observation(text="late")

    models = one_call()
    agent = Agent.from_team("umi", tools=Box(hang), models=models)

    async def main() -> None:
        task = asyncio.create_task(agent.arun(QUESTION))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    started = time.monotonic()
    asyncio.run(main())
    free.set()
    assert time.monotonic() - started < 60
    assert models["planner"].released


def test_many_runs_at_once_share_nothing() -> None:
    def plan(request: Request) -> str:
        return "Next: conclusion." if "observation" in request.messages[-1].content else "Next: caller."

    def number(request: Request) -> str:
        return request.messages[1].content.split("#")[1].split()[0]

    models = scripted_models(
        plan,
        lambda request: f'Action: add\nAction Input: {{"a": {number(request)}, "b": 0}}',
        lambda request: f"It is {number(request)}.",
    )
    agent = Agent.from_team("umi", tools=[add], models=models)

    async def main() -> list[str | None]:
        return [result.answer for result in await asyncio.gather(*(agent.arun(f"Number #{i} ?") for i in range(20)))]

    assert asyncio.run(main()) == [f"It is {i}." for i in range(20)]
    assert len(set(models["planner"].released)) == 20


def test_mistakes_of_a_call_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="no team"):
        Agent.from_team("umbrella")
    with pytest.raises(UsageError, match="no model for caller, summarizer"):
        Agent.from_team("umi", models={"planner": ScriptedModel([])})
    with pytest.raises(UsageError, match="question is empty"):
        Agent.from_team("umi", models=scripted_models([])).run("  ")
    with pytest.raises(UsageError, match="cannot offer"):
        Agent.from_team("umi", tools=[3], models=scripted_models([]))


def test_a_team_object_and_a_budget_are_taken() -> None:
    agent = Agent.from_team(load_team("umi"), models=scripted_models(["Next: give up."]), budget=Budget(max_steps=1))
    assert agent.run(QUESTION).outcome is Outcome.GAVE_UP
