"""What a search has tried: a tree of steps, which grows and is stored by what was added to it.

Plain data that knows nothing of where a search goes next (`frontier`), of models, prompts or LangGraph.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ModelWrapValidatorHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    WrapSerializer,
    model_serializer,
    model_validator,
)

from alpha_umi.agent.stored import Data, read_step, stored_step
from alpha_umi.errors import UsageError
from alpha_umi.trajectory import Frozen, Step

ROOT = 0
"""Index of the node where every path begins; it holds no step."""
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


Over = Literal["answers", "calls", "exhausted"]
"""Why a search has ended."""


class Tree(Frozen):
    """The steps that were tried, each under the one that it followed. A search of one's own says where it goes: `at`
    and `over`, and `max_total_steps`; the rest is here."""

    nodes: tuple[Node, ...] = (Node(visit=0),)
    found: tuple[int, ...] = ()
    """Nodes that answered, in order."""
    limit: int = 0
    """Depth at which a path ends."""

    @property
    @abstractmethod
    def at(self) -> int | None:
        """The node from which the next step is to be tried; None when the search is over or wants a ranking first."""

    @property
    @abstractmethod
    def over(self) -> Over | None:
        """Why the search has ended, or None."""

    @abstractmethod
    def max_total_steps(self, max_steps: int) -> int:
        """Steps that it can try at most, where a path has at most `max_steps`."""

    @property
    def one_path(self) -> bool:
        """Whether there is never another path to try."""
        return False

    @property
    def diversity(self) -> bool:
        """Whether a later try of a node is told what the earlier ones did."""
        return True

    @property
    def compat(self) -> Literal["toolbench", "alpha-umi"] | None:
        """The released search that it goes as, if it does."""
        return None

    @property
    def to_rank(self) -> tuple[int, ...]:
        """Tries that are to be ranked before the search goes on; empty when none are."""
        return ()

    def ranked(self, order: Sequence[int]) -> Self:
        """The search after the tries in `to_rank` were ranked, best first."""
        raise UsageError(f"{type(self).__name__} has nothing to rank")

    def add(
        self, step: Step, *, end: End | None = None, why: str = "", answer: str | None = None, weight: int = 1
    ) -> Self:
        """The search after a step was tried from the node `at`.

        Args:
            step: what was tried.
            end: why its path goes no further, if it does not.
            why: more about a dead end.
            answer: what it answered.
            weight: how much deeper it lies than its node.
        """
        at, new = self._tried_from(), len(self.nodes)
        depth = self.nodes[at].depth + weight
        if end is None and depth >= self.limit:
            end, why = End.DEAD, "steps"
        node = Node(parent=at, step=step, depth=depth, end=end, why=why, answer=answer, visit=new)
        found = (*self.found, new) if end is End.ANSWER else self.found
        return self.model_copy(update={"nodes": (*self.nodes, node), "found": found})

    def close(self, why: str) -> Self:
        """The search after nothing could be tried from the node `at`: its path ends there."""
        nodes, at = list(self.nodes), self._tried_from()
        nodes[at] = nodes[at].model_copy(update={"end": End.DEAD, "why": why})
        return self.model_copy(update={"nodes": tuple(nodes)})

    def _tried_from(self) -> int:
        """The node `at`, which there has to be."""
        if (at := self.at) is None:
            raise UsageError("the search is over: nothing more can be tried")
        return at

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
        if info.mode != "json":
            return stored_tree(self)
        return {**handler(self), **({} if _kind(type(self)) == _SHIPPED else {"kind": _kind(type(self))})}

    @model_validator(mode="wrap")
    @classmethod
    def _of_kind(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """A tree of the kind that the data name: of those that are loaded, for nothing stored is imported."""
        if not isinstance(data, Mapping):
            return handler(data)
        kind = data.get("kind", _SHIPPED)
        data = {key: value for key, value in data.items() if key != "kind"}
        if cls is not Tree:
            return handler(data)
        known = {_kind(one): one for one in kinds()}
        if kind not in known:
            raise UsageError(f"this run was begun with the search {kind!r}, which is not loaded: name it again")
        return known[kind].model_validate(data)  # type: ignore[return-value]


_SHIPPED = "alpha_umi.agent.search.frontier:Frontier"

T = TypeVar("T", bound=Tree)


def _kind(tree: type[Tree]) -> str:
    return f"{tree.__module__}:{tree.__qualname__}"


def kinds() -> list[type[Tree]]:
    """The kinds of trees that are loaded."""
    found = Tree.__subclasses__()
    for one in found:
        found.extend(one.__subclasses__())
    return found


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
        old, kind = getattr(tree, name), _items(type(tree), name)
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
def _items(tree: type[Tree], name: str) -> TypeAdapter[Any]:
    """What a field holds, or each item of a field that holds many."""
    annotation: Any = tree.model_fields[name].annotation
    items = get_args(annotation)
    return TypeAdapter(items[0] if items and items[-1] is Ellipsis else annotation)
