"""Roles that speak with a model of a package, by a team's YAML or in Python."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from alpha_umi import Agent, Team, load_models, load_team
from alpha_umi.backends import Backend
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.evaluation.records import team_digest

MODULE = """
from langchain_core.language_models import FakeListChatModel
from alpha_umi import ScriptedModel

made = []

def scripted(role, *, texts):
    made.append(role.name)
    return ScriptedModel(texts)

def chat(role):
    return FakeListChatModel(responses=["Nothing new."])

def none(role):
    return 4
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with entry points for two models."""
    name = f"models_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    info = tmp_path / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "".join(f"{key} = {name}:{key}\n" for key in ("scripted", "chat", "none"))
    (info / "entry_points.txt").write_text(f"[alpha_umi.models]\n{lines}")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def write(folder: Path, planner: str, caller: str = "scripted", summarizer: str = "scripted") -> Path:
    models = {"planner": planner, "caller": caller, "summarizer": summarizer}
    lines = [f"{role}: {{role: {role}, model: {model}}}" for role, model in models.items()]
    (folder / "t.yaml").write_text("\n".join(["layout: paper", *lines]))
    return folder / "t.yaml"


def test_a_team_of_models_that_a_package_brings(module: str, tmp_path: Path) -> None:
    def look() -> str:
        """Look again."""
        return "nothing new"

    path = write(
        tmp_path,
        "{name: scripted, options: {texts: ['I look. Next: caller.', 'I know. Next: conclusion.']}}",
        '{name: scripted, options: {texts: ["Action: look\\nAction Input: {}"]}}',
        "chat",
    )
    result = Agent.from_team(str(path), tools=[look]).run("What is new?")
    assert result.answer == "Nothing new."
    assert sys.modules[module].made == ["planner", "caller"]


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (
            "scripted",
            "model 'scripted' failed: TypeError: scripted() missing 1 required keyword-only argument: 'texts'",
        ),
        ("{name: scripted, options: {texts: [], speed: 2}}", "unexpected keyword argument 'speed'"),
        ("none", "model 'none' made what is no Model: it lacks context_length, count_tokens, complete, release"),
        ("other", "there is no model 'other'; there are chat, none, scripted, or give your own"),
    ],
)
def test_a_model_that_cannot_be_made(module: str, model: str, told: str, tmp_path: Path) -> None:
    team = load_team(str(write(tmp_path, model)))
    with pytest.raises(UsageError) as caught:
        load_models(team)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("'mine:factory'", "planner.model: YAML takes the name of a model that a package brings"),
        ("{options: {}}", "planner.model.name: field required"),
        ("{name: x, texts: []}", "planner.model.texts: unknown key"),
        ("x, weights: w", "one of the three"),
    ],
)
def test_mistakes_in_yaml(model: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        load_team(str(write(tmp_path, model)))


def test_in_python_a_model_may_be_ones_own(module: str) -> None:
    team = load_team("umi")
    for name in team.roles:
        team = team.with_role(name, model=Backend(name=f"{module}:chat"))
    assert set(load_models(team)) == {"planner", "caller", "summarizer"}


def test_name_and_options_of_a_model_count_in_the_teams_digest(tmp_path: Path) -> None:
    def digest(model: str) -> str:
        found: Team = load_team(str(write(tmp_path, model)))
        return team_digest(found)

    assert len({digest(model) for model in ("a", "b", "{name: a, options: {texts: [x]}}")}) == 3
    assert digest("a") == digest("{name: a}")
