"""Async tools: awaited where their run is awaited, on one lasting loop where it is not, and cancelled with it."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.tools import BaseTool, StructuredTool, tool
from langgraph.config import get_stream_writer
from mcp_servers import script

from alpha_umi import Agent, Budget, idempotency_key
from alpha_umi.agent.concurrency import in_thread
from alpha_umi.agent.events import Token
from alpha_umi.testing import scripted_models
from alpha_umi.tools.awaiting import Work, for_work, result_of
from alpha_umi.tools.functions import FunctionToolbox
from alpha_umi.tools.mcp.toolbox import MCPToolbox
from alpha_umi.trajectory import Call

ASKED: Any = {"messages": [("user", "Ask")]}


def agent(tools: Any, *, name: str = "ping", **more: Any) -> Agent:
    """An agent that calls one tool once, and answers with what it saw; serves any number of runs."""
    arguments = json.dumps(more.pop("arguments", {}))
    models = scripted_models(
        lambda r: "Done. Next: conclusion." if "observation:" in r.messages[-1].content else "Ask. Next: caller.",
        lambda _: f"Action: {name}\nAction Input: {arguments}",
        lambda r: r.messages[-1].content.rpartition("observation: ")[2].splitlines()[0],
    )
    return Agent.from_team("umi", models=models, tools=tools, **more)


class Pong(BaseHTTPRequestHandler):
    """Keeps its connections open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"pong")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pong) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def ways(made: Agent) -> list[str]:
    """The answers of every way to run an agent on a loop."""
    streamed = [event async for event in made.stream("Ask")]
    values = [state async for state in made.graph.astream(ASKED, stream_mode="values")]
    batch = await made.abatch(["Ask", "Ask"], parallel=2)
    results = [await made.arun("Ask"), streamed[-1].result, *batch]  # type: ignore[union-attr]
    return [
        *(str(result.answer) for result in results),  # type: ignore[union-attr]
        str(values[-1]["messages"][-1].content),
        str((await made.graph.ainvoke(ASKED))["messages"][-1].content),
    ]


@pytest.mark.parametrize("kind", ["function", "LangChain", "both", "subclass"])
def test_the_apps_client_is_shared_by_its_runs(kind: str, url: str) -> None:
    async def main() -> list[str]:
        async with httpx.AsyncClient() as client:

            async def ping() -> str:
                """Ping."""
                return (await client.get(url)).text

            def sync() -> str:
                return "the other form"

            class Ping(BaseTool):
                name: str = "ping"
                description: str = "Ping."

                def _run(self) -> str:
                    raise NotImplementedError

                async def _arun(self) -> str:
                    return await ping()

            kinds = {
                "function": ping,
                "LangChain": tool(ping),
                "both": StructuredTool.from_function(sync, ping, name="ping", description="Ping."),
                "subclass": Ping(),
            }
            return await ways(agent([kinds[kind]]))

    assert asyncio.run(main()) == ["pong"] * 6


def test_a_client_that_a_tool_makes_when_it_is_first_needed_serves_every_sync_run(url: str) -> None:
    clients: list[httpx.AsyncClient] = []

    async def ping() -> str:
        """Ping."""
        if not clients:
            clients.append(httpx.AsyncClient())
        return (await clients[0].get(url)).text

    made = agent([ping])
    answers = [made.run("Ask").answer for _ in range(3)]
    answers += [result.answer for result in made.batch(["Ask", "Ask"])]  # type: ignore[union-attr]
    answers += [event.result.answer for event in made.stream_sync("Ask") if event.kind == "finished"]
    answers += [made.graph.invoke(ASKED)["messages"][-1].content for _ in range(2)]
    answers += [FunctionToolbox([ping]).invoke(Call(tool="ping")).text]

    async def notebook() -> None:
        answers.append(made.run("Ask").answer)

    asyncio.run(notebook())
    assert answers == ["pong"] * len(answers)

    async def close() -> str:
        """Close."""
        await clients[0].aclose()
        return "closed"

    assert agent([close], name="close").run("Close").answer == "closed"


def test_a_lock_of_the_app_lets_runs_in_one_by_one() -> None:
    inside, most = 0, 0

    async def main() -> list[str | None]:
        lock = asyncio.Lock()

        async def ping() -> str:
            """Ping."""
            nonlocal inside, most
            async with lock:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.01)
                inside -= 1
            return "pong"

        made = agent([ping])
        return [result.answer for result in await asyncio.gather(*(made.arun("Ask") for _ in range(4)))]

    assert asyncio.run(main()) == ["pong"] * 4
    assert most == 1


async def _waiting_run(made: Agent, how: str) -> None:
    """Run it, in one of the ways of an event loop."""
    if how == "arun":
        await made.arun("Ask")
    elif how == "ainvoke":
        await made.graph.ainvoke(ASKED)
    elif how == "stream":
        async for _ in made.stream("Ask"):
            pass
    elif how == "abatch":
        await made.abatch(["Ask"])
    else:
        async for _ in made.graph.astream(ASKED):
            pass


@pytest.mark.parametrize("how", ["arun", "ainvoke", "stream", "abatch", "astream"])
@pytest.mark.parametrize("langchain", [False, True])
def test_nothing_happens_after_a_run_was_cancelled(how: str, langchain: bool) -> None:
    happened: list[str] = []

    async def main() -> None:
        at_work = asyncio.Event()

        async def ping() -> str:
            """Ping."""
            at_work.set()
            try:
                await asyncio.sleep(0.3)
            except asyncio.CancelledError:
                await asyncio.sleep(0.05)
                happened.append("cleaned up")
                raise
            happened.append("effect")
            return "pong"

        run = asyncio.create_task(_waiting_run(agent([tool(ping) if langchain else ping]), how))
        await at_work.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert happened == ["cleaned up"]  # before whoever cancelled it goes on
        await asyncio.sleep(0.4)

    asyncio.run(main())
    assert happened == ["cleaned up"]


