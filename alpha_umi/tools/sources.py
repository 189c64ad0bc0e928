"""The tool sources that ship beside the gym's, each with imports of its own (`spec.TOOL_SOURCES`)."""

from __future__ import annotations

import os

from alpha_umi.errors import UsageError
from alpha_umi.tools.protocol import Toolbox


def interpreter(rest: str | None) -> Toolbox:
    """`python`: one tool that runs code in a process of its own."""
    from alpha_umi.tools.python.interpreter import Interpreter

    if rest is not None:
        raise UsageError(f"'python:{rest}' is not a source of tools: it is python alone")
    return Interpreter()


def openapi(rest: str | None) -> Toolbox:
    """`openapi:FILE_OR_URL`: a tool for each operation of a document."""
    from alpha_umi.tools.openapi.toolbox import from_spec

    return from_spec(_needed(rest, "openapi:FILE_OR_URL"))


def mcp(rest: str | None) -> Toolbox:
    """`mcp:COMMAND_OR_URL`: the tools of a server."""
    from alpha_umi.tools.mcp.toolbox import MCPToolbox

    return MCPToolbox(_needed(rest, "mcp:COMMAND_OR_URL"))


def toolbench(rest: str | None) -> Toolbox:
    """`toolbench:DIR`: the tools of a folder of RapidAPI documents."""
    from alpha_umi.tools.toolbench.http import find_backend, over_http
    from alpha_umi.tools.toolbench.toolbox import RapidTools

    folder = _needed(rest, "toolbench:DIR")
    return RapidTools.from_folder(folder, find_backend(folder, over_http(os.environ), os.environ))


def _needed(rest: str | None, form: str) -> str:
    if not rest:
        given = form.partition(":")[0] + ("" if rest is None else ":")
        raise UsageError(f"'{given}' is not a source of tools: it is {form}")
    return rest
