"""Teacher-forced prediction: what is asked, of whom, what is kept, and how a stopped run continues."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import trajectories
from typer.testing import CliRunner

from alpha_umi.cli.evaluate import app
from alpha_umi.data import store
from alpha_umi.errors import DataError, UsageError, WorkError
from alpha_umi.evaluation.agentic.episodes import EpisodeLog
from alpha_umi.evaluation.records import Origin, team_digest
from alpha_umi.evaluation.static.decision_points import Case, Prediction, decision_points
from alpha_umi.evaluation.static.paper_scorer import published_plan
from alpha_umi.evaluation.static.predict import ReadPlan, history, predict
from alpha_umi.evaluation.static.predictions import PredictionLog, read_predictions
from alpha_umi.evaluation.static.scorers import score
from alpha_umi.models.protocol import Completion, Message, Model, Request
from alpha_umi.models.scripted import ScriptedModel
from alpha_umi.roles import ROLES, Team
from alpha_umi.team_files import load_team
from alpha_umi.text import output_format
from alpha_umi.text.layouts import Layout, layouts, load_layout
from alpha_umi.text.prompts import conversations, render
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step, Tool, Trajectory

TEAMS = {"paper": load_team("umi"), "shared": load_team("umi-shared"), "single": load_team("single")}
LOCAL = SimpleNamespace(default_device=lambda: "cpu", reading_digests=lambda *_: ("tokenizer", "template"))
"""In place of the module that needs torch."""

ORIGIN = Origin(team="t", team_digest="1", data="d", data_digest="2")


def plan(text: str, decision: Decision = Decision.CALL) -> Plan:
    return Plan(rationale=text, decision=decision)


def trajectory(name: str = "one", seen: str = "14:10") -> Trajectory:
    """Call, idle rationale, call after a user's prompt, answer."""
    call = Call(tool="tide", arguments={"port": "BRX"})
    steps = (
        Step(plan=plan("Reference thought."), call=call, observation=Observation(text=seen)),
        Step(plan=plan("Idle words.")),
        Step(plan=plan("Once more."), call=call, observation=Observation(text=seen), prompt="Try another way."),
        Step(plan=plan("Known.", Decision.SUMMARIZE)),
    )
    tools = (Tool(name="tide", description="Tide table."),)
    end = {"answer": "At 14:10.", "outcome": Outcome.ANSWERED}
    return Trajectory(query="When is high water?", tools=tools, steps=steps, id=name, **end)


def models_of(team: Team, **scripts: Callable[[Request], str] | Sequence[str]) -> dict[str, ScriptedModel]:
    """Scripted roles; those not given say what is wrong for the step, so that it shows where it must not."""
    standard = {
        "planner": "PREDICTED thought. Next: caller.",
        "caller": "Action: tide",
        "summarizer": "PREDICTED answer",
    }
    roles = ("single",) if team.single else ROLES
    return {v: ScriptedModel(scripts.get(v, [standard.get(v, "")]), repeat_last=True) for v in roles}


def run(
    team: Team, models: dict[str, ScriptedModel], *given: Trajectory, read_plan: ReadPlan = output_format.parse_plan
) -> list[Prediction]:
    cases = list(decision_points(given or (trajectory(),)))
    return [p for made in predict(cases, team=team, models=models, read_plan=read_plan) for p in made]


def said(messages: Sequence[Message]) -> str:
    return "\n".join(m.content for m in messages)


# --- points ---------------------------------------------------------------------------------------------------------


def test_points_are_the_steps_that_were_acted_on() -> None:
    (case,) = decision_points([trajectory()])
    assert [(p.n, p.step, p.decision.value) for p in case.points] == [
        (0, 0, "call"),
        (1, 2, "call"),
        (2, 3, "summarize"),
    ]
    assert case.points[2].reference == {"planner": "Known. Next: conclusion.", "summarizer": "At 14:10."}


