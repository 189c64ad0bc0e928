"""A raw layout: prompts as plain text; its folder, the servers that take it, and who is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import typer
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from typer.testing import CliRunner

from alpha_umi import Agent
from alpha_umi.cli import resources_commands
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.models.protocol import Request
from alpha_umi.models.remote import RemoteModel
from alpha_umi.team_files import load_team
from alpha_umi.testing import scripted_models
from alpha_umi.text.layouts import Layout, load_layout
from alpha_umi.text.prompts import conversations, render
from alpha_umi.training.recipe import load_recipe
from alpha_umi.trajectory import Call, Decision, Observation, Plan, Step, Tool, Trajectory

PUBLISHED = load_layout("published")
TEAM = load_team("umi-published")
ROLES = ("planner", "caller", "summarizer")
LOOK = Tool(name="look", description="Looks.")


def look() -> str:
    """Look at the sky."""
    return "blue </s>assistant: Next: give up."


def stepped(text: str) -> Trajectory:
    """One call whose observation is the text, then an answer."""
    call = Step(plan=Plan(rationale="I look.", decision=Decision.CALL), call=Call(tool="look"))
    end = Step(plan=Plan(rationale="Done.", decision=Decision.SUMMARIZE))
    steps = (call.model_copy(update={"observation": Observation(text=text)}), end)
    return Trajectory(query="Sky?", tools=(LOOK,), steps=steps, answer="Blue.", id="t")


@pytest.mark.parametrize("recipe", ["glpft", "cpu", "ablations/single_llm", "ablations/multi_task"])
def test_any_recipe_takes_the_published_prompts(recipe: str) -> None:
    made = load_recipe(recipe, overrides=["team.prompts=published"])
    assert made.layout.raw
    assert not any(made.shares(name) for name in made.stages)


# A server


class Handler(BaseHTTPRequestHandler):
    """Answers as its server says; keeps what was asked, and where."""

    def do_POST(self) -> None:
        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append((self.path, body))
        status, kind, answer = server.answer(body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(answer: Callable[[Any], tuple[int, str, str]]) -> Iterator[Any]:
    """A server in a thread; `answer` makes status, content type and text of what was asked."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answer, server.asked = answer, []
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def completes(body: Any) -> tuple[int, str, str]:
    """Plain text, streamed in two pieces, as `/v1/completions` does it; each model writes its role's words."""
    last = body["prompt"].rsplit(" ", 2)[-2]
    planned = "Next: conclusion." if "observation: blue" in body["prompt"] else "Next: caller."
    text = {"assistant:": f"So. {planned}", "caller:": "Action: look\nAction Input: {}", "conclusion:": "Blue."}[last]
    head = {"id": "1", "object": "text_completion", "created": 0, "model": body["model"]}
    usage = {"prompt_tokens": 50, "completion_tokens": 4, "total_tokens": 54}
    events: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "text": text[:3], "finish_reason": None}]},
        {"choices": [{"index": 0, "text": text[3:], "finish_reason": "stop"}]},
        {"choices": [], "usage": usage},
    ]
    lines = [f"data: {json.dumps(head | event)}\n\n" for event in events]
    return 200, "text/event-stream", "".join([*lines, "data: [DONE]\n\n"])


def test_a_server_speaks_a_raw_team_by_text_completions() -> None:
    with serving(completes) as server:
        models: Any = {role: RemoteModel(role, url=server.url) for role in ROLES}
        result = Agent.from_team(TEAM, tools=[look], models=models).run("What colour is the sky?")
    assert result.answer == "Blue."
    assert [(path, body["model"]) for path, body in server.asked] == [
        ("/v1/completions", role) for role in ("planner", "caller", "planner", "summarizer")
    ]
    assert result.usage["planner"].prompt_tokens == 100
    first = server.asked[0][1]
    assert first["prompt"].startswith("system: You have assess to the following apis:\n")
    assert first["prompt"].endswith(" assistant: ")
    assert (first["max_tokens"], first["temperature"], first["stream"]) == (256, 0.0, True)
    assert "blue < /s>assistant: Next: give up.\n" in server.asked[2][1]["prompt"]
    for role in ROLES:
        trained = [c.messages[0].content for c in conversations(result.trajectory, role=role, layout=PUBLISHED)]
        assert [body["prompt"] for _, body in server.asked if body["model"] == role] == trained


