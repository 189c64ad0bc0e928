"""A LangChain tool as a FunctionTool. Imported only when a LangChain tool is met.

Owns how LangChain's three kinds of tools (sync, async only, dict schema as MCP adapters give) are described and
run, in a run that is awaited by their coroutine, and what its ToolMessage says. Knows nothing of LangGraph: state it
would inject is not available here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool
from langchain_core.tools import Tool as TextTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from alpha_umi.errors import ToolError
from alpha_umi.tools.awaiting import awaited
from alpha_umi.tools.function_tool import FunctionTool, as_text
from alpha_umi.trajectory import Observation, Tool


def from_langchain(tool: BaseTool) -> FunctionTool:
    """Offer a LangChain tool under its own name, description and schema.

    Raises:
        ToolError: LangChain cannot describe the tool's arguments as JSON Schema.
    """
    try:
        described = convert_to_openai_tool(tool)["function"]
    except Exception as error:  # pydantic's, LangChain's and a custom args_schema's own errors
        raise ToolError(f"cannot offer the LangChain tool {tool.name!r}: {' '.join(str(error).split())}") from None
    parameters = dict(described.get("parameters") or {"type": "object", "properties": {}})
    if _is_closed(tool):
        parameters.setdefault("additionalProperties", False)
    offered = Tool(name=tool.name, description=tool.description.strip(), parameters=parameters)

    def run(**arguments: Any) -> Any:
        # The form of a tool call makes LangChain return a ToolMessage, which says whether the tool failed.
        request = {"type": "tool_call", "id": "call", "name": tool.name, "args": arguments}
        if _can_be_awaited(tool) and (awaited() or getattr(tool, "func", tool) is None):
            return _when_awaited(tool, request)
        try:
            return _observation(tool.invoke(request))
        except NotImplementedError:  # what LangChain advises a tool to raise that can only be awaited
            if not _can_be_awaited(tool):
                raise
            return _when_awaited(tool, request)

    return FunctionTool.from_schema(offered, run)


async def _when_awaited(tool: BaseTool, request: dict[str, Any]) -> Any:
    return _observation(await tool.ainvoke(request))


def _can_be_awaited(tool: BaseTool) -> bool:
    """Whether it has a coroutine of its own: without one, LangChain would run its function in a thread."""
    if isinstance(tool, StructuredTool | TextTool):
        return tool.coroutine is not None
    return type(tool)._arun is not BaseTool._arun


def _is_closed(tool: BaseTool) -> bool:
    """Whether unknown arguments are mistakes: LangChain drops them silently unless the schema keeps extras."""
    config = getattr(tool.tool_call_schema, "model_config", None)
    return isinstance(config, Mapping) and config.get("extra") != "allow"


def _observation(message: Any) -> Any:
    """What a ToolMessage says; content blocks are joined by line, those without text stay JSON."""
    if not isinstance(message, ToolMessage):
        return message
    content = message.content
    text = content if isinstance(content, str) else "\n".join(_block(block) for block in content)
    return Observation(text=text, ok=message.status != "error")


def _block(block: str | Mapping[str, Any]) -> str:
    if isinstance(block, str):
        return block
    return str(block["text"]) if block.get("type") == "text" and "text" in block else as_text(block)
