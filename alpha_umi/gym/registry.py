"""The domains of the gym, and their tools as a Toolbox over a fresh world.

A new domain is one module and one line here. Tools are described once; a world only binds them to its state.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from types import MappingProxyType

from alpha_umi.errors import UsageError
from alpha_umi.gym.domains import maths, shop, time, units
from alpha_umi.gym.world import Category, World
from alpha_umi.tools.functions import FunctionTool, FunctionToolbox

_CATEGORIES: Mapping[str, Category] = MappingProxyType(
    {category.name: category for category in (time.CATEGORY, units.CATEGORY, maths.CATEGORY, shop.CATEGORY)}
)


def categories() -> Mapping[str, Category]:
    """The domains by name, in a fixed order."""
    return _CATEGORIES


def toolbox(category: str | None = None, *, seed: int = 0) -> FunctionToolbox:
    """The gym's tools, or those of one category, over a fresh world; equal seeds give equal worlds.

    Raises:
        UsageError: there is no such category; the error lists them.
    """
    if category is not None and category not in _CATEGORIES:
        raise UsageError(f"the gym has no category {category!r}; it has {', '.join(_CATEGORIES)}")
    return bound(World(seed), category=category)


def bound(world: World, *, category: str | None = None) -> FunctionToolbox:
    """The gym's tools over this world."""
    chosen = [name for name in _CATEGORIES if category in (None, name)]
    items = [(item, of_world) for name in chosen for item, of_world in _described(name)]
    return FunctionToolbox([item.bind(world=world) if of_world else item for item, of_world in items])


@functools.cache
def _described(category: str) -> tuple[tuple[FunctionTool, bool], ...]:
    """The tools of a category, and whether each works on the world."""
    described = []
    for function in _CATEGORIES[category].tools:
        of_world = "world" in inspect.signature(function).parameters
        described.append((FunctionTool.from_callable(function, hidden=("world",)), of_world))
    return tuple(described)
