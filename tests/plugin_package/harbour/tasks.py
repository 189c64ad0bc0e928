"""`--data tides:all`: what the package's model can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from alpha_umi import Task, Trajectory, Verdict
from alpha_umi.tools import Toolbox, as_toolbox
from harbour.tools import TIDES, source


class Tides:
    """One task for each port."""

    name, version = "tides", "1"

    def tasks(self, split: str, n: int | None, seed: int) -> Iterator[Task]:
        """The ports in order."""
        tools = tuple(self.toolbox(None).tools)
        asked = (
            Task(id=port, query=f"When is high water at {port}?", tools=tools, facts=[time])
            for port, time in TIDES.items()
        )
        return islice(asked, n)

    def toolbox(self, task: Task | None) -> Toolbox:
        """The package's tools."""
        return as_toolbox(source(None))

    def score(self, task: Task, trajectory: Trajectory) -> Verdict:
        """Whether the answer names the time."""
        right = str(task.facts[0]) in (trajectory.answer or "")
        return Verdict(passed=right, code="solved" if right else "wrong_answer", reason="looked for the time")


TIDES_OF_ALL = Tides()
