"""What a role may write, as a grammar: a plan ends in a marker, a call names an offered tool and fits its schema.

The grammars are Lark in llguidance's dialect, which local models decode under and vLLM takes as it is; the same texts
that `grammar` parses and that targets are trained in. Only the caller and the planner of three roles are constrained:
an answer is free text, and so is the whole step of a `single` team.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from alpha_umi.grammar import MARKERS
from alpha_umi.trajectory import Frozen, Tool

_JSON = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": ", "lenient": True}
"""Arguments are written as `json.dumps` writes them, so that the tokens are those that were trained. Keywords that the
grammar cannot express are left to the toolbox, which checks every call anyway."""

_LARGEST = 10**15
"""Every integer up to it is a number of its own in a program that counts in floats."""

_VALUES = frozenset({"enum", "const", "default", "examples"})
"""Keywords of JSON Schema whose values are no schemas."""

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

    def lark(self, *, loose: Collection[str] = ()) -> str:
        """The grammar.

        Args:
            loose: names of tools whose schema cannot be expressed: any object will do for them.
        """
        return _PLAN if self.kind == "plan" else _calls(self.tools, loose)

    def call_schema(self) -> dict[str, Any]:
        """A call as a JSON schema, `{"tool": ..., "arguments": {...}}`, for servers that know nothing else."""
        calls = [
            {
                "type": "object",
                "properties": {"tool": {"const": tool.name}, "arguments": dict(tool.parameters)},
                "required": ["tool", "arguments"],
                "additionalProperties": False,
            }
            for tool in self.tools
        ]
        return calls[0] if len(calls) == 1 else {"anyOf": calls}


PLAN = Constraint(kind="plan")
"""Any rationale, then one marker and nothing more."""


def call_of(tools: Sequence[Tool]) -> Constraint | None:
    """A call of one of these tools; None where there are none, so that nothing could be written."""
    return Constraint(kind="call", tools=tuple(tools)) if tools else None


def _calls(tools: Sequence[Tool], loose: Collection[str]) -> str:
    rules = []
    for i, tool in enumerate(tools):
        schema = _ANY_OBJECT if tool.name in loose else _bounded(tool.parameters)
        head = json.dumps(f"{tool.name}\nAction Input: ", ensure_ascii=False)
        rules.append(f"call{i}: {head} arguments{i}\narguments{i}: %json {json.dumps({**schema, 'x-guidance': _JSON})}")
    names = " | ".join(f"call{i}" for i in range(len(tools)))
    return "\n".join([f'start: "Action: " ({names})', *rules]) + "\n"


def _bounded(schema: Any) -> Any:
    """A schema whose numbers have bounds: JSON can spell 1e999 and integers of a thousand digits, which no program
    takes for a number."""
    if isinstance(schema, list):
        return [_bounded(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: value if key in _VALUES else _bounded(value) for key, value in schema.items()}
    kinds = found.get("type")
    if {"integer", "number"} & set(kinds if isinstance(kinds, list) else [kinds]):
        if "exclusiveMinimum" not in found:
            found.setdefault("minimum", -_LARGEST)
        if "exclusiveMaximum" not in found:
            found.setdefault("maximum", _LARGEST)
    return found


def _plan() -> str:
    heads = {marker.partition(":")[0] for marker in MARKERS.values()}
    assert len(heads) == 1, "every marker begins alike"
    head = heads.pop() + ":"
    ends = "|".join(marker.removeprefix(head).replace(".", r"\.") for marker in MARKERS.values())
    return f"start: PLAN\nPLAN: (/(.|\\n)*/ & ~/(.|\\n)*{head}(.|\\n)*/) /{head}({ends})/\n"


_PLAN = _plan()
