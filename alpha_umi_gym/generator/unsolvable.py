"""Tasks to give up: no tool for it, a value missing, or a failure that does not pass.

What leads round a missing or denied tool is not offered (`alternatives`), and the call is one that would work: a tool
that is broken is no reason. Knows nothing of what else a task can be.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Sequence

from alpha_umi_gym.faults import DENIED
from alpha_umi_gym.generator.alternatives import CALCULATORS, ways_round
from alpha_umi_gym.generator.call_tree import IntentPool, Node, build_tree, chain_request, referred, render_request, say
from alpha_umi_gym.generator.request import Request, few, request_for
from alpha_umi_gym.generator.trajectory_builder import TrajectoryBuilder
from alpha_umi_gym.generator.wording import FRAMES
from alpha_umi_gym.intents import Intent
from alpha_umi_gym.sampler import DroppedTask, Sampler

_REFUSALS = (LookupError, ValueError, FileExistsError, FileNotFoundError, PermissionError)
"""What a tool raises on purpose; anything else is a mistake in it."""


def unsolvable(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    """What cannot be done: no tool for it, a value missing, or a failure that does not pass."""
    return d.any_value((_no_tool, _no_tool, _no_information, _not_there, _denied))(d, pool, builder)


def _no_tool(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    root = few(d, pool, pool.roots, max_calls=2)
    missing = d.any_value([node for node in root.walk() if not node.intent.by_heart] or _none())
    around = ways_round(missing.intent.name)
    if around & {node.intent.name for node in root.walk()}:
        raise DroppedTask("another of its calls leads round the missing tool")
    builder.run(root)  # it would work, had the planner the tool
    query = chain_request(d, root)
    others = [node.intent.name for node in root.walk() if node.intent.name != missing.intent.name]
    template = d.thought(missing.intent.goals)
    wanted = template.format(**missing.plain()) if missing.depth == 1 else referred(d, missing, template)
    request = request_for(query, [root])
    avoid = {missing.intent.name, *around, *request.avoid, *CALCULATORS} - set(others)
    return Request(
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


def _no_information(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    intents = [i for i in pool.roots if i.least_calls == 1 and any(slot.vague for slot in i.slots.values())]
    node = build_tree(d, pool, pool.pick(d, intents), 1)
    open_to = [name for name, slot in node.intent.slots.items() if slot.vague and not _has_default(node.intent, name)]
    name = d.any_value(open_to or _nothing_open())
    builder.check(node)
    vague = d.from_short_list(node.intent.slots[name].vague)
    node.said[name] = vague
    builder.miss(referred(d, node, d.thought(node.intent.goals)), vague)
    tellers = tuple(giver.name for giver in pool.givers(node.intent.slots[name]))
    query = render_request(d, node)
    return Request(
        query=query, needs=(node.intent.name,), avoid=tellers, why="missing information", left_open=(node, name)
    )


def _nothing_open() -> Sequence[str]:
    raise DroppedTask("the tool has a value of its own for what is left open")


def _has_default(intent: Intent, name: str) -> bool:
    """Whether the tool itself has a value for what is left open; None and "" only say that there is none."""
    parameter = inspect.signature(intent.tool).parameters.get(name)
    return parameter is not None and parameter.default not in (inspect.Parameter.empty, None, "")


def _not_there(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    intents = [i for i in pool.roots if i.least_calls == 1 and any(slot.unknown for slot in i.slots.values())]
    node = build_tree(d, pool, pool.pick(d, intents), 1)
    name = d.any_value([name for name, slot in node.intent.slots.items() if slot.unknown])
    slot = node.intent.slots[name]
    assert slot.unknown is not None
    builder.check(node)
    node.values[name] = slot.unknown(d)
    node.said[name] = say(d, slot, node.values[name])
    error = builder.fail(node)
    if not _is_meant(node.intent.name, error):
        raise DroppedTask(f"{node.intent.name} broke")
    message = error.split(": ")[-1].rstrip(".")
    builder.give_up(f"the tool says: {message}", goal=d.thought(node.intent.goals).format(**node.plain()))
    return _unsolvable(d, node, "permanent failure")


def _is_meant(tool: str, error: str) -> bool:
    """Whether a tool failed as it says it would, and did not break: arguments were refused, or what is not there."""
    failed = f"{tool} failed: "
    kind = getattr(builtins, error.removeprefix(failed).split(":")[0], None)
    return not error.startswith(failed) or (isinstance(kind, type) and issubclass(kind, _REFUSALS))


def _denied(d: Sampler, pool: IntentPool, builder: TrajectoryBuilder) -> Request:
    node = build_tree(d, pool, pool.pick(d, [i for i in pool.roots if i.least_calls == 1]), 1)
    if node.intent.by_heart:
        _none()
    builder.check(node)
    builder.faults[node.intent.name] = DENIED
    builder.fail(node)
    why = d.any_value(FRAMES.denied).format(tool=node.intent.name)
    builder.give_up(why, goal=d.thought(node.intent.goals).format(**node.plain()))
    return _unsolvable(d, node, "permission denied")


def _unsolvable(d: Sampler, node: Node, why: str) -> Request:
    avoid = ways_round(node.intent.name) | CALCULATORS - {node.intent.name}
    return Request(query=render_request(d, node), needs=(node.intent.name,), avoid=tuple(avoid), why=why)
