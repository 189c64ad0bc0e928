"""A tool and the Python function that carries it out, and how what it gives becomes text."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, TypeVar

from jsonschema import Draft202012Validator
from pydantic import BaseModel

from alpha_umi.tools.protocol import Traits
from alpha_umi.tools.signatures import Build, tool_of
from alpha_umi.tools.validation import check_tool
from alpha_umi.trajectory import Tool


@dataclass(frozen=True)
class FunctionTool:
    """A tool and the function that carries it out; the schema is checked when this is made."""

    tool: Tool
    function: Callable[..., Any]
    """Called with keyword arguments; may be async; may return an Observation to say `ok` itself."""
    build: Build = dict
    """JSON arguments -> keyword arguments, after they passed the schema."""
    traits: Traits = field(default_factory=Traits)
    validator: Draft202012Validator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "validator", check_tool(self.tool))

    @classmethod
    def from_callable(
        cls, function: Callable[..., Any], *, name: str | None = None, hidden: Sequence[str] = ()
    ) -> FunctionTool:
        """Derive the tool from type hints and docstring; `hidden` parameters are given by `bind` instead."""
        tool, build = tool_of(function, name=name, hidden=hidden)
        return cls(tool, function, build, getattr(function, _TRAITS, Traits()))

    @classmethod
    def from_schema(cls, tool: Tool, function: Callable[..., Any]) -> FunctionTool:
        """Offer exactly this tool; the function gets the JSON arguments as keyword arguments."""
        return cls(tool, function)

    def bind(self, **values: Any) -> FunctionTool:
        """The same tool with some of the function's parameters given."""
        bound = copy.copy(self)  # the schema is known to be good: do not check it again
        object.__setattr__(bound, "function", functools.partial(self.function, **values))
        return bound


_TRAITS = "__alpha_umi_traits__"
_Function = TypeVar("_Function", bound=Callable[..., Any])


def tool_traits(
    *, repeatable: bool = False, takes_key: bool = False, sensitive: bool = False
) -> Callable[[_Function], _Function]:
    """Mark a function that is going to be offered as a tool; see `Traits` for what each mark says."""

    def mark(function: _Function) -> _Function:
        setattr(function, _TRAITS, Traits(repeatable=repeatable, takes_key=takes_key, sensitive=sensitive))
        return function

    return mark


def as_text(value: object) -> str:
    """A result as a model reads it: a string as it is, everything else as compact JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=_jsonable, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):  # keys that are no strings, or a value that holds itself
        return str(value)


def _jsonable(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)
