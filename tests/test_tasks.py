"""Task sets of any origin: one's own file, an installed package, the gym by version; and what cannot be evaluated."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from alpha_umi import Budget, ScriptedModel, Task, Taskset, Trajectory, Verdict, load_models, load_team
from alpha_umi.cli.evaluate import app
from alpha_umi.data import store
from alpha_umi.data.filters import Report
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.evaluation.agentic.episodes import Episode, run_episodes
from alpha_umi.evaluation.agentic.task_selection import choose_tasks
from alpha_umi.models.protocol import Request
from alpha_umi.plugins import PluginPoint
from alpha_umi.roles import ROLES
from alpha_umi.tasks import StatefulTaskset, label, load_taskset
from alpha_umi.tools.functions import as_toolbox
from alpha_umi.tools.protocol import Toolbox
from alpha_umi_gym.taskset import GYM

EXAMPLE: Any = import_module("examples.own_tasks")


def double(number: int) -> int:
    """Twice a number."""
    return 2 * number


TOOLS = tuple(as_toolbox([double]).tools)


def made(*names: str, **more: Any) -> list[Task]:
    return [Task(**{"id": name, "query": f"What is twice {name}?", "tools": TOOLS, **more}) for name in names]


@dataclass
class Doubles:
    """A task set whose parts a test replaces."""

    given: Any = field(default_factory=lambda: made("1", "2", "3", kind="sum"))
    asked: list[tuple[str, int | None, int]] = field(default_factory=list)
    verdict: Any = None
    version: str = "2"
    name: str = "doubles"

    def tasks(self, split: str, n: int | None, seed: int) -> Iterator[Task]:
        self.asked.append((split, n, seed))
        yield from self.given() if callable(self.given) else self.given

    def toolbox(self, task: Task) -> Toolbox:
        return as_toolbox([double])

    def score(self, task: Task, trajectory: Trajectory) -> Verdict:
        if isinstance(self.verdict, Exception):
            raise self.verdict
        right = trajectory.answer == str(2 * int(task.id))
        return Verdict(passed=right, details={"length": len(trajectory.answer or "")}) if self.verdict is None else 7  # type: ignore[return-value]


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the user's with a task set in it."""
    module: Any = ModuleType("doubles_of_mine")
    module.SET = Doubles()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


MINE = "doubles_of_mine:SET"


def saying(*, wrong: str = "", asked: list[str] | None = None) -> dict[Any, ScriptedModel]:
    """Models that answer at once with twice the number of the question, but for one of them."""

    def write(role: str, request: Request) -> str:
        number = request.messages[1].content.split("twice ")[1].split("?")[0]
        if role == "planner":
            return "I know. Next: conclusion."
        if asked is not None:
            asked.append(number)
        return "no idea" if number == wrong else str(2 * int(number))

    return {role: ScriptedModel(lambda request, role=role: write(role, request)) for role in ROLES}  # type: ignore[misc]


def evaluated(data: str, out: Path, *more: str) -> dict[str, Any]:
    given = ["agent", "--data", data, "--team", "umi-shared", "--out", str(out), "--json", *more]
    done = CliRunner().invoke(app, given, catch_exceptions=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "episodes.jsonl").read_text().splitlines()]


# What a name stands for


