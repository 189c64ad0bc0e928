"""What a role may write, as a grammar: a plan ends in a marker, a call names an offered tool and fits its schema.

The grammars are Lark in llguidance's dialect, which local models decode under and vLLM takes as it is; the same texts
that `output_format` parses and that targets are trained in. Roles that write a choice or a call are constrained: an
answer is free text, and so is a whole turn.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Literal

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from alpha_umi.schemas import each
from alpha_umi.text.output_format import MARKERS
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

_ADDRESSES = frozenset(
    {"$schema", "$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"}
    | {"$defs", "definitions"}
)
"""What gives a schema, or a part of it, an address: within another schema none of them would be right."""
_BOUNDS = frozenset({"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"})

LOOSEST = 2

_ANY_OBJECT = {"type": "object"}


class Constraint(Frozen):
    """What one completion has to be."""

    kind: Literal["plan", "call"]
    markers: tuple[str, ...] = ()
    """What a plan may end in."""
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
        return _plan(self.markers) if self.kind == "plan" else _calls(self.tools, loose or {})

    def call_schema(self) -> dict[str, Any]:
        """A call as a JSON schema, `{"tool": ..., "arguments": {...}}`, for servers that know nothing else."""
        moved = _Moved()
        calls = [
            {
                "type": "object",
                "properties": {"tool": {"const": tool.name}, "arguments": moved.whole(tool.parameters)},
                "required": ["tool", "arguments"],
                "additionalProperties": False,
            }
            for tool in self.tools
        ]
        schema = calls[0] if len(calls) == 1 else {"anyOf": calls}
        return {**schema, "$defs": moved.definitions} if moved.definitions else schema


def choice_of(markers: Iterable[str]) -> Constraint:
    """Any rationale, then one of these markers and nothing more."""
    return Constraint(kind="plan", markers=tuple(markers))


PLAN = choice_of(MARKERS.values())
"""What the published planner writes."""


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
    if not numbers or found.keys() & {"enum", "const"}:
        return found
    if _least(found) > _LARGEST or _most(found) < -_LARGEST:
        # The grammar counts in 64 bits: it would force a number that does not fit. The toolbox knows the bounds.
        return {key: value for key, value in found.items() if key not in _BOUNDS}
    if "exclusiveMinimum" not in found:
        found.setdefault("minimum", -_LARGEST)
    if "exclusiveMaximum" not in found:
        found.setdefault("maximum", _LARGEST)
    return found


def _least(schema: Mapping[str, Any]) -> float:
    given = [schema.get("minimum"), schema.get("exclusiveMinimum")]
    return max((value for value in given if isinstance(value, int | float)), default=-_LARGEST)


def _most(schema: Mapping[str, Any]) -> float:
    given = [schema.get("maximum"), schema.get("exclusiveMaximum")]
    return min((value for value in given if isinstance(value, int | float)), default=_LARGEST)


class _Moved:
    """Tools' schemas as parts of another one: whatever they refer to, in whatever way, is gathered at its root."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        """By the identity of what one tool refers to; two tools may share a part whose own references differ."""

    def whole(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A tool's schema, which refers to nothing but the definitions."""
        self._names = {}
        root = DRAFT202012.create_resource(parameters)
        return self._part(parameters, Registry[Any]().resolver_with_root(root))

    def _part(self, schema: Mapping[str, Any], resolver: Any) -> dict[str, Any]:
        def inside(child: Any) -> Any:
            if not isinstance(child, Mapping):
                return child
            return self._part(child, resolver.in_subresource(DRAFT202012.create_resource(child)))

        found = each({key: value for key, value in schema.items() if key not in _ADDRESSES}, inside)
        if isinstance(reference := found.pop("$ref", None), str):
            # What leads nowhere is left out: the schema is looser, and the toolbox refuses such a tool.
            with contextlib.suppress(Unresolvable):
                found["$ref"] = self._place(resolver.lookup(reference))
        return found

    def _place(self, target: Any) -> str:
        schema = target.contents
        if id(schema) not in self._names:
            name = self._names[id(schema)] = str(len(self.definitions))
            self.definitions[name] = {}  # its name is taken before its parts are moved, which may refer to it
            is_plain = not isinstance(schema, Mapping)
            self.definitions[name] = schema if is_plain else self._part(schema, target.resolver)
        return f"#/$defs/{self._names[id(schema)]}"


@lru_cache
def _plan(markers: tuple[str, ...]) -> str:
    head, colon, _ = markers[0].partition(":")
    head += colon
    if not colon or any(not marker.startswith(head) for marker in markers):
        return f"start: /(.|\\n)*/ ({' | '.join(map(json.dumps, markers))})\n"  # no telling where the marker begins
    ends = "|".join(_literally(marker.removeprefix(head)) for marker in markers)
    head = _literally(head)
    return f"start: PLAN\nPLAN: (/(.|\\n)*/ & ~/(.|\\n)*{head}(.|\\n)*/) /{head}({ends})/\n"


def _literally(text: str) -> str:
    """A text in a regular expression of the grammar, which knows no escaped spaces."""
    return re.sub(r"[.^$*+?{}\[\]\\|()/]", r"\\\g<0>", text)
