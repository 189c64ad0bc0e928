"""A SPEC such as `gym:shop,my_tools:search,mcp:python -m mcp_server_time` -> one Toolbox.

Lives here because it is the one place that sees both the gym and the tools.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from alpha_umi.errors import ToolError, UsageError
from alpha_umi.gym.registry import categories, toolbox
from alpha_umi.plugins import attribute_of, import_own
from alpha_umi.tools.base import Toolbox
from alpha_umi.tools.combined import CombinedToolbox
from alpha_umi.tools.functions import as_toolbox

_BEGINS = re.compile(r"\s*(?:(?:gym|python)\s*$|(?:gym|openapi|mcp|toolbench):|[A-Za-z_][\w.]*:[A-Za-z_][\w.]*\s*$)")
"""How a source begins; what follows a comma and does not is still part of a URL or a command line."""


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
        if sources and sources[-1].startswith(("openapi:", "mcp:")) and not _BEGINS.match(part):
            sources[-1] += f",{part}"
        elif part.strip():
            sources.append(part.strip())
    return [source.strip() for source in sources]


def _possible() -> str:
    return (
        f"possible are gym, gym:CATEGORY ({', '.join(categories())}), python, openapi:FILE_OR_URL, "
        "mcp:COMMAND_OR_URL, toolbench:DIR and MODULE:ATTRIBUTE"
    )


def _openapi(source: str) -> Toolbox:
    from alpha_umi.tools.openapi import from_spec

    return from_spec(source)


def _mcp(source: str) -> Toolbox:
    from alpha_umi.tools.mcp import MCPToolbox

    return MCPToolbox(source)


def _toolbench(folder: str) -> Toolbox:
    from alpha_umi.tools.rapidapi import RapidTools
    from alpha_umi.tools.rapidapi_http import find_backend, over_http

    return RapidTools.from_folder(folder, find_backend(folder, over_http(os.environ), os.environ))


_ELSEWHERE: Mapping[str, Callable[[str], Toolbox]] = {"openapi": _openapi, "mcp": _mcp, "toolbench": _toolbench}
"""Sources outside of this process, each with imports of its own."""


def _load(source: str) -> Toolbox:
    scheme, colon, rest = source.partition(":")
    if scheme == "gym":
        return toolbox(rest if colon else None)
    if source == "python":
        from alpha_umi.tools.interpreter import Interpreter

        return Interpreter()
    if scheme in _ELSEWHERE and rest:
        return _ELSEWHERE[scheme](rest)
    if not rest or not all(part.isidentifier() for part in scheme.split(".")):
        raise UsageError(f"{source!r} is not a source of tools; {_possible()}")
    value = attribute_of(import_own(scheme, source, possible=_possible()), rest, source)
    try:
        return as_toolbox(value)
    except ToolError as error:
        raise ToolError(f"{source!r}: {error}") from None
