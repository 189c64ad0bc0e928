"""alpha-umi: three small language models that work as one tool-using agent.

Public names are loaded when first used; importing the package never imports torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

__version__ = "0.1.0"
"""The version of the package."""

if TYPE_CHECKING:
    from alpha_umi.agent.approval import ApprovalDecision
    from alpha_umi.agent.graph import build_graph
    from alpha_umi.agent.runner import Agent
    from alpha_umi.agent.search.frontier import Search
    from alpha_umi.agent.search.strategies import DFSDT
    from alpha_umi.agent.state import Budget, Result
    from alpha_umi.agent.tracing import Trace
    from alpha_umi.errors import AlphaUmiError
    from alpha_umi.models.loading import load_models
    from alpha_umi.models.scripted import ScriptedModel
    from alpha_umi.roles import Role, RoleName, Team
    from alpha_umi.tasks import (
        AnsweringTaskset,
        DividedTaskset,
        RecordedTaskset,
        StatefulTaskset,
        Task,
        Taskset,
        Verdict,
        load_taskset,
    )
    from alpha_umi.team_files import load_team
    from alpha_umi.text.layouts import Layout, load_layout
    from alpha_umi.tools.function_tool import tool_traits
    from alpha_umi.tools.protocol import idempotency_key
    from alpha_umi.tools.spec import load_tools
    from alpha_umi.training.api import train
    from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step, Tool, Trajectory
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.agent.approval": ["ApprovalDecision"],
            "alpha_umi.agent.graph": ["build_graph"],
            "alpha_umi.agent.runner": ["Agent"],
            "alpha_umi.agent.search.frontier": ["Search"],
            "alpha_umi.agent.search.strategies": ["DFSDT"],
            "alpha_umi.agent.state": ["Budget", "Result"],
            "alpha_umi.agent.tracing": ["Trace"],
            "alpha_umi.errors": ["AlphaUmiError"],
            "alpha_umi.models.loading": ["load_models"],
            "alpha_umi.models.scripted": ["ScriptedModel"],
            "alpha_umi.roles": ["Role", "RoleName", "Team"],
            "alpha_umi.tasks": [
                "AnsweringTaskset",
                "DividedTaskset",
                "RecordedTaskset",
                "StatefulTaskset",
                "Task",
                "Taskset",
                "Verdict",
                "load_taskset",
            ],
            "alpha_umi.team_files": ["load_team"],
            "alpha_umi.text.layouts": ["Layout", "load_layout"],
            "alpha_umi.tools.function_tool": ["tool_traits"],
            "alpha_umi.tools.protocol": ["idempotency_key"],
            "alpha_umi.tools.spec": ["load_tools"],
            "alpha_umi.training.api": ["train"],
            "alpha_umi.trajectory": [
                "Call",
                "Decision",
                "Observation",
                "Outcome",
                "Plan",
                "Step",
                "Tool",
                "Trajectory",
            ],
        },
    )

__all__ = [
    "DFSDT",
    "Agent",
    "AlphaUmiError",
    "AnsweringTaskset",
    "ApprovalDecision",
    "Budget",
    "Call",
    "Decision",
    "DividedTaskset",
    "Layout",
    "Observation",
    "Outcome",
    "Plan",
    "RecordedTaskset",
    "Result",
    "Role",
    "RoleName",
    "ScriptedModel",
    "Search",
    "StatefulTaskset",
    "Step",
    "Task",
    "Taskset",
    "Team",
    "Tool",
    "Trace",
    "Trajectory",
    "Verdict",
    "__version__",
    "build_graph",
    "idempotency_key",
    "load_layout",
    "load_models",
    "load_taskset",
    "load_team",
    "load_tools",
    "tool_traits",
    "train",
]
