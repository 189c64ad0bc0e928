"""The agent behind a protocol that other programs speak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.serving.mcp import http_app, mcp_server, serve_mcp
else:
    __getattr__, __dir__ = exports(__name__, {"alpha_umi.serving.mcp": ["http_app", "mcp_server", "serve_mcp"]})

__all__ = ["http_app", "mcp_server", "serve_mcp"]
