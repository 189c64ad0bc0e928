"""Where the package is open: what it ships under a name, what an installed package adds, and MODULE:ATTRIBUTE.

An installed package adds a name to one of `GROUPS` by an entry point in its pyproject.toml:

    [project.entry-points."alpha_umi.tasksets"]
    shop = "shop_tasks:SHOP"

Nothing is imported before it is asked for by name, so a plug-in that fails spoils only itself. Imports what the user
named or installed, never anything that a model wrote.
"""

from __future__ import annotations

import difflib
import importlib
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Generic, TypeVar

from alpha_umi.errors import UsageError

T = TypeVar("T")

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "tool_sources": "source of tools",
        "data_formats": "data format",
        "tasksets": "task set",
        "scorers": "scorer",
        "models": "model",
        "stages": "training stage",
        "retrievers": "retriever",
        "searches": "search",
        "judges": "judge",
    }
)
"""The entry-point groups (`alpha_umi.GROUP`), and what one member is called in messages."""

_OWN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_NAMES_LISTED = 10


class PluginPoint(Generic[T]):
    """One place that can be extended: a group of named things, those that ship and those that others add.

    Args:
        group: a key of `GROUPS`.
        shipped: name -> `module:attribute` of this package, imported when first asked for.
    """

    def __init__(self, group: str, shipped: Mapping[str, str]) -> None:
        self.group, self.noun = group, GROUPS[group]
        self.shipped = MappingProxyType(dict(shipped))

    def names(self) -> list[str]:
        """The shipped names, then those that installed packages add; imports nothing."""
        return [*self.shipped, *sorted(set(_installed(self.group)) - set(self.shipped))]

    def load(self, name: str, *, own: bool = True) -> T:
        """What a name stands for.

        Args:
            name: a name of the group, or MODULE:ATTRIBUTE.
            own: whether MODULE:ATTRIBUTE is taken; not in YAML, which names code but never addresses it.

        Raises:
            UsageError: there is no such name, or what it stands for cannot be imported.
        """
        if name in self.shipped:
            module, _, attribute = self.shipped[name].partition(":")
            found: T = getattr(importlib.import_module(module), attribute)
            return found
        if points := _installed(self.group).get(name):
            return self._of_package(name, points)
        if own and _OWN.fullmatch(name):
            module, _, attribute = name.partition(":")
            own_one: T = attribute_of(import_own(module, name, possible=self.possible()), attribute, name)
            return own_one
        raise UsageError(f"there is no {self.noun} '{name}'; {self.possible(own=own)}")

    def possible(self, *, own: bool = True) -> str:
        """The end of an error message: what could have been named."""
        names = ", ".join(self.names()) or "none"
        return f"there are {names}" + (", or give your own as MODULE:ATTRIBUTE" if own else "")

    def _of_package(self, name: str, points: tuple[EntryPoint, ...]) -> T:
        if len(points) > 1:
            packages = " and ".join(_package(point) for point in points)
            raise UsageError(f"{self.noun} '{name}': {packages} both bring it; remove one, or give MODULE:ATTRIBUTE")
        try:
            found: T = points[0].load()
        except Exception as error:  # whatever the package does when imported
            what = _one_line(error)
            raise UsageError(f"{self.noun} '{name}' of {_package(points[0])} cannot be loaded: {what}") from error
        return found


@lru_cache
def _installed(group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    """The entry points of a group by name; the same one, found twice on the path, counts once."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for point in entry_points(group=f"alpha_umi.{group}"):
        found.setdefault(point.name, {}).setdefault(point.value, point)
    return {name: tuple(points.values()) for name, points in found.items()}


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


def import_own(name: str, source: str, *, possible: str) -> ModuleType:
    """A module that the user named in `source`, looked for in the working directory first, as by `python -m`.

    Raises:
        UsageError: it does not exist or cannot be imported; `possible` says what could have been meant.
    """
    here = str(Path.cwd())
    if here not in sys.path:  # an installed command does not see the working directory by itself
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise UsageError(f"{source!r}: there is no module {name!r} in {here} or installed; {possible}") from None
        raise UsageError(f"{source!r}: module {name!r} needs {error.name!r}, which is not installed") from None
    except Exception as error:  # whatever the user's module does when imported
        raise UsageError(f"{source!r}: module {name!r} cannot be imported: {_one_line(error)}") from None


def attribute_of(module: ModuleType, path: str, source: str) -> Any:
    """What a dotted name stands for in a module.

    Raises:
        UsageError: nothing; the error lists what is close.
    """
    value: Any = module
    for name in path.split("."):
        if not hasattr(value, name):
            public = [key for key in dir(value) if not key.startswith("_")]
            close = sorted(public, key=lambda other: -_likeness(name, other))[:_NAMES_LISTED]
            names = ", ".join(close) or "nothing public"
            raise UsageError(f"{source!r}: {name!r} is not in {module.__name__}; there are {names}")
        value = getattr(value, name)
    return value


def _likeness(name: str, other: str) -> float:
    return difflib.SequenceMatcher(None, name.casefold(), other.casefold()).ratio()


def _one_line(error: Exception) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 300 else f"{text[:297]}..."
