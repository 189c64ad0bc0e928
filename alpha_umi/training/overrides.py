"""Recipes over one another: mappings merged, and single values set by `a.b=c`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from alpha_umi.config import renamed
from alpha_umi.errors import UsageError

_BATCH = {"batch_size": "batch_targets", "batch_targets": "batch_size"}
"""Two ways to say the same: the one said nearer holds."""


def merge_mappings(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings merged; a null removes what is below it."""
    found = {key: value for key, value in below.items() if above.get(_BATCH.get(key, "")) is None}
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] = merge_mappings(found[key], value)
        else:
            found[key] = value
    return found


def todays(raw: Any) -> Any:
    """A recipe whose keys that had another name once have today's, before anything is merged with it: `layout` is
    `team.prompts`, `views` of a stage is `roles`."""
    if not isinstance(raw, dict):
        return raw
    raw = {**raw}
    if isinstance(stages := raw.get("stages"), dict):
        raw["stages"] = {name: renamed(stage, views="roles") for name, stage in stages.items()}
    if "defaults" in raw:
        raw["defaults"] = renamed(raw["defaults"], views="roles")
    team = {"name": raw["team"]} if isinstance(raw.get("team"), str) else raw.get("team") or {}
    if raw.get("layout") is not None and isinstance(team, dict) and "prompts" not in team:
        raw["team"] = {**team, "prompts": raw.pop("layout")}
    return raw


def override(raw: dict[str, Any], item: str) -> None:
    """Apply one `a.b=c`; the value is YAML."""
    key, equals, text = item.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set takes key=value, found '{item}'")
    *parents, leaf = ("team.prompts" if key.strip() == "layout" else key.strip()).split(".")
    if leaf == "views" and parents[:1] in (["stages"], ["defaults"]):
        leaf = "roles"
    stages = raw.get("stages")
    if parents[:1] == ["stages"] and len(parents) > 1 and isinstance(stages, dict) and parents[1] not in stages:
        raise UsageError(f"--set {item}: there is no stage '{parents[1]}', only {', '.join(stages)}")
    if parents == ["team"] and isinstance(raw.get("team"), str):
        raw["team"] = {"name": raw["team"]}
    place = raw
    for parent in parents:
        nested = place.setdefault(parent, {})
        if not isinstance(nested, dict):
            raise UsageError(f"--set {item}: '{parent}' holds no keys")
        place = nested
    try:
        value = yaml.safe_load(text)
        if value is not None:
            place.pop(_BATCH.get(leaf, ""), None)
        place[leaf] = float(text) if isinstance(value, str) and _is_number(text) else value
    except yaml.YAMLError as error:
        raise UsageError(f"--set {item}: the value is not YAML") from error


def _is_number(text: str) -> bool:
    """Whether Python reads a text as a number; YAML 1.1 takes `1e-4` for a string."""
    try:
        float(text)
    except ValueError:
        return False
    return True
