"""Tasks out of a file: whether each can be judged as a task of the gym, and which categories it asks for.

A file may have been edited, or written by another version: what the verifier would skip or stumble over is refused
here. Knows nothing of files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

from alpha_umi.gym.faults import DENIED, PASSING
from alpha_umi.gym.kinds import KINDS
from alpha_umi.gym.registry import categories, owners
from alpha_umi.trajectory import Outcome, Trajectory

_META: Mapping[str, type] = {
    "seed": int, "facts": list, "changes": dict, "faults": dict, "kind": str, "why": str, "split": str, "calls": int,
}  # fmt: skip
_FAULTS = (*PASSING, DENIED)


def mistake_in(task: Trajectory) -> str:
    """The first thing that keeps a trajectory from being judged as a task of the gym, or nothing."""
    return next(_mistakes(task), "")


def _mistakes(task: Trajectory) -> Iterator[str]:
    """What is wrong with a task; each check may rely on those before it."""
    meta = task.meta
    wordings = meta.get("wordings", [])
    if not isinstance(wordings, list | tuple) or not all(isinstance(wording, str) for wording in wordings):
        yield f"its wordings are no list of texts: {_shown(wordings)}"
    for key, kind in _META.items():
        if key not in meta:
            yield f"its meta holds no '{key}', so nothing says how to check it"
        elif not isinstance(meta[key], kind) or isinstance(meta[key], bool):
            yield f"its '{key}' should be {kind.__name__}, not {str(meta[key])[:40]!r}"
    if meta["kind"] not in KINDS:
        yield f"its 'kind' is {_shown(meta['kind'])}; the gym has {', '.join(KINDS)}"
    for tool, fault in meta["faults"].items():
        if tool not in task.tool_names:
            yield f"its 'faults' name {_shown(tool)}, a tool that it does not offer"
        if fault not in _FAULTS:
            yield f"its 'faults' let {tool} fail by {_shown(fault)}; possible are {', '.join(_FAULTS)}"
    for fact in meta["facts"]:
        if not _is_fact(fact):
            forms = "text, {'exact': text} and {'choice': text, 'among': texts with the choice}"
            yield f"its 'facts' hold {_shown(fact)}; possible are {forms}"
    for part in meta["changes"]:
        if not isinstance(part, str):
            yield f"its 'changes' should be by the names of parts, not by {_shown(part)}"
    yield from _mistakes_of_the_end(task, bool(meta["facts"] or meta["changes"]))


def _mistakes_of_the_end(task: Trajectory, is_checked: bool) -> Iterator[str]:
    if task.outcome is Outcome.UNFINISHED:
        yield "its solution is unfinished"
    if task.outcome is Outcome.ANSWERED and not is_checked:
        yield "it has an answer, but its 'facts' and 'changes' are empty, so any answer would pass"
    if task.outcome is Outcome.GAVE_UP and is_checked:
        yield "it has no solution, so its 'facts' and 'changes' should be empty"


def _is_fact(fact: object) -> bool:
    if isinstance(fact, str):
        return bool(fact.strip())
    if not isinstance(fact, Mapping):
        return False
    if fact.keys() == {"exact"}:
        return isinstance(fact["exact"], str) and bool(fact["exact"].strip())
    if fact.keys() != {"choice", "among"} or not isinstance(fact["among"], list | tuple):
        return False
    return all(isinstance(name, str) and name.strip() for name in fact["among"]) and fact["choice"] in fact["among"]


def _shown(value: object) -> str:
    return repr(value)[:60]


def asks_only(only: Collection[str]) -> Callable[[Trajectory], bool]:
    """A test whether a task asks for tools of these categories alone, as those that `generate` makes of them do.

    What it asks for but does not call (a missing tool, the other branch) is known by its wordings.
    """
    wanted, of = set(only), defaultdict[str, set[str]](set)
    for category in categories().values():
        for intent in category.intents:
            for template in (*intent.goals, *intent.asks, *(intent.gives.nouns if intent.gives else ())):
                of[template].add(category.name)

    def is_asked(task: Trajectory) -> bool:
        called = [{owners().get(step.call.tool, "")} for step in task.steps if step.call is not None]
        asked = called + [of[wording] for wording in task.meta.get("wordings", ()) if wording in of]
        return bool(asked) and all(names & wanted for names in asked)

    return is_asked
