"""How an MCP server is reached: a program on this machine (stdio) or a URL (streamable HTTP).

Owns the command line, the environment a program gets, its stderr, and the messages that come in. A program sees only
HOME, LOGNAME, PATH, SHELL, TERM, USER and what `env` adds, so no key of yours reaches it by accident; that apart it may
do whatever you may: offering a server is trusting it. HTTP follows redirects within the URL's origin only.
"""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self
from urllib.parse import urlsplit

import httpx2
from mcp import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from alpha_umi.errors import UsageError
from alpha_umi.tools.validation import one_line

TAIL_BYTES = 8192
"""How much of what a program last wrote to stderr is kept."""
HTTP_EVENT_BYTES = 16 * 1024 * 1024
"""The longest message that a server may send as one event of a stream."""

Streams = tuple[Any, Any]
"""What the SDK's transports give: where messages come from, and where they go."""
Transport = AbstractAsyncContextManager[Streams]


class Tail:
    """The end of what a server says beside its messages: a program's stderr, a URL's refusals.

    Stderr is read by a thread, so that the program never waits for a reader.
    """

    def __init__(self) -> None:
        self._tail = b""
        self.ended = threading.Event()
        """Set when nothing more can come: the program and all its children have closed their stderr."""

    def follow(self, descriptor: int) -> None:
        """Read the descriptor to its end, and close it."""
        threading.Thread(target=self._read, args=(descriptor,), name="alpha-umi-mcp-stderr", daemon=True).start()

    def _read(self, descriptor: int) -> None:
        try:
            while chunk := os.read(descriptor, 4096):
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]
        finally:
            os.close(descriptor)
            self.ended.set()

    def replace(self, text: str) -> None:
        """Hold this instead of what was said before."""
        self._tail = text.encode()

    @property
    def last_line(self) -> str:
        """The last line that is not blank, cut; empty when there is none."""
        lines = [line for line in self._tail.decode("utf-8", "replace").splitlines() if line.strip()]
        return one_line(lines[-1], limit=300) if lines else ""


class Server(Protocol):
    """Where a session's messages go."""

    @property
    def label(self) -> str:
        """How errors call it."""
        ...

    @property
    def beside(self) -> str:
        """What the tail holds, as errors put it."""
        ...

    def open(self, tail: Tail) -> Transport:
        """A transport that starts or reaches the server when entered, and ends what it started when left."""
        ...


@dataclass(frozen=True)
class StdioServer:
    """A program that speaks MCP over stdin and stdout."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to the few variables that a program gets anyway."""
    cwd: str | Path | None = None
    beside: ClassVar[str] = "last on its stderr"

    @property
    def label(self) -> str:
        """The command line, cut."""
        return one_line(shlex.join(self.command), limit=100)

    @asynccontextmanager
    async def open(self, tail: Tail) -> AsyncIterator[Streams]:
        """Start the program; leaving closes its stdin and, two seconds later, ends it and its children."""
        parameters = StdioServerParameters(
            command=self.command[0],
            args=list(self.command[1:]),
            env=dict(self.env),
            cwd=self.cwd,
            encoding_error_handler="replace",  # a wrong byte spoils its message, not the session
        )
        reading, writing = os.pipe()
        tail.follow(reading)
        errors = os.fdopen(writing, "w")
        async with AsyncExitStack() as stack:
            try:
                streams = await stack.enter_async_context(stdio_client(parameters, errlog=errors))
            finally:
                errors.close()  # the program has its own copy: when that closes, the tail has ended
            yield streams


@dataclass(frozen=True)
class HttpServer:
    """A server behind a URL."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    beside: ClassVar[str] = "its last answer"

    @property
    def label(self) -> str:
        """The URL without what may be secret in it."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        return one_line(f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}", limit=100)

    @asynccontextmanager
    async def open(self, tail: Tail) -> AsyncIterator[Streams]:
        """Reach the server; leaving ends the session there."""
        tail.ended.set()

        async def note(response: httpx2.Response) -> None:
            if response.request.method == "POST":
                refused = f"HTTP {response.status_code} {response.reason_phrase}" if response.status_code >= 300 else ""
                tail.replace(refused)

        timeout = httpx2.Timeout(30.0, read=None)  # how long an answer may take is the session's business
        hooks = {"response": [note]}
        async with (
            httpx2.AsyncClient(headers=dict(self.headers), timeout=timeout, event_hooks=hooks) as client,
            streamable_http_client(self.url, http_client=client, max_sse_event_size=HTTP_EVENT_BYTES) as streams,
        ):
            yield streams


def server_of(
    server: str | Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    headers: Mapping[str, str] | None = None,
) -> StdioServer | HttpServer:
    """A command line or URL as a Server.

    Raises:
        UsageError: it is neither, or it comes with options of the other kind.
    """
    if isinstance(server, str) and server.startswith(("http://", "https://")):
        if env is not None or cwd is not None:
            raise UsageError(f"{one_line(server, limit=100)} is a URL: env and cwd are for a command line")
        try:
            found = bool(urlsplit(server).hostname) and urlsplit(server).port != 0
        except ValueError:
            found = False
        if not found:
            raise UsageError(f"{one_line(server, limit=100)!r} is not a URL of an MCP server: it has no valid host")
        return HttpServer(server, dict(headers or {}))
    if headers is not None:
        raise UsageError("headers are for a URL: an MCP server given as a command line takes env")
    try:
        command = tuple(shlex.split(server)) if isinstance(server, str) else tuple(str(part) for part in server)
    except ValueError as error:
        raise UsageError(f"cannot read the command line {one_line(str(server), limit=100)!r}: {error}") from None
    if not command or not command[0]:
        raise UsageError("no MCP server is named: give its command line or its URL")
    if any("\0" in part for part in command):
        raise UsageError("the command line of an MCP server holds a NUL character")
    return StdioServer(command, dict(env or {}), cwd)


class Screened:
    """A transport whose incoming messages pass through a function, and which says when they have ended."""

    def __init__(
        self, transport: Transport, *, screen: Callable[[SessionMessage], None], ended: Callable[[], None]
    ) -> None:
        self._transport, self._screen, self._ended = transport, screen, ended

    async def __aenter__(self) -> Streams:
        incoming, outgoing = await self._transport.__aenter__()
        return _ScreenedStream(incoming, self._screen, self._ended), outgoing

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._transport.__aexit__(kind, error, trace)


class _ScreenedStream:
    def __init__(self, stream: Any, screen: Callable[[SessionMessage], None], ended: Callable[[], None]) -> None:
        self._stream, self._screen, self._ended = stream, screen, ended

    @property
    def last_context(self) -> Any:
        """The sender's context variables, where the transport keeps them."""
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> SessionMessage | Exception:
        """The next message, or what could not be read as one."""
        message: SessionMessage | Exception = await self._stream.receive()
        if isinstance(message, SessionMessage):
            self._screen(message)
        return message

    async def aclose(self) -> None:
        """Stop receiving."""
        await self._stream.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            message: SessionMessage | Exception = await self._stream.__anext__()
        except BaseException:
            self._ended()
            raise
        if isinstance(message, SessionMessage):
            self._screen(message)
        return message

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
