"""The only place where a trajectory becomes chat messages.

A conversation strictly alternates user and assistant after one system message, and each prompt of a trajectory
extends the one before it, so that a KV cache and one training row serve all of a role's turns. The wording is a
layout's (`layouts`), who speaks in it a team's roles (`roles`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from alpha_umi import grammar, resources
from alpha_umi.layouts import Layout, filled
from alpha_umi.recent import Recent
from alpha_umi.roles import FINISH, OBSERVATION_CHARS, Role, Writes, cast_of, first_roles, load_role
from alpha_umi.trajectory import Call, Frozen, Step, Trajectory

INVALID_TOOL = "invalid_hallucination_function_name"
"""What ToolBench writes in place of a function name that the model invented."""

SHORTER_OBSERVATIONS = (1024, 512, 256, 128, 64)
"""Tried in turn when a prompt does not fit the context (`observation_limits`)."""

SINGLE, OBSERVATION = "single", "observation"
"""What a role that writes whole turns, and what comes back from a tool, are called in a conversation."""

USER = "user"
"""Whose words are in `Step.said` where a run asked the user."""

_CONTINUE = "(continue)"


class Message(Frozen):
    """One chat message. Roles strictly alternate user and assistant after one system message."""

    role: Literal["system", "user", "assistant"]
    content: str
    cue: str = ""
    """The end of a user message's content, a role's tag, that tells it that it is next; empty where there is none."""


class Target(NamedTuple):
    """An assistant message that a role is trained to write."""

    message: int
    """Index of the message; the messages before it are its prompt."""
    view: str
    """Name of the role."""
    step: int
    """Index of the step it belongs to."""


class Conversation(NamedTuple):
    """A rendered trajectory: messages, which of them are training targets, and who speaks."""

    messages: tuple[Message, ...]
    targets: tuple[Target, ...]
    speakers: tuple[str, ...]
    """Whose each assistant message is, in order."""


class _Begun(NamedTuple):
    """The beginning of a conversation: its messages, targets and speakers, and what no message holds yet."""

    messages: tuple[Message, ...]
    targets: tuple[Target, ...]
    speakers: tuple[str, ...]
    waiting: tuple[str, ...]


_BEGUN = Recent[_Begun](32)
"""One for each conversation that is under way, as far as there are not too many."""


class _Event(NamedTuple):
    """Something said: by the user, the environment, or (as the text of an assistant message) a role."""

    speaker: str
    text: str
    step: int = -1
    target: bool = False


def render(
    trajectory: Trajectory,
    *,
    view: str,
    layout: Layout,
    roles: Mapping[str, Role] | None = None,
    ask: str | None = None,
    follow_up: str | None = None,
    observation_chars: int = OBSERVATION_CHARS,
) -> Conversation:
    """Lay a trajectory out as chat messages.

    Args:
        trajectory: what happened so far. When asking the caller, its last step holds only a plan.
        view: the role whose conversation it is. In a shared layout all roles' conversations are the same.
        layout: the wording.
        roles: who speaks, by name; by default α-UMi's three.
        ask: the role whose turn it is: the messages then end in the user message that it answers. None renders the
            whole trajectory with its targets, for training and for static evaluation.
        follow_up: what the user said after the last step, which the role asked now answers (`Step.prompt` of the
            step about to be made).
        observation_chars: longer observations lose their middle, alike in training and inference.
    """
    told = _Telling(view, layout, first_roles() if roles is None else roles, observation_chars)
    # Of a path that grows, all steps but the last were laid out for the prompt before.
    settled = len(trajectory.steps) - 1 if ask is not None else 0
    for i in range(told.begin(trajectory, settled), len(trajectory.steps)):
        if i == settled > 0:
            told.keep(trajectory, settled)
        for event in _step(trajectory, i, told.roles, alone=told.alone, ask=ask):
            told.say(event)
    if not trajectory.steps and trajectory.answer is not None and not told.alone:
        told.say(_Event(cast_of(told.roles).summarizer, grammar.format_answer(trajectory.answer), -1, True))
    if ask is not None:
        if follow_up:
            told.say(_Event(USER, follow_up))
        told.messages.append(told.user_message(ask))
    return Conversation(tuple(told.messages), tuple(told.targets), tuple(told.speakers))


class _Telling:
    """A conversation while it is laid out."""

    def __init__(self, view: str, layout: Layout, roles: Mapping[str, Role], observation_chars: int) -> None:
        self.layout, self.roles, self.observation_chars = layout, roles, observation_chars
        self.role = roles[view] if view in roles else load_role(view)
        self.alone = self.role.writes is Writes.TURN
        self.own = set(roles) if layout.shared and not self.alone else {view}
        self.labelled = not layout.shared and not self.alone
        self._key: Hashable = (layout, self.role.name if self.labelled else None, self.alone, observation_chars)
        self.messages: list[Message] = []
        self.targets: list[Target] = []
        self.speakers: list[str] = []
        self.waiting: list[str] = []

    def begin(self, trajectory: Trajectory, settled: int) -> int:
        """Take up the longest beginning that is known; gives the first step that it does not hold."""
        for known in range(settled, max(settled - 3, 0), -1):
            if (begun := _BEGUN.take((self._key, trajectory.query), self._of(trajectory, known))) is not None:
                self.messages, self.targets, self.speakers, self.waiting = map(list, begun)  # type: ignore[assignment]
                return known
        system = self.layout.system(self.role.template, trajectory.tools, tagged=not self.alone)
        self.messages.append(Message(role="system", content=system))
        self.say(_Event(USER, trajectory.query))
        return 0

    def keep(self, trajectory: Trajectory, settled: int) -> None:
        """Remember what holds the first steps, for the prompt after this one."""
        made = _Begun(tuple(self.messages), tuple(self.targets), tuple(self.speakers), tuple(self.waiting))
        _BEGUN.put((self._key, trajectory.query), self._of(trajectory, settled), made)

    def _of(self, trajectory: Trajectory, steps: int) -> tuple[object, ...]:
        return (*self.roles.values(), *trajectory.tools, *trajectory.steps[:steps])

    def say(self, event: _Event) -> None:
        """Add what somebody said."""
        if event.speaker in self.own:
            self.messages.append(self.user_message(event.speaker))
            self.speakers.append(event.speaker)
            if event.target:
                self.targets.append(Target(len(self.messages), event.speaker, event.step))
            self.messages.append(Message(role="assistant", content=event.text.strip()))
        else:
            seen = event.speaker == OBSERVATION
            text = (cut_middle(event.text, self.observation_chars) if seen else event.text).strip()
            self.waiting.append(f"{event.speaker}: {text}" if self.labelled else text)

    def user_message(self, speaker: str) -> Message:
        """What waited to be said, as the message that a role answers."""
        tag, lines = "", [*self.waiting]
        if self.layout.shared and not self.alone:
            tag = self.roles[speaker].tag
            lines += [self.layout.before_tag(self.roles[speaker].template), tag]
        self.waiting.clear()
        text = "\n".join(line for line in lines if line).strip()
        return Message(role="user", content=text or _CONTINUE, cue=tag)


def _step(
    trajectory: Trajectory, i: int, roles: Mapping[str, Role], *, alone: bool, ask: str | None
) -> Iterator[_Event]:
    """What was said in a step, in order, each with whether it is worth training on (α-UMi, released preprocessing)."""
    step, last = trajectory.steps[i], len(trajectory.steps) - 1
    if step.prompt:
        yield _Event(USER, step.prompt)
    if alone:
        yield _whole_turn(trajectory, i, step)
    else:
        yield from _planned(trajectory, i, roles, asks_caller=i == last and _is_caller(ask, roles))
    if step.observation is not None:
        yield _Event(OBSERVATION, step.observation.text)
    if not alone:
        summarizer = cast_of(roles).summarizer
        if i == last and trajectory.answer is not None:
            answer = grammar.format_answer(trajectory.answer)
            yield _Event(summarizer, answer, last, answer != grammar.NO_TOOL and not _rejected(step, roles))
        yield from _said(i, step, roles, summarizer)


def _planned(trajectory: Trajectory, i: int, roles: Mapping[str, Role], *, asks_caller: bool) -> Iterator[_Event]:
    """The plan of a step, and the call."""
    step, cast = trajectory.steps[i], cast_of(roles)
    decided = step.is_decision or asks_caller
    text = grammar.format_plan(step.plan, roles[cast.planner].markers) if decided else step.plan.rationale
    known = not _hallucinated(step.call, trajectory)
    yield _Event(cast.planner, text, i, step.is_decision and known)
    if step.call is not None:
        yield _Event(cast.caller, grammar.format_call(step.call), i, known)


def _is_caller(ask: str | None, roles: Mapping[str, Role]) -> bool:
    return ask is not None and ask in roles and roles[ask].writes is Writes.CALL


def _said(i: int, step: Step, roles: Mapping[str, Role], summarizer: str) -> Iterator[_Event]:
    """What else was said in a step. An answer that another role sent back is no target; its verdict is one."""
    for name, text in step.said.items():
        worth = name in roles and (name != summarizer or not _rejected(step, roles))
        yield _Event(name, text, i, worth)


def _rejected(step: Step, roles: Mapping[str, Role]) -> bool:
    """Whether a role that read the answer of a step did not let it stand."""
    for name, text in step.said.items():
        if name in roles and roles[name].writes is Writes.CHOICE:
            choice = grammar.parse_choice(text, roles[name].markers).choice
            if choice is not None and roles[name].choices[choice].next != FINISH:
                return True
    return False


def _whole_turn(trajectory: Trajectory, i: int, step: Step) -> _Event:
    """One merged turn a step, hallucinated calls included (released preprocessing of the backbone)."""
    if not step.is_decision:
        return _Event(SINGLE, step.plan.rationale, i, False)
    is_end = i == len(trajectory.steps) - 1  # an earlier conclusion led to no answer and the trajectory went on
    answer = trajectory.answer if is_end else None
    return _Event(SINGLE, grammar.format_turn(grammar.Turn(step.plan, step.call, answer)), i, True)


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


def search_text(name: str, **values: Any) -> str:
    """What a search says to a role, out of `prompts/search/`: `diversity` before another try, `rank` to compare two.

    Apart from the layouts, so that no digest of what was trained on depends on it.
    """
    folder = resources.root() / "prompts" / "search"
    return filled(folder, name, **values)


def thread_text(name: str, **values: Any) -> str:
    """What a thread's later turn says of its earlier ones, out of `prompts/thread/`: `history`."""
    folder = resources.root() / "prompts" / "thread"
    return filled(folder, name, **values)
