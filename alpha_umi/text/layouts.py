"""A layout: the wording of prompts, and how a trajectory becomes the messages that hold it.

A layout is a folder with a `layout.yaml` and Jinja templates, shipped (`prompts/shared`) or of one's own:

    layout.yaml      `LayoutFile`
    ROLE.jinja       conversation: own      the role's system message
    system.jinja     conversation: shared   the one system message of all roles that have a tag
    ROLE.jinja       conversation: shared   what is said before the tag of a further role, where there is such a file;
                                            of a role that writes whole turns, its system message
    ROLE.jinja       raw: true              the role's whole prompt, one text without a chat template

A template sees `documents` (one text per tool) and `names` (the tools' names); one of a raw layout also `history` (what
was said, each with `speaker` and `text`), `thought` (the planner's last words) and `end`. The digest of what a team's
roles read is written on every card of trained weights. Knows nothing of trajectories and roles.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment
from pydantic import model_validator

from alpha_umi import resources
from alpha_umi.config import parse_config, read_yaml
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.recent import Recent
from alpha_umi.text.tool_documents import ToolForm, document_tools
from alpha_umi.trajectory import Frozen, Tool

LAYOUT_FILE = "layout.yaml"
FIRST_ROLES = ("planner", "caller", "summarizer", "single")
"""The roles that every digest covers, so that a team of three keeps its digest whatever lies beside its templates."""

RENDER_VERSIONS = {"own": 1, "shared": 2, "raw": 1}
"""Raised when our part of the rendering (`prompts`) changes, so that old cards are refused."""

_SYSTEM = "system"


class Saying(NamedTuple):
    """Something that was said, as a raw layout's template reads it."""

    speaker: str
    """A role's name, `user` or `observation`."""
    text: str


class LayoutFile(Frozen):
    """What `layout.yaml` says."""

    name: str
    """What cards call it. A copy with other words keeps the name and gets another digest."""
    description: str = ""
    conversation: Literal["own", "shared"]
    """`shared`: one system message and one history for all roles, and only the tag at the end tells who is next.
    `own`: each role has a system message, and reads what the others said, labelled, in user messages."""
    tools: ToolForm
    """How a tool is written: α-UMi's JSON line (`json-ascii`: with `\\u` escapes, as published), or
    `name(a: string, b?: integer): description`."""
    raw: bool = False
    """Whether a prompt is one text that is encoded without a chat template. Prompts do not extend one another then: one
    training row a decision, and no cache that roles share."""
    end: str = ""
    """Of a raw layout: the text of a control token that its templates write, such as `</s>`. Broken up in whatever
    tools, users and roles say."""

    @model_validator(mode="after")
    def _raw_is_apart(self) -> Self:
        if self.raw and self.conversation == "shared":
            raise ValueError("raw: its prompts share no conversation (say conversation: own)")
        if self.end and not self.raw:
            raise ValueError("end: only a raw layout writes control tokens itself")
        return self

    @property
    def settings(self) -> dict[str, Any]:
        """What it says beside its words; settings that it leaves alone are not named."""
        return self.model_dump(exclude={"name", "description"}, exclude_defaults=True)


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

    @property
    def raw(self) -> bool:
        """Whether a prompt is one text without a chat template."""
        return self.file.raw

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
        return self._systems.put(name, tools, self._fill(name, **self._tool_values(tools)).strip())

    def prompt(self, template: str, tools: Sequence[Tool], history: Sequence[Saying], *, thought: str) -> str:
        """The whole prompt of a role, in a raw layout.

        Args:
            template: the role's.
            tools: what is offered.
            history: what was said so far, in order.
            thought: what the planner said last.
        """
        said = [saying._replace(text=self._without_end(saying.text)) for saying in history]
        told = {name: list(map(self._without_end, texts)) for name, texts in self._tool_values(tools).items()}
        return self._fill(template, **told, history=said, thought=self._without_end(thought), end=self.file.end)

    def _tool_values(self, tools: Sequence[Tool]) -> dict[str, list[str]]:
        return {"documents": document_tools(tools, self.file.tools), "names": [tool.name for tool in tools]}

    def _without_end(self, text: str) -> str:
        """A text that cannot end a turn: the control token in it is broken up."""
        end = self.file.end
        return text.replace(end, f"{end[0]} {end[1:]}") if end else text

    def before_tag(self, template: str) -> str:
        """What a user message says before the tag of a further role, in a shared conversation."""
        if template not in self._before_tags:
            own = template not in FIRST_ROLES and self.has(template)
            self._before_tags[template] = self._fill(template).strip() if own else ""
        return self._before_tags[template]

    def digest(self, tags: Mapping[str, str], further: Sequence[str] = (), words: Sequence[str] = ()) -> str:
        """Changes whenever anything changes that a team's models were trained to read.

        Args:
            tags: tag of each role that has one, by name; the first three have one whether the team has them or not.
            further: templates of the team's other roles.
            words: what else the roles read that is in no template: markers and names that are not of the first three.
        """
        return _digest(self, tuple(sorted(tags.items())), tuple(further), tuple(words))

    def _fill(self, name: str, **values: Any) -> str:
        return _render(self.folder, name, **values)


