"""Which tests need a model or start processes: read from what each one refers to, so that nobody marks tests by hand.

`fast` is what does neither, is not `slow`, and is not the gym's own, whose tests make tasks by the thousand. Under
`-m fast` one that loads torch or starts a process all the same is an error.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent

MODEL = frozenset(
    {
        "torch",
        "transformers",
        "datasets",
        "peft",
        "gguf",
        "deepspeed",
        "load_tokenizer",
        "load_local",
        "tokenizer",
        "evaluated",  # test_tasks: records name the tokenizer of a team on this machine
    }
)
"""Names that stand for the libraries of the `local` and `train` extras."""

PROCESS = frozenset({"subprocess", "multiprocessing", "executable", "Popen", "fork", "postgres"})
PROCESS_FILES = frozenset({"test_interpreter.py", "test_mcp_tools.py", "test_serving_mcp.py"})
"""Files whose subject is another process."""

_started: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"subprocess.Popen", "os.fork", "os.posix_spawn"} and "uname" not in arguments:  # `platform` asks it
        _started.append(f"{event}{arguments[:2]}")


sys.addaudithook(_watch)


def mark(item: pytest.Item) -> None:
    """Add `model`, `process` and `fast` to a test, as it deserves them."""
    names = _reached(item)
    if names & MODEL:
        item.add_marker("model")
    if names & PROCESS or item.path.name in PROCESS_FILES:
        item.add_marker("process")
    of_the_gym = item.path.parent.name == "gym"
    if not of_the_gym and not any(item.get_closest_marker(kind) for kind in ("model", "process", "slow")):
        item.add_marker("fast")


def _reached(item: pytest.Item) -> set[str]:
    """The names that a test, its fixtures, and the functions of the test modules behind them refer to."""
    fixtures = getattr(item, "_fixtureinfo").name2fixturedefs  # noqa: B009
    functions = [getattr(item, "obj")]  # noqa: B009
    functions += [definition.func for definitions in fixtures.values() for definition in definitions]
    return set().union(*(_names(_plain(function)) for function in functions))


def _plain(function: Callable[..., Any]) -> Any:
    """The function under its decorators, Hypothesis' included."""
    handle = getattr(function, "hypothesis", None)
    return inspect.unwrap(handle.inner_test if handle else function)


@functools.cache
def _names(function: Any) -> frozenset[str]:
    names: set[str] = set()
    waiting, seen = [function], {function}
    while waiting:
        current = waiting.pop()
        found = set(_in_code(current.__code__))
        names |= found
        behind = {part for name in found for part in _functions(current.__globals__.get(name))}
        waiting += behind - seen
        seen |= behind
    return frozenset(names)


def _in_code(code: CodeType) -> Iterator[str]:
    yield from (part for name in (*code.co_names, *code.co_freevars) for part in name.split("."))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _in_code(constant)


def _functions(target: Any) -> Iterator[Any]:
    """What there is to read of a name that stands for a function or class of the tests."""
    if isinstance(target, type):
        yield from (part for value in vars(target).values() for part in _functions(value))
    elif isinstance(target, FunctionType) or hasattr(target, "__wrapped__"):
        plain = inspect.unwrap(target)
        if isinstance(plain, FunctionType) and HERE in Path(plain.__code__.co_filename).parents:
            yield plain


def bring_in(item: pytest.Item) -> None:
    """Run what a module that is marked `model` has under TYPE_CHECKING: its first test imports torch, no collection."""
    parent = item.getparent(pytest.Module)
    if parent is not None and any(mark.name == "model" for mark in parent.own_markers):
        _run_typing_block(parent.obj)


@functools.cache
def _run_typing_block(module: ModuleType) -> None:
    for node in ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(node.body, []), module.__file__ or "", "exec"), vars(module))


def begin() -> bool:
    """Before a fast test: whether torch is loaded already."""
    _started.clear()
    return "torch" in sys.modules


def check(loaded: bool) -> None:
    """After a fast test: it was one."""
    assert loaded or "torch" not in sys.modules, "it loads torch, so it is not fast: name in tests/kinds.py what tells"
    assert not _started, f"it starts a process, so it is not fast: name in tests/kinds.py what tells ({_started[0]})"
