"""What ships for the tests of programs with an agent in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alpha_umi import Agent, Budget, load_team
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.models.scripted import ScriptedModel
from alpha_umi.testing import FakeToolbox, call_text, plan_text, save_tiny_model, scripted_agent, scripted_models
from alpha_umi.text.output_format import DECISIONS, parse_call, parse_plan
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Tool


def test_an_agent_follows_its_scripts() -> None:
    box = FakeToolbox({"weather": '{"sky": "clear"}'})
    agent = scripted_agent(
        [plan_text("I look."), plan_text("I know.", "summarize")],
        [call_text("weather", city="Oslo", days=2)],
        ["It is clear."],
        tools=box,
    )
    result = agent.run("What is the weather in Oslo?")
    assert (result.answer, result.outcome) == ("It is clear.", Outcome.ANSWERED)
    assert [(call.tool, call.arguments) for call in box.calls] == [("weather", {"city": "Oslo", "days": 2})]
    planner = agent.models["planner"]
    assert isinstance(planner, ScriptedModel)
    assert '{"sky": "clear"}' in planner.requests[-1].messages[-1].content


@pytest.mark.parametrize("decision", DECISIONS)
def test_what_is_spelt_is_what_is_read(decision: Decision) -> None:
    plan = parse_plan(plan_text("Thus.", decision))
    assert (plan.rationale, plan.decision, plan.fault) == ("Thus.", decision, None)
    call = parse_call(call_text("add", a=2**70, text="a\n'b'", none=None))
    assert (call.tool, call.arguments, call.fault) == ("add", {"a": 2**70, "text": "a\n'b'", "none": None}, None)


def test_a_planner_may_have_further_choices() -> None:
    markers = load_team("umi-asking").planner.markers
    assert parse_plan(plan_text("Which?", "ask_user", markers), markers).decision is Decision.ASK_USER


def test_one_text_is_a_script_of_one() -> None:
    assert scripted_agent(plan_text("I know.", "summarize"), summarizer="Yes.").run("Is it?").answer == "Yes."


def test_roles_of_ones_own_have_scripts_too() -> None:
    models = scripted_models(
        [plan_text("I know.", "summarize")], summarizer=["Yes."], verifier=ScriptedModel(["Next: accept."])
    )
    agent = Agent.from_team("umi-verified", tools=[], models=models)
    assert agent.run("Is it?").answer == "Yes."
    assert len(models["verifier"].requests) == 1


def test_an_agent_has_scripts_of_further_roles() -> None:
    agent = scripted_agent(
        plan_text("I know.", "summarize"), summarizer="Yes.", team="umi-verified", further={"verifier": "Next: accept."}
    )
    assert agent.run("Is it?").answer == "Yes."


def test_a_script_that_has_ended_says_whose_it_is() -> None:
    agent = scripted_agent([plan_text("I look.")], tools=FakeToolbox({"look": "x"}))
    with pytest.raises(WorkError, match="the script of the caller holds 0 texts, and text 1 was asked for"):
        agent.run("Look!")


def test_fake_tools_can_have_descriptions() -> None:
    tool = Tool(name="look", description="Looks at it.")
    assert FakeToolbox({"look": "x"}, tools=[tool]).tools == (tool,)


@pytest.mark.parametrize(
    ("results", "tools"), [({"look": []}, []), ({"look": "x"}, [Tool(name="hear")])], ids=["empty list", "not named"]
)
def test_a_fake_tool_without_a_result_is_refused(results: dict[str, Any], tools: list[Tool]) -> None:
    with pytest.raises(UsageError, match=r"the fake tool '(look|hear)' has no result to give"):
        FakeToolbox(results, tools=tools)


def test_a_tool_that_is_not_offered_is_an_observation() -> None:
    seen = FakeToolbox({"look": "x"}).invoke(Call(tool="hear"))
    assert (seen.ok, seen.text) == (False, "There is no tool 'hear'. Offered: look.")


def test_a_tool_gives_one_result_after_the_other_and_repeats_the_last() -> None:
    box = FakeToolbox(
        {"look": ["first", {"n": 2}, Observation(text="no", ok=False)], "echo": lambda call: call.arguments}
    )
    texts = [box.invoke(Call(tool="look")).text for _ in range(4)]
    assert texts == ["first", '{"n": 2}', "no", "no"]
    assert box.invoke(Call(tool="echo", arguments={"a": "ü"})).text == '{"a": "ü"}'


def test_a_tool_that_raises_is_an_observation_of_the_agent() -> None:
    box = FakeToolbox({"look": [RuntimeError("gone"), "back"]})
    calls = [plan_text("I look."), plan_text("Again."), plan_text("Seen.", "summarize")]
    result = scripted_agent(calls, [call_text("look")] * 2, ["Back."], tools=box).run("Look!")
    seen = [step.observation for step in result.trajectory.steps if step.observation]
    assert [o.ok for o in seen] == [False, True]
    assert "gone" in seen[0].text


def test_options_of_an_agent_are_passed_on() -> None:
    agent = scripted_agent(
        ScriptedModel([plan_text("Look.")], repeat_last=True),
        ScriptedModel([call_text("look")], repeat_last=True),
        tools=FakeToolbox({"look": "nothing"}),
        budget=Budget(max_steps=2),
    )
    assert len(agent.run("Look!").trajectory.steps) == 2


def test_a_tiny_model_is_a_base_that_answers(tmp_path: Path) -> None:
    from alpha_umi.models.local.base_weights import load_tokenizer

    folder = save_tiny_model(tmp_path / "tiny", seed=3)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 30_000_000
    assert len(load_tokenizer(str(folder))) == len(load_tokenizer())
    (tmp_path / "team.yaml").write_text(f"base: {folder}\nprompts: shared\nroles: [planner, caller, summarizer]\n")
    agent = Agent.from_team(str(tmp_path / "team.yaml"), tools=FakeToolbox({"look": "x"}), budget=Budget(max_steps=1))
    assert agent.run("Look!").usage["planner"].completion_tokens > 0
    again = save_tiny_model(tmp_path / "again", seed=3)
    assert (folder / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()
