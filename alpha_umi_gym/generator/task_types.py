"""The kinds of task: each makes real calls with a builder and then words the request that they answer.

Every kind is a function of a sampler, the intents it may use and a builder; it returns the request and what must and
must not be offered with it. Tasks without a solution are in `unsolvable`. Knows nothing of splits or categories.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from alpha_umi_gym.faults import PASSING
from alpha_umi_gym.generator.call_tree import (
    IntentPool,
    Node,
    attach,
    build_tree,
    chain_request,
    framed,
    goal,
    noun,
    render_request,
    say,
)
from alpha_umi_gym.generator.conditions import condition
from alpha_umi_gym.generator.request import Request, few, number, request_for
from alpha_umi_gym.generator.trajectory_builder import TrajectoryBuilder, facts_of
from alpha_umi_gym.generator.unsolvable import unsolvable
from alpha_umi_gym.generator.wording import FRAMES, capital, referring
from alpha_umi_gym.numbers import magnitude
from alpha_umi_gym.sampler import DroppedTask, Sampler
from alpha_umi_gym.slots import listed
from alpha_umi_gym.task import Kind

__all__ = ["KINDS", "Kind", "Request"]

_CHAIN_CALLS = {2: 0.4, 3: 0.27, 4: 0.17, 5: 0.09, 6: 0.07}
_RESULTS = {2: 0.4, 3: 0.33, 4: 0.17, 5: 0.07, 6: 0.03}


def single(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    """One call."""
    root = build_tree(d, pool, pool.pick(d, pool.asking(1)), 1)
    return _ask_for(d, root, builder)


def sequential(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    """Calls whose results flow into one another."""
    calls = number(d, _CHAIN_CALLS)
    root = build_tree(d, pool, pool.pick(d, pool.asking(calls, fed=True)), calls)
    return _ask_for(d, root, builder)


def state_change(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    """Calls that leave something changed, once or twice in a request."""
    changing = [intent for intent in pool.roots if intent.changes]
    roots = [few(d, pool, changing)]
    if d.chances(0.25) and roots[0].depth <= 2:
        roots.append(few(d, pool, [intent for intent in changing if intent.name != roots[0].intent.name]))
    builder.plan([node for root in roots for node in root.walk()])
    for root in roots:
        builder.run(root)
    if len(roots) == 1:
        builder.answer_with(roots[0])
        return request_for(chain_request(d, roots[0]), roots)
    _answer_all(d, builder, roots)
    first, second = (goal(d, root) for root in roots)
    return request_for(f"{framed(d, FRAMES.first, first)} {framed(d, FRAMES.second, second)}", roots)


def aggregation(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    """The same question about several things: all the results, or the one that stands out."""
    nodes, varied = _alike(d, pool, number(d, _RESULTS))
    builder.plan(nodes)
    for node in nodes:
        builder.run(node)
    template = d.phrase(nodes[0].intent.gives.nouns) if nodes[0].intent.gives else ""
    said = [template.format(**node.said) for node in nodes]
    sizes = [magnitude(node.out) for node in nodes]
    if None in sizes or len(set(sizes)) < len(sizes) or not _one_measure(nodes) or d.chances(0.4):
        _answer_all(d, builder, nodes)
        return request_for(d.wording(FRAMES.list_all).format(nouns=listed(said, last="and")), nodes[:1])
    greatest = d.chances(0.5)
    best = (max if greatest else min)(nodes, key=lambda node: magnitude(node.out) or 0)
    names = [node.plain()[varied] for node in nodes]
    name = best.plain()[varied]
    out = best.intent.gives.say(best.out) if best.intent.gives else ""
    words = {"name": name, "out": out, "most": "greatest" if greatest else "smallest"}
    known = d.any_value(FRAMES.found_most).format(**words)
    frames = FRAMES.greatest if greatest else FRAMES.smallest
    choice = {"choice": name, "among": names}
    builder.answer(
        capital(d.any_value(FRAMES.answer_most).format(**words)), facts=[*facts_of(best), choice], known=known
    )
    query = d.wording(frames).format(nouns=listed(said, last="or"), all=listed(said, last="and"))
    return request_for(query, nodes[:1])


def branching(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    """One of two things, by the value of a third."""
    telling = [intent for intent in pool.asking(2) if intent.gives is not None and intent.gives.compares]
    first = few(d, pool, telling, max_calls=2)
    builder.plan(list(first.walk()), then=d.any_value(FRAMES.decide_later))
    builder.run(first)
    asked = condition(d, first)
    mentioned = {first: referring(d, first.intent)}
    actions: list[Node] = []
    for _ in range(2):
        taken = {node.intent.name for node in (*first.walk(), *actions)}
        actions.append(_action(d, pool, first, taken))
    verdict = asked.text if asked.met else f"not {asked.text}"
    chosen = actions[0] if asked.met else actions[1]
    builder.step(chosen, rationale=d.any_value(FRAMES.decide), verdict=verdict)
    builder.answer_with(chosen)
    yes, no = (goal(d, action, mentioned) for action in actions)
    # What refers back cannot stand before what it refers to.
    frames = FRAMES.if_any if not actions[0].children else FRAMES.if_value_first
    frame = d.wording(frames)
    query = frame.format(noun=noun(d, first), condition=asked.text, yes=yes, no=no, Yes=capital(yes))
    return request_for(query, [first, *actions])


def _action(d: Sampler, pool: IntentPool, first: Node, taken: set[str]) -> Node:
    """A call that may follow a decision: often about the value that was decided on."""
    kind = first.intent.gives.kind if first.intent.gives is not None else ""
    fitting = [i for i in pool.takers(kind) if i.name not in taken]
    if not fitting or d.chances(0.4):
        return build_tree(
            d, pool, pool.pick(d, [i for i in pool.roots if i.least_calls == 1 and i.name not in taken]), 1
        )
    intent = pool.pick(d, fitting)
    place = d.any_value([name for name, slot in intent.slots.items() if kind in slot.kinds])
    return attach(d, intent, {place: first})


def recovery(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    """A call that fails first, and what mends it: the right name, or patience."""
    if d.chances(0.5):
        return _passing(d, pool, builder)
    intents = [i for i in pool.asking(1) if any(slot.slip for slot in i.slots.values())]
    node = build_tree(d, pool, pool.pick(d, intents), 1)
    name = d.any_value([name for name, slot in node.intent.slots.items() if slot.slip])
    slot, right = node.intent.slots[name], node.values[name]
    assert slot.slip is not None
    wrong = slot.slip(d, right)
    error = builder.fail(node, **{name: wrong})
    if slot.plain(right) not in error:
        raise DroppedTask("the error suggests nothing")
    builder.step(node, rationale=d.any_value(FRAMES.correct), wrong=slot.plain(wrong), right=slot.plain(right))
    builder.answer_with(node)
    node.said[name] = slot.plain(wrong)
    return request_for(render_request(d, node), [node])


def _passing(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    """A failure that is over at the second try."""
    root = few(d, pool, pool.asking(3))
    victim = d.any_value(list(root.walk()))
    builder.faults[victim.intent.name] = d.any_value(PASSING)
    builder.plan(list(root.walk()))
    for node in root.walk():
        if node is victim:
            builder.fail(node)
            builder.step(node, rationale=d.any_value(FRAMES.retry))
        else:
            builder.step(node)
    builder.answer_with(root)
    return request_for(chain_request(d, root), [root])


KINDS: Mapping[Kind, tuple[float, Callable[[Sampler, IntentPool, TrajectoryBuilder], Request]]] = MappingProxyType(
    {
        "single": (0.2, single),
        "sequential": (0.25, sequential),
        "branching": (0.1, branching),
        "aggregation": (0.1, aggregation),
        "state_change": (0.12, state_change),
        "recovery": (0.1, recovery),
        "unsolvable": (0.13, unsolvable),
    }
)
"""Each kind's share and how it is built."""


