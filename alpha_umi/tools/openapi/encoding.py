"""Arguments -> the parts of a request, as OpenAPI's styles write them.

A path argument stays inside its segment, a header argument inside its line, a query argument inside its pair:
whatever a model writes is data. A value that cannot be written without harm raises Unsendable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

import httpx

from alpha_umi.tools.openapi.operations import Body, Operation, Parameter

_RESERVED = ":/?@!$'()*,;"
"""What `allowReserved` leaves as it is. `&`, `=`, `#`, `+`, `[` and `]` would change what the query says."""
_LITERAL_QUERY = ":/?@!$&'()*+,;=%"
_DELIMITERS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}
_COOKIE_SAFE = "!#$&'()*+-./:<=>?@[]^_`{|}~%"
_ROUNDS = 5


class Unsendable(ValueError):
    """An argument that cannot be put where it belongs; the text is for the model."""


def encode_path(operation: Operation, arguments: Mapping[str, Any]) -> str:
    """The path with its variables filled in, each percent-encoded within its segment."""
    values = {p.name: _path_value(p, arguments[p.argument]) for p in operation.parameters if p.where == "path"}
    pieces = re.split(r"\{([^{}]+)\}", operation.path)
    literal = [quote(piece, safe="/:@!$&'()*+,;=~%") for piece in pieces[::2]]
    filled = [values[name] for name in pieces[1::2]]
    path = "".join(a + b for a, b in zip(literal, [*filled, ""], strict=True))
    if any(unquote(segment) in (".", "..") for segment in path.split("/")):
        raise Unsendable("a path argument may not be or build '.' or '..'")
    return path


def encode_query(operation: Operation, arguments: Mapping[str, Any]) -> str:
    """The query string without its question mark."""
    pairs = [quote(operation.query, safe=_LITERAL_QUERY)] if operation.query else []
    for parameter, value in _given(operation, arguments, "query"):
        safe = _RESERVED if parameter.allow_reserved else ""
        if parameter.as_json:
            pairs.append(f"{quote(parameter.name, safe='')}={quote(_json(value), safe=safe)}")
        else:
            pairs.extend(form_pairs(parameter.name, value, parameter.style, parameter.explode, safe=safe))
    return "&".join(pairs)


def encode_headers(operation: Operation, arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The header parameters, in one line each."""
    headers = []
    for parameter, value in _given(operation, arguments, "header"):
        text = _json(value) if parameter.as_json else ",".join(_simple(value, parameter.explode, str))
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text) or text != text.strip(" \t") or not _is_latin(text):
            raise Unsendable(
                f"{parameter.argument}: a header holds no line breaks, control characters, white space at its ends "
                "or characters beyond Latin-1"
            )
        headers.append((parameter.name, text))
    return headers


def encode_cookies(operation: Operation, arguments: Mapping[str, Any]) -> list[str]:
    """The cookies as `name=value`; what a cookie cannot hold is percent-encoded."""
    cookies = []
    for parameter, value in _given(operation, arguments, "cookie"):
        text = _json(value) if parameter.as_json else ",".join(_simple(value, False, str))
        cookies.append(f"{quote(parameter.name, safe='!#$&*+-.^_`|~')}={quote(text, safe=_COOKIE_SAFE)}")
    return cookies


def encode_body(body: Body, arguments: Mapping[str, Any]) -> tuple[str, bytes] | None:
    """Content type and content; None when no argument of the body is given."""
    if body.whole is not None:
        if body.whole not in arguments:
            return None
        value = arguments[body.whole]
    else:
        value = {name: arguments[name] for name in body.arguments if name in arguments}
        if not value and not (body.required and body.kind == "json"):
            return None
    if body.kind == "json":
        return body.media_type, _json(value).encode()
    if body.kind == "text":
        return body.media_type, str(value).encode()
    if not isinstance(value, Mapping):
        raise Unsendable(f"{body.whole}: a form is an object")
    if body.kind == "multipart":
        return _multipart(body, value)
    pairs: list[str] = []
    for name, each in value.items():
        how = body.encoding.get(name)
        how = how if isinstance(how, Mapping) else {}
        style = how.get("style", "form") if how.get("style") in (*_DELIMITERS, "deepObject") else "form"
        one = _json(each) if isinstance(each, Mapping) and "style" not in how else each
        pairs.extend(form_pairs(name, one, style, how.get("explode", style == "form") is True))
    return body.media_type, "&".join(pairs).encode()


