"""What a first `alpha-umi run` and `quickstart` cost and say, from a cold process with the team that ships.

Seconds are measured by `benchmarks/first_impression.py`; here is what they depend on, which no slow machine changes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from alpha_umi.cli import quickstart as verb
from alpha_umi.evaluation.statistics import wilson
from alpha_umi.models.scripted import ScriptedModel

ROOT = Path(__file__).resolve().parents[2]
NOT_NEEDED = "peft openai datasets deepspeed wandb mcp pandas pyarrow scipy sklearn matplotlib torchvision"
"""What running a local team has no use for; each takes tenths of a second to import, some of them seconds."""

MAIN = f"""
import atexit, sys
atexit.register(lambda: print("FOUND", *(n for n in {NOT_NEEDED.split()} if n in sys.modules), file=sys.stderr))
from alpha_umi.cli import main
main()
"""


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, which says at its end what of `NOT_NEEDED` it imported."""
    program = [sys.executable, "-c", MAIN, *arguments]
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "80"}
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=900, env=environment)


def test_a_local_run_imports_what_it_needs_and_ends_with_all_said(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    arguments = ("--max-steps", "1", "--json", "--trace", str(trace))
    done = command("run", "How many days are there from 2024-03-01 to 2024-12-24?", *arguments)
    assert done.returncode == 1, done.stderr
    *told, found = done.stderr.splitlines()
    assert found == "FOUND", "imported though not needed"
    assert told[0].startswith("offered 10 of ")
    assert told[1] == "loading the team default"
    assert told[2].startswith("planner    ")
    result = json.loads(done.stdout)
    assert result["reason"] == "steps"
    events = [json.loads(line)["kind"] for line in trace.read_text(encoding="utf-8").splitlines()]
    assert events[-1] == "finished", "nothing was lost at the end"


def test_the_first_question_of_the_quickstart_is_answered_right() -> None:
    done = command("quickstart", "--only-first")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("user       ")
    assert lines[-1] == "checked    right"
    assert done.stderr.splitlines() == ["loading the team default", "FOUND"]


def scripted(monkeypatch: pytest.MonkeyPatch, *plans: str) -> None:
    """Let the quickstart's team say this, whatever it is asked."""

    def load_models(_: object) -> dict[str, ScriptedModel]:
        planner = ScriptedModel([*plans] * 50)
        return {"planner": planner, "caller": ScriptedModel([]), "summarizer": ScriptedModel(["Poland."] * 50)}

    monkeypatch.setattr("alpha_umi.models.loading.load_models", load_models)


def invoke(*arguments: str) -> tuple[int, str, str]:
    app = typer.Typer()
    verb.register(app)
    app.callback()(lambda: None)
    done = CliRunner().invoke(app, ["quickstart", *arguments])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("plan", ["No. Next: give up.", "I know. Next: conclusion."])
def test_a_wrong_first_answer_ends_as_a_failure(plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a call even the right word is wrong: it was not found out."""
    scripted(monkeypatch, plan)
    code, shown, _ = invoke("--only-first")
    assert code == 1
    assert "\nchecked    wrong: " in shown


def test_the_quickstart_says_what_was_measured_now_and_what_was_not(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, "No. Next: give up.")
    code, shown, progress = invoke("--tasks", "10")
    assert code == 0
    table = shown[shown.index("trained (now)") :]
    assert "untrained (card)" in shown
    assert "7% [3, 16] of 60" in table
    assert "43% [32, 56] of 60" in table
    assert verb.CARD in table
    rows = {line.split("│")[1].strip(): line.split("│")[4].strip() for line in table.splitlines() if "│" in line}
    solvable, unsolvable = rows["solvable"], rows["unsolvable"]
    n = int(solvable.rpartition(" of ")[2])
    low, high = wilson(0, n)
    assert solvable == f"0% [{100 * low:.0f}, {100 * high:.0f}] of {n}"
    assert unsolvable.startswith("100% [")
    assert rows["all"].endswith(" of 10")
    assert next(line for line in progress.splitlines() if line.startswith("measuring default")).endswith("0/10")


@pytest.mark.parametrize(("each", "n"), [(0.5, verb.MAX_TASKS), (6.0, 10), (60.0, verb.MIN_TASKS)])
def test_a_slow_machine_measures_on_fewer_tasks(each: float, n: int) -> None:
    assert verb._in_a_minute(each) == n


@pytest.mark.parametrize(
    ("heading", "rates"),
    [("## What it solves", verb.TRAINED), ("The untrained base on the same tasks", verb.UNTRAINED)],
)
def test_the_numbers_of_the_card_are_the_cards(heading: str, rates: dict[str, tuple[int, int]]) -> None:
    card = (ROOT / verb.CARD).read_text(encoding="utf-8")
    section = card[card.index(heading) :]
    row = next(line for line in section.splitlines() if line.startswith(f"| `{verb.SPLIT}`"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert int(cells[1]) == rates["pass_rate"][1]
    for cell, (passed, n) in zip(cells[2:5], rates.values(), strict=True):
        low, high = wilson(passed, n)
        assert cell == f"{100 * passed / n:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
