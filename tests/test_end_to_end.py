"""The whole path with SmolLM2: train, then run, evaluate and the graph on what it made; quickstart on what ships."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from langchain_core.messages import AIMessage, HumanMessage

import alpha_umi_gym as gym
from alpha_umi import Agent, Budget, load_models, load_team
from alpha_umi.cli.quickstart import SHOWN
from alpha_umi.data import store
from alpha_umi.models.protocol import Completion, Generation, Request
from alpha_umi.trajectory import Outcome

pytestmark = pytest.mark.model


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alpha_umi", *arguments], capture_output=True, text=True, check=False, timeout=2400
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the smoke recipe on fewer trajectories."""
    folder = tmp_path_factory.mktemp("trained")
    stages = {"planner": {"max_rows": 24}, "caller": {"max_rows": 8}, "summarizer": {"max_rows": 8}}
    recipe = folder / "tiny.yaml"
    # fp32: not every processor has bf16 products.
    tiny = {"extends": "smoke", "data": "gym:24:time:single", "precision": "fp32", "stages": stages}
    recipe.write_text(yaml.safe_dump(tiny))
    done = command("train", str(recipe), "--out", str(folder / "run"))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    return folder / "run"


@pytest.mark.slow
def test_even_24_trajectories_teach_the_backbone(trained: Path) -> None:
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if line["stage"] == "backbone"]
    third = len(losses) // 3
    assert sum(losses[-third:]) < 0.6 * sum(losses[:third])
    assert {line["stage"] for line in lines} == {"backbone", "planner", "caller", "summarizer"}


def test_quickstart_answers_and_measures() -> None:
    done = command("quickstart", "--tasks", "2")
    assert done.returncode == 0, done.stderr
    shown = done.stdout
    for title in SHOWN.values():
        assert title in shown
    assert shown.count("\nuser       ") == shown.count("\nchecked    ") == len(SHOWN)
    said = (
        "planner    ",
        "caller     ",
        "tool       ",
        "untrained",
        "trained (now)",
        "alpha-umi run",
        "alpha-umi train gym",
    )
    for words in said:
        assert words in shown
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr


@pytest.mark.slow
def test_the_trained_team_runs_on_the_command_line(trained: Path) -> None:
    done = command(
        "run", "Convert 3 metres to feet.", "--team", str(trained), "--tools", "gym", "--max-steps", "2", "--json"
    )
    assert done.returncode in (0, 1), done.stderr
    result = json.loads(done.stdout)
    assert result["trajectory"]["steps"]
    assert result["reason"] != "context", "ten tools fit what the smoke recipe trains for"
    assert result["usage"]["planner"]["completion_tokens"] > 0
    assert "planner" in done.stderr


@pytest.mark.slow
def test_a_step_encodes_only_what_is_new(trained: Path) -> None:
    task = next(t for t in gym.generate(20, seed=2) if t.kind == "sequential")
    agent = Agent.from_team(trained, tools=gym.TaskToolbox(task), budget=Budget(max_steps=4))
    result = agent.run(task.query)
    planner = next(usage for role, usage in result.usage.items() if role == "planner")
    assert result.outcome in set(Outcome)
    if len(result.trajectory.steps) > 1:
        assert planner.encoded_tokens < planner.prompt_tokens
    assert all(len(model.engine.cache) == 0 for model in agent.models.values())  # type: ignore[attr-defined]


def test_roles_that_speak_with_the_same_weights_keep_their_own_conversations() -> None:
    """The untrained team is one model for three roles; a role's step must not cost it what another role read."""
    team = load_team("umi")
    models = load_models(team)
    text = {"planner": "I look. Next: caller.", "caller": "Action: look\nAction Input: {}"}

    class Forced:
        """SmolLM2's own encoding and caches, with other words."""

        def __init__(self, role: str) -> None:
            self.role, self.inner, self.encoded = role, models[role], list[int]()
            self.context_length, self.count_tokens = self.inner.context_length, self.inner.count_tokens
            self.release = self.inner.release

        def complete(self, request: Request) -> Completion:
            seen = self.inner.complete(dataclasses.replace(request, generation=Generation(max_new_tokens=1)))
            self.encoded.append(seen.encoded_tokens)
            return seen.model_copy(update={"text": text[self.role]})

    def look() -> str:
        """Look again."""
        return "nothing new"

    forced = {role: Forced(role) for role in models}
    agent = Agent.from_team(team, tools=[look], models=forced, budget=Budget(max_steps=3, max_repeats=9))
    agent.run("What is there?")
    for role in text:
        first, *later = forced[role].encoded
        assert len(later) == 2
        assert max(later) < first / 3, role


@pytest.mark.slow
def test_the_graph_takes_and_gives_messages(trained: Path) -> None:
    agent = Agent.from_team(trained, tools=gym.toolbox("units"), budget=Budget(max_steps=1))
    out = agent.graph.invoke({"messages": [HumanMessage("How many grams are 2 pounds?")]})
    assert isinstance(out["messages"][-1], AIMessage)


@pytest.mark.slow
def test_static_evaluation_of_a_trained_team(trained: Path, tmp_path: Path) -> None:
    store.write(tmp_path / "data", (task.gold for task in gym.generate(3, seed=11, split="unseen_instructions")))
    call = (
        "evaluate",
        "static",
        "--data",
        str(tmp_path / "data"),
        "--team",
        str(trained),
        "--out",
        str(tmp_path / "eval"),
    )
    done = command(*call, "--json")
    assert done.returncode == 0, done.stderr
    assert "predicting with" in done.stderr, "a log file shows how far it is"
    metrics = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    assert {"plan_acc", "act_em", "hallucination", "arg_f1", "rouge_l"} <= metrics.keys()
    assert metrics["plan_acc"]["n"] == sum(len(t.steps) for t in store.read(tmp_path / "data"))
    lines = (tmp_path / "eval" / "predictions.jsonl").read_text()
    again = command(*call)
    assert again.returncode == 0
    assert (tmp_path / "eval" / "predictions.jsonl").read_text() == lines, "a rerun predicts nothing anew"
