"""The categories of the gym, which of them training never sees, and their tools as a Toolbox over a fresh world.

A new category is one module and one line here, or `register` from one's own program.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

from alpha_umi.errors import UsageError
from alpha_umi.plugins import attribute_of, import_own
from alpha_umi.tools.function_tool import FunctionTool
from alpha_umi.tools.functions import FunctionToolbox
from alpha_umi.tools.signatures import tool_of
from alpha_umi.tools.validation import refused
from alpha_umi.trajectory import Call, Observation, Tool
from alpha_umi_gym.domains.calendar import intents as calendar
from alpha_umi_gym.domains.contacts import intents as contacts
from alpha_umi_gym.domains.files import intents as files
from alpha_umi_gym.domains.geography import intents as geography
from alpha_umi_gym.domains.holidays import intents as holidays
from alpha_umi_gym.domains.mail import intents as mail
from alpha_umi_gym.domains.maths import intents as maths
from alpha_umi_gym.domains.money import intents as money
from alpha_umi_gym.domains.shop import intents as shop
from alpha_umi_gym.domains.sky import intents as sky
from alpha_umi_gym.domains.text import intents as text
from alpha_umi_gym.domains.time import intents as time
from alpha_umi_gym.domains.todo import intents as todo
from alpha_umi_gym.domains.units import intents as units
from alpha_umi_gym.generator.wording import FRAMES
from alpha_umi_gym.intents import Category
from alpha_umi_gym.judge.vocabulary import Vocabulary
from alpha_umi_gym.people import FIRST_NAMES, LAST_NAMES
from alpha_umi_gym.world import World

_SHIPPED = (
    time.CATEGORY,
    units.CATEGORY,
    maths.CATEGORY,
    money.CATEGORY,
    geography.CATEGORY,
    holidays.CATEGORY,
    shop.CATEGORY,
    contacts.CATEGORY,
    calendar.CATEGORY,
    mail.CATEGORY,
    files.CATEGORY,
    sky.CATEGORY,
    todo.CATEGORY,
    text.CATEGORY,
)
HELD_OUT = frozenset({"sky", "todo", "text"})
"""Categories that training never sees: they are the split `unseen_categories`."""

_categories: dict[str, Category] = {category.name: category for category in _SHIPPED}


def categories() -> Mapping[str, Category]:
    """The categories by name, in a fixed order."""
    return MappingProxyType(_categories)


def register(category: Category) -> None:
    """Add a category of one's own to the gym of this process.

    Raises:
        UsageError: its name or one of its tools' names is taken, an intent uses a tool that it does not list, or its
            templates name what is none of its slots.
    """
    if category.name in _categories:
        raise UsageError(f"the gym has a category {category.name!r} already")
    taken = {tool.__name__: name for name, other in _categories.items() for tool in other.tools}
    for tool in category.tools:
        if tool.__name__ in taken:
            raise UsageError(f"the gym has a tool {tool.__name__!r} already, in {taken[tool.__name__]}")
    own = {tool.__name__ for tool in category.tools}
    for intent in category.intents:
        if intent.name not in own:
            raise UsageError(f"category {category.name!r}: an intent uses {intent.name}, which is none of its tools")
    if strange := [f"{intent.name}: {what}" for intent in category.intents for what in intent.strange()]:
        raise UsageError(f"category {category.name!r}: no slot of the intent is called so: {'; '.join(strange[:5])}")
    _categories[category.name] = category
    _forget()


def unregister(name: str) -> None:
    """Take a category of one's own out again."""
    if ships(name):
        raise UsageError(f"{name!r} ships with the gym")
    _categories.pop(name, None)
    _forget()


def named(spec: str) -> list[str]:
    """The names in a comma list of categories; one's own, given as MODULE:ATTRIBUTE, are registered.

    Raises:
        UsageError: there is none.
    """
    parts = [part.strip() for part in spec.split(",") if part.strip()]
    if spec and not parts:
        raise UsageError(f"no category is named in {spec!r}")
    return [_named(part) for part in parts]


