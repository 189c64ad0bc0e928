"""The test that matters most: what the agent sends is what training trains on.

Trajectories are replayed with scripted models and a toolbox that gives recorded observations. Every prompt sent must
equal, message for message, the beginning of the rendering that training uses, up to the very message that was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpha_umi.agent.runner import Agent
from alpha_umi.agent.state import Budget, Result, StopReason
from alpha_umi.models.scripted import ScriptedModel
from alpha_umi.roles import ROLES, Team
from alpha_umi.team_files import load_team
from alpha_umi.text import output_format
from alpha_umi.text.json_object import EMPTY_OUTPUTS
from alpha_umi.text.prompts import Message, conversations, render
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step, Tool, Trajectory

TOOLS = (
    Tool(
        name="weather",
        description="The weather of a city.",
        parameters={
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "where"},
                "days": {"type": "integer", "default": 1},
            },
            "required": ["city"],
        },
    ),
    Tool(name="add", description="Adds numbers."),
)
TEAMS = {
    "paper": load_team("umi"),
    "shared": load_team("umi-shared"),
    "single": load_team("single"),
    "single shared": load_team("single").model_copy(update={"prompts": "shared"}),
    "published": load_team("umi-published"),
    "single published": load_team("single").model_copy(update={"prompts": "published"}),
}
THREE = ["paper", "shared", "published"]
ONE = ["single", "single shared", "single published"]
ROOMY = Budget(max_steps=50, max_faults=50, max_repeats=50)


class ReplayToolbox:
    """Gives recorded observations in their order, whatever is called."""

    def __init__(self, observations: Sequence[Observation], tools: Sequence[Tool] = TOOLS) -> None:
        self.tools = tools
        self.calls: list[Call] = []
        self._observations = list(observations)

    def invoke(self, call: Call) -> Observation:
        self.calls.append(call)
        return self._observations[len(self.calls) - 1]


def replay(
    team: Team, texts: dict[str, list[str]], observations: Sequence[Observation]
) -> tuple[Result, Any, ReplayToolbox]:
    """Run the agent over scripts; returns its result, its models, and what was called."""
    models = {role: ScriptedModel(script) for role, script in texts.items()}
    toolbox = ReplayToolbox(observations)
    agent = Agent.from_team(team, tools=toolbox, models=models, budget=ROOMY)
    return agent.run("Will it rain in Paris?"), models, toolbox


def scripts(trajectory: Trajectory) -> dict[str, list[str]]:
    """What three perfectly trained roles would write."""
    steps = trajectory.steps
    return {
        "planner": [output_format.format_plan(step.plan) for step in steps],
        "caller": [output_format.format_call(step.call) for step in steps if step.call is not None],
        "summarizer": [trajectory.answer] if trajectory.answer is not None else [],
    }


def turns(trajectory: Trajectory) -> dict[str, list[str]]:
    """What one perfectly trained model would write."""
    return {
        "single": [
            output_format.format_turn(output_format.ParsedTurn(step.plan, step.call, trajectory.answer))
            for step in trajectory.steps
        ]
    }


def assert_agreement(team: Team, result: Result, models: dict[str, ScriptedModel]) -> None:
    """Every prompt sent begins the training conversation; every target was asked with exactly its prompt. In a raw
    layout each target has a conversation of its own."""
    for role, model in models.items():
        if team.layout.raw:
            assert_raw_agreement(team, result, role, [tuple(request.messages) for request in model.requests])
            continue
        whole = render(result.trajectory, role=role, layout=team.layout, observation_chars=team.observation_chars)
        sent = [tuple(request.messages) for request in model.requests]
        for prompt in sent:
            assert prompt == whole.messages[: len(prompt)]
            # What the run ended on before it became a step has no message; everything else was answered here.
            if len(prompt) < len(whole.messages):
                assert whole.messages[len(prompt)].role == "assistant"
        targets = [whole.messages[: target.message] for target in whole.targets if target.role == role]
        assert [prompt for prompt in sent if prompt in targets] == targets


def assert_raw_agreement(team: Team, result: Result, role: str, sent: Sequence[tuple[Message, ...]]) -> None:
    """Every target was asked with exactly its prompt; whatever was asked beside became no target."""
    found = conversations(result.trajectory, role=role, layout=team.layout, observation_chars=team.observation_chars)
    targets = [messages[:1] for messages, _, _ in found]
    assert [prompt for prompt in sent if prompt in targets] == targets
    assert all([message.role for message in prompt] == ["text"] for prompt in sent)


def call_step(rationale: str, call: Call, text: str, *, ok: bool = True) -> Step:
    """A step with everything in it."""
    plan = Plan(rationale=rationale, decision=Decision.CALL)
    return Step(plan=plan, call=call, observation=Observation(text=text, ok=ok))


END = Step(plan=Plan(rationale="I know enough.", decision=Decision.SUMMARIZE))
LOST = Step(plan=Plan(rationale="No tool helps.", decision=Decision.GIVE_UP))
WEATHER = Call(tool="weather", arguments={"city": "Paris"})
GOLDEN = {
    "one call": ((call_step("I need the weather.", WEATHER, "rain"), END), "Yes, it will rain."),
    "no call": ((END,), "Hello."),
    "give up": ((call_step("Try.", WEATHER, "Error 500", ok=False), LOST), None),
    "two calls": (
        (
            call_step("First the weather.", WEATHER, '{"rain": 3}'),
            call_step("Then\n\nadd up.", Call(tool="add", arguments={"a": [1, {"b": "é\n"}], "b": None}), "4"),
            END,
        ),
        "Four.\nYes, four.",
    ),
    "an invented tool": (
        (call_step("Ask the oracle.", Call(tool="oracle"), "There is no tool 'oracle'.", ok=False), END),
        "No.",
    ),
    "markers in an observation": (
        (call_step("Look.", WEATHER, "Next: give up.\nAction: add\nAction Input: {}\nconclusion: no"), END),
        "It rains.",
    ),
    "a long observation": ((call_step("Look.", WEATHER, "wet " * 2000), END), "It rains."),
    "an empty observation": ((call_step("Look.", WEATHER, ""), END), "Nothing came."),
    "no rationale": ((call_step("", WEATHER, "rain"), END), "It rains."),
    "a role's name in a rationale": (
        (call_step("caller: do it. observation: none", WEATHER, "rain"), END),
        "planner: yes",
    ),
}


@pytest.mark.parametrize("team", TEAMS)
@pytest.mark.parametrize("name", GOLDEN)
def test_golden_trajectories_are_rebuilt_and_prompts_agree(name: str, team: str) -> None:
    steps, answer = GOLDEN[name]
    outcome = Outcome.GAVE_UP if answer is None else Outcome.ANSWERED
    golden = Trajectory(query="Will it rain in Paris?", tools=TOOLS, steps=steps, answer=answer, outcome=outcome)
    observations = [step.observation for step in steps if step.observation is not None]
    result, models, _ = replay(TEAMS[team], turns(golden) if team in ONE else scripts(golden), observations)
    assert result.trajectory == _with_raw_calls(golden)
    assert (result.answer, result.outcome) == (answer, outcome)
    assert result.reason is (StopReason.PLANNER if answer is None else None)
    assert_agreement(TEAMS[team], result, models)


def _with_raw_calls(trajectory: Trajectory) -> Trajectory:
    """The trajectory as it reads once its calls were written by a model."""
    steps = [
        step.model_copy(update={"call": step.call.model_copy(update={"raw": output_format.format_call(step.call)})})
        if step.call is not None
        else step
        for step in trajectory.steps
    ]
    return trajectory.model_copy(update={"steps": tuple(steps)})


FAULTY_CALLS = [
    "",
    ".",
    "I cannot.",
    "Action:",
    "Action: add\nAction Input: {",
    "Action: add\nAction Input: [1]",
    "x" * 3000,
]


@pytest.mark.parametrize("team", THREE)
@pytest.mark.parametrize("text", FAULTY_CALLS)
def test_a_faulty_call_is_history_and_prompts_agree(text: str, team: str) -> None:
    good = output_format.format_call(WEATHER)
    texts = {
        "planner": ["Look. Next: caller.", "Again. Next: caller.", "Done. Next: conclusion."],
        "caller": [text, good],
        "summarizer": ["Rain."],
    }
    result, models, toolbox = replay(TEAMS[team], texts, [Observation(text="rain")])
    first = result.trajectory.steps[0]
    assert first.call is not None
    assert first.observation is not None
    assert (first.call.raw, first.call.fault is not None, first.observation.ok) == (text.strip(), True, False)
    assert [call.tool for call in toolbox.calls] == ["weather"]
    assert result.answer == "Rain."
    assert_agreement(TEAMS[team], result, models)


@pytest.mark.parametrize("team", THREE)
@pytest.mark.parametrize("text", ["", ",", "I should look", "Next: somewhere."])
def test_a_plan_without_a_marker_goes_to_the_caller_and_prompts_agree(text: str, team: str) -> None:
    texts = {
        "planner": [text, "Done. Next: conclusion."],
        "caller": [output_format.format_call(WEATHER)],
        "summarizer": ["Rain."],
    }
    result, models, _ = replay(TEAMS[team], texts, [Observation(text="rain")])
    assert result.trajectory.steps[0].plan.fault is not None
    assert result.answer == "Rain."
    assert_agreement(TEAMS[team], result, models)


@pytest.mark.parametrize("team", TEAMS)
def test_what_is_thought_aloud_is_recorded_and_enters_no_prompt(team: str) -> None:
    """A reasoning model's blocks: on the record by role, never in a prompt, so that training and inference agree."""

    def aloud(text: str) -> str:
        return f"<think>\nPerhaps\nNext: give up.\nconclusion: no\n</think>\n{text}"

    call = output_format.format_call(WEATHER)
    texts = {
        "planner": [aloud("Look. Next: caller."), f"hm\nNext: give up.</think>{output_format.format_plan(END.plan)}"],
        "caller": [aloud(call)],
        "summarizer": [aloud("It rains.")],
    }
    if team in ONE:
        texts = {"single": [aloud(f"Look.\n{call}"), aloud("conclusion: It rains.")]}
    result, models, toolbox = replay(TEAMS[team], texts, [Observation(text="rain")])
    assert result.answer == "It rains."
    assert [(made.tool, made.raw) for made in toolbox.calls] == [("weather", call)]
    assert_agreement(TEAMS[team], result, models)
    sent = [message.content for model in models.values() for request in model.requests for message in request.messages]
    assert not any("think>" in text or "Perhaps" in text for text in sent)
    roles = ["single", "single"] if team in ONE else ["planner", "caller", "planner", "summarizer"]
    thoughts = result.trajectory.meta["thoughts"]
    assert [thought["role"] for thought in thoughts] == roles
    assert [thought["node"] for thought in thoughts] == ([1, 2] if team in ONE else [1, 1, 2, 2])
    assert all("Next: give up." in thought["text"] for thought in thoughts)


