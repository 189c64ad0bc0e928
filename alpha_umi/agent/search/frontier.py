"""Where a search goes next: chain, ReACT@N, DFSDT and classical DFS, as one tree that is visited depth first.

Pure: a `Frontier` is plain data, and every event in the search returns a new one. Knows nothing of models, prompts or
LangGraph; `run_state` asks it which node is to be expanded and tells it what became of the step.

After ToolLLM (arXiv 2307.16789, DFSDT) and its released `DFS.py` and `single_chain.py`. The published search counts its
depth in nodes, of which a step has up to three, pays for comparisons out of the same budget, and throws the last reply
away that it has paid for; `Search.compat` reproduces this, and the default counts steps and uses every reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from alpha_umi.agent.search.tree import ROOT, End, Node, Over, Tree
from alpha_umi.errors import UsageError
from alpha_umi.trajectory import Frozen, Step


class Search(Frozen):
    """How a search goes: the strategy of a run."""

    width: int = Field(default=1, ge=1)
    """Steps tried from one node before it is left."""
    root_width: int | None = Field(default=None, ge=1)
    """The same for the root; None: as everywhere."""
    max_steps: int | None = Field(default=None, ge=1)
    """Steps on a path; None: `Budget.max_steps`. With `compat` published nodes, up to three a step."""
    max_calls: int | None = Field(default=None, ge=1)
    """Steps tried in the whole search, with `compat` comparisons too; None: as many as there are."""
    give_up_retreat: int = Field(default=2, ge=1)
    """Levels that a give-up, or an answer when more are wanted, goes back: 2 leaves its siblings untried."""
    dead_end_retreat: int = Field(default=1, ge=1)
    """The same for a dead end."""
    answers: int = Field(default=1, ge=1)
    """Answers to find."""
    diversity: bool = True
    """Whether a later try of a node is told what the earlier ones did."""
    rank: bool = False
    """Classical DFS: make all tries of a node first, then visit them best first."""
    compat: Literal["toolbench", "alpha-umi"] | None = None
    """Go as a released search goes (docs/published.md): ToolBench's, where a step without words is a node less, or
    α-UMi's, where the planner always has words, so that each step is three nodes."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in results."""
        if self.width > 1:
            return "dfs" if self.rank else "dfsdt"
        return "chain" if self.one_path else f"react@{self.root_width}"

    @property
    def one_path(self) -> bool:
        """Whether there is never another path to try."""
        return self.width == 1 and self.root_width in {None, 1}

    def start(self, *, max_steps: int) -> Tree:
        """A search at its root."""
        return Frontier.start(self, max_steps=max_steps)

    def max_total_steps(self, max_steps: int) -> int:
        """Steps that a search can try at most, where a path has at most `max_steps`."""
        limit = self.max_steps or max_steps
        all_of_them = self.width_at(ROOT) * sum(int(self.width**depth) for depth in range(min(limit, 20)))
        if self.width == 1:
            all_of_them = self.width_at(ROOT) * limit
        return min(all_of_them, self.max_calls or all_of_them)

    def width_at(self, node: int) -> int:
        """Steps tried from a node."""
        return self.root_width or self.width if node == ROOT else self.width


class _Frame(Frozen):
    """A node under expansion."""

    node: int
    tries: int = 0
    waiting: tuple[int, ...] = ()
    """Tries that were made and not yet visited, best first once they are ranked."""
    ranked: bool = False


