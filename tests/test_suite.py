"""The suite itself: what collecting loads, and that a deprecation fails only who asks for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

COLLECT = """
import sys, pytest
assert pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"]) == 0
loaded = sorted({"torch", "transformers", "deepspeed", "datasets"} & set(sys.modules))
assert not loaded, f"collecting loads {loaded}"
"""

MEETS_ONE = """
import warnings
def test_old():
    exec(compile("warnings.warn('renamed in 6.0', FutureWarning)", "/usr/site-packages/other.py", "exec"),
         {"warnings": warnings, "__name__": "other"})
"""

OURS = """
import warnings
def test_old():
    exec(compile("warnings.warn('renamed in 6.0', FutureWarning)", "agent.py", "exec"),
         {"warnings": warnings, "__name__": "alpha_umi.agent"})
"""


def pytest_on(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """One test under the project's own configuration."""
    (folder / "test_one.py").write_text(test)
    at = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), str(folder / "test_one.py")]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *at]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def test_collecting_loads_no_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COLLECT], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_another_packages_deprecation_fails_no_test(tmp_path: Path) -> None:
    done = pytest_on(tmp_path, MEETS_ONE)
    assert done.returncode == 0, done.stdout


def test_our_own_code_must_not_warn(tmp_path: Path) -> None:
    done = pytest_on(tmp_path, OURS)
    assert done.returncode == 1
    assert "renamed in 6.0" in done.stdout


def test_the_check_of_the_newest_versions_lists_deprecations_and_fails(tmp_path: Path) -> None:
    done = pytest_on(tmp_path, MEETS_ONE, "-p", "tests.deprecations")
    assert done.returncode == 1
    assert "deprecated: /usr/site-packages/other.py: renamed in 6.0" in done.stdout