def load_layout(name: str) -> Layout:
    """A layout by shipped name or folder (a path with a slash, or a folder that exists).

    Raises:
        UsageError: there is none.
        ConfigError: its `layout.yaml` is missing or wrong.
    """
    shipped = resources.root() / "prompts"
    if (shipped / name / LAYOUT_FILE).is_file() and "/" not in name and "\\" not in name:
        return _load(shipped / name)
    folder = resources.user_path(name)
    if not folder.is_dir():
        raise UsageError(f"there is no layout '{name}': {', '.join(layouts())} ship (or give a folder)")
    return _load(folder.resolve())


_load = lru_cache(Layout)


def find_layout(name: str, *, beside: Path) -> str:
    """What a file calls a layout, so that it is found from anywhere (`resources.in_full`)."""
    return name if not name or name in layouts() else resources.in_full(name, beside=beside)


def layouts() -> list[str]:
    """Names of the layouts that ship."""
    return sorted(path.parent.name for path in (resources.root() / "prompts").glob(f"*/{LAYOUT_FILE}"))


def filled(folder: Path, name: str, **values: Any) -> str:
    """A template of a folder with its values filled in, less the white space around it.

    Raises:
        ConfigError: there is no such template, or it asks for a value that it does not get.
    """
    return _render(folder, name, **values).strip()


def _render(folder: Path, name: str, **values: Any) -> str:
    try:
        return _environment(folder).get_template(f"{name}.jinja").render(**values)
    except Exception as error:  # a template may divide by zero, or be no UTF-8
        raise ConfigError(
            str(folder / f"{name}.jinja"), [" ".join(f"{type(error).__name__}: {error}".split())]
        ) from error


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
    if not path.is_file():
        raise ConfigError(str(path), ["there is none; `alpha-umi copy prompts/shared mine` gives a layout's files"])
    return parse_config(LayoutFile, read_yaml(path), path)


@lru_cache
def _digest(layout: Layout, tags: tuple[tuple[str, str], ...], further: tuple[str, ...], words: tuple[str, ...]) -> str:
    files = _texts(layout.folder, [f"{name}.jinja" for name in (*FIRST_ROLES, _SYSTEM, *further)])
    if layout.shared:
        files |= {f"cue_{name}.jinja": tag.encode() for name, tag in tags}
    settings = layout.file.settings
    rest = b"" if (layout.name, settings) in _FIRST_LAYOUTS else json.dumps(settings, sort_keys=True).encode()
    rest += "\0".join(words).encode()
    content = b"\0".join(name.encode() + b"\0" + files[name] for name in sorted(files))
    head = f"{RENDER_VERSIONS['raw' if layout.raw else layout.file.conversation]}\0{layout.name}\0"
    return hashlib.sha256(head.encode() + content + rest).hexdigest()[:16]


def _texts(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Templates of a folder by file name, with all that they include; names without a file are left out.

    Raises:
        ConfigError: one of them is no template.
    """
    found: dict[str, bytes] = {}
    left = [*names]
    while left:
        name = left.pop()
        if name in found or not (path := folder / name).is_file():
            continue
        # Templates render alike whatever ends their lines.
        found[name] = path.read_bytes().replace(b"\r\n", b"\n")
        try:
            parsed = _environment(folder).parse(found[name].decode())
        except (TemplateError, UnicodeDecodeError) as error:
            raise ConfigError(str(path), [str(error)]) from error
        left += [other for other in meta.find_referenced_templates(parsed) if other is not None]
    return found
