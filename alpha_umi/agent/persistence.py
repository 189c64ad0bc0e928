"""Threads: runs that are stored, so that they survive the program and go on over several questions.

Where they are stored is LangGraph's business: any of its checkpointers and stores. The embedded default is one SQLite
file. One thread carries one run at a time. What is stored is the `state`, and of each call whether it was made
(`journal`).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import AsyncFileLock, FileLock, Timeout
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.store.base import BaseStore
from langgraph.store.sqlite import AsyncSqliteStore
from langgraph.types import Overwrite

from alpha_umi import resources
from alpha_umi.agent.graph import AgentGraph
from alpha_umi.agent.state import GROWN, stored_whole
from alpha_umi.errors import UsageError

_running: set[tuple[str, str]] = set()
_guard = threading.Lock()


class ThreadStorage(NamedTuple):
    """Where a run is stored."""

    checkpointer: AsyncSqliteSaver
    store: BaseStore


def threads_file() -> Path:
    """Where threads are stored unless one says otherwise: $ALPHA_UMI_THREADS, else under $XDG_STATE_HOME or
    ~/.local/state."""
    if named := os.environ.get("ALPHA_UMI_THREADS"):
        return resources.user_path(named)
    return resources.own_folder("XDG_STATE_HOME", "~/.local/state") / "threads.sqlite"


@asynccontextmanager
async def opened(file: Path) -> AsyncIterator[ThreadStorage]:
    """A file of threads, made if it is not there.

    Raises:
        UsageError: it cannot be opened, or is no such file.
    """
    taken: list[asyncio.Lock] = []

    async def settle(*stored: AsyncSqliteSaver | AsyncSqliteStore) -> None:
        # A cancelled run may leave LangGraph writing in the background. Cut off between its statement and its commit,
        # such a write would keep the closed connection alive and the file locked: it ends first, and none begins.
        for each in stored:
            await each.lock.acquire()
            taken.append(each.lock)

    def let_go() -> None:
        for lock in taken:
            lock.release()

    async with AsyncExitStack() as stack:
        stack.callback(let_go)  # last of all, when the connections are closed
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            checkpointer = await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(str(file)))
            store = await stack.enter_async_context(AsyncSqliteStore.from_conn_string(str(file)))
            checkpointer.serde = JsonPlusSerializer(allowed_msgpack_modules=stored_whole())
            # A run waits for whoever writes another thread's state into the same file.
            for connection in (checkpointer.conn, store.conn):
                await connection.execute("PRAGMA busy_timeout = 30000")
            async with AsyncFileLock(f"{file}.lock", timeout=30):  # two that make the tables at once would collide
                await checkpointer.setup()
                await store.setup()
            # What was begun is on the disk before it happens, even if the machine goes down.
            await store.conn.execute("PRAGMA synchronous = FULL")
        except (OSError, sqlite3.Error, Timeout) as error:
            raise UsageError(f"{file} cannot be used for threads: {error}") from error
        stack.push_async_callback(settle, checkpointer, store)
        yield ThreadStorage(checkpointer, store)


async def tidied(checkpointer: AsyncSqliteSaver, thread: str, graph: AgentGraph, config: RunnableConfig) -> None:
    """Keep of a thread whose run is over its last checkpoint, with all that it needs.

    What a run adds at each step is stored apart until then. The saver has no method for it yet (`aprune` is not
    implemented for SQLite), so this is in its tables' own words.
    """
    values = (await graph.aget_state(config)).values
    whole = {name: Overwrite(values[name]) for name in GROWN if name in values}
    await graph.aupdate_state(config, whole, as_node="finish")
    last = "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = '')"
    async with checkpointer.lock:
        for table in ("writes", "checkpoints"):
            await checkpointer.conn.execute(
                f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_ns = '' AND checkpoint_id < {last}",
                (thread, thread),
            )
        await checkpointer.conn.commit()


@contextmanager
def claimed(place: str, thread: str, *, file: Path | None = None) -> Iterator[None]:
    """Keep a thread from being run twice at once, by this process or, in a file, by another.

    Raises:
        UsageError: it is being run.
    """
    taken = UsageError(f"thread '{thread}' is being run already; wait for it, or use another thread")
    with _guard:
        if (place, thread) in _running:
            raise taken
        _running.add((place, thread))
    try:
        if file is None:
            yield
            return
        name = hashlib.sha256(thread.encode("utf-8", "replace")).hexdigest()[:16]
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{file}.{name}.lock", timeout=0):
                yield
        except Timeout:
            raise taken from None
    finally:
        with _guard:
            _running.discard((place, thread))
