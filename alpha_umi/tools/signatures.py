"""A Python function -> the Tool it is offered as, and the way from JSON arguments to its parameters.

Type hints (pydantic's vocabulary: Literal, enums, Optional, Annotated with Field, nested models) become the
JSON Schema; the docstring's first paragraph and `Args:` lines become the descriptions. Titles are left out:
a prompt pays for every word. Knows nothing of threads, timeouts or observations.
"""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from alpha_umi.errors import ToolError
from alpha_umi.schemas import each
from alpha_umi.trajectory import Tool

Build = Callable[[Mapping[str, Any]], dict[str, Any]]
"""JSON arguments -> keyword arguments of Python types; raises pydantic's ValidationError."""

_SECTION = re.compile(r"^(Args|Arguments|Parameters):\s*$")
_GOOGLE = re.compile(r"^\s+\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")
_SPHINX = re.compile(r"^\s*:param\s+(?:[^:]*\s)?(\w+):\s*(.*)$")


class _Quiet(GenerateJsonSchema):
    """A default that JSON cannot hold is left out of the schema without a warning."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 (pydantic's declaration)


def tool_of(
    function: Callable[..., Any], *, name: str | None = None, hidden: Collection[str] = ()
) -> tuple[Tool, Build]:
    """Describe a function as a Tool; parameters named in `hidden` are not shown to the model.

    Raises:
        ToolError: a parameter has no name, or a type hint is unknown or has no JSON Schema.
    """
    target = _target(function)
    is_object = target is type(function).__call__
    name = name or str(type(function).__name__ if is_object else getattr(target, "__name__", type(function).__name__))
    summary, notes = read_docstring(_docstring(function, target))
    parameters = [p for p in _signature(function, name).parameters.values() if p.name not in hidden]
    model, fields = _arguments_model(name, parameters, _hints(target, name), notes)
    try:
        schema = _without_titles(model.model_json_schema(schema_generator=_Quiet))
    except PydanticUserError as error:
        raise _no_schema(name, error) from None
    schema.pop("description", None)
    schema.setdefault("properties", {})
    tool = Tool(name=name, description=summary, parameters=schema)
    # A default written as pydantic's Field(...) means nothing to the function: give it the value.
    own_defaults = {p.name for p in parameters if isinstance(p.default, FieldInfo)}
    return tool, functools.partial(_build, model, fields, own_defaults)


def _build(
    model: type[BaseModel], fields: Mapping[str, str], own_defaults: Collection[str], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Validate and name the arguments; parameters not given keep the function's default, unless pydantic owns it."""
    value = model.model_validate(dict(arguments))
    given = {
        parameter: getattr(value, field)
        for field, parameter in fields.items()
        if field in value.model_fields_set or parameter in own_defaults
    }
    return {**(value.model_extra or {}), **given}


def _arguments_model(
    name: str, parameters: list[inspect.Parameter], hints: Mapping[str, Any], notes: Mapping[str, str]
) -> tuple[type[BaseModel], dict[str, str]]:
    """A pydantic model of the parameters, and its field names -> parameter names.

    Fields are numbered and aliased, so a parameter may be called `schema`, `copy` or `_x`.
    """
    fields: dict[str, Any] = {}
    names: dict[str, str] = {}
    extra: typing.Literal["allow", "forbid"] = "forbid"
    for number, parameter in enumerate(parameters):
        if parameter.kind is parameter.VAR_KEYWORD:
            extra = "allow"
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise ToolError(f"cannot offer {name!r}: its parameter {str(parameter)!r} cannot be passed by name")
        hint = hints.get(parameter.name, Any)
        default = ... if parameter.default is parameter.empty else parameter.default
        info = Field(alias=parameter.name)
        if parameter.name in notes and not _is_described(hint, default):
            info = Field(alias=parameter.name, description=notes[parameter.name])
        fields[f"field_{number}"] = (Annotated[hint, info], default)
        names[f"field_{number}"] = parameter.name
    try:
        config = ConfigDict(extra=extra, protected_namespaces=())
        return create_model("Arguments", __config__=config, **fields), names
    except PydanticUserError as error:
        raise _no_schema(name, error) from None


def _is_described(hint: Any, default: object) -> bool:
    infos = [*getattr(hint, "__metadata__", ()), default]
    return any(isinstance(info, FieldInfo) and info.description for info in infos)


def _no_schema(name: str, error: Exception) -> ToolError:
    return ToolError(f"cannot offer {name!r}: {' '.join(str(error).splitlines()[0].split())}")


def _target(function: Callable[..., Any]) -> Any:
    """The function whose hints and docstring speak for a callable: behind partials, wrappers and objects."""
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function) and not inspect.isclass(function) and callable(function):
        return type(function).__call__
    return inspect.unwrap(function)


def _docstring(function: Callable[..., Any], target: Any) -> str:
    """Its own docstring, or for an object that of its class; never one inherited from `object`."""
    text = target.__doc__ or (type(function).__doc__ if target is type(function).__call__ else None)
    return inspect.cleandoc(text) if isinstance(text, str) else ""


def _signature(function: Callable[..., Any], name: str) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        raise ToolError(f"cannot offer {name!r}: its parameters cannot be inspected") from None


def _hints(target: Any, name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(target.__init__ if inspect.isclass(target) else target, include_extras=True)
    except NameError as error:
        raise ToolError(f"cannot offer {name!r}: a type hint is not defined in its module: {error}") from None
    except (TypeError, AttributeError, SyntaxError) as error:
        raise ToolError(f"cannot offer {name!r}: its type hints cannot be read: {error}") from None


def _without_titles(schema: Any) -> Any:
    """A copy without the titles pydantic writes; a property that is called `title` stays."""
    if not isinstance(schema, Mapping):
        return schema
    return each({key: value for key, value in schema.items() if key != "title"}, _without_titles)


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """The first paragraph as one line, and the parameters' descriptions (Google or Sphinx style)."""
    lines = text.splitlines()
    first: list[str] = []
    for line in lines:
        if not line.strip() or _SECTION.match(line) or _SPHINX.match(line):
            break
        first.append(line.strip())
    notes: dict[str, str] = {}
    inside, current, depth = False, "", 0
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if _SECTION.match(line):
            inside, current, depth = True, "", 0
        elif found := _SPHINX.match(line):
            notes[found[1]], current, inside = found[2].strip(), "", False
        elif inside and line.strip() and indent == 0:
            inside = False
        elif inside and (found := _GOOGLE.match(line)) and (not depth or indent <= depth):
            current, depth = found[1], indent
            notes[current] = found[2].strip()
        elif inside and current and line.strip():
            notes[current] = f"{notes[current]} {line.strip()}".strip()
    return " ".join(first), {name: note for name, note in notes.items() if note}
