"""MCP servers as tools: published ones over stdio and HTTP, and ones that misbehave in every way we know."""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")
from mcp.types import CallToolResult
from mcp_servers import alive, ends, held_port, install_npm_servers, script

from alpha_umi.agent.runner import Agent
from alpha_umi.errors import MissingExtra, ToolError, UsageError
from alpha_umi.testing import scripted_models
from alpha_umi.tools.combined import CombinedToolbox
from alpha_umi.tools.mcp.connection import Connection
from alpha_umi.tools.mcp.content import observation_of
from alpha_umi.tools.mcp.servers import HttpServer, StdioServer, server_of
from alpha_umi.tools.mcp.session import MAX_RESTARTS
from alpha_umi.tools.mcp.toolbox import START_TIMEOUT_S, TIMEOUT_S, MCPToolbox
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.trajectory import Call, Observation

TIME = [sys.executable, "-m", "mcp_server_time"]
LATE_S = 120.0
"""By when a program that has much to import answers, however busy the machine is."""
PID = "def called(request): text(request, str(os.getpid()))"


def call(box: Toolbox, tool: str, **arguments: Any) -> Observation:
    return box.invoke(Call(tool=tool, arguments=arguments))


def echo(box: Toolbox, text: str = "hi") -> Observation:
    return call(box, "echo", text=text)


def names(box: Toolbox) -> list[str]:
    return [tool.name for tool in box.tools]


