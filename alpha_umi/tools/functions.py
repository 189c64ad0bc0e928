"""Python callables and LangChain tools as a Toolbox.

Owns the checks before a call, the thread a function runs in, and its time limit.
A Python thread cannot be killed: after the limit its result is ignored, but a function that never returns keeps
its (daemon) thread until the program ends; a coroutine, awaited where `awaiting` says, is cancelled. Knows nothing of
agents or prompts.
"""

from __future__ import annotations

import contextvars
import copy
import functools
import inspect
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from alpha_umi.errors import ToolError, UsageError
from alpha_umi.text.truncation import cut_middle
from alpha_umi.tools.awaiting import result_of
from alpha_umi.tools.combined import CombinedToolbox, refuse_duplicates
from alpha_umi.tools.function_tool import FunctionTool, as_text
from alpha_umi.tools.protocol import MAX_OBSERVATION_CHARS, Toolbox, Traits, bubbles_up, writable
from alpha_umi.tools.validation import (
    find_mistakes,
    one_line,
    refuse_arguments,
    refused,
)
from alpha_umi.trajectory import Call, Observation, Tool

TIMEOUT_S = 30.0
"""How long a function may take unless a toolbox says otherwise."""


class FunctionToolbox:
    """Callables, LangChain tools and FunctionTools, run in threads with a time limit."""

    def __init__(
        self,
        items: Iterable[Any],
        *,
        timeout_s: float | None = TIMEOUT_S,
        max_chars: int = MAX_OBSERVATION_CHARS,
    ) -> None:
        """`timeout_s=None` runs in the caller's thread, for functions known to be quick."""
        if (timeout_s is not None and timeout_s <= 0) or max_chars <= 0:
            raise UsageError(f"timeout_s and max_chars must be positive, not {timeout_s} and {max_chars}")
        made = [_function_tool(item) for item in items]
        refuse_duplicates([item.tool.name for item in made])
        self._items = {item.tool.name: item for item in made}
        self._tools = tuple(item.tool for item in made)
        self._timeout_s, self._max_chars = timeout_s, max_chars

    @property
    def tools(self) -> Sequence[Tool]:
        """What is offered, in the order given."""
        return self._tools

    def traits(self, name: str) -> Traits:
        """What a tool's function was marked with."""
        return self._items[name].traits if name in self._items else Traits()

    def invoke(self, call: Call) -> Observation:
        """Carry out one call; whatever goes wrong is an observation with `ok=False`.

        Raises:
            GraphBubbleUp: LangGraph's, where the function called `interrupt`.
        """
        if no := refused(call, self._items):
            return no
        work = functools.partial(_carry_out, self._items[call.tool], call.arguments, self._timeout_s)
        seen = work() if self._timeout_s is None else _in_thread(work, self._timeout_s)
        if seen is None:
            late = f"{call.tool} failed: it gave no result within {self._timeout_s:g} seconds."
            return Observation(text=late, ok=False)
        return Observation(text=writable(cut_middle(seen.text, self._max_chars)), ok=seen.ok)


def as_toolbox(tools: Any) -> Toolbox:
    """One Toolbox out of a Toolbox, a callable, a LangChain tool, or a sequence that mixes them.

    Raises:
        ToolError: an item is none of these, a schema is invalid, or two tools have the same name.
    """
    if isinstance(tools, Toolbox):
        return tools
    if isinstance(tools, str | bytes | Mapping):
        raise ToolError(f"cannot offer {one_line(repr(tools), limit=80)}: give callables, LangChain tools or toolboxes")
    many = list(tools) if isinstance(tools, Iterable) and not _is_langchain(tools) else [tools]
    boxes = [item if isinstance(item, Toolbox) else FunctionToolbox([item]) for item in many]
    return boxes[0] if len(boxes) == 1 else CombinedToolbox(boxes)


def _function_tool(item: Any) -> FunctionTool:
    if isinstance(item, FunctionTool):
        return item
    if _is_langchain(item):
        from alpha_umi.tools.langchain import from_langchain

        return from_langchain(item)
    if callable(item):
        return FunctionTool.from_callable(item)
    raise ToolError(f"cannot offer {one_line(repr(item), limit=80)}: it is neither callable nor a LangChain tool")


def _is_langchain(item: object) -> bool:
    """Whether this is a LangChain tool, without importing LangChain: if it is one, its module is loaded."""
    module = sys.modules.get("langchain_core.tools.base")
    return module is not None and isinstance(item, module.BaseTool)


def _carry_out(item: FunctionTool, arguments: Mapping[str, Any], timeout_s: float | None) -> Observation:
    """Check, run, and describe. Runs in the thread, since a schema's pattern may be slow too."""
    name = item.tool.name
    try:
        own = copy.deepcopy(dict(arguments))  # a function must not change what the trajectory records
        mistakes = find_mistakes(item.validator, own)
        if mistakes:
            return refuse_arguments(name, mistakes)
        try:
            values = item.build(own)
        except ValidationError as error:
            return refuse_arguments(name, [_pydantic_mistake(dict(mistake)) for mistake in error.errors()])
        result = item.function(**values)
        if inspect.isawaitable(result):
            # A little longer than the caller waits, who says that it took too long.
            result = result_of(result, timeout_s=None if timeout_s is None else timeout_s + 0.1)
        return result if isinstance(result, Observation) else Observation(text=as_text(result))
    except BaseException as error:  # SystemExit too: a tool must not end the agent's program
        if bubbles_up(error):
            raise
        return Observation(text=_failure(name, error), ok=False)


def _pydantic_mistake(mistake: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in mistake["loc"])
    return one_line(f"{where}: {mistake['msg']}" if where else str(mistake["msg"]), limit=200)


def _failure(name: str, error: BaseException) -> str:
    try:
        message = one_line(str(error))
    except Exception:  # an exception may fail to describe itself
        message = ""
    kind = type(error).__name__
    return f"{name} failed: {kind}: {message}" if message else f"{name} failed: {kind}"


def _in_thread(work: Callable[[], Observation], timeout_s: float) -> Observation | None:
    """Run in a daemon thread with the caller's context; None when it takes longer than `timeout_s`."""
    done: queue.SimpleQueue[Observation | BaseException] = queue.SimpleQueue()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            done.put(context.run(work))
        except BaseException as signal:  # handed to whoever waits
            done.put(signal)

    threading.Thread(target=run, name="alpha-umi-tool", daemon=True).start()
    try:
        seen = done.get(timeout=timeout_s)
    except queue.Empty:
        return None
    if isinstance(seen, BaseException):
        raise seen
    return seen
