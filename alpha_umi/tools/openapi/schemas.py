"""Schemas of an OpenAPI document -> one JSON Schema (2020-12) for a tool's arguments.

Referred-to schemas become `$defs` and stay references, so a schema that holds itself is no problem. 3.0's `nullable`
and boolean `exclusiveMinimum` are translated wherever they stand, since 3.1 documents have them too. What only people
or other programs read (titles, examples, xml) is left out: a prompt pays for every word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alpha_umi.errors import ToolError
from alpha_umi.schemas import LISTS, MAPS, SINGLE
from alpha_umi.tools.openapi.document import Document
from alpha_umi.tools.validation import one_line

DESCRIPTION_CHARS = 200
"""Longest description of an argument."""

_SAME_PLACE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
"""Keywords whose schemas apply to the very same value."""
_LEFT_OUT = frozenset(
    {"title", "example", "examples", "xml", "externalDocs", "discriminator", "deprecated", "nullable", "readOnly"}
    | {"writeOnly", "$comment", "$schema", "$id", "$anchor", "$defs", "definitions", "$vocabulary"}
)


class SchemaReader:
    """Translates the schemas of one operation and collects what they refer to."""

    def __init__(self, document: Document, what: str) -> None:
        self._document = document
        self._what = what
        self._names: dict[str, str] = {}
        self._definitions: dict[str, Any] = {}

    def read(self, schema: object) -> dict[str, Any]:
        """One schema, translated; what it refers to is found by `definitions`."""
        result = self._translate(schema)
        if result is False:
            return {"not": {}}
        return {} if result is True else result

    def definitions(self) -> dict[str, Any]:
        """Every schema referred to so far, by name.

        Raises:
            ToolError: a reference points at nothing or out of the document, or a schema applies itself without end.
        """
        while missing := [(p, n) for p, n in self._names.items() if n not in self._definitions]:
            for pointer, name in missing:
                self._definitions[name] = self._translate(self._document.at(pointer, self._what))
        for name in self._definitions:
            self._refuse_endless(name)
        return dict(self._definitions)

    def resolved(self, schema: object) -> Mapping[str, Any]:
        """The schema behind references, as the document has it; empty for `true` and `false`."""
        return {} if isinstance(schema, bool) else self._document.follow(schema, f"{self._what}: a schema")

    def _translate(self, schema: object) -> Any:
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            raise ToolError(f"{self._what}: a schema must be an object, not {one_line(repr(schema), limit=60)}")
        reference = schema.get("$ref")
        result: dict[str, Any] = {}
        if isinstance(reference, str):
            result["$ref"] = f"#/$defs/{self._name(reference)}"
            if self._document.version == (3, 0):  # there, what stands beside a reference does not count
                schema = {key: schema[key] for key in ("description", "nullable") if key in schema}
        elif "$ref" in schema or "$dynamicRef" in schema:
            raise ToolError(f"{self._what}: a schema has a reference that cannot be followed ($dynamicRef or no text)")
        for key, value in schema.items():
            if key not in _LEFT_OUT and key != "$ref" and not key.startswith("x-"):
                self._copy(result, key, value)
        _translate_bounds(result)
        _drop_read_only(schema, result)
        return _nullable(result) if schema.get("nullable") is True else result

    def _copy(self, result: dict[str, Any], key: str, value: Any) -> None:
        if key in MAPS and isinstance(value, Mapping):
            good = {n: c for n, c in value.items() if key != "patternProperties" or _compiles(n)}
            result[key] = {name: self._translate(child) for name, child in good.items()}
        elif key in LISTS and isinstance(value, list):
            result[key] = [self._translate(child) for child in value]
        elif key in SINGLE and not isinstance(value, list):
            result[key] = self._translate(value)
        elif key == "description":
            if isinstance(value, str) and value.strip():
                result[key] = one_line(value, limit=DESCRIPTION_CHARS)
        elif key != "pattern" or _compiles(value):  # a pattern Python does not know is the server's to check
            result[key] = value

    def _name(self, reference: str) -> str:
        """The name in `$defs` of what a reference points at."""
        if reference not in self._names:
            self._document.at(reference, self._what)
            stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", reference.rpartition("/")[2]) or "schema"
            name, number = stem, 1
            while name in self._names.values():
                number += 1
                name = f"{stem}_{number}"
            self._names[reference] = name
        return self._names[reference]

    def _refuse_endless(self, start: str) -> None:
        """A validator would never come back from a schema that applies itself to the same value."""
        waiting, seen = [start], set()
        while waiting:
            for name in _applied_here(self._definitions[waiting.pop()]):
                if name == start:
                    raise ToolError(f"{self._what}: the schema {start!r} refers to itself without end")
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)


def _applied_here(schema: Any) -> Iterator[str]:
    """The names of the definitions that a schema applies to its own value."""
    if not isinstance(schema, Mapping):
        return
    if isinstance(schema.get("$ref"), str):
        yield schema["$ref"].removeprefix("#/$defs/")
    for key in _SAME_PLACE & schema.keys():
        value = schema[key]
        inner = value if isinstance(value, list) else value.values() if key == "dependentSchemas" else [value]
        for child in inner:
            yield from _applied_here(child)


def _translate_bounds(schema: dict[str, Any]) -> None:
    """3.0: `exclusiveMinimum: true` beside `minimum: 1` -> `exclusiveMinimum: 1`."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(exclusive) is True and bound in schema:
            schema[exclusive] = schema.pop(bound)
        elif isinstance(schema.get(exclusive), bool):
            del schema[exclusive]


def _drop_read_only(schema: Mapping[str, Any], result: dict[str, Any]) -> None:
    """Properties that only a reply has are not to be sent."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return
    hidden = {n for n, child in properties.items() if isinstance(child, Mapping) and child.get("readOnly") is True}
    if hidden:
        result["properties"] = {n: child for n, child in result["properties"].items() if n not in hidden}
        if isinstance(result.get("required"), list):
            result["required"] = [name for name in result["required"] if name not in hidden]


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema that takes null too."""
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if not schema.keys() & {"$ref", "allOf", "anyOf", "oneOf", "const"}:
        return schema
    description = {"description": schema.pop("description")} if "description" in schema else {}
    return {**description, "anyOf": [schema, {"type": "null"}]}


def _compiles(pattern: object) -> bool:
    if not isinstance(pattern, str):
        return False
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True