def refusal(make: Callable[[], object]) -> str:
    """The one line with which making a toolbox fails, long before the usual limit of a start would be over."""
    begin = time.monotonic()
    with pytest.raises(ToolError) as caught:
        make()
    assert time.monotonic() - begin < START_TIMEOUT_S / 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def eventually(true: Callable[[], bool]) -> None:
    """Wait until it is true; the limit is for a machine that is busy."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def connection_of(box: MCPToolbox) -> Connection:
    """What the session learns by itself, so that a test can wait until it has."""
    connection = box._session._connection
    assert connection is not None
    return connection


def kill(box: MCPToolbox) -> int:
    """Kill a server that tells its pid, and wait until the session has seen its end."""
    connection, pid = connection_of(box), int(echo(box).text)
    os.kill(pid, signal.SIGKILL)
    assert ends(pid)
    eventually(lambda: connection.ended)
    return pid


# Published servers


@pytest.fixture(scope="module")
def clock() -> Iterator[MCPToolbox]:
    pytest.importorskip("mcp_server_time")
    with MCPToolbox(TIME, start_timeout_s=LATE_S) as box:
        yield box


def test_the_time_server_is_offered_and_called(clock: MCPToolbox) -> None:
    assert isinstance(clock, Toolbox)
    assert names(clock) == ["get_current_time", "convert_time"]
    assert clock.tools[1].parameters["required"] == ["source_timezone", "time", "target_timezone"]
    assert "$schema" not in clock.tools[0].parameters
    times = {"source_timezone": "Asia/Tokyo", "time": "16:30", "target_timezone": "Asia/Kolkata"}
    seen = call(clock, "convert_time", **times)
    assert seen.ok
    assert json.loads(seen.text)["time_difference"] == "-3.5h"


def test_annotations_are_kept_as_stated(clock: MCPToolbox) -> None:
    assert clock.annotations["convert_time"]["readOnlyHint"] is True
    assert clock.annotations["convert_time"]["idempotentHint"] is True
    with pytest.raises(TypeError):
        clock.annotations["convert_time"]["readOnlyHint"] = False  # type: ignore[index]


def test_a_server_s_own_error_is_an_observation(clock: MCPToolbox) -> None:
    seen = call(clock, "get_current_time", timezone="Mars/Olympus")
    assert not seen.ok
    assert "Mars/Olympus" in seen.text


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (Call(tool="get_current_time"), "'timezone' is a required property"),
        (Call(tool="get_current_time", arguments={"timezone": 5}), "timezone: 5 is not of type 'string'"),
        (Call(tool="get_time"), "There is no tool 'get_time'. Offered: convert_time"),
        (Call(tool="", fault="no_action"), "no line 'Action: TOOL'"),
    ],
)
def test_bad_calls_never_reach_the_server(clock: MCPToolbox, made: Call, told: str) -> None:
    seen = clock.invoke(made)
    assert not seen.ok
    assert told in seen.text


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": [value]}
    return value


def test_arguments_of_any_depth_and_any_characters(tmp_path: Path) -> None:
    body = """
    TOOLS[0]["inputSchema"] = {"type": "object"}
    def called(request): text(request, json.dumps(request["params"]["arguments"]))
    """
    with MCPToolbox(script(tmp_path, textwrap.dedent(body))) as box:
        assert "nested deeper than 64" in call(box, "echo", **nested(100)).text
        assert not call(box, "echo", **nested(1000)).ok
        odd = "\x00\x1b[2J \u2028 \U0001f600 é\n"
        assert json.loads(call(box, "echo", **{odd: [odd, None, 1e300]}).text) == {odd: [odd, None, 1e300]}
        assert json.loads(call(box, "echo", self="\ud800", name=1).text) == {"self": "?", "name": 1}
        assert call(box, "echo").text == "{}"


def test_an_agent_uses_the_time_server(clock: MCPToolbox) -> None:
    written = 'Action: get_current_time\nAction Input: {"timezone": "UTC"}'
    models = scripted_models(["Next: caller.", "Next: conclusion."], [written], ["It is late."])
    result = Agent.from_team("umi", tools=clock, models=models).run("What time is it?")
    observation = result.trajectory.steps[0].observation
    assert observation is not None
    assert json.loads(observation.text)["timezone"] == "UTC"
    assert result.answer == "It is late."


def test_many_threads_call_at_once(clock: MCPToolbox) -> None:
    zones = ["Europe/Paris", "Asia/Tokyo", "UTC", "America/New_York"] * 8
    with ThreadPoolExecutor(16) as pool:
        seen = list(pool.map(lambda zone: call(clock, "get_current_time", timezone=zone), zones))
    assert [json.loads(one.text)["timezone"] for one in seen] == zones


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_npm_servers(tmp_path_factory.mktemp("npm"))


def npx(folder: Path, *command: str) -> list[str]:
    return ["npx", "--offline", "--prefix", str(folder), *command]


def test_npm_everything(npm: Path) -> None:
    with MCPToolbox(npx(npm, "mcp-server-everything", "stdio"), start_timeout_s=LATE_S) as box:
        assert echo_of(box) == Observation(text="Echo: hi")
        assert call(box, "get-sum", a=2, b=3).text == "The sum of 2 and 3 is 5."
        assert "[image: image/png, " in call(box, "get-tiny-image").text
        structured = call(box, "get-structured-content", location="Chicago").text
        assert set(json.loads(structured)) == {"temperature", "conditions", "humidity"}  # said once, not twice
        assert call(box, "get-resource-links", count=2).text.count("[resource demo://") == 2
        assert "ALPHA_UMI_SECRET" not in call(box, "get-env").text


def echo_of(box: Toolbox) -> Observation:
    return call(box, "echo", message="hi")


def test_npm_everything_over_http(npm: Path) -> None:
    binary = npm / "node_modules" / ".bin" / "mcp-server-everything"
    with held_port() as port:
        program = subprocess.Popen(
            [str(binary), "streamableHttp"],
            env={**os.environ, "PORT": str(port)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with reached(program, f"http://127.0.0.1:{port}/mcp") as box:
                assert echo_of(box).text == "Echo: hi"
                program.kill()
                program.wait()
                seen = echo_of(box)
                assert not seen.ok
                assert "the MCP server" in seen.text
        finally:
            program.kill()
            program.wait()


def test_npm_filesystem_keeps_to_its_folder(npm: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("Buy milk. ☕", encoding="utf-8")
    command = npx(npm, "mcp-server-filesystem", str(tmp_path))
    chosen = ["read_text_file", "write_file"]
    with MCPToolbox(command, prefix="fs_", include=chosen, start_timeout_s=LATE_S) as box:
        assert names(box) == ["fs_read_text_file", "fs_write_file"]
        assert box.annotations["fs_read_text_file"]["readOnlyHint"]
        assert box.annotations["fs_write_file"]["destructiveHint"]
        assert call(box, "fs_read_text_file", path=str(tmp_path / "note.txt")).text == "Buy milk. ☕"
        outside = call(box, "fs_read_text_file", path="/etc/passwd")
        assert not outside.ok
        assert "Access denied" in outside.text
    with MCPToolbox(command, exclude=["write_file"], start_timeout_s=LATE_S) as box:
        assert "write_file" not in names(box)


def test_npm_memory_keeps_its_state_between_calls(npm: Path, tmp_path: Path) -> None:
    env = {"MEMORY_FILE_PATH": str(tmp_path / "memory.jsonl")}
    with MCPToolbox(npx(npm, "mcp-server-memory"), env=env, start_timeout_s=LATE_S) as box:
        call(box, "create_entities", entities=[{"name": "Ann", "entityType": "person", "observations": ["likes tea"]}])
        assert "likes tea" in call(box, "search_nodes", query="Ann").text


# HTTP

HTTP_SERVER = """
    import sys, typing
    from mcp.server import MCPServer
    from mcp.server.mcpserver import Context

    app = MCPServer("http", log_level="ERROR")

    @app.tool()
    def add(a: int, b: int) -> int:
        "Add two numbers."
        return a + b

    @app.tool()
    def whoami(ctx: Context) -> str:
        "The caller's token."
        return ctx.request_context.request.headers.get("authorization", "nobody")

    @app.tool()
    def big() -> str:
        return "x" * 3_000_000

    app.run("streamable-http", port=int(sys.argv[1]))
