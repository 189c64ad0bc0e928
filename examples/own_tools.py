"""Your own Python functions as tools: name, type hints and docstring are all a model needs to see.

    python examples/own_tools.py runs/first "What do two cups and a plate cost?"

The first argument is a team: the folder of a training run, a YAML file, or a shipped name.
"""

from __future__ import annotations

import sys

from alpha_umi.agent.runner import Agent
from alpha_umi.agent.state import Budget

PRICES = {"cup": 4.5, "plate": 7.0}


def price(article: str, count: int = 1) -> float:
    """What a number of articles costs, in euros.

    Args:
        article: cup or plate
        count: how many
    """
    return PRICES[article] * count  # an unknown article raises: the model is told, and may try again


def main(team: str = "umi", question: str = "What do two cups cost?") -> None:
    """Answer a question and show what was called."""
    agent = Agent.from_team(team, tools=[price], budget=Budget(max_steps=6))
    result = agent.run(question)
    for step in result.trajectory.steps:
        if step.call is not None and step.observation is not None:
            print(f"{step.call.tool}({dict(step.call.arguments)}) -> {step.observation.text}")
    print(result.answer or f"no answer: {result.reason}")


if __name__ == "__main__":
    main(*sys.argv[1:])
