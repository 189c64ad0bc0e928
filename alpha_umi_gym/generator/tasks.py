"""Tasks of the gym: built by kind, each executed again and verified before it is given out.

`generate` is the same on every machine and in every process: number, seed and split are the only source of chance.
A task that cannot be built or verified is dropped, counted by reason, and drawn again.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import get_args

from alpha_umi.errors import UsageError, WorkError
from alpha_umi.tools.validation import one_line
from alpha_umi.trajectory import Outcome, Tool, Trajectory
from alpha_umi_gym.faults import FaultyToolbox
from alpha_umi_gym.generator.call_tree import IntentPool, Node
from alpha_umi_gym.generator.task_types import KINDS, Request
from alpha_umi_gym.generator.trajectory_builder import TrajectoryBuilder, call_of, decoded, facts_of
from alpha_umi_gym.generator.wording import FRAMES, capital
from alpha_umi_gym.intents import Intent
from alpha_umi_gym.judge.facts import holds
from alpha_umi_gym.judge.verify import is_forged
from alpha_umi_gym.judging import verify
from alpha_umi_gym.registry import HELD_OUT, bound, categories, check_category, owners, ships
from alpha_umi_gym.sampler import NOTHING_SUCH, DroppedTask, Sampler, Split, is_for_test
from alpha_umi_gym.task import GymTask, Kind, Withheld
from alpha_umi_gym.task_toolbox import TaskToolbox
from alpha_umi_gym.world import World

SPLITS: tuple[Split, ...] = get_args(Split)
"""Names of the splits: training, then the three of the tests."""
SIZES: Mapping[Split, int] = MappingProxyType({split: 4000 if split == "train" else 200 for split in SPLITS})
"""Tasks of each split in the gym's data set."""
_ATTEMPTS = 300
_DUPLICATES = 40
"""After that many repeated questions a repetition is accepted: small categories have only so many questions."""
MAX_SHARE = 0.02
"""No wording stands behind a larger share of the requests, where there are other words for it."""
_REWORDED = 8
"""After so many attempts an overused wording is accepted: a category of one's own may have few."""
_FEW = 4
"""So often a wording may come in the first requests, of which a share is less than one."""
_OFFERED = {3: 18, 4: 22, 5: 18, 6: 14, 7: 9, 8: 7, 9: 4, 10: 3, 11: 2, 12: 3}
"""How many tools are offered, by weight."""


def generate(
    n: int,
    *,
    seed: int = 0,
    split: Split = "train",
    only: Collection[str] = (),
    kinds: Collection[str] = (),
    dropped: Counter[str] | None = None,
    with_withheld: bool = False,
) -> Iterator[GymTask]:
    """Give `n` tasks with their verified solutions; `dropped` counts what was drawn in vain, by reason.

    With `only`, they call tools of these categories alone; with `kinds`, they are of these kinds; with
    `with_withheld`, those that leave something open say what (`asking`).

    Raises:
        UsageError: there is no such split, category or kind, or these categories have no tools in it.
    """
    split = split_named(split)
    if not isinstance(seed, int):
        raise UsageError(f"the seed is a whole number, not {seed!r}")
    for name in only:
        check_category(name)
    wanted = [kind for kind in KINDS if not kinds or kind in kinds]
    if strange := [kind for kind in kinds if kind not in KINDS]:
        raise UsageError(f"the gym has no tasks of kind {strange[0]!r}; it has {', '.join(KINDS)}")
    intents = _intents(split)
    chosen = [intent for intent in intents if not only or owners()[intent.name] in only]
    if not chosen:
        have = ", ".join(dict.fromkeys(owners()[intent.name] for intent in intents))
        raise UsageError(f"split {split} calls no tools of {', '.join(only)}; it does of {have}")
    pool = IntentPool(chosen, offered=_known(split))
    made = _generate(n, seed, split, pool, kinds=wanted, dropped=Counter() if dropped is None else dropped)
    return made if with_withheld else (task.model_copy(update={"withheld": None}) for task in made)


def split_named(name: str) -> Split:
    """The split of that name.

    Raises:
        UsageError: there is none.
    """
    for split in SPLITS:
        if split == name:
            return split
    raise UsageError(f"the gym has no split {name!r}; it has {', '.join(SPLITS)}")


