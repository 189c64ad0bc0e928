"""`model: {name: harbour-master, options: {port: Brix}}`: a role that needs no language model."""

from __future__ import annotations

import json

from alpha_umi import Role, ScriptedModel
from alpha_umi.models import Request


def model(role: Role, *, port: str) -> ScriptedModel:
    """Looks up one port and says so."""

    def write(request: Request) -> str:
        told = "14:10" in request.messages[-1].content
        return {
            "planner": "I have it. Next: conclusion." if told else "I look it up. Next: caller.",
            "caller": f"Action: high_water\nAction Input: {json.dumps({'port': port})}",
            "summarizer": f"At {port} the water is high at 14:10.",
        }[role.name]

    return ScriptedModel(write)
