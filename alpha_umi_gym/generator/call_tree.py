"""Which calls a task makes, and the words that ask for them: trees of intents, and their rendering in English.

A node is one call; a slot of it holds a value of the request or another node, whose result flows in. A request nests
a child as a noun phrase ("the arrival date of order R12") or gives it a sentence of its own and refers back to it.
Knows nothing of execution.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alpha_umi_gym.generator.wording import FRAMES, capital, referring
from alpha_umi_gym.intents import Intent, Slot
from alpha_umi_gym.sampler import NOTHING_SUCH, DroppedTask, Sampler

_FITTING_DRAWS = 30
_PLAIN = 0.6
"""How often a value is written in its plain form, where there are others."""


class IntentPool:
    """The intents that a task may use, by what they give; `roots` are those that a request may be about.

    `offered` are the tools that a task may show, its own and distractors.
    """

    def __init__(self, intents: Iterable[Intent], *, offered: Sequence[str]) -> None:
        self.offered = offered
        self.intents = tuple(intents)
        self.roots = tuple(intent for intent in self.intents if intent.root)
        self._asking: dict[tuple[int, bool], Sequence[Intent]] = {}
        self._takers: dict[str, Sequence[Intent]] = {}
        self._by_tool: dict[int, dict[str, list[Intent]]] = {}
        self._givers: dict[str, list[Intent]] = defaultdict(list)
        for intent in self.intents:
            if intent.gives is not None and not intent.changes:
                self._givers[intent.gives.kind].append(intent)

    def givers(self, slot: Slot) -> Sequence[Intent]:
        """Intents whose result fits a slot."""
        return [i for kind in slot.kinds for i in self._givers[kind]] if slot.accepts else self._givers[slot.kind]

    def takers(self, kind: str) -> Sequence[Intent]:
        """Roots into which a value of a kind fits."""
        if kind not in self._takers:
            found = [i for i in self.roots if any(kind in slot.kinds for slot in i.slots.values())]
            self._takers[kind] = self._kept(found)
        return self._takers[kind]

    def asking(self, max_calls: int, *, fed: bool = False) -> Sequence[Intent]:
        """Intents that are after a value, change nothing, and need at most so many calls.

        With `fed`, only those into which another tool's result can flow.
        """
        if (max_calls, fed) not in self._asking:
            found = [i for i in self.roots if i.gives is not None and not i.changes and i.least_calls <= max_calls]
            self._asking[max_calls, fed] = self._kept([i for i in found if not fed or self._is_fed(i)])
        return self._asking[max_calls, fed]

    def _kept(self, intents: Sequence[Intent]) -> Sequence[Intent]:
        """Intents that this pool holds on to, grouped once: their id stays theirs."""
        self._by_tool[id(intents)] = _by_tool(intents)
        return intents

    def _is_fed(self, intent: Intent) -> bool:
        return any(giver.name != intent.name for slot in intent.slots.values() for giver in self.givers(slot))

    def pick(self, d: Sampler, intents: Sequence[Intent]) -> Intent:
        """One of these, each tool as often as any other; the first draw, so that rare tools are not drowned."""
        if not intents:
            raise DroppedTask(NOTHING_SUCH)
        by_tool = self._by_tool.get(id(intents)) or _by_tool(intents)
        among = by_tool[d.any_value(list(by_tool))]
        return d.chance.choices(among, weights=[intent.weight for intent in among])[0]


def _by_tool(intents: Iterable[Intent]) -> dict[str, list[Intent]]:
    grouped: dict[str, list[Intent]] = {}
    for intent in intents:
        grouped.setdefault(intent.name, []).append(intent)
    return grouped


@dataclass(eq=False)
class Node:
    """One call of a task: an intent with its slots filled."""

    intent: Intent
    values: dict[str, Any]
    """Literals of the request; once executed, what flowed in as well."""
    said: dict[str, str]
    """How each literal is written in the request."""
    children: dict[str, Node] = field(default_factory=dict)
    out: Any = None
    """What the call gave; set by execution."""
    finding: str = ""
    """That in words, for the next rationale."""

    def walk(self) -> Iterator[Node]:
        """Every node of the tree, children first: the order of execution."""
        for child in self.children.values():
            yield from child.walk()
        yield self

    @property
    def depth(self) -> int:
        """The number of calls."""
        return sum(1 for _ in self.walk())

    def plain(self) -> dict[str, str]:
        """The slots as they are said in a rationale; all must be known."""
        return {name: slot.plain(self.values[name]) for name, slot in self.intent.slots.items()}


def build_tree(
    d: Sampler, pool: IntentPool, intent: Intent, calls: int, *, above: frozenset[str] = frozenset()
) -> Node:
    """A tree of exactly `calls` calls that ends in `intent`; no tool is used twice on a path.

    Raises:
        DroppedTask: it cannot be done.
    """
    above = above | {intent.name}
    inner = _inner(d, pool, intent, calls - 1, above)
    node = Node(intent, {}, {})
    for name, share in inner.items():
        givers = [g for g in pool.givers(intent.slots[name]) if g.name not in above and g.least_calls <= share]
        if not givers:
            raise DroppedTask("nothing flows into it")
        node.children[name] = build_tree(d, pool, pool.pick(d, givers), share, above=above)
    _fill(d, node)
    return node


def attach(d: Sampler, intent: Intent, children: Mapping[str, Node]) -> Node:
    """A call over results that are there already.

    Raises:
        DroppedTask: another slot needs a call of its own.
    """
    if any(slot.draw is None and name not in children for name, slot in intent.slots.items()):
        raise DroppedTask("too few calls")
    node = Node(intent, {}, {}, dict(children))
    _fill(d, node)
    return node


def _inner(d: Sampler, pool: IntentPool, intent: Intent, calls: int, above: frozenset[str]) -> dict[str, int]:
    """Which slots other calls fill, and how many calls each gets."""
    must = [name for name, slot in intent.slots.items() if slot.draw is None]
    may = [
        name
        for name, slot in intent.slots.items()
        if slot.draw is not None and any(g.name not in above and g.least_calls <= calls for g in pool.givers(slot))
    ]
    if calls < len(must) or (calls and not must and not may):
        raise DroppedTask("too few calls" if must else "nothing flows into it")
    chosen = list(must)
    if calls > len(must) and may and (not must or d.chances(0.5)):
        chosen.append(d.any_value(may))
    shares = dict.fromkeys(chosen, 1)
    for _ in range(calls - len(chosen)):
        shares[d.any_value(chosen)] += 1
    return shares


def _fill(d: Sampler, node: Node) -> None:
    """Draw the literals of a node; values that do not fit together are drawn again."""
    slots = {name: slot for name, slot in node.intent.slots.items() if name not in node.children}
    for _ in range(_FITTING_DRAWS):
        values = {name: slot.draw(d) for name, slot in slots.items() if slot.draw is not None}
        if node.children or node.intent.fits is None or node.intent.fits(values):
            break
    else:
        raise DroppedTask("no fitting values")
    node.values = values
    node.said = {name: say(d, slots[name], value) for name, value in values.items()}


def say(d: Sampler, slot: Slot, value: Any) -> str:
    """A value as the request writes it."""
    ways = slot.say(value)
    return ways[0] if len(ways) == 1 or d.chances(_PLAIN) else d.any_value(ways[1:])


# Words


def noun(d: Sampler, node: Node, mentioned: Mapping[Node, str] | None = None) -> str:
    """What a node gives, as a noun phrase."""
    if node.intent.gives is None:
        raise DroppedTask("it gives nothing to name")
    return _worded(d, node, node.intent.gives.nouns, mentioned)


def goal(d: Sampler, node: Node, mentioned: Mapping[Node, str] | None = None) -> str:
    """What to do, as an imperative clause."""
    return _worded(d, node, node.intent.goals, mentioned)


def referred(d: Sampler, node: Node, template: str) -> str:
    """A goal in the request's own words, in which what other calls give is referred to and not named."""
    words = dict(node.said)
    for name, child in node.children.items():
        refer = node.intent.slots[name].refer
        words[name] = d.any_value(refer) if refer else referring(d, child.intent)
    return template.format(**words)


