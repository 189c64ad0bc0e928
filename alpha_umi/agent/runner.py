"""Agent: a team with its models and tools, ready to be asked.

Holds nothing that belongs to one run, so one Agent serves many runs at once. Loads models when none are given; what a
run does is the graph's business, and where a thread is stored is `persistence`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.store.base import BaseStore
from langgraph.types import Command

from alpha_umi.agent.approval import word
from alpha_umi.agent.concurrency import gathered, run_sync
from alpha_umi.agent.events import AgentEvent, Asked, Finished
from alpha_umi.agent.graph import AgentGraph, build_graph
from alpha_umi.agent.role_runner import RoleRunner
from alpha_umi.agent.search.strategies import Strategy, named_search
from alpha_umi.agent.state import Budget, Result
from alpha_umi.agent.thread_run import GraphRunner, OnAsk, OnEvent, answered, result_of, under_way
from alpha_umi.agent.tool_executor import Sensitive, ToolExecutor
from alpha_umi.errors import UsageError
from alpha_umi.models.langchain import as_model
from alpha_umi.models.protocol import Model
from alpha_umi.resources import user_path
from alpha_umi.roles import Team
from alpha_umi.team_files import load_team
from alpha_umi.tools.awaiting import Lent
from alpha_umi.tools.functions import as_toolbox
from alpha_umi.tools.protocol import Toolbox

Threads = str | Path | BaseCheckpointSaver[Any]
"""Where threads are stored: an SQLite file, or any of LangGraph's checkpointers."""