def form_pairs(name: str, value: Any, style: str, explode: bool, *, safe: str = "") -> list[str]:
    """A value as the `key=value` pairs of a query or form; null and empty lists and objects are left out."""

    def text(each: Any) -> str:
        return quote(_text(each), safe=safe)

    key = quote(name, safe="")
    if value is None or (isinstance(value, list | Mapping) and not value):
        return []
    if style == "deepObject" and isinstance(value, Mapping):
        return [pair for each in value for pair in _deep(f"{key}%5B{quote(each, safe='')}%5D", value[each], text)]
    if isinstance(value, Mapping) and explode:
        return [f"{quote(each, safe='')}={text(part)}" for each, part in value.items() if part is not None]
    if isinstance(value, list) and (explode or style == "deepObject"):
        return [f"{key}={text(each)}" for each in value]
    if isinstance(value, list | Mapping):
        return [f"{key}={_DELIMITERS.get(style, ',').join(_simple(value, False, text))}"]
    return [f"{key}={text(value)}"]


def _deep(key: str, value: Any, text: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [pair for each in value for pair in _deep(f"{key}%5B{quote(each, safe='')}%5D", value[each], text)]
    many = value if isinstance(value, list) else [value]
    return [f"{key}={text(each)}" for each in many if each is not None]


def _given(operation: Operation, arguments: Mapping[str, Any], where: str) -> list[tuple[Parameter, Any]]:
    """The parameters of a place that have a value, null counting as none."""
    here = [p for p in operation.parameters if p.where == where]
    return [(p, arguments[p.argument]) for p in here if arguments.get(p.argument) is not None]


def _path_value(parameter: Parameter, value: Any) -> str:
    def text(each: Any) -> str:
        plain = decoded = _text(each)
        for _ in range(_ROUNDS):  # a server or proxy may decode more than once
            if any(part in (".", "..") for part in re.split(r"[/\\]", decoded)):
                raise Unsendable(f"{parameter.argument}: '.' and '..' would leave this part of the path")
            decoded = unquote(decoded)
        return quote(plain, safe="")

    if parameter.as_json:
        return text(_json(value))
    written = ",".join(_simple(value, parameter.explode, text))
    if not written:
        raise Unsendable(f"{parameter.argument}: must not be empty, it is a part of the path")
    return written


def _simple(value: Any, explode: bool, text: Any) -> list[str]:
    """The pieces of a value that are joined by a delimiter; `text` writes one of them."""
    if isinstance(value, Mapping):
        pairs = [(text(key), text(_text(each))) for key, each in value.items()]
        return [f"{k}={v}" for k, v in pairs] if explode else [piece for pair in pairs for piece in pair]
    return [text(_text(each)) for each in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    """One value as a query or path writes it; an object or list inside another one is JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)  # 2.0 is a valid integer, but few servers read it as one
    return "" if value is None else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _multipart(body: Body, value: Mapping[str, Any]) -> tuple[str, bytes] | None:
    """A part for each property, several for a list; files under their property's name."""
    parts: list[tuple[str, tuple[str | None, bytes, str]]] = []
    for name, each in value.items():
        how = body.encoding.get(name)
        stated = how.get("contentType") if isinstance(how, Mapping) else None
        for one in each if isinstance(each, list) else [each]:
            kind = stated if isinstance(stated, str) and "," not in stated and "*" not in stated else None
            if isinstance(one, Mapping | list):
                parts.append((name, (None, _json(one).encode(), kind or "application/json")))
            elif name in body.files:
                parts.append((name, (name, _text(one).encode(), kind or "application/octet-stream")))
            elif one is not None:
                parts.append((name, (None, _text(one).encode(), kind or "text/plain; charset=utf-8")))
    if not parts:
        return None
    built = httpx.Request("POST", "http://multipart.invalid", files=parts)
    return built.headers["Content-Type"], built.read()
