"""OpenAPI documents as tools: against a real FastAPI service, a hand-written 3.0 document, and bad ones."""

from __future__ import annotations

import json
import runpy
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lending import lend
from raw_server import Answer, RawServer, drop, http, serving

from alpha_umi.errors import ToolError
from alpha_umi.tools.combined import CombinedToolbox
from alpha_umi.tools.http import HttpLimits
from alpha_umi.tools.openapi.toolbox import OpenAPIToolbox, from_spec
from alpha_umi.tools.protocol import Toolbox, under_key
from alpha_umi.tools.validation import check_tool
from alpha_umi.trajectory import Call, Observation

TESTS = Path(__file__).parents[1]
QUICK = HttpLimits(backoff_s=0.01, connect_s=60.0, read_s=60.0, total_s=120.0)
"""Quick to try again, but patient with a machine that is busy."""
SECRETS: dict[str, Any] = {
    "HeaderKey": "header-secret",
    "QueryKey": "query/secret+",
    "CookieKey": "cookie-secret",
    "Basic": ("me", 'hush "quoted" \\'),
    "Bearer": "Bearer bearer-secret",
}


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The URL of a running FastAPI service."""
    command = [sys.executable, str(TESTS / "openapi_service.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port
        yield f"http://127.0.0.1:{port}"
        process.kill()


@pytest.fixture(scope="module")
def box(service: str) -> Iterator[OpenAPIToolbox]:
    """All its operations."""
    source = f"{service}/openapi.json"
    with OpenAPIToolbox(source, auth=SECRETS, allow_private=[service.removeprefix("http://")], limits=QUICK) as made:
        yield made


def call(box: Toolbox, tool: str, **arguments: Any) -> Observation:
    return box.invoke(Call(tool=tool, arguments=arguments))


def value(box: Toolbox, tool: str, **arguments: Any) -> Any:
    """What a call that must succeed brought, read as JSON."""
    seen = call(box, tool, **arguments)
    assert seen.ok, seen.text
    return json.loads(seen.text)


def schema(box: Toolbox, name: str) -> Mapping[str, Any]:
    return next(tool.parameters for tool in box.tools if tool.name == name)


# A real service with its own document (3.1)


def test_every_operation_is_a_tool_that_can_be_offered(box: OpenAPIToolbox) -> None:
    assert isinstance(box, Toolbox)
    for tool in box.tools:
        check_tool(tool)
        assert tool.parameters["additionalProperties"] is False
    names = [tool.name for tool in box.tools]
    assert names[:4] == ["get_item", "admin", "whole", "number"]
    assert box.tools[0].description == "One item"
    assert repr(box).startswith("OpenAPIToolbox('http://127.0.0.1:")


def test_path_and_query_arrive_as_they_were_given(box: OpenAPIToolbox) -> None:
    given = {
        "item": "ä b%2F?#&=+;,é日",
        "flag": True,
        "words": ["a,b", "c d&e", ""],
        "number": 2.5,
        "text": "x=1&y=%41",
    }
    assert value(box, "get_item", **given) == given
    assert value(box, "whole", path="a/b c") == {"path": "a/b c"}
    assert value(box, "number", number=3.0, id=7) == {"number": 3, "id": 7}
    assert value(box, "get_item", item="x", words=[], text=None)["words"] is None


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=40, deadline=None)
@given(_text, st.lists(_text, max_size=4), st.floats(allow_nan=False, allow_infinity=False, max_value=1000), _text)
def test_parameters_are_read_back_by_fastapi(
    box: OpenAPIToolbox, item: str, words: list[str], number: float, text: str
) -> None:
    seen = call(box, "get_item", item=item, words=words, number=number, text=text)
    if not item or item in (".", "..") or "/" in item or "\\" in item:  # not one segment of a path for uvicorn
        assert seen.ok is False or json.loads(seen.text)["item"] == item
        return
    expected = {"item": item, "flag": None, "words": words or None, "number": number, "text": text}
    assert (seen.ok, json.loads(seen.text)) == (True, expected)


@settings(max_examples=25, deadline=None)
@given(
    st.from_regex(r"[!-~\xa0-\xff]([ -~\xa0-\xff]*[!-~\xa0-\xff])?", fullmatch=True),
    st.text("azAZ09!#$&'()*+-./:<=>?@[]^_`{|}~", min_size=1),
)
def test_headers_and_cookies_are_read_back_by_fastapi(box: OpenAPIToolbox, word: str, colour: str) -> None:
    assert value(box, "headers", **{"x-word": word, "colour": colour}) == {"x_word": word, "colour": colour}


@settings(max_examples=25, deadline=None)
@given(_text.filter(bool), st.lists(_text.filter(bool), max_size=3), _text)
def test_bodies_are_read_back_by_fastapi(box: OpenAPIToolbox, name: str, tags: list[str], note: str) -> None:
    assert value(box, "form", name=name, tags=tags) == {"name": name, "tags": tags or None}
    seen = value(box, "order", number=1, article=name, note=note)
    assert (seen["article"], seen["note"]) == (name, note)
    stripped = {"\r": "", "\n": ""}
    if not stripped.keys() & set(name):  # multipart has no agreed way to write these back
        assert value(box, "upload", file=note, title=name) == {"name": "file", "content": note, "title": name}


def test_a_json_body_is_given_property_by_property(box: OpenAPIToolbox) -> None:
    parameters = schema(box, "order")
    assert list(parameters["properties"]) == ["number", "express", "article", "count", "note"]
    assert parameters["required"] == ["number", "article"]
    assert parameters["properties"]["article"] == {"type": "string", "description": "What to buy"}
    seen = value(box, "order", number=4, article="cup", count=2, express=True)
    assert seen == {"number": 4, "express": True, "article": "cup", "count": 2, "note": None}


def test_a_schema_that_holds_itself_stays_a_reference(box: OpenAPIToolbox) -> None:
    parameters = schema(box, "tree")
    assert parameters["properties"]["body"]["items"] == {"$ref": "#/$defs/Node"}
    assert parameters["$defs"]["Node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    assert value(box, "tree", body=[{"name": "a", "children": [{"name": "b"}, {"name": "c"}]}]) == 3
    refused = call(box, "tree", body=[{"name": "a", "children": [{"weight": 0}]}])
    assert "children" in refused.text
    assert not refused.ok


def test_a_multipart_file_is_sent(box: OpenAPIToolbox) -> None:
    seen = value(box, "upload", file="a,b\r\n1,2", title="Ä")
    assert seen == {"name": "file", "content": "a,b\r\n1,2", "title": "Ä"}


def test_replies_as_text(box: OpenAPIToolbox) -> None:
    assert call(box, "nothing") == Observation(text="Done: the server answered 204 No Content without content.")
    assert call(box, "text") == Observation(text="two\nlines")
    assert call(box, "image") == Observation(text="[image/png, 6 bytes, not shown]")
    page = "page failed: the server answered 200 with an HTML page instead of JSON: Log in Please log in"
    assert call(box, "page") == Observation(text=page, ok=False)
    moved = "307 Temporary Redirect: a redirect to http://169.254.169.254/latest, which is not followed"
    assert call(box, "moved") == Observation(text=f"moved failed: the server answered {moved}", ok=False)


# Calls that are refused before they leave


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("get_item", {}, "'item' is a required property"),
        ("get_item", {"item": "a", "colour": 1}, "unknown argument 'colour'"),
        ("get_item", {"item": "a", "number": 2000}, "number"),
        ("get_item", {"item": ""}, "must not be empty"),
        ("get_item", {"item": ".."}, "would leave"),
        ("get_item", {"item": "."}, "would leave"),
        ("get_item", {"item": "../admin"}, "would leave"),
        ("get_item", {"item": "a/../../b"}, "would leave"),
        ("get_item", {"item": "..\\x"}, "would leave"),
        ("get_item", {"item": "%2e%2e"}, "would leave"),
        ("get_item", {"item": "%252e%252e%252fx"}, "would leave"),
        ("get_item", {"item": "x/admin"}, "another operation, admin"),
        ("get_item", {"item": "a", "text": "\ud800"}, "half a character"),
        ("get_item", {"item": "a", "number": float("nan")}, "NaN"),
        ("headers", {"x-word": "a\r\nX-Evil: 1"}, "line breaks"),
        ("headers", {"x-word": " a"}, "white space"),
        ("headers", {"x-word": "日"}, "Latin-1"),
        ("number", {"number": -1}, "minimum"),
        ("order", {"number": 1, "article": "a", "count": 0}, "count"),
        ("nowhere", {}, "There is no tool 'nowhere'"),
    ],
)
def test_bad_arguments_are_not_sent(box: OpenAPIToolbox, tool: str, arguments: Any, why: str) -> None:
    seen = call(box, tool, **arguments)
    assert not seen.ok
    assert why in seen.text
    assert "\n" not in seen.text


def test_arguments_nested_without_end_are_refused(box: OpenAPIToolbox) -> None:
    deep: dict[str, Any] = {"name": "leaf"}
    for _ in range(3000):
        deep = {"name": "a", "children": [deep]}
    seen = call(box, "tree", body=[deep])
    assert (seen.ok, seen.text) == (False, "Invalid arguments for tree: nested too deep.")


def test_a_call_with_a_fault_is_refused(box: OpenAPIToolbox) -> None:
    assert not box.invoke(Call(tool="text", fault="bad_json")).ok


# Secrets


def test_secrets_reach_the_service_and_nobody_else(service: str, box: OpenAPIToolbox) -> None:
    assert call(box, "header_key").text == '{"you sent":"[secret]"}'
    assert call(box, "query_key").text.endswith("403 Forbidden: no: [secret] is wrong")
    assert call(box, "cookie_key").text == "true"
    assert call(box, "basic").text == '{"user":"me","password":"[secret]"}'
    assert call(box, "bearer").text == '{"token":"[secret]"}'
    shown = f"{box!r} {box.tools} {vars(box)} {box._items}"
    assert "HeaderKey" not in shown
    for secret in ("header-secret", "query/secret", "cookie-secret", "hush", "bearer-secret"):
        assert secret not in shown


def test_secrets_from_the_environment(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host = urlsplit(service).hostname
    needed = "GET /secret/header needs a secret: give auth for 'HeaderKey' or set ALPHA_UMI_AUTH_HEADERKEY to"
    with from_spec(f"{service}/openapi.json") as made:
        assert f"{needed} {host}=SECRET" in made.skipped
    for name in SECRETS:
        monkeypatch.setenv(f"ALPHA_UMI_AUTH_{name.upper()}", "api.example=another\nelsewhere.example=x")
    with from_spec(f"{service}/openapi.json") as made:  # of that name there is one, but not for this host
        assert f"{needed} {host}=SECRET" in made.skipped
    both = f"api.example=another\n{host}=name:from-the-environment\n"
    for name in SECRETS:
        monkeypatch.setenv(f"ALPHA_UMI_AUTH_{name.upper()}", both)
    with from_spec(f"{service}/openapi.json") as made:
        assert call(made, "bearer").text == '{"token":"[secret]"}'
        assert call(made, "basic").text == '{"user":"name","password":"[secret]"}'


def test_a_secret_in_the_environment_names_its_host(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHA_UMI_AUTH_BEARER", "a token for anybody")
    with pytest.raises(ToolError, match="ALPHA_UMI_AUTH_BEARER: each line must be HOST=SECRET") as caught:
        from_spec(f"{service}/openapi.json")
    assert "token" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("basic", "{place}=user:password\nother.example=tokentoken"),
        ("bearer", "other.example=a:b\n{place}=tokentoken"),
        ("bearer", "{host}=tokentoken"),
        ("bearer", "{host}:1=another-port\n{place}=tokentoken"),
        ("bearer", "{place}=tokentoken\n{host}=less-exact"),
    ],
)
def test_a_secret_is_its_hosts_own_business(kind: str, lines: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another host's scheme of that name may want another secret; and a host may be named with its port."""
    schemes = {"securitySchemes": {"auth": {"type": "http", "scheme": kind}}}
    with serving(http(b"1")) as server:
        host, _, _ = server.host.partition(":")
        monkeypatch.setenv("ALPHA_UMI_AUTH_AUTH", lines.format(place=server.host, host=host))
        document = minimal(server.port, {"security": [{}, {"auth": []}]}, components=schemes)
        with OpenAPIToolbox(document, allow_private=True, limits=QUICK) as made:
            assert call(made, "op").ok
    sent = {"basic": b"Basic dXNlcjpwYXNzd29yZA==", "bearer": b"Bearer tokentoken"}[kind]
    assert b"authorization: " + sent.lower() in server.requests[0].lower()


