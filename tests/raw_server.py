"""A socket server that answers as badly as a test wants: it speaks bytes, not HTTP."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

Answer = bytes | Callable[[socket.socket], None]
"""What to send before the connection is closed, or what to do with it."""


class RawServer:
    """Gives each request the next answer, the last one for ever; keeps what was asked."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.requests: list[bytes] = []
        self._answers = answers
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.host = f"127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(60)
            asked = _read_request(connection)
            with self._lock:
                answer = self._answers[min(len(self.requests), len(self._answers) - 1)]
                self.requests.append(asked)
            if callable(answer):
                answer(connection)
            else:
                connection.sendall(answer)


def _read_request(connection: socket.socket) -> bytes:
    """Head and body (by Content-Length)."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        chunk = connection.recv(65536)
        if not chunk:
            break
        body += chunk
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(*answers: Answer) -> Iterator[RawServer]:
    """A server with these answers, one for each request."""
    server = RawServer(answers)
    try:
        yield server
    finally:
        server.close()


def http(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A whole response; `content_type="..."` becomes `content-type: ...`."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *lines])
    return head.encode() + b"\r\n\r\n" + body


def drop(connection: socket.socket) -> None:
    """Close without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
