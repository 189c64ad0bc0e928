"""Agent: a team with its models and tools, ready to be asked.

Holds nothing that belongs to one run, so one Agent serves many runs at once. Loads models when none are given; what a
run does is the graph's business, and where a thread is stored is `persistence`'s.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import uuid
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, StateSnapshot

from alpha_umi.agent import telemetry
from alpha_umi.agent.asking import Ask, Reply
from alpha_umi.agent.episode import Episode
from alpha_umi.agent.events import AgentEvent, Asked, Finished
from alpha_umi.agent.graph import AgentGraph, build_graph
from alpha_umi.agent.nodes import SESSION, release
from alpha_umi.agent.state import Budget, Result
from alpha_umi.agent.strategies import Search, named_search
from alpha_umi.agent.threads import in_thread
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.models.base import Model
from alpha_umi.models.langchain import as_model
from alpha_umi.prompts import View
from alpha_umi.roles import Team, load_team
from alpha_umi.tools.base import Toolbox
from alpha_umi.tools.functions import as_toolbox
from alpha_umi.trajectory import Call

T = TypeVar("T")

OnEvent = Callable[[AgentEvent], None]
OnAsk = Callable[[Ask], Reply | Awaitable[Reply]]
Sensitive = Collection[str] | Callable[[Call], bool]


class Agent:
    """A team that answers questions with tools."""

    def __init__(
        self,
        team: Team,
        *,
        models: Mapping[View, Model | BaseChatModel],
        toolbox: Toolbox,
        budget: Budget | None = None,
        search: Search | str | None = None,
        sensitive: Sensitive = (),
        threads: str | Path | BaseCheckpointSaver[Any] | None = None,
        store: BaseStore | None = None,
    ) -> None:
        self.team = team
        self.models = {view: as_model(model) for view, model in models.items()}
        self.toolbox = toolbox
        self._budget = budget or Budget()
        self._file = Path(threads).expanduser() if isinstance(threads, str | Path) else None
        self._saver = threads if isinstance(threads, BaseCheckpointSaver) else None
        self._store = store or (InMemoryStore() if self._saver is not None else None)
        self.graph: AgentGraph = build_graph(
            team,
            models=self.models,
            toolbox=toolbox,
            budget=self._budget,
            search=named_search(search) if isinstance(search, str) else search,
            sensitive=sensitive,
            checkpointer=self._saver,
            store=self._store,
        )
        """The compiled LangGraph: messages in, messages out."""

    @classmethod
    def from_team(
        cls,
        team: str | Path | Team,
        *,
        tools: Any = (),
        budget: Budget | None = None,
        search: Search | str | None = None,
        models: Mapping[View, Model | BaseChatModel] | None = None,
        sensitive: Sensitive = (),
        threads: str | Path | BaseCheckpointSaver[Any] | None = None,
        store: BaseStore | None = None,
    ) -> Agent:
        """Make an agent of a team and tools.

        Args:
            team: a shipped name, a YAML file, the folder of a training run, or a Team.
            tools: Python functions, LangChain tools and toolboxes, one or many.
            budget: what one run may spend.
            search: `chain` (the default), `react@N`, `dfsdt`, `dfs`, or one set up in detail such as `DFSDT(width=3)`.
            models: what each view speaks with, LangChain chat models among them; left out, what the team names: weights
                on this machine, or servers.
            sensitive: names of tools that a person is asked about before each call, or a function that says so of a
                call; beside the tools that are marked so.
            threads: where threads are stored: an SQLite file, or any of LangGraph's checkpointers.
            store: for a checkpointer, LangGraph's store of the same kind; without it a run that is resumed in another
                process may make a call twice. A file needs none.

        Raises:
            UsageError: there is no such team or search, its weights are missing, or a tool cannot be offered.
        """
        chosen = team if isinstance(team, Team) else load_team(str(team))
        # Before the models: a mistake here should not cost a loading time.
        toolbox = as_toolbox(tools)
        search = named_search(search) if isinstance(search, str) else search
        if models is None:
            from alpha_umi.models.loading import load_models

            models = dict(load_models(chosen))
        return cls(
            chosen,
            models=models,
            toolbox=toolbox,
            budget=budget,
            search=search,
            sensitive=sensitive,
            threads=threads,
            store=store,
        )

    async def stream(
        self, question: str, *, thread: str | None = None, on_ask: OnAsk | None = None
    ) -> AsyncGenerator[AgentEvent, None]:
        """Answer a question, yielding what happens as it happens; the last event is `Finished`.

        Args:
            question: what to answer.
            thread: the thread that it belongs to, whose earlier questions and answers are told with it.
            on_ask: decides on sensitive calls; without it the run ends in the question (`Asked`, then `Finished` whose
                result has `pending`), and `stream_resume` goes on with it.

        Raises:
            UsageError: the question is empty, or the thread is in use, or has a run that is not over.
        """
        if not question.strip():
            raise UsageError("the question is empty")
        async with self._opened(thread) as (graph, config):
            if thread is not None and _under_way(await graph.aget_state(config)):
                raise UsageError(f"thread '{thread}' has a run that is not over: resume it, or use another thread")
            start = {"messages": [HumanMessage(question)]}
            async with aclosing(self._events(graph, config, start, on_ask)) as events:
                async for event in events:
                    yield event

    async def stream_resume(
        self, thread: str, reply: Reply | str | None = None, *, on_ask: OnAsk | None = None
    ) -> AsyncGenerator[AgentEvent, None]:
        """Go on with a thread's run that waits for a person, or that was cut off; one that is over gives its result.

        Args:
            thread: its name.
            reply: the person's word, if it waits for one; `on_ask` is asked for it otherwise.
            on_ask: as in `stream`.

        Raises:
            UsageError: there is no such thread, it is in use, or the reply does not fit.
        """
        async with self._opened(thread) as (graph, config):
            snapshot = await graph.aget_state(config)
            if not snapshot.values.get("session"):
                raise UsageError(f"there is no thread '{thread}'")
            if not _under_way(snapshot):
                if reply is not None:
                    raise UsageError(f"thread '{thread}' waits for nothing: its last run is over")
                yield Finished(result=self._result(snapshot.values))
                return
            asks = [Ask.model_validate(found.value) for found in snapshot.interrupts]
            if not asks and reply is not None:
                raise UsageError(f"thread '{thread}' waits for nothing: resume it without a reply")
            said = None if reply is None else Reply.of(reply)
            if asks and said is None:
                said = await _answered(on_ask, asks[0])
                if said is None:
                    yield Asked(ask=asks[0])
                    yield Finished(result=self._result(snapshot.values, pending=asks[0]))
                    return
            start: Any = None if said is None else Command(resume=said.model_dump(mode="json"))
            async with aclosing(self._events(graph, config, start, on_ask)) as events:
                async for event in events:
                    yield event

    async def arun(
        self,
        question: str,
        *,
        thread: str | None = None,
        on_event: OnEvent | None = None,
        on_ask: OnAsk | None = None,
    ) -> Result:
        """Answer a question; see `stream`."""
        return await _last(self.stream(question, thread=thread, on_ask=on_ask), on_event)

    async def aresume(
        self,
        thread: str,
        reply: Reply | str | None = None,
        *,
        on_event: OnEvent | None = None,
        on_ask: OnAsk | None = None,
    ) -> Result:
        """Go on with a thread's run; see `stream_resume`."""
        return await _last(self.stream_resume(thread, reply, on_ask=on_ask), on_event)

    async def abatch(
        self,
        questions: Sequence[str],
        *,
        parallel: int = 16,
        on_event: Callable[[int, AgentEvent], None] | None = None,
        return_exceptions: bool = False,
    ) -> list[Result | BaseException]:
        """Answer many questions, so many of them at a time; on one local model they share its forward passes.

        Args:
            questions: what to answer.
            parallel: runs under way at once. They begin in order, and each that ends lets the next begin.
            on_event: told what happens, with the question's index.
            return_exceptions: whether a run that fails stands in the list as what it raised; else that is raised, and
                the others are stopped.

        Returns:
            A result for each question, in order.
        """
        if parallel < 1:
            raise UsageError(f"parallel must be at least 1, not {parallel}")
        free = asyncio.Semaphore(parallel)

        async def one(index: int, question: str) -> Result:
            async with free:
                told = None if on_event is None else (lambda event: on_event(index, event))
                return await self.arun(question, on_event=told)

        tasks = [asyncio.create_task(one(index, question)) for index, question in enumerate(questions)]
        try:
            return list(await asyncio.gather(*tasks, return_exceptions=return_exceptions))
        finally:  # cancelled, or one failed: nobody waits for the others
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def batch(
        self,
        questions: Sequence[str],
        *,
        parallel: int = 16,
        on_event: Callable[[int, AgentEvent], None] | None = None,
        return_exceptions: bool = False,
    ) -> list[Result | BaseException]:
        """Answer many questions; see `abatch`."""
        work = self.abatch(questions, parallel=parallel, on_event=on_event, return_exceptions=return_exceptions)
        return _sync(work)

    def run(
        self,
        question: str,
        *,
        thread: str | None = None,
        on_event: OnEvent | None = None,
        on_ask: OnAsk | None = None,
    ) -> Result:
        """Answer a question, telling `on_event` what happens; works inside a running event loop (a notebook) too."""
        return _sync(self.arun(question, thread=thread, on_event=on_event, on_ask=on_ask))

    def resume(
        self,
        thread: str,
        reply: Reply | str | None = None,
        *,
        on_event: OnEvent | None = None,
        on_ask: OnAsk | None = None,
    ) -> Result:
        """Go on with a thread's run; see `stream_resume`."""
        return _sync(self.aresume(thread, reply, on_event=on_event, on_ask=on_ask))

    def stream_sync(
        self, question: str, *, thread: str | None = None, on_ask: OnAsk | None = None
    ) -> Iterator[AgentEvent]:
        """`stream` for a program without an event loop; closing the iterator stops the run."""
        with asyncio.Runner() as runner:
            events = self.stream(question, thread=thread, on_ask=on_ask)
            try:
                while (event := runner.run(anext(events, None))) is not None:
                    yield event
            finally:
                runner.run(events.aclose())

    @asynccontextmanager
    async def _opened(self, thread: str | None) -> AsyncIterator[tuple[AgentGraph, RunnableConfig]]:
        """The graph over where the thread is stored; a run without one lives in memory, so that it can be asked."""
        config: RunnableConfig = {"configurable": {"thread_id": thread or uuid.uuid4().hex, SESSION: uuid.uuid4().hex}}
        if thread is None:
            yield self._over(InMemorySaver(), InMemoryStore()), config
        elif self._file is not None:
            from alpha_umi.agent.persistence import claimed, opened

            with claimed(str(self._file.resolve()), thread, file=self._file):
                async with opened(self._file) as stored:
                    yield self._over(stored.checkpointer, stored.store), config
        elif self._saver is not None:
            from alpha_umi.agent.persistence import claimed

            with claimed(f"memory {id(self._saver)}", thread):
                yield self.graph, config
        else:
            raise UsageError(f"thread '{thread}' can be stored nowhere: give the agent `threads`, such as a file")

    def _over(self, checkpointer: BaseCheckpointSaver[Any], store: BaseStore) -> AgentGraph:
        return self.graph.copy(update={"checkpointer": checkpointer, "store": store})

    async def _events(
        self, graph: AgentGraph, config: RunnableConfig, start: Any, on_ask: OnAsk | None
    ) -> AsyncGenerator[AgentEvent, None]:
        """What happens until the run is over, or waits for a person and nobody is there to ask."""
        finished = False
        span = telemetry.begin_run(self.team.name, config["configurable"]["thread_id"])
        config = {"configurable": {**config["configurable"], telemetry.PARENT: span.span}}
        try:
            while not finished:
                ask = None
                # An async generator, though typed as less: closing it is what stops the run.
                chunks = cast(
                    AsyncGenerator[Any, None],
                    graph.astream(start, config, stream_mode=["custom", "updates"], durability="sync"),
                )
                async with aclosing(chunks):
                    async for mode, chunk in chunks:
                        if mode == "updates" and "__interrupt__" in chunk:
                            ask = Ask.model_validate(chunk["__interrupt__"][0].value)
                        elif isinstance(chunk, AgentEvent):  # a tool may write to the stream too
                            finished = finished or isinstance(chunk, Finished)
                            yield chunk
                if ask is None:
                    break
                yield Asked(ask=ask)
                said = await _answered(on_ask, ask)
                if said is None:
                    snapshot = await graph.aget_state(config)
                    finished = True
                    yield Finished(result=self._result(snapshot.values, pending=ask))
                start = None if said is None else Command(resume=said.model_dump(mode="json"))
        finally:
            span.end()
            if not finished:
                snapshot = await graph.aget_state(config)
                session = snapshot.values.get("session", config["configurable"][SESSION])
                await in_thread(lambda _: release(self.models, episode=session, layout=self.team.layout))

    def _result(self, values: Mapping[str, Any], *, pending: Ask | None = None) -> Result:
        result = Episode(cast(Any, values), budget=self._budget).result()
        return result.model_copy(update={"pending": pending})


def _under_way(snapshot: StateSnapshot) -> bool:
    """Whether a run is not over. Not `next`, which leaves out a node that is done but whose step was not stored."""
    return bool(snapshot.tasks)


async def _answered(on_ask: OnAsk | None, ask: Ask) -> Reply | None:
    """A person's word; None where nobody is asked."""
    if on_ask is None:
        return None
    said = on_ask(ask)
    return Reply.of(await said if inspect.isawaitable(said) else said)


async def _last(events: AsyncGenerator[AgentEvent, None], on_event: OnEvent | None) -> Result:
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


def _sync(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, in a thread of its own where an event loop is running already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    outcome: list[T | BaseException] = []

    def run() -> None:
        try:
            outcome.append(asyncio.run(work))
        except BaseException as error:  # raised again where it was asked for
            outcome.append(error)

    thread = threading.Thread(target=copy_context().run, args=(run,), name="alpha-umi-run", daemon=True)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]