def test_the_gym_by_name_and_by_version() -> None:
    assert load_taskset("gym:unseen_tools") == load_taskset("gym@1:unseen_tools") == (GYM, "unseen_tools")
    assert load_taskset("gym") == (GYM, "")
    newest, named = (choose_tasks(data, limit=2) for data in ("gym:unseen_tools", "gym@1:unseen_tools"))
    assert newest == named
    assert newest.data == "gym@1:unseen_tools"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("gym@9:unseen_tools", "task set 'gym' has no version '9'; it has 1"),
        ("gym@:unseen_tools", "task set 'gym' has no version ''; it has 1"),
        ("gym", "the gym has no split ''; it has train, unseen_instructions"),
        (f"{MINE}@3:test", f"task set '{MINE}' has no version '3'; it has 2"),
        ("gmy:unseen_tools", "there is no module 'gmy' in .*; there are gym.*, or give your own as MODULE:ATTRIBUTE"),
        ("doubles_of_mine:SETS", "'SETS' is not in doubles_of_mine; there are SET"),
        ("examples.own_tasks:PRICES", "'examples.own_tasks:PRICES' is no task set: dict has no name, version, tasks,"),
        ("examples.own_tasks:Warehouse", "is the class Warehouse, not a task set: name an instance of it"),
        ("no/such/folder", "there is no data set no/such/folder"),
    ],
)
def test_what_cannot_be_found_is_told_in_one_line(mine: Any, data: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as error:
        choose_tasks(data)
    assert "\n" not in str(error.value)


def test_a_folder_is_one_though_it_is_called_like_a_task_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store.write("gym", (task.recorded() for task in GYM.tasks("train", 3, 0)))
    assert choose_tasks("gym").data == "gym"
    assert choose_tasks("gym:train", limit=2).data == "gym@1:train"


@pytest.mark.parametrize(
    ("taskset", "told"),
    [
        ("gym@0", "keeps tasks of gym@0: task set 'gym' has no version '0'; it has 1"),
        ("nobody@1", "keeps tasks of nobody@1: no task set of this name is installed"),
    ],
)
def test_a_folder_of_another_version_is_refused(tmp_path: Path, taskset: str, told: str) -> None:
    tasks = list(GYM.tasks("train", 2, 0))
    store.write(tmp_path, (task.recorded() for task in tasks), Report(taskset="gym@1"))
    assert choose_tasks(str(tmp_path)).tasks == tasks
    store.write(tmp_path, (task.recorded() for task in tasks), Report(taskset=taskset))
    with pytest.raises(UsageError, match=told):
        choose_tasks(str(tmp_path))


@pytest.mark.parametrize(
    ("data", "split"), [(MINE, ""), (f"{MINE}:test", "test"), (f"{MINE}@2:a:b", "a:b"), (f"{MINE}@2", "")]
)
def test_split_number_and_seed_reach_the_task_set(mine: Any, data: str, split: str) -> None:
    chosen = choose_tasks(data, limit=2, seed=5)
    assert mine.SET.asked == [(split, 2, 5)]
    assert [task.id for task in chosen.tasks] == ["1", "2"], "what is more than asked for is left"
    assert chosen.data == f"doubles@2:{split}"


def test_another_version_is_other_data(mine: Any) -> None:
    before = choose_tasks(MINE).digest
    assert choose_tasks(MINE, limit=1).digest == before
    mine.SET = replace(mine.SET, version="3")
    assert choose_tasks(MINE).digest != before


def test_an_older_version_may_be_kept_under_its_own_name(mine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"doubles": MINE, "doubles@1": "doubles_of_mine:OLD"}
    point: PluginPoint[Taskset[Any]] = PluginPoint("tasksets", names)
    monkeypatch.setattr("alpha_umi.tasks.TASKSETS", point)
    mine.OLD = replace(mine.SET, version="1")
    assert choose_tasks("doubles@1:").data == "doubles@1:"
    assert choose_tasks("doubles:").data == choose_tasks("doubles@2:").data == "doubles@2:"
    with pytest.raises(UsageError, match="no version '5'; it has 1, 2"):
        choose_tasks("doubles@5:")


def test_categories_are_for_task_sets_that_have_them(mine: Any) -> None:
    with pytest.raises(UsageError, match="doubles@2 has no categories: leave out --category"):
        choose_tasks(MINE, categories="time")


# What cannot be evaluated


def broken() -> Iterator[Task]:
    yield from made("1")
    raise KeyError("lost\nkey")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (made("1", "2", "1", "2", "3"), "several tasks have one id: '1', '2'"),
        (made("1", tools=()) + made("2"), "a task needs tools, and these have none: '1'"),
        (made(*"123456789", tools=()), "have none: '1', '2', '3', '4', '5' and 4 more"),
        ([], "there are no tasks"),
        (["What is twice 1?"], "its tasks should be Task, not str"),
        (broken, r"its tasks cannot be made: KeyError: 'lost\\nkey'"),
        (made("1", facts=(object(),)), "task '1' is no plain data"),
    ],
)
def test_tasks_that_cannot_be_evaluated_are_refused_before_anything_runs(
    mine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: Any, told: str
) -> None:
    monkeypatch.setattr("alpha_umi.models.loading.load_models", lambda _: pytest.fail("a model was loaded"))
    mine.SET = Doubles(given=given)
    with pytest.raises(UsageError, match=told) as error:
        evaluated(f"{MINE}:test", tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "episodes.jsonl").exists()


def test_a_verdict_says_what_it_is_without_a_code() -> None:
    assert (Verdict(passed=True).code, Verdict(passed=False).code) == ("solved", "failed")
    assert Verdict(passed=False, code="late").code == "late"
    with pytest.raises(ValidationError, match="passed"):
        Verdict(code="late")  # type: ignore[call-arg]


