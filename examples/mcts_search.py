"""A search of your own: Monte Carlo tree search, which goes on where paths have answered, or were seldom tried.

    alpha-umi run "What time is it in Oslo?" --tools gym:time --search examples.mcts_search:MCTS

The tree is a value: where it goes next follows from what was tried, so a run that was killed goes on as it would have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from alpha_umi.agent.search import End, Over, Tree


class MCTSTree(Tree):
    """The steps tried so far, and which to try next by their upper confidence bounds."""

    calls: int
    width: int
    answers: int
    exploration: float = 1.4

    @property
    def over(self) -> Over | None:
        """When enough was found or tried, or every path has ended."""
        if len(self.found) >= self.answers:
            return "answers"
        if len(self.nodes) > self.calls:
            return "calls"
        return "exhausted" if self._selected() is None else None

    @property
    def at(self) -> int | None:
        """The node that the next step is tried from."""
        return None if self.over is not None else self._selected()

    def max_total_steps(self, max_steps: int) -> int:
        """As many as there are calls."""
        return self.calls

    def _selected(self) -> int | None:
        visits, wins, tries = [[0] * len(self.nodes) for _ in range(3)]
        spent = [node.end is not None for node in self.nodes]
        children: list[list[int]] = [[] for _ in self.nodes]
        for i in range(len(self.nodes) - 1, 0, -1):  # children are younger than their parents
            node, parent = self.nodes[i], self.nodes[i].parent or 0
            spent[i] = spent[i] or (tries[i] >= self.width and all(spent[child] for child in children[i]))
            visits[i], wins[i] = visits[i] + 1, wins[i] + (node.end is End.ANSWER)
            visits[parent], wins[parent] = visits[parent] + visits[i], wins[parent] + wins[i]
            tries[parent] += 1
            children[parent].append(i)
        at = 0
        while tries[at] >= self.width:
            going = [child for child in children[at] if not spent[child]]
            if not going:
                return None
            about = math.log(visits[at] + 1)
            at = max(going, key=lambda i: wins[i] / visits[i] + self.exploration * math.sqrt(about / visits[i]))
        return None if self.nodes[at].end is not None else at


@dataclass(frozen=True)
class MCTS:
    """The strategy, by its settings."""

    name: str = "mcts"
    calls: int = 30
    width: int = 2
    answers: int = 1

    def start(self, *, max_steps: int) -> Tree:
        """A tree at its root."""
        return MCTSTree(limit=max_steps, calls=self.calls, width=self.width, answers=self.answers)

    def max_total_steps(self, max_steps: int) -> int:
        """As many as there are calls."""
        return self.calls
