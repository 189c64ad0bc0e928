"""A SPEC such as `gym:shop,my_tools:search` -> one Toolbox.

Lives here because it is the one place that sees both the gym and the tools.
"""

from __future__ import annotations

from alpha_umi.errors import ToolError, UsageError
from alpha_umi.gym.own import attribute_of, import_own
from alpha_umi.gym.registry import categories, toolbox
from alpha_umi.tools.base import Toolbox
from alpha_umi.tools.combined import CombinedToolbox
from alpha_umi.tools.functions import as_toolbox

_NOT_YET = ("openapi", "mcp", "toolbench")


def load_tools(spec: str) -> CombinedToolbox:
    """The tools a SPEC names; iterating the result gives single tools, to be mixed with one's own.

    A module is looked for in the working directory first, as by `python -m`.

    Raises:
        UsageError: a source does not exist; one line says what is possible.
        ToolError: a tool cannot be offered, or two have the same name.
    """
    sources = [source.strip() for source in spec.split(",") if source.strip()]
    if not sources:
        raise UsageError(f"no tools are named in {spec!r}; {_possible()}")
    return CombinedToolbox([_load(source) for source in sources])


def _possible() -> str:
    return f"possible are gym, gym:CATEGORY ({', '.join(categories())}) and MODULE:ATTRIBUTE"


def _load(source: str) -> Toolbox:
    scheme, colon, rest = source.partition(":")
    if scheme == "gym":
        return toolbox(rest if colon else None)
    if scheme in _NOT_YET:
        raise UsageError(f"{source!r}: tools from {scheme}: are not there yet; {_possible()}")
    if not rest or not all(part.isidentifier() for part in scheme.split(".")):
        raise UsageError(f"{source!r} is not a source of tools; {_possible()}")
    value = attribute_of(import_own(scheme, source, possible=_possible()), rest, source)
    try:
        return as_toolbox(value)
    except ToolError as error:
        raise ToolError(f"{source!r}: {error}") from None