class Frontier(Tree):
    """A search tree and where it is: which node is next, or that the search is over."""

    search: Search
    open: tuple[_Frame, ...] = (_Frame(node=ROOT),)
    calls: int = 0
    """Steps tried; with `compat` comparisons too."""
    cut: bool = False
    """With `compat`: a reply met the budget of calls, and was thrown away."""
    visits: int = 0
    """Number of the last visit."""

    @classmethod
    def start(cls, search: Search, *, max_steps: int) -> Frontier:
        """A search at its root; `max_steps` holds where the strategy sets none."""
        limit = search.max_steps or max_steps
        open_ = (_Frame(node=ROOT),) if limit > 0 else ()
        return cls(search=search, limit=limit, open=open_)

    def max_total_steps(self, max_steps: int) -> int:
        """Steps that it can try at most, where a path has at most `max_steps`."""
        return self.search.max_total_steps(max_steps)

    @property
    def one_path(self) -> bool:
        """Whether there is never another path to try."""
        return self.search.one_path

    @property
    def diversity(self) -> bool:
        """Whether a later try of a node is told what the earlier ones did."""
        return self.search.diversity

    @property
    def compat(self) -> Literal["toolbench", "alpha-umi"] | None:
        """The released search that it goes as, if it does."""
        return self.search.compat

    @property
    def at(self) -> int | None:
        """The node from which the next step is to be tried; None when the search is over or wants a ranking first."""
        if self.over is not None or self.to_rank:
            return None
        return self.open[-1].node

    @property
    def over(self) -> Over | None:
        """Why the search has ended, or None."""
        if len(self.found) >= self.search.answers:
            return "answers"
        if self._spent and not self.to_rank:  # what is paid for is still ranked and visited
            return "calls"
        return None if self.open else "exhausted"

    @property
    def _spent(self) -> bool:
        """Whether nothing more may be tried; the published search looks only when it has a reply."""
        return self.cut if self.search.compat else self._met

    @property
    def _met(self) -> bool:
        return self.search.max_calls is not None and self.calls >= self.search.max_calls

    @property
    def to_rank(self) -> tuple[int, ...]:
        """Tries that are to be ranked before the search goes on; empty when none are."""
        if not self.open:
            return ()
        frame = self.open[-1]
        full = frame.tries >= self.search.width_at(frame.node) or self._spent
        return frame.waiting if self.search.rank and full and not frame.ranked else ()

    def add(
        self, step: Step, *, end: End | None = None, why: str = "", answer: str | None = None, weight: int = 1
    ) -> Frontier:
        """The search after a step was tried from the node `at`.

        Args:
            step: what was tried.
            end: why its path goes no further, if it does not.
            why: more about a dead end.
            answer: what it answered.
            weight: how much deeper it lies than its node: 1, or its published nodes.
        """
        at, frame = self._tried_from(), self.open[-1]
        calls, index = self.calls + 1, len(self.nodes)
        paid = self.model_copy(update={"calls": calls})
        if self.search.compat and paid._met:
            return paid.model_copy(update={"cut": True, "open": ()})
        node = Node(parent=at, step=step, depth=self.nodes[at].depth + weight, end=end, why=why, answer=answer)
        frame = frame.model_copy(update={"tries": frame.tries + 1})
        if self.search.rank:
            frame = frame.model_copy(update={"waiting": (*frame.waiting, index)})
        grown = self.model_copy(update={"nodes": (*self.nodes, node), "open": (*self.open[:-1], frame), "calls": calls})
        return grown if self.search.rank else grown._visit(index)

    def close(self, why: str) -> Frontier:
        """The search after nothing could be tried from the node `at`: its path ends there."""
        return super().close(why).model_copy(update={"open": self.open[:-1]})._next()

    def ranked(self, order: Sequence[int]) -> Frontier:
        """The search after the tries in `to_rank` were ranked, best first: the best one is visited."""
        if sorted(order) != sorted(self.to_rank):
            raise UsageError(f"the ranking {list(order)} is not one of {list(self.to_rank)}")
        frame = self.open[-1].model_copy(update={"ranked": True, "waiting": tuple(order)})
        compared = len(order) * (len(order) - 1) if self.search.compat else 0  # each pair in both orders
        return self.model_copy(update={"open": (*self.open[:-1], frame), "calls": self.calls + compared})._next()

    def _visit(self, index: int) -> Frontier:
        """Go to a node: open it, or back from where its path ends."""
        node, visits = self.nodes[index], self.visits + 1
        end = node.end
        if end is None and node.depth >= self.limit:
            end = End.DEAD
        nodes = list(self.nodes)
        nodes[index] = node.model_copy(
            update={"visit": visits, "end": end, "why": node.why or ("steps" if end is End.DEAD else "")}
        )
        found = (*self.found, index) if end is End.ANSWER else self.found
        here = self.model_copy(update={"nodes": tuple(nodes), "visits": visits, "found": found})
        if end is None and self.search.rank and self._spent:
            return here._next()
        if end is None:
            return here.model_copy(update={"open": (*self.open, _Frame(node=index))})
        if len(found) >= self.search.answers:
            return here
        return here._back(self.search.dead_end_retreat if end is End.DEAD else self.search.give_up_retreat)

    def _back(self, levels: int) -> Frontier:
        """Go on with the first node that has tries left, `levels` above the one whose path ended or further up.

        The published search leaves the root too, so that giving up at the first step ends it all; ours stays there.
        """
        last = 0 if self.search.compat else 1
        # One less than `levels`: the node whose path ended is none of the open ones, so leaving it is the first level.
        kept = self.open[: max(len(self.open) - (levels - 1), last)]
        return self.model_copy(update={"open": kept})._next()

    def _next(self) -> Frontier:
        """Go on from the innermost open node that has something left to try or to visit."""
        frames = list(self.open)
        while frames:
            frame = frames[-1]
            here = self.model_copy(update={"open": tuple(frames)})
            if frame.ranked and frame.waiting:
                first, *rest = frame.waiting
                frames[-1] = frame.model_copy(update={"waiting": tuple(rest)})
                return self.model_copy(update={"open": tuple(frames)})._visit(first)
            if (
                not frame.ranked
                and frame.tries < self.search.width_at(frame.node)
                and not (self.search.rank and self._spent)
            ):
                return here
            frames.pop()
        return self.model_copy(update={"open": ()})
