"""docs/extending.md: each snippet is run as it stands there, section by section."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpha_umi import Agent, Decision, Outcome, ScriptedModel
from alpha_umi.data.filters import Report
from alpha_umi.evaluation.static.scoring import Scorer
from alpha_umi.plugins import GROUPS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SECTIONS = {
    title: re.findall(r"^```(python|yaml)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for title, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
NEEDS_TORCH = {"A training stage", "A training callback"}

Names = dict[str, Any]


def run(title: str, names: Names) -> None:
    """A section's files and programs, in order, in the working directory."""
    for kind, text in SECTIONS[title]:
        if kind == "yaml":
            Path(text.splitlines()[0].removeprefix("# ")).write_text(text, encoding="utf-8")
        else:
            exec(compile(text, f"docs/extending.md: {title}", "exec"), names)


def _answers(names: Names) -> None:
    assert names["result"].answer
    assert names["result"].outcome is Outcome.ANSWERED


def _role(names: Names) -> None:
    assert names["result"].answer == "six"
    assert names["result"].trajectory.steps[0].said == {"summarizer": "five", "judge": "No. Next: revise."}


def _asking(names: Names) -> None:
    first = names["result"].trajectory.steps[0]
    assert (first.plan.decision, first.said) == (Decision.ASK_USER, {"user": "Brix"})


def _layout(names: Names) -> None:
    assert names["team"].layout.folder == (Path.cwd() / "mine").resolve()


def _task_set(names: Names) -> None:
    (task,) = names["TIDES"].tasks("all", None, 0)
    solved = names["result"].trajectory
    assert names["TIDES"].score(task, solved).passed


def _data_format(names: Names) -> None:
    Path("my.tsv").write_text("Who?\tI.\nbroken\n")
    report = Report()
    (found,) = names["read"]("my.tsv", report)
    assert (found.answer, report.dropped.total()) == ("I.", 1)


def _scorer(names: Names) -> None:
    assert isinstance(names["SCORER"], Scorer)


def _source(names: Names) -> None:
    (tool,) = names["source"]("Brix")
    assert tool("Brix") == "14:10"


def _model(names: Names) -> None:
    models = {**names["models"], "planner": ScriptedModel(["I look. Next: caller.", "I have it. Next: conclusion."])}
    models |= {"caller": names["model"](None, port="Brix"), "summarizer": ScriptedModel(["At 14:10."])}
    result = Agent.from_team("umi", tools=[names["high_water"]], models=models).run("When is high water?")
    assert [step.observation.text for step in result.trajectory.steps if step.observation] == ["14:10"]


def _graph(names: Names) -> None:
    assert names["answer"] == "At 14:10."


def _callable(name: str) -> Callable[[Names], None]:
    def check(names: Names) -> None:
        assert callable(names[name])

    return check


def _callback(names: Names) -> None:
    assert len(names["callbacks"]) == 1


def _agent(names: Names) -> None:
    assert names["agent"].team.name == "umi"


CHECKS: dict[str, Callable[[Names], None]] = {
    "A tool": _answers,
    "A source of tools": _source,
    "A model": _model,
    "Who may call what": _agent,
    "A role": _role,
    "A planner that asks the user": _asking,
    "Prompts, and a layout": _layout,
    "A search": _agent,
    "A task set": _task_set,
    "A scorer": _scorer,
    "A data format": _data_format,
    "A training stage": _callable("train"),
    "A training callback": _callback,
    "The agent in a larger graph": _graph,
    "Tests of your own": _answers,
}


@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=[pytest.mark.model] * (title in NEEDS_TORCH)) for title in CHECKS]
)
def test_a_snippet_does_what_it_says(title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT)
    names: Names = {"__name__": "snippet"}
    run("A tool", names)
    if title != "A tool":
        run(title, names)
    CHECKS[title](names)


def test_every_section_is_run_and_every_row_has_one() -> None:
    assert set(SECTIONS) == {*CHECKS, "In a package"}
    linked = re.findall(r"^\| \[(.+?)\]\(#(.+?)\)", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^a-z -]", "", title.lower()).replace(" ", "-") for title in CHECKS}
    assert {anchor for _, anchor in linked} == anchors


def test_the_groups_are_those_that_are_read() -> None:
    last = PAGE[PAGE.index("The groups: ") :]
    assert re.findall(r"`(\w+)`", last) == list(GROUPS)
