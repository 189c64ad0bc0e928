"""The tools of an MCP server as a Toolbox.

Owns which of them are offered and under what names, and how a failed call is told to a model. Arguments are checked
before a call, and whatever goes wrong in one, the end of the server included, is an observation. A server is trusted
as far as its user trusts it: its descriptions reach the model, and its annotations are claims, not guarantees.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import weakref
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from alpha_umi.errors import MissingExtra, ToolError, UsageError
from alpha_umi.text.json_object import MAX_ARGUMENT_DEPTH
from alpha_umi.tools.function_tool import FunctionTool
from alpha_umi.tools.functions import FunctionToolbox
from alpha_umi.tools.protocol import MAX_OBSERVATION_CHARS, Traits
from alpha_umi.tools.validation import closest, one_line, refuse_arguments
from alpha_umi.trajectory import Call, Observation, Tool

try:
    from mcp import MCPError
    from mcp.types import Tool as ServerTool

    from alpha_umi.tools.mcp.connection import CLOSE_S, Listing, ServerGone, reason
    from alpha_umi.tools.mcp.content import observation_of
    from alpha_umi.tools.mcp.servers import server_of
    from alpha_umi.tools.mcp.session import McpSession
except ImportError as missing:
    raise MissingExtra("an MCP server", "tools", missing) from missing

TIMEOUT_S = 60.0
"""How long one call may take unless a toolbox says otherwise."""
START_TIMEOUT_S = 30.0
"""How long a server may take to start and list its tools."""

_log = logging.getLogger(__name__)


class MCPToolbox:
    """An MCP server, started or reached when this is made; close it, use it in a `with`, or let the program end it."""

    def __init__(
        self,
        server: str | Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        headers: Mapping[str, str] | None = None,
        prefix: str = "",
        include: Collection[str] | None = None,
        exclude: Collection[str] = (),
        timeout_s: float = TIMEOUT_S,
        start_timeout_s: float = START_TIMEOUT_S,
        max_chars: int = MAX_OBSERVATION_CHARS,
    ) -> None:
        """Start or reach the server and list its tools.

        Args:
            server: a command line such as `python -m mcp_server_time` (never run by a shell), or a URL.
            env: environment variables for a command line, added to a few harmless ones; nothing else is passed on.
            cwd: the folder a command line runs in.
            headers: HTTP headers for a URL, for example an Authorization.
            prefix: put before each tool's name, so that the tools of two servers can stand together.
            include: names, as the server gives them, of the only tools to offer.
            exclude: names of tools not to offer.
            timeout_s: how long one call may take.
            start_timeout_s: how long starting or reaching the server may take.
            max_chars: the longest observation; a longer result loses its middle.

        Raises:
            UsageError: the server or an option is wrong.
            ToolError: the server cannot be started or reached, or offers nothing that can be used.
        """
        if min(timeout_s, start_timeout_s, max_chars) <= 0:
            raise UsageError("timeout_s, start_timeout_s and max_chars must be positive")
        if not re.fullmatch(r"[A-Za-z0-9_.-]{0,64}", prefix):
            raise UsageError(f"prefix {one_line(prefix, limit=80)!r} is invalid: use letters, digits, '_', '.' or '-'")
        self._prefix, self._include, self._exclude = prefix, include, frozenset(exclude)
        self._timeout_s, self._max_chars = timeout_s, max_chars
        # What a call may take in all: one restart and the end of the program before it included.
        self._patience_s = timeout_s + start_timeout_s + 3 * CLOSE_S
        self._session = McpSession(
            server_of(server, env=env, cwd=cwd, headers=headers), start_timeout_s=start_timeout_s
        )
        self._finalizer = weakref.finalize(self, self._session.stop)
        self._lock = threading.Lock()
        try:
            self._take(self._session.listing)
            self._check_choice()
        except ToolError:
            self.close()
            raise

    @property
    def tools(self) -> Sequence[Tool]:
        """What is offered, in the server's order; follows the server when it says that its tools changed."""
        return self._current().tools

    @property
    def annotations(self) -> Mapping[str, Mapping[str, bool]]:
        """What the server claims of each offered tool, under the protocol's names: `readOnlyHint` (changes nothing),
        `destructiveHint`, `idempotentHint` (may be repeated), `openWorldHint`. What it did not state is absent."""
        self._current()
        return self._annotations

    def traits(self, name: str) -> Traits:
        """Whether a call may be repeated, as the server claims: it changes nothing, or nothing more the second time."""
        hints = self.annotations.get(name, {})
        return Traits(repeatable=hints.get("readOnlyHint", False) or hints.get("idempotentHint", False))

    def invoke(self, call: Call) -> Observation:
        """Carry out one call; whatever goes wrong is an observation with `ok=False`."""
        return self._current().invoke(call)

    def close(self) -> None:
        """End the session, and the program that was started for it; further calls are refused."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current(self) -> FunctionToolbox:
        with self._lock:
            if self._session.listing is not self._listing:
                self._take(self._session.listing)
            return self._box

    def _take(self, listing: Listing) -> None:
        """Offer what the server lists; a tool that cannot be offered is left out with a warning."""
        items: dict[str, FunctionTool] = {}
        annotations: dict[str, Mapping[str, bool]] = {}
        faults = [f"{name!r}: {why}" for name, why in listing.unreadable.items() if name not in self._exclude]
        for theirs in listing.tools:
            if theirs.name in self._exclude or (self._include is not None and theirs.name not in self._include):
                continue
            try:
                item = self._item(theirs)
                if item.tool.name in items:
                    raise ToolError(f"tool {item.tool.name!r}: the server offers another of that name")
            except ToolError as error:
                faults.append(str(error))
                continue
            items[item.tool.name] = item
            stated = theirs.annotations.model_dump(by_alias=True, exclude_none=True) if theirs.annotations else {}
            hints = {key: value for key, value in stated.items() if isinstance(value, bool)}
            annotations[item.tool.name] = MappingProxyType(hints)
        for fault in faults:
            _log.warning("MCP server %r: left out: %s", self._session.server.label, fault)
        self._box = FunctionToolbox(items.values(), timeout_s=self._patience_s, max_chars=self._max_chars)
        self._annotations = MappingProxyType(annotations)
        self._listing, self._faults = listing, faults

    def _item(self, theirs: ServerTool) -> FunctionTool:
        name = theirs.name
        schema = {key: value for key, value in theirs.input_schema.items() if key != "$schema"}
        schema.setdefault("properties", {})
        # A name such as `files/read` is cleaned, since models and their grammars write plain names.
        offered = self._prefix + re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        tool = Tool(name=offered or "_", description=(theirs.description or "").strip(), parameters=schema)
        session, timeout_s = self._session, self._timeout_s

        def run(**arguments: Any) -> Observation:
            return _carry_out(session, name, arguments, timeout_s=timeout_s, offered=offered)

        return FunctionTool.from_schema(tool, run)

    def _check_choice(self) -> None:
        label = self._session.server.label
        names = [tool.name for tool in self._listing.tools]
        for name in [*(self._include or ()), *self._exclude]:
            if name not in names and name not in self._listing.unreadable:
                offered = ", ".join(closest(name, names)) or "none"
                raise ToolError(f"MCP server {label!r} has no tool {name!r}; its tools: {offered}")
        if not self._box.tools:
            why = f": {self._faults[0]}" if self._faults else ""
            raise ToolError(f"MCP server {label!r} offers no tool that can be used{why}")


def _carry_out(
    session: McpSession, name: str, arguments: Mapping[str, Any], *, timeout_s: float, offered: str
) -> Observation:
    """Call, and say in one line what went wrong."""
    if _depth(arguments) > MAX_ARGUMENT_DEPTH:  # the SDK would lose the session over what it cannot write
        return refuse_arguments(offered, [f"they are nested deeper than {MAX_ARGUMENT_DEPTH}"])
    try:
        return observation_of(session.call(name, _writable(arguments), timeout_s=timeout_s))
    except ServerGone as gone:
        failure = f"the MCP server {gone}"
    except TimeoutError:
        wrote = f"; it wrote what is no MCP message: {session.unreadable!r}" if session.unreadable else ""
        failure = f"the MCP server gave no result within {timeout_s:g} seconds{wrote}"
    except MCPError as error:
        failure = f"the MCP server refused the call: {error.message}"
    except Exception as error:
        failure = f"the MCP server's result is not usable: {reason(error)}"
    return Observation(text=f"{offered} failed: {one_line(failure)}.", ok=False)


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        held = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level, depth = [child for children in held for child in children], depth + 1
    return depth - 1


def _writable(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without lone surrogates, which no message can hold."""
    text = json.dumps(arguments, ensure_ascii=False).encode("utf-8", "replace")
    found: dict[str, Any] = json.loads(text)
    return found
