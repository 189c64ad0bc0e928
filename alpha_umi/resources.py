"""Shipped name or path -> file, and the places on this machine that are the user's.

`roles/`, `prompts/`, `training/` and `launch/` are what researchers edit without touching Python. In a wheel
they live in `alpha_umi/_shipped/`; in a checkout they are read live from the root. A bare name means shipped,
a name with a suffix or a slash means a path. A folder that holds a `team.yaml` ships as one thing, under its own name.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files
from pathlib import Path

from alpha_umi.errors import UsageError

__all__ = ["find", "names", "root"]

FOLDERS = ("roles", "prompts", "training", "launch")
TEAM_FILE = "team.yaml"
"""What a folder that ships as one thing is described by: a team and the adapters beside it."""


@cache
def root() -> Path:
    """Folder that holds the shipped folders: the wheel's copy, or the checkout."""
    package = Path(str(files("alpha_umi")))
    shipped = package / "_shipped"
    return shipped if shipped.is_dir() else package.parent


def names(folder: str, suffix: str = ".yaml") -> list[str]:
    """Shipped names in a folder, e.g. `ablations/multi_task`, sorted."""
    base = root() / folder
    wholes = {path.parent for path in base.rglob(TEAM_FILE)}
    files = (path.with_suffix("") for path in base.rglob(f"*{suffix}") if not wholes & set(path.parents))
    return sorted(path.relative_to(base).as_posix() for path in (*files, *(wholes if suffix == ".yaml" else ())))


def find(folder: str, name: str, suffix: str = ".yaml", *, beside: Path | None = None) -> Path:
    """The file that a name means: shipped when bare, else a path (relative to `beside` when given).

    Raises:
        UsageError: no such file; the text lists what ships.
    """
    if Path(name).suffix or "\\" in name or name.startswith((".", "/", "~")):
        path = user_path(name)
        if beside is not None and not path.is_absolute():
            path = beside.parent / path
        if path.is_file():
            return path
        raise UsageError(f"{folder}: there is no file {path}")
    for path in (root() / folder / f"{name}{suffix}", root() / folder / name / TEAM_FILE):
        if path.is_file():
            return path
    known = ", ".join(names(folder, suffix)) or "nothing"
    raise UsageError(f"{folder}: '{name}' is not shipped; shipped are {known} (a path ends in {suffix})")


def user_path(path: str | Path) -> Path:
    """A path as a user wrote it, with their home folder in place of `~`.

    Raises:
        UsageError: nobody's home folder is known by that name.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # no HOME and no entry in the password file, or a user that does not exist
        raise UsageError(
            f"{path}: no home folder is known for this '~': set HOME, or name the folder in full"
        ) from error


def in_full(name: str, *, beside: Path) -> str:
    """A path that a file names, made absolute: beside the file, or else from where the command is given. What leads
    nowhere stays as it is."""
    path = user_path(name)
    return next((str(found.resolve()) for found in (beside.parent / path, path) if found.exists()), name)


def cache_folder() -> Path:
    """Where converted weights are kept: $ALPHA_UMI_CACHE, else $XDG_CACHE_HOME/alpha-umi, else ~/.cache/alpha-umi.

    Raises:
        UsageError: the user has no home folder.
    """
    if folder := os.environ.get("ALPHA_UMI_CACHE"):
        return user_path(folder)
    return own_folder("XDG_CACHE_HOME", "~/.cache")


def own_folder(variable: str, default: str) -> Path:
    """This package's folder under one of the XDG base directories, which may not exist yet.

    Args:
        variable: the environment variable that names the base directory.
        default: the base directory where it is unset.

    Raises:
        UsageError: the user has no home folder.
    """
    return user_path(os.environ.get(variable) or default) / "alpha-umi"
