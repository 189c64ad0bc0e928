"""`alpha-umi list | show | copy`: what ships beside the code, to be read, copied and changed.

Knows files and their first words only; what they mean is for their one reader each (`roles/` for `alpha_umi.roles`,
and so on). Needs none of the models' libraries.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import typer
import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from alpha_umi import resources
from alpha_umi.errors import UsageError
from alpha_umi.text.layouts import LAYOUT_FILE

_LIST_HELP = """List the teams, roles, recipes, experiments, prompts and launch files that ship with alpha-umi.

Example: alpha-umi list
"""
_SHOW_HELP = """Print a shipped file.

Example: alpha-umi show glpft

A name that several files have takes its folder: roles/planner, teams/single, paper/planner, training/glpft.
"""
_COPY_HELP = """Copy a shipped file, or a layout as a whole, to change it; nothing is ever overwritten.

Example: alpha-umi copy glpft my_recipe.yaml
"""
_KINDS = {
    "teams": "roles/teams",
    "roles": "roles",
    "recipes": "training",
    "experiments": "experiments",
    "prompts": "prompts",
    "launch": "launch",
}
"""What a list calls it, and the folder that holds it."""

_FOLDER_FILES = (resources.TEAM_FILE, LAYOUT_FILE)
"""Files that describe a folder which is copied as one thing."""

_SUFFIXES = {".yaml", ".jinja", ".json", ".sh", ".sbatch"}


class Shipped(NamedTuple):
    """A file that ships, a team with its weights beside it, or a layout with its templates."""

    kind: str
    name: str
    """Path inside the folder of its kind, without suffix: `ablations/multi_task`."""
    path: Path
    """The file; of a team with weights its `team.yaml`, of a layout its `layout.yaml`."""

    @property
    def whole(self) -> Path:
        """What a copy takes: the file, or the folder of a team with weights or of a layout."""
        return self.path.parent if self.path.name in _FOLDER_FILES else self.path

    @property
    def names(self) -> list[str]:
        """Everything it may be called, most natural first."""
        spelled = [self.name, f"{self.kind}/{self.name}", f"{_KINDS[self.kind]}/{self.name}"]
        return spelled + [name + self.whole.suffix for name in spelled if self.whole.suffix]

    @property
    def title(self) -> str:
        """The name that only this file has."""
        return f"{self.kind}/{self.name}"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("list", help=_LIST_HELP, short_help="List teams, roles, recipes, experiments, prompts, launch files.")(
        list_
    )
    app.command("show", help=_SHOW_HELP)(show)
    app.command("copy", help=_COPY_HELP, short_help="Copy a shipped file, to change it.")(copy)


def list_(as_json: bool = typer.Option(False, "--json", help="Print a JSON list.")) -> None:
    """List what ships."""
    files = shipped()
    if as_json:
        rows = [{"kind": f.kind, "name": f.name, "description": describe(f.path), "path": str(f.path)} for f in files]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    # One table, so that the columns of all kinds line up.
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for kind in _KINDS:
        table.add_row(f"[bold]{kind}[/]")
        for file in files:
            if file.kind == kind:
                table.add_row(f"  {escape(file.name)}", escape(describe(file.path)))
    Console(highlight=False).print(table)


def show(name: str = typer.Argument(help="Name as `alpha-umi list` shows it.")) -> None:
    """Print a shipped file; of a layout its templates too."""
    path = find(name).path
    typer.echo(path.read_text(encoding="utf-8"), nl=False)
    for template in sorted(path.parent.glob("*.jinja")) if path.name == LAYOUT_FILE else ():
        typer.echo(f"\n{{# {template.name} #}}\n{template.read_text(encoding='utf-8')}", nl=False)


def copy(
    name: str = typer.Argument(help="Name as `alpha-umi list` shows it."),
    dest: Path = typer.Argument(None, help="File or folder. Default: the working directory."),
) -> None:
    """Copy a shipped file."""
    source = find(name).whole
    target = resources.user_path(dest or Path())
    if target.is_dir():
        target = target / source.name
    if target.exists():
        raise UsageError(f"{target} exists and is not overwritten: give another name")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent} to copy into")
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
    typer.echo(str(target))


def shipped() -> list[Shipped]:
    """Everything that ships, by kind and name; what lies beside a team's file is part of the team, while a layout's
    templates can be read one by one too."""
    found: dict[Path, Shipped] = {}
    for kind, folder in _KINDS.items():
        base = resources.root() / folder
        wholes = [path.parent for path in base.rglob(resources.TEAM_FILE)]
        for path in sorted(base.rglob("*")):
            part = path.name != resources.TEAM_FILE and any(path.is_relative_to(whole) for whole in wholes)
            if path.suffix in _SUFFIXES and path not in found and not part:
                name = path.parent if path.name in _FOLDER_FILES else path.with_suffix("")
                found[path] = Shipped(kind, name.relative_to(base).as_posix(), path)
    return sorted(found.values(), key=lambda file: (list(_KINDS).index(file.kind), file.name))


def find(name: str) -> Shipped:
    """The shipped file that a name means: in full first, else by its last part.

    Raises:
        UsageError: no file has that name, or several have.
    """
    files = shipped()
    meant = [file for file in files if name in file.names]
    meant = meant or [file for file in files if name in (file.whole.name, file.whole.stem)]
    if len(meant) > 1:
        raise UsageError(f"'{name}' is the name of {len(meant)} files: say {' or '.join(f.title for f in meant)}")
    if not meant:
        known = ", ".join(file.title for file in files)
        raise UsageError(f"'{name}' does not ship; these do: {known}")
    return meant[0]


def describe(path: Path) -> str:
    """The `description` of a YAML file, else the first line of its comment, else nothing."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        value = yaml.safe_load(text)
        if isinstance(value, dict) and value.get("description"):
            return str(value["description"])
    comments = (line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#") and line[:2] != "#!")
    return next((line for line in comments if line and not line.startswith("SBATCH")), "")
