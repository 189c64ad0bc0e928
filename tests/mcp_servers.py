"""MCP servers for tests: tiny scripts without the SDK, so that they can misbehave, and the published npm ones."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

RAW = """
import json, os, sys, time

TOOLS = [{{"name": "echo", "description": "Say it again.", "inputSchema": {{
    "type": "object", "properties": {{"text": {{"type": "string"}}}}, "required": ["text"]}}}}]
calls = 0

def write(message):
    sys.stdout.write(json.dumps({{"jsonrpc": "2.0", **message}}) + "\\n")
    sys.stdout.flush()

def text(request, words, **more):
    write({{"id": request["id"], "result": {{"content": [{{"type": "text", "text": words}}], **more}}}})

def listed(request):
    write({{"id": request["id"], "result": {{"tools": TOOLS}}}})

def called(request):
    text(request, request["params"]["arguments"]["text"])

def initialized():
    pass

{body}

for line in sys.stdin:
    request = json.loads(line)
    method = request.get("method")
    if method == "initialize":
        info = {{"protocolVersion": "2025-06-18", "serverInfo": {{"name": "raw", "version": "1"}}}}
        write({{"id": request["id"], "result": {{**info, "capabilities": {{"tools": {{"listChanged": True}}}}}}}})
    elif method == "notifications/initialized":
        initialized()
    elif method == "tools/list":
        listed(request)
    elif method == "tools/call":
        calls += 1
        called(request)
    elif "id" in request:
        write({{"id": request["id"], "error": {{"code": -32601, "message": "Method not found"}}}})
"""


def script(folder: Path, body: str = "", *, name: str = "server.py") -> list[str]:
    """The command line of a server with one tool, `echo`, some of whose functions `body` replaces."""
    path = folder / name
    path.write_text(RAW.format(body=body), encoding="utf-8")
    return [sys.executable, "-I", str(path)]


def alive(pid: int) -> bool:
    """Whether a process runs."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        return not stat.exists() or stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):  # it may end between any two of these
        return False


def ends(pid: int, *, within_s: float = 60.0) -> bool:
    """Whether a process ends within a time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def install_npm_servers(folder: Path) -> Path:
    """Install the published reference servers with npm, or skip the test with the reason why that cannot be."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("npm and node are not installed: the npm reference servers are not tested")
    packages = [f"@modelcontextprotocol/server-{name}" for name in ("everything", "filesystem", "memory")]
    limits = ["--fetch-retries=0", "--fetch-timeout=20000", "--no-audit", "--no-fund", "--ignore-scripts"]
    command = [npm, "install", "--prefix", str(folder), *limits, *packages]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm install took longer than 120 seconds: the npm reference servers are not tested")
    if done.returncode:
        why = " ".join(done.stderr.split())[-200:]
        pytest.skip(f"the npm reference servers cannot be installed: {why}")
    return folder


@contextmanager
def held_port() -> Iterator[int]:
    """A port of this machine that nobody listens on, and that only who is told of it can get meanwhile.

    Linux lets a server listen there all the same, since both sides set SO_REUSEADDR and this one does not listen.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
