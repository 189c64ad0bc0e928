"""A benchmark of one's own: ten questions to a small warehouse, its tools, and a check of what was answered.

    alpha-umi evaluate agent --data examples.own_tasks:WAREHOUSE --team default --out eval/warehouse

A task set is an object with a name, a version and three methods: nothing is inherited or registered. In a package of
one's own, an entry point of the group `alpha_umi.tasksets` gives it a name in place of MODULE:ATTRIBUTE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from alpha_umi import Outcome, Task, Taskset, Trajectory, Verdict
from alpha_umi.tools import Toolbox, as_toolbox

PRICES = {"cup": 4.5, "plate": 7.0, "lamp": 39.0, "chair": 85.0}
STOCK = {"cup": 120, "plate": 64, "lamp": 0, "chair": 12}


def price(article: str) -> float:
    """Tell what one piece of an article costs, in euros."""
    return PRICES[article]


def stock(article: str) -> int:
    """Tell how many pieces of an article are in the warehouse."""
    return STOCK[article]


QUESTIONS = {f"What does one {article} cost?": PRICES[article] for article in PRICES}
QUESTIONS |= {f"How many pieces of the article {article} are in stock?": STOCK[article] for article in STOCK}
QUESTIONS |= {"Which costs more, a lamp or a chair? Give me its price.": 85.0}


class Warehouse:
    name = "warehouse"
    version = "1"

    def tasks(self, split: str, n: int | None, seed: int) -> Iterator[Task]:
        tools = tuple(as_toolbox([price, stock]).tools)
        for number, (question, value) in enumerate(QUESTIONS.items()):
            yield Task(id=f"{number}", query=question, tools=tools, kind="a value", facts=(value,))
        yield Task(id="9", query="What does the cup weigh?", tools=tools, kind="unsolvable", why="no tool for it")

    def toolbox(self, task: Task) -> Toolbox:
        return as_toolbox([price, stock])

    def score(self, task: Task, trajectory: Trajectory) -> Verdict:
        gave_up = trajectory.outcome is Outcome.GAVE_UP
        if gave_up or not task.solvable or trajectory.answer is None:
            return Verdict(passed=gave_up and not task.solvable, code="gave_up" if gave_up else "no_answer")
        said = {float(number) for number in re.findall(r"[0-9]+(?:\.[0-9]+)?", trajectory.answer)}
        if missing := [fact for fact in task.facts if fact not in said]:
            return Verdict(passed=False, code="wrong_value", reason=f"does not say {missing[0]}")
        return Verdict(passed=True)


WAREHOUSE: Taskset[Task] = Warehouse()
