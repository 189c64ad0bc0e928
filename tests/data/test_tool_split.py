"""Splits whose sides share no tool."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from alpha_umi.cli import split as verb
from alpha_umi.data import convert, store
from alpha_umi.data.tool_split import held_out_tools, is_held_out, tools_of
from alpha_umi.trajectory import Tool, Trajectory


def offering(*names: str) -> Trajectory:
    """A trajectory that offers tools."""
    return Trajectory(query="?", tools=tuple(Tool(name=name) for name in names))


@given(
    st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=3, unique=True), min_size=1, max_size=20),
    st.floats(0, 1),
    st.integers(0, 5),
)
def test_no_tool_is_on_both_sides(offered: list[list[str]], share: float, seed: int) -> None:
    trajectories = [offering(*names) for names in offered]
    held = held_out_tools(trajectories, share, seed=seed)
    test = [t for t in trajectories if is_held_out(t, held)]
    train = [t for t in trajectories if not is_held_out(t, held)]
    assert len(test) <= share * len(trajectories) + 1e-9
    assert {tool for t in test for tool in tools_of(t)}.isdisjoint(tool for t in train for tool in tools_of(t))
    assert held_out_tools(trajectories[::-1], share, seed=seed) == held, "the order of the data decides nothing"


def test_functions_of_one_tool_belong_together() -> None:
    assert tools_of(offering("find_for_port", "list_for_port", "now")) == {"port", "now"}


def test_the_toolbench_data_are_split_by_tool(shared: Path, tmp_path: Path) -> None:
    convert.convert([str(shared / "glpft-toolbench/test/out_of_domain.json.gz")], "alpha-umi", tmp_path / "data")
    done = CliRunner().invoke(_app(), [str(tmp_path / "data"), "--by", "tools", "--held-out", "0.3"])
    assert done.exit_code == 0, done.output
    train, test = (list(store.read(tmp_path / "data" / name)) for name in ("train", "test"))
    assert 0.25 * 306 < len(test) <= 0.3 * 306
    assert len(train) + len(test) == 306
    assert {n for t in test for n in tools_of(t)}.isdisjoint(n for t in train for n in tools_of(t))


def _app() -> typer.Typer:

    app = typer.Typer()
    verb.register(app)
    return app


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_nothing_or_all_is_not_offered(share: float) -> None:
    held = held_out_tools([offering("a"), offering("b")], share)
    assert held == (frozenset() if share == 0 else {"a", "b"})