"""


def http_server(port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HTTP_SERVER), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def reached(program: subprocess.Popen[bytes], url: str, **options: Any) -> MCPToolbox:
    """A toolbox of a server that is just being started."""
    deadline = time.monotonic() + LATE_S
    while True:
        try:
            return MCPToolbox(url, **options)
        except ToolError:
            assert program.poll() is None, f"the server ended with {program.returncode}"
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)


def test_an_http_server_is_called_dies_and_is_reached_again() -> None:
    with held_port() as port:
        program = http_server(port)
        try:
            headers = {"Authorization": "Bearer s3cret"}
            with reached(program, f"http://127.0.0.1:{port}/mcp?key=hidden", headers=headers) as box:
                assert call(box, "add", a=2, b=3).text == "5"
                assert call(box, "whoami").text == "Bearer s3cret"
                assert len(call(box, "big").text) == 4096
                program.kill()
                program.wait()
                for _ in range(MAX_RESTARTS + 2):  # no limit: nothing is started here
                    seen = call(box, "add", a=2, b=3)
                    assert not seen.ok
                    assert seen.text.startswith("add failed: the MCP server ")
                    assert "may or may not" not in seen.text  # nobody listened
                    assert "hidden" not in seen.text
                    assert "s3cret" not in seen.text
                program = http_server(port)
                deadline = time.monotonic() + LATE_S
                while not (seen := call(box, "add", a=2, b=3)).ok:
                    assert program.poll() is None
                    assert time.monotonic() < deadline, seen.text
                    time.sleep(0.1)
                assert seen.text == "5"
        finally:
            program.kill()
            program.wait()


class Odd(BaseHTTPRequestHandler):
    """Answers every request in one wrong way, or not before the test is over."""

    status, kind, body, silent = 200, "text/html", b"<html>Welcome</html>", False
    over: threading.Event

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.silent:
            self.over.wait(60)
            return
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ({}, "Unexpected content type: text/html"),
        ({"status": 500}, "its last answer: 'HTTP 500 Internal Server Error'"),
        ({"status": 401, "kind": "application/json"}, "its last answer: 'HTTP 401 Unauthorized'"),
        ({"kind": "application/json", "body": b'{"jsonrpc": "2.0", "id'}, "failed: "),
        ({"status": 302, "kind": "text/plain"}, "its last answer: 'HTTP 302 Found'"),
        ({"silent": True}, "gave no answer within 1 seconds"),
    ],
)
def test_what_is_no_mcp_endpoint(shape: dict[str, Any], told: str) -> None:
    over = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Shaped", (Odd,), {**shape, "over": over}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/mcp"
        limit_s = 1 if "silent" in shape else START_TIMEOUT_S
        assert told in refusal(lambda: MCPToolbox(url, start_timeout_s=limit_s))
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def test_nobody_listens() -> None:
    with held_port() as port:
        assert "ConnectError" in refusal(lambda: MCPToolbox(f"http://127.0.0.1:{port}/mcp"))


# Servers that misbehave


def test_a_server_that_dies_in_a_call_is_started_again_by_the_next(tmp_path: Path) -> None:
    body = """
    def called(request):
        if request["params"]["arguments"]["text"] == "die":
            os._exit(3)
        sys.stderr.write("out of\\ncheese\\n\\n")
        sys.stderr.flush()
        text(request, f"{os.getpid()}")
    """
    with MCPToolbox(script(tmp_path, textwrap.dedent(body))) as box:
        first = echo(box).text
        eventually(lambda: connection_of(box)._tail.last_line == "cheese")  # a call waits but little for it
        dead = echo(box, "die")
        assert not dead.ok
        assert "ended during this call, which may or may not have taken effect" in dead.text
        assert "last on its stderr: 'cheese'" in dead.text
        second = echo(box)
        assert second.ok
        assert second.text != first


def test_a_server_that_dies_between_two_calls(tmp_path: Path) -> None:
    with MCPToolbox(script(tmp_path, PID)) as box:
        first = kill(box)
        seen = echo(box)
        assert not seen.ok
        assert "ended before this call, which was not made" in seen.text
        again = echo(box)
        assert again.ok
        assert int(again.text) != first


def test_threads_share_one_restart(tmp_path: Path) -> None:
    with MCPToolbox(script(tmp_path, PID)) as box:
        kill(box)
        assert not echo(box).ok
        with ThreadPoolExecutor(8) as pool:
            assert len({one.text for one in pool.map(lambda _: echo(box), range(16))}) == 1


def test_a_server_that_always_dies_is_left_alone_after_a_while(tmp_path: Path) -> None:
    marks = tmp_path / "starts"
    body = f"open({str(marks)!r}, 'a').write('x')\ndef called(request): os._exit(1)"
    with MCPToolbox(script(tmp_path, body)) as box:
        seen = [echo(box) for _ in range(MAX_RESTARTS + 3)]
    assert not any(one.ok for one in seen)
    assert len(marks.read_text(encoding="utf-8")) == 1 + MAX_RESTARTS
    assert "is not started again" in seen[-1].text
    assert f"{MAX_RESTARTS + 1} times in a row" in seen[-1].text


def test_a_server_that_cannot_be_started_again_says_so_each_time(tmp_path: Path) -> None:
    command = script(tmp_path, "def called(request): os._exit(1)")
    with MCPToolbox(command) as box:
        echo(box)
        Path(command[-1]).unlink()
        said = [echo(box).text for _ in range(MAX_RESTARTS)]
    assert all("ended before it answered" in one for one in said)
    assert any("can't open file" in one for one in said)  # a call waits but little for what stands on stderr


def test_a_server_that_never_answers_the_handshake(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    body = f"open({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(1000)"
    said = refusal(lambda: MCPToolbox(script(tmp_path, body), start_timeout_s=2))
    assert "gave no answer within 2 seconds" in said
    eventually(lambda: pid.exists() and pid.read_text(encoding="utf-8") != "")  # it is killed two seconds later
    assert ends(int(pid.read_text(encoding="utf-8")))


def test_a_server_that_never_answers_a_call(tmp_path: Path) -> None:
    body = """
    def called(request):
        if request["params"]["arguments"]["text"] == "hi":
            text(request, "there")
    """
    with MCPToolbox(script(tmp_path, textwrap.dedent(body)), timeout_s=0.5) as box:
        begin = time.monotonic()
        assert "gave no result within 0.5 seconds" in echo(box, "never").text
        assert time.monotonic() - begin < TIMEOUT_S / 2
        patient = box._session.call("echo", {"text": "hi"}, timeout_s=TIMEOUT_S)
        assert observation_of(patient).text == "there"


def test_a_server_that_ends_at_any_message_before_initialize(tmp_path: Path) -> None:
    body = """
    first = sys.stdin.readline()
    if "initialize" not in first:
        sys.exit("expected initialize")
    import itertools
    sys.stdin = itertools.chain([first], sys.stdin)
    def called(request): text(request, str(os.getpid()))
    """
    with MCPToolbox(script(tmp_path, textwrap.dedent(body))) as box:
        kill(box)
        assert not echo(box).ok
        assert echo(box).ok


def test_garbage_instead_of_a_server(tmp_path: Path) -> None:
    for body in ("while True: print('Hello ' * 3)", "while True: sys.stdout.buffer.write(b'Hello \\xff\\n')"):
        said = refusal(lambda body=body: MCPToolbox(script(tmp_path, body)))  # type: ignore[misc]
        assert "does not speak MCP; it wrote what is no MCP message: 'Hello" in said
    assert "usage: server [-h]" in refusal(lambda: MCPToolbox(["echo", "usage: server [-h]"]))


def test_garbage_between_messages_is_passed_over(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    body = "def called(request):\n    print('debug: called')\n    print('[1, 2]')\n    text(request, 'fine')"
    with MCPToolbox(script(tmp_path, body)) as box:
        assert echo(box).text == "fine"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("print('Oops', flush=True)", "'Oops'"),
        ("write({'id': request['id'], 'result': 'x'})", ""),
        ("write({'id': request['id'], 'result': []})", ""),
    ],
)
def test_garbage_instead_of_a_result_is_named(tmp_path: Path, written: str, told: str) -> None:
    with MCPToolbox(script(tmp_path, f"def called(request): {written}"), timeout_s=0.5) as box:

        def named() -> bool:  # by a later call, should half a second be too short for the server
            seen = echo(box)
            assert not seen.ok
            assert "\n" not in seen.text
            assert "gave no result within 0.5 seconds" in seen.text
            return f"; it wrote what is no MCP message: {told}" in seen.text

        eventually(named)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ('{"content": "x"}', "result is not usable: content: Input should be a valid list"),
        ('{"content": [{"type": "song"}]}', "result is not usable: content.0"),
        ("{}", "result is not usable: content: Field required"),
        ('{"content": []}', "has an output schema but did not return structured content"),
        ('{"content": [], "structuredContent": {"n": "x"}}', "Invalid structured content"),
    ],
)
def test_a_result_of_another_shape_is_an_observation(tmp_path: Path, result: str, told: str) -> None:
    promise = "TOOLS[0]['outputSchema'] = {'type': 'object', 'properties': {'n': {'type': 'integer'}}}"
    body = f"{promise}\ndef called(request): write({{'id': request['id'], 'result': json.loads({result!r})}})"
    with MCPToolbox(script(tmp_path, body)) as box:
        seen = echo(box)
    assert not seen.ok
    assert "\n" not in seen.text
    assert told in seen.text


def test_a_refused_call_is_an_observation(tmp_path: Path) -> None:
    body = "def called(request): write({'id': request['id'], 'error': {'code': 5, 'message': 'no\\nway'}})"
    with MCPToolbox(script(tmp_path, body)) as box:
        assert echo(box) == Observation(text="echo failed: the MCP server refused the call: no way.", ok=False)


def test_bad_tools_are_left_out_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    body = """
    good = TOOLS[0]["inputSchema"]
    TOOLS += [
        {"name": "wrong_type", "inputSchema": {"type": "object", "properties": {"x": {"type": "strng"}}}},
        {"name": "not_object", "inputSchema": {"type": "string"}},
        {"name": "without", "description": "no schema"},
        {"name": "elsewhere", "inputSchema": {"type": "object", "properties": {"x": {"$ref": "http://x.test/y"}}}},
        {"name": "echo", "inputSchema": good},
        {"name": "x" * 200, "inputSchema": good},
        {"name": 5, "inputSchema": good},
        "nothing",
        {"name": "files/read me", "inputSchema": {"type": "object"}},
    ]
    """
    with caplog.at_level(logging.WARNING), MCPToolbox(script(tmp_path, textwrap.dedent(body))) as box:
        assert names(box) == ["echo", "files_read_me"]
        assert echo(box).ok
    warnings = [record.getMessage() for record in caplog.records]
    for name in ("wrong_type", "not_object", "without", "elsewhere", "echo", "xxx", "5", "nothing"):
        assert any(name in warning for warning in warnings), name
    assert len(warnings) == 8
    assert not any("\n" in warning for warning in warnings)


def test_a_cleaned_name_still_calls_the_server_s_tool(tmp_path: Path) -> None:
    body = "TOOLS[0]['name'] = 'a/b'\ndef called(request): text(request, request['params']['name'])"
    with MCPToolbox(script(tmp_path, body), prefix="p.") as box:
        assert call(box, "p.a_b", text="x").text == "a/b"


def test_no_tool_that_can_be_used(tmp_path: Path) -> None:
    assert "offers no tool" in refusal(lambda: MCPToolbox(script(tmp_path, "TOOLS.clear()")))
    body = "TOOLS[0]['inputSchema'] = {'type': 'object', 'required': 5}"
    assert "'echo'" in refusal(lambda: MCPToolbox(script(tmp_path, body)))


@pytest.mark.parametrize("option", [{"include": ["ecko"]}, {"exclude": ["ecko"]}])
def test_a_name_to_choose_that_is_not_there(tmp_path: Path, option: dict[str, Any]) -> None:
    assert "has no tool 'ecko'; its tools: echo" in refusal(lambda: MCPToolbox(script(tmp_path), **option))


def test_a_huge_result_is_cut(tmp_path: Path) -> None:
    body = "def called(request): text(request, 'é' * 1_000_000 + 'end', isError=True)"
    with MCPToolbox(script(tmp_path, body), max_chars=500) as box:
        seen = echo(box)
    assert len(seen.text) <= 500
    assert seen.text.endswith("end")
    assert not seen.ok


def test_stderr_never_blocks_and_is_bounded(tmp_path: Path) -> None:
    body = """
    def called(request):
        if request["params"]["arguments"]["text"] == "die":
            os._exit(1)
        sys.stderr.write("noise " * 300_000 + "\\nlast words " + "!" * 10_000)
        sys.stderr.flush()
        text(request, "ok")
    """
    with MCPToolbox(script(tmp_path, textwrap.dedent(body))) as box:
        assert echo(box).text == "ok"
        eventually(lambda: connection_of(box)._tail.last_line.startswith("!!!"))
        seen = echo(box, "die").text
    assert "!!!" in seen
    assert len(seen) < 1200


def test_pages_are_followed_but_not_for_ever(tmp_path: Path) -> None:
    body = """
    def listed(request):
        at = int(request.get("params", {}).get("cursor", 0))
        tool = {"name": f"t{at}", "inputSchema": {"type": "object"}}
        result = {"tools": [tool]} | ({"nextCursor": str(at + 1)} if at + 1 < LAST else {})
        write({"id": request["id"], "result": result})
    """
    for last, seen in ((3, 3), (10_000, 100)):
        with MCPToolbox(script(tmp_path, f"LAST = {last}\n{textwrap.dedent(body)}")) as box:
            assert names(box) == [f"t{n}" for n in range(seen)]


def test_changed_tools_are_listed_again(tmp_path: Path) -> None:
    body = """
    def called(request):
        TOOLS.append({"name": f"new{calls}", "inputSchema": {"type": "object"}})
        write({"method": "notifications/tools/list_changed"})
        text(request, "added")
    """
    with MCPToolbox(script(tmp_path, textwrap.dedent(body))) as box:
        echo(box)
        eventually(lambda: names(box) == ["echo", "new1"])
        assert set(box.annotations) == {"echo", "new1"}
        assert call(box, "new1").text == "added"


NEWEST = """
    from mcp.server import MCPServer
    from mcp.server.mcpserver import Context

    app = MCPServer("newest", log_level="ERROR")

    @app.tool()
    async def learn(ctx: Context) -> str:
        app.add_tool(lambda: "new", name="learnt", description="New.")
        await ctx.notify_tools_changed()
        return "done"

    app.run()
