"""alpha-umi: three small language models that work as one tool-using agent.

Public names are loaded when first used; importing the package never imports torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "Agent": "agent.runner",
    "AlphaUmiError": "errors",
    "Budget": "agent.state",
    "Call": "trajectory",
    "DFSDT": "agent.search.strategies",
    "Decision": "trajectory",
    "Layout": "text.layouts",
    "Observation": "trajectory",
    "Outcome": "trajectory",
    "Plan": "trajectory",
    "Step": "trajectory",
    "Task": "tasks",
    "Taskset": "tasks",
    "Tool": "trajectory",
    "Trajectory": "trajectory",
    "Verdict": "tasks",
    "RoleName": "roles",
    "Role": "roles",
    "Team": "roles",
    "load_team": "team_files",
    "ApprovalDecision": "agent.approval",
    "Result": "agent.state",
    "Search": "agent.search.frontier",
    "ScriptedModel": "models.scripted",
    "Trace": "agent.tracing",
    "build_graph": "agent.graph",
    "idempotency_key": "tools.protocol",
    "load_layout": "text.layouts",
    "load_models": "models.loading",
    "load_tools": "tools.spec",
    "tool_traits": "tools.function_tool",
    "train": "training.api",
}

__all__ = ["__version__", *sorted(_WHERE)]  # noqa: PLE0604 -- names come from the table above

if TYPE_CHECKING:
    from alpha_umi.agent.approval import ApprovalDecision as ApprovalDecision
    from alpha_umi.agent.graph import build_graph as build_graph
    from alpha_umi.agent.runner import Agent as Agent
    from alpha_umi.agent.search.frontier import Search as Search
    from alpha_umi.agent.search.strategies import DFSDT as DFSDT
    from alpha_umi.agent.state import Budget as Budget
    from alpha_umi.agent.state import Result as Result
    from alpha_umi.agent.tracing import Trace as Trace
    from alpha_umi.errors import AlphaUmiError as AlphaUmiError
    from alpha_umi.models.loading import load_models as load_models
    from alpha_umi.models.scripted import ScriptedModel as ScriptedModel
    from alpha_umi.roles import Role as Role
    from alpha_umi.roles import RoleName as RoleName
    from alpha_umi.roles import Team as Team
    from alpha_umi.tasks import Task as Task
    from alpha_umi.tasks import Taskset as Taskset
    from alpha_umi.tasks import Verdict as Verdict
    from alpha_umi.team_files import load_team as load_team
    from alpha_umi.text.layouts import Layout as Layout
    from alpha_umi.text.layouts import load_layout as load_layout
    from alpha_umi.tools.function_tool import tool_traits as tool_traits
    from alpha_umi.tools.protocol import idempotency_key as idempotency_key
    from alpha_umi.tools.spec import load_tools as load_tools
    from alpha_umi.training.api import train as train
    from alpha_umi.trajectory import Call as Call
    from alpha_umi.trajectory import Decision as Decision
    from alpha_umi.trajectory import Observation as Observation
    from alpha_umi.trajectory import Outcome as Outcome
    from alpha_umi.trajectory import Plan as Plan
    from alpha_umi.trajectory import Step as Step
    from alpha_umi.trajectory import Tool as Tool
    from alpha_umi.trajectory import Trajectory as Trajectory


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"alpha_umi.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'alpha_umi' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
