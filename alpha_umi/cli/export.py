"""`alpha-umi export`: a trained team as a folder of its own."""

from __future__ import annotations

from pathlib import Path

import typer

from alpha_umi.errors import UsageError

TARGETS = ("peft",)

_HELP = """Write a trained team as a folder of its own.

peft: LoRA adapters over the base, the backbone's among them, with team.yaml: megabytes instead of whole models.

Example: alpha-umi export runs/gym --to peft --out teams/mine
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("export", help=_HELP, short_help="A trained team as a folder of its own.")(export)


def export(
    team: str = typer.Argument(help="Run folder, YAML file, or shipped team."),
    to: str = typer.Option("peft", help=f"One of {', '.join(TARGETS)}."),
    out: Path = typer.Option(..., help="Folder to make."),
) -> None:
    """Read, convert, write."""
    if to not in TARGETS:
        raise UsageError(f"cannot export to '{to}'; possible: {', '.join(TARGETS)}")
    from alpha_umi.export import size_of, to_peft
    from alpha_umi.team_files import load_team

    folder = to_peft(load_team(team), out)
    typer.echo(f"{folder} is a team of {size_of(folder) / 1e6:.1f} MB: alpha-umi run QUESTION --team {folder}")
