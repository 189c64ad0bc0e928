"""A web service as tools: every operation of its OpenAPI document, called with checked arguments.

    python examples/openapi_agent.py http://localhost:8000/openapi.json "Order two cups."

Without a question it shows what would be offered. $ALPHA_UMI_TEAM names the team, else it is the shipped one. Secrets
come from the environment: ALPHA_UMI_AUTH_<SCHEME>="HOST=SECRET".
"""

from __future__ import annotations

import os
import sys

from alpha_umi import Agent
from alpha_umi.tools import OpenAPIToolbox


def main(source: str, question: str = "") -> None:
    """Offer a part of the service, and let an agent use it."""
    tools = OpenAPIToolbox(
        source,
        include=["items", "orders"],  # tags or names: a small model reads a dozen tools, not a hundred
        allow_private=["localhost", "127.0.0.1"],  # what is inside a network must be allowed by name
    )
    for tool in tools.tools:
        print(f"{tool.name}({', '.join(tool.parameters['properties'])}): {tool.description}")
    if question:
        result = Agent.from_team(os.environ.get("ALPHA_UMI_TEAM", "default"), tools=tools).run(question)
        print(result.answer or f"no answer ({result.outcome}): {result.reason}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: openapi_agent.py FILE_OR_URL [QUESTION]")
    main(*sys.argv[1:])
