"""Tools that ask a person by LangGraph's `interrupt`: the run waits, goes on, and makes no call twice."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from alpha_umi import Agent, ApprovalDecision, ScriptedModel, build_graph, load_team
from alpha_umi.agent.approval import ApprovalRequest
from alpha_umi.testing import scripted_models
from alpha_umi.tools.functions import as_toolbox
from alpha_umi.tools.replay import Recorder

THREAD: Any = {"configurable": {"thread_id": "a"}}
ASKED: Any = {"messages": [("user", "Pay 3")]}


def calling(name: str, **arguments: Any) -> dict[str, ScriptedModel]:
    """A team that calls one tool, and answers with what it saw."""
    done = "observation:"
    return scripted_models(
        lambda r: "Done. Next: conclusion." if done in r.messages[-1].content else "I call. Next: caller.",
        lambda _: f"Action: {name}\nAction Input: {json.dumps(arguments)}",
        lambda r: r.messages[-1].content.rpartition("observation: ")[2].splitlines()[0],
    )


def plain(runs: list[str]) -> Any:
    def pay(amount: int) -> str:
        """Pay."""
        runs.append("began")
        said = interrupt({"q": f"pay {amount}?"})
        runs.append("paid")
        return f"human {said}"

    return pay


def awaited(runs: list[str]) -> Any:
    async def pay(amount: int) -> str:
        """Pay."""
        runs.append("began")
        said = interrupt({"q": f"pay {amount}?"})
        await asyncio.sleep(0)
        runs.append("paid")
        return f"human {said}"

    return pay


KINDS: dict[str, Callable[[list[str]], Any]] = {
    "function": plain,
    "coroutine": awaited,
    "LangChain tool": lambda runs: tool(plain(runs)),
    "LangChain coroutine": lambda runs: tool(awaited(runs)),
}


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_asks_and_the_graph_goes_on(kind: str, asynchronous: bool) -> None:
    runs: list[str] = []
    graph = build_graph(
        load_team("umi"), models=calling("pay", amount=3), toolbox=[KINDS[kind](runs)], checkpointer=InMemorySaver()
    )

    def go(given: Any) -> Any:
        return asyncio.run(graph.ainvoke(given, THREAD)) if asynchronous else graph.invoke(given, THREAD)

    (asked,) = go(ASKED)["__interrupt__"]
    assert asked.value == {"q": "pay 3?"}
    assert runs == ["began"]
    assert go(Command(resume="yes"))["messages"][-1].content == "human yes"
    assert runs == ["began", "began", "paid"]  # from its start again, as LangGraph's own ToolNode does


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_person_answers_at_once(kind: str, stored: bool, tmp_path: Path) -> None:
    runs: list[str] = []
    threads = tmp_path / "t.sqlite" if stored else None
    agent = Agent.from_team("umi", models=calling("pay", amount=3), tools=[KINDS[kind](runs)], threads=threads)
    asked: list[ApprovalRequest] = []

    def on_ask(ask: ApprovalRequest) -> dict[str, int]:
        asked.append(ask)
        return {"cents": 7}

    result = agent.run("Pay 3", thread="a" if stored else None, on_ask=on_ask)
    assert result.answer == "human {'cents': 7}"
    assert [(ask.why, ask.value, ask.call.tool, ask.key[:5]) for ask in asked] == [
        ("tool", {"q": "pay 3?"}, "pay", "call_")
    ]
    assert runs == ["began", "began", "paid"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("go ahead", "go ahead"),
        (False, "False"),
        ({"a": [1]}, "{'a': [1]}"),
        (ApprovalDecision(action="approve"), "approve"),
        (ApprovalDecision(action="edit", arguments={"amount": 1}), "{'amount': 1}"),
    ],
)
def test_a_waiting_run_goes_on_in_another_agent(reply: Any, said: str, tmp_path: Path) -> None:
    runs: list[str] = []

    def agent() -> Agent:
        return Agent.from_team("umi", models=calling("pay", amount=3), tools=[plain(runs)], threads=tmp_path / "t")

    waiting = agent().run("Pay 3", thread="a")
    assert waiting.answer is None
    assert waiting.pending is not None
    assert waiting.pending.value == {"q": "pay 3?"}
    assert agent().resume("a").pending == waiting.pending  # nothing is lost by looking
    assert agent().resume("a", reply).answer == f"human {said}"
    assert runs == ["began", "began", "paid"]


def test_without_anybody_to_ask_the_run_ends_in_the_question() -> None:
    agent = Agent.from_team("umi", models=calling("pay", amount=3), tools=[plain([])])
    kinds = [event.kind for event in agent.stream_sync("Pay 3")]
    assert kinds[-2:] == ["asked", "finished"]
    assert "observed" not in kinds


def test_several_questions_of_one_tool() -> None:
    def pay() -> str:
        """Pay."""
        return f"{interrupt('how much?')} to {interrupt('whom?')}"

    said = {"how much?": "3", "whom?": "Bo"}
    agent = Agent.from_team("umi", models=calling("pay"), tools=[pay])
    assert agent.run("Pay", on_ask=lambda ask: said[ask.value]).answer == "3 to Bo"


def test_a_sensitive_tool_asks_too() -> None:
    whys: list[str] = []

    def on_ask(ask: ApprovalRequest) -> Any:
        whys.append(ask.why)
        return ApprovalDecision(action="edit", arguments={"amount": 2}) if ask.why == "sensitive" else ask.value["q"]

    agent = Agent.from_team("umi", models=calling("pay", amount=3), tools=[plain([])], sensitive=["pay"])
    assert agent.run("Pay 3", on_ask=on_ask).answer == "human pay 2?"
    assert whys == ["sensitive", "tool"]


def test_a_call_that_may_have_happened_is_asked_about_before_its_tool_asks(tmp_path: Path) -> None:
    """Broken off while its tool was at work: first whether to call it at all, then what the tool asks."""
    begun = threading.Event()

    def pay(amount: int) -> str:
        """Pay."""
        if not begun.is_set():
            begun.set()
            time.sleep(1)
        return f"{amount} {interrupt('really?')}"

    agent = Agent.from_team("umi", models=calling("pay", amount=3), tools=[pay], threads=tmp_path / "t.sqlite")

    async def break_off() -> None:
        run = asyncio.create_task(agent.arun("Pay 3", thread="a"))
        await asyncio.to_thread(begun.wait)
        run.cancel()
        await asyncio.wait([run])

    asyncio.run(break_off())
    waiting = agent.resume("a").pending
    assert waiting is not None
    assert waiting.why == "unknown_outcome"
    asks = agent.resume("a", ApprovalDecision(action="edit", arguments={"amount": 5})).pending
    assert asks is not None
    assert (asks.why, asks.value) == ("tool", "really?")
    assert agent.resume("a", "yes").answer == "5 yes"


def inner_tool(how: str, runs: list[str]) -> Any:
    """A tool of an outer agent that asks an inner one, which has a sensitive tool."""

    def pay(amount: int) -> str:
        """Pay."""
        runs.append(f"paid {amount}")
        return f"paid {amount}"

    inner = Agent.from_team("umi", models=calling("pay", amount=3), tools=[pay], sensitive=["pay"])

    def sync(question: str) -> str:
        """Ask another agent."""
        if how == "graph":
            return str(inner.graph.invoke(ASKED)["messages"][-1].content)
        return str(inner.run(question).answer)

    async def later(question: str) -> str:
        """Ask another agent."""
        if how == "async graph":
            return str((await inner.graph.ainvoke(ASKED))["messages"][-1].content)
        return str((await inner.arun(question)).answer)

    made: Any = later if how.startswith("async") else sync
    made.__name__ = "expert"
    return made


@pytest.mark.parametrize("how", ["graph", "run", "async graph", "async run"])
def test_an_inner_agent_asks_through_the_outer_one(how: str, tmp_path: Path) -> None:
    runs: list[str] = []
    outer = Agent.from_team(
        "umi", models=calling("expert", question="?"), tools=[inner_tool(how, runs)], threads=tmp_path / "t.sqlite"
    )
    waiting = outer.run("Pay 3", thread="a").pending
    assert waiting is not None
    assert (waiting.why, waiting.call.tool, runs) == ("sensitive", "pay", [])
    assert outer.resume("a", "approve").answer == "paid 3"
    assert runs == ["paid 3"]


def test_an_inner_agent_whose_own_user_is_there_asks_that_one() -> None:
    asked: list[str] = []

    def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    def approve(ask: ApprovalRequest) -> str:
        asked.append(ask.call.tool)
        return "approve"

    inner = Agent.from_team("umi", models=calling("pay", amount=3), tools=[pay], sensitive=["pay"])

    def expert() -> str:
        """Ask another agent."""
        return str(inner.run("Pay 3", on_ask=approve).answer)

    assert Agent.from_team("umi", models=calling("expert"), tools=[expert]).run("Pay").answer == "paid 3"
    assert asked == ["pay"]


def test_the_calls_of_an_inner_graph_are_its_own(tmp_path: Path) -> None:
    """They are entered in the journal under another episode than the outer call, which is begun and not ended."""

    def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    inner = build_graph(load_team("umi"), models=calling("pay", amount=3), toolbox=[pay])

    def expert() -> str:
        """Ask another agent."""
        return str(inner.invoke(ASKED)["messages"][-1].content)

    outer = Agent.from_team("umi", models=calling("expert"), tools=[expert], threads=tmp_path / "t.sqlite")
    assert outer.run("Pay", thread="a").answer == "paid 3"


def test_a_recorder_lets_a_question_through(tmp_path: Path) -> None:
    with Recorder(as_toolbox([plain([])]), tmp_path / "calls.jsonl") as box:
        agent = Agent.from_team("umi", models=calling("pay", amount=3), tools=box)
        assert agent.run("Pay 3", on_ask=lambda _: "yes").answer == "human yes"
    assert "GraphInterrupt" not in (tmp_path / "calls.jsonl").read_text()
