"""One start of an MCP server: the handshake, its tools, calls, and how it ended.

Runs on the event loop of a `Session`. Everything that goes wrong is a ServerGone, whose text is a phrase that follows
the server's name; what the server wrote to stderr, or instead of messages, is part of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client import IncomingMessage
from mcp.shared.message import SessionMessage
from mcp.types import (
    CONNECTION_CLOSED,
    CallToolResult,
    Implementation,
    JSONRPCResponse,
    Tool,
    ToolListChangedNotification,
)
from mcp.types.methods import validate_server_result
from pydantic import ValidationError

from alpha_umi.tools.mcp.servers import Screened, Server, Tail
from alpha_umi.tools.validation import one_line

MAX_PAGES = 100
"""Pages of tools that are read; a server that never stops listing is cut there."""
CLOSE_S = 10.0
"""How long closing may take: a program has two seconds to end by itself, and two more after SIGTERM."""

_UNREADABLE = 100
"""Unreadable messages before the first good one at which a program is taken for something else than a server."""

_SILENT = "ended before it answered"
_UNMADE = "ended before this call, which was not made"

logging.getLogger("mcp").addHandler(logging.NullHandler())  # its tracebacks are for who turns logging on


class ServerGone(Exception):
    """There is no server to carry out a call; the text says why, and what becomes of the call."""


@dataclass(frozen=True)
class Listing:
    """What a server offers."""

    tools: tuple[Tool, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Tools that are none by the protocol, and why."""


