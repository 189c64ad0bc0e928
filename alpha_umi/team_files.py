"""Roles and teams out of YAML: `roles/`, a file of the user's, or a training run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from alpha_umi import resources
from alpha_umi.config import parse_config, read_yaml, renamed
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.files import write_atomically
from alpha_umi.plugins import is_own
from alpha_umi.resources import TEAM_FILE
from alpha_umi.roles import ROLES, Role, Team, Writes
from alpha_umi.text.layouts import find_layout


@lru_cache
def first_roles() -> Mapping[str, Role]:
    """α-UMi's planner, caller and summarizer as they ship."""
    return MappingProxyType({name: load_role(name) for name in ROLES})


def load_role(name: str, *, beside: Path | None = None) -> Role:
    """Read a role by shipped name or path.

    Raises:
        ConfigError: the file's mistakes, all of them.
    """
    path = resources.find("roles", name, beside=beside)
    return parse_config(Role, _role_file(path), path)


def _role_file(path: Path) -> dict[str, Any]:
    return {"name": path.stem, **read_yaml(path)}


def load_team(name: str) -> Team:
    """Read a team by shipped name, YAML path, or the output folder of a training run (`./NAME` where a team ships so).

    Raises:
        UsageError: there is no such team.
        ConfigError: the file's mistakes, all of them.
    """
    folder = resources.user_path(name)
    shipped = _shipped(name)
    if shipped is None and folder.is_dir():
        path = folder / TEAM_FILE
        if not path.is_file():
            raise UsageError(f"{folder} is not a team: it holds no {TEAM_FILE} (a finished training run has one)")
    else:
        if shipped is None and Path(name).suffix not in {".yaml", ".yml"}:
            known = ", ".join(team.removeprefix("teams/") for team in _shipped_teams())
            raise UsageError(f"'{name}' is no team: shipped are {known}; or give a YAML file or a run folder")
        path = resources.find("roles", shipped or name)
    return _team_from(path)


def find_team(name: str, *, beside: Path) -> str:
    """What a file calls a team, so that it is found from anywhere (`resources.in_full`)."""
    return name if not name or _shipped(name) is not None else resources.in_full(name, beside=beside)


def _shipped(name: str) -> str | None:
    """The name under which a team ships, if one does."""
    return next((full for full in (f"teams/{name}", name) if full in _shipped_teams()), None)


def _shipped_teams() -> list[str]:
    return [name for name in resources.names("roles") if name.startswith("teams/")]


def _team_from(path: Path) -> Team:
    """Build a team from a file; each role is a NAME, `{role: NAME, weights: FOLDER, generation: {...}}`, or whole."""
    raw: dict[str, Any] = renamed(read_yaml(path), layout="prompts")
    raw.setdefault("name", path.parent.name if path.name == TEAM_FILE else path.stem)
    if isinstance(prompts := raw.get("prompts"), str):
        raw["prompts"] = find_layout(prompts, beside=path)
    if given := _listed(raw):
        found = {name: _role(name, value, path) for name, value in given.items()}
        whole = [role for role in found.values() if isinstance(role, dict) and role.get("writes") == Writes.TURN]
        raw["roles"] = {whole[0]["name"]: whole[0]} if len(whole) == len(found) else found
    if isinstance(raw.get("backbone"), str):
        raw["backbone"] = str((path.parent / raw["backbone"]).resolve())
    base = raw.get("base")
    if isinstance(base, str) and (path.parent / base).is_dir():
        raw["base"] = str((path.parent / base).resolve())
    team = parse_config(Team, raw, path)
    if own := [name for name, role in team.roles.items() if role.model is not None and is_own(role.model.name)]:
        raise ConfigError(
            str(path), [f"{name}.model: YAML takes the name of a model that a package brings" for name in own]
        )
    return team


def write_team(path: Path, team: Team) -> None:
    """Write a team as a file that `load_team` reads: what it names by path, in full."""
    text = team.model_dump(mode="json", exclude_none=True, exclude={"roles"})
    text["roles"] = {name: role.model_dump(mode="json", exclude_none=True) for name, role in team.roles.items()}
    write_atomically(path, yaml.safe_dump(text, sort_keys=False, allow_unicode=True))


def _listed(raw: dict[str, Any]) -> dict[str, Any] | None:
    """A file's roles by name, whichever way they are given: `roles: [NAME, ...]`, `roles: {NAME: ...}`, or each of the
    first three as a key of its own."""
    given = raw.get("roles")
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        given = {Path(name).stem: name for name in given}
    if given is None and any(name in raw for name in ROLES):
        given = {str(name): raw.pop(name) for name in ROLES if name in raw}
    return given if isinstance(given, dict) else None


def _role(name: str, given: Any, path: Path) -> Any:
    """What a team's file says of a role, over what the role's own file says."""
    if given is None or isinstance(given, str):
        given = {"role": given or name}
    if not isinstance(given, dict):
        return given
    given = dict(given)
    former = given.pop("view", None)  # how a role was written down before it said what it writes
    if "writes" not in given:
        of = resources.find("roles", str(given.pop("role", former or name)), beside=path)
        file = _role_file(of)
        if isinstance(own := given.get("generation") or {}, dict):
            given["generation"] = {**(file.get("generation") or {}), **own}
        given = {**file, **given}
    if given.get("writes") != Writes.TURN:
        given["name"] = name
    if isinstance(given.get("weights"), str):
        given["weights"] = str((path.parent / given["weights"]).resolve())
    return given