def test_missing_answers_are_none_and_ids_become_unique() -> None:
    unanswered = trajectory("").model_copy(update={"answer": None, "outcome": Outcome.UNFINISHED})
    cases = list(decision_points([unanswered, trajectory(), trajectory()]))
    assert [case.points[0].id for case in cases] == ["#0", "one", "one#2"]
    assert cases[0].points[-1].reference["summarizer"] == "none"


def test_a_plan_that_cannot_be_written_is_named() -> None:
    odd = trajectory().replace_last(Step(plan=plan("Next: give up. No.", Decision.SUMMARIZE)))
    with pytest.raises(DataError, match="'one' step 3"):
        list(decision_points([odd]))


# --- what is asked --------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(trajectories(), st.sampled_from([load_layout(name) for name in layouts()]), st.booleans())
def test_planner_prompts_are_those_that_training_renders(made: Trajectory, layout: Layout, single: bool) -> None:
    role = "single" if single else "planner"
    for messages, targets, _ in conversations(made, role=role, layout=layout):
        for target in targets:
            if target.role == role:
                past, said = history(made, target.step)
                asked = render(past, role=role, layout=layout, ask=role, follow_up=said)
                assert asked.messages == messages[: target.message]


@pytest.mark.parametrize("name", ["paper", "shared"])
def test_history_is_the_reference_and_the_caller_gets_the_predicted_plan(name: str) -> None:
    team, given = TEAMS[name], trajectory()
    models = models_of(team)
    made = run(team, models, given)
    planner, caller = models["planner"].requests, models["caller"].requests
    assert len(planner) == len(caller) == len(made) == 3
    assert not models["summarizer"].requests
    for request, prediction in zip(planner, made, strict=True):
        assert "PREDICTED" not in said(request.messages)
        history = given.model_copy(update={"steps": given.steps[: prediction.step], "answer": None})
        if not given.steps[prediction.step].prompt:
            ask = {"role": "planner", "layout": team.layout, "ask": "planner"}
            assert tuple(request.messages) == render(history, **ask).messages  # type: ignore[arg-type]
    assert "Try another way." in planner[1].messages[-1].content
    for request in caller:
        assert said(request.messages).count("PREDICTED thought. Next: caller.") == 1
    assert "Reference thought." not in said(caller[0].messages)
    assert "Reference thought." in said(caller[1].messages)


def test_each_plan_leads_to_the_role_it_names() -> None:
    team = TEAMS["paper"]
    script = ["So. Next: conclusion.", "No. Next: give up.", "No marker here."]
    models = models_of(team, planner=script)
    made = run(team, models)
    assert [sorted(p.predicted) for p in made] == [["planner", "summarizer"], ["planner"], ["caller", "planner"]]
    assert "So. Next: conclusion." in said(models["summarizer"].requests[0].messages)
    assert "No marker here. Next: caller." in said(models["caller"].requests[0].messages)


MARKED_TWICE = (
    ("I see. Next: caller.\nBut no. Next: give up.", "caller", None, "give_up"),
    ("Done. Next: conclusion. Next: caller.", "caller", "summarizer", "summarize"),
    ("I ask. Next: caller.\nKnown. Next: conclusion.", "caller", "summarizer", "summarize"),
)
"""A planner's text, whom the agent's rule asks, whom the published one, and what the published one decides."""


@pytest.mark.parametrize(("text", "agent", "published", "decision"), MARKED_TWICE)
def test_a_planner_that_writes_two_markers_is_read_as_published_for_the_paper(
    text: str, agent: str, published: str | None, decision: str
) -> None:
    team = TEAMS["paper"]
    for rule, asked in ((output_format.parse_plan, agent), (published_plan, published)):
        made = run(team, models_of(team, planner=[text], summarizer=["At 14:10."]), read_plan=rule)
        assert [set(p.predicted) - {"planner"} for p in made] == [{asked} - {None}] * 3
    metrics = score(made, "paper")
    assert metrics["faults"] == {}
    assert [row[decision] for row in metrics["confusion"].values()] == [2, 1, 0]
    if published == "summarizer":
        assert metrics["rouge_l"]["value"] == pytest.approx(1), "its words are scored, not the word none"


