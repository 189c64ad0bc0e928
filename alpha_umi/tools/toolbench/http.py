"""Where RapidAPI calls go: recorded responses, RapidAPI itself, or a server of ToolBench's kind.

Each function here makes a backend out of something the user gives: a toolbox, or `send`, which carries out one HTTP
request with whatever client, retries and limits the user wants. Nothing here opens a connection, and arguments reach a
URL only percent-encoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from alpha_umi.errors import UsageError
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.tools.replay import Replay
from alpha_umi.tools.toolbench.folder import Api
from alpha_umi.tools.toolbench.replies import ToolBenchReply, code_of, judge
from alpha_umi.tools.validation import one_line
from alpha_umi.trajectory import Call

RECORDING = "recorded.jsonl"
"""The file in a tool folder that `find_backend` replays."""

ApiBackend = Callable[[Api, Mapping[str, Any]], Any]
"""Carries out a call with the arguments as offered; gives a ToolBenchReply, or a response to be judged by its words."""


@dataclass(frozen=True, kw_only=True)
class ToolBenchRequest:
    """One HTTP request."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    """The body, or None for no body."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """What a server answered."""

    status: int
    text: str


Send = Callable[[ToolBenchRequest], Response]
"""Carries out a request; raises TimeoutError, or any other exception when no answer came."""


def recorded(box: Toolbox) -> ApiBackend:
    """Ask another toolbox under the same names: a Replay, or a simulator. Its texts are taken as they are."""

    def ask(api: Api, arguments: Mapping[str, Any]) -> ToolBenchReply:
        seen = box.invoke(Call(tool=api.offered.name, arguments=arguments))
        return ToolBenchReply(seen.text) if seen.ok else ToolBenchReply(seen.text, "Message error...", 11)

    return ask


def rapidapi(send: Send, key: str) -> ApiBackend:
    """Ask RapidAPI at each API's own URL, with the user's key."""

    def ask(api: Api, arguments: Mapping[str, Any]) -> ToolBenchReply:
        parts = urlsplit(api.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return ToolBenchReply(error="the tool's file has no URL for this API", code=12, source="transport")
        values = {api.parameters.get(name, name): value for name, value in arguments.items()}
        path, rest = fill_path(parts.path, values)
        if "{" in path or {".", ".."} & set(path.split("/")):
            return ToolBenchReply(error=f"the arguments do not fill the path {parts.path}", code=2, source="transport")
        has_body = api.method in {"POST", "PUT", "PATCH"}
        request = ToolBenchRequest(
            method=api.method,
            url=parts._replace(path=path).geturl(),
            query={} if has_body else {name: _text(value) for name, value in rest.items()},
            headers={"X-RapidAPI-Key": key, "X-RapidAPI-Host": parts.netloc},
            json=rest if has_body else None,
        )
        answer = _sent(send, request)
        return answer if isinstance(answer, ToolBenchReply) else judge(decode(answer.text), status=answer.status)

    return ask


def server(send: Send, url: str, *, key: str = "", strip: str = "truncate") -> ApiBackend:
    """Ask a server that takes ToolBench's requests (the original, StableToolBench's virtual API server, one's own).

    Args:
        send: carries out a request.
        url: where the server listens.
        key: the `toolbench_key`.
        strip: how the server shall compress responses: `truncate`, `filter` or `random`.

    Raises:
        UsageError: the URL is none.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise UsageError(f"{url!r} is no http URL of a ToolBench server")

    def ask(api: Api, arguments: Mapping[str, Any]) -> ToolBenchReply:
        names = {"category": api.category, "tool_name": api.tool, "api_name": api.name}
        body = {**names, "tool_input": json.dumps(dict(arguments)), "strip": strip, "toolbench_key": key}
        answer = _sent(send, ToolBenchRequest(method="POST", url=url, headers={"toolbench_key": key}, json=body))
        if isinstance(answer, ToolBenchReply):
            return answer
        if answer.status != 200:
            return ToolBenchReply(
                error=f"request invalid, data error. status_code={answer.status}", code=12, source="transport"
            )
        wrapped = decode(answer.text)
        if not isinstance(wrapped, Mapping) or "response" not in wrapped:
            return ToolBenchReply(error="request invalid, data error", code=12, source="transport")
        error = str(wrapped.get("error") or "")
        return ToolBenchReply(wrapped["response"], error, code_of(error), "server")

    return ask


def find_backend(folder: str | Path, send: Send, settings: Mapping[str, str]) -> ApiBackend:
    """What answers the calls of a tool folder when nobody said: a recording in it, else what the environment names.

    Raises:
        UsageError: nothing does; the text says what would.
    """
    recording = Path(folder) / RECORDING
    if recording.is_file():
        return recorded(Replay(recording))
    if settings.get("TOOLBENCH_URL"):
        return server(send, settings["TOOLBENCH_URL"], key=settings.get("TOOLBENCH_KEY", ""))
    if settings.get("RAPIDAPI_KEY"):
        return rapidapi(send, settings["RAPIDAPI_KEY"])
    raise UsageError(
        f"{folder}: nothing answers the calls of these tools: put a recording ({RECORDING}) into the folder, or set "
        "TOOLBENCH_URL (a ToolBench server) or RAPIDAPI_KEY"
    )


def decode(text: str) -> Any:
    """The JSON value of a response, or its text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def fill_path(path: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Put values where a path says `{name}` or `:name`; gives also the values that were not used."""
    rest = dict(values)

    def put(found: re.Match[str]) -> str:
        name = found["braces"] or found["colon"]
        if name not in values:
            return found[0]
        rest.pop(name, None)
        return quote(_text(values[name]), safe="")

    return re.sub(r"\{(?P<braces>[^{}/]+)\}|(?<=/):(?P<colon>\w+)", put, path), rest


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _sent(send: Send, request: ToolBenchRequest) -> Response | ToolBenchReply:
    try:
        return send(request)
    except TimeoutError:
        return ToolBenchReply(error="Timeout error...", code=5, source="transport")
    except Exception as error:  # any client's own errors
        return ToolBenchReply(
            error=f"request failed: {one_line(str(error), limit=200) or type(error).__name__}",
            code=12,
            source="transport",
        )


def over_http(settings: Mapping[str, str]) -> Send:
    """Requests over the shared HTTP client; the host of `TOOLBENCH_URL` may be private, since the user named it."""
    from alpha_umi.tools.http import HttpClient, HttpFault, HttpRequest

    named = urlsplit(settings.get("TOOLBENCH_URL", "")).hostname
    client = HttpClient(allow_private=[named] if named else [])

    def send(request: ToolBenchRequest) -> Response:
        joint = "&" if urlsplit(request.url).query else "?"
        url = f"{request.url}{joint}{urlencode(request.query)}" if request.query else request.url
        content = None if request.json is None else json.dumps(request.json, ensure_ascii=False).encode()
        headers = dict(request.headers)
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            reply = client.send(
                HttpRequest(method=request.method, url=url, headers=tuple(headers.items()), content=content)
            )
        except HttpFault as fault:
            raise (TimeoutError(str(fault)) if fault.kind == "timeout" else fault) from fault
        return Response(status=reply.status, text=reply.body.decode("utf-8", "replace"))

    return send
