"""What leads round a tool: the others that give or do the same, directly or after a few tries.

A task that is unsolvable because a tool is missing must offer none of them. What leads round which tool is said by the
categories; here is what follows from it.
"""

from __future__ import annotations

from alpha_umi_gym.registry import categories

CALCULATORS = frozenset({"calculate", "solve_equation"})
"""With these much can be worked out that another tool was meant for; each does what the other does."""


def ways_round(tool: str) -> frozenset[str]:
    """The tools that lead round this one.

    Being a rival is mutual: "add 3 to 5" declares that the sum of a list does it, so without sums of lists one adds.
    """
    found: set[str] = set()
    for category in categories().values():
        found.update(category.alternatives.get(tool, ()))
        for intent in category.intents:
            if intent.name == tool:
                found.update(intent.rivals)
            elif tool in intent.rivals:
                found.add(intent.name)
    if CALCULATORS & {tool, *found}:
        found |= CALCULATORS
    return frozenset(found - {tool})