@pytest.mark.parametrize(
    ("server", "line", "found"),
    [
        ("https://api.example", "api.example:443", True),
        ("http://api.example/v1", "API.example:80", True),
        ("http://api.example:8000", "api.example:80", False),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://[::1]:8000", "[::1]", True),
        ("http://[::1]:8000", "::1", True),
        ("http://[::1]:8000", "[::1]:80", False),
        ("http://api.example:99999", "api.example", True),
    ],
)
def test_how_a_line_names_its_host(server: str, line: str, found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHA_UMI_AUTH_A", f"{line}=long-enough")
    document = minimal(1, {"security": [{"a": []}]}, components=SCHEMES) | {"servers": [{"url": server}]}
    if found:
        OpenAPIToolbox(document).close()
    else:
        with pytest.raises(ToolError, match="needs a secret"):
            OpenAPIToolbox(document)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("127.0.0.1=abc", "ALPHA_UMI_AUTH_A: the secret for 127.0.0.1 is shorter than 4"),
        ("127.0.0.1:=long-enough", "each line must be HOST=SECRET"),
        ("127.0.0.1:http=long-enough", "each line must be HOST=SECRET"),
    ],
)
def test_a_line_of_this_host_that_cannot_be_sent(line: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the operation would do without: whoever wrote the line wants it sent."""
    monkeypatch.setenv("ALPHA_UMI_AUTH_A", line)
    with pytest.raises(ToolError, match=why) as caught:
        OpenAPIToolbox(minimal(1, {"security": [{}, {"a": []}]}, components=SCHEMES))
    assert "long-enough" not in str(caught.value)


@pytest.mark.parametrize(
    ("auth", "why"),
    [
        ({"Nobody": "long-enough"}, r"no security scheme 'Nobody' \(it has: .*HeaderKey"),
        ({"Basic": "without-colon"}, "must be user:password"),
        ({"Bearer": ("a", "long-enough")}, "must be one text"),
        ({"Bearer": "hidden\nX: 1"}, "cannot be sent"),
        ({"Bearer": "hiddenü"}, "cannot be sent"),
        ({"Bearer": "abc"}, "shorter than 4"),
    ],
)
def test_a_secret_that_cannot_be_sent(service: str, auth: Any, why: str) -> None:
    with pytest.raises(ToolError, match=why) as caught:
        OpenAPIToolbox(f"{service}/openapi.json", auth={**SECRETS, **auth}, allow_private=True)
    assert not any(word in str(caught.value) for word in ("hidden", "without-colon", "long-enough"))


def test_none_as_a_secret_calls_without(service: str) -> None:
    auth = {"Bearer": None}
    with OpenAPIToolbox(f"{service}/openapi.json", include=["bearer"], auth=auth, allow_private=True) as made:
        assert "401 Unauthorized" in call(made, "bearer").text


def minimal(port: int | str, operation: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A document with one operation `op`, GET /x."""
    paths = {"/x": {"get": {"operationId": "op", "responses": {}, **(operation or {})}}}
    return {"openapi": "3.1.0", "info": {}, "servers": [{"url": f"http://127.0.0.1:{port}"}], "paths": paths, **more}


SCHEMES = {
    "securitySchemes": {
        "a": {"type": "apiKey", "in": "query", "name": "key"},
        "b": {"type": "apiKey", "in": "header", "name": "X-B"},
        "c": {"type": "http", "scheme": "digest"},
        "d": {"type": "oauth2", "flows": {}},
    }
}


@pytest.mark.parametrize(
    ("security", "auth", "sent"),
    [
        ([{"a": [], "b": []}], {"a": "aaaa", "b": "bbbb"}, {"key", "x-b"}),
        ([{"a": []}, {"b": []}], {"b": "bbbb"}, {"x-b"}),
        ([{}, {"b": []}], {"b": "bbbb"}, {"x-b"}),
        ([{}, {"b": []}], {}, set()),
        ([], {"b": "bbbb"}, set()),
        ([{"c": []}, {"d": ["read"]}], {"d": "dddd"}, {"authorization"}),
        ([{"c": []}], {"c": None}, set()),
    ],
)
def test_which_secrets_are_sent(security: Any, auth: Any, sent: set[str]) -> None:
    with serving(http(b"1")) as server:
        document = minimal(server.port, {"security": security}, components=SCHEMES, security=[{"a": []}])
        with OpenAPIToolbox(document, auth=auth, allow_private=True, limits=QUICK) as made:
            assert call(made, "op").ok
    asked = server.requests[0].lower()
    assert {word for word in ("key", "x-b", "authorization") if word.encode() in asked} == sent


def test_a_scheme_that_is_not_supported_is_said() -> None:
    document = minimal(1, {"security": [{"c": []}, {"zzz": []}]}, components=SCHEMES)
    with pytest.raises(ToolError, match=r"GET /x needs a secret: 'c' is of a kind that is not supported \(http digest"):
        OpenAPIToolbox(document, auth={"c": "cccc"})


@pytest.mark.parametrize(
    "body",
    [
        http(
            b"<html><head><title>Bad key k%2Fhush/1</title></head>" + b"x" * 470 + b"k%2Fhush/1" + b"y" * 900, "403 No"
        ),
        http(b'{"error": "' + b"x" * 320 + rb"k%2Fhush\/1" + b"y" * 5000 + b'"}', "400 Bad", content_type="a/json"),
        http(b"z" * 95 + b"k%2Fhush/1", content_type="text/plain"),
        http(b"", "302 Found", location="/k%2Fhush/1?key=k%2Fhush/1"),
        b"HTTP/1.1 k%2Fhush/1 k%2Fhush/1\r\n\r\n",
    ],
)
def test_no_cut_leaves_a_part_of_a_secret(body: bytes) -> None:
    for size in (95, 99, 100, 104):
        with serving(body) as server:
            document = minimal(server.port, {"security": [{"a": []}]}, components=SCHEMES)
            limits = HttpLimits(backoff_s=0.01, max_bytes=size if b"zzz" in body else 100_000, retries=0)
            with OpenAPIToolbox(document, auth={"a": "k%2Fhush/1"}, allow_private=True, limits=limits) as made:
                text = call(made, "op").text
        assert b"key=k%252Fhush%2F1" in server.requests[0]
        assert "hush" not in text
        assert "k%2" not in text
        if b"zzz" not in body:
            break


# What may be sent twice


def test_an_operation_with_a_key_is_repeated_without_a_second_effect(box: OpenAPIToolbox) -> None:
    assert "idempotency-key" not in schema(box, "pay")["properties"]
    first = value(box, "pay", amount=3)
    assert value(box, "pay", amount=3)["payments"] == first["payments"] + 1
    with under_key("k"):
        made = [box.invoke(Call(tool="pay", arguments={"amount": 1})) for _ in range(3)]
    assert {seen.text for seen in made} == {'{"payments":3,"amount":1}'}


def test_a_post_is_repeated_only_if_declared(service: str, box: OpenAPIToolbox) -> None:
    assert call(box, "fail").text.endswith('503 Service Unavailable: {"calls":1}')
    source = f"{service}/openapi.json"
    with OpenAPIToolbox(source, include=["fail"], repeatable=["fail"], allow_private=True, limits=QUICK) as made:
        assert call(made, "fail").text.endswith('{"calls":4}')
        assert made.traits("fail").repeatable
    assert [box.traits(name).repeatable for name in ("fail", "pay", "text", "nothing")] == [False, False, True, True]
    assert [box.traits(name).takes_key for name in ("fail", "pay", "text", "nothing")] == [False, True, False, False]
    with pytest.raises(ToolError, match="no operation 'x'"):
        OpenAPIToolbox(source, repeatable=["x"], auth=SECRETS, allow_private=True)


# A 3.0 document in YAML


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[RawServer, OpenAPIToolbox]]:
    """The hand-written document as tools, and the server behind it that answers with a list."""
    with serving(http(b"[ 1,\n 2 ]", content_type="application/json; charset=utf-8")) as server:
        path = tmp_path / "shop.yaml"
        path.write_text((TESTS / "openapi_small.yaml").read_text().replace("PORT", str(server.port)))
        with OpenAPIToolbox(path, allow_private=[server.host], limits=QUICK) as made:
            yield server, made


