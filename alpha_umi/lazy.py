"""Public names of a package that are loaded when first used (PEP 562), so that importing it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any


def exports(
    package: str, names: Mapping[str, Collection[str]], *, modules: Collection[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the `__getattr__` and `__dir__` of a package.

    Type checkers and the reference read the imports that the package has under `TYPE_CHECKING` instead, and its
    `__all__`; tests/test_api.py holds the three to the same names.

    Args:
        package: the package's `__name__`.
        names: of each module, which of its names the package offers.
        modules: modules of the package that it offers as they are.
    """
    where = {name: module for module, offered in names.items() for name in offered}

    def load(name: str) -> Any:
        if name in where:  # never kept: what a test puts in a module's place must not outlive the test
            return getattr(import_module(where[name]), name)
        if name in modules:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load, lambda: sorted({*where, *modules})
