"""`alpha-umi data split`: hold a share of a data set out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import cast, get_args

import typer

from alpha_umi.data import store
from alpha_umi.data.filters import Report
from alpha_umi.errors import UsageError

_HELP = """Split a data set into DIR/train and DIR/test.

Example: alpha-umi data split data/ood --held-out 0.2

A trajectory's side depends on its query and the seed alone: several answers to one query stay together, and the split
stays when data are added.
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("split", help=_HELP)(split)


def split(
    data: Path = typer.Argument(help="Folder made by `data convert`."),
    held_out: float = typer.Option(0.2, help="Share that goes to DIR/test."),
    seed: int = typer.Option(0, help="Another seed holds out others."),
    by: str = typer.Option("query", help="What decides the side: query, or id where each is a case of its own."),
) -> None:
    """Split a data set."""
    if not 0 < held_out < 1:
        raise UsageError(f"--held-out is a share between 0 and 1, found {held_out}")
    if by not in get_args(store.SplitBy):
        raise UsageError(f"--by is query or id, not {by}")
    key = cast(store.SplitBy, by)
    sizes = Counter(store.is_held_out(t, held_out, seed=seed, by=key) for t in store.read(data))
    for name, wanted in (("train", False), ("test", True)):
        if not sizes[wanted]:
            raise UsageError(f"--held-out {held_out} leaves {name} empty, of {sizes.total()} trajectories")
    for name, wanted in (("train", False), ("test", True)):
        chosen = (t for t in store.read(data) if store.is_held_out(t, held_out, seed=seed, by=key) is wanted)
        report = store.write(data / name, chosen, Report(taskset=store.taskset_of(data) or ""))
        typer.echo(f"{data / name}: {report.kept} trajectories")
