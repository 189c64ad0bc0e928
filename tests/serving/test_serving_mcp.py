"""The agent as an MCP server, used by our own client over stdio and HTTP, and by the SDK's client in process."""

from __future__ import annotations

import asyncio
import json
import runpy
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("mcp")
from mcp import Client

from alpha_umi.agent.runner import Agent
from alpha_umi.agent.state import Budget
from alpha_umi.errors import ToolError, UsageError
from alpha_umi.models.protocol import Request
from alpha_umi.models.scripted import ScriptedModel
from alpha_umi.serving.mcp import mcp_server, serve_mcp
from alpha_umi.testing import scripted_models
from alpha_umi.tools.mcp.toolbox import MCPToolbox
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.trajectory import Call, Observation

ROOT = Path(__file__).resolve().parents[2]
CALL = 'Action: add\nAction Input: {"a": 2, "b": 3}'


def add(a: int, b: int) -> int:
    """Add two numbers."""
    print("adding")  # over stdio this must not reach the protocol
    return a + b


def plan(request: Request) -> str:
    """Call once, then answer; the same for every question, so that many clients can ask at once."""
    seen = any("5" in message.content for message in request.messages[1:])
    return "I know it. Next: conclusion." if seen else "I add. Next: caller."


def adding(**options: Any) -> Agent:
    models = scripted_models(plan, lambda _: CALL, lambda _: "It is 5.")
    return Agent.from_team("umi", tools=[add], models=models, **options)


def ask(box: Toolbox, question: str = "What is two and three?") -> Observation:
    return box.invoke(Call(tool="ask", arguments={"question": question}))


# In process, over the SDK's own client


def in_process(agent: Agent, tool: str, arguments: dict[str, Any], **options: Any) -> tuple[Any, list[str]]:
    """The result of one call, and the progress told on the way."""
    notes: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert (progress, total) == (len(notes) + 1, None)
        notes.append(message or "")

    async def work() -> Any:
        async with Client(mcp_server(agent, **options)) as client:
            return await client.call_tool(tool, arguments, progress_callback=note)

    return asyncio.run(work()), notes


def test_a_question_is_answered_and_progress_is_told() -> None:
    result, notes = in_process(adding(), "ask", {"question": "What is two and three?"})
    assert (result.content[0].text, result.is_error) == ("It is 5.", False)
    assert notes == ["call: I add.", "calls add {'a': 2, 'b': 3}", "saw: 5", "summarize: I know it."]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "'question' is a required property"),
        ({"question": 5}, "question: 5 is not of type 'string'"),
        ({"question": ""}, "Invalid arguments for ask"),
        ({"question": " \n"}, "the question is empty"),
        ({"question": "x", "team": "y"}, "unknown argument 'team' (known: question)"),
    ],
)
def test_a_wrong_question_is_a_result_that_says_so(arguments: dict[str, Any], told: str) -> None:
    result, _ = in_process(adding(), "ask", arguments)
    assert result.is_error
    assert told in result.content[0].text


def test_a_run_without_an_answer_says_why() -> None:
    models = {**adding().models, "planner": ScriptedModel(["No. Next: give up."])}
    agent = Agent.from_team("umi", tools=[add], models=models)
    result, notes = in_process(agent, "ask", {"question": "Why?"})
    assert result.is_error
    assert result.content[0].text == "The agent found no answer: gave_up (planner)."
    assert notes == ["give_up: No."]


def test_a_budget_that_is_spent_is_told() -> None:
    result, _ = in_process(adding(budget=Budget(max_steps=1)), "ask", {"question": "What is two and three?"})
    assert "out_of_budget (steps)" in result.content[0].text


def test_a_model_that_breaks_is_told_in_one_line() -> None:
    models = {**adding().models, "planner": ScriptedModel([])}
    result, _ = in_process(Agent.from_team("umi", models=models), "ask", {"question": "Why?"})
    assert result.is_error
    assert "\n" not in result.content[0].text
    assert "script of a model" in result.content[0].text


def listed(agent: Agent, **options: Any) -> list[Any]:
    async def work() -> list[Any]:
        async with Client(mcp_server(agent, **options)) as client:
            return (await client.list_tools()).tools

    return asyncio.run(work())


def test_what_is_offered() -> None:
    (only,) = listed(adding())
    assert only.name == "ask"
    assert "Its tools: add." in only.description
    first, second = listed(adding(), ask="umi.ask", with_tools=True)
    assert first.name == "umi.ask"
    assert (second.name, second.description) == ("add", "Add two numbers.")
    assert second.input_schema["required"] == ["a", "b"]


def test_own_tools_are_called_only_when_offered() -> None:
    result, _ = in_process(adding(), "add", {"a": 2, "b": 3})
    assert result.is_error
    assert "There is no tool 'add'. Offered: ask." in result.content[0].text
    result, _ = in_process(adding(), "add", {"a": 2, "b": 3}, with_tools=True)
    assert (result.content[0].text, result.is_error) == ("5", False)
    result, _ = in_process(adding(), "add", {"a": 2}, with_tools=True)
    assert "'b' is a required property" in result.content[0].text


@pytest.mark.parametrize("sensitive", [["add"], lambda call: True])
def test_what_a_person_must_allow_is_neither_offered_nor_done(sensitive: Any) -> None:
    agent = adding(sensitive=sensitive)
    assert [tool.name for tool in listed(agent, with_tools=True)] == ["ask"]
    result, _ = in_process(agent, "add", {"a": 2, "b": 3}, with_tools=True)
    assert "There is no tool 'add'" in result.content[0].text
    result, _ = in_process(agent, "ask", {"question": "2 + 3?"})
    assert result.is_error
    assert "a person has to allow, which nobody can here: add {'a': 2, 'b': 3}" in result.content[0].text


