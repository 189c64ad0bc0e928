"""Agent: a team with its models and tools, ready to be asked.

Holds nothing that belongs to one run, so one Agent serves many runs at once. Loads models when none are given; what a
run does is the graph's business.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from contextvars import copy_context
from pathlib import Path
from typing import Any, cast

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from alpha_umi.agent.events import AgentEvent, Finished
from alpha_umi.agent.graph import AgentGraph, build_graph
from alpha_umi.agent.nodes import SESSION, release
from alpha_umi.agent.state import Budget, Result
from alpha_umi.agent.strategies import Search, named_search
from alpha_umi.agent.threads import in_thread
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.models.base import Model
from alpha_umi.prompts import View
from alpha_umi.roles import Team, load_team
from alpha_umi.tools.base import Toolbox
from alpha_umi.tools.functions import as_toolbox


class Agent:
    """A team that answers questions with tools."""

    def __init__(
        self,
        team: Team,
        *,
        models: Mapping[View, Model],
        toolbox: Toolbox,
        budget: Budget | None = None,
        search: Search | str | None = None,
    ) -> None:
        self.team = team
        self.models = models
        self.toolbox = toolbox
        self.graph: AgentGraph = build_graph(
            team,
            models=models,
            toolbox=toolbox,
            budget=budget,
            search=named_search(search) if isinstance(search, str) else search,
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
        models: Mapping[View, Model] | None = None,
    ) -> Agent:
        """Make an agent of a team and tools.

        Args:
            team: a shipped name, a YAML file, the folder of a training run, or a Team.
            tools: Python functions, LangChain tools and toolboxes, one or many.
            budget: what one run may spend.
            search: `chain` (the default), `react@N`, `dfsdt`, `dfs`, or one set up in detail such as `DFSDT(width=3)`.
            models: what each view speaks with; left out, the team's own weights are loaded on this machine.

        Raises:
            UsageError: there is no such team or search, its weights are missing, or a tool cannot be offered.
        """
        chosen = team if isinstance(team, Team) else load_team(str(team))
        # Before the models: a mistake here should not cost a loading time.
        toolbox = as_toolbox(tools)
        search = named_search(search) if isinstance(search, str) else search
        if models is None:
            from alpha_umi.models.loading import load_models

            models = load_models(chosen)
        return cls(chosen, models=models, toolbox=toolbox, budget=budget, search=search)

    async def stream(self, question: str) -> AsyncGenerator[AgentEvent, None]:
        """Answer a question, yielding what happens as it happens; the last event is `Finished`."""
        if not question.strip():
            raise UsageError("the question is empty")
        session, finished = uuid.uuid4().hex, False
        config: RunnableConfig = {"configurable": {SESSION: session}}
        start: Any = {"messages": [HumanMessage(question)]}
        try:
            # An async generator, though typed as less: closing it is what stops the run.
            chunks = cast(AsyncGenerator[Any, None], self.graph.astream(start, config, stream_mode="custom"))
            async with aclosing(chunks):
                async for event in chunks:
                    if isinstance(event, AgentEvent):  # a tool may write to the stream too
                        finished = finished or isinstance(event, Finished)
                        yield event
        finally:
            if not finished:
                await in_thread(lambda _: release(self.models, episode=session, layout=self.team.layout))

    async def arun(self, question: str, *, on_event: Callable[[AgentEvent], None] | None = None) -> Result:
        """Answer a question."""
        result = None
        async with aclosing(self.stream(question)) as events:
            async for event in events:
                if on_event is not None:
                    on_event(event)
                if isinstance(event, Finished):
                    result = event.result
        if result is None:
            raise WorkError("the run ended without a result")
        return result

    def run(self, question: str, *, on_event: Callable[[AgentEvent], None] | None = None) -> Result:
        """Answer a question, telling `on_event` what happens; works inside a running event loop (a notebook) too."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.arun(question, on_event=on_event))
        outcome: list[Result | BaseException] = []

        def work() -> None:
            try:
                outcome.append(asyncio.run(self.arun(question, on_event=on_event)))
            except BaseException as error:  # raised again where it was asked for
                outcome.append(error)

        thread = threading.Thread(target=copy_context().run, args=(work,), name="alpha-umi-run", daemon=True)
        thread.start()
        thread.join()
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        return outcome[0]

    def stream_sync(self, question: str) -> Iterator[AgentEvent]:
        """`stream` for a program without an event loop; closing the iterator stops the run."""
        with asyncio.Runner() as runner:
            events = self.stream(question)
            try:
                while (event := runner.run(anext(events, None))) is not None:
                    yield event
            finally:
                runner.run(events.aclose())
