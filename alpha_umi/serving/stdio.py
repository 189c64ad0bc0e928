"""Stdin as lines that an event loop can stop waiting for.

The SDK reads stdin in a thread that cannot be cancelled, so that a program served from a terminal would not end at
Ctrl-C before another line comes. Here a daemon thread reads, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Self

_CHUNK = 65_536


class StdinLines:
    """The lines of a descriptor, in order; made and iterated inside one event loop."""

    def __init__(self, descriptor: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        threading.Thread(target=self._read, args=(descriptor,), name="alpha-umi-stdin", daemon=True).start()

    def _read(self, descriptor: int) -> None:
        rest = b""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            while chunk := os.read(descriptor, _CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._put(line.decode("utf-8", "replace"))
            if rest:
                self._put(rest.decode("utf-8", "replace"))
            self._put(None)

    def _put(self, line: str | None) -> None:
        self._loop.call_soon_threadsafe(self._lines.put_nowait, line)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        line = await self._lines.get()
        if line is None:
            raise StopAsyncIteration
        return line


@contextlib.contextmanager
def stdin_taken() -> Iterator[int]:
    """A descriptor of what stdin was; meanwhile stdin is empty, so that no tool reads what is meant for the server."""
    taken = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    try:
        yield taken
    finally:
        os.dup2(taken, 0)  # `taken` stays open: the thread may still wait on it
