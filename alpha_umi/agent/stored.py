"""What a run's values are where a checkpointer stores them: JSON data that any of them holds and a person can read.

A model may write integers of any size and most checkpointers hold 64 bits, so the arguments of a call are stored as
JSON text, as they were on the wire.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alpha_umi.agent.approval import storable
from alpha_umi.trajectory import Step, Tool

Data = dict[str, Any]


def stored_step(step: Step) -> Data:
    """A step as it is stored: without what it lacks, its call's arguments as text."""
    data = step.model_dump(mode="json", exclude_defaults=True)
    if step.call is not None and step.call.arguments:
        data["call"]["arguments"] = json.dumps(data["call"]["arguments"], ensure_ascii=False)
    return data


def read_step(data: Any) -> Any:
    """What a step can be read from, out of what is stored of it; anything else as it is."""
    call = data.get("call") if isinstance(data, Mapping) else None
    if not isinstance(call, Mapping) or not isinstance(call.get("arguments"), str):
        return data
    return {**data, "call": {**call, "arguments": json.loads(call["arguments"])}}


def stored_tool(tool: Tool) -> Data:
    """A tool as it is stored; its parameters as text if they hold an integer that a checkpointer cannot."""
    data = tool.model_dump(mode="json")
    if storable(data["parameters"]) != data["parameters"]:
        data["parameters"] = json.dumps(data["parameters"], ensure_ascii=False)
    return data


def read_tool(data: Any) -> Any:
    """What a tool can be read from, out of what is stored of it."""
    if not isinstance(data, Mapping) or not isinstance(data.get("parameters"), str):
        return data
    return {**data, "parameters": json.loads(data["parameters"])}
