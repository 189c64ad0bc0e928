"""The examples that put the agent into a program: each run as its reader would run it."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from chat_server import chunk, serving
from lending import lend
from postgres_server import binaries, postgres

from alpha_umi import Agent, load_team

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PRICE = (
    ["I need the price. Next: caller.", "It is 9 euros. Next: conclusion."],
    ['Action: price\nAction Input: {"article": "cup", "count": 2}'],
    ["Two cups cost 9 euros."],
)


@contextmanager
def uvicorn_app(folder: Path) -> Iterator[str]:
    """The FastAPI example under a real server, over scripted models; its address.

    It chooses its port and says which: one that was free beforehand may be taken by then.
    """
    (folder / "served.py").write_text(
        "import socket, sys, types, uvicorn\n"
        f"sys.path.insert(0, {str(EXAMPLES.parent)!r})\n"
        "from alpha_umi import ScriptedModel, RoleName\n"
        "def load_models(team):\n"
        f"    script = dict(zip(RoleName, {PRICE!r}))\n"
        "    return {role: ScriptedModel(texts, repeat_last=True) for role, texts in script.items()}\n"
        "sys.modules['alpha_umi.models.loading'] = types.SimpleNamespace(load_models=load_models)\n"
        "from examples.fastapi_app import app\n"
        "listening = socket.create_server(('127.0.0.1', 0))\n"
        "print(listening.getsockname()[1], flush=True)\n"
        "uvicorn.Server(uvicorn.Config(app, log_level='warning')).run(sockets=[listening])\n"
    )
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, str(folder / "served.py")], stdout=subprocess.PIPE, stderr=log)
    too_late = threading.Timer(120, process.kill)
    too_late.start()
    try:
        assert process.stdout is not None
        port = process.stdout.readline().decode().strip()
        too_late.cancel()
        assert port, (folder / "log").read_text()[-3000:]
        yield f"http://127.0.0.1:{port}"
    finally:
        too_late.cancel()
        process.terminate()
        process.communicate(timeout=60)


def test_fastapi_streams_the_events(tmp_path: Path) -> None:
    asked = {"question": "What do two cups cost?"}
    with uvicorn_app(tmp_path) as url, httpx.stream("GET", f"{url}/ask", params=asked, timeout=120) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = "".join(answer.iter_text())
    kinds = re.findall(r"^event: (\w+)$", text, re.MULTILINE)
    assert kinds.index("token") < kinds.index("decided") < kinds.index("called") < kinds.index("observed")
    assert kinds[-1] == "finished"
    last = json.loads(re.findall(r"^data: (.*)$", text, re.MULTILINE)[-1])
    assert last["result"]["answer"] == "Two cups cost 9 euros."


def test_approval_over_two_runs_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pay = 'Action: pay\nAction Input: {"amount": 30, "to": "Ann"}'
    lend(monkeypatch, ["I pay. Next: caller."], [pay], [])
    main = runpy.run_path(str(EXAMPLES / "approval.py"))["main"]
    main("ask", "Pay 30 euros to Ann")
    assert capsys.readouterr().out == "May I? pay {'amount': 30, 'to': 'Ann'}\n"
    lend(monkeypatch, ["Paid. Next: conclusion."], [], ["Ann has her money."])
    main("approve")
    paid, answer = capsys.readouterr().out.splitlines()
    assert paid.startswith("paid 30 euros to Ann, receipt call_")
    assert answer == "Ann has her money."


@pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed here")
@pytest.mark.slow
def test_postgres_keeps_threads(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    main: Any = runpy.run_path(str(EXAMPLES / "postgres_threads.py"))["main"]
    with postgres() as url:
        lend(monkeypatch, *PRICE)
        asyncio.run(main(url, "What do two cups cost?"))
        assert capsys.readouterr().out == "Two cups cost 9 euros.\n"
        lend(monkeypatch, [], [], [])
        asyncio.run(main(url))  # over: its result again, without a word of a model
        assert capsys.readouterr().out == "Two cups cost 9 euros.\n"
        lend(monkeypatch, ["Known. Next: conclusion."], [], ["Nine, as I said."])
        asyncio.run(main(url, "How much was it?"))
        assert capsys.readouterr().out == "Nine, as I said.\n"


def test_a_vllm_team_over_its_endpoints(tmp_path: Path) -> None:
    """The example's team against a server that answers as vLLM does: one model name for each adapter."""
    texts = dict(zip(("planner", "caller", "summarizer"), PRICE, strict=True))
    spoken = dict.fromkeys(texts, 0)

    def speak(handler: Any, _: int) -> None:
        name = handler.server.asked[-1]["model"]
        text = texts[name][spoken[name]]
        spoken[name] += 1
        handler.stream(*(chunk(word) for word in re.findall(r"\S+\s*", text)), chunk("", end="stop"))

    def price(article: str, count: int = 1) -> float:
        """What a number of articles costs, in euros."""
        return {"cup": 4.5}[article] * count

    with serving(speak) as server:
        text = (EXAMPLES / "vllm_team.yaml").read_text().replace("http://127.0.0.1:8000/v1", server.url)
        (tmp_path / "vllm.yaml").write_text(text)
        result = Agent.from_team(str(tmp_path / "vllm.yaml"), tools=[price]).run("What do two cups cost?")
    assert result.answer == "Two cups cost 9 euros."
    assert [body["model"] for body in server.asked] == ["planner", "caller", "planner", "summarizer"]
    held = ["structured_outputs" in body for body in server.asked]
    assert held == [True, True, True, False]
    assert all(
        "Action Input" in body["structured_outputs"]["grammar"] for body in server.asked if body["model"] == "caller"
    )


def test_the_vllm_command_fits_the_team() -> None:
    """The adapters that the command serves are the models that the team names."""
    text = (EXAMPLES / "vllm_team.yaml").read_text()
    served = set(re.findall(r"(\w+)=adapters/", text))
    team = load_team(str(EXAMPLES / "vllm_team.yaml"))
    assert {role.served.model for role in (team.planner, team.caller, team.summarizer) if role.served} == served
    assert "--enable-lora" in text
    assert yaml.safe_load(text)["layout"] == "paper"  # vLLM knows no activated LoRA
