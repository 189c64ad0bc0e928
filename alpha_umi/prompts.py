"""The only place where a trajectory becomes chat messages.

A conversation strictly alternates user and assistant after one system message, and each prompt of a trajectory
extends the one before it, so that a KV cache and one training row serve all of a role's turns.

Two layouts (docs/prompts.md):
    paper    the system message is the view's own prompt; the view's own turns are assistant messages and what the
             other roles said stands, labelled, in the user messages (α-UMi, arXiv 2401.07324)
    shared   one system message and one history for all roles; only the cue that ends a user message tells who is next
The wording lives in `prompts/<layout>/*.jinja`, read by this module alone; its digest is written on every card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from alpha_umi import grammar, resources
from alpha_umi.errors import ConfigError
from alpha_umi.recent import Recent
from alpha_umi.trajectory import Call, Frozen, Step, Tool, Trajectory

RENDER_VERSIONS = {"paper": 1, "shared": 2}
"""Raised when this module's own part of a layout's rendering changes, so that old cards are refused."""

INVALID_TOOL = "invalid_hallucination_function_name"
"""What ToolBench writes in place of a function name that the model invented."""

OBSERVATION_CHARS = 2048
"""Default length at which an observation loses its middle in a prompt."""

SHORTER_OBSERVATIONS = (1024, 512, 256, 128, 64)
"""Tried in turn when a prompt does not fit the context (`observation_limits`)."""

_CONTINUE = "(continue)"


class Layout(StrEnum):
    """How one trajectory is laid out as chat messages."""

    PAPER = "paper"
    SHARED = "shared"


class View(StrEnum):
    """Whose conversation it is. `single` speaks whole steps: rationale and action, or rationale and answer."""

    PLANNER = "planner"
    CALLER = "caller"
    SUMMARIZER = "summarizer"
    SINGLE = "single"


class Message(Frozen):
    """One chat message. Roles strictly alternate user and assistant after one system message."""

    role: Literal["system", "user", "assistant"]
    content: str
    cue: str = ""
    """The end of a user message's content that tells a role that it is next; empty where the layout has none."""


class Target(NamedTuple):
    """An assistant message that a role is trained to write."""

    message: int
    """Index of the message; the messages before it are its prompt."""
    view: View
    step: int
    """Index of the step it belongs to."""


class Conversation(NamedTuple):
    """A rendered trajectory: messages, which of them are training targets, and who speaks."""

    messages: tuple[Message, ...]
    targets: tuple[Target, ...]
    speakers: tuple[View, ...]
    """Whose each assistant message is, in order."""


class _Begun(NamedTuple):
    """The beginning of a conversation: its messages, targets and speakers, and what no message holds yet."""

    messages: tuple[Message, ...] = ()
    targets: tuple[Target, ...] = ()
    speakers: tuple[View, ...] = ()
    waiting: tuple[str, ...] = ()


_BEGUN = Recent[_Begun](32)
"""One for each conversation that is under way, as far as there are not too many."""


class _Event(NamedTuple):
    """Something said: by the user, the environment, or (as the text of an assistant message) a role."""

    speaker: View | Literal["user", "observation"]
    text: str
    step: int = -1
    target: bool = False