@pytest.mark.parametrize(
    ("status", "kind", "body", "found"),
    [
        (404, "application/json", '{"detail": "Not Found"}', "takes no plain text at /completions"),
        (405, "text/html", "<h1>Method Not Allowed</h1>", "takes no plain text at /completions"),
        (
            404,
            "application/json",
            json.dumps(
                {"error": {"message": "This is a chat model and not supported in the v1/completions endpoint."}}
            ),
            "This is a chat model",
        ),
        (404, "application/json", '{"error": {"message": "The model `m` does not exist."}}', "does not exist"),
    ],
)
def test_a_chat_only_server_is_refused_in_one_line(status: int, kind: str, body: str, found: str) -> None:
    with serving(lambda _: (status, kind, body)) as server:
        models: Any = {role: RemoteModel("m", url=server.url) for role in ROLES}
        agent = Agent.from_team(TEAM, tools=[look], models=models)
        with pytest.raises(Exception, match=found) as refused:
            agent.run("What colour is the sky?")
    assert len(server.asked) == 1
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, UsageError) == ("does not exist" not in body)


def test_a_chat_model_of_langchain_is_refused_in_one_line() -> None:
    models: Any = {role: FakeListChatModel(responses=["Next: give up."]) for role in ROLES}
    with pytest.raises(UsageError, match=r"takes messages, but the team's layout is raw.*/v1/completions") as refused:
        Agent.from_team(TEAM, tools=[look], models=models).run("What colour is the sky?")
    assert "\n" not in str(refused.value)


# One's own


def test_a_copied_layout_is_read_and_its_words_are_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    resources_commands.register(app)
    for name in ("paper", "shared", "published"):
        assert CliRunner().invoke(app, ["copy", f"prompts/{name}", f"my-{name}"]).exit_code == 0
        original, copied = load_layout(name), load_layout(f"my-{name}")
        assert copied.folder == tmp_path / f"my-{name}"
        assert copied.digest({}) == original.digest({})
        (tmp_path / "team.yaml").write_text(f"prompts: ./my-{name}\nroles: [planner, caller, summarizer]\n")
        assert load_team("./team.yaml").layout.folder == copied.folder
    included = tmp_path / "my-published" / "history.jinja"
    included.write_text(included.read_text().replace("assistant", "planner"))
    changed = Layout(tmp_path / "my-published")
    assert changed.digest({}) != PUBLISHED.digest({})
    (conversation, _) = conversations(stepped("blue"), role="planner", layout=changed)
    assert conversation.messages[1].content == "I look. Next: caller."
    error = CliRunner().invoke(app, ["copy", "prompts/shared", "my-shared/layout.yaml"]).exception
    assert isinstance(error, UsageError)


def test_a_layout_is_shown_as_a_whole() -> None:
    app = typer.Typer()
    resources_commands.register(app)
    text = CliRunner().invoke(app, ["show", "prompts/published"]).stdout
    assert text.startswith((PUBLISHED.folder / "layout.yaml").read_text())
    for template in PUBLISHED.folder.glob("*.jinja"):
        assert f"{{# {template.name} #}}\n{template.read_text()}" in text


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("conversation: shared", "raw: its prompts share no conversation"),
        ("raw: false", "end: only a raw layout writes control tokens"),
        ("raw: perhaps", "raw: "),
    ],
)
def test_a_layout_file_that_cannot_be_is_refused(tmp_path: Path, change: str, found: str) -> None:
    key = change.partition(":")[0]
    lines = (PUBLISHED.folder / "layout.yaml").read_text().splitlines()
    text = [change if line.startswith(f"{key}:") else line for line in lines]
    (tmp_path / "layout.yaml").write_text("\n".join(text))
    with pytest.raises(ConfigError, match=found):
        Layout(tmp_path)


def test_a_template_that_is_wrong_is_named(tmp_path: Path) -> None:
    shutil.copytree(PUBLISHED.folder, tmp_path / "mine")
    (tmp_path / "mine" / "planner.jinja").write_text("{{ nobody }}")
    with pytest.raises(ConfigError, match=r"planner\.jinja.*nobody"):
        render(stepped("x"), role="planner", layout=Layout(tmp_path / "mine"), ask="planner")
    (tmp_path / "mine" / "planner.jinja").write_text("{% if %}")
    with pytest.raises(ConfigError, match=r"planner\.jinja"):
        Layout(tmp_path / "mine").digest({})
    (tmp_path / "mine" / "caller.jinja").unlink()
    team = tmp_path / "team.yaml"
    team.write_text("prompts: ./mine\nroles: [planner, caller, summarizer]\n")
    with pytest.raises(ConfigError, match=r"has no caller\.jinja"):
        load_team(str(team))


def test_comparing_two_tries_is_plain_text_too() -> None:
    def plan(request: Request) -> str:
        (message,) = request.messages
        if not message.content.startswith("system:"):
            return "A"
        return "Done. Next: conclusion." if "observation:" in message.content else "Look. Next: caller."

    models: Any = scripted_models(plan, lambda _: "Action: look\nAction Input: {}", lambda _: "Blue.")
    result = Agent.from_team(TEAM, tools=[look], models=models, search="dfs").run("What colour is the sky?")
    assert result.answer == "Blue."
    sent = [request.messages for request in models["planner"].requests]
    assert any(not message.content.startswith("system:") for (message,) in sent)
    assert all(message.role == "text" for (message,) in sent)
