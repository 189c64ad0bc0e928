"""A server of `/v1/chat/completions` whose every answer a test gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def chunk(text: str | None = None, *, end: str | None = None, usage: dict[str, Any] | None = None) -> bytes:
    choices = [] if usage else [{"index": 0, "delta": {"content": text}, "finish_reason": end}]
    event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": choices}
    return f"data: {json.dumps({**event, 'usage': usage})}\n\n".encode()


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's `answer` says."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server: Any = self.server
        server.asked.append(body | {"key": self.headers.get("Authorization")})
        server.answer(self, len(server.asked))

    def stream(self, *chunks: bytes, done: bool = True) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for part in (*chunks, *([b"data: [DONE]\n\n"] if done else [])):
            self.wfile.write(part)
            self.wfile.flush()

    def plain(self, code: int, body: str, kind: str = "application/json", **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(answer: Callable[[Any, int], None]) -> Iterator[Any]:
    """A server in a thread; `answer` is given the handler and the number of the request. `over` ends a silence."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answer, server.asked, server.over = answer, [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
