"""LangGraph's own checkpointers as an agent's threads: sync ones, async ones of another loop, from `run` and `arun`."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.store.sqlite import SqliteStore
from postgres_server import binaries, postgres

from alpha_umi import Agent
from alpha_umi.errors import UsageError
from alpha_umi.testing import scripted_models


def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


def agent(saver: Any, store: Any = None, **more: Any) -> Agent:
    """Pays once, with a person's leave, and says so."""
    models = scripted_models(
        lambda r: "Done. Next: conclusion." if "observation:" in r.messages[-1].content else "Pay. Next: caller.",
        lambda _: "Action: pay\nAction Input: " + json.dumps({"amount": 3}),
        lambda _: "Done.",
    )
    more = {"sensitive": ["pay"], **more}
    return Agent.from_team("umi", models=models, tools=[pay], threads=saver, store=store, **more)


@contextmanager
def sqlite(folder: Path) -> Iterator[tuple[Any, Any]]:
    with ExitStack() as stack:
        saver = stack.enter_context(SqliteSaver.from_conn_string(str(folder / "t.sqlite")))
        store = stack.enter_context(SqliteStore.from_conn_string(str(folder / "s.sqlite")))
        store.setup()
        yield saver, store


@contextmanager
def sqlite_connection(folder: Path) -> Iterator[tuple[Any, Any]]:
    """As LangGraph's own pages make it."""
    connection = sqlite3.connect(folder / "t.sqlite", check_same_thread=False)
    try:
        yield SqliteSaver(connection), None
    finally:
        connection.close()


@contextmanager
def in_memory(_: Path) -> Iterator[tuple[Any, Any]]:
    yield InMemorySaver(), None


@contextmanager
def in_postgres(_: Path) -> Iterator[tuple[Any, Any]]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    from langgraph.checkpoint.postgres import PostgresSaver
    from langgraph.store.postgres import PostgresStore

    with postgres() as url, PostgresSaver.from_conn_string(url) as saver, PostgresStore.from_conn_string(url) as store:
        saver.setup()
        store.setup()
        yield saver, store


KINDS = {"sqlite": sqlite, "connection": sqlite_connection, "memory": in_memory, "postgres": in_postgres}


@pytest.mark.filterwarnings("ignore:threads of this app are stored")
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.process] * (kind == "postgres")) for kind in KINDS]
)
def test_a_checkpointer_without_async_methods(kind: str, tmp_path: Path) -> None:
    """Every way to run: the run waits, goes on in another agent, and the next question is told with the first."""
    with KINDS[kind](tmp_path) as (saver, store):
        ways: list[Callable[[str, bool], Any]] = [
            lambda thread, new: (
                agent(saver, store).run("Pay 3", thread=thread)
                if new
                else agent(saver, store).resume(thread, "approve")
            ),
            lambda thread, new: asyncio.run(
                agent(saver, store).arun("Pay 3", thread=thread)
                if new
                else agent(saver, store).aresume(thread, "approve")
            ),
        ]
        for number, way in enumerate(ways):
            thread = f"thread {number}"
            waiting = way(thread, True)
            assert waiting.pending is not None
            done = way(thread, False)
            assert done.answer == "Done."
            assert [step.observation.text for step in done.trajectory.steps[:-1]] == ["paid 3"]
        *_, last = agent(saver, store, sensitive=()).stream_sync("Pay 3", thread="thread 0")
        assert last.kind == "finished"
        assert last.result.trajectory.query.count("Pay 3") == 2  # told with the turn before


def test_the_graph_itself_takes_it_as_langgraph_does(tmp_path: Path) -> None:
    with sqlite(tmp_path) as (saver, store):
        graph = agent(saver, store, sensitive=()).graph
        config: Any = {"configurable": {"thread_id": "a"}}
        question: Any = {"messages": [("user", "Pay 3")]}
        assert graph.invoke(question, config)["messages"][-1].content == "Done."
        assert graph.get_state(config).values["messages"][-1].content == "Done."
        assert list(graph.get_state_history(config))


@pytest.mark.filterwarnings("ignore:threads of this app are stored")
def test_an_async_checkpointer_of_the_apps_loop_serves_runs_in_threads(tmp_path: Path) -> None:
    """As a sync endpoint of a web app has it: the loop is free, and a thread of its own runs the agent."""

    async def app() -> None:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "t.sqlite")) as saver:
            made = agent(saver)
            waiting = await asyncio.gather(
                *(asyncio.to_thread(made.run, "Pay 3", thread=f"thread {n}") for n in range(4))
            )
            assert all(result.pending is not None for result in waiting)
            done = await asyncio.to_thread(made.resume, "thread 0", "approve")
            assert done.answer == "Done."
            assert (await made.aresume("thread 1", "approve")).answer == "Done."
            with pytest.raises(UsageError, match="await `arun` there instead of `run`"):
                made.run("Pay 3", thread="blocks the loop")

    asyncio.run(app())
