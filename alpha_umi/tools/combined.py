"""Several toolboxes offered as one, and parts of one.

Iterating a CombinedToolbox gives each of its tools as a toolbox of its own, so `[my_tool, *load_tools(SPEC)]`
keeps every tool's timeouts and state. Knows nothing of what the toolboxes do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack

from alpha_umi.errors import ToolError
from alpha_umi.tools.protocol import Toolbox, Traits, traits_of
from alpha_umi.tools.validation import closest, refused
from alpha_umi.trajectory import Call, Observation, Tool


class CombinedToolbox:
    """The tools of several toolboxes, each call carried out by the one that offers it."""

    def __init__(self, boxes: Sequence[Toolbox], *, only: Collection[str] | None = None) -> None:
        pairs = [(tool, box) for box in boxes for tool in box.tools]
        refuse_duplicates([tool.name for tool, _ in pairs])
        names = [tool.name for tool, _ in pairs]
        for name in only or ():
            if name not in names:
                raise ToolError(f"there is no tool {name!r} to choose; offered: {', '.join(closest(name, names))}")
        self._owners = {tool.name: (tool, box) for tool, box in pairs if only is None or tool.name in only}

    @property
    def tools(self) -> Sequence[Tool]:
        """What is offered, in the order of the toolboxes."""
        return tuple(tool for tool, _ in self._owners.values())

    def __iter__(self) -> Iterator[Toolbox]:
        """Each tool as a toolbox of its own."""
        for name, (_, box) in self._owners.items():
            yield CombinedToolbox([box], only={name})

    def invoke(self, call: Call) -> Observation:
        """Carry out one call."""
        if no := refused(call, self._owners):
            return no
        _, box = self._owners[call.tool]
        return box.invoke(call)

    def traits(self, name: str) -> Traits:
        """What the toolbox that offers it says of a tool."""
        return traits_of(self._owners[name][1], name) if name in self._owners else Traits()

    def close(self) -> None:
        """Close the toolboxes that hold something open."""
        with ExitStack() as stack:
            for box in {id(box): box for _, box in self._owners.values()}.values():
                if callable(close := getattr(box, "close", None)):
                    stack.callback(close)


def refuse_duplicates(names: Sequence[str]) -> None:
    """Raise a ToolError that lists the names offered twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ToolError(f"two tools have the same name: {', '.join(twice)}; rename one of each")
