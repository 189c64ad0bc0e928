"""Driving the graph: over where a thread is stored, through its interrupts, to typed events.

A run without a thread is stored nowhere, until a person has to be asked: then in memory, for as long as it lasts.
Within a tool of another run it is that run which asks.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Durability, Interrupt, StateSnapshot
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from alpha_umi.agent import telemetry
from alpha_umi.agent.approval import ApprovalRequest, word
from alpha_umi.agent.concurrency import in_thread
from alpha_umi.agent.events import AgentEvent, Asked, Finished
from alpha_umi.agent.graph import CHECKPOINTER, SESSION, AgentGraph, max_nodes
from alpha_umi.agent.role_runner import RoleRunner
from alpha_umi.agent.run_state import RunState
from alpha_umi.agent.savers import Saver, on_any_loop
from alpha_umi.agent.state import Budget, Result
from alpha_umi.agent.tool_executor import ToolExecutor
from alpha_umi.errors import UsageError, WorkError

OnEvent = Callable[[AgentEvent], None]
"""Is told of each event as it happens."""
OnAsk = Callable[[ApprovalRequest], Any]
"""Gives an `ApprovalDecision`, or what a tool's own question asks for; may be async. None: nobody is there."""


class GraphRunner:
    """A graph with what is needed around it; holds nothing of one run.

    Args:
        graph: compiled over a checkpointer, if threads are stored by one.
        role_runner: whose caches a run that breaks off must not keep.
        executor: says whether anybody may have to be asked.
        budget: of each run.
        file: the SQLite file of threads, if they are stored in one.
    """

    def __init__(
        self, graph: AgentGraph, *, role_runner: RoleRunner, executor: ToolExecutor, budget: Budget, file: Path | None
    ) -> None:
        self.role_runner, self.budget = role_runner, budget
        self._graph, self._executor, self._file = graph, executor, file

    @asynccontextmanager
    async def opened(self, thread: str | None, *, asks: bool = False) -> AsyncIterator[ThreadRun]:
        """The graph over where the thread is stored, which nobody else runs meanwhile.

        Args:
            thread: its name; None for a run of its own.
            asks: whether there is somebody to ask.

        Raises:
            UsageError: the thread is being run, or can be stored nowhere.
        """
        saver = cast(Saver | None, self._graph.checkpointer)
        if thread is None and not asks and (around := _saver_around()) is not None:
            # The question is the run's around this one: its checkpointer is inherited, as by any graph within a tool.
            yield ThreadRun(self, self._over(None, None), None, configured={CHECKPOINTER: on_any_loop(around)})
        elif thread is None:
            yield ThreadRun(self, self._over(InMemorySaver(), None), None, configured={"thread_id": uuid.uuid4().hex})
        elif self._file is not None:
            from alpha_umi.agent.persistence import claimed, opened, tidied

            with claimed(str(self._file.resolve()), thread, file=self._file):
                async with opened(self._file) as stored:
                    tidy = partial(tidied, stored.checkpointer, thread)
                    yield ThreadRun(self, self._over(on_any_loop(stored.checkpointer), stored.store), thread, tidy=tidy)
        elif saver is not None:
            from alpha_umi.agent.persistence import claimed

            with claimed(f"checkpointer {id(saver)}", thread):
                yield ThreadRun(self, self._over(on_any_loop(saver), self._graph.store), thread)
        else:
            raise UsageError(f"thread '{thread}' can be stored nowhere: give the agent `threads`, such as a file")

    def _over(self, checkpointer: Any, store: Any) -> AgentGraph:
        return self._graph.copy(update={"checkpointer": checkpointer, "store": store})


async def _nothing(graph: AgentGraph, config: RunnableConfig) -> None:
    """There is nothing to tidy."""


