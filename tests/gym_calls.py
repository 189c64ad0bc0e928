"""Calls on a toolbox of the gym, for its tests: what was observed, or what was told."""

from __future__ import annotations

import json
from typing import Any

from alpha_umi.tools.protocol import Toolbox
from alpha_umi.trajectory import Call, Observation


def ask(box: Toolbox, tool: str, **arguments: Any) -> Observation:
    """Make a call."""
    return box.invoke(Call(tool=tool, arguments=arguments))


def told(box: Toolbox, tool: str, **arguments: Any) -> Any:
    """Make a call that must succeed; its result, read as JSON where it is some."""
    seen = ask(box, tool, **arguments)
    assert seen.ok, seen.text
    try:
        return json.loads(seen.text)
    except ValueError:
        return seen.text