def called_in(split: Split) -> frozenset[str]:
    """The tools that tasks of a split call."""
    held = {tool for category in categories().values() for tool in category.held_out}
    if split == "unseen_categories":
        return frozenset(tool for tool, name in owners().items() if name in HELD_OUT)
    seen = {tool for tool, name in owners().items() if name not in HELD_OUT}
    return frozenset(seen & held if split == "unseen_tools" else seen - held)


def calls_any_of(split: Split, only: Collection[str]) -> bool:
    """Whether tasks of a split call tools of these categories."""
    return any(owners()[name] in only for name in called_in(split))


def _intents(split: Split) -> list[Intent]:
    names = called_in(split)
    return [intent for category in categories().values() for intent in category.intents if intent.name in names]


def _generate(
    n: int, seed: int, split: Split, pool: IntentPool, *, kinds: Sequence[Kind], dropped: Counter[str]
) -> Iterator[GymTask]:
    asked: set[str] = set()
    worded: Counter[str] = Counter()
    for index in range(n):
        name = f"gym-{split}-{index:06}"
        max_uses = max(_FEW, math.floor(MAX_SHARE * (index + 1)))
        task = _draw(
            f"{name}/{seed}",
            split,
            pool,
            list(kinds),
            asked=asked,
            is_overused=lambda wording, max_uses=max_uses: worded[wording.casefold()] >= max_uses,  # type: ignore[misc]
            dropped=dropped,
        )
        asked.add(task.query)
        worded.update({wording.casefold() for wording in task.wordings})
        yield task.model_copy(update={"id": name, "gold": task.gold.model_copy(update={"id": name})})


def _draw(
    name: str,
    split: Split,
    pool: IntentPool,
    kinds: list[Kind],
    *,
    asked: Collection[str],
    is_overused: Callable[[str], bool],
    dropped: Counter[str],
) -> GymTask:
    """One task of a kind drawn by chance; a kind of which these intents make no task leaves room for the next."""
    while kinds:
        kind = random.Random(name).choices(kinds, weights=[KINDS[kind][0] for kind in kinds])[0]
        for attempt in range(_ATTEMPTS):
            try:
                overused = is_overused if attempt < _REWORDED else _never
                task = _build(random.Random(f"{name}/{kind}/{attempt}"), kind, split, pool, overused)
                if attempt < _DUPLICATES and task.query in asked:
                    raise DroppedTask("asked before")
                _check(task)
            except DroppedTask as reason:
                dropped[str(reason)] += 1
                if str(reason) == NOTHING_SUCH:
                    break
                continue
            except Exception as error:
                if all(ships(owners()[intent.name]) for intent in pool.intents):
                    raise
                # Where a world of one's own takes part, what breaks is dropped and counted.
                dropped[one_line(f"{type(error).__name__}: {error}")] += 1
                continue
            return task
        dropped[f"no task of kind {kind}"] += 1
        kinds.remove(kind)
    raise WorkError(f"the gym could not make a task of any kind: {dict(dropped)}")


def _never(_: str) -> bool:
    return False


def _build(
    chance: random.Random, kind: Kind, split: Split, pool: IntentPool, is_overused: Callable[[str], bool]
) -> GymTask:
    world = World(chance.randrange(2**31))
    d = Sampler(chance, split=split, world=world, is_overused=is_overused)
    box = FaultyToolbox(bound(world), {})
    builder = TrajectoryBuilder(d, box)
    _, build = KINDS[kind]
    try:
        request = build(d, pool, builder)
    except DroppedTask:
        world.check()  # says more than that a tool failed
        raise
    offered = _offer(d, request, pool.offered)
    if request.decline:
        builder.decline(request.decline, [tool.name for tool in offered])
    answered = builder.outcome is Outcome.ANSWERED
    changes = world.changes() if answered else {}
    if answered and not changes and (kind == "state_change" or not builder.facts):
        raise DroppedTask("nothing was changed" if kind == "state_change" else "any answer would pass")
    gold = Trajectory(
        query=_around(d, request.query),
        tools=offered,
        steps=tuple(builder.steps),
        answer=builder.answer_text,
        outcome=builder.outcome,
    )
    return GymTask(
        id=gold.id,
        query=gold.query,
        tools=gold.tools,
        seed=world.seed,
        kind=kind,
        split=split,
        why=request.why,
        facts=tuple(builder.facts),
        changes=changes,
        gold=gold,
        faults=dict(builder.faults),
        wordings=tuple(d.wordings),
        values=tuple(d.values),
        withheld=request.left_open and withheld(*request.left_open, seed=world.seed),
    )


