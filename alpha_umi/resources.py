"""Shipped name or path -> file.

`roles/`, `prompts/`, `training/` and `launch/` are what researchers edit without touching Python. In a wheel
they live in `alpha_umi/_shipped/`; in a checkout they are read live from the root. A bare name means shipped,
a name with a suffix or a slash means a path. A folder that holds a `team.yaml` ships as one thing, under its own name.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from alpha_umi.errors import UsageError

FOLDERS = ("roles", "prompts", "training", "launch")
WHOLE = "team.yaml"
"""What a folder that ships as one thing is described by: a team and the adapters beside it."""


def root() -> Path:
    """Folder that holds the shipped folders: the wheel's copy, or the checkout."""
    package = Path(str(files("alpha_umi")))
    shipped = package / "_shipped"
    return shipped if shipped.is_dir() else package.parent


def cache_folder() -> Path:
    """Where converted weights are kept: $ALPHA_UMI_CACHE, else $XDG_CACHE_HOME/alpha-umi, else ~/.cache/alpha-umi."""
    if folder := os.environ.get("ALPHA_UMI_CACHE"):
        return Path(folder).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "alpha-umi"


def names(folder: str, suffix: str = ".yaml") -> list[str]:
    """Shipped names in a folder, e.g. `ablations/multi_task`, sorted."""
    base = root() / folder
    wholes = {path.parent for path in base.rglob(WHOLE)}
    files = (path.with_suffix("") for path in base.rglob(f"*{suffix}") if not wholes & set(path.parents))
    return sorted(path.relative_to(base).as_posix() for path in (*files, *(wholes if suffix == ".yaml" else ())))


def find(folder: str, name: str, suffix: str = ".yaml", *, beside: Path | None = None) -> Path:
    """The file that a name means: shipped when bare, else a path (relative to `beside` when given).

    Raises:
        UsageError: no such file; the text lists what ships.
    """
    if Path(name).suffix or "\\" in name or name.startswith((".", "/", "~")):
        path = Path(name).expanduser()
        if beside is not None and not path.is_absolute():
            path = beside.parent / path
        if path.is_file():
            return path
        raise UsageError(f"{folder}: there is no file {path}")
    for path in (root() / folder / f"{name}{suffix}", root() / folder / name / WHOLE):
        if path.is_file():
            return path
    known = ", ".join(names(folder, suffix)) or "nothing"
    raise UsageError(f"{folder}: '{name}' is not shipped; shipped are {known} (a path ends in {suffix})")
