"""Blocking work beside an event loop and under a clock.

Own daemon threads instead of asyncio's pool: that pool is joined when the loop closes, so one tool that never returns
would keep the program alive, and a few slow ones would starve every other episode.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

from alpha_umi.tools import awaiting

T = TypeVar("T")

_POLL_S = 0.05
"""How soon a cancelled run stops to wait for a tool."""


async def in_thread(work: Callable[[threading.Event], T]) -> T:
    """Run `work` in a thread; when cancelled, set its flag, wait for it to stop, and pass the cancellation on."""
    loop = asyncio.get_running_loop()
    ended: list[tuple[T | None, BaseException | None]] = []
    woken = loop.create_future()
    stop, context = threading.Event(), copy_context()
    context.run(awaiting.settle)

    def wake() -> None:
        if not woken.done():
            woken.set_result(None)

    def run() -> None:
        try:
            ended.append((context.run(work, stop), None))
        except BaseException as caught:  # handed to whoever awaits
            ended.append((None, caught))
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody awaits any more
            loop.call_soon_threadsafe(wake)

    threading.Thread(target=run, name="alpha-umi-node", daemon=True).start()
    cancelled: asyncio.CancelledError | None = None
    while not ended:
        try:
            await woken
        except asyncio.CancelledError as error:  # a batch cancels what it has cancelled before
            cancelled = error
            stop.set()
            woken = loop.create_future()
    if cancelled is not None:
        raise cancelled
    result, caught = ended[0]
    if caught is not None:
        raise caught
    return result  # type: ignore[return-value]


def within(work: Callable[[], T], *, seconds: float, stop: threading.Event) -> T:
    """Run `work` in a thread for at most that long; a thread cannot be killed, so a late result is dropped, but what it
    awaits is cancelled.

    Raises:
        TimeoutError: the time was up, or `stop` was set.
    """
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()
    context, awaited = copy_context(), awaiting.Work()

    def run() -> None:
        try:
            with awaiting.for_work(awaited):
                result = work()
            done.put((result, None))
        except BaseException as caught:  # handed to whoever waits
            done.put((None, caught))

    threading.Thread(target=context.run, args=(run,), name="alpha-umi-act", daemon=True).start()
    deadline = time.monotonic() + seconds
    while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(queue.Empty):
            result, error = done.get(timeout=min(left, _POLL_S))
            if error is not None:
                raise error
            return result  # type: ignore[return-value]
    awaited.end()
    raise TimeoutError


def run_sync(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, in a thread of its own where an event loop is running already."""
    lent = awaiting.Lent()
    if awaiting.running_loop() is None:
        return lent.context.run(asyncio.run, _on(lent, work))
    outcome: list[T | BaseException] = []

    def run() -> None:
        try:
            outcome.append(asyncio.run(_on(lent, work)))
        except BaseException as error:  # raised again where it was asked for
            outcome.append(error)

    thread = threading.Thread(target=lent.context.run, args=(run,), name="alpha-umi-run", daemon=True)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


async def gathered(
    work: Callable[[int], Awaitable[T]], number: int, *, parallel: int, return_exceptions: bool
) -> list[T | BaseException]:
    """What so much numbered work gives, so much of it at a time; what fails stops the rest, unless it is returned."""
    free = asyncio.Semaphore(parallel)

    async def one(index: int) -> T:
        async with free:
            return await work(index)

    tasks = [asyncio.create_task(one(index)) for index in range(number)]
    try:
        return list(await asyncio.gather(*tasks, return_exceptions=return_exceptions))
    finally:  # cancelled, or one failed: nobody waits for the others
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _on(lent: awaiting.Lent, work: Coroutine[Any, Any, T]) -> T:
    lent.take(asyncio.get_running_loop())
    return await work