"""


def test_changed_tools_of_the_newest_protocol_are_listed_again() -> None:
    with MCPToolbox([sys.executable, "-c", textwrap.dedent(NEWEST)], start_timeout_s=LATE_S) as box:
        assert names(box) == ["learn"]

        def learnt() -> bool:  # told again and again: who has not subscribed yet does not hear of it
            assert call(box, "learn").text == "done"
            return names(box) == ["learn", "learnt"]

        eventually(learnt)
        assert call(box, "learnt").text == "new"


# Processes and options


def test_closing_ends_the_server_and_refuses_calls(tmp_path: Path) -> None:
    box = MCPToolbox(script(tmp_path, PID))
    pid = int(echo(box).text)
    assert alive(pid)
    threads = threading.active_count()
    box.close()
    box.close()
    assert not alive(pid)
    assert threading.active_count() < threads
    assert echo(box) == Observation(text="echo failed: the MCP server is closed.", ok=False)


def test_a_forgotten_toolbox_is_closed(tmp_path: Path) -> None:
    box = MCPToolbox(script(tmp_path, PID))
    pid = int(echo(box).text)
    del box
    gc.collect()
    assert ends(pid)


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "import os; os.kill(os.getpid(), 9)"])
def test_no_server_outlives_the_program(tmp_path: Path, end: str) -> None:
    program = f"""
    from alpha_umi.tools.mcp.toolbox import MCPToolbox
    from alpha_umi.trajectory import Call
    box = MCPToolbox({script(tmp_path, PID)!r})
    print(box.invoke(Call(tool="echo", arguments={{"text": ""}})).text, flush=True)
    {end}
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == ""
    assert ends(int(done.stdout))


