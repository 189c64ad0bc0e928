"""The operations a document lists, each under a name that a model can write.

A name is the operationId with other characters as `_`, or method and path; names that then collide are numbered in
the order of the document, before anything is chosen, so a choice never changes a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alpha_umi.errors import ToolError
from alpha_umi.tools.openapi.document import Document
from alpha_umi.tools.validation import one_line

TOOL_DESCRIPTION_CHARS = 400
NAME_CHARS = 64

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class RawOperation:
    """Where an operation stands in the document, and the names it goes by."""

    name: str
    method: str
    path: str
    item: Mapping[str, Any] = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)

    @property
    def what(self) -> str:
        """For messages."""
        return f"{self.method.upper()} {one_line(self.path, limit=120)}"

    @property
    def route(self) -> str:
        """The path without what a document writes into it of the query."""
        return self.path.partition("?")[0]

    @property
    def names(self) -> frozenset[str]:
        """The names it can be chosen by."""
        own = self.content.get("operationId")
        return frozenset({self.name, *([str(own)] if own else ())})

    @property
    def labels(self) -> frozenset[str]:
        """The names and tags it can be chosen by."""
        tags = self.content.get("tags")
        return self.names | frozenset(map(str, tags if isinstance(tags, list) else ()))

    @property
    def description(self) -> str:
        """The summary, then the description unless it says the same."""
        texts = [one_line(text) for key in ("summary", "description") if isinstance(text := self.content.get(key), str)]
        if len(texts) == 2 and texts[1].startswith(texts[0].rstrip(".")):
            del texts[0]
        joined = ". ".join(text.rstrip(".") for text in texts if text)
        return one_line(joined or self.what, limit=TOOL_DESCRIPTION_CHARS)


def raw_operations(document: Document) -> tuple[list[RawOperation], list[str]]:
    """Every operation in the order of the document, under a name of its own; and why some could not be read."""
    found: list[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]] = []
    faults: list[str] = []
    for path, value in document.root["paths"].items():
        if path.startswith("x-"):
            continue
        shown = one_line(path, limit=120)
        try:
            item = document.follow(value, f"path {shown}")
        except ToolError as error:
            faults.append(str(error))
            continue
        for method in (key for key in item if key in _METHODS):
            try:
                found.append((path, method, item, document.follow(item[method], f"{method.upper()} {shown}")))
            except ToolError as error:
                faults.append(str(error))
    wanted = [_clean(operation.get("operationId"), method, path) for path, method, _, operation in found]
    names: list[str] = []
    for name in wanted:
        number, unique = 1, name
        while unique in names or (number > 1 and unique in wanted):
            number += 1
            unique = f"{name[: NAME_CHARS - len(str(number)) - 1]}_{number}"
        names.append(unique)
    listed = [
        RawOperation(name, method, path, item, operation)
        for name, (path, method, item, operation) in zip(names, found, strict=True)
    ]
    return listed, faults


def _clean(operation_id: object, method: str, path: str) -> str:
    for text in (operation_id if isinstance(operation_id, str) else "", f"{method}_{path}"):
        name = re.sub(r"_{2,}", "_", re.sub(r"[^A-Za-z0-9_.-]+", "_", text)).strip("_")[:NAME_CHARS]
        if name:
            return name
    return method
