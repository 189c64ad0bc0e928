"""Texts and tables of the gym that are kept as YAML, read as typed values."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from alpha_umi.config import config_mistakes, read_yaml
from alpha_umi.errors import ConfigError

ReadT = TypeVar("ReadT")


class _TextLoader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]  # not every wheel has C code
    """Takes every scalar for text (NO is Norway and no truth value) and refuses a key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"{twice[0]} is there twice", node.start_mark)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return found


def read_as(kind: type[ReadT], path: Path) -> ReadT:
    """A YAML file as a type.

    Raises:
        ConfigError: it is unreadable or does not fit, with every mistake in it.
    """
    raw = read_yaml(path, loader=_TextLoader)
    try:
        return TypeAdapter(kind).validate_python(raw)
    except ValidationError as error:
        raise ConfigError(str(path), config_mistakes(error)) from error
