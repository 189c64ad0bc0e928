"""Roles beyond the three: a verifier that reads each answer, and a planner that asks the user."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from alpha_umi import DFSDT, Agent, Budget, ScriptedModel, build_graph, load_team
from alpha_umi.agent.approval import ApprovalRequest, word
from alpha_umi.agent.state import Result
from alpha_umi.data import store
from alpha_umi.data.verdicts import with_verdicts
from alpha_umi.errors import UsageError
from alpha_umi.team_files import first_roles, load_role
from alpha_umi.testing import scripted_models
from alpha_umi.text.prompts import render
from alpha_umi.trajectory import Call, Decision, Outcome
from alpha_umi_gym import generate

KNOWN = "I know. Next: conclusion."
ACCEPT, REVISE = "Right. Next: accept.", "Not what was asked. Next: revise."


def double(number: int) -> int:
    """Twice a number."""
    return 2 * number


def verified(verdicts: Sequence[str], **more: Any) -> tuple[Agent, dict[str, ScriptedModel]]:
    """A team whose verifier says this of the answers `answer 1`, `answer 2` and so on."""
    models = {
        "planner": ScriptedModel([KNOWN] * 20),
        "caller": ScriptedModel([]),
        "summarizer": ScriptedModel([f"answer {i}" for i in range(1, 20)]),
        "verifier": ScriptedModel(verdicts),
    }
    return Agent.from_team(more.pop("team", "umi-verified"), tools=[double], models=models, **more), models


@pytest.mark.parametrize(
    ("verdicts", "answer", "sent_back"),
    [
        ([ACCEPT], "answer 1", 0),
        ([REVISE, ACCEPT], "answer 2", 1),
        ([REVISE, REVISE, ACCEPT], "answer 3", 2),
        ([REVISE, REVISE, REVISE], "answer 3", 2),  # sent back twice at most: the third stands
        (["Hm."], "answer 1", 0),  # a verdict that cannot be read lets the answer stand
    ],
)
def test_an_answer_counts_once_the_verifier_lets_it_stand(verdicts: list[str], answer: str, sent_back: int) -> None:
    agent, models = verified(verdicts)
    result = agent.run("What is it?")
    assert (result.answer, result.outcome) == (answer, Outcome.ANSWERED)
    steps = result.trajectory.steps
    assert [step.said.get("summarizer") for step in steps[:-1]] == [f"answer {i + 1}" for i in range(sent_back)]
    assert "summarizer" not in steps[-1].said
    assert [step.said["verifier"] for step in steps] == verdicts
    assert result.usage["verifier"].calls == len(models["verifier"].requests) == len(verdicts)


@pytest.mark.parametrize("prompts", ["shared", "paper"])
def test_its_prompts_are_those_that_training_renders(prompts: str) -> None:
    team = load_team("umi-verified").model_copy(update={"prompts": prompts})
    agent, models = verified([REVISE, ACCEPT], team=team)
    result = agent.run("What is it?")
    for name, model in models.items():
        told = render(result.trajectory, role=name, layout=team.layout, roles=team.roles)
        places = [i for i, speaker in zip(_written(told.messages), told.speakers, strict=True) if speaker == name]
        assert [tuple(request.messages) for request in model.requests] == [told.messages[:i] for i in places]


def _written(messages: Sequence[Any]) -> list[int]:
    return [i for i, message in enumerate(messages) if message.role == "assistant"]


def test_a_verdict_is_streamed() -> None:
    agent, _ = verified([REVISE, ACCEPT])
    events = list(agent.stream_sync("What is it?"))
    assert [(event.role, event.choice) for event in events if event.kind == "reviewed"] == [
        ("verifier", "revise"),
        ("verifier", "accept"),
    ]
    assert "verifier" in {event.role for event in events if event.kind == "token"}


def test_what_was_sent_back_is_stored_with_its_thread(tmp_path: Path) -> None:
    agent, _ = verified([REVISE, ACCEPT], threads=tmp_path / "threads.db")
    before = agent.run("What is it?", thread="t")
    assert before.answer == "answer 2"
    again, _ = verified([ACCEPT], threads=tmp_path / "threads.db")
    assert again.run("And now?", thread="t").answer == "answer 1"


def test_a_search_goes_on_after_an_answer_that_was_sent_back() -> None:
    agent, models = verified([REVISE, ACCEPT, ACCEPT], search=DFSDT(answers=2), budget=Budget(max_steps=3))
    result = agent.run("What is it?")
    assert result.answer == "answer 2"
    assert len(result.attempts) >= 2
    assert len(models["verifier"].requests) == 3


# The user is asked


def asking(answers: Sequence[Any] = (), **more: Any) -> tuple[Agent, list[ApprovalRequest]]:
    """A team whose planner asks which number, and a user who knows."""
    asked: list[ApprovalRequest] = []
    models = scripted_models(
        ["Which number? Next: user.", "I double it. Next: caller.", KNOWN],
        ['Action: double\nAction Input: {"number": 21}'],
        ["It is 42."],
    )
    return Agent.from_team("umi-asking", tools=[double], models=models, **more), asked


def test_the_user_is_asked_and_the_answer_becomes_part_of_the_conversation() -> None:
    agent, asked = asking()

    def on_ask(ask: ApprovalRequest) -> str:
        asked.append(ask)
        return "  21, please "

    result = agent.run("Double my number.", on_ask=on_ask)
    assert result.answer == "It is 42."
    assert [(ask.why, ask.value) for ask in asked] == [("user", "Which number?")]
    first = result.trajectory.steps[0]
    assert first.plan.decision is Decision.ASK_USER
    assert first.said == {"user": "21, please"}
    team = load_team("umi-asking")
    told = render(result.trajectory, role="planner", layout=team.layout, roles=team.roles)
    assert told.messages[3].content.startswith("21, please\n")
    assert "Next: user." in told.messages[2].content
    assert "Next: user." in told.messages[1].content  # the planner is told that it may ask


def test_a_run_waits_for_the_user_and_goes_on_in_another_process(tmp_path: Path) -> None:
    agent, _ = asking(threads=tmp_path / "threads.db")
    waiting = agent.run("Double my number.", thread="t")
    assert waiting.pending is not None
    assert waiting.pending.value == "Which number?"
    result = _resumed(tmp_path)
    assert result.answer == "It is 42."


def _resumed(folder: Path, words: Any = "21") -> Result:
    models = scripted_models(
        ["I double it. Next: caller.", KNOWN], ['Action: double\nAction Input: {"number": 21}'], ["It is 42."]
    )
    agent = Agent.from_team("umi-asking", tools=[double], models=models, threads=folder / "threads.db")
    return agent.resume("t", words)


@pytest.mark.parametrize("words", ["1.50", "12345678901234567890123", "null", "approve", '{"a": 1}'])
def test_the_users_words_stay_as_they_are(words: str, tmp_path: Path) -> None:
    agent, _ = asking(threads=tmp_path / "threads.db")
    assert agent.run("Double my number.", thread="t").pending is not None
    assert _resumed(tmp_path, words).trajectory.steps[0].said == {"user": words}


@pytest.mark.parametrize("words", ["  ", 10**30, b"21"])
def test_what_is_no_answer_is_refused_and_the_run_waits(words: Any, tmp_path: Path) -> None:
    agent, _ = asking(threads=tmp_path / "threads.db")
    agent.run("Double my number.", thread="t")
    with pytest.raises(UsageError, match="answer in words"):
        _resumed(tmp_path, words)
    assert _resumed(tmp_path, "21").answer == "It is 42."


@pytest.mark.parametrize(
    ("told", "said"), [({"on": date(2024, 3, 1)}, '{"on":"2024-03-01"}'), ([21], "[21]"), (21, "21")]
)
def test_an_app_answers_its_graph_with_any_value(told: Any, said: str) -> None:
    models = {"planner": ScriptedModel(["On which day? Next: user.", KNOWN]), "summarizer": ScriptedModel(["Then."])}
    graph = build_graph(
        load_team("umi-asking"),
        models={**models, "caller": ScriptedModel([])},
        toolbox=[double],
        checkpointer=InMemorySaver(),
    )
    thread: Any = {"configurable": {"thread_id": "t"}}
    question: Any = {"messages": [("user", "Double my number.")]}
    assert "__interrupt__" in graph.invoke(question, thread)
    graph.invoke(Command(resume=told), thread)
    assert models["planner"].requests[-1].messages[-1].content.startswith(f"{said}\n")


def test_another_team_does_not_lose_a_run_that_waits(tmp_path: Path) -> None:
    agent, _ = asking(threads=tmp_path / "threads.db")
    agent.run("Double my number.", thread="t")
    models = scripted_models([KNOWN], (), ["42"])
    other = Agent.from_team("umi-shared", tools=[double], models=models, threads=tmp_path / "threads.db")
    with pytest.raises(UsageError, match="whom the planner of the team 'umi-shared' does not ask"):
        other.resume("t", "21")


def test_the_command_line_takes_the_users_words_where_the_user_is_asked() -> None:
    from alpha_umi.cli.run import _reply

    assert _reply("Brix, please") == "Brix, please"
    call = Call(tool="double", arguments={"number": 1})
    with pytest.raises(UsageError, match="'perhaps' is not approve, refuse, or the call's arguments"):
        word(ApprovalRequest(why="sensitive", call=call, key="k"), _reply("perhaps"))


# What a verifier learns from


def test_right_answers_are_accepted_and_wrong_ones_sent_back(tmp_path: Path) -> None:
    gold = [task.recorded() for task in generate(30, seed=3)]
    verifier = load_role("verifier")
    made = list(with_verdicts(gold, verifier))
    answers = {t.id: t.answer for t in gold}
    for t in made:
        of, _, verdict = t.id.rpartition("/")
        assert t.answer == (answers[of] if verdict == "accept" else None)
        assert (t.steps[-1].said.get("summarizer", answers[of]) == answers[of]) == (verdict == "accept")
        assert t.steps[-1].said["verifier"].endswith(verifier.markers[verdict])
    assert len({t.id for t in made}) == len(made)
    store.write(tmp_path / "data", made)
    assert list(store.read(tmp_path / "data")) == made


@pytest.mark.parametrize("team", ["umi-verified", "umi-shared", "umi", "single"])
@pytest.mark.parametrize("role", ["planner", "summarizer", "verifier", "single"])
def test_nobody_learns_to_write_the_wrong_answer(team: str, role: str) -> None:
    """Whatever reads the data: a team without a verifier, or one model for whole turns, too."""
    chosen = load_team(team)
    if role == "verifier" and role not in chosen.roles:
        pytest.skip("the team has none")
    for t in with_verdicts((task.recorded() for task in generate(30, seed=3)), load_role("verifier")):
        roles = first_roles() if chosen.single else chosen.roles
        told = render(t, role=role, layout=chosen.layout, roles=roles)
        learned = [told.messages[target.message].content for target in told.targets if target.role == role]
        wrong = t.steps[-1].said.get("summarizer")
        assert wrong is None or not any(wrong in text for text in learned)
        assert sum("Next: revise." in text or "Next: accept." in text for text in learned) == (role == "verifier")


def test_only_a_role_that_judges_gives_verdicts(tmp_path: Path) -> None:
    from alpha_umi.data.verdicts import convert

    with pytest.raises(UsageError, match="the role 'planner' has no choice accept and revise"):
        convert(str(tmp_path), tmp_path / "out", load_role("planner"))


@pytest.mark.model
def test_smollm2_speaks_as_a_verifier() -> None:
    """Untrained, under the grammar of its choices: whatever it thinks, it decides."""
    from alpha_umi.models.loading import load_models

    team = load_team("umi-verified")
    for name in team.roles:
        team = team.with_role(name, generation=team.role(name).generation.model_copy(update={"max_new_tokens": 24}))
    models: dict[str, Any] = {**load_models(team), "planner": ScriptedModel([KNOWN] * 4)}
    result = Agent.from_team(team, tools=[double], models=models, budget=Budget(max_steps=3)).run("What is 2 + 2?")
    assert result.usage["verifier"].completion_tokens > 0
    assert all("verifier" in step.said for step in result.trajectory.steps if step.said)


def test_verdicts_are_evaluated_statically() -> None:
    from alpha_umi.evaluation.static.decision_points import decision_points
    from alpha_umi.evaluation.static.predict import predict
    from alpha_umi.evaluation.static.scorers import score

    team = load_team("umi-verified")
    gold = list(with_verdicts((task.recorded() for task in generate(12, seed=4)), team.role("verifier")))
    cases = list(decision_points(gold, reader=team.reader))
    models = {name: ScriptedModel(["-"], repeat_last=True) for name in team.roles}
    models["verifier"] = ScriptedModel([ACCEPT], repeat_last=True)
    made = [p for some in predict(cases, team=team, models=models) for p in some]
    metrics = score(made)
    accepted = sum(t.id.endswith("/accept") for t in gold)
    assert metrics["verifier_acc"]["n"] == len(gold)
    assert metrics["verifier_acc"]["value"] == accepted / len(gold)
    asked = {request.messages[-2].content for request in models["verifier"].requests}
    assert asked == {t.answer or t.steps[-1].said["summarizer"] for t in gold}


def test_a_verdict_that_cannot_be_asked_for_is_a_fault() -> None:
    from alpha_umi.evaluation.static.decision_points import decision_points
    from alpha_umi.evaluation.static.predict import predict
    from alpha_umi.evaluation.static.scorers import score

    team = load_team("umi-verified")
    gold = list(with_verdicts((task.recorded() for task in generate(2, seed=4)), team.role("verifier")))
    models = {name: ScriptedModel(["-"], repeat_last=True) for name in team.roles}
    models["verifier"] = ScriptedModel([ACCEPT], context_length=40)
    made = [
        p for some in predict(list(decision_points(gold, reader=team.reader)), team=team, models=models) for p in some
    ]
    judged = [p for p in made if p.choices]
    assert judged
    assert not models["verifier"].requests
    assert {(p.fault, p.finish["verifier"], p.chosen["verifier"]) for p in judged} == {("context", "context", "")}
    metrics = score(made)
    assert metrics["verifier_acc"]["value"] == 0.0
    assert metrics["faults"]["verifier: context"] == len(judged)


@pytest.mark.model
@pytest.mark.parametrize("prompts", ["shared", "paper"])
def test_a_verifier_is_trained_beside_the_others_and_speaks(prompts: str, tiny: Path, tmp_path: Path) -> None:
    from alpha_umi.models.loading import load_models
    from alpha_umi.training import glpft
    from alpha_umi.training.recipe import load_recipe

    gold = (task.recorded() for task in generate(6, seed=3))
    store.write(tmp_path / "data", with_verdicts(gold, load_role("verifier")))
    sets = [f"base={tiny}", f"data={tmp_path / 'data'}", "precision=fp32", "deepspeed=null", f"team.prompts={prompts}"]
    sets += ["defaults.lora.target_modules=[q_proj]", "defaults.batch_size=4", "limit=8", "defaults.epochs=1"]
    sets += [f"stages.{name}.epochs=1" for name in ("backbone", "planner", "caller", "summarizer", "verifier")]
    run = glpft.train(load_recipe("verifier", overrides=sets), tmp_path / "run")
    team = load_team(str(run))
    assert set(team.roles) == {"planner", "caller", "summarizer", "verifier"}
    assert team.role("verifier").weights == str((run / "verifier").resolve())
    for name in team.roles:
        team = team.with_role(name, generation=team.role(name).generation.model_copy(update={"max_new_tokens": 8}))
    said = {"planner": ScriptedModel([KNOWN] * 4), "summarizer": ScriptedModel(["four"] * 4)}
    models: dict[str, Any] = {**load_models(team), **said}
    result = Agent.from_team(team, models=models, budget=Budget(max_steps=3)).run("What is 2 + 2?")
    assert result.usage["verifier"].calls >= 1
