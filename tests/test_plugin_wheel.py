"""A package of plug-ins as others would write one: built as a wheel, installed, and each plug-in used by its name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import recipe_file

from alpha_umi.plugins import GROUPS

SOURCE = Path(__file__).with_name("plugin_package")


class Installed:
    """Where the package is, and the command that sees it."""

    def __init__(self, site: Path, work: Path) -> None:
        self.site, self.work = site, work

    def umi(self, *words: object) -> str:
        """What `alpha-umi` prints."""
        done = self._run("-m", "alpha_umi", *map(str, words))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def python(self, code: str) -> str:
        """What a program prints."""
        done = self._run("-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])])
        return subprocess.run(
            [sys.executable, *words],
            env={**os.environ, "PYTHONPATH": path},
            cwd=self.work,
            capture_output=True,
            text=True,
            check=False,
        )


def pip(*words: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, words), "--no-deps", "--quiet", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The package, from its wheel."""
    if find_spec("setuptools") is None:  # not imported: it would replace the distutils that others hold
        pytest.skip("needs setuptools")
    pytest.importorskip("pip")
    folder = tmp_path_factory.mktemp("harbour")
    shutil.copytree(SOURCE, folder / "source")  # a build leaves files beside its source
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder / "dist", folder / "source")
    (wheel,) = (folder / "dist").glob("*.whl")
    pip("install", "--no-index", "--target", folder / "site", wheel)
    (folder / "work").mkdir()
    return Installed(folder / "site", folder / "work")


@pytest.fixture(scope="module")
def log(installed: Installed) -> Path:
    """A file of the package's data format, one line of it broken."""
    path = installed.work / "harbour.log"
    path.write_text("Brix\t14:10\tAt 14:10.\nHove 09:40\nHove\t09:40\tThe water is high at 09:40.\n")
    return path


@pytest.fixture(scope="module")
def team(installed: Installed) -> Path:
    """A team of the package's model."""
    model = {"name": "harbour-master", "options": {"port": "Brix"}}
    roles = {role: {"model": model} for role in ("planner", "caller", "summarizer")}
    path = installed.work / "team.yaml"
    path.write_text(yaml.safe_dump({"prompts": "shared", "roles": roles}))
    return path


def test_there_is_one_of_each_group() -> None:
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    assert {name.removeprefix("alpha_umi.") for name in project["entry-points"]} == set(GROUPS)


def test_a_source_of_tools(installed: Installed) -> None:
    asked = (
        'print(load_tools("harbour:Brix,gym:time").invoke(Call(tool="high_water", arguments={"port": "Brix"})).text)'
    )
    assert installed.python(f"from alpha_umi import Call, load_tools; {asked}") == "14:10\n"


def test_a_model_answers_with_the_tools(installed: Installed, team: Path) -> None:
    said = installed.umi("run", "When is high water?", "--team", team, "--tools", "harbour", "--json")
    assert json.loads(said)["answer"] == "At Brix the water is high at 14:10."


def test_a_task_set_and_a_search(installed: Installed, team: Path) -> None:
    said = installed.umi(
        "evaluate", "agent", "--data", "tides:all", "--team", team, "--search", "patient", "--out", "tides", "--json"
    )
    metrics = json.loads(said)
    assert metrics["taskset"] == "tides@1"
    assert (metrics["n_episodes"], metrics["pass_rate"]["value"]) == (2, 0.5), "the model knows of Brix alone"
    assert metrics["search"] == "patient"


def test_a_data_format_and_a_scorer(installed: Installed, log: Path, team: Path) -> None:
    said = installed.umi("data", "convert", log, "--format", "harbour-log", "--out", "data", "--json")
    report = json.loads(said)
    assert (report["kept"], report["dropped"]) == (2, {"malformed": 1})
    arguments = ("--data", "data", "--team", team, "--scorer", "brief", "--out", "eval")
    table = installed.umi("evaluate", "static", *arguments)
    assert "brief scorer" in table
    metrics = json.loads((installed.work / "eval" / "metrics.json").read_text())
    assert metrics["scorer"] == "brief"
    assert metrics["brief"]["value"] == 0.5, "the answer about Brix is long; of Hove it knows nothing"
    assert metrics["plan_acc"]["n"] == 4
    assert "act_em" not in metrics


def test_a_training_stage(
    installed: Installed, tiny: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alpha_umi.training import glpft
    from alpha_umi.training.recipe import load_recipe

    monkeypatch.syspath_prepend(installed.site)
    own: dict[str, Any] = {"trainer": "weighted", "options": {"weight": 0.5}, "epochs": 1}
    path = recipe_file(tmp_path, tiny, data, limit=2, stages={"backbone": own})
    run = glpft.train(load_recipe(str(path)), tmp_path / "run", stage="backbone")
    results = json.loads((run / "backbone" / "card.json").read_text())["results"]
    assert (results["weight"], results["steps"]) == (0.5, 1)