def test_a_stubborn_server_is_killed_with_its_children(tmp_path: Path) -> None:
    body = """
    import signal, subprocess
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdin=subprocess.DEVNULL)
    def called(request): text(request, f"{os.getpid()} {child.pid}")
    import atexit
    atexit.register(lambda: time.sleep(600))
    """
    box = MCPToolbox(script(tmp_path, textwrap.dedent(body)))
    pids = [int(pid) for pid in echo(box).text.split()]
    begin = time.monotonic()
    box.close()
    assert time.monotonic() - begin < 60
    assert all(ends(pid) for pid in pids)


def test_closing_gives_waiting_calls_up(tmp_path: Path) -> None:
    marks = tmp_path / "calls"
    marks.touch()
    body = f"def called(request):\n    with open({str(marks)!r}, 'a') as file: file.write('x')"
    box = MCPToolbox(script(tmp_path, body), timeout_s=120)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(echo, box) for _ in range(2)]
        eventually(lambda: marks.read_text(encoding="utf-8") == "xx")
        box.close()
        assert not any(one.result(timeout=60).ok for one in waiting)


def test_a_program_sees_only_the_environment_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    body = "def called(request): text(request, json.dumps([sorted(os.environ), os.getcwd()]))"
    with MCPToolbox(script(tmp_path, body), env={"EXTRA": "1"}, cwd=tmp_path) as box:
        variables, folder = json.loads(echo(box).text)
    assert "EXTRA" in variables
    assert "OPENAI_API_KEY" not in variables
    assert Path(folder) == tmp_path.resolve()


