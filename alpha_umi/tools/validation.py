"""What every toolbox checks: a tool before it is offered, a call before it is carried out.

Refusals are worded for a small model: what was wrong, and what would be right, in one line. Schemas are
checked offline only: a `$ref` that leaves the schema is refused when the tool is offered, so no model and no
server can make this process fetch a URL. Knows nothing of how a tool runs.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from alpha_umi.errors import ToolError
from alpha_umi.text.truncation import cut_middle
from alpha_umi.trajectory import Call, Observation, Tool

NAMES_LISTED = 10
"""How many names an error lists at most, the closest first."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_SHOWN = 160
_FAULTS = {
    "empty": "nothing was written",
    "no_action": "there is no line 'Action: TOOL'",
    "bad_json": "the Action Input is not valid JSON",
    "not_an_object": "the Action Input is not a JSON object",
    "too_deep": "the Action Input is nested too deep",
}


def one_line(text: str, *, limit: int = 1000) -> str:
    """The text with all white space runs as single spaces, cut to `limit` characters."""
    return cut_middle(" ".join(cut_middle(text, 4 * limit).split()), limit)


def closest(name: str, offered: Sequence[str]) -> list[str]:
    """At most `NAMES_LISTED` of the offered names, those most like `name` first."""
    wanted = name[:_SHOWN].casefold()
    likeness = {other: difflib.SequenceMatcher(None, wanted, other.casefold()).ratio() for other in offered}
    return sorted(offered, key=lambda other: -likeness[other])[:NAMES_LISTED]


def check_tool(tool: Tool) -> Draft202012Validator:
    """Refuse a tool that cannot be offered; return the validator of its arguments.

    Raises:
        ToolError: the name or the schema is invalid; one line says where.
    """
    if not _NAME.fullmatch(tool.name):
        shown = cut_middle(repr(tool.name), _SHOWN)
        raise ToolError(f"tool name {shown} is invalid: use 1 to 128 letters, digits, '_', '.' or '-'")
    schema = dict(tool.parameters)
    try:
        Draft202012Validator.check_schema(schema)
        if schema.get("type") != "object":
            raise ToolError(f"tool {tool.name!r}: the parameters' schema must have type 'object'")
        _check_references(tool.name, schema)
        validator = Draft202012Validator(schema, registry=Registry())
        next(validator.iter_errors({}), None)
    except SchemaError as error:
        where = f" at {error.json_path}" if error.path else ""
        raise ToolError(f"tool {tool.name!r}: invalid schema{where}: {one_line(error.message, limit=200)}") from None
    except RecursionError:
        raise ToolError(f"tool {tool.name!r}: the schema refers to itself without end") from None
    return validator


def _check_references(name: str, schema: dict[str, Any]) -> None:
    """Look up every `$ref` within the schema itself, offline."""
    resolver = Registry().with_resource("", DRAFT202012.create_resource(schema)).resolver()
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise ToolError(f"tool {name!r}: the schema refers to {reference!r}, which is not in it") from None


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference
    children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for child in children:
        yield from _references(child)


def find_mistakes(validator: Draft202012Validator, arguments: Mapping[str, Any]) -> list[str]:
    """Everything wrong with the arguments, one phrase each, in the order of the schema."""
    errors = sorted(validator.iter_errors(dict(arguments)), key=lambda error: str(list(error.absolute_path)))
    return [_describe(best_match([error]) or error) for error in errors]


def _describe(error: ValidationError) -> str:
    path = ".".join(str(part) for part in error.absolute_path)
    where = f"{path}: " if path else ""
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        known = list((error.schema or {}).get("properties", {})) if isinstance(error.schema, Mapping) else []
        unknown = ", ".join(repr(str(key)[:40]) for key in error.instance if key not in known)
        return f"{where}unknown argument {unknown} (known: {', '.join(known) or 'none'})"
    return where + one_line(error.message, limit=_SHOWN)


def refuse_fault(call: Call) -> Observation:
    """The observation for a call that could not be read."""
    why = _FAULTS.get(call.fault or "", call.fault)
    form = 'Write "Action: TOOL" and on the next line "Action Input: {JSON object}".'
    return Observation(text=f"The call could not be read: {why}. {form}", ok=False)


def refuse_unknown(name: str, offered: Sequence[str]) -> Observation:
    """The observation for a tool that is not offered."""
    names = closest(name, offered)
    more = f" and {len(offered) - len(names)} more" if len(offered) > len(names) else ""
    shown = one_line(name, limit=80)
    return Observation(text=f"There is no tool '{shown}'. Offered: {', '.join(names) or 'none'}{more}.", ok=False)


def refused(call: Call, offered: Collection[str]) -> Observation | None:
    """The observation for a call that cannot be read, or whose tool is not offered; None for any other."""
    if call.fault:
        return refuse_fault(call)
    return None if call.tool in offered else refuse_unknown(call.tool, list(offered))


def refuse_arguments(name: str, mistakes: Sequence[str]) -> Observation:
    """The observation for arguments that do not fit the tool's schema."""
    return Observation(text=f"Invalid arguments for {name}: {'; '.join(mistakes)}.", ok=False)