def asked(server: RawServer) -> str:
    return server.requests[-1].split(b"\r\n")[0].decode()


def test_names_are_cleaned_and_made_unique(shop: tuple[RawServer, OpenAPIToolbox]) -> None:
    assert [tool.name for tool in shop[1].tools] == ["search", "get_pets_id_list", "add_pet", "add_pet_2", "note"]
    assert shop[1].tools[0].description == "Search the shop. Finds articles by their words"


def test_what_is_special_in_3_0_is_translated(shop: tuple[RawServer, OpenAPIToolbox]) -> None:
    search = schema(shop[1], "search")["properties"]
    assert search["q"] == {"type": ["string", "null"], "description": "What to look for"}
    assert search["price"] == {"type": "number", "exclusiveMinimum": 0, "maximum": 10}
    assert search["answer"]["enum"] == ["yes", "no", "2024-01-01"]
    pet = schema(shop[1], "add_pet")
    assert list(pet["properties"]) == ["name", "owner", "kind"]
    assert pet["required"] == ["name"]
    assert pet["properties"]["name"] == {"type": "string"}
    assert pet["properties"]["owner"] == {"anyOf": [{"allOf": [{"$ref": "#/$defs/Person"}]}, {"type": "null"}]}
    assert pet["properties"]["kind"] == {"type": ["string", "null"], "enum": ["cat", "dog", None]}
    assert set(pet["$defs"]) == {"Person", "Pet"}
    assert schema(shop[1], "add_pet_2")["properties"]["body"] == {"$ref": "#/$defs/Either"}


