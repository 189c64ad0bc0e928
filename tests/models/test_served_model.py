"""A role spoken by a real model server: SmolLM2 under `transformers serve`, started by the test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from alpha_umi import Agent, Budget, ScriptedModel
from alpha_umi.backends import Generation
from alpha_umi.models.local.bases import resolve_base
from alpha_umi.models.protocol import Message, Request
from alpha_umi.models.remote import RemoteModel
from alpha_umi.roles import DEFAULT_BASE

if TYPE_CHECKING:
    from alpha_umi.models.local.base_weights import load_tokenizer

pytestmark = [pytest.mark.model, pytest.mark.slow]

ASKED = (Message(role="system", content="You answer briefly."), Message(role="user", content="Name a colour."))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's address. It must be told a port, which another may take meanwhile: then it is told one more."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "hub").mkdir()
    process, port = begun(folder)
    try:
        up = is_up(process, port)
        if not up and "address already in use" in (folder / "log").read_text():
            process, port = begun(folder)
            up = is_up(process, port)
        assert up, (folder / "log").read_text()[-2000:]
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(60)


def begun(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A server that is coming up on a port that is free now; its log is in the folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("transformers")
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder)}
    command = [str(program), "serve", resolve_base(DEFAULT_BASE), "--device", "cpu", "--dtype", "bfloat16"]
    with (folder / "log").open("w") as log:
        return subprocess.Popen([*command, "--port", str(port)], env=env, stdout=log, stderr=log), port


def is_up(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until it answers or has ended, five minutes at most; whether it answers."""
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health", timeout=2).status_code == 200:
                return True
        except httpx.HTTPError:
            time.sleep(0.5)
    return False


@pytest.fixture
def model(url: str) -> RemoteModel:
    return RemoteModel(resolve_base(DEFAULT_BASE), url=url, timeout=240)


def test_it_streams_what_it_writes(model: RemoteModel) -> None:
    pieces: list[str] = []
    done = model.complete(Request(messages=ASKED, generation=Generation(max_new_tokens=12), on_text=pieces.append))
    assert done.text
    assert "".join(pieces) == done.text
    assert len(pieces) > 1
    assert 0 < done.completion_tokens <= 13
    assert done.prompt_tokens == pytest.approx(len(load_tokenizer().encode("".join(m.content for m in ASKED))), abs=40)


def test_it_speaks_for_a_role(model: RemoteModel) -> None:
    """The summarizer is the server's; what it says is the answer."""

    def look() -> str:
        """Look at the sky."""
        return "the sky is blue"

    models: dict[str, Any] = {
        "planner": ScriptedModel(["I look. Next: caller.", "Seen. Next: conclusion."]),
        "caller": ScriptedModel(["Action: look\nAction Input: {}"]),
        "summarizer": model,
    }
    result = Agent.from_team("umi", tools=[look], models=models, budget=Budget(max_seconds=240)).run("What colour?")
    assert result.answer
    assert result.usage["summarizer"].completion_tokens > 0


def test_a_model_that_it_does_not_have_is_one_line(url: str) -> None:
    from alpha_umi.errors import WorkError

    with pytest.raises(WorkError) as error:
        RemoteModel("nobody/has-this", url=url, retries=0).complete(Request(messages=ASKED))
    assert "\n" not in str(error.value)
