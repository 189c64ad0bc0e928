"""A layout: the wording of prompts, and how a trajectory becomes the messages that hold it.

A layout is a folder with a `layout.yaml` and Jinja templates, shipped (`prompts/shared`) or of one's own:

    layout.yaml      `LayoutFile`
    ROLE.jinja       conversation: own      the role's system message
    system.jinja     conversation: shared   the one system message of all roles that have a tag
    ROLE.jinja       conversation: shared   what is said before the tag of a further role, where there is such a file;
                                            of a role that writes whole turns, its system message

A template sees `documents` (one text per tool) and `names` (the tools' names) and nothing else. The digest of what a
team's roles read is written on every card of trained weights. Knows nothing of trajectories and roles.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import ValidationError

from alpha_umi import resources
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.recent import Recent
from alpha_umi.trajectory import Frozen, Tool

LAYOUT_FILE = "layout.yaml"
FIRST_ROLES = ("planner", "caller", "summarizer", "single")
"""The roles that every digest covers, so that a team of three keeps its digest whatever lies beside its templates."""

RENDER_VERSIONS = {"own": 1, "shared": 2}
"""Raised when our part of the rendering (`prompts`) changes, so that old cards are refused."""

_SYSTEM = "system"


class LayoutFile(Frozen):
    """What `layout.yaml` says."""

    name: str
    """What cards call it. A copy with other words keeps the name and gets another digest."""
    description: str = ""
    conversation: Literal["own", "shared"]
    """`shared`: one system message and one history for all roles, and only the tag at the end tells who is next.
    `own`: each role has a system message, and reads what the others said, labelled, in user messages."""
    tools: Literal["json", "signature"]
    """How a tool is written: α-UMi's JSON line, or `name(a: string, b?: integer): description`."""


_FIRST_LAYOUTS = (
    ("paper", {"conversation": "own", "tools": "json"}),
    ("shared", {"conversation": "shared", "tools": "signature"}),
)
"""What these names stood for before a file said it: it is not part of their digests."""


class Layout:
    """A layout's wording, out of its folder."""

    def __init__(self, folder: Path) -> None:
        """Read it.

        Raises:
            ConfigError: `layout.yaml` is missing or wrong.
        """
        self.folder = folder
        self.file = _read(folder)
        self._systems = Recent[str](64)
        self._before_tags: dict[str, str] = {}

    @property
    def name(self) -> str:
        """What cards call it."""
        return self.file.name

    @property
    def shared(self) -> bool:
        """Whether all roles read one conversation."""
        return self.file.conversation == "shared"

    def __repr__(self) -> str:
        return f"Layout({str(self.folder)!r})"

    def has(self, template: str) -> bool:
        """Whether there is such a template."""
        return (self.folder / f"{template}.jinja").is_file()

    def system(self, template: str, tools: Sequence[Tool], *, tagged: bool) -> str:
        """The system message of a role by its template; in a shared conversation all tagged roles have one."""
        name = _SYSTEM if self.shared and tagged else template
        if (known := self._systems.get(name, tools)) is not None:
            return known
        documents, names = document_tools(tools, self.file.tools), [tool.name for tool in tools]
        return self._systems.put(name, tools, self._fill(name, documents=documents, names=names))

    def before_tag(self, template: str) -> str:
        """What a user message says before the tag of a further role, in a shared conversation."""
        if template not in self._before_tags:
            own = template not in FIRST_ROLES and self.has(template)
            self._before_tags[template] = self._fill(template) if own else ""
        return self._before_tags[template]

    def digest(self, tags: Mapping[str, str], further: Sequence[str] = (), markers: Sequence[str] = ()) -> str:
        """Changes whenever anything changes that a team's models were trained to read.

        Args:
            tags: tag of each role that has one, by name; the first three have one whether the team has them or not.
            further: templates of the team's other roles.
            markers: what roles write that the first three do not.
        """
        return _digest(self, tuple(sorted(tags.items())), tuple(further), tuple(markers))

    def _fill(self, name: str, **values: Any) -> str:
        return filled(self.folder, name, **values)


def load_layout(name: str, *, beside: Path | None = None) -> Layout:
    """A layout by shipped name or folder.

    Args:
        name: a name that ships, or a path (with a slash, or a folder that exists).
        beside: the file that names it; a relative path is looked for there.

    Raises:
        UsageError: there is none.
        ConfigError: its `layout.yaml` is missing or wrong.
    """
    shipped = resources.root() / "prompts"
    if (shipped / name / LAYOUT_FILE).is_file() and "/" not in name and "\\" not in name:
        return _load(shipped / name)
    folder = resources.user_path(name)
    if beside is not None and not folder.is_absolute():
        folder = beside.parent / folder
    if not folder.is_dir():
        raise UsageError(f"there is no layout '{name}': {', '.join(layouts())} ship (or give a folder)")
    return _load(folder.resolve())