@pytest.mark.parametrize(
    ("name", "given", "query"),
    [
        ("ids", [1, 2.0], "ids=1,2"),
        ("space", ["a b", "c"], "space=a%20b%20c"),
        ("pipe", ["a|b", "c"], "pipe=a%7Cb%7Cc"),
        ("deep", {"a": 1, "b": {"c": [True, None]}}, "deep%5Ba%5D=1&deep%5Bb%5D%5Bc%5D=true"),
        ("flat", {"a": 1, "b&": "c,d"}, "flat=a,1,b%26,c%2Cd"),
        ("spread", {"a": 1, "b": "c&d"}, "a=1&b=c%26d"),
        ("url", "http://x/?a=b&c#d e", "url=http://x/?a%3Db%26c%23d%20e"),
        ("json", {"name": "Rex"}, "json=%7B%22name%22%3A%22Rex%22%7D"),
        ("ids", [], ""),
        ("deep", {}, ""),
        ("price", 5.0, "price=5"),
        ("price", 1e-7, "price=1e-07"),
    ],
)
def test_query_styles(shop: tuple[RawServer, OpenAPIToolbox], name: str, given: Any, query: str) -> None:
    assert call(shop[1], "search", q="x", **{name: given}) == Observation(text="[1,2]")
    assert asked(shop[0]) == f"GET /v1/search?q=x{'&' * bool(query)}{query} HTTP/1.1"


def test_path_arrays_and_names_that_stand_in_two_places(shop: tuple[RawServer, OpenAPIToolbox]) -> None:
    server, made = shop
    parameters = schema(made, "get_pets_id_list")
    assert list(parameters["properties"]) == ["id", "list", "id_query", "X-Id"]
    assert call(made, "get_pets_id_list", id="a/b", list=["c", "d,e"], id_query=3, **{"X-Id": ["x", "y"]}).ok
    assert asked(server) == "GET /v1/pets/a%2Fb/c,d%2Ce?id=3 HTTP/1.1"
    assert b"\r\nX-Id: x,y\r\n" in server.requests[-1]
    assert "must not be empty" in call(made, "get_pets_id_list", id="a", list=[]).text


def test_other_bodies(shop: tuple[RawServer, OpenAPIToolbox]) -> None:
    server, made = shop
    assert call(made, "note", body="a;b\n1;2").ok
    assert server.requests[-1].endswith(b"\r\n\r\na;b\n1;2")
    assert b"\r\nContent-Type: text/csv\r\n" in server.requests[-1]
    assert call(made, "add_pet_2", body={"pets": []}).ok
    assert b"\r\nContent-Type: application/vnd.pet+json\r\n" in server.requests[-1]
    assert server.requests[-1].endswith(b'\r\n\r\n{"pets":[]}')
    assert call(made, "add_pet_2").ok
    assert b"content-type" not in server.requests[-1].lower()


