"""What `--tools` names: the gym, parts of it, and things of the user's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from alpha_umi.errors import ToolError, UsageError
from alpha_umi.tools import sources
from alpha_umi.tools.functions import FunctionToolbox
from alpha_umi.tools.spec import load_tools
from alpha_umi.trajectory import Call, Observation
from alpha_umi_gym import categories


def test_specs_of_the_gym() -> None:
    assert len(load_tools("gym").tools) >= 80
    names = [tool.name for tool in load_tools("gym:maths, gym:shop").tools]
    assert names.index("calculate") < names.index("find_product")
    assert "convert_time" not in names
    assert len(list(load_tools("gym:time"))) == len(categories()["time"].tools)
    with pytest.raises(ToolError, match="same name"):
        load_tools("gym,gym:time")


MODULE = """
from __future__ import annotations
from alpha_umi.tools import sources
from alpha_umi.tools.functions import FunctionToolbox
def half(n: float) -> float:
    \"\"\"Halve a number.\"\"\"
    return n / 2
def third(n: float) -> float:
    return n / 3
class tools:
    many = [half, third]
box = FunctionToolbox(tools.many)
number = 4
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"own_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_bad.py").write_text("1 / 0")
    (tmp_path / f"{name}_needy.py").write_text("import no_such_library_at_all")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


@pytest.mark.parametrize(("attribute", "n"), [("half", 1), ("tools.many", 2), ("box", 2)])
def test_specs_of_own_modules(module: str, attribute: str, n: int) -> None:
    box = load_tools(f"gym:time,{module}:{attribute}")
    assert len(box.tools) == len(categories()["time"].tools) + n
    assert box.invoke(Call(tool="half", arguments={"n": 5})) == Observation(text="2.5")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("", "no tools are named"),
        (" , ", "possible are gym, gym:CATEGORY, python,"),
        ("gim", "'gim' is not a source of tools; possible are gym"),
        ("gym:", "no category ''"),
        ("gym:cooking", "it has time, units, maths,"),
        ("{module}:", "is not a source of tools"),
        ("no_such_module_here:x", "there is no module 'no_such_module_here'"),
        ("{module}.sub:x", "there is no module"),
        ("python:x", "is not a source of tools: it is python alone"),
        ("openapi", "'openapi' is not a source of tools: it is openapi:FILE_OR_URL"),
        ("{module}:hlaf", "'hlaf' is not in"),
        ("{module}:hlaf", "there are half"),
        ("{module}:number", "cannot offer 4"),
        ("{module}_bad:x", "cannot be imported: ZeroDivisionError"),
        ("{module}_needy:x", "needs 'no_such_library_at_all'"),
        ("mcp:", "is not a source of tools"),
        pytest.param("mcp:no-such-program-here --x", "no-such-program-here", marks=pytest.mark.process),
        ("openapi:no_such_file.json", "no_such_file.json"),
        ("toolbench:no_such_folder", "no_such_folder"),
        ("./tools.py:x", "is not a source of tools"),
    ],
)
def test_a_wrong_spec_is_told_what_is_possible(module: str, spec: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_tools(spec.format(module=module))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_commas_of_urls_and_command_lines_stay_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def source(text: str | None) -> FunctionToolbox:
        asked.append(text or "")
        return FunctionToolbox([])

    for scheme in ("openapi", "mcp", "toolbench"):
        monkeypatch.setattr(sources, scheme, source)
    load_tools("gym:time,openapi:http://x/doc?tags=a,b,mcp:serve --only a,b , toolbench:dir,python")
    assert asked == ["http://x/doc?tags=a,b", "serve --only a,b", "dir"]


def test_published_servers_and_the_interpreter_by_spec() -> None:
    box = load_tools(f"mcp:{sys.executable} -m mcp_server_time,python")
    assert {"get_current_time", "convert_time", "python"} <= {tool.name for tool in box.tools}
    assert box.invoke(Call(tool="python", arguments={"code": "2 ** 10"})).text.strip() == "1024"
    told = box.invoke(Call(tool="get_current_time", arguments={"timezone": "Europe/Oslo"}))
    assert told.ok, told.text
