"""Tools of RapidAPI as ToolBench describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.tools.toolbench.folder import Api
    from alpha_umi.tools.toolbench.http import ApiBackend, Response, Send, ToolBenchRequest, rapidapi, recorded, server
    from alpha_umi.tools.toolbench.replies import CODES, ToolBenchReply, ToolBenchResult
    from alpha_umi.tools.toolbench.toolbox import RapidTools
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.tools.toolbench.folder": ["Api"],
            "alpha_umi.tools.toolbench.http": [
                "ApiBackend",
                "Response",
                "Send",
                "ToolBenchRequest",
                "rapidapi",
                "recorded",
                "server",
            ],
            "alpha_umi.tools.toolbench.replies": ["CODES", "ToolBenchReply", "ToolBenchResult"],
            "alpha_umi.tools.toolbench.toolbox": ["RapidTools"],
        },
    )

__all__ = [
    "CODES",
    "Api",
    "ApiBackend",
    "RapidTools",
    "Response",
    "Send",
    "ToolBenchReply",
    "ToolBenchRequest",
    "ToolBenchResult",
    "rapidapi",
    "recorded",
    "server",
]
