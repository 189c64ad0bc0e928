"""`alpha-umi data split`: hold a share of a data set out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import cast, get_args

import typer

from alpha_umi.data import store, tool_split
from alpha_umi.data.filters import Report
from alpha_umi.errors import UsageError
from alpha_umi.trajectory import Trajectory

_HELP = """Split a data set into DIR/train and DIR/test.

Example: alpha-umi data split data/ood --held-out 0.2

A trajectory's side depends on its query and the seed alone: several answers to one query stay together, and the split
stays when data are added. With --by tools no tool of the test side occurs in training: trajectories that share a tool
stay together, and DIR/test has at most the share.
"""
_TOOLS = "tools"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("split", help=_HELP)(split)


def split(
    data: Path = typer.Argument(help="Folder made by `data convert`."),
    held_out: float = typer.Option(0.2, help="Share that goes to DIR/test."),
    seed: int = typer.Option(0, help="Another seed holds out others."),
    by: str = typer.Option("query", help="What decides the side: query, id where each is a case of its own, or tools."),
) -> None:
    """Split a data set."""
    if not 0 < held_out < 1:
        raise UsageError(f"--held-out is a share between 0 and 1, found {held_out}")
    if by not in (*get_args(store.SplitBy), _TOOLS):
        raise UsageError(f"--by is query, id or tools, not {by}")
    is_held_out = _by_tools(data, held_out, seed) if by == _TOOLS else _by_text(held_out, seed, cast(store.SplitBy, by))
    sizes = Counter(map(is_held_out, store.read(data)))
    for name, wanted in (("train", False), ("test", True)):
        if not sizes[wanted]:
            raise UsageError(f"--held-out {held_out} leaves {name} empty, of {sizes.total()} trajectories")
    for name, wanted in (("train", False), ("test", True)):
        chosen = (t for t in store.read(data) if is_held_out(t) is wanted)
        report = store.write(data / name, chosen, Report(taskset=store.taskset_of(data) or ""))
        typer.echo(f"{data / name}: {report.kept} trajectories")


def _by_text(share: float, seed: int, by: store.SplitBy) -> Callable[[Trajectory], bool]:
    return lambda trajectory: store.is_held_out(trajectory, share, seed=seed, by=by)


def _by_tools(data: Path, share: float, seed: int) -> Callable[[Trajectory], bool]:
    held = tool_split.held_out_tools(store.read(data), share, seed=seed)
    return lambda trajectory: tool_split.is_held_out(trajectory, held)