def test_form_bodies_follow_their_encoding() -> None:
    properties = {"a": {"type": "array"}, "b": {"type": "array"}, "c": {"type": "object"}, "d": {"type": "object"}}
    media = {
        "schema": {"type": "object", "properties": properties},
        "encoding": {"b": {"style": "form", "explode": False}, "d": {"style": "deepObject"}},
    }
    with serving(http(b"1")) as server:
        body = {"requestBody": {"content": {"application/x-www-form-urlencoded": media}}}
        document = minimal(server.port)
        document["paths"]["/x"] = {"post": {"operationId": "op", **body}}
        with OpenAPIToolbox(document, allow_private=True, limits=QUICK) as made:
            assert call(made, "op", a=["1 2", "3"], b=[1, 2], c={"x": "y"}, d={"x": "y"}).ok
            assert call(made, "op").ok
    sent = server.requests[0].partition(b"\r\n\r\n")[2].decode()
    assert sent == "a=1%202&a=3&b=1,2&c=%7B%22x%22%3A%22y%22%7D&d%5Bx%5D=y"
    assert parse_qsl(sent)[:2] == [("a", "1 2"), ("a", "3")]
    assert server.requests[1].endswith(b"\r\n\r\n")


# Choice


def test_include_and_exclude_by_name_and_tag(tmp_path: Path) -> None:
    text = (TESTS / "openapi_small.yaml").read_text().replace("PORT", "1")
    path = tmp_path / "shop.yaml"
    path.write_text(text)

    def names(**choice: Any) -> list[str]:
        with OpenAPIToolbox(path, **choice) as made:
            return [tool.name for tool in made.tools]

    assert names(include=["write"]) == ["add_pet", "add_pet_2", "note"]
    assert names(include=["add/pet", "read"]) == ["search", "add_pet_2"]
    assert names(include=["write"], exclude=["add_pet"]) == ["add_pet_2", "note"]
    assert names(exclude=["write", "search"]) == ["get_pets_id_list"]
    for wrong, why in (
        ({"include": ["serch"]}, r"no operation or tag 'serch' \(closest: search"),
        ({"exclude": ["read", "write", "get_pets_id_list"]}, "no operation is left"),
        ({"include": "read"}, "lists of names"),
    ):
        with pytest.raises(ToolError, match=why):
            names(**wrong)


def test_a_toolbox_mixes_with_others(box: OpenAPIToolbox) -> None:
    mixed = CombinedToolbox([box], only={"text"})
    assert call(mixed, "text").ok


def test_long_names_and_descriptions_are_cut() -> None:
    document = minimal(1)
    long = {"operationId": "n" * 100, "description": "d " * 500, "parameters": []}
    document["paths"] = {f"/{n}": {"get": dict(long)} for n in range(3)} | {
        "/ü/{ä}": {"delete": {"operationId": "日本"}}
    }
    with OpenAPIToolbox(document) as made:
        assert [tool.name for tool in made.tools] == ["n" * 64, "n" * 62 + "_2", "n" * 62 + "_3", "delete"]
        assert len(made.tools[0].description) == 400
        assert made.tools[3].description == "DELETE /ü/{ä}"


def test_a_number_never_takes_a_name_that_is_wanted() -> None:
    document = minimal(1)
    ids = ["a", "a", "a_2", "a b", None, 7]
    document["paths"] = {f"/{n}": {"get": {"operationId": each}} for n, each in enumerate(ids)}
    with OpenAPIToolbox(document) as made:
        assert [tool.name for tool in made.tools] == ["a", "a_3", "a_2", "a_b", "get_4", "get_5"]


# Calls stay with their operation


def test_a_call_does_not_end_at_another_operation() -> None:
    with serving(http(b"1")) as server:
        document = minimal(server.port)
        paths = ("/users/{id}", "/users/me", "/users/{id}/keys", "/{any}/{more}", "/users/{other}")
        document["paths"] = {path: {"get": {"responses": {}}} for path in paths}
        with OpenAPIToolbox(document, allow_private=True, limits=QUICK, include=["get_users_id"]) as made:
            assert "another operation, get_users_me" in call(made, "get_users_id", id="me").text
            assert "another operation, get_users_id_keys" in call(made, "get_users_id", id="7/keys").text
            assert call(made, "get_users_id", id="7").ok
            assert call(made, "get_users_id", id="7/other").ok
    assert [asked.split(b" ")[1] for asked in server.requests] == [b"/users/7", b"/users/7%2Fother"]


# Bad documents


def refused(source: Any, **more: Any) -> str:
    with pytest.raises(ToolError) as caught:
        OpenAPIToolbox(source, limits=QUICK, **more)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds nothing, not an object"),
        ("just words", "holds plain text"),
        ("[1, 2]", "holds a list"),
        ("{", "not valid JSON"),
        ('{"openapi": "3.1.0",}', "doc:1: not valid JSON"),
        ("openapi: 3.0.0\npaths: [", "doc:[23]: not valid YAML"),
        ("a: &a [*a]", "no 'openapi' key"),
        ("openapi: 3.0.0\npaths: {}\nx: &a [*a]", "too large or nested too deep"),
        ("name: x\nversion: 1", r"no 'openapi' key \(it has: name, version\)"),
        ('swagger: "2.0"\npaths: {}', "Swagger 2.0 is not supported; convert it"),
        ("openapi: 4.0.0\npaths: {}", "OpenAPI 4.0.0 is not supported"),
        ("openapi: 3.1.0\ninfo: {}", "no 'paths'"),
        ("openapi: 3.1.0\npaths: [1]", "no 'paths'"),
        ("openapi: 3.1.0\npaths: {/x: 1}", "path /x must be an object"),
        ("openapi: 3.1.0\npaths: {/x: {get: 1}}", "GET /x must be an object"),
        ("openapi: 3.1.0\npaths: {/x: {get: {}}}", "'/' is no whole URL; say where the API is"),
        ("openapi: 3.1.0\npaths: {/x: {}}", "no operation is left"),
        ("!!python/object/apply:os.system ['echo']", "not valid YAML"),
        ("? [1, 2]\n: 3", "no|not|cannot"),
    ],
)
def test_what_is_no_document_is_said_in_a_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "doc"
    path.write_text(text)
    with pytest.raises(ToolError, match=why):
        OpenAPIToolbox(path)
    assert str(path) in refused(path)