# What the kinds have in common


def _ask_for(d: Sampler, root: Node, builder: TrajectoryBuilder) -> Request:
    builder.run(root)
    builder.answer_with(root)
    return request_for(chain_request(d, root), [root])


def _alike(d: Sampler, pool: IntentPool, many: int) -> tuple[list[Node], str]:
    """The same call with one slot varied, and that slot's name."""
    first = build_tree(d, pool, pool.pick(d, [i for i in pool.asking(1) if i.slots]), 1)
    varied = d.any_value(list(first.intent.slots))
    slot = first.intent.slots[varied]
    nodes = [first]
    for _ in range(20 * many):
        if len(nodes) == many or slot.draw is None:
            break
        value = slot.draw(d)
        values = {**first.values, varied: value}
        if any(node.values[varied] == value for node in nodes):
            continue
        if first.intent.fits is not None and not first.intent.fits(values):
            continue
        nodes.append(Node(first.intent, values, {**first.said, varied: say(d, slot, value)}))
    if len(nodes) < 2:
        raise DroppedTask("nothing to compare")
    return nodes, varied


def _one_measure(nodes: Sequence[Node]) -> bool:
    """Whether results can be compared by their numbers: all in one unit, and made of values in one unit."""
    units = {getattr(node.out, "unit", None) for node in nodes}
    return len(units) == 1 and all(
        len({getattr(node.values[name], "unit", None) for node in nodes}) == 1 for name in nodes[0].intent.slots
    )


def _answer_all(d: Sampler, builder: TrajectoryBuilder, nodes: Sequence[Node]) -> None:
    text = " ".join(f"{capital(node.finding)}." for node in nodes)
    builder.answer(text, facts=[fact for node in nodes for fact in facts_of(node)])
