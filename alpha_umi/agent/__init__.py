"""The agent at run time: a LangGraph over the roles of a team, its budgets and its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.agent.approval import ApprovalDecision, ApprovalRequest
    from alpha_umi.agent.events import (
        AgentEvent,
        Asked,
        Backtracked,
        Called,
        Decided,
        Finished,
        Observed,
        Restarted,
        Reviewed,
        Token,
    )
    from alpha_umi.agent.graph import AgentGraph, build_graph
    from alpha_umi.agent.runner import Agent, Threads
    from alpha_umi.agent.state import Budget, Result, State, StopReason, Usage
    from alpha_umi.agent.thread_run import OnAsk, OnEvent
    from alpha_umi.agent.tool_executor import Sensitive
    from alpha_umi.agent.tracing import Trace
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.agent.approval": ["ApprovalDecision", "ApprovalRequest"],
            "alpha_umi.agent.events": [
                "AgentEvent",
                "Asked",
                "Backtracked",
                "Called",
                "Decided",
                "Finished",
                "Observed",
                "Restarted",
                "Reviewed",
                "Token",
            ],
            "alpha_umi.agent.graph": ["AgentGraph", "build_graph"],
            "alpha_umi.agent.runner": ["Agent", "Threads"],
            "alpha_umi.agent.state": ["Budget", "Result", "State", "StopReason", "Usage"],
            "alpha_umi.agent.thread_run": ["OnAsk", "OnEvent"],
            "alpha_umi.agent.tool_executor": ["Sensitive"],
            "alpha_umi.agent.tracing": ["Trace"],
        },
    )

__all__ = [
    "Agent",
    "AgentEvent",
    "AgentGraph",
    "ApprovalDecision",
    "ApprovalRequest",
    "Asked",
    "Backtracked",
    "Budget",
    "Called",
    "Decided",
    "Finished",
    "Observed",
    "OnAsk",
    "OnEvent",
    "Restarted",
    "Result",
    "Reviewed",
    "Sensitive",
    "State",
    "StopReason",
    "Threads",
    "Token",
    "Trace",
    "Usage",
    "build_graph",
]
