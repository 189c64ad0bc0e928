"""`alpha-umi compare`: what it is given, prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from evaluations import agent_evaluation, static_evaluation
from typer.testing import CliRunner, Result

from alpha_umi.cli import compare as verb
from alpha_umi.errors import UsageError

pytestmark = pytest.mark.fast


def compare(*arguments: str) -> Result:
    """Run the verb as typer would."""
    app = typer.Typer()
    verb.register(app)
    return CliRunner().invoke(app, list(arguments))


def failed(*arguments: str) -> str:
    error = compare(*arguments).exception
    assert isinstance(error, UsageError)
    return str(error)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """Two evaluations of forty tasks."""
    tasks = [f"t{1 + i % 4}-{i}" for i in range(40)]
    a = agent_evaluation(tmp_path / "first" / "eval", {task: i < 20 for i, task in enumerate(tasks)})
    b = agent_evaluation(tmp_path / "second" / "eval", {task: i < 32 for i, task in enumerate(tasks)})
    return str(a), str(b)


def test_two_folders_are_called_by_what_tells_them_apart(pair: tuple[str, str]) -> None:
    done = compare(*pair)
    assert done.exit_code == 0, done.output
    assert "first/eval" in done.stdout
    assert "second/eval" in done.stdout
    assert "+30.0" in done.stdout
    assert "40 tasks can show a difference of 22 points or more" in done.stdout


def test_eighty_columns_are_enough(pair: tuple[str, str]) -> None:
    done = compare(f"single_llm={pair[0]}", f"glpft={pair[1]}")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "…" not in done.stdout


def test_names_runs_and_baseline(pair: tuple[str, str], tmp_path: Path) -> None:
    again = agent_evaluation(tmp_path / "again", {task: False for task in _tasks(pair[0])})
    steps = [str(static_evaluation(tmp_path / name, {"t": ["give up"], "u": [plan]})) for name, plan in _PLANS]
    done = compare(f"a={pair[0]},{again},{steps[0]}", f"b={pair[1]},{steps[1]}", "--baseline", "b", "--json")
    found = json.loads(done.stdout)
    assert [*found["evaluations"]] == ["agent", "static"]
    assert [*found["evaluations"]["agent"]["arms"]] == ["b", "a"]
    assert found["evaluations"]["agent"]["arms"]["a"]["pass_hat_k"] == {"1": 0.25, "2": 0.0}
    assert found["evaluations"]["agent"]["arms"]["a"]["folders"] == [pair[0], str(again)]


_PLANS = (("s1", "give up"), ("s2", "caller"))


def _tasks(folder: str) -> list[str]:
    lines = (Path(folder) / "episodes.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["id"] for line in lines]


def test_files_are_written_where_they_are_asked_for(pair: tuple[str, str], tmp_path: Path) -> None:
    done = compare(*pair, "--out", str(tmp_path / "out"))
    assert str(tmp_path / "out" / "report.html") in done.stderr
    assert (tmp_path / "out" / "comparison.tex").is_file()


def test_what_cannot_be_compared_is_told(pair: tuple[str, str], tmp_path: Path) -> None:
    assert "two arms or more" in failed(pair[0])
    assert "two arms are called 'x'" in failed(f"x={pair[0]}", f"x={pair[1]}")
    assert "is no arm" in failed(*pair, "--baseline", "third")
    assert "names an empty folder" in failed(f"a={pair[0]},", f"b={pair[1]}")
    other = agent_evaluation(tmp_path / "other", {"t1-0": True})
    assert "lacks 't2-1', 't3-2', 't4-3' and 36 more" in failed(pair[0], str(other))
