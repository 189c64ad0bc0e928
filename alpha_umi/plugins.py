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
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Generic, TypeVar

from alpha_umi.errors import AlphaUmiError, UsageError

T = TypeVar("T")

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "tool_sources": "source of tools",
        "data_formats": "data format",
        "tasksets": "task set",
        "scorers": "scorer",
        "models": "model",
        "stages": "training stage",
        "searches": "search",
    }
)
"""The entry-point groups (`alpha_umi.GROUP`), and what one member is called in messages. Each is read by one
PluginPoint: `tools.spec`, `data.convert`, `tasks`, `evaluation.scorers`, `models.loading`, `training.stages`,
`agent.strategies`."""

ADDRESS = r"[^\W\d][\w.]*:[^\W\d][\w.]*"
"""MODULE:ATTRIBUTE as a regular expression."""
_NAMES_LISTED = 10


def is_own(name: str) -> bool:
    """Whether a name addresses code as MODULE:ATTRIBUTE."""
    return re.fullmatch(ADDRESS, name) is not None


class PluginPoint(Generic[T]):
    """One place that can be extended: a group of named things, those that ship and those that others add.

    Args:
        group: a key of `GROUPS`.
        shipped: name -> `module:attribute` of this package, imported when first asked for. A name that ships is never
            replaced by a package.
        fits: whether what a name of others stands for can be used here.
    """

    def __init__(self, group: str, shipped: Mapping[str, str], *, fits: Callable[[Any], bool] | None = None) -> None:
        self.group, self.noun = group, GROUPS[group]
        self.shipped = MappingProxyType(dict(shipped))
        self._fits = fits

    def names(self) -> list[str]:
        """The shipped names, then those that installed packages add; imports nothing."""
        return [*self.shipped, *sorted(set(_installed(self.group)) - set(self.shipped))]

    def load(self, name: str, *, own: bool = True) -> T:
        """What a name stands for.

        Args:
            name: a name of the group, or MODULE:ATTRIBUTE.
            own: whether MODULE:ATTRIBUTE is taken; not in YAML, which names code but never addresses it.

        Raises:
            UsageError: there is no such name, or what it stands for cannot be imported or used here.
        """
        if name in self.shipped:
            module, _, attribute = self.shipped[name].partition(":")
            found: T = getattr(importlib.import_module(module), attribute)
            return found
        if points := _installed(self.group).get(name):
            found = self._of_package(name, points)
        elif own and is_own(name):
            module, _, attribute = name.partition(":")
            found = attribute_of(import_own(module, name, possible=self.possible()), attribute, name)
        else:
            raise UsageError(self.unknown(name, own=own))
        if self._fits is not None and not self._fits(found):
            raise UsageError(f"'{name}' is no {self.noun}, but {_one_line(repr(found), max_chars=80)}")
        return found

    def make(self, name: str, *arguments: Any, own: bool = True, **options: Any) -> Any:
        """Call what a name stands for.

        Raises:
            UsageError: as `load`; or one that does not ship failed, which is told in one line.
        """
        made: Any = self.load(name, own=own)
        if name in self.shipped:
            return made(*arguments, **options)
        try:
            return made(*arguments, **options)
        except AlphaUmiError:
            raise
        except Exception as error:  # whatever a function of others does
            raise UsageError(f"{self.noun} '{name}' failed: {_of_error(error)}") from error

    def unknown(self, name: str, *, own: bool = True) -> str:
        """What to say of a name that stands for nothing."""
        if not own and is_own(name):
            return f"'{name}' addresses code; a YAML file only names what a package brings: {self.possible(own=own)}"
        return f"there is no {self.noun} '{name}'; {self.possible(own=own)}"

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
        except AlphaUmiError:  # an extra that is missing, in one line
            raise
        except Exception as error:  # whatever the package does when imported
            told = f"{self.noun} '{name}' of {_package(points[0])} cannot be loaded"
            if isinstance(error, ModuleNotFoundError) and f"{points[0].module}.".startswith(f"{error.name}."):
                again = f"pip install --force-reinstall --no-deps {_package(points[0]).replace(' ', '==')}"
                raise UsageError(
                    f"{told}: its module {error.name} is not installed; install it again: {again}"
                ) from None
            raise UsageError(f"{told}: {_of_error(error)}") from error
        return found


def _installed(group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    """The entry points of a group by name; the same one, found twice on the path, counts once."""
    return _found(group, tuple(sys.path))


@lru_cache
def _found(group: str, _path: tuple[str, ...]) -> Mapping[str, tuple[EntryPoint, ...]]:
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
        raise UsageError(f"{source!r}: module {name!r} cannot be imported: {_of_error(error)}") from None


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


def _of_error(error: Exception) -> str:
    return _one_line(f"{type(error).__name__}: {error}")


def _one_line(text: str, *, max_chars: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= max_chars else f"{text[: max_chars - 3]}..."
