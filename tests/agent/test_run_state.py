"""The graph's state: typed to whoever reads it, plain data wherever it is stored, and no larger step by step."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Overwrite
from typing_extensions import TypedDict

from alpha_umi import Agent, Budget, Outcome, ScriptedModel
from alpha_umi.agent import channels
from alpha_umi.agent.state import GROWN
from alpha_umi.errors import UsageError
from alpha_umi.testing import scripted_models

HUGE = 2**70


def count(to: int) -> str:
    """Count."""
    return f"counted to {to}"


def counting(steps: int, first: int = 0) -> dict[str, ScriptedModel]:
    return scripted_models(
        ["Count. Next: caller."] * steps + ["Enough. Next: conclusion."],
        [f'Action: count\nAction Input: {{"to": {first + n}}}' for n in range(steps)],
        ["Done."],
    )


def agent(threads: Any, models: dict[str, ScriptedModel], **more: Any) -> Agent:
    return Agent.from_team("umi", tools=[count], models=models, threads=threads, budget=Budget(max_steps=200), **more)


@pytest.mark.filterwarnings("ignore:threads of this app are stored")
def test_a_person_reads_what_a_run_is_at() -> None:
    made = agent(InMemorySaver(), counting(2, HUGE), sensitive=["count"])
    waiting = made.run("Count", thread="a")
    assert waiting.pending is not None
    values = made.graph.get_state({"configurable": {"thread_id": "a"}}).values
    assert values["task"].query == "Count"
    assert [tool.name for tool in values["task"].tools] == ["count"]
    assert values["draft"].call.arguments == {"to": HUGE}
    assert [node.step for node in values["tree"].nodes] == [None]
    assert values["usage"]["planner"].calls == 1
    assert values["outcome"] is Outcome.UNFINISHED
    made.resume("a", "approve")
    assert made.resume("a", "approve").answer == "Done."
    values = made.graph.get_state({"configurable": {"thread_id": "a"}}).values
    calls = [node.step.call for node in values["tree"].nodes if node.step is not None]
    assert [call and call.arguments for call in calls] == [{"to": HUGE}, {"to": HUGE + 1}, None]
    assert values["draft"] is None


class Plain(JsonPlusSerializer):
    """Counts what is stored, and refuses what is neither plain data nor LangChain's."""

    def __init__(self) -> None:
        super().__init__(allowed_msgpack_modules=None)
        self.written = 0

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        kind, data = super().dumps_typed(obj)
        assert b"alpha_umi." not in data, obj
        self.written += len(data)
        return kind, data


@pytest.mark.filterwarnings("ignore:threads of this app are stored")
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_late_step_stores_no_more_than_an_early_one(kind: str) -> None:
    serde, at = Plain(), list[int]()
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    saver: Any = InMemorySaver(serde=serde) if kind == "memory" else SqliteSaver(connection, serde=serde)
    made = agent(saver, counting(60, 100))
    made.run("Count", thread="a", on_event=lambda e: at.append(serde.written) if e.kind == "observed" else None)
    connection.close()
    early, late = at[15] - at[5], at[-1] - at[-11]
    assert late < 1.1 * early


@pytest.mark.parametrize("strict", [False, True])
def test_a_run_that_is_stored_whole_is_read_as_it_was(strict: bool, caplog: pytest.LogCaptureFixture) -> None:
    """LangGraph stores a whole value now and then, whoever's saver it is; a strict one gives back data for it."""
    allowed = JsonPlusSerializer(allowed_msgpack_modules=None if strict else True)
    made = agent(InMemorySaver(serde=allowed), counting(3, HUGE))
    result = made.run("Count", thread="a")
    config: Any = {"configurable": {"thread_id": "a"}}
    values = made.graph.get_state(config).values
    with caplog.at_level(logging.ERROR):
        made.graph.update_state(config, {name: Overwrite(values[name]) for name in GROWN}, as_node="finish")
        again = made.graph.get_state(config).values
    assert {name: again[name] for name in GROWN} == {name: values[name] for name in GROWN}
    assert made.resume("a").trajectory == result.trajectory


def test_a_finished_thread_of_a_file_is_stored_once_and_whole(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = agent(tmp_path / "t.sqlite", counting(3, HUGE))
    result = made.run("Count", thread="a")
    with sqlite3.connect(tmp_path / "t.sqlite") as held:
        assert held.execute("SELECT count(*) FROM checkpoints").fetchone() == (1,)
        assert held.execute("SELECT count(*) FROM writes").fetchone() == (0,)
    assert made.resume("a").model_copy(update={"seconds": result.seconds}) == result
    assert capfd.readouterr().err == ""


class _Before(TypedDict):
    """The state of the version before, which was JSON texts."""

    messages: list[Any]
    session: str
    trajectory: str
    tree: str
    node: int


def stored_before(file: Path) -> None:
    graph = StateGraph(_Before)
    texts = {
        "session": "s",
        "trajectory": json.dumps({"query": "Is it?"}),
        "tree": json.dumps({"limit": 12}),
        "node": 0,
    }
    graph.add_node("finish", lambda _: texts)
    graph.add_edge(START, "finish")
    graph.add_edge("finish", END)

    async def run() -> None:
        async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
            compiled: Any = graph.compile(checkpointer=saver)
            await compiled.ainvoke({"messages": []}, {"configurable": {"thread_id": "a"}})

    asyncio.run(run())


def test_a_thread_of_the_version_before_is_refused(tmp_path: Path) -> None:
    stored_before(tmp_path / "t.sqlite")
    made = agent(tmp_path / "t.sqlite", counting(1))
    with pytest.raises(UsageError, match=r"^this thread was stored by another version of alpha-umi"):
        made.resume("a")
    with pytest.raises(UsageError, match=r"^this thread was stored by another version of alpha-umi"):
        made.run("Count", thread="a")
    assert made.run("Count", thread="b").answer == "Done."


def test_a_thread_of_a_version_to_come_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = agent(tmp_path / "t.sqlite", counting(1))
    made.run("Count", thread="a")
    monkeypatch.setattr(channels, "STATE_VERSION", channels.STATE_VERSION + 1)
    with pytest.raises(UsageError, match="stored by another version"):
        made.resume("a")