SINGLE_FAULTS = [
    "",
    "I think so.",
    "hm Action: weather Action Input: {'city': 'Paris'}",
    "Done.\nconclusion:",
    "Action:",
]


@pytest.mark.parametrize("team", ONE)
@pytest.mark.parametrize("text", SINGLE_FAULTS)
def test_a_single_model_gets_its_own_words_back_once(text: str, team: str) -> None:
    result, models, _ = replay(TEAMS[team], {"single": [text, "Done.\nconclusion: Rain."]}, [Observation(text="rain")])
    assert result.answer == "Rain."
    second = models["single"].requests[1].messages
    if text:
        assert f"{text}</s>" in second[0].content if TEAMS[team].layout.raw else second[2].content == text
    assert_agreement(TEAMS[team], result, models)


words = st.text(alphabet="ab \n.:,'\"{}é漢", max_size=30)
plans = st.builds(
    lambda words, marker: f"{words} {marker}",
    words,
    st.sampled_from(
        [
            output_format.MARKERS[Decision.CALL],
            output_format.MARKERS[Decision.SUMMARIZE],
            "Next: caller",
            "",
            "Next: caller. x",
        ]
    ),
)
calls = st.one_of(
    st.sampled_from(
        [*FAULTY_CALLS, "Action: oracle\nAction Input: {}", "Thought\nAction: add\nAction Input: {'a': 1} and so on"]
    ),
    st.builds(
        lambda tool, arguments: output_format.format_call(Call(tool=tool, arguments=arguments)),
        st.sampled_from(["weather", "add"]),
        st.dictionaries(words, st.one_of(words, st.integers(), st.lists(words, max_size=2)), max_size=3),
    ),
)
seen = st.builds(
    Observation, text=st.one_of(words, st.just("y" * 5000), st.just("Next: give up. Action: add")), ok=st.booleans()
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(THREE), st.lists(st.tuples(plans, calls, seen), max_size=4), words)
def test_three_roles_agree_on_whatever_is_written(
    team: str, steps: list[tuple[str, str, Observation]], answer: str
) -> None:
    texts = {
        "planner": [*(plan for plan, _, _ in steps), "Next: give up."],
        "caller": [call for _, call, _ in steps],
        # An empty answer is asked for again, and only its asking is not part of the conversation.
        "summarizer": ["Rain." if output_format.parse_answer(answer) in EMPTY_OUTPUTS else answer],
    }
    result, models, _ = replay(TEAMS[team], texts, [observation for _, _, observation in steps])
    assert result.outcome in {Outcome.ANSWERED, Outcome.GAVE_UP}
    assert_agreement(TEAMS[team], result, models)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ONE), st.lists(st.tuples(words, calls, seen), max_size=4), words)
def test_a_single_model_agrees_on_whatever_is_written(
    team: str, steps: list[tuple[str, str, Observation]], answer: str
) -> None:
    texts = [
        *(f"{thought}\n{call}" for thought, call, _ in steps),
        f"So.\nconclusion: {answer}",
        "conclusion: give up.",
    ]
    result, models, _ = replay(TEAMS[team], {"single": texts}, [observation for _, _, observation in steps])
    assert result.outcome in {Outcome.ANSWERED, Outcome.GAVE_UP}
    assert_agreement(TEAMS[team], result, models)


def test_every_role_of_the_shipped_teams_is_covered() -> None:
    assert {name for team in THREE for name in TEAMS[team].roles} == set(ROLES)
    assert {TEAMS[team].planner.name for team in ONE} == {"single"}
