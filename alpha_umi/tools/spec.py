"""A SPEC such as `gym:shop,my_tools:search,mcp:python -m mcp_server_time` -> one Toolbox.

A source is SCHEME or SCHEME:REST, or MODULE:ATTRIBUTE for tools of one's own. Schemes are a plug-in group,
`alpha_umi.tool_sources`; a package's scheme hides a module of the same name.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from alpha_umi.errors import ToolError, UsageError
from alpha_umi.plugins import PluginPoint, attribute_of, import_own, is_own
from alpha_umi.tools.combined import CombinedToolbox
from alpha_umi.tools.functions import as_toolbox
from alpha_umi.tools.protocol import Toolbox


class ToolSource(Protocol):
    """What a scheme stands for."""

    def __call__(self, rest: str | None, /) -> Any:
        """The tools behind SCHEME:REST, in whatever form `as_toolbox` takes: a Toolbox, a callable, or several.

        Args:
            rest: what follows the colon, commas and all; None where there is no colon.

        Raises:
            UsageError: there is no such thing; one line says what there is.
        """
        ...


TOOL_SOURCES = PluginPoint[ToolSource](
    "tool_sources",
    {
        "python": "alpha_umi.tools.sources:interpreter",
        "openapi": "alpha_umi.tools.sources:openapi",
        "mcp": "alpha_umi.tools.sources:mcp",
        "toolbench": "alpha_umi.tools.sources:toolbench",
    },
    fits=callable,
)

_FORMS = ("gym", "gym:CATEGORY", "python", "openapi:FILE_OR_URL", "mcp:COMMAND_OR_URL", "toolbench:DIR")
_ENDS_AT_COMMA = ("gym", "python", "toolbench")
"""Schemes whose REST never holds a comma; of all others it may be a URL or a command line."""


def load_tools(spec: str) -> CombinedToolbox:
    """The tools a SPEC names; iterating the result gives single tools, to be mixed with one's own.

    A module is looked for in the working directory first, as by `python -m`.

    Raises:
        UsageError: a source does not exist; one line says what is possible.
        ToolError: a tool cannot be offered, or two have the same name.
    """
    sources = _split(spec)
    if not sources:
        raise UsageError(f"no tools are named in {spec!r}; {_possible()}")
    return CombinedToolbox([_load(source) for source in sources])


def _split(spec: str) -> list[str]:
    sources: list[str] = []
    for part in spec.split(","):
        if sources and _scheme(sources[-1]) not in ("", *_ENDS_AT_COMMA) and not _begins(part.strip()):
            sources[-1] += f",{part}"
        elif part.strip():
            sources.append(part.strip())
    return [source.strip() for source in sources]


def _begins(part: str) -> bool:
    """Whether a source begins here; what follows a comma and does not is still part of a URL or a command line."""
    return _scheme(part) != "" or is_own(part)


def _scheme(source: str) -> str:
    """The scheme that a source begins with; empty where it has none."""
    names = "|".join(map(re.escape, TOOL_SOURCES.names()))
    found = re.match(rf"({names})(?::|\s*$)", source)
    return found[1] if found else ""


def _possible() -> str:
    shown = {form.partition(":")[0] for form in _FORMS}
    added = [f"{name}:..." for name in TOOL_SOURCES.names() if name not in shown]
    return f"possible are {', '.join((*_FORMS, *added))} and MODULE:ATTRIBUTE"


def _load(source: str) -> Toolbox:
    scheme, colon, rest = source.partition(":")
    if _scheme(source):
        scheme = scheme.strip()
        tools = TOOL_SOURCES.make(scheme, rest if colon else None, own=False)
    elif is_own(source):
        tools = attribute_of(import_own(scheme, source, possible=_possible()), rest, source)
    else:
        raise UsageError(f"{source!r} is not a source of tools; {_possible()}")
    try:
        return as_toolbox(tools)
    except ToolError as error:
        raise ToolError(f"{source!r}: {error}") from None
