"""The HTTP client that all network tools share.

Owns time limits, retries, the number of requests a host gets at once, the size of a reply and redirects; where a
connection may go is `transport`'s and `addresses`' business. A reply of any status is a HttpResponse; everything else
that can happen is an HttpFault with a kind and one line that names no more of the URL than its host. Keeps no
cookies. Safe to use from several threads.
"""

from __future__ import annotations

import random
import threading
import time
import weakref
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Literal, Self

import httpcore
import httpx

from alpha_umi.errors import UsageError, WorkError
from alpha_umi.tools.addresses import AddressGuard, AddressRefused
from alpha_umi.tools.transport import GuardedTransport, time_left, time_limit

HttpFailure = Literal["refused", "unreachable", "dropped", "timeout", "unreadable"]

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
_RETRIED = frozenset({429, 500, 502, 503, 504})
_CARRIED_ABROAD = frozenset({"accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"})
"""Headers that follow a redirect to another origin; any other might be a secret."""


class HttpFault(WorkError):
    """No usable reply came: `kind` says why in a word, the text in a line."""

    def __init__(self, kind: HttpFailure, message: str, *, unsent: bool = False) -> None:
        self.kind = kind
        self.unsent = unsent
        """Whether it is certain that the server never saw the request."""
        super().__init__(message)


@dataclass(frozen=True)
class HttpLimits:
    """How long, how often and how much."""

    connect_s: float = 5.0
    read_s: float = 20.0
    """The longest silence of a server."""
    total_s: float = 45.0
    """For the whole call: name look-up, all attempts and the waits between them."""
    retries: int = 2
    backoff_s: float = 0.5
    """The first wait before a retry, about; it doubles each time."""
    longest_wait_s: float = 15.0
    """A server that asks for a longer pause (Retry-After) is not asked again: its reply is the result."""
    per_host: int = 4
    """How many requests one host gets at a time."""
    max_bytes: int = 1_000_000
    """What a reply has beyond this is not read."""
    redirects: int = 0

    def __post_init__(self) -> None:
        numbers = (self.connect_s, self.read_s, self.total_s, self.per_host, self.max_bytes)
        if min(numbers) <= 0 or min(self.retries, self.backoff_s, self.longest_wait_s, self.redirects) < 0:
            raise UsageError(f"limits must be positive (retries, waits and redirects may be 0), not {self}")


@dataclass(frozen=True, repr=False)
class HttpRequest:
    """One request. It may hold secrets, so it has no `repr` of its content."""

    method: str
    url: str
    """With everything percent-encoded that must be."""
    headers: Sequence[tuple[str, str]] = ()
    content: bytes | None = None
    repeatable: bool | None = None
    """Whether sending it twice does no harm; None goes by the method."""
    idempotency_key: str | None = None
    """Sent as `Idempotency-Key`; a request that has one may be repeated."""

    @property
    def may_repeat(self) -> bool:
        """Whether the request may be sent again when its outcome is unknown."""
        if self.repeatable is None:
            return self.idempotency_key is not None or self.method.upper() in _REPEATABLE
        return self.repeatable


@dataclass(frozen=True)
class HttpResponse:
    """What a server answered, whatever its status."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Found by names of any case."""
    body: bytes = field(default=b"", repr=False)
    truncated: bool = False
    """Whether the server had more to say than `HttpLimits.max_bytes`."""
    reason: str = ""


