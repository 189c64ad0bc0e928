"""A tool that nobody may use unasked: the run stops before it, and goes on with a person's word, today or tomorrow.

    python examples/approval.py ask "Pay 30 euros to Ann"
    python examples/approval.py approve          # or refuse, after a restart too: the run waits in approval.sqlite

The team is ALPHA_UMI_TEAM (a run folder, a YAML file, a shipped name).
"""

from __future__ import annotations

import os
import sys

from alpha_umi import Agent, ApprovalDecision, idempotency_key, tool_traits


@tool_traits(sensitive=True, takes_key=True)
def pay(amount: float, to: str) -> str:
    """Pay an amount.

    Args:
        amount: in euros
        to: who gets it
    """
    # A real bank is given the key, and pays once however often a run that was killed comes back to this call.
    return f"paid {amount:g} euros to {to}, receipt {idempotency_key()}"


def main(said: str = "ask", question: str = "Pay 30 euros to Ann.") -> None:
    """Begin the run, or go on with it."""
    agent = Agent.from_team(os.environ.get("ALPHA_UMI_TEAM", "default"), tools=[pay], threads="approval.sqlite")
    if said == "ask":
        result = agent.run(question, thread="payment")
    else:
        result = agent.resume(
            "payment", ApprovalDecision(action=said, text="" if said == "approve" else "not this month")
        )
    if result.pending is not None:
        call = result.pending.call
        print(f"May I? {call.tool} {dict(call.arguments)}")
        return
    for step in result.trajectory.steps:
        if step.observation is not None:
            print(step.observation.text)
    print(result.answer or f"no answer ({result.outcome}): {result.reason}")


if __name__ == "__main__":
    main(*sys.argv[1:])
