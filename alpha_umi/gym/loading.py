"""A SPEC such as `gym:shop,my_tools:search` -> one Toolbox.

Lives here because it is the one place that sees both the gym and the tools. Imports modules the user named, never
anything a model wrote.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from alpha_umi.errors import ToolError, UsageError
from alpha_umi.gym.registry import categories, toolbox
from alpha_umi.tools.base import Toolbox
from alpha_umi.tools.combined import CombinedToolbox
from alpha_umi.tools.functions import as_toolbox
from alpha_umi.tools.validation import closest, one_line

_NOT_YET = ("openapi", "mcp", "toolbench")


def load_tools(spec: str) -> CombinedToolbox:
    """The tools a SPEC names; iterating the result gives single tools, to be mixed with one's own.

    A module is looked for in the working directory first, as by `python -m`.

    Raises:
        UsageError: a source does not exist; one line says what is possible.
        ToolError: a tool cannot be offered, or two have the same name.
    """
    sources = [source.strip() for source in spec.split(",") if source.strip()]
    if not sources:
        raise UsageError(f"no tools are named in {spec!r}; {_possible()}")
    return CombinedToolbox([_load(source) for source in sources])


def _possible() -> str:
    return f"possible are gym, gym:CATEGORY ({', '.join(categories())}) and MODULE:ATTRIBUTE"


def _load(source: str) -> Toolbox:
    scheme, colon, rest = source.partition(":")
    if scheme == "gym":
        return toolbox(rest if colon else None)
    if scheme in _NOT_YET:
        raise UsageError(f"{source!r}: tools from {scheme}: are not there yet; {_possible()}")
    if not rest or not all(part.isidentifier() for part in scheme.split(".")):
        raise UsageError(f"{source!r} is not a source of tools; {_possible()}")
    value = _attribute(_module(scheme, source), rest, source)
    try:
        return as_toolbox(value)
    except ToolError as error:
        raise ToolError(f"{source!r}: {error}") from None


def _module(name: str, source: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:  # an installed command does not see the working directory by itself
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise UsageError(f"{source!r}: there is no module {name!r} in {here} or installed; {_possible()}") from None
        raise UsageError(f"{source!r}: module {name!r} needs {error.name!r}, which is not installed") from None
    except Exception as error:  # whatever the user's module does when imported
        what = one_line(f"{type(error).__name__}: {error}", limit=300)
        raise UsageError(f"{source!r}: module {name!r} cannot be imported: {what}") from None


def _attribute(module: ModuleType, path: str, source: str) -> Any:
    value: Any = module
    for name in path.split("."):
        if not hasattr(value, name):
            public = [key for key in dir(value) if not key.startswith("_")]
            names = ", ".join(closest(name, public)) or "nothing public"
            raise UsageError(f"{source!r}: {name!r} is not in {module.__name__}; there are {names}")
        value = getattr(value, name)
    return value
