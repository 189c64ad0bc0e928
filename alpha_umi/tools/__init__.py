"""What an agent may call: the Toolbox protocol and its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.tools.combined import CombinedToolbox
    from alpha_umi.tools.function_tool import FunctionTool, tool_traits
    from alpha_umi.tools.functions import FunctionToolbox, as_toolbox
    from alpha_umi.tools.langchain import from_langchain
    from alpha_umi.tools.mcp.toolbox import MCPToolbox
    from alpha_umi.tools.openapi.toolbox import OpenAPIToolbox
    from alpha_umi.tools.protocol import Toolbox, Traits, idempotency_key
    from alpha_umi.tools.python.interpreter import Interpreter
    from alpha_umi.tools.python.process import ProcessLimits
    from alpha_umi.tools.replay import Recorder, Replay
    from alpha_umi.tools.spec import ToolSource, load_tools
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.tools.combined": ["CombinedToolbox"],
            "alpha_umi.tools.function_tool": ["FunctionTool", "tool_traits"],
            "alpha_umi.tools.functions": ["FunctionToolbox", "as_toolbox"],
            "alpha_umi.tools.langchain": ["from_langchain"],
            "alpha_umi.tools.mcp.toolbox": ["MCPToolbox"],
            "alpha_umi.tools.openapi.toolbox": ["OpenAPIToolbox"],
            "alpha_umi.tools.protocol": ["Toolbox", "Traits", "idempotency_key"],
            "alpha_umi.tools.python.interpreter": ["Interpreter"],
            "alpha_umi.tools.python.process": ["ProcessLimits"],
            "alpha_umi.tools.replay": ["Recorder", "Replay"],
            "alpha_umi.tools.spec": ["ToolSource", "load_tools"],
        },
    )

__all__ = [
    "CombinedToolbox",
    "FunctionTool",
    "FunctionToolbox",
    "Interpreter",
    "MCPToolbox",
    "OpenAPIToolbox",
    "ProcessLimits",
    "Recorder",
    "Replay",
    "ToolSource",
    "Toolbox",
    "Traits",
    "as_toolbox",
    "from_langchain",
    "idempotency_key",
    "load_tools",
    "tool_traits",
]
