"""Plug-in points: what an installed package adds, what one's own module is, and what is said when either is broken."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from alpha_umi.errors import UsageError
from alpha_umi.plugins import GROUPS, PluginPoint
from alpha_umi.tools.spec import load_tools
from alpha_umi.trajectory import Call, Observation

Install = Callable[..., None]

POINT = PluginPoint[Callable[[], str]]("scorers", {"upper": "alpha_umi.plugins:no_such_thing", "ships": "json:dumps"})


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes a package as pip leaves it: a module, and its entry points beside it."""
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)

    def make(name: str, group: str, entries: Mapping[str, str], source: str = "") -> None:
        info = tmp_path / "site" / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "".join(f"{key} = {value}\n" for key, value in entries.items())
        (info / "entry_points.txt").write_text(f"[alpha_umi.{group}]\n{lines}")
        (tmp_path / "site" / f"{name}.py").write_text(source)
        sys.path.append(str(tmp_path / f"seen {name}"))  # a path that was not searched before

    return make


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(UsageError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_package_adds_a_name_that_is_listed_and_loaded(install: Install) -> None:
    install("points_a", "scorers", {"mine": "points_a:f", "ships": "points_a:f"}, "f = lambda: 'mine'")
    assert POINT.names() == ["upper", "ships", "mine"]
    assert POINT.load("mine")() == "mine"
    assert POINT.load("ships").__module__ == "json", "a name that ships is never replaced"


def test_listing_imports_nothing(install: Install) -> None:
    install("points_b", "scorers", {"b": "points_b:f"}, "raise SystemExit('imported')")
    assert "b" in POINT.names()


def test_an_unknown_name_is_told_what_there_is(install: Install) -> None:
    install("points_c", "scorers", {"mine": "points_c:f"})
    assert refused(lambda: POINT.load("their")) == (
        "there is no scorer 'their'; there are upper, ships, mine, or give your own as MODULE:ATTRIBUTE"
    )


def test_one_that_fails_on_import_is_named_and_the_rest_works(install: Install) -> None:
    install("points_bad", "tool_sources", {"bad": "points_bad:f"}, "raise RuntimeError('no\\nlicence')")
    install("points_gone", "tool_sources", {"gone": "points_gone:nothing_of_this_name"})
    install("points_good", "tool_sources", {"good": "points_good:source"}, "def source(rest):\n    return [source]")
    assert refused(lambda: load_tools("bad:x")) == (
        "source of tools 'bad' of points_bad 1.0 cannot be loaded: RuntimeError: no licence"
    )
    assert "source of tools 'gone' of points_gone 1.0 cannot be loaded: AttributeError" in refused(
        lambda: load_tools("gone:x")
    )
    assert "source" in {tool.name for tool in load_tools("good:x,gym:time").tools}


def test_two_packages_that_bring_one_name(install: Install) -> None:
    for name in ("points_one", "points_two"):
        install(name, "scorers", {"same": f"{name}:f", f"of_{name}": f"{name}:f"}, "f = lambda: 'f'")
    said = refused(lambda: POINT.load("same"))
    assert "scorer 'same': points_one 1.0 and points_two 1.0 both bring it" in said
    assert POINT.load("of_points_one")() == "f"


def test_a_module_of_ones_own_is_taken_but_not_where_yaml_names_it(install: Install, tmp_path: Path) -> None:
    (tmp_path / "points_own.py").write_text("def f():\n    return 'own'")
    assert POINT.load("points_own:f")() == "own"
    assert "'h' is not in points_own; there are f" in refused(lambda: POINT.load("points_own:h"))
    said = refused(lambda: POINT.load("points_own:f", own=False))
    assert said.startswith("'points_own:f' addresses code; a YAML file only names what a package brings: there are")
    assert "MODULE" not in said


def test_what_is_of_another_kind_or_fails_when_called_is_told_in_one_line(install: Install) -> None:
    source = "number = 4\ndef f(rest):\n    raise KeyError(rest)\ndef g(rest):\n    return 3"
    install(
        "points_k", "tool_sources", {k: f"points_k:{v}" for k, v in {"n": "number", "f": "f", "g": "g"}.items()}, source
    )
    assert refused(lambda: load_tools("n:x")) == "'n' is no source of tools, but 4"
    assert refused(lambda: load_tools("f:x")) == "source of tools 'f' failed: KeyError: 'x'"
    assert "'g:x': cannot offer 3" in refused(lambda: load_tools("g:x"))


def test_a_scheme_of_a_package_reads_what_follows_its_colon(install: Install) -> None:
    code = "def source(rest):\n    def asked() -> str:\n        'Tell.'\n        return repr(rest)\n    return asked\n"
    install("points_s", "tool_sources", {"s-1": "points_s:source"}, code)
    for spec, said in (("s-1:a,b?c=d", "a,b?c=d"), ("s-1", None), ("gym:time, s-1:x ,python", "x")):
        assert load_tools(spec).invoke(Call(tool="asked", arguments={})) == Observation(text=repr(said))
    assert "toolbench:DIR, s-1:... and MODULE:ATTRIBUTE" in refused(lambda: load_tools("nothing"))


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_has_a_word_of_its_own(group: str) -> None:
    said = PluginPoint[object](group, {}).unknown("nothing")
    assert said.startswith(f"there is no {GROUPS[group]} 'nothing'; there are ")
    assert said.endswith(", or give your own as MODULE:ATTRIBUTE")