class HttpClient:
    """Sends requests; one client per toolbox, closed with `close` or when it is collected."""

    def __init__(
        self,
        limits: HttpLimits | None = None,
        *,
        allow_private: bool | Collection[str] = False,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`allow_private`: see `AddressGuard.of`. A transport of one's own replaces the guard too."""
        self.limits = limits or HttpLimits()
        self._http = httpx.Client(
            transport=transport or GuardedTransport(AddressGuard.of(allow_private)),
            timeout=httpx.Timeout(self.limits.read_s, connect=self.limits.connect_s),
            headers={"User-Agent": "alpha-umi", "Accept-Encoding": "gzip"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            trust_env=False,  # no proxies and no .netrc: neither would be checked
        )
        self._slots: dict[str, threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()  # guards `_slots`: two threads may meet a host first
        self.close = weakref.finalize(self, self._http.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request, again where that helps and does no harm.

        Raises:
            HttpFault: there is no reply to show; never anything else.
        """
        with time_limit(self.limits.total_s):
            for attempt in range(self.limits.retries + 1):
                result = self._attempt(request)
                wait = self._wait_after(result, attempt, request)
                if wait is None:
                    break
                time.sleep(wait)
        if isinstance(result, HttpFault):
            tried = f" ({attempt + 1} attempts)" if attempt else ""
            raise HttpFault(result.kind, f"{result}{tried}", unsent=result.unsent) from None
        return result

    def _wait_after(self, result: HttpResponse | HttpFault, attempt: int, request: HttpRequest) -> float | None:
        """Seconds until the next attempt, None when there is to be none."""
        if attempt == self.limits.retries:
            return None
        wait = self.limits.backoff_s * 2**attempt * random.uniform(0.5, 1.5)
        if isinstance(result, HttpFault):
            if result.kind in ("refused", "unreadable") or not (result.unsent or request.may_repeat):
                return None
        else:
            if result.status not in _RETRIED or not request.may_repeat:
                return None
            asked = retry_after(result)
            if asked is not None:
                if asked > self.limits.longest_wait_s:
                    return None
                wait = max(asked, wait)
        return wait if wait < time_left() else None

    def _attempt(self, request: HttpRequest) -> HttpResponse | HttpFault:
        host = "the server"
        try:
            outgoing = self._build(request)
            host = outgoing.url.host[:80]
            for _ in range(self.limits.redirects + 1):
                reply, following = self._exchange(outgoing)
                if following is None or not self.limits.redirects:
                    return reply
                outgoing = _redirected(outgoing, following)
                host = outgoing.url.host[:80]
            return HttpFault("refused", f"{host} redirects more than {self.limits.redirects} times")
        except HttpFault as fault:
            return fault
        except Exception as error:
            return _fault(error, host, self.limits)

    def _build(self, request: HttpRequest) -> httpx.Request:
        headers = [(name, value.encode("latin-1")) for name, value in request.headers]
        if request.idempotency_key is not None:
            headers.append(("Idempotency-Key", request.idempotency_key.encode("latin-1")))
        named = [(name.encode("ascii"), value) for name, value in headers]
        return self._http.build_request(request.method, request.url, headers=named, content=request.content)

    def _exchange(self, outgoing: httpx.Request) -> tuple[HttpResponse, httpx.Request | None]:
        """One request and its reply, and where a redirect would go."""
        url = outgoing.url
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise HttpFault("refused", f"only http and https URLs without a password are sent, not {url.scheme!r} here")
        with self._slot(f"{url.host}:{url.port}"):
            response = self._http.send(outgoing, stream=True)
            try:
                body, truncated = self._read(response)
            finally:
                response.close()
        reply = HttpResponse(response.status_code, response.headers, body, truncated, response.reason_phrase)
        return reply, response.next_request

    def _read(self, response: httpx.Response) -> tuple[bytes, bool]:
        """The body up to the limit. Decompressed here and in steps: a small gzip may hold gigabytes."""
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "", "gzip", "x-gzip", "deflate"):
            raise HttpFault("unreadable", f"{response.request.url.host} sent a reply encoded as {coding[:40]!r}")
        unzip = None if coding in ("identity", "") else zlib.decompressobj(wbits=47)
        body, limit, started = bytearray(), self.limits.max_bytes, False
        for chunk in response.iter_raw():
            started = True
            body += unzip.decompress(chunk, limit + 1 - len(body)) if unzip else chunk
            if len(body) > limit:
                return bytes(body[:limit]), True
            if not time_left():
                raise httpcore.ReadTimeout
        if unzip and started and not unzip.eof:
            raise httpcore.RemoteProtocolError("the compressed body ends early")
        return bytes(body), False

    @contextmanager
    def _slot(self, host: str) -> Iterator[None]:
        with self._lock:
            slots = self._slots.setdefault(host, threading.BoundedSemaphore(self.limits.per_host))
        if not slots.acquire(timeout=min(time_left(), threading.TIMEOUT_MAX)):
            raise HttpFault("timeout", f"{host} is still busy with {self.limits.per_host} other requests", unsent=True)
        try:
            yield
        finally:
            slots.release()


def retry_after(reply: HttpResponse) -> float | None:
    """The seconds a server asks to wait, written as seconds or as a date; None if it does not say."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def _redirected(before: httpx.Request, after: httpx.Request) -> httpx.Request:
    """The request a redirect asks for, without what another origin must not see."""
    origin, target = ((r.url.scheme, r.url.host, r.url.port) for r in (before, after))
    if origin == target:
        if "cookie" in before.headers:  # httpx leaves it to a cookie jar, and there is none
            after.headers["Cookie"] = before.headers["Cookie"]
    else:
        for name in [name for name in after.headers if name not in _CARRIED_ABROAD]:
            del after.headers[name]
    return after


_MEANINGS: tuple[tuple[tuple[type[Exception], ...], HttpFailure, bool, str], ...] = (
    ((AddressRefused,), "refused", True, "{why}"),
    ((httpcore.ConnectTimeout,), "timeout", True, "no connection to {host} within {limits.connect_s:g} seconds"),
    ((httpcore.ConnectError,), "unreachable", True, "no connection to {host}: {why}"),
    ((httpcore.TimeoutException,), "timeout", False, "{host} was silent for {limits.read_s:g} seconds"),
    ((httpcore.LocalProtocolError,), "refused", True, "a header holds what HTTP does not allow"),
    ((httpcore.NetworkError, httpcore.ProtocolError), "dropped", False, "{host} broke off: {why}"),
    ((httpx.TransportError,), "dropped", False, "{host} answered with a redirect that cannot be read"),
    ((zlib.error,), "unreadable", False, "{host} sent a compressed reply that cannot be unpacked"),
    ((httpx.InvalidURL, ValueError, TypeError), "refused", True, "the request cannot be written: {why}"),
)
"""What the exceptions of httpx, httpcore and the guard mean: kind, whether surely unsent, text; the first that fits.
h11's text on a bad header quotes the header, which may be a secret, so it is not passed on."""


def _fault(error: Exception, host: str, limits: HttpLimits) -> HttpFault:
    if not time_left():
        return HttpFault("timeout", f"{host} was not done within {limits.total_s:g} seconds")
    why = " ".join(str(error).split())[:200] or type(error).__name__
    for types, kind, unsent, text in _MEANINGS:
        if isinstance(error, types):
            return HttpFault(kind, text.format(host=host, limits=limits, why=why), unsent=unsent)
    return HttpFault("dropped", f"the exchange with {host} failed: {type(error).__name__}")
