"""Reading a stream that may stay silent: whoever waits for it can stop waiting at any time."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import copy_context
from typing import Any

from alpha_umi.backends import FinishReason
from alpha_umi.models.protocol import Request
from alpha_umi.nn.repetition import repeats_itself

_POLL_S = 0.05

END = object()
"""What `StreamReader.next` gives when the stream is over."""


class StreamReader:
    """Reads a stream in a thread of its own.

    Args:
        opened: opens it, in that thread; it is closed when the reader is, if it can be.
    """

    def __init__(self, opened: Callable[[], Any]) -> None:
        self._found: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._stream: Any = None
        self._closed = threading.Event()
        # With the caller's context: LangChain finds the run's callbacks in it, and traces their spans' parent.
        work = copy_context().run
        threading.Thread(target=work, args=(self._read, opened), name="alpha-umi-remote", daemon=True).start()

    def _read(self, opened: Callable[[], Any]) -> None:
        try:
            self._stream = opened()
            for chunk in self._until_closed(self._stream):
                self._found.put((chunk, None))
            self._found.put((END, None))
        except BaseException as error:  # handed to whoever waits
            self._found.put((END, error))
        finally:
            self.close()

    def _until_closed(self, stream: Any) -> Iterator[Any]:
        for chunk in stream:
            if self._closed.is_set():
                return
            yield chunk

    def next(self) -> Any:
        """The next chunk, `END`, or None when there is none yet.

        Raises:
            BaseException: what the stream met with.
        """
        try:
            chunk, error = self._found.get(timeout=_POLL_S)
        except queue.Empty:
            return None
        if error is not None:
            raise error
        return chunk

    def close(self) -> None:
        """Stop reading; a server sees the connection close."""
        self._closed.set()
        if callable(close := getattr(self._stream, "close", None)):
            with contextlib.suppress(Exception):
                close()


class StreamBuffer:
    """What a stream has said so far, and why nothing more is wanted of it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.pieces: list[str] = []
        self.reason: FinishReason | None = None

    def cancelled(self) -> bool:
        """Whether the run asked to stop; then that is the end."""
        if self._request.should_stop is not None and self._request.should_stop():
            self.reason = "cancelled"
        return self.reason == "cancelled"

    def write(self, piece: str) -> bool:
        """Take a piece of text in; False when it repeats itself, so that nothing more is wanted."""
        if piece:
            self.pieces.append(piece)
            if self._request.on_text is not None:
                self._request.on_text(piece)
            if repeats_itself(self.pieces, self._request.generation.repetition_window):
                self.reason = "repetition"
        return self.reason is None


def said(error: BaseException | str, *, max_chars: int = 200) -> str:
    """An error, or its words, in one short line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"


def words_of(choice: Any) -> str:
    """What a chunk of a chat completion, or of a text completion, says. Some servers send the words of a message in
    parts, those of their reasoning beside those of the answer."""
    delta = getattr(choice, "delta", None)
    content = getattr(choice, "text", None) if delta is None else getattr(delta, "content", None)
    if not isinstance(content, list):
        return content or ""
    texts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
    return "".join(text for text in texts if isinstance(text, str))
