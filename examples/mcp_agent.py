"""An agent with the tools of MCP servers, and the same agent as an MCP server for other programs.

    pip install mcp-server-time
    python examples/mcp_agent.py default "What time is it in Tokyo?"
    python examples/mcp_agent.py default --serve          # speaks MCP over stdin and stdout

The first argument is a team: the folder of a training run, a YAML file, or a shipped name.
"""

from __future__ import annotations

import sys

from alpha_umi import Agent, Budget
from alpha_umi.serving import serve_mcp
from alpha_umi.tools import MCPToolbox


def main(team: str = "default", question: str = "What time is it in Tokyo?") -> None:
    """Answer a question with the tools of a server, or offer the agent as one."""
    # A command line or a URL; a second server would take a `prefix` of its own, should names collide.
    with MCPToolbox([sys.executable, "-m", "mcp_server_time"], timeout_s=20) as clock:
        agent = Agent.from_team(team, tools=clock, budget=Budget(max_steps=6))
        if question == "--serve":
            serve_mcp(agent, name="clock-agent")
            return
        result = agent.run(question)
    for step in result.trajectory.steps:
        if step.call is not None and step.observation is not None:
            print(f"{step.call.tool}({dict(step.call.arguments)}) -> {' '.join(step.observation.text.split())}")
    print(result.answer or f"no answer ({result.outcome}): {result.reason}")


if __name__ == "__main__":
    main(*sys.argv[1:])
