"""Another package's warnings: never on the terminal of a command, and as Python has them for who imports alpha_umi."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = """
import warnings
for category in (FutureWarning, DeprecationWarning, UserWarning):
    warnings.warn(f"{category.__name__} at import", category)
def renamed():
    warnings.warn("renamed() is deprecated", FutureWarning, stacklevel=2)
"""
TOOLS = """
import warnings
import aging
def add(a: int, b: int) -> int:
    '''Add.'''
    return a + b
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a user's tools, over an installed package that warns when it is imported."""
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "aging.py").write_text(LIBRARY)
    (tmp_path / "mine.py").write_text(TOOLS)
    return tmp_path


def python(place: Path, *arguments: str, **variables: str) -> str:
    """What a fresh Python writes to stderr."""
    path = os.pathsep.join([str(place), str(place / "site-packages"), os.environ.get("PYTHONPATH", "")])
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**kept, "PYTHONPATH": path, **variables},
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stderr


# It ends when the user's module has been imported, before a model is loaded.
RUN = ("run", "Add 1 and 2", "--tools", "mine:absent")


def test_a_command_shows_no_warning_of_another_package(place: Path) -> None:
    stderr = python(place, "-m", "alpha_umi", *RUN)
    assert "absent" in stderr
    assert "Warning" not in stderr


def test_who_asks_python_for_warnings_gets_them(place: Path) -> None:
    assert "FutureWarning at import" in python(place, "-m", "alpha_umi", *RUN, PYTHONWARNINGS="default")


def test_who_imports_the_library_keeps_his_warnings(place: Path) -> None:
    stderr = python(place, "-c", "import alpha_umi, aging")
    assert "FutureWarning at import" in stderr
    assert "UserWarning at import" in stderr


def test_a_user_is_warned_about_his_own_tools(place: Path) -> None:
    (place / "mine.py").write_text(TOOLS + "warnings.warn('two units are mixed')\naging.renamed()\n")
    stderr = python(place, "-m", "alpha_umi", *RUN)
    assert "two units are mixed" in stderr
    assert "renamed() is deprecated" in stderr
    assert "at import" not in stderr
