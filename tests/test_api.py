"""The public surface: every name of an `__all__` is there, documented and in the reference, and guides use no other."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TypeGuard

import pytest

from alpha_umi.plugins import GROUPS

ROOT = Path(__file__).resolve().parents[1]
GUIDES = [*ROOT.glob("*.md"), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("[!.]*/**/README.md"))]
PROGRAMS = [*sorted(ROOT.glob("examples/*.py")), *sorted(ROOT.glob("tests/plugin_package/**/*.py"))]
NEEDS_TORCH = {"alpha_umi.models", "alpha_umi.nn", "alpha_umi.training", "alpha_umi.training.sft"}
"""Modules some of whose names load torch when they are used."""


def _source(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def _body(module: str) -> list[ast.stmt]:
    source = _source(module)
    assert source is not None, module
    return ast.parse(source.read_text(encoding="utf-8")).body


def _targets(node: ast.stmt) -> list[str]:
    """What an assignment binds."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _all_of(module: str) -> list[str]:
    """The `__all__` of a module, as it is written."""
    return next((ast.literal_eval(node.value) for node in _body(module) if _lists_names(node)), [])


def _lists_names(node: ast.stmt) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign) and _targets(node) == ["__all__"]


REFERENCE = "\n".join(page.read_text(encoding="utf-8") for page in sorted(ROOT.glob("docs/api/*.md")))
BLOCKS = re.findall(r"^::: ([\w.]+)\n((?:    .*\n)*)", REFERENCE, re.MULTILINE)
SURFACE = {module: _all_of(module) for module, _ in BLOCKS}
"""The public modules, which are those that the reference lists, with the names of their `__all__`."""
PACKAGES = [module for module in SURFACE if (source := _source(module)) is not None and source.name == "__init__.py"]


def _origins(package: str) -> dict[str, str]:
    """Where the names come from that a package imports under TYPE_CHECKING."""
    origins: dict[str, str] = {}
    for node in _body(package):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                assert isinstance(line, ast.ImportFrom)
                origins |= {alias.name: f"{line.module}.{alias.name}" for alias in line.names}
    return origins


def _docstring(address: str) -> str | None:
    """The docstring that stands at a definition; of a constant or an alias the text after it."""
    if _source(address) is not None:
        return ast.get_docstring(ast.Module(_body(address), []))
    module, _, name = address.rpartition(".")
    body = _body(module)
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return ast.get_docstring(node)
        if name in _targets(node) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return str(after.value.value)
    return None


@pytest.mark.parametrize(
    "module", [pytest.param(module, marks=[pytest.mark.model] * (module in NEEDS_TORCH)) for module in SURFACE]
)
def test_every_public_name_is_there(module: str) -> None:
    loaded = import_module(module)
    assert [name for name in SURFACE[module] if not hasattr(loaded, name)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_loads_what_it_declares(package: str) -> None:
    names = {*SURFACE[package]} - {"__version__"}
    assert {*_origins(package)} == names
    assert {*dir(import_module(package))} == names
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = import_module(package).nothing_such


@pytest.mark.parametrize("module", SURFACE)
def test_every_public_name_has_a_docstring_of_its_own(module: str) -> None:
    origins = _origins(module)
    assert [name for name in SURFACE[module] if not _docstring(origins.get(name, f"{module}.{name}"))] == []


@pytest.mark.parametrize("module", SURFACE)
def test_public_names_are_sorted(module: str) -> None:
    def place(name: str) -> tuple[int, str]:  # as ruff sorts them: constants, classes, the rest
        return (0 if name.isupper() else 1 if name[0].isupper() else 2), name

    assert SURFACE[module] == sorted(set(SURFACE[module]), key=place)


def test_a_public_name_of_two_packages_means_one_thing() -> None:
    meanings: dict[str, set[str]] = defaultdict(set)
    for package in PACKAGES:
        for name, origin in _origins(package).items():
            meanings[name].add(origin)
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


def test_the_reference_lists_every_package_that_offers_something() -> None:
    files = [*ROOT.glob("alpha_umi/**/__init__.py"), *ROOT.glob("alpha_umi_gym/**/__init__.py")]
    found = {".".join(file.parent.relative_to(ROOT).parts) for file in files}
    assert {package for package in found if _all_of(package)} == {*PACKAGES}
    assert len(BLOCKS) == len(SURFACE)


def test_the_reference_has_every_public_name() -> None:
    linked = re.findall(r"\[`\w+`\]\[([\w.]+)\]", REFERENCE)
    assert [address for address in linked if not _is_public(address)] == []
    for module, options in BLOCKS:
        if chosen := re.findall(r"^        - (\w+)$", options, re.MULTILINE):  # the others are linked to where they are
            assert {*chosen, *(address.rpartition(".")[2] for address in linked)} == {*SURFACE[module]}
        offered = {f"{module}.{name}" for name in SURFACE[module]}
        assert {address for address in offered if _source(address)} <= {*SURFACE}


def _imports(text: str) -> Iterator[str]:
    """The names of ours that a program imports, each in full."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in {"alpha_umi", "alpha_umi_gym"}:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0].startswith("alpha_umi"))


def _is_public(address: str) -> bool:
    module, _, name = address.rpartition(".")
    return address in SURFACE or name in SURFACE.get(module, [])


def _is_group_or_module(name: str) -> bool:
    """Whether it names a group of entry points, or a module as a place to read."""
    return name in {f"alpha_umi.{group}" for group in GROUPS} or _source(name) is not None


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_guides_import_public_names_alone(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    programs = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert [name for program in programs for name in _imports(program) if not _is_public(name)] == []
    outside = re.sub(r"^```python\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"^\s*(from|import) alpha_umi", outside, re.MULTILINE), "a program, but not marked as Python"
    named = re.findall(r"`(alpha_umi(?:_gym)?(?:\.\w+)+)", text)
    assert [name for name in named if not _is_public(name) and not _is_group_or_module(name)] == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.relative_to(ROOT).as_posix())
def test_examples_import_public_names_alone(program: Path) -> None:
    assert [name for name in _imports(program.read_text(encoding="utf-8")) if not _is_public(name)] == []


def test_importing_packages_loads_no_torch() -> None:
    program = (
        f"import sys, {', '.join(PACKAGES)}; sys.exit(str({{'torch', 'langgraph', 'pydantic'}} & {{*sys.modules}}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stderr.strip() == "set()"