def render(
    trajectory: Trajectory,
    *,
    view: View,
    layout: Layout,
    ask: View | None = None,
    follow_up: str | None = None,
    observation_chars: int = OBSERVATION_CHARS,
) -> Conversation:
    """Lay a trajectory out as chat messages.

    Args:
        trajectory: what happened so far. When asking the caller, its last step holds only a plan.
        view: whose conversation. In the shared layout the three roles' conversations are the same.
        layout: `paper` or `shared`.
        ask: the role whose turn it is: the messages then end in the user message that it answers. None renders the
            whole trajectory with its targets, for training and for static evaluation.
        follow_up: what the user said after the last step, which the role asked now answers (`Step.prompt` of the
            step about to be made).
        observation_chars: longer observations lose their middle, alike in training and inference.
    """
    own = {view} if layout is Layout.PAPER or view is View.SINGLE else {View.PLANNER, View.CALLER, View.SUMMARIZER}
    labelled = layout is Layout.PAPER and view is not View.SINGLE
    wording, steps = load_prompts(layout), trajectory.steps
    # Of a path that grows, all steps but the last were laid out for the prompt before.
    settled = len(steps) - 1 if ask is not None else 0
    key = (wording, view if labelled else None, view is View.SINGLE, observation_chars, trajectory.query)
    begun, known = _begun(key, trajectory, settled)
    query = f"user: {trajectory.query.strip()}" if labelled else trajectory.query.strip()
    messages = [*begun.messages] or [Message(role="system", content=wording.system(view, trajectory.tools))]
    targets, speakers, waiting = [*begun.targets], [*begun.speakers], [*begun.waiting] if begun.messages else [query]

    def user_message(speaker: View) -> Message:
        cue = wording.cue(speaker)
        lines = [*waiting, cue]
        waiting.clear()
        text = "\n".join(line for line in lines if line).strip()
        return Message(role="user", content=text or _CONTINUE, cue=cue)

    def tell(event: _Event) -> None:
        if event.speaker in own:
            speaker = View(event.speaker)
            messages.append(user_message(speaker))
            speakers.append(speaker)
            if event.target:
                targets.append(Target(len(messages), speaker, event.step))
            messages.append(Message(role="assistant", content=event.text.strip()))
        else:
            waiting.append(f"{event.speaker}: {event.text.strip()}" if labelled else event.text.strip())

    for i in range(known, len(steps) + 1):
        if i == settled > 0:
            made = _Begun(tuple(messages), tuple(targets), tuple(speakers), tuple(waiting))
            _BEGUN.put(key, (*trajectory.tools, *steps[:settled]), made)
        for event in _events(trajectory, i, single=view is View.SINGLE, ask=ask, observation_chars=observation_chars):
            tell(event)
    if ask is not None:
        if follow_up:
            waiting.append(f"user: {follow_up.strip()}" if labelled else follow_up.strip())
        messages.append(user_message(ask))
    return Conversation(tuple(messages), tuple(targets), tuple(speakers))


def _begun(key: Hashable, trajectory: Trajectory, settled: int) -> tuple[_Begun, int]:
    """The longest known beginning of a conversation, and how many steps it holds; an empty one where none is known."""
    for known in range(settled, max(settled - 3, 0), -1):
        if (begun := _BEGUN.take(key, (*trajectory.tools, *trajectory.steps[:known]))) is not None:
            return begun, known
    return _Begun(), 0


def _events(
    trajectory: Trajectory, i: int, *, single: bool, ask: View | None, observation_chars: int
) -> Iterator[_Event]:
    """What was said in a step, and after the last one, each with whether it is worth training on (α-UMi, released
    preprocessing)."""
    last = len(trajectory.steps) - 1
    if i > last:
        if not single and trajectory.answer is not None:
            answer = grammar.format_answer(trajectory.answer)
            yield _Event(View.SUMMARIZER, answer, last, answer != grammar.NO_TOOL)
        return
    step = trajectory.steps[i]
    if step.prompt:
        yield _Event("user", step.prompt)
    if single:
        yield from _single_events(trajectory, i, step)
    else:
        decided = step.is_decision or (i == last and ask is View.CALLER)
        text = grammar.format_plan(step.plan) if decided else step.plan.rationale
        known = not _hallucinated(step.call, trajectory)
        yield _Event(View.PLANNER, text, i, step.is_decision and known)
        if step.call is not None:
            yield _Event(View.CALLER, grammar.format_call(step.call), i, known)
    if step.observation is not None:
        yield _Event("observation", cut_middle(step.observation.text, observation_chars))


def _single_events(trajectory: Trajectory, i: int, step: Step) -> Iterator[_Event]:
    """One merged turn a step, hallucinated calls included (released preprocessing of the backbone)."""
    if not step.is_decision:
        yield _Event(View.SINGLE, step.plan.rationale, i, False)
        return
    is_end = i == len(trajectory.steps) - 1  # an earlier conclusion led to no answer and the trajectory went on
    answer = trajectory.answer if is_end else None
    yield _Event(View.SINGLE, grammar.format_turn(grammar.Turn(step.plan, step.call, answer)), i, True)