def test_what_passed_holds_the_basic_checks() -> None:
    assert Verdict(passed=True).basic is None
    assert Verdict(passed=False, basic=True).basic
    with pytest.raises(ValidationError, match="its basic checks hold"):
        Verdict(passed=True, basic=False)


# What is evaluated


def test_an_evaluation_of_ones_own_tasks(mine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alpha_umi.models.loading.load_models", lambda _: saying(wrong="2"))
    metrics = evaluated(f"{MINE}:test", tmp_path)
    assert metrics["pass_rate"]["value"] == pytest.approx(2 / 3)
    assert (metrics["failures"], metrics["unscored"]) == ({"failed": 1}, {})
    assert "pass_rate_basic" not in metrics
    assert (metrics["data"], metrics["taskset"], metrics["seed"]) == ("doubles@2:test", "doubles@2", 0)
    assert set(metrics["by_kind"]) == {"sum"}
    assert (metrics["by_depth"], metrics["by_split"], metrics["gold_calls"]) == ({}, {}, None)
    assert {row["id"]: row["details"]["length"] for row in rows(tmp_path)} == {"1": 1, "2": 7, "3": 1}
    origin = json.loads((tmp_path / "episodes.meta.json").read_text())
    assert origin["data"] == "doubles@2:test"
    shown = CliRunner().invoke(
        app, ["agent", "--data", f"{MINE}:test", "--team", "umi-shared", "--out", str(tmp_path)], catch_exceptions=False
    )
    assert "66.7" in shown.stdout
    mine.SET = replace(mine.SET, version="3")
    with pytest.raises(UsageError, match="holds episodes of other data and other settings: give another --out"):
        evaluated(f"{MINE}:test", tmp_path)


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (ValueError("no\nsuch column"), "ValueError: no such column"),
        ("a number", "score gave int, not Verdict"),
    ],
)
def test_an_episode_that_cannot_be_scored_is_kept_and_scored_later(
    mine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: Any, told: str
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("alpha_umi.models.loading.load_models", lambda _: saying(asked=asked))
    mine.SET = Doubles(verdict=verdict)
    for _ in range(2):
        with pytest.raises(WorkError, match=f"doubles@2 could not judge 3 of 3 episodes, first '1': {told}; ") as error:
            evaluated(f"{MINE}:test", tmp_path)
        assert "\n" not in str(error.value)
    assert len(rows(tmp_path)) == 3
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["unscored"] == dict.fromkeys("123", told)
    assert (metrics["pass_rate"]["n"], metrics["n_episodes"]) == (0, 3)
    mine.SET = Doubles()
    assert evaluated(f"{MINE}:test", tmp_path)["pass_rate"]["value"] == 1
    assert sorted(asked) == ["1", "2", "3"], "what was played is not played again"


def test_tools_that_cannot_be_had_end_the_evaluation_in_one_line(
    mine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alpha_umi.models.loading.load_models", lambda _: saying())
    monkeypatch.setattr(Doubles, "toolbox", lambda self, task: {}[task.id])
    with pytest.raises(WorkError, match="doubles@2: the tools of task '1' cannot be had: KeyError: '1'"):
        evaluated(f"{MINE}:test", tmp_path, "--parallel", "1")


def test_a_task_set_may_judge_by_what_an_episode_left_behind(tmp_path: Path) -> None:
    class Ledger(Doubles):
        def toolbox(self, task: Task) -> Toolbox:
            box: Any = as_toolbox([double])
            box.task = task.id
            return box  # type: ignore[no-any-return]

        def score_state(self, task: Task, trajectory: Trajectory, toolbox: Any) -> Verdict:
            return Verdict(passed=toolbox.task == task.id, code="left", reason=toolbox.task)

    assert isinstance(Ledger(), StatefulTaskset)
    assert not isinstance(Doubles(), StatefulTaskset)
    found: list[Episode] = []
    team = load_team("umi-shared")
    run_episodes(
        made("1", "2"), Ledger(), team=team, models=saying(), budget=Budget(), parallel=2, on_done=found.append
    )
    assert {(episode.id, episode.code, episode.reason) for episode in found} == {("1", "left", "1"), ("2", "left", "2")}


# The page's example, the whole one, and an installed package


def test_the_task_set_on_the_page_runs(mine: Any) -> None:
    page = (Path(__file__).parents[1] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    written = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "class Doubles" in block)
    exec(written, vars(mine))
    mine.SET = mine.Doubles()
    chosen = choose_tasks(f"{MINE}:", limit=3)
    assert [task.facts for task in chosen.tasks] == [(0,), (2,), (4,)]
    found: list[Episode] = []
    run_episodes(
        chosen.tasks,
        chosen.taskset,
        team=load_team("umi-shared"),
        models=saying(wrong="1"),
        budget=Budget(),
        parallel=1,
        on_done=found.append,
    )
    assert [episode.code for episode in found] == ["solved", "wrong_answer", "solved"]


def test_the_example_has_ten_tasks_and_checks_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {question: f"It is {value}." for question, value in EXAMPLE.QUESTIONS.items()}

    def write(role: str, request: Request) -> str:
        question = request.messages[1].content.removesuffix("\n[planner]")
        if role == "planner":
            return "I see. Next: conclusion." if question in answers else "No tool does this. Next: give up."
        return answers[question].replace("39.0", "40")

    models = {role: ScriptedModel(lambda request, role=role: write(role, request)) for role in ROLES}  # type: ignore[misc]
    monkeypatch.setattr("alpha_umi.models.loading.load_models", lambda _: models)
    metrics = evaluated("examples.own_tasks:WAREHOUSE", tmp_path)
    assert metrics["pass_rate"] | {"low": 0, "high": 1} == {"value": 0.9, "n": 10, "low": 0, "high": 1}
    assert metrics["failures"] == {"wrong_value": 1}
    assert (metrics["give_up_right"]["value"], metrics["unsolvable"]["no tool for it"]["n"]) == (1, 1)
    assert metrics["give_up_wrong"]["value"] == 0
    assert metrics["taskset"] == label(EXAMPLE.WAREHOUSE) == "warehouse@1"


@pytest.mark.slow
def test_the_shipped_team_on_the_example() -> None:
    team = load_team("default")
    found: list[Episode] = []
    tasks = choose_tasks("examples.own_tasks:WAREHOUSE", limit=2).tasks
    budget = Budget(max_steps=3)
    run_episodes(
        tasks, EXAMPLE.WAREHOUSE, team=team, models=load_models(team), budget=budget, parallel=2, on_done=found.append
    )
    assert {episode.id for episode in found} == {"0", "1"}
    for episode in found:
        assert episode.scored
        assert {tool.name for tool in episode.trajectory.tools} == {"price", "stock"}
        assert episode.passed or episode.stopped is not None or episode.code in {"wrong_value", "gave_up"}


def wheel(folder: Path) -> Path:
    """A package that brings the example as the task set `warehouse`, as a build backend would write it."""
    name = "depot_tasks-0.3"
    files = {
        "depot_tasks.py": (Path(__file__).parents[1] / "examples" / "own_tasks.py").read_text(),
        f"{name}.dist-info/METADATA": "Metadata-Version: 2.1\nName: depot-tasks\nVersion: 0.3\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}.dist-info/entry_points.txt": "[alpha_umi.tasksets]\nwarehouse = depot_tasks:WAREHOUSE\n",
    }
    files[f"{name}.dist-info/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{name}.dist-info/RECORD"))
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    return path


@pytest.mark.skipif(find_spec("pip") is None, reason="pip is not installed here")
def test_a_task_set_of_an_installed_package(tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target"]
    subprocess.run([*install, str(tmp_path / "site"), str(wheel(tmp_path))], check=True, timeout=120)
    script = f"""
        import sys, types
        sys.path[:0] = {[str(tmp_path / "site"), str(Path(__file__).parents[1])]!r}
        from alpha_umi import ScriptedModel, RoleName
        from alpha_umi.cli import main
        def load_models(team):
            return {{role: ScriptedModel(lambda request: "No idea. Next: give up.") for role in RoleName}}
        sys.modules["alpha_umi.models.loading"] = types.SimpleNamespace(load_models=load_models, find_base=None)
        sys.argv = ["alpha-umi", "evaluate", "agent", "--data", sys.argv[1], "--team", "umi-shared",
                    "--out", {str(tmp_path / "out")!r}]
        main()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(
        [*command, "warehouse@1:"], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "pass rate" in done.stdout
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["data"], metrics["taskset"]) == ("warehouse@1:", "warehouse@1")
    assert metrics["failures"] == {"gave_up": 9}
    assert (metrics["give_up_wrong"]["value"], metrics["give_up_right"]["value"]) == (1, 1)
    refused = subprocess.run(
        [*command, "warehouse@2:"], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr == "error: task set 'warehouse' has no version '2'; it has 1\n"
