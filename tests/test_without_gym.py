"""The product without its guest: installed from the wheel, the gym's folder deleted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.slow


class Installed:
    """An installed alpha_umi that no other can stand in for."""

    def __init__(self, site: Path, work: Path) -> None:
        self.work = work
        # The libraries of this environment, whose .pth files are not read: one of them leads to the checkout.
        libraries = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
        self._env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *libraries])}

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python with these words; `-S` leaves out the environment's own packages."""
        return subprocess.run(
            [sys.executable, "-S", *words], env=self._env, cwd=self.work, capture_output=True, text=True, check=False
        )

    def umi(self, *words: str) -> str:
        """What `alpha-umi` prints."""
        done = self("-m", "alpha_umi", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel of this checkout, without the gym."""
    if find_spec("hatchling") is None:
        pytest.skip("needs hatchling")
    pytest.importorskip("pip")
    folder = tmp_path_factory.mktemp("without_gym")
    quietly = ("--no-deps", "--quiet", "--disable-pip-version-check")
    wheel = ("wheel", "--no-build-isolation", "--wheel-dir", str(folder / "dist"), str(ROOT))
    for words in (wheel, ("install", "--no-index", "--target", str(folder / "site"))):
        wheels = map(str, (folder / "dist").glob("*.whl")) if words is not wheel else ()
        done = subprocess.run(
            [sys.executable, "-m", "pip", *words, *wheels, *quietly], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    shutil.rmtree(folder / "site" / "alpha_umi_gym")
    (folder / "work").mkdir()
    shutil.copy(ROOT / "examples" / "own_tasks.py", folder / "work")
    return Installed(folder / "site", folder / "work")


def test_it_is_the_wheel_and_the_gym_is_gone(installed: Installed) -> None:
    code = "import alpha_umi, importlib.util; print(alpha_umi.__file__, importlib.util.find_spec('alpha_umi_gym'))"
    said = installed("-c", code).stdout
    assert "without_gym" in said
    assert said.endswith(" None\n")


def test_what_ships_is_listed(installed: Installed) -> None:
    assert "umi-verified" in installed.umi("list")


def test_an_agent_runs(installed: Installed) -> None:
    program = """
from alpha_umi.testing import call_text, plan_text, scripted_agent

def double(number: int) -> int:
    "Twice a number."
    return 2 * number

plans = [plan_text("I call it."), plan_text("That is it.", "summarize")]
agent = scripted_agent(plans, [call_text("double", number=4)], ["It is 8."], tools=[double])
print(agent.run("What is twice 4?").answer)
"""
    done = installed("-c", program)
    assert done.stdout == "It is 8.\n", done.stderr


def test_a_task_set_of_ones_own_is_evaluated(installed: Installed) -> None:
    (installed.work / "giving_up.py").write_text(
        "from alpha_umi import ScriptedModel\n\ndef model(role, **options):\n"
        "    return ScriptedModel(lambda _: 'No idea. Next: give up.')\n"
    )
    # A team of a model of one's own: no weights are needed.
    roles = "".join(f"  {role}: {{model: {{name: quiet}}}}\n" for role in ("planner", "caller", "summarizer"))
    (installed.work / "team.yaml").write_text(f"prompts: shared\nroles:\n{roles}")
    info = installed.work / "quiet-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: quiet\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[alpha_umi.models]\nquiet = giving_up:model\n")
    said = installed.umi("evaluate", "agent", "--data", "own_tasks:WAREHOUSE", "--team", "team.yaml", "--out", "eval")
    assert "10 episodes" in said
    assert "10.0" in said, "one of ten has no solution"


@pytest.mark.parametrize(
    "words",
    [
        "quickstart",
        "evaluate agent --data gym:unseen_tools --team default --out eval",
        "data convert gym --out data",
        "run hello --tools gym",
    ],
)
def test_what_needs_the_gym_says_how_to_get_it(installed: Installed, words: str) -> None:
    done = installed("-m", "alpha_umi", *words.split())
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "alpha_umi_gym is not installed" in line
    assert "pip install --force-reinstall --no-deps alpha-umi==" in line


def test_the_doctor_sees_that_it_is_missing(installed: Installed) -> None:
    assert json.loads(installed.umi("doctor", "--json"))["works"]["the gym"] is False
