"""The JSON object in what a model wrote: read as it is, or as the Python literal that models write instead.

Never raises on model output and never evaluates it: a fault is returned beside what could be read.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Mapping
from typing import Any

EMPTY_OUTPUTS = frozenset({"", ".", ","})
"""Outputs that α-UMi's released code replaces by `none`."""

MAX_ARGUMENT_DEPTH = 64
"""Arguments nested deeper are refused: no real schema needs it and recursion must stay bounded."""


def read_object(text: str) -> tuple[Mapping[str, Any], str | None]:
    """Decode the object at the start of `text`; returns it with a fault or None."""
    text = text.removeprefix("```json").removeprefix("```").lstrip()
    if text in EMPTY_OUTPUTS:
        return {}, None
    end = end_of_value(text)
    if end < 0:
        return {}, "too_deep"
    value: Any
    try:
        value, _ = json.JSONDecoder(strict=False, parse_constant=_refuse).raw_decode(text)
    except RecursionError:
        return {}, "too_deep"
    except ValueError:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd escapes in what a model wrote
                value = ast.literal_eval(_JSON_NAMES.visit(ast.parse(text[:end].strip(), mode="eval")))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return {}, "bad_json"
    value = _as_json(value)  # `1e999` decodes to infinity, which would be stored as null
    if not isinstance(value, dict):
        return {}, "not_an_object"
    return _as_utf8(value), None


def end_of_value(text: str) -> int:
    """Index after the bracketed value that opens `text` (quotes respected), or -1 when nested too deep."""
    depth, quote, escaped = 0, "", False
    for i, char in enumerate(text):
        if quote:
            escaped, quote = (False, quote) if escaped else (char == "\\", "" if char == quote else quote)
        elif char in "\"'":
            quote = char
        elif char in "{[":
            depth += 1
            if depth > MAX_ARGUMENT_DEPTH:
                return -1
        elif char in "}]":
            depth -= 1
            if depth <= 0:
                return i + 1
    return len(text)


class _JsonNames(ast.NodeTransformer):
    """JSON's constants in what is otherwise a Python literal: `{'open': true}`."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        known = {"true": True, "false": False, "null": None}
        return ast.Constant(known[node.id]) if node.id in known else node


_JSON_NAMES = _JsonNames()


def _as_utf8(value: dict[str, Any]) -> dict[str, Any]:
    """Arguments that can be written: halves of surrogate pairs, which JSON can spell and UTF-8 cannot, become `?`."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        replaced: dict[str, Any] = json.loads(text.encode("utf-8", "replace"))
        return replaced
    return value


def _refuse(constant: str) -> None:
    """NaN and Infinity are not JSON: they would be stored as null and so read back as something else."""
    raise ValueError(f"{constant} is not JSON")


def _as_json(value: Any) -> Any:
    """A Python literal with JSON's types only: tuples and sets become lists; other values are refused."""
    try:
        return json.loads(json.dumps(value, default=list, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return None