def test_two_servers_stand_together_under_prefixes(tmp_path: Path) -> None:
    command = script(tmp_path)
    with MCPToolbox(command, prefix="a_") as one, MCPToolbox(command, prefix="b_") as other:
        both = CombinedToolbox([one, other])
        assert names(both) == ["a_echo", "b_echo"]
        assert call(both, "b_echo", text="x").text == "x"
        with pytest.raises(ToolError, match="two tools have the same name: a_echo"):
            CombinedToolbox([one, one])


def test_a_missing_program() -> None:
    said = refusal(lambda: MCPToolbox("no-such-program --now"))
    assert said == "MCP server 'no-such-program --now' cannot be started: No such file or directory: 'no-such-program'"
    assert "cannot be started" in refusal(lambda: MCPToolbox([sys.executable], cwd="/no/such/folder"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"server": ""}, "no MCP server is named"),
        ({"server": []}, "no MCP server is named"),
        ({"server": "python 'x"}, "cannot read the command line"),
        ({"server": ["a\0b"]}, "NUL"),
        ({"server": "https://"}, "no valid host"),
        ({"server": "http://h:99999/mcp"}, "no valid host"),
        ({"server": "http://h/mcp", "env": {}}, "env and cwd are for a command line"),
        ({"server": "python", "headers": {}}, "headers are for a URL"),
        ({"server": "python", "timeout_s": 0}, "must be positive"),
        ({"server": "python", "prefix": "a b"}, "prefix 'a b' is invalid"),
    ],
)
def test_wrong_options(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        MCPToolbox(**arguments)


def test_a_server_is_named_without_its_secrets() -> None:
    assert server_of("python -m 'a b'") == StdioServer(("python", "-m", "a b"))
    server = server_of("https://user:pw@h.test:8443/mcp?key=1", headers={"X-Key": "2"})
    assert isinstance(server, HttpServer)
    assert server.label == "https://h.test:8443/mcp"
    assert "X-Key" not in repr(server)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.delitem(sys.modules, "alpha_umi.tools.mcp.toolbox")
    with pytest.raises(MissingExtra, match="pip install 'alpha-umi\\[tools\\]'"):
        importlib.import_module("alpha_umi.tools.mcp.toolbox")


# Results


def said(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text} for text in texts]


def resource(**fields: str) -> list[dict[str, Any]]:
    return [{"type": "resource", "resource": {"uri": "f://x", **fields}}]


@pytest.mark.parametrize(
    ("content", "structured", "text"),
    [
        ([], None, "(empty result)"),
        (said("a", "b"), None, "a\nb"),
        ([{"type": "audio", "data": "AAAA", "mimeType": "audio/wav"}], None, "[audio: audio/wav, 3 bytes]"),
        (resource(text="T"), None, "[resource f://x]\nT"),
        (resource(blob="AA==", mimeType="a/b"), None, "[resource f://x: a/b, 1 bytes]"),
        ([], {"n": 1}, '{"n":1}'),
        (said('{"n": 1}'), {"n": 1}, '{"n": 1}'),
        (said("5"), {"result": "5"}, "5"),
        (said("5"), {"result": 5}, "5"),
        (said("1", "2"), {"result": [1, 2]}, "1\n2"),
        (said("See."), {"n": 1}, 'See.\n{"n":1}'),
    ],
)
def test_results_become_text(content: list[Any], structured: Any, text: str) -> None:
    result = CallToolResult.model_validate({"content": content, "structuredContent": structured})
    assert observation_of(result) == Observation(text=text)