def ships(name: str) -> bool:
    """Whether a category is the gym's own."""
    return name in {category.name for category in _SHIPPED}


def _named(spec: str) -> str:
    module, colon, attribute = spec.partition(":")
    if not colon:
        check_category(spec)
        return spec
    found = attribute_of(import_own(module, spec, possible=f"or {', '.join(_categories)}"), attribute, spec)
    if not isinstance(found, Category):
        raise UsageError(f"'{spec}' is no Category but {type(found).__name__}")
    if _categories.get(found.name) is not found:
        register(found)
    return found.name


@functools.cache
def owners() -> Mapping[str, str]:
    """Tool name -> category name."""
    return {tool.__name__: name for name, category in _categories.items() for tool in category.tools}


@functools.cache
def vocabulary() -> Vocabulary:
    """What the judge needs of this world."""
    known = _categories.values()
    return Vocabulary(
        closed_sets=tuple(words for category in known for words in category.closed_sets),
        aliases={fact: ways for category in known for fact, ways in category.aliases.items()},
        units=tuple(said for category in known for said in category.units.items()),
        first_names=frozenset(FIRST_NAMES),
        last_names=frozenset(LAST_NAMES),
        smallest=frozenset(FRAMES.smallest),
    )


_LIBRARIES = (
    "astral", "geographiclib", "holidays", "phonenumbers", "pint", "pycountry", "python-dateutil", "sympy", "tzdata",
)  # fmt: skip


def library_versions() -> dict[str, str]:
    """The libraries whose facts the world holds: with others, a task may come out otherwise."""
    return {name: version(name) for name in _LIBRARIES}


def check_category(name: str) -> None:
    """Refuse a category that there is not.

    Raises:
        UsageError: with the ones that exist.
    """
    if name not in _categories:
        raise UsageError(f"the gym has no category {name!r}; it has {', '.join(_categories)}")


class WorldToolbox:
    """Tools of the gym over one world. A tool is bound to it when first called; calls on one world take turns."""

    def __init__(self, world: World, names: Sequence[str]) -> None:
        self._world = world
        self._names = names
        self._bound: dict[str, FunctionToolbox] = {}

    @property
    def tools(self) -> Sequence[Tool]:
        """What is offered."""
        return tuple(_described(name) for name in self._names)

    def invoke(self, call: Call) -> Observation:
        """Carry out one call."""
        if no := refused(call, self._names):
            return no
        with self._world.lock:
            if call.tool not in self._bound:
                item, of_world = _tool(call.tool)
                self._bound[call.tool] = FunctionToolbox(
                    [item.bind(world=self._world) if of_world else item], timeout_s=None
                )
            return self._bound[call.tool].invoke(call)


def toolbox(category: str | None = None, *, seed: int = 0) -> WorldToolbox:
    """The gym's tools, or those of one category, over a fresh world; equal seeds give equal worlds.

    Raises:
        UsageError: there is no such category; the error lists them.
    """
    if category is not None:
        check_category(category)
    return bound(World(seed), [name for name, owner in owners().items() if category in (None, owner)])


def bound(world: World, names: Sequence[str] | None = None) -> WorldToolbox:
    """The gym's tools over this world, all or some."""
    return WorldToolbox(world, tuple(owners()) if names is None else names)


@functools.cache
def _tool(name: str) -> tuple[FunctionTool, bool]:
    """A tool of the gym as it is called, and whether it works on a world and must be bound to it."""
    function = _function(name)
    return FunctionTool.from_callable(function, hidden=("world",)), "world" in inspect.signature(function).parameters


@functools.cache
def _described(name: str) -> Tool:
    """A tool of the gym as it is offered. The schemas that ship are not checked each time: that takes longer than all
    else that is done for a hundred tools."""
    return tool_of(_function(name), hidden=("world",))[0] if ships(owners()[name]) else _tool(name)[0].tool


def _function(name: str) -> Callable[..., Any]:
    return next(f for f in _categories[owners()[name]].tools if f.__name__ == name)


def _forget() -> None:
    for found in (owners, vocabulary, _tool, _described):
        found.cache_clear()
