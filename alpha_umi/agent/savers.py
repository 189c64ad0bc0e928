"""Checkpointers that cannot be awaited where a run is: those without async methods, and those of another event loop.

LangGraph's `SqliteSaver` and `PostgresSaver` have none. Their async forms belong to the loop on which they were made,
and their sync methods wait for it from any other thread. So where coroutines will not do, those are called in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.memory import InMemorySaver

from alpha_umi.agent.concurrency import in_thread
from alpha_umi.errors import UsageError
from alpha_umi.tools.awaiting import busy

Saver = BaseCheckpointSaver[Any]
T = TypeVar("T")


def on_any_loop(saver: Saver) -> Saver:
    """A checkpointer that can be awaited on every loop."""
    return saver if isinstance(saver, InMemorySaver | AnyLoop) else AnyLoop(saver)


class AnyLoop(BaseCheckpointSaver[Any]):
    """A checkpointer whose sync methods do what its coroutines cannot.

    Raises:
        UsageError: (by the async methods) the other's own loop is blocked until the run is over.
    """

    def __init__(self, saver: Saver) -> None:
        super().__init__(serde=saver.serde)
        self._saver = saver
        self._blocking = False
        """Whether it was found to have no async methods."""

    async def _awaited(self, begun: Callable[[], Awaitable[T]], blocking: Callable[[], T]) -> T:
        """What its coroutine gives, or in a thread its sync method."""
        home = getattr(self._saver, "loop", None)
        elsewhere = isinstance(home, asyncio.AbstractEventLoop) and home is not asyncio.get_running_loop()
        if elsewhere and busy(cast(asyncio.AbstractEventLoop, home)):
            raise UsageError("the checkpointer's event loop waits for this run: await `arun` there instead of `run`")
        if not elsewhere and not self._blocking:
            try:
                return await begun()
            except NotImplementedError:
                self._blocking = True
        return await in_thread(lambda _: blocking())

    @property
    def config_specs(self) -> list[Any]:
        """The other's."""
        return self._saver.config_specs

    def get_next_version(self, current: Any, channel: None) -> Any:
        """The other's."""
        return self._saver.get_next_version(current, channel)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The other's."""
        return self._saver.get_tuple(config)

    def list(self, config: RunnableConfig | None, **which: Any) -> Iterator[CheckpointTuple]:
        """The other's."""
        return self._saver.list(config, **which)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """The other's."""
        return self._saver.put(config, checkpoint, metadata, new_versions)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """The other's."""
        self._saver.put_writes(config, writes, task_id, task_path)

    def delete_thread(self, thread_id: str) -> None:
        """The other's."""
        self._saver.delete_thread(thread_id)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """The other's."""
        return self._saver.get_delta_channel_history(config=config, channels=channels)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """The other's."""
        return await self._awaited(
            lambda: self._saver.aget_delta_channel_history(config=config, channels=channels),
            lambda: self._saver.get_delta_channel_history(config=config, channels=channels),
        )

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The other's."""
        return await self._awaited(lambda: self._saver.aget_tuple(config), lambda: self._saver.get_tuple(config))

    async def alist(self, config: RunnableConfig | None, **which: Any) -> AsyncIterator[CheckpointTuple]:
        """The other's, all at once."""

        async def listed() -> Sequence[CheckpointTuple]:
            return [found async for found in self._saver.alist(config, **which)]

        for found in await self._awaited(listed, lambda: [*self._saver.list(config, **which)]):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """The other's."""
        put = (config, checkpoint, metadata, new_versions)
        return await self._awaited(lambda: self._saver.aput(*put), lambda: self._saver.put(*put))

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """The other's."""
        put = (config, writes, task_id, task_path)
        await self._awaited(lambda: self._saver.aput_writes(*put), lambda: self._saver.put_writes(*put))

    async def adelete_thread(self, thread_id: str) -> None:
        """The other's."""
        await self._awaited(lambda: self._saver.adelete_thread(thread_id), lambda: self._saver.delete_thread(thread_id))
