"""`alpha-umi data verdicts`: what a verifier learns from."""

from __future__ import annotations

from pathlib import Path

import typer

from alpha_umi.data import verdicts as made
from alpha_umi.team_files import load_role

_HELP = """Make data for a verifier: right answers accepted, wrong ones sent back.

Example: alpha-umi data verdicts data/gym --out data/verdicts

Each solved trajectory is written twice: with its own answer, and with the answer to another question or with another
number in it. Train on them with `alpha-umi train verifier --data data/verdicts`.
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("verdicts", help=_HELP, short_help="Right and wrong answers, for a verifier.")(verdicts)


def verdicts(
    data: str = typer.Argument(metavar="DIR", help="A folder made by `data convert`."),
    out: Path = typer.Option(help="Folder for trajectories.jsonl and report.json."),
    role: str = typer.Option("verifier", help="The role that judges: a name that ships, or a file."),
    seed: int = typer.Option(0, help="Another seed draws other wrong answers."),
) -> None:
    """Write trajectories with verdicts."""
    report = made.convert(data, out, load_role(role), seed=seed)
    typer.echo(f"kept     {report.kept:>8,}  in {out}")