def test_a_few_lines_of_yaml_that_stand_for_billions(tmp_path: Path) -> None:
    path = tmp_path / "bomb.yaml"
    lines = [
        "openapi: 3.0.0",
        "a0: &a0 [x, x]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)),
    ]
    path.write_text("\n".join(lines))
    began = time.process_time()
    assert "too large" in refused(path)
    assert time.process_time() - began < 10


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "missing.yaml")
    assert "cannot be read" in refused(tmp_path)
    assert "cannot be read" in refused("a\0b")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0")
    assert "no text in UTF-8" in refused(tmp_path / "binary")
    assert "comes from a file, http or https" in refused("ftp://example.com/openapi.json")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (drop, "broke off"),
        (http(b"", "500 Oops"), "500 Oops"),
        (http(b"<title>Docs</title>", content_type="text/html"), "an HTML page, no OpenAPI document"),
        (http(b'{"openapi": "3.1.0", "pa'), "not valid JSON"),
        (http(b""), "holds nothing"),
        (http(b"", "302 Found", location="http://169.254.169.254/"), "a redirect to http://169.254.169.254/, which is"),
    ],
)
def test_a_server_that_gives_no_document(answer: Answer, why: str) -> None:
    with serving(answer) as server:
        text = refused(f"{server.url}/openapi.json?key=hidden-key", allow_private=[server.host])
    assert why in text
    assert "hidden-key" not in text
    assert "must not be reached" in refused(f"{server.url}/openapi.json")


def test_references_that_cannot_be_followed() -> None:
    with serving(http(b'{"type": "string"}')) as server:
        for reference, why in (
            (f"{server.url}/schema.json", "nothing else is fetched"),
            ("other.yaml#/Pet", "nothing else is fetched"),
            ("file:///etc/passwd", "nothing else is fetched"),
            ("#/components/schemas/Nobody", "which is not in the document"),
            ("#anchor", "only references of the form"),
            ("#", "only references of the form"),
        ):
            for document in (
                minimal(server.port, {"parameters": [{"name": "a", "in": "query", "schema": {"$ref": reference}}]}),
                minimal(server.port, {"parameters": [{"$ref": reference}]}),
                minimal(
                    server.port, {"requestBody": {"content": {"a/json": {"schema": {"items": {"$ref": reference}}}}}}
                ),
                minimal(server.port, {"responses": {"200": {"$ref": reference}}}),
            ):
                assert why in refused(document, allow_private=True)
    assert server.requests == []


def components(**schemas: Any) -> dict[str, Any]:
    """A document whose operation takes `a`, a schema named A."""
    operation = {"parameters": [{"name": "a", "in": "query", "schema": {"$ref": "#/components/schemas/A"}}]}
    return minimal(1, operation, components={"schemas": schemas})


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_cycles_of_references() -> None:
    for schemas in (
        {"A": ref("A")},
        {"A": ref("B"), "B": ref("A")},
        {"A": {"allOf": [{"not": ref("B")}]}, "B": {"anyOf": [ref("A")]}},
        {"A": {"type": "array", "items": ref("B")}, "B": {"oneOf": [ref("B")]}},
    ):
        assert "refers to itself without end" in refused(components(**schemas))
    for first in ("parameters", "responses"):
        loop = {"loop": {"$ref": f"#/components/{first}/loop"}}
        operation = {first: [loop["loop"]] if first == "parameters" else {"200": loop["loop"]}}
        assert "leads back to itself" in refused(minimal(1, operation, components={first: loop}))
    with OpenAPIToolbox(
        components(A={"type": "object", "properties": {"a": ref("A"), "b": ref("B")}}, B=ref("A"))
    ) as made:
        assert set(schema(made, "op")["$defs"]) == {"A", "B"}


def test_a_long_chain_of_references_is_no_problem() -> None:
    chain = {f"A{n}": {"type": "object", "properties": {"next": ref(f"A{n + 1}")}} for n in range(400)}
    with OpenAPIToolbox(components(A=ref("A0"), **chain, A400={"type": "string"})) as made:
        assert len(schema(made, "op")["$defs"]) == 402


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ({"parameters": [{"in": "query"}]}, "no name or no known place"),
        ({"parameters": [{"in": "body", "name": "a"}]}, "no name or no known place"),
        ({"parameters": [7]}, "must be an object, not 7"),
        ({"parameters": [{"in": "query", "name": "a", "style": "matrix"}]}, "has the style 'matrix'; in query: form"),
        ({"parameters": [{"in": "query", "name": "a", "schema": 7}]}, "a schema must be an object, not 7"),
        ({"parameters": [{"in": "query", "name": "a", "schema": {"type": "text"}}]}, "invalid schema"),
        ({"parameters": [{"in": "query", "name": "a", "schema": {"$dynamicRef": "#x"}}]}, "cannot be followed"),
        ({"servers": [{"url": "ftp://x/"}]}, "http or https URL"),
        ({"servers": [{"url": "http://u:p@x/"}]}, "without a password"),
        ({"servers": [{"url": "http://{region}.x/"}]}, "variable 'region' without a default"),
        ({"servers": [{"url": "http://["}]}, "no whole URL|whole URL"),
    ],
)
def test_operations_that_cannot_be_offered(operation: Any, why: str) -> None:
    with pytest.raises(ToolError, match=why):
        OpenAPIToolbox(minimal(1, operation))


def pets(**others: Any) -> dict[str, Any]:
    """A document with one good operation, and others."""
    return {
        "openapi": "3.0.3",
        "servers": [{"url": "http://api.example"}],
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X"}}},
        "paths": {"/pet": {"get": {"operationId": "getPet", "tags": ["all"]}}, **others},
    }


def parameter(**more: Any) -> dict[str, Any]:
    return {"get": {"operationId": "bad", "tags": ["all"], "parameters": [{"in": "query", "name": "a", **more}]}}


