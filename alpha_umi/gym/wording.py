"""How a planner of the gym thinks aloud: the wordings of rationales, the same for train and test.

Each gives the reason and the value at hand in 10 to 25 words. `goal` completes "I have to ...", `known` and
`why` are statements without a full stop.
"""

from __future__ import annotations

START = (
    "I have to {goal}. The tool {tool} does this with the values in the question.",
    "The user wants me to {goal}, so I call {tool}.",
    "To {goal} I should use {tool}.",
    "First I {goal}; {tool} is the tool for it.",
    "The task is to {goal}, which is what {tool} is for.",
)
CONTINUE = (
    "{Known}. Next I have to {goal} with {tool}.",
    "Now I know that {known}, so I use {tool} to {goal}.",
    "{Known}. What is left is to {goal}, so I call {tool}.",
    "Since {known}, I can {goal} with {tool}.",
)
CONCLUDE = (
    "{Known}. That is all the user asked for.",
    "The result is clear: {known}. I can answer now.",
    "Now I know that {known}, so the answer can be written.",
    "{Known}, and nothing is left to do.",
)
NO_WAY_ON = (
    "{Why}. No other tool can {goal}, so I have to stop.",
    "I cannot {goal}, because {why}. Another call would fail too.",
    "{Why}, and this cannot be mended with the offered tools.",
)
NO_TOOL = (
    "I would have to {goal}, but only {names} are offered.",
    "None of the tools {names} can {goal}.",
    "The offered tools are {names}. With them I cannot {goal}.",
)
