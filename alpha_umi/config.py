"""Configuration files: YAML in, a frozen type out, every mistake at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from alpha_umi.errors import ConfigError
from alpha_umi.trajectory import Frozen

SECRET = "secret"
"""Type of a `PydanticCustomError` about a value that is never to be shown."""

FrozenT = TypeVar("FrozenT", bound=Frozen)


def renamed(raw: Any, **names: str) -> Any:
    """A mapping in which keys that had another name once have today's: `renamed(raw, views="roles")`. Where both stand,
    the old one stays, an unknown key. Anything else as it is."""
    if not isinstance(raw, dict):
        return raw
    return {names[key] if key in names and names[key] not in raw else key: value for key, value in raw.items()}


def read_yaml(path: Path, *, loader: Any = yaml.SafeLoader) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises:
        ConfigError: unreadable YAML, with the line.
    """
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), loader)
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), ["the file is not UTF-8 text"]) from error
    except yaml.YAMLError as error:
        raise ConfigError(str(path), [" ".join(str(error).split())]) from error
    if not isinstance(value, dict):
        raise ConfigError(str(path), ["the file must hold a mapping of keys to values"])
    return value


def parse_config(kind: type[FrozenT], raw: dict[str, Any], source: Path | str) -> FrozenT:
    """Validate a configuration and report every mistake in it at once, as one of `source`."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(str(source), config_mistakes(error)) from error


def config_mistakes(error: ValidationError) -> list[str]:
    """Each mistake of a validation as `key: what is wrong`."""
    mistakes = []
    for item in error.errors(include_url=False):
        key = ".".join(str(part) for part in item["loc"])
        if not key:
            mistakes.append(item["msg"].removeprefix("Value error, "))
            continue
        if item["type"] == "extra_forbidden":
            mistakes.append(f"{key}: unknown key")
        else:
            shown = "" if item["type"] in {"missing", SECRET} else f" (found {str(item['input'])[:60]!r})"
            mistakes.append(f"{key}: {item['msg'].lower().removeprefix('value error, ')}{shown}")
    return mistakes