BAD: dict[str, tuple[Any, str]] = {
    "a fragment": ({"/a#b": parameter()}, "GET /a#b: the path is no template"),
    "a variable in the query": ({"/a?b={b}": parameter()}, "the path is no template"),
    "a half variable": ({"/a/{b": parameter()}, "the path is no template"),
    "no slash": ({"a": parameter()}, "GET a: the path is no template"),
    "a nameless parameter": ({"/a": parameter(name="")}, "GET /a: the parameter '' in 'query' has no name"),
    "a label": ({"/a/{a}": parameter(**{"in": "path", "style": "label"})}, "has the style 'label'; in path: simple"),
    "a matrix": ({"/a/{a}": parameter(**{"in": "path", "style": "matrix"})}, "has the style 'matrix'"),
    "another file": ({"/a": parameter(schema={"$ref": "other.yaml#/X"})}, "refers to 'other.yaml#/X'"),
    "another file's path": ({"/a": {"$ref": "other.yaml"}}, "path /a refers to 'other.yaml'"),
    "no object": ({"/a": {"get": 7}}, "GET /a must be an object, not 7"),
    "a list for a mapping": ({"/a": parameter(content={"application/json": [1]})}, "GET /a cannot be read: "),
    "a schema that is none": ({"/a": parameter(schema={"type": "text"})}, "tool 'bad': invalid schema"),
    "a secret": ({"/a": {"get": {"operationId": "bad", "security": [{"key": []}]}}}, "ALPHA_UMI_AUTH_KEY"),
    "an unknown scheme": ({"/a": {"get": {"security": [{"nokey": []}]}}}, "a scheme that the document does not define"),
    "a server without a host": ({"/a": {"get": {"servers": [{"url": "http://["}]}}}, "is no whole URL"),
}


