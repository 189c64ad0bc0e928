"""The operations of a document, each as a Tool and what is needed to turn its arguments into a request.

All parameters and the body become the properties of one object: that is what a model fills in best. Owns the
merged schema and which arguments go where; how they are written is `encoding`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from alpha_umi.errors import ToolError
from alpha_umi.tools.openapi.document import Document
from alpha_umi.tools.openapi.listing import RawOperation
from alpha_umi.tools.openapi.schemas import DESCRIPTION_CHARS, SchemaReader
from alpha_umi.tools.validation import one_line
from alpha_umi.trajectory import Tool

_PLACES = ("path", "query", "header", "cookie")
_STYLES = {
    "path": ("simple",),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
_SET_BY_US = frozenset(
    {"accept", "content-type", "authorization"}  # OpenAPI: never parameters
    | {"accept-encoding", "connection", "content-length", "expect", "host", "te", "transfer-encoding", "upgrade"}
)
_KEY_HEADER = "idempotency-key"
_FLAT = frozenset(
    {"type", "properties", "required", "title", "description", "additionalProperties", "example", "examples"}
    | {"xml", "externalDocs", "deprecated"}
)
"""What a schema may have beside its properties for these to be arguments of their own."""

BodyKind = Literal["json", "form", "multipart", "text"]


@dataclass(frozen=True)
class Parameter:
    """One argument outside the body."""

    argument: str
    name: str
    where: str
    style: str
    explode: bool
    allow_reserved: bool = False
    as_json: bool = False


@dataclass(frozen=True)
class Body:
    """How the body is made of arguments."""

    media_type: str
    kind: BodyKind
    required: bool = False
    arguments: tuple[str, ...] = ()
    """The body's own properties; empty if one argument, `whole`, is the body."""
    whole: str | None = None
    files: frozenset[str] = frozenset()
    """Properties of a multipart body that are sent as files."""
    encoding: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """A tool and its way to a request."""

    tool: Tool
    method: str
    path: str
    query: str
    """What the document writes of the query into the path; sent as it is."""
    parameters: tuple[Parameter, ...]
    body: Body | None
    takes_key: bool
    """Whether it has a header `Idempotency-Key`, which is filled in for the model."""
    promised: frozenset[str]
    """The media types announced for success."""
    may_be_empty: bool


def read_operation(document: Document, raw: RawOperation, hidden: frozenset[tuple[str, str]]) -> Operation:
    """An operation as a tool. `hidden`: places and lower-case names of parameters that credentials fill in.

    Raises:
        ToolError: something in it cannot be offered; one line says what.
    """
    reader = SchemaReader(document, raw.what)
    merged = _Merged()
    takes_key = False
    parameters: list[Parameter] = []
    for parameter in _parameters(document, raw):
        where, name = parameter["in"], str(parameter["name"])
        if (where, name.lower()) in hidden or (where == "header" and name.lower() in _SET_BY_US):
            continue
        if where == "header" and name.lower() == _KEY_HEADER:
            takes_key = True
            continue
        argument = merged.free(name, where)
        parameters.append(_parameter(parameter, argument, raw.what))
        merged.add(argument, _described(parameter, reader), where == "path" or parameter.get("required") is True)
    body = _body(document, raw, reader, merged)
    schema: dict[str, Any] = {"type": "object", "properties": merged.properties}
    if merged.required:
        schema["required"] = merged.required
    schema["additionalProperties"] = False
    if definitions := reader.definitions():
        schema["$defs"] = definitions
    tool = Tool(name=raw.name, description=raw.description, parameters=schema)
    promised, may_be_empty = _replies(document, raw)
    return Operation(
        tool=tool,
        method=raw.method.upper(),
        path=raw.route,
        query=raw.path.partition("?")[2],
        parameters=tuple(parameters),
        body=body,
        takes_key=takes_key,
        promised=promised,
        may_be_empty=may_be_empty,
    )


class _Merged:
    """The properties of the one object, and which are required."""

    def __init__(self) -> None:
        self.properties: dict[str, Any] = {}
        self.required: list[str] = []

    def free(self, name: str, where: str) -> str:
        """A name for an argument: its own, or one that says where it goes if that is taken."""
        unique, number = name, 1
        while unique in self.properties:
            unique = f"{name}_{where}" if number == 1 else f"{name}_{where}_{number}"
            number += 1
        return unique

    def add(self, argument: str, schema: dict[str, Any], required: bool) -> None:
        self.properties[argument] = schema
        if required:
            self.required.append(argument)


