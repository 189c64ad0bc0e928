"""The kinds of task: each plays a story with real calls and then words the request that it answers.

Every kind is a function of chance, the intents it may use and a story; it returns the request and what must and must
not be offered with it. Knows nothing of splits or of which categories exist.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from alpha_umi.gym import wording
from alpha_umi.gym.compose import Node, Pool, chain_request, framed, goal, graft, noun, plant, referred, request, say
from alpha_umi.gym.conditions import condition
from alpha_umi.gym.detours import CALCULATORS, ways_round
from alpha_umi.gym.draw import Draw, DroppedTask
from alpha_umi.gym.faults import DENIED, PASSING
from alpha_umi.gym.intents import Intent
from alpha_umi.gym.numbers import magnitude
from alpha_umi.gym.story import Story, facts_of

Kind = Literal["single", "sequential", "branching", "aggregation", "state_change", "recovery", "unsolvable"]

_CHAIN_CALLS = {2: 0.4, 3: 0.27, 4: 0.17, 5: 0.09, 6: 0.07}
_FEW_CALLS = {1: 0.55, 2: 0.35, 3: 0.1}
_REFUSALS = (LookupError, ValueError, FileExistsError, FileNotFoundError, PermissionError)
"""What a tool raises on purpose; anything else is a mistake in it."""
_RESULTS = {2: 0.4, 3: 0.33, 4: 0.17, 5: 0.07, 6: 0.03}


@dataclass(frozen=True, kw_only=True)
class Tale:
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


def single(d: Draw, pool: Pool, story: Story) -> Tale:
    """One call."""
    root = plant(d, pool, pool.pick(d, pool.asking(1)), 1)
    return _ask_for(d, root, story)


def sequential(d: Draw, pool: Pool, story: Story) -> Tale:
    """Calls whose results flow into one another."""
    calls = _number(d, _CHAIN_CALLS)
    root = plant(d, pool, pool.pick(d, pool.asking(calls, fed=True)), calls)
    return _ask_for(d, root, story)


def state_change(d: Draw, pool: Pool, story: Story) -> Tale:
    """Calls that leave something changed, once or twice in a request."""
    changing = [intent for intent in pool.roots if intent.changes]
    roots = [_few(d, pool, changing)]
    if d.chances(0.25) and roots[0].depth <= 2:
        roots.append(_few(d, pool, [intent for intent in changing if intent.name != roots[0].intent.name]))
    story.plan([node for root in roots for node in root.walk()])
    for root in roots:
        story.run(root)
    if len(roots) == 1:
        story.answer_with(roots[0])
        return _tale(chain_request(d, roots[0]), roots)
    _answer_all(d, story, roots)
    first, second = (goal(d, root) for root in roots)
    return _tale(f"{framed(d, wording.FIRSTS, first)} {framed(d, wording.SECONDS, second)}", roots)


def aggregation(d: Draw, pool: Pool, story: Story) -> Tale:
    """The same question about several things: all the results, or the one that stands out."""
    nodes, varied = _alike(d, pool, _number(d, _RESULTS))
    story.plan(nodes)
    for node in nodes:
        story.run(node)
    template = d.phrase(nodes[0].intent.gives.nouns) if nodes[0].intent.gives else ""
    said = [template.format(**node.said) for node in nodes]
    sizes = [magnitude(node.out) for node in nodes]
    if None in sizes or len(set(sizes)) < len(sizes) or not _one_measure(nodes) or d.chances(0.4):
        _answer_all(d, story, nodes)
        return _tale(d.wording(wording.LIST_FRAMES).format(nouns=_listed(said, last="and")), nodes[:1])
    greatest = d.chances(0.5)
    best = (max if greatest else min)(nodes, key=lambda node: magnitude(node.out) or 0)
    names = [node.plain()[varied] for node in nodes]
    name = best.plain()[varied]
    out = best.intent.gives.say(best.out) if best.intent.gives else ""
    words = {"name": name, "out": out, "most": "greatest" if greatest else "smallest"}
    known = d.any_of(wording.FOUND_MOST).format(**words)
    frames = wording.MOST_FRAMES if greatest else wording.LEAST_FRAMES
    choice = {"choice": name, "among": names}
    story.answer(
        wording.capital(d.any_of(wording.ANSWER_MOST).format(**words)), facts=[*facts_of(best), choice], known=known
    )
    query = d.wording(frames).format(nouns=_listed(said, last="or"), all=_listed(said, last="and"))
    return _tale(query, nodes[:1])


def branching(d: Draw, pool: Pool, story: Story) -> Tale:
    """One of two things, by the value of a third."""
    telling = [intent for intent in pool.asking(2) if intent.gives is not None and intent.gives.compares]
    first = _few(d, pool, telling, most=2)
    story.plan(list(first.walk()), then=d.any_of(wording.DECIDE_LATER))
    story.run(first)
    asked = condition(d, first)
    mentioned = {first: wording.referring(d, first.intent)}
    actions: list[Node] = []
    for _ in range(2):
        taken = {node.intent.name for node in (*first.walk(), *actions)}
        actions.append(_action(d, pool, first, taken))
    verdict = asked.text if asked.met else f"not {asked.text}"
    chosen = actions[0] if asked.met else actions[1]
    story.step(chosen, rationale=d.any_of(wording.DECIDE), verdict=verdict)
    story.answer_with(chosen)
    yes, no = (goal(d, action, mentioned) for action in actions)
    # What refers back cannot stand before what it refers to.
    frames = wording.IF_FRAMES if not actions[0].children else wording.IF_FIRST_FRAMES
    frame = d.wording(frames)
    query = frame.format(noun=noun(d, first), condition=asked.text, yes=yes, no=no, Yes=wording.capital(yes))
    return _tale(query, [first, *actions])


def _action(d: Draw, pool: Pool, first: Node, taken: set[str]) -> Node:
    """A call that may follow a decision: often about the value that was decided on."""
    kind = first.intent.gives.kind if first.intent.gives is not None else ""
    fitting = [i for i in pool.takers(kind) if i.name not in taken]
    if not fitting or d.chances(0.4):
        return plant(d, pool, pool.pick(d, [i for i in pool.roots if i.least_calls == 1 and i.name not in taken]), 1)
    intent = pool.pick(d, fitting)
    place = d.any_of([name for name, slot in intent.slots.items() if kind in slot.kinds])
    return graft(d, intent, {place: first})


def recovery(d: Draw, pool: Pool, story: Story) -> Tale:
    """A call that fails first, and what mends it: the right name, or patience."""
    if d.chances(0.5):
        return _passing(d, pool, story)
    intents = [i for i in pool.asking(1) if any(slot.slip for slot in i.slots.values())]
    node = plant(d, pool, pool.pick(d, intents), 1)
    name = d.any_of([name for name, slot in node.intent.slots.items() if slot.slip])
    slot, right = node.intent.slots[name], node.values[name]
    assert slot.slip is not None
    wrong = slot.slip(d, right)
    error = story.fail(node, **{name: wrong})
    if slot.plain(right) not in error:
        raise DroppedTask("the error suggests nothing")
    story.step(node, rationale=d.any_of(wording.CORRECT), wrong=slot.plain(wrong), right=slot.plain(right))
    story.answer_with(node)
    node.said[name] = slot.plain(wrong)
    return _tale(request(d, node), [node])


def _passing(d: Draw, pool: Pool, story: Story) -> Tale:
    """A failure that is over at the second try."""
    root = _few(d, pool, pool.asking(3))
    victim = d.any_of(list(root.walk()))
    story.faults[victim.intent.name] = d.any_of(PASSING)
    story.plan(list(root.walk()))
    for node in root.walk():
        if node is victim:
            story.fail(node)
            story.step(node, rationale=d.any_of(wording.RETRY))
        else:
            story.step(node)
    story.answer_with(root)
    return _tale(chain_request(d, root), [root])


def unsolvable(d: Draw, pool: Pool, story: Story) -> Tale:
    """What cannot be done: no tool for it, a value missing, or a failure that does not pass."""
    return d.any_of((_no_tool, _no_tool, _no_information, _not_there, _denied))(d, pool, story)


def _no_tool(d: Draw, pool: Pool, story: Story) -> Tale:
    root = _few(d, pool, pool.roots, most=2)
    missing = d.any_of([node for node in root.walk() if not node.intent.by_heart] or _none())
    around = ways_round(missing.intent.name)
    if around & {node.intent.name for node in root.walk()}:
        raise DroppedTask("another of its calls leads round the missing tool")
    story.run(root)  # it would work, had the planner the tool
    query = chain_request(d, root)
    others = [node.intent.name for node in root.walk() if node.intent.name != missing.intent.name]
    template = d.thought(missing.intent.goals)
    wanted = template.format(**missing.plain()) if missing.depth == 1 else referred(d, missing, template)
    tale = _tale(query, [root])
    avoid = {missing.intent.name, *around, *tale.avoid, *CALCULATORS} - set(others)
    return Tale(
        query=query,
        needs=tuple(others),
        avoid=tuple(avoid),
        like=(missing.intent.name,),
        decline=wanted,
        why="missing tool",
    )


def _none() -> Sequence[Node]:
    """What people know by heart they need no tool for."""
    raise DroppedTask("everybody knows it by heart")


def _no_information(d: Draw, pool: Pool, story: Story) -> Tale:
    intents = [i for i in pool.roots if i.least_calls == 1 and any(slot.vague for slot in i.slots.values())]
    node = plant(d, pool, pool.pick(d, intents), 1)
    open_to = [name for name, slot in node.intent.slots.items() if slot.vague and not _has_default(node.intent, name)]
    name = d.any_of(open_to or _nothing_open())
    story.check(node)
    vague = d.ours(node.intent.slots[name].vague)
    node.said[name] = vague
    story.miss(referred(d, node, d.thought(node.intent.goals)), vague)
    tellers = tuple(giver.name for giver in pool.givers(node.intent.slots[name]))
    query = request(d, node)
    return Tale(query=query, needs=(node.intent.name,), avoid=tellers, why="missing information")


def _nothing_open() -> Sequence[str]:
    raise DroppedTask("the tool has a value of its own for what is left open")


def _has_default(intent: Intent, name: str) -> bool:
    """Whether the tool itself has a value for what is left open; None and "" only say that there is none."""
    parameter = inspect.signature(intent.tool).parameters.get(name)
    return parameter is not None and parameter.default not in (inspect.Parameter.empty, None, "")


def _not_there(d: Draw, pool: Pool, story: Story) -> Tale:
    intents = [i for i in pool.roots if i.least_calls == 1 and any(slot.unknown for slot in i.slots.values())]
    node = plant(d, pool, pool.pick(d, intents), 1)
    name = d.any_of([name for name, slot in node.intent.slots.items() if slot.unknown])
    slot = node.intent.slots[name]
    assert slot.unknown is not None
    story.check(node)
    node.values[name] = slot.unknown(d)
    node.said[name] = say(d, slot, node.values[name])
    error = story.fail(node)
    if not _is_meant(node.intent.name, error):
        raise DroppedTask(f"{node.intent.name} broke")
    message = error.split(": ")[-1].rstrip(".")
    story.give_up(f"the tool says: {message}", goal=d.thought(node.intent.goals).format(**node.plain()))
    return _hopeless(d, node, "permanent failure")


def _is_meant(tool: str, error: str) -> bool:
    """Whether a tool failed as it says it would, and did not break: arguments were refused, or what is not there."""
    failed = f"{tool} failed: "
    kind = getattr(builtins, error.removeprefix(failed).split(":")[0], None)
    return not error.startswith(failed) or (isinstance(kind, type) and issubclass(kind, _REFUSALS))


def _denied(d: Draw, pool: Pool, story: Story) -> Tale:
    node = plant(d, pool, pool.pick(d, [i for i in pool.roots if i.least_calls == 1]), 1)
    if node.intent.by_heart:
        _none()
    story.check(node)
    story.faults[node.intent.name] = DENIED
    story.fail(node)
    why = d.any_of(wording.DENIED).format(tool=node.intent.name)
    story.give_up(why, goal=d.thought(node.intent.goals).format(**node.plain()))
    return _hopeless(d, node, "permission denied")


def _hopeless(d: Draw, node: Node, why: str) -> Tale:
    avoid = ways_round(node.intent.name) | CALCULATORS - {node.intent.name}
    return Tale(query=request(d, node), needs=(node.intent.name,), avoid=tuple(avoid), why=why)


KINDS: Mapping[Kind, tuple[float, Callable[[Draw, Pool, Story], Tale]]] = MappingProxyType(
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
"""Each kind's share and how it is told."""


