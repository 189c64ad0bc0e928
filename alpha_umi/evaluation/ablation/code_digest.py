"""A digest of the code that a cell's result depends on, so that a result is made anew when that code changes.

Comments, docstrings and the layout of the text count for nothing: a mended sentence must not cost hours of training.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from alpha_umi.digests import text_digest

TRAINING = ("text", "nn", "training", "data/examples.py", "data/packed_targets.py", "data/tokens.py")
STATIC = ("text", "nn", "models", "evaluation/static/decision_points.py", "evaluation/static/predict.py")
AGENT = ("text", "nn", "models", "tools", "agent", "evaluation/agentic/episodes.py")
"""The parts of the package that each kind of cell runs through and that decide its result; scores are no part of it, as
they are computed anew."""


@lru_cache
def code_digest(parts: Sequence[str]) -> str:
    """Digest of some modules of the package, and of all in some folders, as the interpreter understands them."""
    package = Path(str(files("alpha_umi")))
    return text_digest([[file.relative_to(package).as_posix(), _meaning(file)] for file in _modules(package, parts)])


def _modules(package: Path, parts: Sequence[str]) -> Iterator[Path]:
    for part in parts:
        yield from [package / part] if part.endswith(".py") else sorted((package / part).rglob("*.py"))


def _meaning(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):  # a text that nothing is done with is a docstring
            node.body = [line for line in body if not _is_text(line)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
