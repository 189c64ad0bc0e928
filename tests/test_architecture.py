"""docs/architecture.md: what it points at is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ANSWERS = re.findall(r"^- (.+?) -> `([^`:]+):([^`]+)`$", PAGE, re.MULTILINE)


def _defined(path: Path, name: str) -> bool:
    """Whether a file defines a class, function or method of this dotted name."""
    body: list[ast.stmt] = ast.parse(path.read_text(encoding="utf-8")).body
    for part in name.split("."):
        found = [
            node
            for node in body
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == part
        ]
        if not found:
            return False
        body = found[0].body
    return True


@pytest.mark.parametrize(("question", "file", "name"), ANSWERS, ids=[question for question, *_ in ANSWERS])
def test_each_answer_is_where_the_page_says(question: str, file: str, name: str) -> None:
    assert _defined(ROOT / file, name), f"{question} {file}:{name}"


NOUNS = [
    (name, re.findall(r"`([^`]+)`", files))
    for names, files in re.findall(r"^\| ([A-Z][\w, ]+) \|.*\| (`.+`) \|$", PAGE, re.MULTILINE)
    for name in names.split(", ")
]


def test_each_noun_is_defined_where_the_page_says() -> None:
    assert len(NOUNS) > 20
    for name, files in NOUNS:
        first = ROOT / files[0]
        paths = [first, *(first.parent / file for file in files[1:])] if first.is_file() else sorted(first.glob("*.py"))
        assert any(_defined(path, name) for path in paths), f"{name}: {files}"


def test_nine_questions_are_answered() -> None:
    assert len(ANSWERS) == 9


def test_each_file_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+(?:\.py|/))`", PAGE))
    assert len(named) > 30
    lost = [name for name in named if not any((folder / name).exists() for folder in (ROOT, *_folders(name)))]
    assert not lost


def _folders(name: str) -> list[Path]:
    """Where a name may be relative to: the package, and for a bare `stage.py` the folder before it."""
    return [ROOT / "alpha_umi", *([ROOT / "alpha_umi" / "training"] if "/" not in name else [])]
