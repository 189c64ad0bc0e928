"""The solution of a task as it is built: calls are really made, and only what they returned can be answered.

Owns the steps and their rationales. Knows nothing of how the request is worded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step
from alpha_umi_gym.faults import FaultyToolbox
from alpha_umi_gym.generator.call_tree import Node, referred
from alpha_umi_gym.generator.wording import FRAMES, capital
from alpha_umi_gym.numbers import magnitude
from alpha_umi_gym.registry import bound
from alpha_umi_gym.sampler import DroppedTask, Sampler
from alpha_umi_gym.slots import listed
from alpha_umi_gym.world import World


class TrajectoryBuilder:
    """The steps of one task in the making."""

    def __init__(self, d: Sampler, toolbox: FaultyToolbox) -> None:
        self.d, self._toolbox = d, toolbox
        self.faults = toolbox.faults
        self.steps: list[Step] = []
        self.facts: list[object] = []
        """What the answer must hold: values, `{"exact": text}` where case and spelling matter, and
        `{"choice": name, "among": names}`."""
        self.answer_text: str | None = None
        self.outcome = Outcome.UNFINISHED
        self.known = ""
        """The last finding in words."""
        self._planned: list[Node] = []
        self._then = ""
        self._goals: dict[Node, str] = {}

    def plan(self, nodes: Sequence[Node], *, then: str = "") -> None:
        """Say which calls are to come, in order, and what after them: each rationale names what is left."""
        self._planned, self._then = list(nodes), then

    def run(self, root: Node) -> None:
        """Make the calls of a tree, children first."""
        if not self._planned:
            self.plan(list(root.walk()))
        for node in root.walk():
            self.step(node)

    def step(self, node: Node, *, rationale: str = "", **words: str) -> None:
        """Make the call of one node, whose children are done; it must succeed.

        `rationale` is a template for what the planner thinks, by default about the goal and the last finding.
        """
        self._flow_in(node)
        seen = self._call(node, node.values, rationale=rationale, **words)
        if not seen.ok:
            raise DroppedTask(f"{node.intent.name} failed")
        self._learn(node, seen)

    def fail(self, node: Node, **values: Any) -> str:
        """Make the call of a node with some values replaced; it must fail. Returns the words of its error."""
        self._flow_in(node)
        seen = self._call(node, {**node.values, **values})
        if seen.ok:
            raise DroppedTask(f"{node.intent.name} did not fail")
        return seen.text

    def check(self, node: Node) -> None:
        """Make sure that a call would work, in a world of its own: no step records it.

        Raises:
            DroppedTask: it would fail, so that nothing can be said of what keeps it from being made.
        """
        box = bound(World(self.d.world.seed), [node.intent.name])
        if not box.invoke(call_of(node, node.values)).ok:
            raise DroppedTask(f"{node.intent.name} failed")

    def _flow_in(self, node: Node) -> None:
        for name, child in node.children.items():
            node.values[name] = child.out
        if node.children and node.intent.fits is not None and not node.intent.fits(node.values):
            raise DroppedTask("the results do not fit together")

    def _call(self, node: Node, values: dict[str, Any], *, rationale: str = "", **words: str) -> Observation:
        intent = node.intent
        plain = {name: slot.plain(values[name]) for name, slot in intent.slots.items()}
        template = rationale or self.d.any_value(FRAMES.carry_on if self.known else FRAMES.start)
        goal = self._goal(node).format(**plain)
        text = template.format(goal=goal, tool=intent.name, known=self.known, Known=capital(self.known), **words)
        text = f"{text} {left}" if (left := self._left_after(node)) else text
        call = call_of(node, values)
        seen = self._toolbox.invoke(call)
        self.steps.append(Step(plan=Plan(rationale=text, decision=Decision.CALL), call=call, observation=seen))
        return seen

    def _goal(self, node: Node) -> str:
        """A goal's wording, the same whenever the planner speaks of this call."""
        if node not in self._goals:
            self._goals[node] = self.d.thought(node.intent.goals)
        return self._goals[node]

    def _left_after(self, node: Node) -> str:
        """What is to be done after a call, or nothing."""
        if node not in self._planned:
            return ""
        after = self._planned[self._planned.index(node) + 1 :]
        left = [referred(self.d, later, self._goal(later)) for later in after]
        left += [self._then] if self._then else []
        return self.d.any_value(FRAMES.left).format(left=", then ".join(left)) if left else ""

    def _learn(self, node: Node, seen: Observation) -> None:
        out = ""
        if node.intent.gives is not None:
            node.out = node.intent.gives.of(decoded(seen.text), node.values)
            out = node.intent.gives.say(node.out)
        node.finding = self.known = node.intent.found.format(**node.plain(), out=out)

    # Endings

    def answer(self, text: str, *, facts: Sequence[object], known: str = "") -> None:
        """Conclude: `known` is the finding for the rationale, `facts` are what the answer must hold."""
        known = known or self.known
        self.facts = list(facts)
        self.answer_text, self.outcome = text, Outcome.ANSWERED
        self._end(Decision.SUMMARIZE, self.d.any_value(FRAMES.conclude).format(known=known, Known=capital(known)))

    def answer_with(self, node: Node) -> None:
        """Conclude with what a node gave."""
        self.answer(render_answer(self.d, node), facts=facts_of(node))

    def give_up(self, why: str, *, goal: str) -> None:
        """Conclude that a failed call cannot be mended: `why` is the failure in words."""
        text = self.d.any_value(FRAMES.no_way_on).format(why=why, Why=capital(why), goal=goal)
        self._give_up(text)

    def decline(self, goal: str, offered: Sequence[str]) -> None:
        """Conclude at once that no offered tool can do it; the steps so far are dropped."""
        self.steps = []
        self._give_up(self.d.any_value(FRAMES.no_tool).format(goal=goal, names=listed(offered)))

    def miss(self, goal: str, vague: str) -> None:
        """Conclude at once that the request leaves open what is needed."""
        self._give_up(self.d.any_value(FRAMES.no_information).format(goal=goal, vague=vague))

    def _give_up(self, rationale: str) -> None:
        self.facts, self.answer_text, self.outcome = [], None, Outcome.GAVE_UP
        self._end(Decision.GIVE_UP, rationale)

    def _end(self, decision: Decision, rationale: str) -> None:
        self.steps.append(Step(plan=Plan(rationale=rationale, decision=decision)))


def render_answer(d: Sampler, node: Node) -> str:
    """What a node gave, as a sentence for the user."""
    gives = node.intent.gives
    out = gives.say(node.out) if gives is not None else ""
    return capital(d.any_value(node.intent.answers).format(**node.plain(), out=out))


def facts_of(node: Node) -> list[object]:
    """What an answer must state of a node."""
    gives = node.intent.gives
    if gives is None:
        return []
    if gives.facts is not None:
        return [fact if isinstance(fact, dict) else str(fact) for fact in gives.facts(node.out)]
    size = magnitude(node.out)  # a number counts whatever unit is written behind it
    return [gives.say(node.out) if size is None else str(size)]


def call_of(node: Node, values: Mapping[str, Any]) -> Call:
    """The call of a node with these values in its slots."""
    intent = node.intent
    ordered = {name: values[name] for name in intent.slots}
    arguments = intent.arguments(ordered) if intent.arguments is not None else ordered
    return Call(tool=intent.name, arguments=dict(arguments))


def decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