def _parameters(document: Document, raw: RawOperation) -> list[Mapping[str, Any]]:
    """The parameters of path and operation (which override), by place; template variables nobody declared are texts."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for owner in (raw.item, raw.content):
        listed = owner.get("parameters") or []
        for value in listed if isinstance(listed, list) else [listed]:
            parameter = document.follow(value, f"{raw.what}: a parameter")
            where, name = parameter.get("in"), parameter.get("name")
            if where not in _PLACES or not isinstance(name, str) or not name:
                shown = one_line(f"{name!r} in {where!r}", limit=80)
                raise ToolError(f"{raw.what}: the parameter {shown} has no name or no known place")
            found[where, name] = parameter
    variables = re.findall(r"\{([^{}]+)\}", raw.route)
    literal = re.sub(r"\{[^{}]+\}", "", raw.route) + raw.path.removeprefix(raw.route)
    if re.search(r"[{}#]", literal) or not raw.path.startswith("/"):
        raise ToolError(f"{raw.what}: the path is no template")
    for name in variables:
        found.setdefault(("path", name), {"name": name, "in": "path", "schema": {"type": "string"}})
    in_use = [p for p in found.values() if p["in"] != "path" or p["name"] in variables]
    return sorted(in_use, key=lambda parameter: _PLACES.index(parameter["in"]))


def _parameter(parameter: Mapping[str, Any], argument: str, what: str) -> Parameter:
    where, name = parameter["in"], parameter["name"]
    style = parameter.get("style") or _STYLES[where][0]
    if style not in _STYLES[where]:
        raise ToolError(f"{what}: parameter {name!r} has the style {style!r}; in {where}: {', '.join(_STYLES[where])}")
    explode = parameter.get("explode", style in ("form", "deepObject"))
    as_json = "schema" not in parameter and bool(parameter.get("content"))
    return Parameter(argument, name, where, style, explode is True, parameter.get("allowReserved") is True, as_json)


def _described(parameter: Mapping[str, Any], reader: SchemaReader) -> dict[str, Any]:
    content = parameter.get("content")
    source: Any = parameter.get("schema", {})
    if "schema" not in parameter and isinstance(content, Mapping) and content:
        source = (next(iter(content.values())) or {}).get("schema", {})
    schema = reader.read(source)
    text = parameter.get("description")
    return {**schema, "description": one_line(text, limit=DESCRIPTION_CHARS)} if isinstance(text, str) else schema


def _body(document: Document, raw: RawOperation, reader: SchemaReader, merged: _Merged) -> Body | None:
    if not raw.content.get("requestBody"):
        return None
    request = document.follow(raw.content["requestBody"], f"{raw.what}: the body")
    content = request.get("content")
    if not isinstance(content, Mapping) or not content:
        return None
    media_type, kind = _media_type(list(content))
    media = content[media_type] if isinstance(content[media_type], Mapping) else {}
    required = request.get("required") is True
    source = media.get("schema", {"type": "string"} if kind == "text" else {})
    resolved = reader.resolved(source)
    properties = resolved.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    files = frozenset(name for name, child in properties.items() if kind == "multipart" and _is_file(child, reader))
    encoding: Mapping[str, Any] = media["encoding"] if isinstance(media.get("encoding"), Mapping) else {}
    sent_as = "application/json" if media_type == "*/*" else media_type
    if kind != "text" and _is_flat(resolved, required, merged):
        flat = reader.read(resolved)
        for name, schema in flat["properties"].items():
            merged.add(name, schema, name in flat.get("required", ()))
        return Body(sent_as, kind, required, tuple(flat["properties"]), None, files, encoding)
    whole = merged.free("body", "content")
    schema = reader.read(source)
    text = request.get("description")
    if isinstance(text, str) and "description" not in schema:
        schema = {**schema, "description": one_line(text, limit=DESCRIPTION_CHARS)}
    merged.add(whole, {"type": "string"} if kind == "text" else schema, required)
    return Body(sent_as, kind, required, (), whole, files, encoding)


def _media_type(offered: Sequence[str]) -> tuple[str, BodyKind]:
    """The media type to send and how: JSON if possible, then forms, else text written by the model."""
    tests: tuple[tuple[BodyKind, str], ...] = (
        ("json", r"application/json.*|.*\+json.*|text/json.*|\*/\*"),
        ("form", r"application/x-www-form-urlencoded.*"),
        ("multipart", r"multipart/form-data.*"),
    )
    for kind, pattern in tests:
        for media_type in offered:
            if re.fullmatch(pattern, media_type.strip().lower()):
                return media_type, kind
    return offered[0], "text"


def _is_flat(schema: Mapping[str, Any], required: bool, merged: _Merged) -> bool:
    """Whether a body can be given property by property: a plain object with names that are still free."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        return False
    plain = schema.get("type", "object") == "object" and not {k for k in schema if k[:2] != "x-"} - _FLAT
    closed = schema.get("additionalProperties", False) is False
    complete = required or not schema.get("required")
    return plain and closed and complete and not properties.keys() & merged.properties.keys()


def _is_file(schema: object, reader: SchemaReader) -> bool:
    found = reader.resolved(schema)
    if found.get("type") == "array" and "items" in found:
        found = reader.resolved(found["items"])
    return found.get("format") == "binary" or ("contentMediaType" in found and "contentEncoding" not in found)


def _replies(document: Document, raw: RawOperation) -> tuple[frozenset[str], bool]:
    """The media types that a success may have, and whether it may be empty."""
    types: set[str] = set()
    empty = raw.method == "head"
    for content in _success(document, raw):
        types |= {str(kind).partition(";")[0].strip().lower() for kind in content}
        empty = empty or not content
    return frozenset(types), empty or not types


def _success(document: Document, raw: RawOperation) -> Iterator[Mapping[str, Any]]:
    responses = raw.content.get("responses")
    for status, value in responses.items() if isinstance(responses, Mapping) else ():
        if status.startswith("2") or status == "default":
            content = document.follow(value, f"{raw.what}: a response").get("content")
            if status != "default" or content:
                yield content if isinstance(content, Mapping) else {}
