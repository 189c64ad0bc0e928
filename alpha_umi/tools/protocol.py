"""The one seam between the agent and the world: a Toolbox turns a Call into an Observation.

A toolbox never raises for a model's mistake or a tool's failure: both are observations with `ok=False`, given
back to the model. It owns validation, timeouts and the cut of long output; it knows nothing of roles or graphs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, runtime_checkable

from alpha_umi.trajectory import Call, Frozen, Observation, Tool

__all__ = [
    "MAX_OBSERVATION_CHARS",
    "Toolbox",
    "Traits",
    "bubbles_up",
    "idempotency_key",
    "traits_of",
    "under_key",
    "writable",
]

MAX_OBSERVATION_CHARS = 4096
"""Longest observation that enters a trajectory; what is longer loses its middle (`truncation.cut_middle`)."""


def writable(text: str) -> str:
    """The text without lone surrogates, which no file or tokenizer can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


@runtime_checkable
class Toolbox(Protocol):
    """A set of tools that can be offered and invoked."""

    @property
    def tools(self) -> Sequence[Tool]:
        """What is offered, in the order shown to the model."""
        ...

    def invoke(self, call: Call) -> Observation:
        """Carry out one call. Blocking; safe to run from several threads at once. Raises what `bubbles_up` alone."""
        ...


class Traits(Frozen):
    """What is to be known of a tool before it is called, beside what the model reads."""

    repeatable: bool = False
    """Carried out twice it leaves the world as carried out once, so a call whose outcome is unknown may be repeated."""
    takes_key: bool = False
    """It recognises a call that it has carried out by `idempotency_key`, and gives the same result again."""
    sensitive: bool = False
    """A person is asked before each call."""


def traits_of(toolbox: Toolbox, name: str) -> Traits:
    """What a toolbox's `traits(name)` says of a tool. One that says nothing may do anything; nobody need be asked."""
    told = getattr(toolbox, "traits", None)
    if not callable(told):
        return Traits()
    found = told(name)
    return found if isinstance(found, Traits) else Traits()


def bubbles_up(error: BaseException) -> bool:
    """Whether this is LangGraph's own signal on its way through a tool: an `interrupt`, or a command to a graph above.
    It is no failure, and stops only where LangGraph takes it. If it is one, its module is loaded."""
    module = sys.modules.get("langgraph.errors")
    return module is not None and isinstance(error, module.GraphBubbleUp)


_key: ContextVar[str | None] = ContextVar("alpha_umi_idempotency_key", default=None)


def idempotency_key() -> str | None:
    """Inside a tool: the key of the call that is being carried out, the same when a killed run repeats it."""
    return _key.get()


@contextmanager
def under_key(key: str | None) -> Iterator[None]:
    """Carry out one call under its key; the threads that a toolbox starts with a copy of the context see it too."""
    token = _key.set(key)
    try:
        yield
    finally:
        _key.reset(token)
