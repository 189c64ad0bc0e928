"""JSON Schema as a tree: which keywords hold schemas, and which hold values that may only look like one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

MAPS = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
"""Keywords that hold schemas by name: a property may be called `type`, or `enum`."""
LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
SINGLE = frozenset(
    {"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)


def each(schema: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """A copy in which `change` was applied to every schema directly inside; `true` and `false` are schemas too."""
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key in MAPS and isinstance(value, Mapping):
            found[key] = {name: change(child) for name, child in value.items()}
        elif key in LISTS and isinstance(value, list):
            found[key] = [change(child) for child in value]
        else:
            found[key] = change(value) if key in SINGLE else value
    return found
