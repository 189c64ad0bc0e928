"""Recipes over one another: mappings merged, and single values set by `a.b=c`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from alpha_umi.errors import UsageError

_BATCH = {"batch_size": "batch_targets", "batch_targets": "batch_size"}
"""Two ways to say the same: the one said nearer holds."""


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings merged; a null removes what is below it."""
    found = {key: value for key, value in below.items() if above.get(_BATCH.get(key, "")) is None}
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] = merged(found[key], value)
        else:
            found[key] = value
    return found


def override(raw: dict[str, Any], item: str) -> None:
    """Apply one `a.b=c`; the value is YAML."""
    key, equals, text = item.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set takes key=value, found '{item}'")
    *parents, leaf = key.strip().split(".")
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
