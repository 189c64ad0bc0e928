"""Every exception alpha-umi raises, drawn as one tree.

    AlphaUmiError              something a person can act on; its text is one line
    ├── UsageError             the call was wrong: the command line exits with 2
    │   ├── ConfigError        a recipe, role, team or prompt file, all mistakes at once
    │   ├── DataError          a data file or folder that cannot be read at all
    │   ├── ModelError         a base model or adapter that cannot be loaded
    │   ├── ToolError          a tool that cannot be offered (bad schema, bad name)
    │   └── MissingExtra       a feature whose optional dependencies are not installed
    └── WorkError              the call was right and the work failed: exits with 1
        ├── HttpFault          a server gave no usable reply (`tools.http`)
        └── AddressRefused     a network address that tools may not reach (`tools.addresses`)

A model's bad output and a tool's failure are not exceptions: they are recorded as data
(`Call.fault`, `Plan.fault`, `Observation.ok`).
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AlphaUmiError",
    "ConfigError",
    "DataError",
    "MissingExtra",
    "ModelError",
    "ToolError",
    "UsageError",
    "WorkError",
]


class AlphaUmiError(Exception):
    """Base of everything this package raises on purpose."""


class UsageError(AlphaUmiError):
    """The caller asked for something that cannot be; nothing was changed."""


class ConfigError(UsageError):
    """One configuration file with every mistake found in it."""

    def __init__(self, source: str, mistakes: Sequence[str]) -> None:
        self.source = source
        self.mistakes = tuple(mistakes)
        super().__init__(f"{source}: " + "; ".join(self.mistakes))


class DataError(UsageError):
    """A data file or folder is missing, empty, or of another format than stated."""


class ModelError(UsageError):
    """A base model or adapter is missing or does not fit."""


class ToolError(UsageError):
    """A tool cannot be offered to the model: its name or schema is invalid."""


class MissingExtra(UsageError):
    """A feature needs an optional dependency group."""

    def __init__(self, feature: str, extra: str, cause: ImportError | None = None, *, more: str = "") -> None:
        missing = f" ({cause.name} is not installed)" if cause is not None and cause.name else ""
        super().__init__(f"{feature} needs the '{extra}' extra{missing}: pip install 'alpha-umi[{extra}]'{more}")


class WorkError(AlphaUmiError):
    """The request was valid but the work failed on the way."""
