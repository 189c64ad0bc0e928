"""ToolBench tool folders (`tools/<Category>/<tool>.json`) -> the APIs they describe, named and worded as in ToolBench.

Models are trained on these names and descriptions, so they follow the reference to the letter, with four repairs:
numbers keep their decimals, optional parameters are kept where nothing is required, names that coincide are told apart,
and names have only characters that every model server takes. Such a tool is valid by construction. Reads JSON only: an
`api.py` beside it is never opened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alpha_umi.errors import ToolError
from alpha_umi.trajectory import Tool

NAME_CHARS = 64
"""Names keep their last 64 characters, the limit of the API that ToolBench was collected with."""
DESCRIPTION_CHARS = 256

_RESERVED = frozenset({"from", "class", "return", "false", "true", "id", "and"})
_TYPES = {"NUMBER": "number", "STRING": "string", "BOOLEAN": "boolean"}


@dataclass(frozen=True, kw_only=True)
class Api:
    """One API of a tool."""

    offered: Tool
    """What a model sees."""
    category: str
    """The folder's name."""
    tool: str
    """The file's name, which is the tool's standard name."""
    name: str
    """The API's standard name."""
    title: str
    """The API's own name."""
    method: str = "GET"
    url: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameter as offered -> its own name."""


# Names


def standardize(name: str) -> str:
    """Lower case; runs of what is no letter, digit, `^` or CJK become `_`; none at the ends; no digit first."""
    kept = re.sub(r"_+", "_", re.sub(r"[^\u4e00-\u9fa5^a-zA-Z0-9_]", "_", name)).lower().strip("_")
    return f"get_{kept}" if kept[:1].isdigit() else kept


def standard_name(name: str) -> str:
    """The standard name of an API or a parameter, which is no reserved word."""
    kept = standardize(name)
    return f"is_{kept}" if kept in _RESERVED else kept


def standard_category(name: str) -> str:
    """The folder of a category."""
    return re.sub(r"[ ,/]", "_", name).replace("__", "_")


def function_name(api: str, tool: str) -> str:
    """What an API is called, out of two standard names."""
    name = f"{api}_for_{tool}"[-NAME_CHARS:]
    return re.sub(r"[^A-Za-z0-9_.-]", lambda found: f"u{ord(found[0]):x}", name)[-NAME_CHARS:]


def tell_apart(names: Sequence[str]) -> list[str]:
    """The names, those that were there before with `_2`, `_3`, ... at their end."""
    taken, seen, made = set(names), set[str](), list[str]()
    for name in names:
        chosen, number = name, 1
        while name in seen and chosen in taken:
            number += 1
            chosen = f"{name[-(NAME_CHARS - 1 - len(str(number))) :]}_{number}"
        seen.add(name)
        taken.add(chosen)
        made.append(chosen)
    return made


# Folders


def tools_folder(path: Path) -> Path:
    """Where the categories are: the folder itself, or `tools` or `toolenv/tools` in it."""
    for place in (path / "toolenv" / "tools", path / "tools"):
        if place.is_dir():
            return place
    return path


def read_folder(path: str | Path, skipped: dict[str, str]) -> Iterator[Api]:
    """The APIs of a tool file, of a category's folder, or of a folder of categories, in the order of their paths.

    Args:
        path: where they are.
        skipped: gets file -> reason for each file that cannot be read.

    Raises:
        ToolError: there is no such path.
    """
    place = Path(path)
    if not place.exists():
        raise ToolError(f"{place}: no such file or folder of ToolBench tools")
    root = tools_folder(place)
    files = [root] if root.is_file() else sorted({*root.glob("*.json"), *root.glob("*/*.json")})
    found = [api for file in files for api in _read_file(file, skipped)]
    names = tell_apart([api.offered.name for api in found])
    for api, name in zip(found, names, strict=True):
        yield api if api.offered.name == name else replace(api, offered=api.offered.model_copy(update={"name": name}))


def read_json(file: Path) -> Any:
    """A JSON file; anything wrong with it is a ValueError of one line."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from None
    except RecursionError:
        raise ValueError("nested too deep") from None
    except ValueError as error:
        raise ValueError(f"no JSON ({error})" if file.stat().st_size else "the file is empty") from None


def _read_file(file: Path, skipped: dict[str, str]) -> list[Api]:
    try:
        entries = read_json(file)["api_list"]
        return [read_api(file.parent.name, file.stem, entry) for entry in entries]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        why = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        skipped[str(file)] = why if isinstance(error, KeyError | ValueError) else f"not the shape of a tool ({why})"
        return []


# APIs


def read_api(category: str, tool: str, entry: Mapping[str, Any]) -> Api:
    """One entry of an `api_list`.

    Args:
        category: the folder's name.
        tool: the tool's standard name.
        entry: the API's `name`, `description`, `required_parameters`, `optional_parameters`, `method`, `url`.
    """
    title = str(entry["name"])
    api = standard_name(title)
    name = function_name(api, tool)
    required, optional = list(entry.get("required_parameters") or ()), list(entry.get("optional_parameters") or ())
    titles = [str(parameter["name"]) for parameter in (*required, *optional)]
    offered = tell_apart([standard_name(title) for title in titles])
    properties = {key: _schema(parameter) for key, parameter in zip(offered, (*required, *optional), strict=True)}
    return Api(
        offered=Tool(
            name=name,
            description=_describe(tool, title, name, str(entry.get("description") or "")),
            parameters={"type": "object", "properties": properties, "required": offered[: len(required)]},
        ),
        category=category,
        tool=tool,
        name=api,
        title=title,
        method=str(entry.get("method") or "GET").upper(),
        url=str(entry.get("url") or ""),
        parameters=dict(zip(offered, titles, strict=True)),
    )


def _describe(tool: str, title: str, name: str, description: str) -> str:
    """As in ToolBench, where the API's own name gives way to the function's, and the two sentences touch."""
    said = description.strip()
    lead = f'This is the subfunction for tool "{tool}", you can use this tool.'
    if not said:
        return lead
    said = said.replace(title, name) if title else said
    return f'{lead}The description of this function is: "{said[:DESCRIPTION_CHARS]}"'


def _schema(parameter: Mapping[str, Any]) -> dict[str, Any]:
    kind = _TYPES.get(str(parameter.get("type")), "string")
    schema = {"type": kind, "description": str(parameter.get("description") or "")[:DESCRIPTION_CHARS]}
    default = parameter.get("default")
    return schema if default is None or default == "" else {**schema, "examples": [default]}
