"""Tasks whose request leaves something open: solvable by who asks a user that knows, and by nobody else."""

from __future__ import annotations

import json
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alpha_umi import ScriptedModel
from alpha_umi.cli import evaluate
from alpha_umi.errors import UsageError
from alpha_umi.evaluation.agentic.task_selection import choose_tasks
from alpha_umi.trajectory import Decision, Outcome
from alpha_umi_gym import SPLITS
from alpha_umi_gym.asking import GYM_ASKING
from alpha_umi_gym.task import GymTask


@cache
def tasks(split: str) -> tuple[GymTask, ...]:
    return tuple(islice(GYM_ASKING.tasks(split, 12, 0), 12))


@pytest.mark.parametrize("split", SPLITS)
def test_they_are_solved_by_asking_and_calling(split: str) -> None:
    for task in tasks(split):
        assert task.withheld is not None
        assert task.withheld.value.casefold() not in task.query.casefold()
        assert GYM_ASKING.score(task, task.gold).passed
        assert task.gold.steps[0].plan.decision is Decision.ASK_USER
        given_up = task.gold.model_copy(update={"steps": (), "answer": None, "outcome": Outcome.GAVE_UP})
        assert GYM_ASKING.score(task, given_up).code == "gave_up_wrongly"
        unseen = task.gold.model_copy(update={"steps": task.gold.steps[:1]})
        assert not GYM_ASKING.score(task, unseen).passed


def test_they_are_the_same_for_the_same_seed() -> None:
    again = tuple(islice(GYM_ASKING.tasks("unseen_tools", 12, 0), 12))
    assert again == tasks("unseen_tools")
    assert len({task.id for task in again}) == 12


def test_there_is_no_other_split() -> None:
    with pytest.raises(UsageError, match="no split 'x'"):
        list(GYM_ASKING.tasks("x", 1, 0))


@pytest.mark.parametrize(("team", "passed"), [("umi-asking", 1.0), ("umi-shared", 0.0)])
def test_a_team_that_asks_solves_them(
    team: str, passed: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = choose_tasks("gym-asking:unseen_instructions", limit=4, seed=0, categories=None)
    known: dict[str, Any] = {task.query: task for task in asked.tasks}

    def write(role: str, request: Any) -> str:
        said = request.messages
        task = next(task for query, task in known.items() if query in said[1].content)
        call = task.withheld.call
        if role == "caller":
            return f"Action: {call.tool}\nAction Input: {json.dumps(dict(call.arguments), ensure_ascii=False)}"
        if role == "summarizer":
            return str(task.gold.answer)
        if any("Next: caller." in message.content for message in said[2:] if message.role == "assistant"):
            return "I have it. Next: conclusion."
        if team == "umi-shared":
            return "It is not said. Next: give up."
        told = any(task.withheld.value in message.content for message in said[2:])
        return "Now I can. Next: caller." if told else "What is it? Next: user."

    def load_models(_: object) -> dict[str, ScriptedModel]:
        return {
            role: ScriptedModel(lambda request, role=role: write(role, request))  # type: ignore[misc]
            for role in ("planner", "caller", "summarizer")
        }

    monkeypatch.setattr("alpha_umi.models.loading.load_models", load_models)
    monkeypatch.setattr("alpha_umi.evaluation.records.team_digest", lambda _: "2:x")
    arguments = ["agent", "--data", "gym-asking:unseen_instructions", "--limit", "4", "--team", team]
    done = CliRunner().invoke(evaluate.app, [*arguments, "--out", str(tmp_path), "--json"], catch_exceptions=False)
    metrics = json.loads(done.stdout)
    assert metrics["pass_rate"]["value"] == passed
    assert metrics["taskset"] == "gym-asking@1"
