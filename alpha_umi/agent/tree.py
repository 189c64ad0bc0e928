"""What a search has tried: a tree of steps, which grows and is stored by what was added to it.

Plain data that knows nothing of where a search goes next (`search`), of models, prompts or LangGraph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    WrapSerializer,
    model_serializer,
)

from alpha_umi.agent.stored import Data, read_step, stored_step
from alpha_umi.agent.strategies import ROOT
from alpha_umi.trajectory import Frozen, Step

_STORED = "stored"
"""The context in which a tree is dumped as a checkpointer stores it."""


class End(StrEnum):
    """Why a path goes no further."""

    ANSWER = "answer"
    GIVE_UP = "give_up"
    DEAD = "dead"
    """Too long, too many faults, repeating itself, or no longer fitting the model."""


def _step(step: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
    return stored_step(step) if info.context == _STORED and step is not None else handler(step)


class Node(Frozen):
    """A step in the tree, and what became of it."""

    parent: int | None = None
    step: Annotated[Step | None, BeforeValidator(read_step), WrapSerializer(_step)] = None
    """None at the root."""
    depth: int = 0
    """Steps from the root; with `compat` published nodes."""
    end: End | None = None
    why: str = ""
    """More about a dead end."""
    answer: str | None = None
    visit: int | None = None
    """When it was visited: the root's is 0; None: it was made but not visited."""


class Tree(Frozen):
    """The steps that were tried, each under the one that it followed."""

    nodes: tuple[Node, ...] = (Node(visit=0),)
    found: tuple[int, ...] = ()
    """Nodes that answered, in order."""

    def path(self, node: int) -> tuple[int, ...]:
        """Indices from below the root to a node."""
        found: list[int] = []
        at: int | None = node
        while at is not None and at != ROOT:
            found.append(at)
            at = self.nodes[at].parent
        return tuple(reversed(found))

    def steps(self, node: int) -> tuple[Step, ...]:
        """The steps from the root to a node."""
        nodes, found = self.nodes, list[Step]()
        at: int | None = node
        while at is not None and (step := nodes[at].step) is not None:
            found.append(step)
            at = nodes[at].parent
        return tuple(reversed(found))

    def step(self, node: int) -> Step:
        """The step that was tried at a node other than the root."""
        step = self.nodes[node].step
        assert step is not None, "only the root holds no step"
        return step

    def children(self, node: int) -> list[int]:
        """What was tried from a node, in order."""
        return [i for i, other in enumerate(self.nodes) if other.parent == node]

    def tried(self, node: int) -> list[Step]:
        """The last call of each earlier try from a node: of a try without a readable one, the first that follows it."""
        found = []
        for child in self.children(node):
            at: int | None = child
            while at is not None:
                step = self.nodes[at].step
                called = step is not None and step.call is not None and step.call.fault is None
                if step is not None and (called or self.nodes[at].end is not None):
                    found.append(step)
                    break
                at = next(iter(self.children(at)), None)
        return found

    def leaves(self) -> Iterator[int]:
        """Nodes from which nothing was tried, in order of their making."""
        parents = {node.parent for node in self.nodes}
        return (i for i in range(1, len(self.nodes)) if i not in parents)

    @property
    def best(self) -> int:
        """The node whose path is the result: the first answer, else the first give-up, else the longest path."""
        if self.found:
            return self.found[0]
        for i, node in enumerate(self.nodes):
            if node.end is End.GIVE_UP:
                return i
        return max(range(len(self.nodes)), key=lambda i: (self.nodes[i].depth, -i))

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
        """As JSON wherever it is dumped: a checkpointer that stores it whole dumps it to Python and takes no enum."""
        return handler(self) if info.mode == "json" else stored_tree(self)


T = TypeVar("T", bound=Tree)


def stored_tree(tree: Tree) -> Data:
    """A whole tree as it is stored."""
    return tree.model_dump(mode="json", context=_STORED)


def growth(before: Tree, after: Tree) -> Data:
    """What became of a tree: the fields that changed, and of those with many items only the items that did."""
    changed: Data = {}
    for name in type(after).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if new is old or new == old:
            continue
        if isinstance(new, tuple):
            items = {str(i): _stored(item) for i, item in enumerate(new) if i >= len(old) or item is not old[i]}
            changed[name] = {"length": len(new), "items": items}
        else:
            changed[name] = _stored(new)
    return changed


def grown(tree: T, change: Mapping[str, Any]) -> T:
    """A tree after what `growth` says."""
    updated: Data = {}
    for name, new in change.items():
        old, kind = getattr(tree, name), _kind(type(tree), name)
        if not isinstance(old, tuple):
            updated[name] = kind.validate_python(new)
            continue
        items: list[Any] = [*old[: new["length"]], *[None] * (new["length"] - len(old))]
        for at, item in new["items"].items():
            items[int(at)] = kind.validate_python(item)
        updated[name] = tuple(items)
    return tree.model_copy(update=updated)


def _stored(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True, context=_STORED)
    return value


@cache
def _kind(tree: type[Tree], name: str) -> TypeAdapter[Any]:
    """What a field holds, or each item of a field that holds many."""
    annotation: Any = tree.model_fields[name].annotation
    items = get_args(annotation)
    return TypeAdapter(items[0] if items and items[-1] is Ellipsis else annotation)
