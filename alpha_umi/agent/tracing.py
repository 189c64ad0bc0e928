"""Traces: everything that happens in a run, one JSON object a line, as it happens.

A line holds the time, the run, and the event as the stream has it; a role's pieces of text are put together to what it
wrote in one go, so that a trace is as long as the conversation and not as its tokens.
"""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from alpha_umi.agent.events import AgentEvent
from alpha_umi.errors import UsageError
from alpha_umi.resources import user_path


class Trace:
    """An `on_event` that writes what it is told. One for each run; several may append to one file.

    Args:
        stream: where to; None writes nothing.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._run = uuid.uuid4().hex[:12]
        self._role, self._words = "", ""
        self._lock = threading.Lock()

    @classmethod
    def to(cls, path: Path | str | None) -> Self:
        """A trace that appends to a file; to none without a path.

        Raises:
            UsageError: it cannot be written.
        """
        if path is None:
            return cls(None)
        try:
            file = user_path(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            return cls(file.open("a", encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"{path}: no trace can be written: {error.strerror}") from error

    def __call__(self, event: AgentEvent) -> None:
        """Write one event."""
        with self._lock:
            if event.kind == "token":
                if event.role != self._role:
                    self._end_words()
                self._role, self._words = event.role, self._words + event.text
                return
            self._end_words()
            self._write(event.model_dump(mode="json"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._end_words()
            if error is not None:
                self._write({"kind": "failed", "error": f"{type(error).__name__}: {error}"})
            if self._stream is not None:
                self._stream.close()
                self._stream = None

    def _end_words(self) -> None:
        if self._words:
            self._write({"kind": "wrote", "role": self._role, "text": self._words})
        self._role, self._words = "", ""

    def _write(self, what: dict[str, Any]) -> None:
        if self._stream is None:
            return
        line = {"time": datetime.now(UTC).isoformat(), "run": self._run, **what}
        # One write a line, so that runs which share a file do not mix theirs.
        self._stream.write(json.dumps(line, ensure_ascii=True) + "\n")
        self._stream.flush()
