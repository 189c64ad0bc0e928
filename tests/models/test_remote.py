"""Served roles: what a well-behaved server gives, and one line for everything that a bad one can do."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import openai
import pytest
from chat_server import chunk, serving
from jsonschema import Draft202012Validator
from raw_server import drop, http
from raw_server import serving as serving_raw

from alpha_umi import Agent, load_team
from alpha_umi.backends import Generation, Served
from alpha_umi.errors import ConfigError, WorkError
from alpha_umi.models.loading import load_models
from alpha_umi.models.protocol import Message, Request
from alpha_umi.models.remote import RemoteModel
from alpha_umi.text.output_grammar import PLAN, call_of
from alpha_umi.trajectory import Tool

ASKED = (Message(role="system", content="You add."), Message(role="user", content="What is 2 + 3?"))


def asked(url: str, *, timeout: float = 30, retries: int = 0, **request: Any) -> Any:
    model = RemoteModel("planner", url=url, timeout=timeout, retries=retries)
    return model.complete(Request(messages=ASKED, **request))


def good(handler: Any, _: int) -> None:
    usage = {
        "prompt_tokens": 40,
        "completion_tokens": 3,
        "total_tokens": 43,
        "prompt_tokens_details": {"cached_tokens": 30},
    }
    handler.stream(chunk("It is"), chunk(" 5"), chunk(".", end="stop"), chunk(usage=usage))


def test_text_comes_in_pieces_with_the_servers_own_counts() -> None:
    pieces: list[str] = []
    with serving(good) as server:
        generation = Generation(max_new_tokens=7, temperature=0.5, top_p=0.9, seed=3)
        done = asked(server.url, on_text=pieces.append, generation=generation)
    assert (done.text, done.finish_reason) == ("It is 5.", "stop")
    assert pieces == ["It is", " 5", "."]
    assert (done.prompt_tokens, done.encoded_tokens, done.completion_tokens) == (40, 10, 3)
    (body,) = server.asked
    assert body["messages"] == [{"role": m.role, "content": m.content} for m in ASKED]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("planner", 7, 0.5)
    assert (body["top_p"], body["seed"]) == (0.9, 3)


def test_a_server_that_counts_nothing_is_estimated() -> None:
    with serving(lambda handler, _: handler.stream(chunk("Yes", end="length"))) as server:
        done = asked(server.url)
    assert (done.finish_reason, done.completion_tokens) == ("length", 1)
    assert 8 < done.prompt_tokens < 40


def test_an_older_server_that_refuses_usage_is_asked_without() -> None:
    def answer(handler: Any, _: int) -> None:
        if "stream_options" in handler.server.asked[-1]:
            handler.plain(400, json.dumps({"error": {"message": "unknown field stream_options"}}))
        else:
            good(handler, 0)

    with serving(answer) as server:
        model = RemoteModel("m", url=server.url)
        assert [model.complete(Request(messages=ASKED)).text for _ in range(2)] == ["It is 5."] * 2
    assert ["stream_options" in body for body in server.asked] == [True, False, False]


def test_what_may_pass_is_tried_again_honouring_retry_after() -> None:
    def answer(handler: Any, number: int) -> None:
        if number == 1:
            handler.plain(429, "{}", Retry_After="1")
        elif number == 2:
            handler.plain(503, "{}", Retry_After="0")
        else:
            good(handler, 0)

    with serving(answer) as server:
        began = time.monotonic()
        assert asked(server.url, retries=2).text == "It is 5."
    assert len(server.asked) == 3
    assert time.monotonic() - began >= 1


def test_a_prompt_that_is_too_long_is_no_error() -> None:
    error = json.dumps({"error": {"message": "This model's maximum context length is 64 tokens", "code": 400}})
    with serving(lambda handler, _: handler.plain(400, error)) as server:
        assert asked(server.url).finish_reason == "context"


def test_a_model_that_repeats_itself_is_stopped() -> None:
    def endless(handler: Any, _: int) -> None:
        try:
            handler.stream(*[chunk(word) for word in ["no ", "way "] * 5000])
        except OSError:
            handler.server.gone = True

    with serving(endless) as server:
        done = asked(server.url)
    assert done.finish_reason == "repetition"
    assert done.completion_tokens < 100


def test_a_run_that_is_stopped_stops_waiting_at_once() -> None:
    def silent(handler: Any, _: int) -> None:
        handler.stream(chunk("I"), done=False)
        handler.server.over.wait(60)

    told: list[str] = []
    with serving(silent) as server:
        began = time.monotonic()
        done = asked(server.url, on_text=told.append, should_stop=lambda: bool(told), timeout=60)
        assert time.monotonic() - began < 30
    assert (done.finish_reason, done.text) == ("cancelled", "I")


def drops(handler: Any, _: int) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (drops, "the connection failed"),
        (lambda handler, _: handler.plain(500, "oops", "text/plain"), "500|oops"),
        (lambda handler, _: handler.plain(404, '{"error": {"message": "no model planner"}}'), "no model planner"),
        (lambda handler, _: handler.plain(401, '{"error": {"message": "bad key"}}'), "bad key"),
        (lambda handler, _: handler.plain(200, "<html>It works!</html>", "text/html"), "without a completion"),
        (lambda handler, _: handler.stream(b'data: {"choices": [{"del\n\n'), "as an OpenAI-compatible server does"),
        (lambda handler, _: handler.stream(b'data: {"choices": 5}\n\n'), "as an OpenAI-compatible server does"),
        (lambda handler, _: handler.stream(chunk("It"), done=False), "broke off"),
        (lambda handler, _: handler.stream(), "without a completion"),
        (lambda handler, _: handler.server.over.wait(60), "within 0.5 s"),
    ],
)
def test_whatever_a_server_does_wrong_is_one_line(answer: Callable[[Any, int], None], told: str) -> None:
    with serving(answer) as server, pytest.raises(WorkError, match=told) as error:
        asked(server.url, timeout=0.5 if told == "within 0.5 s" else 30)
    assert "\n" not in str(error.value)
    assert server.url in str(error.value)
    assert len(str(error.value)) < 400


def test_an_answer_that_breaks_off_is_asked_for_anew() -> None:
    """The connection is lost in the middle, once: the run is told, and goes on."""

    def breaks_once(handler: Any, _: int) -> None:
        if len(handler.server.asked) > 1:
            handler.stream(chunk("It is"), chunk(" five.", end="stop"))
        else:
            handler.stream(chunk("It is fo"), done=False)

    told: list[str] = []
    with serving(breaks_once) as server:
        done = asked(server.url, on_text=told.append, on_restart=lambda: told.append("|"), retries=2)
    assert done.text == "It is five."
    assert "".join(told) == "It is fo|It is five."


def cut(*chunks: bytes, read: threading.Event | None = None) -> Callable[[socket.socket], None]:
    """An answer that promises more than it brings: its connection is closed after these chunks, or reset once they are
    read, for a reset takes back what was not."""

    def answer(connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks))
        if read is not None:
            read.wait(60)
            drop(connection)

    return answer


WHOLE = http(chunk("It is five.", end="stop") + b"data: [DONE]\n\n", content_type="text/event-stream")


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("words", [(), ("It ", "is ", "fo")])
def test_an_answer_whose_connection_is_lost_is_asked_for_anew(
    words: tuple[str, ...], reset: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    read = threading.Event()
    begin = openai.Stream.__init__

    def begun(*args: Any, **more: Any) -> None:
        begin(*args, **more)
        if not words:
            read.set()

    def on_text(text: str) -> None:
        told.append(text)
        if text == "fo":
            read.set()

    monkeypatch.setattr(openai.Stream, "__init__", begun)
    with serving_raw(cut(*map(chunk, words), read=read if reset else None), WHOLE) as server:
        done = asked(server.url, on_text=on_text, on_restart=lambda: told.append("|"), retries=1)
    assert done.text == "It is five."
    assert "".join(told) == "".join(words) + "|It is five."
    assert len(server.requests) == 2


def test_an_answer_that_is_lost_every_time_is_one_line() -> None:
    with serving_raw(cut(chunk("It "))) as server, pytest.raises(WorkError, match="its answer broke off"):
        asked(server.url, retries=2)
    assert len(server.requests) == 3


def test_an_answer_that_falls_silent_is_not_asked_for_anew() -> None:
    over = threading.Event()

    def silent(connection: socket.socket) -> None:
        cut(chunk("It "))(connection)
        over.wait(60)

    with serving_raw(silent) as server:
        # Its first word must come within that time: a server that is silent from the start is asked again.
        with pytest.raises(WorkError, match="2 s"):
            asked(server.url, retries=2, timeout=2)
        over.set()
    assert len(server.requests) == 1


@pytest.mark.parametrize("reset", [False, True])
def test_an_answer_that_is_lost_after_its_last_word_is_whole(reset: bool) -> None:
    """Only its counts are missing, which are estimated."""
    read = threading.Event()
    answer = cut(chunk("It is"), chunk(" five.", end="length"), read=read if reset else None)
    with serving_raw(answer) as server:
        done = asked(server.url, on_text=lambda text: read.set() if text == " five." else None, retries=2)
    assert (done.text, done.finish_reason, done.completion_tokens) == ("It is five.", "length", 2)
    assert len(server.requests) == 1


def test_a_server_that_cannot_express_a_schema_is_asked_for_less() -> None:
    """It refuses patterns, and does not say whose: the structure of every call is held to all the same."""
    odd = Tool(
        name="odd",
        description="",
        parameters={"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=x)"}}, "required": ["a"]},
    )

    def fussy(handler: Any, _: int) -> None:
        if "(?=" in handler.server.asked[-1]["structured_outputs"]["grammar"]:
            handler.plain(400, '{"error": {"message": "grammar: look-around is not supported"}}')
        else:
            handler.stream(chunk('Action: odd\nAction Input: {"a": "x"}', end="stop"))

    with serving(fussy) as server:
        model = RemoteModel("m", url=server.url, structured="grammar")
        for _ in range(2):
            assert model.complete(Request(messages=ASKED, constraint=call_of([odd, ADD]))).text.startswith("Action")
    grammars = [body["structured_outputs"]["grammar"] for body in server.asked]
    assert ["(?=" in grammar for grammar in grammars] == [True, False, False], "and is not asked again"
    assert '"required": ["a"]' in grammars[-1]


SHORT = Tool(
    name="short",
    description="",
    parameters={"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}, "required": ["a"]},
)
"""Its grammars: the whole schema, without maxLength, without properties."""


def grammars_of(server: Any) -> list[int]:
    """How loose each grammar was that the server was asked for."""
    found = [body["structured_outputs"]["grammar"] for body in server.asked]
    return [0 if "maxLength" in text else 1 if '"properties"' in text else 2 for text in found]


def test_what_is_refused_side_by_side_is_loosened_once() -> None:
    """Three conversations ask at once and are refused at once; none fails, and none makes it looser than it must be."""
    together = threading.Barrier(3)

    def fussy(handler: Any, _: int) -> None:
        if "maxLength" in handler.server.asked[-1]["structured_outputs"]["grammar"]:
            together.wait(60)
            handler.plain(400, '{"error": {"message": "grammar: cannot be expressed"}}')
        else:
            handler.stream(chunk('Action: short\nAction Input: {"a": "x"}', end="stop"))

    with serving(fussy) as server:
        model = RemoteModel("m", url=server.url, structured="grammar", retries=0)
        request = Request(messages=ASKED, constraint=call_of([SHORT]))
        with ThreadPoolExecutor(3) as pool:
            done = [each.result(120) for each in [pool.submit(model.complete, request) for _ in range(3)]]
        model.complete(request)
    assert all(found.text.startswith("Action: short") for found in done)
    assert sorted(grammars_of(server)) == [0, 0, 0, 1, 1, 1, 1]
    assert grammars_of(server)[-1] == 1


@pytest.mark.parametrize(
    ("said", "refusals", "levels"),
    [
        ("The server is being updated", 1, [0, 1, 0]),
        ("The schema registry is being updated", 3, [0, 1, 2, 0]),
        ("grammar: cannot be expressed", 2, [0, 1, 2, 2]),
    ],
)
def test_a_looser_grammar_is_kept_only_where_it_helped(said: str, refusals: int, levels: list[int]) -> None:
    """A refusal for another reason, or one that no grammar mends, says nothing about the next request."""

    def answer(handler: Any, number: int) -> None:
        if number <= refusals:
            handler.plain(400, json.dumps({"error": {"message": said}}))
        else:
            good(handler, 0)

    with serving(answer) as server:
        model = RemoteModel("m", url=server.url, structured="grammar", retries=0)
        for _ in range(2):
            with suppress(WorkError):
                model.complete(Request(messages=ASKED, constraint=call_of([SHORT])))
    assert grammars_of(server) == levels


def test_an_older_server_may_refuse_usage_side_by_side() -> None:
    together = threading.Barrier(2)

    def answer(handler: Any, _: int) -> None:
        if "stream_options" in handler.server.asked[-1]:
            together.wait(60)
            handler.plain(400, json.dumps({"error": {"message": "unknown field stream_options"}}))
        else:
            good(handler, 0)

    with serving(answer) as server, ThreadPoolExecutor(2) as pool:
        model = RemoteModel("m", url=server.url, retries=0)
        asking = [pool.submit(model.complete, Request(messages=ASKED)) for _ in range(2)]
        assert [each.result(120).text for each in asking] == ["It is 5."] * 2


def test_a_call_as_json_keeps_references_that_point_at_what_is_there() -> None:
    item = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    tools = [
        Tool(
            name=name,
            description="",
            parameters={"type": "object", "properties": {"i": {"$ref": "#/$defs/Item"}}, "$defs": {"Item": item}},
        )
        for name in ("one", "two")
    ]
    constraint = call_of(tools)
    assert constraint is not None
    fits = Draft202012Validator(constraint.call_schema()).is_valid
    assert fits({"tool": "one", "arguments": {"i": {"n": 1}}})
    assert not fits({"tool": "two", "arguments": {"i": {"n": "x"}}})
    assert not fits({"tool": "three", "arguments": {}})


def test_no_server_at_all() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(WorkError, match="the connection failed"):
        asked(f"http://127.0.0.1:{port}/v1")


ADD = Tool(
    name="add",
    description="Add.",
    parameters={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
)


def test_a_server_is_held_to_the_grammar_in_its_own_words() -> None:
    with serving(good) as server:
        model = RemoteModel("m", url=server.url, structured="grammar")
        for constraint in (PLAN, call_of([ADD]), None):
            model.complete(Request(messages=ASKED, constraint=constraint))
    plan, call, free = server.asked
    assert plan["structured_outputs"]["grammar"] == PLAN.lark()
    assert '"add\\nAction Input: "' in call["structured_outputs"]["grammar"]
    assert "structured_outputs" not in free


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('{"tool": "add", "arguments": {"a": 1}}', 'Action: add\nAction Input: {"a": 1}'),
        ('{"tool": "add"}', '{"tool": "add"}'),
        ("[]", "[]"),
        ("no JSON", "no JSON"),
    ],
)
def test_a_call_that_a_server_writes_as_json(written: str, text: str) -> None:
    with serving(lambda handler, _: handler.stream(chunk(written, end="stop"))) as server:
        model = RemoteModel("m", url=server.url, structured="json")
        assert model.complete(Request(messages=ASKED, constraint=call_of([ADD]))).text == text
        assert model.complete(Request(messages=ASKED, constraint=PLAN)).text == written
    schema = server.asked[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"] == {"tool": {"const": "add"}, "arguments": ADD.parameters}
    assert "response_format" not in server.asked[1]


def test_a_team_may_be_served_and_its_keys_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def speak(handler: Any, _: int) -> None:
        body = handler.server.asked[-1]
        done = any("observation: nothing new" in message["content"] for message in body["messages"])
        texts = {
            "plan": "I know. Next: conclusion." if done else "I look. Next: caller.",
            "call": "Action: look\nAction Input: {}",
            "sum": "Nothing new.",
        }
        handler.stream(chunk(texts[body["model"]], end="stop"))

    def look() -> str:
        """Look again."""
        return "nothing new"

    monkeypatch.setenv("MY_KEY", "secret")
    with serving(speak) as server:
        seats = {"planner": "plan", "caller": "call", "summarizer": "sum"}
        lines = ["layout: paper"]
        for role, name in seats.items():
            lines.append(
                f"{role}: {{role: {role}, served: {{url: '{server.url}', model: {name}, api_key_env: MY_KEY}}}}"
            )
        (tmp_path / "served.yaml").write_text("\n".join(lines))
        agent = Agent.from_team(str(tmp_path / "served.yaml"), tools=[look])
        result = agent.run("What is new?")
    assert result.answer == "Nothing new."
    assert {body["key"] for body in server.asked} == {"Bearer secret"}
    assert "secret" not in result.model_dump_json()


def test_the_variable_of_the_key_was_called_key_once() -> None:
    served = Served.model_validate({"url": "http://localhost:1/v1", "model": "m", "key": "MY_KEY"})
    assert served.api_key_env == "MY_KEY"


def test_a_key_in_place_of_the_variable_is_refused_and_not_shown(tmp_path: Path) -> None:
    served = "{url: 'http://localhost:1/v1', model: m, api_key_env: sk-proj-123}"
    (tmp_path / "team.yaml").write_text(f"layout: paper\nplanner: {{role: planner, served: {served}}}\n")
    with pytest.raises(ConfigError, match="api_key_env: this is the name of an environment variable") as caught:
        load_team(str(tmp_path / "team.yaml"))
    assert "sk-proj" not in str(caught.value)


@pytest.mark.model
def test_served_and_local_roles_can_be_mixed(tmp_path: Path) -> None:
    (tmp_path / "mixed.yaml").write_text(
        "layout: paper\nplanner: {role: planner, served: {url: 'http://localhost:1/v1', model: p}}\n"
        "caller: caller\nsummarizer: summarizer\n"
    )
    models = load_models(load_team(str(tmp_path / "mixed.yaml")))
    assert isinstance(models["planner"], RemoteModel)
    assert models["caller"].count_tokens(ASKED) > 0
    assert not isinstance(models["caller"], RemoteModel)


@pytest.mark.parametrize(
    ("served", "told"),
    [
        ("{url: 'ftp://x', model: p}", "served.url"),
        ("{url: 'http://x/v1'}", "served.model"),
        ("{url: 'http://x', model: p}, weights: w", "one of the three"),
    ],
)
def test_mistakes_in_a_served_role(served: str, told: str, tmp_path: Path) -> None:
    seats = f"planner: {{role: planner, served: {served}}}\ncaller: caller\nsummarizer: summarizer\n"
    (tmp_path / "t.yaml").write_text("layout: paper\n" + seats)
    with pytest.raises(ConfigError, match=told):
        load_team(str(tmp_path / "t.yaml"))


def event(**choice: Any) -> bytes:
    """A chunk with one choice as a server of its own ways writes it, or with what is given for `choices`."""
    choices = choice.pop("choices", [{"index": 0, "finish_reason": None, **choice}])
    whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": choices}
    return f"data: {json.dumps(whole)}\n\n".encode()


def words(text: Any, end: Any = None) -> bytes:
    return event(delta={"content": text}, finish_reason=end)


PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
    {"type": "text", "text": "Hello"},
]


@pytest.mark.parametrize(
    "chunks",
    [
        (words("Hello", ""), words(" big", ""), words(" world", ""), words("", "stop")),
        (event(choices=None), words("Hello big"), words(" world", "stop"), event(choices=None)),
        (event(choices=[]), words("Hello big world"), event(delta=None), event(delta=None, finish_reason="stop")),
        (words("Hello big world"), words(None, "stop"), event(choices=None)),
        (words(PARTS), words(" big world"), words(None, "stop")),
    ],
)
def test_servers_of_their_own_ways_are_read_whole(chunks: tuple[bytes, ...]) -> None:
    pieces: list[str] = []
    with serving(lambda handler, _: handler.stream(*chunks)) as server:
        done = asked(server.url, on_text=pieces.append)
    assert (done.text, done.finish_reason) == ("Hello big world", "stop")
    assert "".join(pieces) == done.text


def test_an_empty_end_does_not_cut_a_run_short() -> None:
    """The planner's marker stands in its last chunk."""

    def answer(handler: Any, _: int) -> None:
        asks = handler.server.asked[-1]["model"]
        said = {"planner": ["I know it.", " Next:", " conclusion."], "summarizer": ["Five", "."]}[asks]
        handler.stream(*(words(piece, "") for piece in said), words("", "stop"))

    with serving(answer) as server:
        roles = {"planner": "planner", "caller": "caller", "summarizer": "summarizer"}
        models = {role: RemoteModel(name, url=server.url) for role, name in roles.items()}
        assert Agent.from_team("umi", models=models).run("What is 2 + 3?").answer == "Five."


@pytest.mark.parametrize("body", [{"error": "model 'm' is not loaded"}, {"detail": "model 'm' is not loaded"}])
def test_a_refusal_in_plain_words_is_told(body: dict[str, str]) -> None:
    with serving(lambda handler, _: handler.plain(400, json.dumps(body))) as server, pytest.raises(WorkError) as error:
        asked(server.url)
    assert "model 'm' is not loaded" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (400, {"error": "the prompt exceeds the context length of 2048"}),
        (500, {"error": {"message": "the request exceeds the available context size"}}),
        (422, {"detail": "maximum context length is 2048 tokens"}),
    ],
)
def test_too_long_a_prompt_is_known_however_it_is_said(code: int, body: dict[str, Any]) -> None:
    with serving(lambda handler, _: handler.plain(code, json.dumps(body))) as server:
        assert asked(server.url).finish_reason == "context"


def test_a_spent_quota_is_not_taken_for_a_long_prompt() -> None:
    body = json.dumps({"error": {"message": "too many tokens per minute"}})
    with serving(lambda handler, _: handler.plain(429, body)) as server, pytest.raises(WorkError):
        asked(server.url)
