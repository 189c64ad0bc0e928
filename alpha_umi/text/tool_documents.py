"""How a tool is written down for a model to read: α-UMi's JSON line, or a signature."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from alpha_umi.trajectory import Tool

ToolForm = Literal["json", "json-ascii", "signature"]


def document_tools(tools: Sequence[Tool], how: ToolForm) -> list[str]:
    """One text per tool."""
    if how == "signature":
        return [_signature(tool) for tool in tools]
    return [_json_line(tool, ascii_only=how == "json-ascii") for tool in tools]


def _json_line(tool: Tool, *, ascii_only: bool) -> str:
    """`{"Name", "function", "input": {argument: "type, description"}}`; required or not is lost, as published."""
    arguments = {
        name: f"{_type_name(schema)}, {schema['description']}" if "description" in schema else _type_name(schema)
        for name, schema in tool.parameters.get("properties", {}).items()
    }
    document = {"Name": tool.name, "function": tool.description, "input": arguments}
    return json.dumps(document, ensure_ascii=ascii_only)


def _signature(tool: Tool) -> str:
    """`name(a: string, b?: integer = 3): description` and a line for each described argument."""
    required = set(tool.parameters.get("required", ()))
    parts, notes = [], []
    for name, schema in tool.parameters.get("properties", {}).items():
        default = f" = {json.dumps(schema['default'], ensure_ascii=False)}" if "default" in schema else ""
        parts.append(f"{name}{'' if name in required else '?'}: {_type_name(schema)}{default}")
        if schema.get("description"):
            notes.append(f"  {name}: {schema['description']}")
    return "\n".join([f"{tool.name}({', '.join(parts)}): {tool.description}", *notes])


def _type_name(schema: Any) -> str:
    """The type of an argument in words: its enum, its JSON type, or `any`."""
    if not isinstance(schema, dict):
        return "any"
    if "enum" in schema:
        return "|".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    kind = schema.get("type", schema.get("x-type", "any"))  # x-type: a word of the source that JSON Schema lacks
    if kind == "array" and "items" in schema:
        return f"array of {_type_name(schema['items'])}"
    return "|".join(kind) if isinstance(kind, list) else str(kind)