def test_texts_made_by_the_other_rule_are_scored_and_named() -> None:
    team, text = TEAMS["paper"], MARKED_TWICE[1][0]
    agent, published = (
        run(team, models_of(team, planner=[text]), read_plan=rule)
        for rule in (output_format.parse_plan, published_plan)
    )
    assert score(agent, "paper")["faults"] == {"summarizer: not_asked": 3}
    assert score(published, "strict")["faults"] == {"caller: not_asked": 3}
    assert score(agent, "strict")["faults"] == score(published, "paper")["faults"] == {}


@given(
    st.text("Next: calrgivupo.\n", max_size=12),
    st.permutations(list(output_format.MARKERS.values())),
    st.integers(1, 3),
)
@example(".\n", ["Next: conclusion.", "Next: give up.", "Next: caller."], 2)
@example("\n", ["Next: conclusion.", "Next: give up.", "Next: caller."], 2)
def test_any_planner_text_can_be_shown_to_the_next_role(text: str, order: list[str], count: int) -> None:
    plan = published_plan(text.join(["So.", *order[:count], ""]))
    assert output_format.parse_plan(output_format.format_plan(plan)).decision is plan.decision
    assert plan.decision is next(
        decision for decision, marker in output_format.MARKERS.items() if marker in order[:count]
    )


def test_the_reference_itself_scores_full_marks() -> None:
    given = trajectory()
    (case,) = decision_points([given])
    scripts = {v: [p.reference[v] for p in case.points if v in p.reference] for v in ROLES}
    turns = [
        output_format.format_turn(output_format.ParsedTurn(s.plan, s.call, given.answer if i == 3 else None))
        for i, s in enumerate(given.steps)
        if s.is_decision
    ]
    for team, script in ((TEAMS["paper"], scripts), (TEAMS["shared"], scripts), (TEAMS["single"], {"single": turns})):
        for scorer in ("strict", "paper"):
            metrics = score(run(team, models_of(team, **script), given), scorer)
            got = [metrics[name]["value"] for name in ("plan_acc", "act_em", "hallucination", "arg_f1", "rouge_l")]
            assert got == pytest.approx([1, 1, 0, 1, 1])


def test_a_single_model_is_asked_once_a_step() -> None:
    models = models_of(TEAMS["single"], single=["So.\nAction: tide\nAction Input: {}"])
    made = run(TEAMS["single"], models)
    assert len(models["single"].requests) == len(made) == 3
    assert set(made[0].predicted) == {"single"}


@pytest.mark.parametrize(("name", "sessions"), [("shared", 1), ("paper", 2)])
def test_sessions_last_for_a_trajectory_and_are_released(name: str, sessions: int) -> None:
    team = TEAMS[name]
    models = models_of(team)
    run(team, models, trajectory("a"), trajectory("b"))
    used = [{r.session for r in models[v].requests if "a" in r.session.split("/")} for v in ("planner", "caller")]
    assert len(used[0] | used[1]) == sessions
    for role in ("planner", "caller"):
        assert set(models[role].released) == {r.session for r in models[role].requests}


def test_text_that_no_file_can_hold_is_kept_writable() -> None:
    made = run(TEAMS["paper"], models_of(TEAMS["paper"], planner=["\ud83d So. Next: give up."]))
    assert made[0].predicted["planner"] == "? So. Next: give up."
    made[0].model_dump_json()


def test_decoding_is_greedy_whatever_the_role_says() -> None:
    team = TEAMS["paper"]
    team = team.with_role("planner", generation=team.planner.generation.model_copy(update={"temperature": 0.9}))
    models = models_of(team)
    run(team, models)
    assert models["planner"].requests[0].generation.temperature == 0


# --- context --------------------------------------------------------------------------------------------------------