class Agent:
    """A team that answers questions with tools."""

    def __init__(
        self,
        team: Team,
        *,
        models: Mapping[str, Model | BaseChatModel],
        toolbox: Toolbox,
        budget: Budget | None = None,
        search: Strategy | str | None = None,
        sensitive: Sensitive = (),
        threads: Threads | None = None,
        store: BaseStore | None = None,
    ) -> None:
        self.team = team
        self.models = {role: as_model(model) for role, model in models.items()}
        self.toolbox = toolbox
        budget = budget or Budget()
        saver = threads if isinstance(threads, BaseCheckpointSaver) else None
        self.graph: AgentGraph = build_graph(
            team,
            models=self.models,
            toolbox=toolbox,
            budget=budget,
            search=named_search(search) if isinstance(search, str) else search,
            sensitive=sensitive,
            checkpointer=saver,
            store=store,
        )
        """The compiled LangGraph: messages in, messages out."""
        executor = ToolExecutor(toolbox=toolbox, sensitive=sensitive)
        self.requires_approval = executor.requires_approval
        """Names of the tools that a person is asked about; `*` where a function decides."""
        self._runner = GraphRunner(
            self.graph,
            role_runner=RoleRunner(team=team, models=self.models),
            executor=executor,
            budget=budget,
            file=user_path(threads) if isinstance(threads, str | Path) else None,
        )

    @classmethod
    def from_team(
        cls,
        team: str | Path | Team,
        *,
        tools: Any = (),
        budget: Budget | None = None,
        search: Strategy | str | None = None,
        models: Mapping[str, Model | BaseChatModel] | None = None,
        sensitive: Sensitive = (),
        threads: Threads | None = None,
        store: BaseStore | None = None,
    ) -> Agent:
        """Make an agent of a team and tools.

        Args:
            team: a shipped name, a YAML file, the folder of a training run, or a Team.
            tools: Python functions, LangChain tools and toolboxes, one or many.
            budget: what one run may spend.
            search: `chain` (the default), `react@N`, `dfsdt`, `dfs`, or one set up in detail such as `DFSDT(width=3)`.
            models: what each role speaks with, LangChain chat models among them; left out, what the team names: weights
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
            on_ask: decides on sensitive calls, and answers what a tool asks by LangGraph's `interrupt`; without it the
                run ends in the question (`Asked`, then `Finished` whose result has `pending`), and `stream_resume` goes
                on with it. Within a tool of another run, that run asks.

        Raises:
            UsageError: the question is empty, or the thread is in use, or has a run that is not over.
        """
        if not question.strip():
            raise UsageError("the question is empty")
        async with self._runner.opened(thread, asks=on_ask is not None) as thread_run:
            if thread is not None and under_way(await thread_run.snapshot()):
                raise UsageError(f"thread '{thread}' has a run that is not over: resume it, or use another thread")
            async with aclosing(thread_run.events({"messages": [HumanMessage(question)]}, on_ask)) as events:
                async for event in events:
                    yield event

    async def stream_resume(
        self, thread: str, reply: Any = None, *, on_ask: OnAsk | None = None
    ) -> AsyncGenerator[AgentEvent, None]:
        """Go on with a thread's run that waits for a person, or that was cut off; one that is over gives its result.

        Args:
            thread: its name.
            reply: the person's decision, if it waits for one: an `ApprovalDecision`, `approve` or `refuse`; to a tool's
                own question, whatever it wants to know. `on_ask` is asked for it otherwise.
            on_ask: as in `stream`.

        Raises:
            UsageError: there is no such thread, it is in use, or the reply does not fit.
        """
        async with self._runner.opened(thread) as thread_run:
            snapshot = await thread_run.snapshot()
            if not snapshot.values.get("session") and not under_way(snapshot):
                raise UsageError(f"there is no thread '{thread}'")
            if not under_way(snapshot):
                if reply is not None:
                    raise UsageError(f"thread '{thread}' waits for nothing: its last run is over")
                yield Finished(result=thread_run.result(snapshot))
                return
            asks = thread_run.asks(snapshot)
            if not asks and reply is not None:
                raise UsageError(f"thread '{thread}' waits for nothing: resume it without a reply")
            start: Any = None
            if asks:
                name, ask = asks[0]
                said = await answered(on_ask, ask) if reply is None else word(ask, reply)
                if said is None:
                    yield Asked(ask=ask)
                    yield Finished(result=thread_run.result(snapshot, pending=ask))
                    return
                start = Command(resume={name: said})
            async with aclosing(thread_run.events(start, on_ask, of=snapshot)) as events:
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
        return await result_of(self.stream(question, thread=thread, on_ask=on_ask), on_event)

    async def aresume(
        self,
        thread: str,
        reply: Any = None,
        *,
        on_event: OnEvent | None = None,
        on_ask: OnAsk | None = None,
    ) -> Result:
        """Go on with a thread's run; see `stream_resume`."""
        return await result_of(self.stream_resume(thread, reply, on_ask=on_ask), on_event)

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

        async def one(index: int) -> Result:
            told = None if on_event is None else (lambda event: on_event(index, event))
            return await self.arun(questions[index], on_event=told)

        return await gathered(one, len(questions), parallel=parallel, return_exceptions=return_exceptions)

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
        return run_sync(work)

    def run(
        self,
        question: str,
        *,
        thread: str | None = None,
        on_event: OnEvent | None = None,
        on_ask: OnAsk | None = None,
    ) -> Result:
        """Answer a question, telling `on_event` what happens; works inside a running event loop (a notebook) too."""
        return run_sync(self.arun(question, thread=thread, on_event=on_event, on_ask=on_ask))

    def resume(
        self,
        thread: str,
        reply: Any = None,
        *,
        on_event: OnEvent | None = None,
        on_ask: OnAsk | None = None,
    ) -> Result:
        """Go on with a thread's run; see `stream_resume`."""
        return run_sync(self.aresume(thread, reply, on_event=on_event, on_ask=on_ask))

    def stream_sync(
        self, question: str, *, thread: str | None = None, on_ask: OnAsk | None = None
    ) -> Iterator[AgentEvent]:
        """`stream` for a program without an event loop; closing the iterator stops the run."""
        lent = Lent()
        with asyncio.Runner() as runner:
            lent.take(runner.get_loop())
            events = self.stream(question, thread=thread, on_ask=on_ask)
            try:
                while (event := runner.run(anext(events, None), context=lent.context)) is not None:
                    yield event
            finally:
                runner.run(events.aclose(), context=lent.context)