_load = lru_cache(Layout)


def layouts() -> list[str]:
    """Names of the layouts that ship."""
    return sorted(path.parent.name for path in (resources.root() / "prompts").glob(f"*/{LAYOUT_FILE}"))


def filled(folder: Path, name: str, **values: Any) -> str:
    """A template of a folder with its values filled in.

    Raises:
        ConfigError: there is no such template, or it asks for a value that it does not get.
    """
    try:
        return _environment(folder).get_template(f"{name}.jinja").render(**values).strip()
    except TemplateError as error:
        raise ConfigError(str(folder / f"{name}.jinja"), [str(error)]) from error


@lru_cache
def _environment(folder: Path) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _read(folder: Path) -> LayoutFile:
    path = folder / LAYOUT_FILE
    try:
        return LayoutFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ConfigError(str(folder), [f"a layout has a {LAYOUT_FILE} (`alpha-umi copy shared` gives one)"]) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(str(path), [" ".join(str(error).split())]) from error
    except ValidationError as error:
        mistakes = [f"{'.'.join(map(str, e['loc'])) or LAYOUT_FILE}: {e['msg'].lower()}" for e in error.errors()]
        raise ConfigError(str(path), mistakes) from error


@lru_cache
def _digest(
    layout: Layout, tags: tuple[tuple[str, str], ...], further: tuple[str, ...], markers: tuple[str, ...]
) -> str:
    texts = {f"{name}.jinja": layout.folder / f"{name}.jinja" for name in (*FIRST_ROLES, _SYSTEM, *further)}
    # Templates render alike whatever ends their lines.
    files = {name: path.read_bytes().replace(b"\r\n", b"\n") for name, path in texts.items() if path.is_file()}
    if layout.shared:
        files |= {f"cue_{name}.jinja": tag.encode() for name, tag in tags}
    ways = layout.file.model_dump(exclude={"name", "description"})
    told = b"" if (layout.name, ways) in _FIRST_LAYOUTS else json.dumps(ways, sort_keys=True).encode()
    told += "\0".join(markers).encode()
    content = b"\0".join(name.encode() + b"\0" + files[name] for name in sorted(files))
    head = f"{RENDER_VERSIONS[layout.file.conversation]}\0{layout.name}\0"
    return hashlib.sha256(head.encode() + content + told).hexdigest()[:16]


def document_tools(tools: Sequence[Tool], how: Literal["json", "signature"]) -> list[str]:
    """One text per tool."""
    return [_json_line(tool) if how == "json" else _signature(tool) for tool in tools]


def _json_line(tool: Tool) -> str:
    """`{"Name", "function", "input": {argument: "type, description"}}`; required or not is lost, as published."""
    arguments = {
        name: f"{_type_name(schema)}, {schema['description']}" if "description" in schema else _type_name(schema)
        for name, schema in tool.parameters.get("properties", {}).items()
    }
    return json.dumps({"Name": tool.name, "function": tool.description, "input": arguments}, ensure_ascii=False)


def _signature(tool: Tool) -> str:
    """`name(a: string, b?: integer = 3): description` and a line for each described argument."""
    required = set(tool.parameters.get("required", ()))
    parts, notes = [], []
    for name, schema in tool.parameters.get("properties", {}).items():
        default = f" = {json.dumps(schema['default'], ensure_ascii=False)}" if "default" in schema else ""
        parts.append(f"{name}{'' if name in required else '?'}: {_type_name(schema)}{default}")
        if schema.get("description"):
            notes.append(f"  {name}: {schema['description']}")
    return "\n".join([f"{tool.name}({', '.join(parts)}): {tool.description}", *notes])


def _type_name(schema: Any) -> str:
    """The type of an argument in words: its enum, its JSON type, or `any`."""
    if not isinstance(schema, dict):
        return "any"
    if "enum" in schema:
        return "|".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    kind = schema.get("type", schema.get("x-type", "any"))  # x-type: a word of the source that JSON Schema lacks
    if kind == "array" and "items" in schema:
        return f"array of {_type_name(schema['items'])}"
    return "|".join(kind) if isinstance(kind, list) else str(kind)