def test_observations_are_shortened_to_fit_and_tools_never() -> None:
    team = TEAMS["paper"]
    models = models_of(team)
    given = trajectory(seen="x " * 900)
    models["planner"].context_length = 600
    made = run(team, models, given)
    assert [p.fault for p in made] == [None, None, None]
    asked = models["planner"].requests[-1]
    room = 600 - team.planner.generation.max_new_tokens
    assert models["planner"].count_tokens(asked.messages) <= room
    assert "characters cut" in said(asked.messages)
    assert "Tide table." in said(asked.messages)


def test_a_prompt_that_cannot_fit_is_a_fault_not_a_crash() -> None:
    team = TEAMS["paper"]
    models = models_of(team)
    models["caller"].context_length = 5
    made = run(team, models)
    assert {p.fault for p in made} == {"context"}
    metrics = score(made)
    assert metrics["plan_acc"]["value"] == pytest.approx(2 / 3)
    assert metrics["faults"] == {"caller: context": 3}
    models["planner"].context_length = 5
    assert score(run(team, models))["confusion"]["call"]["none"] == 2
    assert score(run(team, models), "paper")["act_em"]["value"] == 0.0


# --- batches --------------------------------------------------------------------------------------------------------


class Batched(ScriptedModel):
    """Completes many requests at once and remembers how many."""

    def complete_many(self, requests: Sequence[Request]) -> list[Completion]:
        self.sizes = [*getattr(self, "sizes", []), len(requests)]
        assert len({r.session for r in requests}) == len(requests)
        return [self.complete(request) for request in requests]


def test_models_that_can_are_asked_across_trajectories_with_the_same_result() -> None:
    team = TEAMS["shared"]

    def answer(request: Request) -> str:
        return f"Thought {len(said(request.messages))}. Next: caller."

    given = [trajectory(str(i), seen="y" * i) for i in range(5)]
    cases = list(decision_points(given))
    batched: dict[str, Model] = {role: Batched(answer) for role in ROLES}
    plain: dict[str, Model] = {role: ScriptedModel(answer) for role in ROLES}
    many = sorted((p for made in predict(cases, team=team, models=batched, batch=3) for p in made), key=lambda p: p.n)
    one = [p for made in predict(cases, team=team, models=plain) for p in made]
    assert [p.model_copy(update={"seconds": 0}) for p in many] == [p.model_copy(update={"seconds": 0}) for p in one]
    assert batched["planner"].sizes == [3, 3, 3, 2, 2, 2]  # type: ignore[attr-defined]


# --- the file -------------------------------------------------------------------------------------------------------


def filled(folder: Path, cases: list[Case], *, stop_after: int = 99) -> list[ScriptedModel]:
    """Run into a folder until the planner has been asked so often."""
    asked = 0

    def planner(request: Request) -> str:
        nonlocal asked
        asked += 1
        if asked > stop_after:
            raise WorkError("killed")
        return "So. Next: caller."

    models = models_of(TEAMS["paper"], planner=planner)
    with PredictionLog(folder, ORIGIN) as log:
        for made in predict(cases, team=TEAMS["paper"], models=models, done=log.done.keys()):
            log.append(made)
    return list(models.values())


def test_a_stopped_run_continues_after_a_half_written_line(tmp_path: Path) -> None:
    cases = list(decision_points([trajectory("a"), trajectory("b")]))
    with pytest.raises(WorkError, match="killed"):
        filled(tmp_path, cases, stop_after=4)
    file = tmp_path / "predictions.jsonl"
    assert len(read_predictions(file)) == 4
    file.write_bytes(file.read_bytes()[:-25])
    assert len(read_predictions(file)) == 3
    planner, *_ = filled(tmp_path, cases)
    assert len(planner.requests) == 3
    assert [p.n for p in read_predictions(tmp_path)] == list(range(6))
    assert len(file.read_text().splitlines()) == 6
    assert filled(tmp_path, cases)[0].requests == []