def test_a_client_that_gives_up_stops_the_run() -> None:
    slow, begun = threading.Event(), threading.Event()

    def wait() -> str:
        begun.set()
        slow.wait(240)
        return "late"

    asked = ScriptedModel(["Next: caller."], repeat_last=True)
    models = {
        **adding().models,
        "planner": asked,
        "caller": ScriptedModel(lambda _: "Action: wait\nAction Input: {}"),
    }
    agent = Agent.from_team("umi", tools=[wait], models=models)

    async def work() -> None:
        async with Client(mcp_server(agent)) as client:
            asking = asyncio.create_task(client.call_tool("ask", {"question": "Why?"}))
            async with asyncio.timeout(60):
                while not begun.is_set():
                    await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.wait([asking])
            async with asyncio.timeout(60):  # the tool itself goes on for longer
                while not asked.released:
                    await asyncio.sleep(0.02)

    begin = time.monotonic()
    try:
        asyncio.run(work())
    finally:
        slow.set()
    assert asked.released  # the run cleaned up
    assert len(asked.requests) == 1
    assert time.monotonic() - begin < 120


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"ask": "add", "with_tools": True}, UsageError, "has a tool 'add' of its own"),
        ({"ask": "a b"}, ToolError, "tool name 'a b' is invalid"),
        ({"transport": "pigeon"}, UsageError, "use 'stdio' or 'http'"),
        ({"transport": "http", "port": 99_999}, UsageError, "cannot listen on 127.0.0.1:99999"),
        ({"transport": "http", "host": "no.such.host.test"}, UsageError, "cannot listen on no.such.host.test"),
    ],
)
def test_wrong_options(options: dict[str, Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        serve_mcp(adding(), **options)


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="cannot listen on"):
        serve_mcp(adding(), transport="http", port=taken.getsockname()[1])


# Over a process, by our own client

SERVE = """
    import sys
    sys.path.insert(0, {tests!r})
    from test_serving_mcp import adding
    from alpha_umi.serving.mcp import serve_mcp
    serve_mcp(adding(), with_tools=True, on_ready=lambda url: print(url, flush=True), {options})
"""


def serving(options: str = "") -> list[str]:
    program = textwrap.dedent(SERVE.format(tests=str(Path(__file__).parent), options=options))
    return [sys.executable, "-c", program]


def test_an_agent_asks_an_agent_over_stdio() -> None:
    with MCPToolbox(serving(), env={"PYTHONPATH": str(ROOT)}, prefix="umi_", start_timeout_s=120) as box:
        assert [tool.name for tool in box.tools] == ["umi_ask", "umi_add"]
        assert box.invoke(Call(tool="umi_add", arguments={"a": 4, "b": 4})).text == "8"
        models = scripted_models(
            ["Next: caller.", "Next: conclusion."],
            ['Action: umi_ask\nAction Input: {"question": "What is two and three?"}'],
            ["Five, I hear."],
        )
        result = Agent.from_team("umi", tools=box, models=models).run("What is two and three? Ask somebody.")
    assert result.trajectory.steps[0].observation == Observation(text="It is 5.")
    assert result.answer == "Five, I hear."


def test_many_clients_ask_over_http() -> None:
    program = subprocess.Popen(serving('transport="http", port=0'), stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    try:
        url = program.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        seen: list[Observation] = []

        def client() -> None:
            with MCPToolbox(url) as box:
                seen.extend(ask(box) for _ in range(3))

        threads = [threading.Thread(target=client) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert seen == [Observation(text="It is 5.")] * 12
        program.send_signal(signal.SIGINT)
        program.wait(60)
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def test_stdio_ends_with_its_client() -> None:
    program = subprocess.Popen(serving(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, error = program.communicate(b"this is no message\n", timeout=120)
    assert program.returncode == 0
    assert b"Traceback" not in error
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in out.splitlines())


def test_stdio_ends_at_ctrl_c() -> None:
    # A shell that starts the tests in the background has them ignore Ctrl-C, and their children with them.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    command = [*serving()[:-1], heard + serving()[-1]]
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        program.stdin.flush()
        assert program.stdout.readline()
        program.send_signal(signal.SIGINT)
        assert program.wait(120) == -signal.SIGINT
    finally:
        program.kill()
        program.communicate()


def test_a_page_of_another_origin_is_refused() -> None:
    program = subprocess.Popen(serving('transport="http", port=0'), stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    try:
        url = program.stdout.readline().strip()
        with pytest.raises(ToolError, match="HTTP 403"):
            MCPToolbox(url, headers={"Origin": "http://evil.test"})
        with pytest.raises(ToolError, match="HTTP 421"):
            MCPToolbox(url, headers={"Host": "evil.test"})
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


# The example


def test_example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mcp_server_time")
    models = scripted_models(
        ["Next: caller.", "Next: conclusion."],
        ['Action: get_current_time\nAction Input: {"timezone": "Asia/Tokyo"}'],
        ["It is late in Tokyo."],
    )
    teams = SimpleNamespace(load_models=lambda team: models)  # torch is never imported
    monkeypatch.setitem(sys.modules, "alpha_umi.models.loading", teams)
    monkeypatch.setattr(sys, "argv", ["mcp_agent.py"])
    runpy.run_path(str(ROOT / "examples" / "mcp_agent.py"), run_name="__main__")
    first, answer = capsys.readouterr().out.splitlines()
    assert first.startswith("get_current_time({'timezone': 'Asia/Tokyo'}) -> {")
    assert answer == "It is late in Tokyo."


@pytest.mark.parametrize("module", ["alpha_umi.serving.mcp", "alpha_umi.tools.mcp.toolbox"])
def test_no_torch(module: str) -> None:
    program = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=120, check=False).returncode == 0