@pytest.mark.parametrize("how", ["stream", "astream", "stream_sync"])
def test_a_stream_that_is_left_midway_ends_its_tool(how: str) -> None:
    happened: list[str] = []

    async def ping() -> str:
        """Ping, and say so before."""
        get_stream_writer()(Token(role="planner", text="at work"))
        await asyncio.sleep(0.3)
        happened.append("effect")
        return "pong"

    def is_at_work(event: Any) -> bool:
        return getattr(event, "text", "") == "at work"

    async def main() -> None:
        made = agent([ping])
        events: Any = made.stream("Ask") if how == "stream" else made.graph.astream(ASKED, stream_mode="custom")
        async for event in events:
            if is_at_work(event):
                break
        await events.aclose()
        await asyncio.sleep(0.4)

    if how == "stream_sync":
        events: Any = agent([ping]).stream_sync("Ask")
        assert any(is_at_work(event) for event in events)
        events.close()
        time.sleep(0.4)
    else:
        asyncio.run(main())
    assert happened == []


@pytest.mark.parametrize("limit", ["tool", "run"])
def test_a_coroutine_ends_at_its_limit(limit: str) -> None:
    ended = threading.Event()

    async def ping() -> str:
        """Ping."""
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()
        return "late"

    box = FunctionToolbox([ping], timeout_s=0.2 if limit == "tool" else 30)
    result = agent(box, budget=Budget(max_seconds=30 if limit == "tool" else 0.3)).run("Ask")
    seen = result.trajectory.steps[0].observation
    assert seen is not None
    assert "no result" in seen.text
    assert ended.wait(2)


def test_a_sync_tool_leaves_the_loop_free_and_sees_the_context() -> None:
    async def main() -> tuple[str | None, int]:
        ticks = 0

        def ping() -> str:
            """Ping."""
            time.sleep(0.3)
            return f"{threading.current_thread() is threading.main_thread()} {(idempotency_key() or '')[:5]}"

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        answer = (await agent([ping]).arun("Ask")).answer
        ticking.cancel()
        return answer, ticks

    answer, ticks = asyncio.run(main())
    assert answer == "False call_"
    assert ticks > 5


def test_a_coroutine_sees_the_context_too() -> None:
    async def ping() -> str:
        """Ping."""
        await asyncio.sleep(0)
        return (idempotency_key() or "")[:5]

    assert agent([ping]).run("Ask").answer == "call_"


@pytest.mark.parametrize("how", ["run", "invoke", "toolbox"])
@pytest.mark.parametrize("outer", ["sync", "async"])
def test_an_async_tool_that_blocks_for_another_run_does_not_wait_for_itself(how: str, outer: str) -> None:
    """Its own loop cannot serve what it waits for, so another one does; three deep."""

    async def ping() -> str:
        """Ping."""
        await asyncio.sleep(0)
        return "pong"

    def around(inner: Callable[..., Any]) -> Callable[..., Any]:
        async def pinged() -> str:
            """Ping by another."""
            made = agent([inner], name=inner.__name__)
            if how == "run":
                return str(made.run("Ask").answer)
            if how == "invoke":
                return str(made.graph.invoke(ASKED)["messages"][-1].content)
            return FunctionToolbox([inner]).invoke(Call(tool=inner.__name__)).text

        pinged.__name__ = f"{inner.__name__}_by"
        return pinged

    made = agent([around(around(ping))], name="ping_by_by", budget=Budget(max_seconds=20))
    result = made.run("Ask") if outer == "sync" else asyncio.run(made.arun("Ask"))
    assert result.answer == "pong"


def test_a_server_is_told_that_a_run_was_cancelled(tmp_path: Path) -> None:
    """MCP: a call that nobody waits for any more is taken back."""
    seen = tmp_path / "seen"
    body = f"""
def called(request):
    note("called")

def note(words):
    with open({str(seen)!r}, "a") as file:
        file.write(words + "\\n")

def loads(line, read=json.loads):
    message = read(line)
    note(message.get("method", ""))
    return message

json.loads = loads
"""

    async def main(box: MCPToolbox) -> None:
        run = asyncio.create_task(agent(box, name="echo", arguments={"text": "hi"}).arun("Ask"))
        while "called" not in await asyncio.to_thread(seen.read_text):
            await asyncio.sleep(0.02)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        async with asyncio.timeout(10):
            while "notifications/cancelled" not in await asyncio.to_thread(seen.read_text):
                await asyncio.sleep(0.02)

    with MCPToolbox(script(tmp_path, body), start_timeout_s=60) as box:
        asyncio.run(main(box))


def test_what_never_began_is_closed() -> None:
    """Its run is over before its loop comes to it: no coroutine is left that Python would warn of."""

    async def ping() -> str:
        """Ping."""
        return "pong"

    async def main() -> None:
        work, left = Work(), ping()

        def wait() -> None:
            with for_work(work):
                work.end()
                result_of(left, timeout_s=5)

        with pytest.raises(asyncio.CancelledError):
            await in_thread(lambda _: wait())
        assert inspect.getcoroutinestate(left) == inspect.CORO_CLOSED

    asyncio.run(main())
