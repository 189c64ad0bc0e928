"""Your own Python functions as tools: name, type hints and docstring are all a model needs to see.

    python examples/own_tools.py default "What does a plate cost?"

The first argument is a team: the folder of a training run, a YAML file, or a shipped name. A team answers well with
tools like those it was trained on, so with the shipped one this shows the wiring, not how good an agent can be.
"""

from __future__ import annotations

import sys
from typing import Literal

from alpha_umi import Agent, Budget

PRICES = {"cup": 4.5, "plate": 7.0}


def price(article: Literal["cup", "plate"], count: int = 1) -> float:
    """What a number of articles costs, in euros.

    Args:
        article: what is bought
        count: how many
    """
    return PRICES[article] * count


def main(team: str = "default", question: str = "What does a plate cost?") -> None:
    """Answer a question and show what was called."""
    agent = Agent.from_team(team, tools=[price], budget=Budget(max_steps=6))
    result = agent.run(question)
    for step in result.trajectory.steps:
        if step.call is not None and step.observation is not None:
            print(f"{step.call.tool}({dict(step.call.arguments)}) -> {step.observation.text}")
    print(result.answer or f"no answer ({result.outcome}): {result.reason}")


if __name__ == "__main__":
    main(*sys.argv[1:])
