"""A request with what is and is not offered beside it, and the trees of calls that most kinds of task begin with.

Knows nothing of what is asked about the calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alpha_umi_gym.generator.call_tree import IntentPool, Node, build_tree
from alpha_umi_gym.intents import Intent
from alpha_umi_gym.sampler import DroppedTask, Sampler

_FEW_CALLS = {1: 0.55, 2: 0.35, 3: 0.1}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, and what is and is not offered with it."""

    query: str
    needs: tuple[str, ...]
    """Tools that must be offered."""
    avoid: tuple[str, ...] = ()
    """Tools that must not be: with them there would be another way, or a way at all."""
    like: tuple[str, ...] = ()
    """Tools, besides those needed, from whose categories distractors come: a missing one leaves its neighbours."""
    decline: str = ""
    """What no offered tool can do, when the planner has to give up at once for that reason."""
    why: str = ""
    """Why there is no solution, when there is none."""
    left_open: tuple[Node, str] | None = None
    """The call that would be made, with its values, and the slot that the request leaves open."""


def request_for(query: str, roots: Sequence[Node]) -> Request:
    """A request for these trees: their tools are needed, and what does the same another way is not offered."""
    nodes = [node for root in roots for node in root.walk()]
    needs = tuple(dict.fromkeys(node.intent.name for node in nodes))
    rivals = {rival for node in nodes for rival in node.intent.rivals}
    return Request(query=query, needs=needs, avoid=tuple(sorted(rivals - set(needs))))


def few(d: Sampler, pool: IntentPool, intents: Sequence[Intent], *, max_calls: int = 3) -> Node:
    """A tree of one to three calls that ends in one of these."""
    intent = pool.pick(d, [i for i in intents if i.least_calls <= max_calls])
    least = intent.least_calls
    calls = min(max_calls, max(least, number(d, _FEW_CALLS)))
    try:
        return build_tree(d, pool, intent, calls)
    except DroppedTask:
        return build_tree(d, pool, intent, least)


def number(d: Sampler, shares: Mapping[int, float]) -> int:
    """A number drawn by its share."""
    return d.chance.choices(list(shares), weights=list(shares.values()))[0]
