"""Whether a team's roles lead to one another: its edges as data, checked before anything runs.

Who speaks next in a run is decided by `agent.run_state.RunState.next`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from alpha_umi.trajectory import Decision

if TYPE_CHECKING:
    from alpha_umi.roles import Role

FINISH, GIVE_UP, USER = "finish", "give_up", "user"
ENDS = (FINISH, GIVE_UP, USER)
"""Where an edge may lead instead of to a role: the answer stands, the path ends without one, the user is asked."""

_TAG = re.compile(r"[\[({<][^|/\s][^|/\n]*[\])}>]")
"""In brackets, and no control token such as `<|im_start|>` or `</s>`."""


class Edge(NamedTuple):
    """Who speaks after whom."""

    role: str
    choice: str | None
    """The choice that leads there; None where there is no choice."""
    to: str
    bounded: bool
    """Whether a run follows it only so often: a step's calls are counted, and so is a choice with `at_most`."""


def edges(roles: Mapping[str, Role]) -> list[Edge]:
    """Every edge between a team's roles, and those that end a step or a run."""
    readers = {role.after: role.name for role in roles.values() if role.after is not None}
    found: list[Edge] = []
    for name, role in roles.items():
        found += [Edge(name, key, choice.next, choice.at_most is not None) for key, choice in role.choices.items()]
        if role.writes in {"call", "text"}:
            found.append(Edge(name, None, readers.get(name, role.next), role.writes == "call"))
    return found


def first_of(roles: Mapping[str, Role]) -> Role:
    """The role that begins each step: the one called planner, else the first."""
    return roles.get("planner") or next(iter(roles.values()))


def mistakes(roles: Mapping[str, Role]) -> Iterator[str]:
    """What is wrong with a team's roles as a whole, each in a few words."""
    if any(role.writes == "turn" for role in roles.values()):
        if len(roles) > 1:
            yield "roles: one that writes whole turns speaks alone"
        return
    first = first_of(roles)
    if taken := sorted({"observation", "system", "single", *ENDS} & set(roles)):
        yield f"roles: '{taken[0]}' is no name for a role: it means something else"
    yield from _mistakes_of_edges(roles)
    yield from _mistakes_of_tags(roles)
    decisions = [decision.value for decision in Decision]
    if first.writes != "choice" or not set(first.choices) <= set(decisions):
        yield f"roles: '{first.name}' begins each step: it writes a choice of {', '.join(decisions)}"


def _mistakes_of_edges(roles: Mapping[str, Role]) -> Iterator[str]:
    found = edges(roles)
    for edge in found:
        if edge.to not in roles and edge.to not in ENDS:
            by = f"the choice '{edge.choice}' of '{edge.role}'" if edge.choice else f"'{edge.role}'"
            known = f"neither a role ({', '.join(roles)}) nor {', '.join(ENDS)}"
            yield f"roles: {by} leads to '{edge.to}', which is {known}"
    for role in roles.values():
        if role.after is not None and (role.after not in roles or roles[role.after].writes != "text"):
            yield f"roles: '{role.name}' comes after '{role.after}', which is no role that writes a text"
        elif role.after is not None and role.writes != "choice":
            yield f"roles: '{role.name}' reads what '{role.after}' wrote: it writes a choice"
    yield from _mistakes_of_ways(roles)
    if twice := {role.after for role in roles.values() if role.after and _count(roles, role.after) > 1}:
        yield f"roles: two of them come after '{min(twice)}'"
    reached = _reached(first_of(roles).name, found)
    for name in roles:
        if name not in reached:
            yield f"roles: nobody leads to '{name}'"
    if (circle := _circle(found)) is not None:
        yield f"roles: {' -> '.join(circle)} may go round for ever: give one of its choices an at_most"


def _mistakes_of_ways(roles: Mapping[str, Role]) -> Iterator[str]:
    """Edges that the agent's graph cannot follow: a step is planned, called or answered, and perhaps read."""
    first = first_of(roles)
    wanted = {"call": "a role that writes a call", "summarize": "a role that writes a text", "ask_user": USER}
    for name, choice in first.choices.items():
        to = f"a role that writes a {roles[choice.next].writes}" if choice.next in roles else choice.next
        if to != wanted.get(name, name):
            yield f"roles: '{name}' of '{first.name}' leads to {wanted.get(name, name)}, not to '{choice.next}'"
        if choice.at_most is not None:
            yield f"roles: at_most belongs to a role that reads answers, not to '{name}' of '{first.name}'"
    for role in roles.values():
        if role.writes == "call" and role.next != first.name:
            yield f"roles: after a call '{first.name}' is next: let '{role.name}' say next: {first.name}"
        if role.writes == "text" and role.next != FINISH:
            yield f"roles: what '{role.name}' writes is the answer: it says next: finish"
        for name, choice in role.choices.items() if role is not first else ():
            if choice.next not in {first.name, FINISH, GIVE_UP}:
                yield f"roles: '{name}' of '{role.name}' leads to {first.name}, finish or give_up, not '{choice.next}'"


def _count(roles: Mapping[str, Role], name: str) -> int:
    return sum(role.after == name for role in roles.values())


def _reached(first: str, found: list[Edge]) -> set[str]:
    reached, waiting = {first}, [first]
    while waiting:
        name = waiting.pop()
        new = {edge.to for edge in found if edge.role == name} - reached
        reached |= new
        waiting += new
    return reached


def _circle(found: list[Edge]) -> list[str] | None:
    """A way round along edges that nothing bounds."""
    ways: dict[str, list[str]] = {}
    for edge in found:
        if not edge.bounded and edge.to not in ENDS:
            ways.setdefault(edge.role, []).append(edge.to)

    def round_from(path: list[str]) -> list[str] | None:
        for name in ways.get(path[-1], ()):
            if name in path:
                return [*path[path.index(name) :], name]
            if (circle := round_from([*path, name])) is not None:
                return circle
        return None

    return next((circle for name in ways if (circle := round_from([name])) is not None), None)


def _mistakes_of_tags(roles: Mapping[str, Role]) -> Iterator[str]:
    tags = {role.name: role.tag for role in roles.values()}
    for a, one in tags.items():
        for b, other in tags.items():
            if a < b and one == other:
                yield f"roles: '{a}' and '{b}' have one tag, {one}"
            elif a != b and one != other and other.endswith(one):
                yield f"roles: the tag of '{a}' ({one}) ends that of '{b}' ({other})"
    for name, tag in tags.items():
        if not _TAG.fullmatch(tag):
            yield f"roles: the tag of '{name}' ({tag!r}) is what a tool or the chat template may write: use [{name}]"
