"""An OpenAPI document as plain data: read, recognised, and its local references followed.

Reads JSON and YAML, from a file, a URL or memory. Only references into the document itself are followed: one that
leaves it is refused, never fetched. Knows nothing of operations and schemas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from alpha_umi.errors import ToolError
from alpha_umi.resources import user_path
from alpha_umi.tools.http import HttpClient, HttpFault, HttpRequest
from alpha_umi.tools.replies import media_type, observe
from alpha_umi.tools.validation import one_line

MAX_BYTES = 20_000_000
"""Longest document that is read."""
_MAX_NODES = 1_000_000
"""Values a document may hold once YAML's aliases are written out: a few lines of aliases can stand for billions."""
_MAX_DEPTH = 200
_ACCEPT = "application/json, application/yaml;q=0.9, text/*;q=0.8, */*;q=0.5"


@dataclass(frozen=True)
class Document:
    """An OpenAPI 3.0 or 3.1 document."""

    source: str
    """Where it came from, for messages."""
    root: Mapping[str, Any] = field(repr=False)
    url: str = ""
    """What relative server URLs are relative to; empty for a file."""

    @property
    def version(self) -> tuple[int, int]:
        """(3, 0) or (3, 1)."""
        major, minor = str(self.root["openapi"]).split(".")[:2]
        return int(major), int(minor)

    def follow(self, value: object, what: str) -> Mapping[str, Any]:
        """The object that a value is or refers to.

        Raises:
            ToolError: it refers to nothing, to itself or out of the document, or is no object.
        """
        seen: list[str] = []
        while isinstance(value, Mapping) and isinstance(value.get("$ref"), str):
            reference = value["$ref"]
            if reference in seen:
                raise ToolError(f"{what}: the reference {reference!r} leads back to itself")
            seen.append(reference)
            value = self.at(reference, what)
        if not isinstance(value, Mapping):
            raise ToolError(f"{what} must be an object, not {one_line(repr(value), limit=60)}")
        return value

    def at(self, reference: str, what: str) -> Any:
        """What a reference such as `#/components/schemas/Pet` points at.

        Raises:
            ToolError: it leaves the document or points at nothing.
        """
        shown = one_line(reference, limit=120)
        if not reference.startswith("#/"):
            raise ToolError(
                f"{what} refers to {shown!r}: only references of the form '#/...' are followed, "
                "nothing else is fetched; bundle the document into one file first"
            )
        value: Any = self.root
        for part in unquote(reference[2:]).split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and key.isascii() and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            elif isinstance(value, Mapping) and key in value:
                value = value[key]
            else:
                raise ToolError(f"{what} refers to {shown!r}, which is not in the document")
        return value


def read_document(source: str | Path | Mapping[str, Any], *, http: HttpClient, url: str = "") -> Document:
    """Read a document from a file, an http(s) URL or a mapping; `url` says where a file or mapping was published.

    Raises:
        ToolError: it cannot be read or is no OpenAPI 3.0 or 3.1 document; one line says why.
    """
    if isinstance(source, Mapping):
        return _checked("the document", source, url)
    text = str(source)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", text)
    if scheme is None:
        return _checked(text, _parse(text, _read_file(user_path(text))), url)
    if scheme[1].lower() not in ("http", "https"):
        raise ToolError(f"{one_line(text, limit=200)}: an OpenAPI document comes from a file, http or https")
    shown = one_line(text.partition("?")[0], limit=200)  # what follows may be a key
    return _checked(shown, _parse(shown, _fetch(shown, text, http)), url or text)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ToolError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_BYTES:
        raise ToolError(f"{path}: longer than {MAX_BYTES} bytes")
    return content


def _fetch(shown: str, url: str, http: HttpClient) -> bytes:
    try:
        reply = http.send(HttpRequest("GET", url, headers=[("Accept", _ACCEPT)]))
    except HttpFault as fault:
        raise ToolError(f"{shown}: cannot be read: {fault}") from None
    if reply.status != 200:
        raise ToolError(observe(reply, tool=shown).text)
    if reply.truncated:
        raise ToolError(f"{shown}: longer than {http.limits.max_bytes} bytes")
    if "html" in media_type(reply):
        raise ToolError(f"{shown}: an HTML page, no OpenAPI document; give the URL of its JSON or YAML")
    return reply.body


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as JSON has it: `no` is a text and so is a date."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in ("timestamp", "bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$", re.IGNORECASE), list("tTfF"))


def _parse(source: str, content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)
    except UnicodeDecodeError:
        raise ToolError(f"{source}: no text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise ToolError(f"{source}:{error.lineno}: not valid JSON: {error.msg}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ToolError(f"{source}{line}: not valid YAML: {getattr(error, 'problem', None) or 'unreadable'}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise ToolError(f"{source}: cannot be read: {one_line(str(error), limit=200)}") from None


def _checked(source: str, value: object, url: str) -> Document:
    if not isinstance(value, Mapping):
        raise ToolError(f"{source}: no OpenAPI document: it holds {_kind(value)}, not an object")
    if "swagger" in value:
        version = one_line(str(value["swagger"]), limit=20)
        raise ToolError(f"{source}: Swagger {version} is not supported; convert it to OpenAPI 3 (swagger2openapi does)")
    if "openapi" not in value:
        keys = one_line(", ".join(map(str, list(value)[:8])), limit=120)
        raise ToolError(f"{source}: no OpenAPI document: it has no 'openapi' key (it has: {keys or 'nothing'})")
    if not re.fullmatch(r"3\.[01](\.\d+(-\w+)?)?", str(value["openapi"])):
        version = one_line(str(value["openapi"]), limit=20)
        raise ToolError(f"{source}: OpenAPI {version} is not supported; 3.0 and 3.1 are")
    plain = _plain(value, source, [_MAX_NODES], 0)
    if not isinstance(plain.get("paths"), Mapping) or not plain["paths"]:
        raise ToolError(f"{source}: the document has no 'paths', so it offers nothing to call")
    return Document(source, plain, url)


def _plain(value: Any, source: str, left: list[int], depth: int) -> Any:
    """A copy as JSON would hold it: the keys are text, nothing is shared, and there is not too much of it."""
    left[0] -= 1
    if left[0] < 0 or depth > _MAX_DEPTH:
        raise ToolError(f"{source}: too large or nested too deep (YAML aliases written out)")
    if isinstance(value, Mapping):
        return {str(key): _plain(child, source, left, depth + 1) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(child, source, left, depth + 1) for child in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _kind(value: object) -> str:
    names = {list: "a list", str: "plain text", type(None): "nothing"}
    return names.get(type(value), f"a {type(value).__name__}")