def test_predictions_of_others_are_refused_in_one_line(tmp_path: Path) -> None:
    filled(tmp_path, list(decision_points([trajectory()])))
    other = ORIGIN.model_copy(update={"team_digest": "x", "data_digest": "y"})
    with pytest.raises(UsageError, match="predictions of another team and other data: give another --out") as error:
        PredictionLog(tmp_path, other)
    assert "\n" not in str(error.value)
    (tmp_path / "predictions.meta.json").unlink()
    with pytest.raises(UsageError, match="unknown origin"):  # a refusal leaves nobody shut out
        PredictionLog(tmp_path, ORIGIN)


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path) -> None:
    filled(tmp_path, list(decision_points([trajectory()])))
    file = tmp_path / "predictions.jsonl"
    file.write_text("{}\n" + file.read_text())
    with pytest.raises(DataError, match=r"predictions\.jsonl line 1 is no prediction: n: Field required"):
        read_predictions(file)
    with pytest.raises(DataError, match="no predictions file"):
        read_predictions(tmp_path / "absent.jsonl")


def _weights(folder: Path, value: float) -> None:
    """A safetensors file of one number."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<f", value))


@pytest.mark.model
def test_the_team_digest_follows_weights_and_settings_not_names(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 2.0)):
        _weights(tmp_path / name, value)
    team = TEAMS["paper"]

    def with_weights(planner: str, caller: str) -> str:
        changed = team.with_role("planner", weights=str(tmp_path / planner))
        return team_digest(changed.with_role("caller", weights=str(tmp_path / caller)))

    assert with_weights("a", "b") != with_weights("b", "a")
    assert team_digest(team) == team_digest(team.model_copy(update={"name": "other"}))
    assert team_digest(team) != team_digest(team.model_copy(update={"observation_chars": 100}))
    before = with_weights("a", "b")
    _weights(tmp_path / "a", 3.0)
    assert with_weights("a", "b") != before


HOLD = """
import sys
from alpha_umi.evaluation.agentic.episodes import EpisodeLog
from alpha_umi.evaluation.static.predictions import PredictionLog
from alpha_umi.evaluation.records import Origin
with {log}(sys.argv[1], Origin.model_validate_json(sys.argv[2])):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("log", [PredictionLog, EpisodeLog])
def test_two_processes_never_write_one_file(log: type[PredictionLog | EpisodeLog], tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD.format(log=log.__name__), str(tmp_path), ORIGIN.model_dump_json()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(UsageError, match=r"s\.jsonl is being written by another evaluation: wait") as error:
            log(tmp_path, ORIGIN)
        assert "\n" not in str(error.value)
        first.communicate()
    assert first.returncode == 0
    with log(tmp_path, ORIGIN):
        pass


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_predicts_scores_and_rescores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(tmp_path / "data", [trajectory("a"), trajectory("b")])
    loaded: list[dict[str, ScriptedModel]] = []

    def load_models(team: Team) -> dict[str, ScriptedModel]:
        loaded.append(models_of(team))
        return loaded[-1]

    # The real module needs torch; the command must not need it to score.
    monkeypatch.setitem(sys.modules, "alpha_umi.models.local.base_weights", LOCAL)
    monkeypatch.setitem(sys.modules, "alpha_umi.models.loading", SimpleNamespace(load_models=load_models))
    out = tmp_path / "out"
    arguments = ["static", "--data", str(tmp_path / "data"), "--team", "umi", "--out", str(out)]
    first = CliRunner().invoke(app, [*arguments, "--limit", "1", "--json"], catch_exceptions=False)
    assert json.loads(first.stdout) == json.loads((out / "metrics.json").read_text())
    assert json.loads(first.stdout)["n_trajectories"] == 1
    whole = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "Plan ACC" in whole.stdout
    assert [len(models["planner"].requests) for models in loaded] == [3, 3]
    again = CliRunner().invoke(
        app,
        ["static", "--predictions", str(out), "--out", str(tmp_path / "paper"), "--scorer", "paper"],
        catch_exceptions=False,
    )
    assert again.exit_code == 0
    metrics = json.loads((tmp_path / "paper" / "metrics.json").read_text())
    assert (metrics["scorer"], metrics["team"], metrics["n_trajectories"]) == ("paper", "umi", 2)
    assert set(metrics["plan_acc"]) == {"value", "n", "low", "high"}
    assert len(loaded) == 2


def test_the_command_routes_as_published_for_the_paper_scorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(tmp_path / "data", [trajectory("a")])
    load = SimpleNamespace(load_models=lambda team: models_of(team, planner=[MARKED_TWICE[1][0]]))
    monkeypatch.setitem(sys.modules, "alpha_umi.models.local.base_weights", LOCAL)
    monkeypatch.setitem(sys.modules, "alpha_umi.models.loading", load)
    arguments = ["static", "--data", str(tmp_path / "data"), "--team", "umi", "--json", "--out"]
    paper = [*arguments, str(tmp_path / "paper"), "--scorer", "paper"]
    made = CliRunner().invoke(app, paper, catch_exceptions=False)
    assert json.loads(made.stdout)["confusion"]["summarize"]["summarize"] == 1
    assert [set(p.predicted) for p in read_predictions(tmp_path / "paper")] == [{"planner", "summarizer"}] * 3
    assert json.loads(CliRunner().invoke(app, paper, catch_exceptions=False).stdout) == json.loads(made.stdout)
    strict = CliRunner().invoke(app, [*arguments, str(tmp_path / "strict")], catch_exceptions=False)
    assert json.loads(strict.stdout)["confusion"]["call"]["call"] == 2
    for other in (["paper"], ["strict", "--scorer", "paper"]):
        refused = CliRunner().invoke(app, [*arguments, str(tmp_path / other[0]), *other[1:]])
        assert isinstance(refused.exception, UsageError)
        assert "holds predictions of other settings: give another --out" in str(refused.exception)


@pytest.mark.parametrize("given", [[], ["--data", "d"], ["--predictions", "p", "--team", "t"]])
def test_a_wrong_call_is_a_usage_error(given: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["static", "--out", str(tmp_path), *given])
    assert isinstance(result.exception, UsageError)


OWN = """
description: A planner of other words.
writes: choice
choices:
  call: {marker: "Then: hand.", next: hand}
  summarize: {marker: "Then: voice.", next: voice}
  give_up: {marker: "Then: nothing.", next: give_up}
"""


def test_a_team_of_other_names_and_markers_is_measured(tmp_path: Path) -> None:
    (tmp_path / "head.yaml").write_text(OWN, encoding="utf-8")
    (tmp_path / "hand.yaml").write_text("description: Calls.\nwrites: call\nnext: head\n", encoding="utf-8")
    (tmp_path / "voice.yaml").write_text("description: Answers.\nwrites: text\n", encoding="utf-8")
    roles = "roles: {head: ./head.yaml, hand: ./hand.yaml, voice: ./voice.yaml}"
    (tmp_path / "team.yaml").write_text(f"prompts: shared\n{roles}\n", encoding="utf-8")
    team = load_team(str(tmp_path / "team.yaml"))
    models = {
        "head": ScriptedModel(["I look. Then: hand.", "Not there. Then: nothing.", "Known. Then: voice."]),
        "hand": ScriptedModel(['Action: tide\nAction Input: {"port": "BRX"}']),
        "voice": ScriptedModel(["At 14:10."]),
    }
    made = run(team, models)
    assert [sorted(p.predicted) for p in made] == [["caller", "planner"], ["planner"], ["planner", "summarizer"]]
    metrics = score(made)
    assert {name: metrics[name]["value"] for name in ("plan_acc", "act_em", "arg_f1", "rouge_l")} == {
        "plan_acc": 2 / 3,
        "act_em": 0.5,
        "arg_f1": 0.5,
        "rouge_l": 1.0,
    }
    assert not metrics["faults"]
    with pytest.raises(DataError, match="the published scorers know the published markers alone, not 'Then: hand"):
        score(made, "paper")
    with pytest.raises(UsageError, match="the published scripts know the published markers alone"):
        run(team, {**models, "head": ScriptedModel(["I look. Then: hand."])}, read_plan=published_plan)
