"""Things of the user's own, named on the command line as MODULE:ATTRIBUTE.

Imports modules the user named, never anything a model wrote.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from alpha_umi.errors import UsageError
from alpha_umi.tools.validation import closest, one_line


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
        what = one_line(f"{type(error).__name__}: {error}", limit=300)
        raise UsageError(f"{source!r}: module {name!r} cannot be imported: {what}") from None


def attribute_of(module: ModuleType, path: str, source: str) -> Any:
    """What a dotted name stands for in a module.

    Raises:
        UsageError: nothing; the error lists what is close.
    """
    value: Any = module
    for name in path.split("."):
        if not hasattr(value, name):
            public = [key for key in dir(value) if not key.startswith("_")]
            names = ", ".join(closest(name, public)) or "nothing public"
            raise UsageError(f"{source!r}: {name!r} is not in {module.__name__}; there are {names}")
        value = getattr(value, name)
    return value