# What the kinds have in common


def _ask_for(d: Draw, root: Node, story: Story) -> Tale:
    story.run(root)
    story.answer_with(root)
    return _tale(chain_request(d, root), [root])


def _tale(query: str, roots: Sequence[Node]) -> Tale:
    nodes = [node for root in roots for node in root.walk()]
    needs = tuple(dict.fromkeys(node.intent.name for node in nodes))
    rivals = {rival for node in nodes for rival in node.intent.rivals}
    return Tale(query=query, needs=needs, avoid=tuple(sorted(rivals - set(needs))))


def _few(d: Draw, pool: Pool, intents: Sequence[Intent], *, most: int = 3) -> Node:
    """A tree of one to three calls that ends in one of these."""
    intent = pool.pick(d, [i for i in intents if i.least_calls <= most])
    least = intent.least_calls
    calls = min(most, max(least, _number(d, _FEW_CALLS)))
    try:
        return plant(d, pool, intent, calls)
    except DroppedTask:
        return plant(d, pool, intent, least)


def _alike(d: Draw, pool: Pool, many: int) -> tuple[list[Node], str]:
    """The same call with one slot varied, and that slot's name."""
    first = plant(d, pool, pool.pick(d, [i for i in pool.asking(1) if i.slots]), 1)
    varied = d.any_of(list(first.intent.slots))
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


def _answer_all(d: Draw, story: Story, nodes: Sequence[Node]) -> None:
    text = " ".join(f"{wording.capital(node.finding)}." for node in nodes)
    story.answer(text, facts=[fact for node in nodes for fact in facts_of(node)])


def _listed(items: Sequence[str], *, last: str) -> str:
    return ", ".join(items[:-1]) + f" {last} {items[-1]}"


def _number(d: Draw, shares: Mapping[int, float]) -> int:
    return d.chance.choices(list(shares), weights=list(shares.values()))[0]