def render_request(d: Sampler, node: Node, mentioned: Mapping[Node, str] | None = None) -> str:
    """A whole sentence that asks for what a node gives or does."""
    # "I would like to know the total once you have ordered two" leaves open whether to order.
    forms = ["goal", "goal" if node.intent.gives is None or node.intent.changes else "noun"]
    if node.intent.asks:
        forms.append("ask")
    match d.any_value(forms):
        case "ask":
            return capital(_worded(d, node, node.intent.asks, mentioned))
        case "noun":
            frame = d.wording(FRAMES.noun)
            named = noun(d, node, mentioned)
            return capital(frame.format(noun=named, Noun=capital(named)))
        case _:
            frame = d.wording(FRAMES.goal)
            return capital(frame.format(goal=goal(d, node, mentioned)))


def _worded(d: Sampler, node: Node, templates: Sequence[str], mentioned: Mapping[Node, str] | None) -> str:
    words = dict(node.said)
    for name, child in node.children.items():
        slot = node.intent.slots[name]
        if mentioned and child in mentioned:
            words[name] = d.any_value(slot.refer) if slot.refer else mentioned[child]
        elif slot.nests:
            words[name] = noun(d, child, mentioned)
        else:
            raise DroppedTask("a name does not fit there")
    return d.phrase(templates).format(**words)


def chain_request(d: Sampler, root: Node) -> str:
    """The request for a tree: in one sentence, or in several that refer back."""
    cut = _own_sentences(d, root)
    if not cut:
        return render_request(d, root)
    mentioned: dict[Node, str] = {}
    sentences = []
    for index, node in enumerate(cut):
        clause = goal(d, node, mentioned)
        sentences.append(framed(d, FRAMES.between if index else FRAMES.first, clause))
        mentioned[node] = referring(d, node.intent)
    if d.chances(0.5):
        sentences.append(render_request(d, root, mentioned))
    else:
        sentences.append(framed(d, FRAMES.last, goal(d, root, mentioned)))
    return " ".join(sentences)


def _own_sentences(d: Sampler, root: Node) -> list[Node]:
    """Nodes that get a sentence of their own before the root's, in order of execution."""
    probability = {2: 0.4, 3: 0.5}.get(root.depth, 0.7)
    return [
        child
        for node in root.walk()
        for name, child in node.children.items()
        if d.chances(probability) or not node.intent.slots[name].nests
    ]


def framed(d: Sampler, frames: Sequence[str], clause: str) -> str:
    """A clause in one of these frames."""
    return d.wording(frames).format(goal=clause, Goal=capital(clause))
