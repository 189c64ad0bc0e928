"""What a role may write, as a grammar: a plan ends in a marker, a call names an offered tool and fits its schema.

The grammars are Lark in llguidance's dialect, which local models decode under and vLLM takes as it is; the same texts
that `grammar` parses and that targets are trained in. Only the caller and the planner of three roles are constrained:
an answer is free text, and so is the whole step of a `single` team.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from alpha_umi.grammar import MARKERS
from alpha_umi.schemas import each
from alpha_umi.trajectory import Frozen, Tool

_JSON = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": ", "lenient": True}
"""Arguments are written as `json.dumps` writes them, so that the tokens are those that were trained. Keywords that the
grammar cannot express are left to the toolbox, which checks every call anyway."""

_LARGEST = 2**63 - 1024
"""The largest double below what 64 bits count: ids of 18 digits can be written, and integers of a thousand cannot."""

_STRUCTURE = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems"}
    | {"enum", "const", "anyOf", "oneOf", "$ref", "$defs", "definitions"}
)
"""What is left of a schema that the grammar cannot express as it is (a pattern that looks around, say)."""

LOOSEST = 2

_ANY_OBJECT = {"type": "object"}


class Constraint(Frozen):
    """What one completion has to be."""

    kind: Literal["plan", "call"]
    tools: tuple[Tool, ...] = ()
    """What a call may name."""

    @cached_property
    def key(self) -> str:
        """Alike for constraints that are the same."""
        return self.lark()

    def lark(self, *, loose: Mapping[str, int] | None = None) -> str:
        """The grammar.

        Args:
            loose: how much of their schema is left out, for tools whose schema cannot be expressed: 1 leaves its
                structure, `LOOSEST` any object.
        """
        return _PLAN if self.kind == "plan" else _calls(self.tools, loose or {})

    def call_schema(self) -> dict[str, Any]:
        """A call as a JSON schema, `{"tool": ..., "arguments": {...}}`, for servers that know nothing else."""
        found = [_placed(tool) for tool in self.tools]
        calls = [
            {
                "type": "object",
                "properties": {"tool": {"const": tool.name}, "arguments": arguments},
                "required": ["tool", "arguments"],
                "additionalProperties": False,
            }
            for tool, (arguments, _) in zip(self.tools, found, strict=True)
        ]
        schema = calls[0] if len(calls) == 1 else {"anyOf": calls}
        definitions = {name: value for _, more in found for name, value in more.items()}
        return {**schema, "$defs": definitions} if definitions else schema


PLAN = Constraint(kind="plan")
"""Any rationale, then one marker and nothing more."""


def call_of(tools: Sequence[Tool]) -> Constraint | None:
    """A call of one of these tools; None where there are none, so that nothing could be written."""
    return Constraint(kind="call", tools=tuple(tools)) if tools else None


def _calls(tools: Sequence[Tool], loose: Mapping[str, int]) -> str:
    rules = []
    for i, tool in enumerate(tools):
        schema = {**_loosened(tool.parameters, loose.get(tool.name, 0)), "x-guidance": _JSON}
        head = json.dumps(f"{tool.name}\nAction Input: ", ensure_ascii=False)
        rules.append(f"call{i}: {head} arguments{i}\narguments{i}: %json {json.dumps(schema)}")
    names = " | ".join(f"call{i}" for i in range(len(tools)))
    return "\n".join([f'start: "Action: " ({names})', *rules]) + "\n"


def _loosened(schema: Mapping[str, Any], level: int) -> dict[str, Any]:
    if level == LOOSEST:
        return _ANY_OBJECT
    return dict(_bounded(_structure(schema) if level else schema))


def _structure(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    return each({key: value for key, value in schema.items() if key in _STRUCTURE}, _structure)


def _bounded(schema: Any) -> Any:
    """A schema whose numbers have bounds: JSON can spell 1e999 and integers of a thousand digits, which no program
    takes for a number."""
    if not isinstance(schema, Mapping):
        return schema
    found = each(schema, _bounded)
    kinds = found.get("type")
    numbers = {"integer", "number"} & set(kinds if isinstance(kinds, list) else [kinds])
    if numbers and not found.keys() & {"enum", "const"}:
        if "exclusiveMinimum" not in found:
            found.setdefault("minimum", -_LARGEST)
        if "exclusiveMaximum" not in found:
            found.setdefault("maximum", _LARGEST)
    return found


def _placed(tool: Tool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Where a tool's arguments are described, and what has to stand at the root for that: a schema that refers to
    itself is moved there as a whole, and its references with it."""
    if '"$ref"' not in json.dumps(tool.parameters):
        return dict(tool.parameters), {}
    root = f"#/$defs/{tool.name}"

    def moved(schema: Any) -> Any:
        if not isinstance(schema, Mapping):
            return schema
        found = each(schema, moved)
        if isinstance(reference := found.get("$ref"), str) and reference.startswith("#"):
            found["$ref"] = root + reference[1:]
        return found

    return {"$ref": root}, {tool.name: moved(tool.parameters)}


def _plan() -> str:
    heads = {marker.partition(":")[0] for marker in MARKERS.values()}
    assert len(heads) == 1, "every marker begins alike"
    head = heads.pop() + ":"
    ends = "|".join(marker.removeprefix(head).replace(".", r"\.") for marker in MARKERS.values())
    return f"start: PLAN\nPLAN: (/(.|\\n)*/ & ~/(.|\\n)*{head}(.|\\n)*/) /{head}({ends})/\n"


_PLAN = _plan()