def withheld(node: Node, slot: str, *, seed: int) -> Withheld:
    """What comes of a call whose request leaves a slot open, in a world of its own; draws nothing."""
    world = World(seed)
    call = call_of(node, node.values)
    seen = bound(world, [node.intent.name]).invoke(call)
    facts: list[object] = []
    if node.intent.gives is not None:
        node.out = node.intent.gives.of(decoded(seen.text), node.values)
        facts = facts_of(node)
    value = node.intent.slots[slot].plain(node.values[slot])
    return Withheld.model_validate(
        {
            "argument": slot,
            "value": str(value),
            "call": call,
            "observation": seen,
            "facts": facts,
            "changes": world.changes(),
        }
    )


def _around(d: Sampler, query: str) -> str:
    """The request with what people say around it."""
    query = capital(query)
    if d.chances(0.12):
        query = f"{d.wording(FRAMES.opener)} {query}"
    if d.chances(0.15):
        aside = d.wording(FRAMES.aside)
        query = f"{aside} {query}" if d.chances(0.5) else f"{query} {aside}"
    if d.chances(0.1):
        query = f"{query} {d.wording(FRAMES.closer)}"
    return query


def _offer(d: Sampler, request: Request, known: Sequence[str]) -> tuple[Tool, ...]:
    """The tools needed among distractors, most of them of the same categories, in any order."""
    size = d.chance.choices(list(_OFFERED), weights=list(_OFFERED.values()))[0]
    size = max(size, len(request.needs), 3)
    near = {owners()[name] for name in (*request.needs, *request.like)}
    others = [name for name in known if name not in request.needs and name not in request.avoid]
    d.chance.shuffle(others)
    alike = [name for name in others if owners()[name] in near][: (size - len(request.needs) + 1) // 2 + 1]
    rest = [name for name in others if name not in alike]
    names = [*request.needs, *(alike + rest)[: size - len(request.needs)]]
    d.chance.shuffle(names)
    return tuple(bound(d.world, names).tools)


def _known(split: Split) -> Sequence[str]:
    """Tools that may be offered: a test split's own and those of training; training's alone in training."""
    allowed = called_in("train") | called_in(split)
    return [name for name in owners() if name in allowed]


def _check(task: GymTask) -> None:
    """Execute a task again and judge it as if an agent had produced it; raises DroppedTask."""
    box = TaskToolbox(task)
    if is_forged(task.gold, box):
        raise DroppedTask("another result when executed again")
    verdict = verify(task, task.gold, world=box.world)
    if not verdict.passed:
        raise DroppedTask(f"not verified: {verdict.reason}")
    if task.stated and all(holds(task.query, fact) for fact in task.stated):
        raise DroppedTask("the question holds the answer")
    if _is_closed(task) and is_for_test(_combination(task.gold)) != (task.split != "train"):
        raise DroppedTask("a combination of the other side")
    if task.kind not in {"state_change", "branching"} and task.changes:
        raise DroppedTask("something was changed")


def _is_closed(task: GymTask) -> bool:
    """Whether a task could occur alike in training and test: its calls are made of values that both sides use."""
    if task.split not in {"train", "unseen_instructions"}:
        return False  # its tools are unseen
    own = set(task.values)
    calls = [step.call for step in task.gold.steps if step.call is not None]
    return bool(calls) and not any(str(value) in own for call in calls for value in _leaves(call.arguments))


def _combination(gold: Trajectory) -> str:
    """Tools and arguments of a solution in one form."""
    calls = {json.dumps([step.call.tool, step.call.arguments], sort_keys=True) for step in gold.steps if step.call}
    return "\n".join(sorted(calls))


def _leaves(value: object) -> Iterator[object]:
    """The single values in nested arguments."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
