"""The way HTTP requests leave: httpx over connections that a guard has checked, under one deadline.

The check sits where a connection is made, not where a URL is read: every redirect and every retry passes it, the
socket goes to the very address that was checked, and TLS still verifies the host's name. httpcore has no limit
for a whole exchange, so a server that sends a byte a second would hold a call for ever: each read here waits no
longer than what is left of the deadline. Proxies are not used, they would connect in our place.
"""

from __future__ import annotations

import contextlib
import functools
import ssl
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from math import inf
from typing import Any

import httpcore
import httpx

from alpha_umi.tools.addresses import AddressGuard

_DEADLINE: ContextVar[float] = ContextVar("alpha_umi_http_deadline", default=inf)
"""When the exchange of this thread must be over, on the monotonic clock."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """All network work inside must be done within so many seconds."""
    token = _DEADLINE.set(min(_DEADLINE.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def time_left() -> float:
    """Seconds until the deadline; infinite without one, never negative."""
    return max(0.0, _DEADLINE.get() - time.monotonic())


class GuardedTransport(httpx.BaseTransport):
    """httpx's requests over httpcore's pool, whose connections go to checked addresses only.

    Raises httpcore's exceptions as they are, and the guard's AddressRefused.
    """

    def __init__(self, guard: AddressGuard, *, verify: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify or _authorities(),
            max_connections=None,  # limited per host, by the client
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_GuardedBackend(guard),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the response's body is read by the caller."""
        assert isinstance(request.stream, httpx.SyncByteStream)
        url = request.url
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        stream = _Body(response.stream)
        return httpx.Response(
            response.status, headers=response.headers, stream=stream, extensions=dict(response.extensions)
        )

    def close(self) -> None:
        """Close the connections that are kept alive."""
        self._pool.close()


@functools.cache
def _authorities() -> ssl.SSLContext:
    """The certificates trusted by default (SSL_CERT_FILE counts), read once."""
    return httpx.create_ssl_context()


class _Body(httpx.SyncByteStream):
    """httpcore's stream as httpx wants it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _GuardedBackend(httpcore.NetworkBackend):
    """Connects to the addresses that the guard returns, one after the other."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._guard.addresses(host, port, timeout_s=_at_most(timeout))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from None
        failure: Exception = httpcore.ConnectError("the host has no address")
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(address, port, _at_most(timeout), local_address, socket_options)
                return _TimedStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, time_left()))


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every wait ends with the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _at_most(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _at_most(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, _at_most(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _at_most(timeout: float | None) -> float | None:
    """The time limit of one wait, given what is left for the whole."""
    remaining = time_left()
    if remaining == 0:
        raise httpcore.ReadTimeout("the time for the whole call is over")
    if remaining == inf:
        return timeout
    return remaining if timeout is None else min(timeout, remaining)