@pytest.mark.parametrize("kind", BAD)
def test_one_bad_operation_leaves_the_others(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    others, why = BAD[kind]
    with OpenAPIToolbox(pets(**others)) as made:
        assert [tool.name for tool in made.tools] == ["getPet"]
        assert len(made.skipped) == 1
        assert why in made.skipped[0]
        assert "\n" not in made.skipped[0]
    assert [record.getMessage() for record in caplog.records] == [f"the document: left out: {made.skipped[0]}"]
    with OpenAPIToolbox(pets(**others), include=["getPet"]) as made:  # nobody asked for the other
        assert (len(made.tools), [why for why in made.skipped if "GET" in why]) == (1, [])


def test_what_is_chosen_by_name_must_be_offered() -> None:
    document = pets(**{"/a#b": parameter()})
    text = refused(document, include=["getPet", "bad"])
    assert "GET /a#b: the path is no template" in text
    with OpenAPIToolbox(document, include=["all"]) as made:  # a tag is not a name
        assert [tool.name for tool in made.tools] == ["getPet"]
    document["paths"].pop("/pet")
    assert "the path is no template" in refused(document)


def test_many_bad_operations_are_not_as_many_lines(caplog: pytest.LogCaptureFixture) -> None:
    with OpenAPIToolbox(pets(**{f"/a#{n}": {"get": {}} for n in range(300)})) as made:
        assert len(made.skipped) == 300
    assert len(caplog.records) == 11
    assert "left out: 290 operations more" in caplog.text


def test_a_pattern_that_is_no_text_is_the_servers_to_check() -> None:
    with OpenAPIToolbox(pets(**{"/a": parameter(schema={"type": "string", "pattern": 0})})) as made:
        assert schema(made, "bad")["properties"]["a"] == {"type": "string"}
        assert made.skipped == ()


def test_a_query_in_a_path_is_sent_as_it_is() -> None:
    """Two operations of one path, told apart by it; the model's own arguments follow."""
    document = pets(
        **{
            "/find/{place}?kind=cat&sort=a b": {
                "get": {"operationId": "cats", "parameters": [{"in": "query", "name": "n", "schema": {}}]}
            },
            "/find/{place}?kind=dog": {"get": {"operationId": "dogs"}},
        }
    )
    with serving(http(b"{}", content_type="application/json")) as server:
        document["servers"] = [{"url": server.url}]
        with OpenAPIToolbox(document, allow_private=True, limits=QUICK) as made:
            assert call(made, "cats", place="Oslo", n="1&kind=dog").ok
            assert call(made, "dogs", place="Rome").ok
            assert not call(made, "dogs", place="../pet").ok
    assert [asked.split(b" ")[1] for asked in server.requests] == [
        b"/find/Oslo?kind=cat&sort=a%20b&n=1%26kind%3Ddog",
        b"/find/Rome?kind=dog",
    ]


def test_all_that_is_wrong_is_said_at_once() -> None:
    document = minimal(1)
    document["paths"] = {f"/{n}": {"get": {"parameters": [{"in": "nowhere", "name": "a"}]}} for n in range(7)}
    text = refused(document)
    assert "GET /0" in text
    assert "GET /4" in text
    assert "and 2 more" in text


# Servers


@pytest.mark.parametrize(
    ("servers", "path"),
    [
        (None, "/x"),
        ([], "/x"),
        ([{"url": "/v2/"}], "/v2/x"),
        ([{"url": "v2"}], "/docs/v2/x"),
        ([{"url": "../v2"}], "/v2/x"),
        ([{"url": ""}], "/x"),
        ([{"url": "/{a}", "variables": {"a": {"default": "b"}}}], "/b/x"),
    ],
)
def test_servers_are_relative_to_the_document(servers: Any, path: str) -> None:
    document = minimal(1, servers=servers)
    served: list[bytes] = []
    with serving(lambda connection: connection.sendall(served[0])) as server:
        served.append(http(json.dumps(document).encode()))
        source = f"{server.url}/docs/openapi.json?token=1"
        with OpenAPIToolbox(source, allow_private=[server.host], limits=QUICK) as made:
            call(made, "op")
    assert asked(server) == f"GET {path} HTTP/1.1"


def test_the_server_of_an_operation_and_that_of_the_user_come_first() -> None:
    with serving(http(b"1")) as server:
        here = f"{server.url}/here"
        document = minimal(1, {"servers": [{"url": here}]})
        with OpenAPIToolbox(document, allow_private=True, limits=QUICK) as made:
            call(made, "op")
        assert asked(server) == "GET /here/x HTTP/1.1"
        with OpenAPIToolbox(document, server=f"{server.url}/there/", allow_private=True, limits=QUICK) as made:
            call(made, "op")
        assert asked(server) == "GET /there/x HTTP/1.1"
        with pytest.raises(ToolError, match="no whole URL"):
            OpenAPIToolbox(document, server="there")


def test_a_document_cannot_send_calls_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(http(b"secret")) as inside:
        for host in (inside.host, f"[::1]:{inside.port}", f"0x7f.1:{inside.port}", "169.254.169.254", "2852039166"):
            with OpenAPIToolbox(minimal(1, {"servers": [{"url": f"http://{host}"}]}), limits=QUICK) as made:
                seen = call(made, "op")
            assert not seen.ok
            assert "must not be reached unless the user allows it" in seen.text
        assert inside.requests == []
        monkeypatch.setenv("ALPHA_UMI_ALLOW_HOSTS", f"intranet, {inside.host}")
        document = json.dumps(minimal(inside.port)).encode()
        with serving(http(document)) as public, from_spec(f"{public.url}/openapi.json") as made:
            assert call(made, "op").text == "secret"


# Replies that are not what was promised


PROMISE = {"responses": {"200": {"description": "", "content": {"application/json": {}}}}}


@pytest.mark.parametrize(
    ("answer", "ok", "text"),
    [
        (http(b'{"a": [1, 2]}', content_type="application/json"), True, '{"a":[1,2]}'),
        (http(b'{"a": "\\ud800\xc3\xa9"}', content_type="application/json"), True, '{"a":"?é"}'),
        (http(b'{"a": 1}'), True, '{"a":1}'),
        (http(b"plain", content_type="text/plain"), True, "plain"),
        (http(b"\xe9", content_type="text/plain; charset=latin-1"), True, "é"),
        (http(b"\xe9", content_type="text/plain; charset=nonsense"), True, "\ufffd"),
        (http(b"x", content_type="text/plain; charset=base64"), True, "x"),
        (
            http(b"\0\1", content_type="application/octet-stream"),
            True,
            "[application/octet-stream, 2 bytes, not shown]",
        ),
        (http(b"words", content_type="application/octet-stream"), True, "words"),
        (http(b"\xff\xff"), True, "[binary data, 2 bytes, not shown]"),
        (http(b'{"a": [1,', content_type="application/json"), False, '200 with broken JSON: {"a": [1,'),
        (http(b"[" * 100_000, content_type="application/json"), False, "200 with broken JSON: [[["),
        (http(b"9" * 9000, content_type="application/json"), False, "200 with broken JSON: 999"),
        (http(b"", content_type="application/json"), False, "200 with an empty body"),
        (http(b"<p>Hi<script>x</script></p>", content_type="text/html"), False, "an HTML page instead of JSON: Hi"),
        (http(b"<h1>Bad\n\nGateway</h1>", "502 Bad", content_type="text/html"), False, "502 Bad: Bad Gateway"),
        (
            http(b'{"detail":\n "no"}', "422 Wrong", content_type="application/json"),
            False,
            '422 Wrong: {"detail":"no"}',
        ),
        (http(b"", "429 Slow", retry_after="600"), False, "429 Slow (try again in 600 seconds)"),
        (drop, False, "127.0.0.1 broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", False, "127.0.0.1 broke off"),
    ],
)
def test_every_reply_is_an_observation(answer: Answer, ok: bool, text: str) -> None:
    with serving(answer) as server:
        limits = replace(QUICK, retries=1)
        with OpenAPIToolbox(minimal(server.port, PROMISE), allow_private=True, limits=limits) as made:
            seen = call(made, "op")
    assert seen.ok is ok
    if ok:
        assert seen.text == text
    else:
        assert text in seen.text
        assert seen.text.startswith("op failed: ")
        assert "\n" not in seen.text
        assert len(seen.text) < 700


def test_silence_is_an_observation() -> None:
    over = threading.Event()

    def wait(connection: socket.socket) -> None:
        over.wait(60)

    with serving(wait) as server:
        limits = HttpLimits(backoff_s=0.01, read_s=0.3, retries=1)
        with OpenAPIToolbox(minimal(server.port, PROMISE), allow_private=True, limits=limits) as made:
            seen = call(made, "op")
        over.set()
    assert seen == Observation(text="op failed: 127.0.0.1 was silent for 0.3 seconds (2 attempts)", ok=False)


def test_a_huge_reply_is_cut() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
        while True:
            connection.sendall(b'"\xc3\xa9",' * 10_000)

    with serving(endless) as server:
        made = OpenAPIToolbox(minimal(server.port, PROMISE), allow_private=True, limits=QUICK, max_chars=300)
        seen = call(made, "op")
    assert (seen.ok, len(seen.text)) == (True, 300)
    assert "characters cut" in seen.text
    assert seen.text.endswith("[the reply goes on: only its start was read]")


def test_an_html_page_that_was_promised_is_text() -> None:
    with serving(http(b"<p>Hi</p>", content_type="text/html")) as server:
        promise: Any = {"responses": {"2XX": {"content": {"text/html": {}, "application/json": {}}}}}
        with OpenAPIToolbox(minimal(server.port, promise), allow_private=True, limits=QUICK) as made:
            assert call(made, "op") == Observation(text="<p>Hi</p>")


@settings(max_examples=25, deadline=None)
@given(
    st.binary(max_size=100),
    st.sampled_from(["200 OK", "404 No"]),
    st.sampled_from(["application/json", "text/html", "x/y; charset=utf-16", "text/plain; charset=utf-7", ""]),
)
def test_whatever_comes_back_can_be_kept(body: bytes, status: str, kind: str) -> None:
    with serving(http(body, status, content_type=kind)) as server:
        seen = call(OpenAPIToolbox(minimal(server.port), allow_private=True, limits=QUICK), "op")
    assert seen.text.encode()


def test_calls_from_many_threads(box: OpenAPIToolbox) -> None:
    seen: dict[int, Any] = {}
    threads = [threading.Thread(target=lambda n=n: seen.update({n: value(box, "number", number=n)})) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {n: {"number": n, "id": 0} for n in range(20)}


def test_the_example_runs(service: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    example = TESTS.parent / "examples" / "openapi_agent.py"
    monkeypatch.setattr(sys, "argv", [str(example), f"{service}/openapi.json"])
    runpy.run_path(str(example), run_name="__main__")
    assert "order(number, express, article, count, note): Post Order" in capsys.readouterr().out
    calls = ['Action: order\nAction Input: {"number": 1, "article": "cup", "count": 2}']
    lend(monkeypatch, ["Next: caller.", "Next: conclusion."], calls, ["Two cups are ordered."])
    monkeypatch.setattr(sys, "argv", [*sys.argv, "Order two cups."])
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out.endswith("\nTwo cups are ordered.\n")