class ThreadRun:
    """A graph at one thread."""

    def __init__(
        self,
        runner: GraphRunner,
        graph: AgentGraph,
        thread: str | None,
        *,
        configured: Mapping[str, Any] | None = None,
        tidy: Callable[[AgentGraph, RunnableConfig], Awaitable[None]] = _nothing,
    ) -> None:
        self._runner, self._graph, self._thread, self._tidy = runner, graph, thread, tidy
        self._at = dict(configured or {}) if thread is None else {"thread_id": thread}
        # A thread is stored before the next node begins: what a call's journal says must not be ahead of the call
        # itself. Else it is stored when a person has to be asked, and not before; within a tool as around it.
        self._durability: Durability | None = "sync" if thread else "exit" if "thread_id" in self._at else None

    async def snapshot(self) -> StateSnapshot:
        """What is stored of the thread."""
        return await self._graph.aget_state({"configurable": self._at})

    def asks(self, snapshot: StateSnapshot) -> list[tuple[str, ApprovalRequest]]:
        """What a run waits for, by LangGraph's name of the question."""
        return [(found.id, self._ask(found, snapshot)) for found in snapshot.interrupts]

    def _ask(self, found: Interrupt, snapshot: StateSnapshot) -> ApprovalRequest:
        """Our own question, or an agent's that a tool has asked; else the tool's."""
        try:
            return ApprovalRequest.model_validate(found.value)
        except ValidationError:
            run = RunState(cast(Any, snapshot.values), budget=self._runner.budget)
            call = run.last.call
            assert call is not None, "only a call's tool can ask"
            value = to_jsonable_python(found.value, serialize_unknown=True)
            return ApprovalRequest(why="tool", call=call, key=run.call_key, value=value)

    def result(self, snapshot: StateSnapshot, *, pending: ApprovalRequest | None = None) -> Result:
        """The result of a run as it is stored."""
        result = RunState(cast(Any, snapshot.values), budget=self._runner.budget).result()
        return result.model_copy(update={"pending": pending})

    async def events(
        self, start: Any, on_ask: OnAsk | None, *, of: StateSnapshot | None = None
    ) -> AsyncGenerator[AgentEvent, None]:
        """What happens until the run is over, or waits for a person and nobody is there to ask.

        Args:
            start: the graph's input; a Command or None to go on.
            on_ask: decides on calls that wait.
            of: what is stored of the run that goes on; it keeps its session and its search. Left out for a new one.
        """
        begun = of is not None and "begin" not in of.next
        session, finished = of.values["session"] if of is not None and begun else uuid.uuid4().hex, None
        span = telemetry.begin_run(self._runner.role_runner.team.name, self._thread)
        config: RunnableConfig = {"configurable": {**self._at, SESSION: session, telemetry.PARENT: span.span}}
        if of is not None and begun:
            config["recursion_limit"] = max_nodes(of.values["tree"], self._runner.budget)
        try:
            while finished is None:
                async with aclosing(self._part(start, config)) as part:
                    async for told in part:
                        if isinstance(told, Finished):  # told when it is stored: who stops at it loses nothing
                            finished = told
                        else:
                            yield told
                if finished is not None:
                    await self._tidy(self._graph, {"configurable": self._at})
                    break
                snapshot = await self.snapshot()
                (name, ask), *_ = self.asks(snapshot)
                yield Asked(ask=ask)
                said = await answered(on_ask, ask)
                if said is None:
                    finished = Finished(result=self.result(snapshot, pending=ask))
                start = None if said is None else Command(resume={name: said})
        finally:
            span.end()
            if finished is None:
                await in_thread(lambda _: self._runner.role_runner.release(session))
        if finished is not None:
            yield finished

    async def _part(self, start: Any, config: RunnableConfig) -> AsyncGenerator[AgentEvent, None]:
        """What the graph tells until it ends, or until a person has to say something."""
        # An async generator, though typed as less: closing it is what stops the run.
        chunks = cast(
            AsyncGenerator[Any, None],
            self._graph.astream(start, config, stream_mode="custom", durability=self._durability),
        )
        async with aclosing(chunks):
            async for chunk in chunks:
                if isinstance(chunk, AgentEvent):  # a tool may write to the stream too
                    yield chunk


def under_way(snapshot: StateSnapshot) -> bool:
    """Whether a run is not over. Not `next`, which leaves out a node that is done but whose step was not stored."""
    return bool(snapshot.tasks)


async def answered(on_ask: OnAsk | None, ask: ApprovalRequest) -> Any:
    """Ask a person, and give what the run is resumed with: a decision, or an answer. None where nobody is there."""
    if on_ask is None:
        return None
    said = on_ask(ask)
    said = await said if inspect.isawaitable(said) else said
    return None if said is None and ask.why in {"tool", "user"} else word(ask, said)


def _saver_around() -> Saver | None:
    """The checkpointer of the run in one of whose tools this is done; None where there is none."""
    config = var_child_runnable_config.get() or {}
    found = config.get("configurable", {}).get(CHECKPOINTER)
    return found if isinstance(found, BaseCheckpointSaver) else None


async def result_of(events: AsyncGenerator[AgentEvent, None], on_event: OnEvent | None) -> Result:
    """What a run ends with, telling `on_event` what happens until then.

    Raises:
        WorkError: it ended without a result.
    """
    result = None
    async with aclosing(events):
        async for event in events:
            if on_event is not None:
                on_event(event)
            if isinstance(event, Finished):
                result = event.result
    if result is None:
        raise WorkError("the run ended without a result")
    return result
