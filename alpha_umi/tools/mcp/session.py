"""One MCP server's session, kept on an event loop in a thread of its own and used by blocking callers of any thread.

Owns when the server is started, started again, and closed: at the latest when the program ends, so that no process
that it started outlives it. Knows nothing of what a result means to a model.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from mcp.types import CallToolResult

from alpha_umi.errors import ToolError
from alpha_umi.tools.awaiting import ended_by
from alpha_umi.tools.mcp.connection import CLOSE_S, Connection, Listing, ServerGone
from alpha_umi.tools.mcp.servers import HttpServer, Server

MAX_RESTARTS = 3
"""Starts in a row, each without a finished call after it, before a program that keeps ending is left alone."""

_T = TypeVar("_T")


class McpSession:
    """A server that is started when this is made, and again when it ended and is needed."""

    def __init__(self, server: Server, *, start_timeout_s: float) -> None:
        """Start the server and list its tools.

        Raises:
            ToolError: it cannot be reached or started, or does not answer in time; one line says which.
        """
        self.server = server
        self.listing = Listing()
        """The tools as last listed; another object after each listing."""
        self._start_timeout_s = start_timeout_s
        self._connection: Connection | None = None
        self._mode = "auto"
        self._restarts = 0
        self._closed = False
        self._running = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="alpha-umi-mcp", daemon=True)
        self._thread.start()
        self._running.wait()
        atexit.register(self.close)  # a daemon thread alone would leave the server's program behind
        try:
            self._wait(self._start(), start_timeout_s + CLOSE_S)
        except BaseException as error:
            self.stop()  # a program that does not want to end is seen to while the caller already knows
            if isinstance(error, ServerGone):
                raise ToolError(f"MCP server {server.label!r} {error}") from None
            raise

    async def _main(self) -> None:
        self._loop, self._stop, self._starting = asyncio.get_running_loop(), asyncio.Event(), asyncio.Lock()
        self._running.set()
        await self._stop.wait()
        if self._connection is not None:
            await self._connection.close()
        atexit.unregister(self.close)

    def _wait(self, work: Coroutine[Any, Any, _T], timeout_s: float) -> _T:
        """Do the work in the loop's thread; the limit is a backstop for work that limits itself."""
        if self._closed:
            work.close()
            raise ServerGone("is closed")
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # the loop has just ended
            work.close()
            raise ServerGone("is closed") from None
        try:
            with ended_by(future.cancel):  # the server is told
                return future.result(timeout_s)
        except concurrent.futures.CancelledError:
            raise ServerGone("was closed during the call") from None
        except TimeoutError:
            future.cancel()
            raise

    async def _start(self) -> None:
        deadline = asyncio.get_running_loop().time() + self._start_timeout_s
        while True:
            connection = self._connection = Connection(self.server, self._listed, mode=self._mode)
            try:
                return await connection.open(deadline - asyncio.get_running_loop().time(), of=self._start_timeout_s)
            except ServerGone:
                connection.reported = True  # the next call may try again
                # Strict servers of older protocols end at any first message but `initialize`.
                if self._mode == "legacy" or not connection.ended_silently:
                    raise
                self._mode = "legacy"

    def _listed(self, listing: Listing) -> None:
        self.listing = listing

    def call(self, name: str, arguments: Mapping[str, Any], *, timeout_s: float) -> CallToolResult:
        """Call a tool.

        Raises:
            ServerGone: there is no server, or it ended during the call.
            TimeoutError: there was no result in time; the server was told to stop.
            MCPError: the server refused the call.
        """
        return self._wait(self._call(name, arguments, timeout_s), self._start_timeout_s + timeout_s + CLOSE_S)

    async def _call(self, name: str, arguments: Mapping[str, Any], timeout_s: float) -> CallToolResult:
        connection = await self._ready()
        result = await connection.call(name, arguments, timeout_s)
        self._restarts = 0
        return result

    async def _ready(self) -> Connection:
        """The connection, made anew when the last one was found to have ended by an earlier call."""
        async with self._starting:
            connection = self._connection
            if connection is not None and connection.reported:
                if self._restarts >= MAX_RESTARTS and not isinstance(self.server, HttpServer):
                    raise ServerGone(f"ended {self._restarts + 1} times in a row and is not started again")
                self._restarts += 1
                await connection.close()
                await self._start()
            assert self._connection is not None
            return self._connection

    @property
    def unreadable(self) -> str:
        """The first thing the server wrote that is no message, cut; empty when there was none."""
        return self._connection.unreadable if self._connection is not None else ""

    def stop(self) -> None:
        """Have the session closed, without waiting for it."""
        self._closed = True
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._stop.set)

    def close(self) -> None:
        """End the session and the program that was started for it; calls that wait are given up."""
        self.stop()
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_S)
