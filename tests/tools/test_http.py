"""The HTTP client against real sockets: what is retried, what is cut short, and where it must not go."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_server import Answer, RawServer, drop, http, serving

from alpha_umi.errors import UsageError, WorkError
from alpha_umi.tools.addresses import AddressGuard, literal_hosts
from alpha_umi.tools.http import HttpClient, HttpFault, HttpLimits, HttpRequest, HttpResponse, retry_after
from alpha_umi.tools.transport import GuardedTransport

QUICK: dict[str, Any] = {"backoff_s": 0.01, "read_s": 60.0, "connect_s": 60.0, "total_s": 120.0}
"""Quick to try again, but patient with a machine that is busy: a test of a limit sets that limit itself."""


def client(server: RawServer, **limits: Any) -> HttpClient:
    """A client that may reach this server and nothing else inside."""
    return HttpClient(HttpLimits(**{**QUICK, **limits}), allow_private=[server.host])


def get(server: RawServer, **limits: Any) -> HttpResponse:
    with client(server, **limits) as web:
        return web.send(HttpRequest("GET", server.url))


def fault(url: str, *, allow_private: Any = False, method: str = "GET", **limits: Any) -> HttpFault:
    with HttpClient(HttpLimits(**{**QUICK, **limits}), allow_private=allow_private) as web:
        with pytest.raises(HttpFault) as caught:
            web.send(HttpRequest(method, url))
        assert "\n" not in str(caught.value)
        return caught.value


@contextlib.contextmanager
def silence() -> Iterator[RawServer]:
    """A server that says nothing for a minute, or until the test is over."""
    over = threading.Event()

    def wait(connection: socket.socket) -> None:
        over.wait(60)

    with serving(wait) as server:
        try:
            yield server
        finally:
            over.set()


def outcome(web: HttpClient, request: HttpRequest) -> str:
    """The kind of fault, or the status of the reply."""
    try:
        return str(web.send(request).status)
    except HttpFault as error:
        return "many lines" if "\n" in str(error) else error.kind


# Replies


def test_a_reply_of_any_status_is_a_reply() -> None:
    with serving(http(b"hello", "404 Not Here", x_note="n")) as server:
        reply = get(server)
    assert (reply.status, reply.reason, reply.body, reply.truncated) == (404, "Not Here", b"hello", False)
    assert reply.headers["X-Note"] == "n"


def test_compressed_replies_are_unpacked() -> None:
    with serving(http(gzip.compress(b"hello"), content_encoding="gzip")) as server:
        assert get(server).body == b"hello"


def test_an_endless_body_is_cut_and_the_connection_closed() -> None:
    sent: list[int] = []

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):  # the client closes when it has enough, as is asserted below
            while len(sent) < 10_000:
                sent.append(connection.send(b"x" * 65536))

    with serving(endless) as server:
        reply = get(server, max_bytes=100_000)
    assert (len(reply.body), reply.truncated) == (100_000, True)
    assert sum(sent) < 50_000_000


def test_a_small_gzip_that_holds_gigabytes_is_unpacked_in_steps_only() -> None:
    bomb = gzip.compress(gzip.compress(bytes(200_000_000), 1), 9)  # 200 MB of zeros, and that packed again
    for body, coding in ((gzip.decompress(bomb), "gzip"), (bomb, "gzip, gzip")):
        with serving(http(body, content_encoding=coding)) as server:
            tracemalloc.start()
            with client(server, max_bytes=10_000) as web:
                assert outcome(web, HttpRequest("GET", server.url)) == ("200" if coding == "gzip" else "unreadable")
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 20_000_000


# Servers that misbehave


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (drop, "dropped"),
        (b"", "dropped"),
        (b"\0\1\2 what?\r\n\r\n", "dropped"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", "dropped"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000, "dropped"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "dropped"),
        (http(b"no gzip", content_encoding="gzip"), "unreadable"),
        (http(gzip.compress(b"x" * 5000)[:20], content_encoding="gzip"), "dropped"),
        (http(b"?", content_encoding="br"), "unreadable"),
    ],
)
def test_a_broken_exchange_is_one_typed_line(answer: Answer, kind: str) -> None:
    with serving(answer) as server:
        error = fault(server.url, allow_private=[server.host], retries=1)
    assert isinstance(error, WorkError)
    assert error.kind == kind
    assert len(server.requests) == (2 if kind == "dropped" else 1)
    assert "127.0.0.1" in str(error)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: "]))
def test_whatever_a_server_sends_is_a_reply_or_a_fault(noise: bytes, start: bytes) -> None:
    limits = {"connect_s": 2.0, "read_s": 2.0, "total_s": 10.0}  # a redirect may lead anywhere
    with serving(start + noise) as server, client(server, retries=0, redirects=1, **limits) as web:
        seen = outcome(web, HttpRequest("GET", server.url))
    assert seen in ("dropped", "refused", "timeout", "unreadable", "unreachable") or 100 <= int(seen) < 1000


def test_silence_ends_after_the_read_limit() -> None:
    with silence() as server:
        began = time.monotonic()
        error = fault(server.url, allow_private=[server.host], read_s=0.2, retries=1)
        assert time.monotonic() - began < 30
    assert (error.kind, error.unsent) == ("timeout", False)
    assert str(error) == "127.0.0.1 was silent for 0.2 seconds (2 attempts)"


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_byte_now_and_then_does_not_hold_a_call_for_ever(start: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(1200):  # a minute, or until the client has gone
            connection.sendall(b"x")
            time.sleep(0.05)

    with serving(drip) as server:
        began = time.monotonic()
        error = fault(server.url, allow_private=[server.host], total_s=0.4)
        assert time.monotonic() - began < 30
    assert str(error) == "127.0.0.1 was not done within 0.4 seconds"


def test_a_name_server_that_is_silent_does_not_hold_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def slow(*_: Any, **__: Any) -> list[Any]:
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    began = time.monotonic()
    error = fault("http://slow.example/", connect_s=0.2, retries=0)
    assert time.monotonic() - began < 30
    over.set()
    assert (error.kind, error.unsent) == ("timeout", True)


def test_an_unknown_name_and_a_closed_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:  # bound, so that nobody else gets the port; it does not listen
        closed.bind(("127.0.0.1", 0))
        error = fault(f"http://127.0.0.1:{closed.getsockname()[1]}", allow_private=True, method="POST")
    assert (error.kind, error.unsent) == ("unreachable", True)
    assert "(3 attempts)" in str(error)  # nothing was sent, so a POST may try again
    _answers(monkeypatch, [])
    assert fault("http://unknown.test/").kind == "unreachable"


# Retries


@pytest.mark.parametrize(
    ("method", "more", "asked"),
    [
        ("GET", {}, 3),
        ("DELETE", {}, 3),
        ("PUT", {}, 3),
        ("POST", {}, 1),
        ("PATCH", {}, 1),
        ("GET", {"repeatable": False}, 1),
        ("POST", {"repeatable": True}, 3),
        ("POST", {"idempotency_key": "k1"}, 3),
    ],
)
@pytest.mark.parametrize("answer", [drop, http(b"", "503 Busy"), http(b"", "429 Slow Down")])
def test_only_what_may_be_repeated_is_repeated(method: str, more: Any, asked: int, answer: Answer) -> None:
    with serving(answer) as server, client(server) as web:
        assert outcome(web, HttpRequest(method, server.url, content=b"x", **more)) in ("429", "503", "dropped")
    assert len(server.requests) == asked
    assert all(request.endswith(b"\r\n\r\nx") for request in server.requests)
    keys = {line for request in server.requests for line in request.split(b"\r\n") if b"idempotency" in line.lower()}
    assert keys == ({b"Idempotency-Key: k1"} if "idempotency_key" in more else set())


def test_the_reply_after_a_retry_is_the_result() -> None:
    with serving(drop, http(b"", "500 Oops"), http(b"fine")) as server:
        assert get(server).body == b"fine"
    with serving(http(b"", "404 No"), http(b"fine")) as server:
        assert get(server).status == 404


@pytest.mark.parametrize("written", ["1", "date"])
def test_retry_after_is_waited_for(written: str) -> None:
    def busy(connection: socket.socket) -> None:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)  # loses its part of a second
        connection.sendall(http(b"", "429 Slow", retry_after=date if written == "date" else written))

    with serving(busy, http(b"fine")) as server:
        began = time.monotonic()
        assert get(server).body == b"fine"
    assert time.monotonic() - began >= 0.9


@pytest.mark.parametrize("limits", [{}, {"longest_wait_s": 1e9}])
def test_a_long_pause_is_not_waited_for(limits: Any) -> None:
    with serving(http(b"", "429 Slow", retry_after="3600"), http(b"fine")) as server:
        reply = get(server, **limits)
    assert (reply.status, retry_after(reply), len(server.requests)) == (429, 3600, 1)


@pytest.mark.parametrize("text", ["", "soon", "-1", "Wed, 99 Foo 2026", "²", "1e3"])
def test_an_unreadable_retry_after_is_none(text: str) -> None:
    assert retry_after(HttpResponse(429, {"retry-after": text})) is None


def test_a_retry_after_in_the_past_is_now() -> None:
    assert retry_after(HttpResponse(429, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"})) == 0
    assert retry_after(HttpResponse(429, {"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"})) == 0
    assert retry_after(HttpResponse(429, {"retry-after": "9" * 400})) is not None


def test_a_host_gets_no_more_requests_at_once_than_allowed() -> None:
    lock, at_once, met = threading.Lock(), [0], threading.Event()

    def slow(connection: socket.socket) -> None:
        with lock:
            at_once.append(at_once[-1] + 1)
            if at_once[-1] == 2:
                met.set()
        met.wait(30)  # the first request is not answered before the second has come
        time.sleep(0.05)  # should there be more than are allowed
        with lock:  # before the reply: whoever has it may send the next request
            at_once.append(at_once[-1] - 1)
        connection.sendall(http(b"ok"))

    with serving(slow) as server, client(server, per_host=2) as web, ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: web.send(HttpRequest("GET", server.url)), range(12)))
    assert [reply.body for reply in replies] == [b"ok"] * 12
    assert max(at_once) == 2


def test_waiting_for_a_turn_ends_with_the_deadline() -> None:
    with silence() as server, client(server, per_host=1, total_s=1.0) as web:
        began = time.monotonic()
        with ThreadPoolExecutor(50) as pool:
            asked = [pool.submit(web.send, HttpRequest("GET", server.url)) for _ in range(50)]
            errors = [each.exception() for each in asked]
        assert time.monotonic() - began < 30  # who waits for a turn has no second of one's own after it
    assert {getattr(error, "kind", None) for error in errors} == {"timeout"}


def test_no_cookie_outlives_its_reply() -> None:
    with serving(http(b"", set_cookie="a=1; Path=/")) as server, client(server) as web:
        for _ in range(2):
            web.send(HttpRequest("GET", server.url))
    assert b"cookie" not in server.requests[1].lower()


# Where it must not go

INSIDE = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "0.0.0.0",
    "[::]",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "2852039166",
    "0xA9FEA9FE",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]",
    "１２７.０.０.１",
    "127。0。0。1",
    "localhost.",
    "[fec0::1]",
    "192.88.99.1",
]


@pytest.mark.parametrize("host", INSIDE)
def test_addresses_inside_are_refused(host: str) -> None:
    with serving(http(b"secret")) as server:
        error = fault(f"http://{host}:{server.port}/")
    assert (error.kind, error.unsent) == ("refused", True)
    assert "attempts" not in str(error)
    assert server.requests == []


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "0xA9FEA9FE", "[fe80::1]", "[::ffff:169.254.169.254]", "224.0.0.1"),
        *("[fd00:ec2::254]", "[fd20:ce::254]", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    ],
)
def test_metadata_must_be_named_even_where_private_is_allowed(host: str) -> None:
    assert fault(f"http://{host}/latest", allow_private=True).kind == "refused"
    guard = AddressGuard.of([host.strip("[]")])
    assert guard.addresses(host.strip("[]"), 80)


def test_public_addresses_pass() -> None:
    guard = AddressGuard.of(False)
    assert guard.addresses("8.8.8.8", 443) == ["8.8.8.8"]
    assert guard.addresses("2606:4700::1111", 443) == ["2606:4700::1111"]


def test_a_host_is_allowed_on_its_port_only() -> None:
    with serving(http(b"in")) as server, serving(http(b"no")) as other:
        assert get(server).body == b"in"
        assert fault(other.url, allow_private=[server.host]).kind == "refused"
        with HttpClient(HttpLimits(**QUICK), allow_private=["LOCALHOST"]) as web:
            assert web.send(HttpRequest("GET", f"http://localhost:{other.port}")).body == b"no"
    assert len(other.requests) == 1


@pytest.mark.parametrize("host", ["", "a b", "http://x", "x/y", "u@x", "x:port", "[::1"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="allow_private"):
        AddressGuard.of([host])


def test_hosts_are_a_list() -> None:
    with pytest.raises(UsageError, match="list of hosts"):
        AddressGuard.of("localhost")


def test_only_written_addresses_count_as_allowed_by_the_one_who_wrote_them() -> None:
    assert literal_hosts("http://localhost:8000/openapi.json") == ["localhost:8000"]
    assert literal_hosts("https://10.0.0.5/x") == ["10.0.0.5:443"]
    assert literal_hosts("http://[::1]:80/x") == ["[::1]:80"]
    for text in ("http://intranet/x", "file.yaml", "http://2130706433/", "http://[", "http://localhost:99999/"):
        assert literal_hosts(text) == []


def _answers(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let the resolver give these answers one after the other; returns the names it is asked for.

    No address means that the name is unknown.
    """
    real, asked = socket.getaddrinfo, []

    def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if "test" not in str(host):
            return real(host, port, *args, **more)
        asked.append(host)
        addresses = answers[min(len(asked), len(answers)) - 1]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_that_changes_its_address_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[Any] = []
    real = socket.create_connection

    def connect(address: Any, *rest: Any, **more: Any) -> Any:
        connected.append(address[0])
        if address[0] == "8.8.8.8":  # no test leaves this machine
            raise ConnectionRefusedError
        return real(address, *rest, **more)

    monkeypatch.setattr(socket, "create_connection", connect)
    with serving(http(b"secret")) as server:
        asked = _answers(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
        error = fault(f"http://rebind.test:{server.port}/")
    assert error.kind == "refused"  # at the second attempt: the first went to the address that was checked
    assert (asked, connected, server.requests) == (["rebind.test"] * 2, ["8.8.8.8"], [])


def test_of_several_addresses_only_good_ones_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, ["127.0.0.1", "8.8.8.8", "10.0.0.1"])
    assert AddressGuard.of(False).addresses("mixed.test", 80) == ["8.8.8.8"]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.test/x",
        "gopher://example.test",
        "http://user:password@example.test/",
        "http://",
        "//example.test",
        "example.test",
        "",
        "http://exa mple.test",
        "http://example.test:99999/",
        "http://example.test:x/",
        "http://example.test/\n",
        "http://[::1",
        "http://\ud800/",
        "http://" + "a" * 300,
        "http://example.test/" + "a" * 70_000,
    ],
)
def test_only_plain_web_urls_are_sent(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    _answers(monkeypatch, [])
    error = fault(url, retries=0)
    assert error.kind in ("refused", "unreachable")
    assert error.unsent or "without a password" in str(error)
    assert "password@" not in str(error)
    assert len(str(error)) < 400


def test_a_header_that_cannot_be_sent_is_not_quoted() -> None:
    with serving(http(b"")) as server, client(server) as web:
        for value in ("my-secret\nX: y", "my-secret\0", "my-secret\u2026"):
            request = HttpRequest("GET", server.url, [("X-Key", value)])
            with pytest.raises(HttpFault) as caught:
                web.send(request)
            assert caught.value.kind == "refused"
            assert "my-secret" not in f"{caught.value!r} {request!r}"
    assert not any(server.requests)


# Redirects


def found(where: str, status: str = "302 Found") -> bytes:
    return http(b"", status, location=where)


def test_redirects_are_replies_unless_asked_for() -> None:
    with serving(found("/there"), http(b"there")) as server:
        assert get(server).status == 302
    with serving(found("/there"), http(b"there")) as server:
        assert get(server, redirects=1).body == b"there"


@pytest.mark.parametrize(
    "where", ["http://169.254.169.254/latest", "http://0x7f.1:{other}/", "http://[::1]:{other}/", "file:///etc/passwd"]
)
def test_every_redirect_is_checked(where: str) -> None:
    with serving(http(b"secret")) as other, serving(found(where.format(other=other.port))) as server:
        assert fault(server.url, allow_private=[server.host], redirects=3).kind == "refused"
    assert other.requests == []


def test_a_circle_of_redirects_ends() -> None:
    with serving(found("/")) as server:
        error = fault(server.url, allow_private=[server.host], redirects=3)
    assert (error.kind, len(server.requests)) == ("refused", 4)


@pytest.mark.parametrize("status", ["302 Found", "307 Temporary"])
def test_secrets_stay_with_the_origin_they_were_meant_for(status: str) -> None:
    secrets = [("X-Key", "s1"), ("Authorization", "s2"), ("Cookie", "c=s3")]
    with (
        serving(http(b"other")) as other,
        serving(found("/a", status), found(other.url, status)) as server,
        HttpClient(HttpLimits(**QUICK, redirects=2), allow_private=True) as web,
    ):
        assert web.send(HttpRequest("GET", server.url, secrets)).body == b"other"
    assert all(secret in server.requests[1] for secret in (b"s1", b"s2", b"s3"))
    assert not any(secret in other.requests[0] for secret in (b"s1", b"s2", b"s3"))


# TLS


def test_tls_verifies_the_name_although_the_address_is_pinned(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    try:
        subprocess.run([*make.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def serve() -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            try:
                with ours.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(http(b"safe"))
            except OSError:
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    transport = GuardedTransport(AddressGuard.of(True), verify=ssl.create_default_context(cafile=str(certificate)))
    with listener, HttpClient(HttpLimits(**{**QUICK, "retries": 0}), transport=transport) as web:
        assert web.send(HttpRequest("GET", f"https://localhost:{port}/")).body == b"safe"
        with pytest.raises(HttpFault, match="certificate"):
            web.send(HttpRequest("GET", f"https://127.0.0.1:{port}/"))
        thread.join(timeout=60)


def test_limits_must_make_sense() -> None:
    for wrong in ({"total_s": 0}, {"retries": -1}, {"per_host": 0}, {"max_bytes": 0}):
        with pytest.raises(UsageError):
            HttpLimits(**wrong)