class Connection:
    """A server that is being started, works, or has ended; it is never started twice."""

    def __init__(self, server: Server, listed: Callable[[Listing], None], *, mode: str) -> None:
        self._server, self._listed, self._mode = server, listed, mode
        self._tail = Tail()
        self._dropped: dict[str, str] = {}
        self._leave, self._scope = asyncio.Event(), anyio.CancelScope()
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._failure: str | None = None
        self._unreached = False
        self.unreadable = ""
        self._unreadable = 0
        self._client: Client | None = None
        self.ended = False
        """Whether there is nothing to call any more."""
        self.reported = False
        """Whether a call has told that the server ended: the next one may start it again."""
        self.ended_silently = False
        """Whether it ended during the handshake without a word of why."""
        self._task = asyncio.create_task(self._live())

    async def _live(self) -> None:
        """Hold the session open; the SDK wants it entered and left by one task."""
        transport = Screened(self._server.open(self._tail), screen=self._screen, ended=self._on_end)
        about = Implementation(name="alpha-umi", version="1")
        try:
            with self._scope:
                async with (
                    Client(
                        transport, message_handler=self._on_message, client_info=about, cache=None, mode=self._mode
                    ) as client,
                    anyio.create_task_group() as group,
                ):
                    self._client = client
                    await self._list(client)
                    group.start_soon(self._follow_changes, client)
                    if not self._ready.done():
                        self._ready.set_result(client)
                    await self._leave.wait()
                    group.cancel_scope.cancel()
        except Exception as error:
            self._failure = _phrase(error)
            self.ended_silently = self._failure == _SILENT and not self.unreadable
            self._unreached = isinstance(_innermost(error), httpx2.ConnectError)
        finally:
            self.ended = True
            if not self._ready.done():
                self._ready.set_exception(ServerGone(self._failure or "gave no answer"))
                self._ready.exception()  # it may be that nobody waits any more

    async def open(self, timeout_s: float, *, of: float) -> None:
        """Wait until the tools are listed, for what is left `of` a limit."""
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._ready)
        except TimeoutError:
            self._scope.cancel()
            raise ServerGone(f"gave no answer within {of:g} seconds{await self._words()}") from None
        except ServerGone as gone:
            raise ServerGone(f"{gone}{await self._words()}") from None

    async def _words(self) -> str:
        """What helps to see why: what was written that is no message, and what was said last beside the messages."""
        for _ in range(20):
            if not self.ended or self._tail.ended.is_set():
                break
            await asyncio.sleep(0.01)
        words = f"; it wrote what is no MCP message: {self.unreadable!r}" if self.unreadable else ""
        last = self._tail.last_line
        return f"{words}; {self._server.beside}: {last!r}" if last else words

    async def _list(self, client: Client) -> None:
        tools: list[Tool] = []
        cursor: str | None = None
        self._dropped = {}
        for _ in range(MAX_PAGES):
            page = await client.list_tools(cursor=cursor)
            tools += page.tools
            if not page.next_cursor or page.next_cursor == cursor:
                break
            cursor = page.next_cursor
        self._listed(Listing(tuple(tools), self._dropped))

    async def _follow_changes(self, client: Client) -> None:
        """List again whenever a server of the newest protocol says that its tools changed."""
        tools = client.server_capabilities.tools
        if tools is None or not tools.list_changed or client.session.discover_result is None:
            return
        with contextlib.suppress(Exception):  # without news the tools stay as listed
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    await self._list(client)

    async def _on_message(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification) and self._client is not None and self._ready.done():
            with contextlib.suppress(Exception):
                await self._list(self._client)
        elif isinstance(message, Exception):
            self._unreadable += 1
            self.unreadable = self.unreadable or _unread(message)
            if self._unreadable > _UNREADABLE and not self._ready.done():
                self._ready.set_exception(ServerGone("does not speak MCP"))
                self._scope.cancel()

    def _screen(self, message: SessionMessage) -> None:
        """Take tools that are none out of a listing: the SDK would refuse the page with all the others."""
        reply = message.message
        if not isinstance(reply, JSONRPCResponse) or not isinstance(reply.result.get("tools"), list):
            return
        version = (self._client.session.protocol_version if self._client else None) or "2025-11-25"
        kept = []
        for entry in reply.result["tools"]:
            try:
                validate_server_result("tools/list", version, {**reply.result, "tools": [entry]})
                kept.append(entry)
            except (ValidationError, ValueError, KeyError) as error:
                name = entry.get("name") if isinstance(entry, dict) else entry
                self._dropped[one_line(str(name), limit=80)] = reason(error)
        reply.result["tools"] = kept

    def _on_end(self) -> None:
        self.ended = True

    async def call(self, name: str, arguments: Mapping[str, Any], timeout_s: float) -> CallToolResult:
        """Call a tool of the server that was started here."""
        if self.ended or self._client is None:
            raise await self._gone(_UNMADE)
        try:
            with anyio.fail_after(timeout_s):
                return await self._client.call_tool(name, dict(arguments))
        except MCPError as error:
            if error.code != CONNECTION_CLOSED and "Session terminated" not in error.message:
                raise
            raise await self._gone("ended during this call, which may or may not have taken effect") from None

    async def _gone(self, what: str) -> ServerGone:
        self.reported = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):  # the transport tells why only when it has been left
                await asyncio.shield(self._task)
        self.ended = True
        why = f" ({self._failure})" if self._failure else ""
        return ServerGone(f"{_UNMADE if self._unreached else what}{why}{await self._words()}")

    async def close(self) -> None:
        """Leave the session; what does not end in time is cancelled."""
        self._leave.set()
        done, _ = await asyncio.wait({self._task}, timeout=CLOSE_S / 2)
        if not done:
            self._scope.cancel()
            await asyncio.wait({self._task}, timeout=CLOSE_S / 2)


def _unread(error: Exception) -> str:
    """What could not be read, cut."""
    if isinstance(error, ValidationError):
        return one_line(str(error.errors(include_url=False)[0]["input"]), limit=80)
    return reason(error)


def _phrase(error: BaseException) -> str:
    """Why a session failed, as it follows the server's name."""
    error = _innermost(error)
    if isinstance(error, OSError) and error.filename:
        return f"cannot be started: {error.strerror}: {str(error.filename)!r}"
    if isinstance(error, MCPError) and error.code == CONNECTION_CLOSED:
        return _SILENT
    return f"failed: {reason(error)}"


def reason(error: BaseException) -> str:
    """What an error says, in one line."""
    error = _innermost(error)
    if isinstance(error, RuntimeError):  # the SDK's own words about a result that breaks its promise
        return one_line(str(error), limit=300)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return one_line(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}", limit=200)
    return one_line(str(error) if isinstance(error, MCPError) else f"{type(error).__name__}: {error}", limit=300)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
