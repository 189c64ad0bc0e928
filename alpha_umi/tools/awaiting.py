"""On which event loop a tool's coroutine is awaited, and that it ends when nobody waits for it any more.

A coroutine runs where its run was awaited, so that it may use what the app made there: a client, a lock, a pool. A run
that nobody awaits (`Agent.run`, `graph.invoke`) has one lasting loop, the same for every run, so that what one tool
made is of use to the next. Whoever waits does so in a thread; a loop that a thread blocks is never waited for.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

Loop = asyncio.AbstractEventLoop

CLEANUP_S = 5.0
"""How long a cancelled coroutine may take to clean up before it is left behind."""


class Place(NamedTuple):
    """Where the coroutines of a context are awaited."""

    loop: Loop | None = None
    """The loop on which the run was awaited; None where it was not."""
    busy: frozenset[Loop] = frozenset()
    """Loops that wait, each blocked, for what is done here."""


_NOWHERE = Place()
_place: ContextVar[Place] = ContextVar("alpha_umi_place", default=_NOWHERE)
_lasting: list[Loop] = []
_lent: WeakKeyDictionary[Loop, Loop] = WeakKeyDictionary()
_guard = threading.Lock()
os.register_at_fork(after_in_child=_lasting.clear)  # their threads stay with the parent


def settle() -> None:
    """From here on in this context: what is awaited is so on the running loop, or on the one that it stands for."""
    running = asyncio.get_running_loop()
    _place.set(Place(_lent.get(running, running), _place.get().busy - {running}))


class Lent:
    """A loop that is going to be made for one call only, which so is no place for what a tool makes: another one, that
    is there before and after it, is taken for it."""

    def __init__(self) -> None:
        place = blocking()
        self._for = place.loop or _lasting_loop(place.busy)
        self.context = copy_context()
        """What the loop's tasks run in."""
        self.context.run(_place.set, Place(None, place.busy))

    def take(self, loop: Loop) -> None:
        """This is the loop."""
        _lent[loop] = self._for


def blocking() -> Place:
    """The place as it is for who waits in this thread, and so blocks the loop that runs in it."""
    place, running = _place.get(), running_loop()
    if running is None:
        return place
    return Place(None if place.loop is running else place.loop, place.busy | {running})


def busy(loop: Loop) -> bool:
    """Whether a loop is blocked until what is done here is done."""
    return loop in blocking().busy


def awaited() -> bool:
    """Whether this is done for a run that was awaited on a loop of the app's."""
    place = blocking()
    return place.loop is not None and place.loop not in _lasting


def running_loop() -> Loop | None:
    """The loop that runs in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Work:
    """What is awaited for one piece of work, so that it can be ended with it."""

    def __init__(self) -> None:
        self._ends: set[Callable[[], object]] = set()
        self._over = False
        self._lock = threading.Lock()

    @contextmanager
    def ending(self, end: Callable[[], object]) -> Iterator[None]:
        """Have `end` called, from another thread, if the work is ended meanwhile."""
        with self._lock:
            self._ends.add(end)
            over = self._over
        try:
            if over:
                end()
            yield
        finally:
            with self._lock:
                self._ends.discard(end)

    def end(self) -> None:
        """End what is awaited, and whatever is begun from now on."""
        with self._lock:
            self._over = True
            ends = list(self._ends)
        for end in ends:
            end()


_work: ContextVar[Work | None] = ContextVar("alpha_umi_work", default=None)


@contextmanager
def for_work(work: Work) -> Iterator[None]:
    """What is awaited in this context is awaited for this work."""
    token = _work.set(work)
    try:
        yield
    finally:
        _work.reset(token)


@contextmanager
def ended_by(end: Callable[[], object]) -> Iterator[None]:
    """Have `end` called, from another thread, if nobody waits any more for what is done here."""
    work = _work.get()
    with contextlib.nullcontext() if work is None else work.ending(end):
        yield


def result_of(awaitable: Awaitable[Any], *, timeout_s: float | None) -> Any:
    """Await on the loop that is settled for this context, and wait for it in this thread.

    Raises:
        TimeoutError: it took longer; then it was cancelled.
        BaseException: whatever it raises.
    """
    place = blocking()
    loop = place.loop if place.loop is not None and not place.loop.is_closed() else _lasting_loop(place.busy)
    waiting = _Waiting(awaitable, timeout_s, loop, Place(None, place.busy | {loop}))
    with ended_by(waiting.cancel):  # before it begins, so that whoever ends it waits for its end
        return waiting.result()


async def _bounded(awaitable: Awaitable[Any], timeout_s: float | None) -> Any:
    async with asyncio.timeout(timeout_s):
        return await awaitable


class _Waiting:
    """What is awaited on the loop of another thread."""

    def __init__(self, awaitable: Awaitable[Any], timeout_s: float | None, loop: Loop, place: Place) -> None:
        self._awaitable, self._timeout_s, self._loop, self._context = awaitable, timeout_s, loop, copy_context()
        # While it runs, its loop waits for whatever it does without awaiting it.
        self._context.run(_place.set, place)
        self._task: asyncio.Task[Any] | None = None
        self._cancelled, self._done = False, threading.Event()

    def result(self) -> Any:
        """Begin it, and wait for what it gives."""
        try:
            self._loop.call_soon_threadsafe(self._begin)
        except RuntimeError:  # the loop has just closed
            self._end()
            raise
        self._done.wait()
        if self._task is None:
            raise asyncio.CancelledError
        return self._task.result()

    def _begin(self) -> None:
        if self._cancelled:
            self._end()
            return
        self._task = self._loop.create_task(_bounded(self._awaitable, self._timeout_s), context=self._context)
        self._task.add_done_callback(lambda _: self._end())

    def _end(self) -> None:
        if asyncio.iscoroutine(self._awaitable):
            self._awaitable.close()  # one that never began would be warned of
        self._done.set()

    def cancel(self) -> None:
        """Cancel it, and give it time to clean up."""
        with contextlib.suppress(RuntimeError):  # the loop has closed, and cancelled it before
            self._loop.call_soon_threadsafe(self._cancel)
            self._done.wait(CLEANUP_S)

    def _cancel(self) -> None:
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()


def _lasting_loop(occupied: frozenset[Loop]) -> Loop:
    """The first of the lasting loops that is free: the same one unless a tool on it waits for another run."""
    with _guard:
        free = next((loop for loop in _lasting if loop not in occupied), None)
        if free is None:
            free = _started()
            _lasting.append(free)
        return free


def _started() -> Loop:
    """A loop in a daemon thread, until the program ends."""
    found: list[Loop] = []
    running = threading.Event()

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        found.append(loop)

        def end() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)
            thread.join(1)

        atexit.register(end)
        running.set()
        await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="alpha-umi-loop", daemon=True)
    thread.start()
    running.wait()
    return found[0]