def _hallucinated(call: Call | None, trajectory: Trajectory) -> bool:
    """Whether a call names a tool that was not offered, or cannot be read."""
    if call is None:
        return False
    return call.fault is not None or call.tool == INVALID_TOOL or call.tool not in trajectory.tool_names


def observation_limits(first: int) -> Iterator[int]:
    """The lengths to try, longest first, when a prompt does not fit the context."""
    yield first
    yield from (limit for limit in SHORTER_OBSERVATIONS if limit < first)


def cut_middle(text: str, limit: int) -> str:
    """Shorten a text to at most `limit` characters by dropping its middle and saying how much was dropped."""
    if len(text) <= limit:
        return text
    mark = f" [... {len(text) - limit} characters cut ...] "
    if len(mark) >= limit:
        return text[:limit]
    keep = limit - len(mark)
    tail = keep // 3
    return text[: keep - tail] + mark + (text[-tail:] if tail else "")


class Prompts:
    """The wording of one layout, out of `prompts/<layout>/`."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout = layout
        self._folder = folder
        self._templates = _templates(folder)
        self._cues: dict[View, str] = {}
        self._systems = Recent[str](64)
        files = sorted(folder.glob("*.jinja"))
        # Templates render alike whatever ends their lines.
        texts = (file.read_bytes().replace(b"\r\n", b"\n") for file in files)
        content = b"\0".join(file.name.encode() + b"\0" + text for file, text in zip(files, texts, strict=True))
        self.digest = hashlib.sha256(f"{RENDER_VERSIONS[layout]}\0{layout}\0".encode() + content).hexdigest()[:16]
        """Changes whenever anything changes that a model was trained to read."""

    def system(self, view: View, tools: Sequence[Tool]) -> str:
        """The system message: in `paper` the view's own, in `shared` one for the three roles."""
        name = "system" if self.layout is Layout.SHARED and view is not View.SINGLE else view.value
        if (kept := self._systems.get(name, tools)) is not None:
            return kept
        documents = document_tools(tools, self.layout)
        return self._systems.put(
            name, tools, self._fill(name, documents=documents, names=[tool.name for tool in tools])
        )

    def cue(self, view: View) -> str:
        """The short fixed text that ends a user message and tells who is next; empty in `paper`."""
        if self.layout is Layout.PAPER or view is View.SINGLE:
            return ""
        if view not in self._cues:
            self._cues[view] = self._fill(f"cue_{view.value}")
        return self._cues[view]

    def _fill(self, name: str, **values: Any) -> str:
        return _filled(self._templates, self._folder, name, **values)


def search_text(name: str, **values: Any) -> str:
    """What a search says to a role, out of `prompts/search/`: `diversity` before another try, `rank` to compare two.

    Apart from the layouts, so that no digest of what was trained on depends on it.
    """
    folder = resources.root() / "prompts" / "search"
    return _filled(_templates(folder), folder, name, **values)


def thread_text(name: str, **values: Any) -> str:
    """What a thread's later turn says of its earlier ones, out of `prompts/thread/`: `history`."""
    folder = resources.root() / "prompts" / "thread"
    return _filled(_templates(folder), folder, name, **values)


@lru_cache
def _templates(folder: Path) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _filled(templates: SandboxedEnvironment, folder: Path, name: str, **values: Any) -> str:
    try:
        return templates.get_template(f"{name}.jinja").render(**values).strip()
    except TemplateError as error:
        raise ConfigError(str(folder / f"{name}.jinja"), [str(error)]) from error


@lru_cache
def load_prompts(layout: Layout) -> Prompts:
    """The shipped wording of a layout."""
    return Prompts(layout, resources.root() / "prompts" / layout.value)


def document_tools(tools: Sequence[Tool], layout: Layout) -> list[str]:
    """One text per tool: α-UMi's JSON line in `paper`, a compact signature in `shared`."""
    return [_paper_document(tool) if layout is Layout.PAPER else _signature(tool) for tool in tools]


def _paper_document(tool: Tool) -> str:
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
