"""The only place where a trajectory becomes chat messages.

A conversation strictly alternates user and assistant after one system message, and each prompt of a trajectory
extends the one before it, so that a KV cache and one training row serve all of a role's turns. The wording is a
layout's (`layouts`), who speaks in it a team's roles (`roles`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from alpha_umi import grammar, resources
from alpha_umi.layouts import Layout, filled
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
    roles = first_roles() if roles is None else roles
    role = roles[view] if view in roles else load_role(view)
    alone = role.writes is Writes.TURN
    own = set(roles) if layout.shared and not alone else {view}
    labelled = not layout.shared and not alone
    messages = [Message(role="system", content=layout.system(role.template, trajectory.tools, tagged=not alone))]
    targets: list[Target] = []
    speakers: list[str] = []
    waiting: list[str] = []

    def user_message(speaker: str) -> Message:
        tag, lines = "", [*waiting]
        if layout.shared and not alone:
            tag = roles[speaker].tag
            lines += [layout.before_tag(roles[speaker].template), tag]
        waiting.clear()
        text = "\n".join(line for line in lines if line).strip()
        return Message(role="user", content=text or _CONTINUE, cue=tag)

    events = _turns(trajectory) if alone else _events(trajectory, roles, asks_caller=_is_caller(ask, roles))
    for event in events:
        if event.speaker in own:
            messages.append(user_message(event.speaker))
            speakers.append(event.speaker)
            if event.target:
                targets.append(Target(len(messages), event.speaker, event.step))
            messages.append(Message(role="assistant", content=event.text.strip()))
        else:
            seen = event.speaker == OBSERVATION
            text = cut_middle(event.text, observation_chars) if seen else event.text
            waiting.append(f"{event.speaker}: {text.strip()}" if labelled else text.strip())
    if ask is not None:
        if follow_up:
            waiting.append(f"user: {follow_up.strip()}" if labelled else follow_up.strip())
        messages.append(user_message(ask))
    return Conversation(tuple(messages), tuple(targets), tuple(speakers))


def _is_caller(ask: str | None, roles: Mapping[str, Role]) -> bool:
    return ask in roles and roles[ask].writes is Writes.CALL if ask is not None else False


def _events(trajectory: Trajectory, roles: Mapping[str, Role], *, asks_caller: bool) -> Iterator[_Event]:
    """What was said, in order, each with whether it is worth training on (α-UMi, released preprocessing)."""
    cast = cast_of(roles)
    markers = roles[cast.planner].markers
    yield _Event(USER, trajectory.query)
    last = len(trajectory.steps) - 1
    for i, step in enumerate(trajectory.steps):
        if step.prompt:
            yield _Event(USER, step.prompt)
        decided = step.is_decision or (i == last and asks_caller)
        text = grammar.format_plan(step.plan, markers) if decided else step.plan.rationale
        known = not _hallucinated(step.call, trajectory)
        yield _Event(cast.planner, text, i, step.is_decision and known)
        if step.call is not None:
            yield _Event(cast.caller, grammar.format_call(step.call), i, known)
        if step.observation is not None:
            yield _Event(OBSERVATION, step.observation.text)
        if i == last and trajectory.answer is not None:
            answer = grammar.format_answer(trajectory.answer)
            good = answer != grammar.NO_TOOL and not _rejected(step, roles)
            yield _Event(cast.summarizer, answer, last, good)
        yield from _said(i, step, roles, cast.summarizer)
    if last < 0 and trajectory.answer is not None:
        yield _Event(cast.summarizer, grammar.format_answer(trajectory.answer), last, True)


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


def _turns(trajectory: Trajectory) -> Iterator[_Event]:
    """The same for a role that writes whole turns."""
    yield _Event(USER, trajectory.query)
    for i, step in enumerate(trajectory.steps):
        if step.prompt:
            yield _Event(USER, step.prompt)
        yield from _single_events(trajectory, i, step)
        if step.observation is not None:
            yield _Event(OBSERVATION, step.observation.text)


def _single_events(trajectory: Trajectory, i: int, step: Step) -> Iterator[_Event]:
    """One merged turn a step, hallucinated calls included (released preprocessing of the backbone)."""
    if not step.is_decision:
        yield _Event(SINGLE, step.plan.rationale, i, False)
        return
    is_end = i == len(trajectory.steps) - 1  # an earlier conclusion led to no answer and the trajectory went on
    answer = trajectory.answer if is_end else None
    yield _Event(SINGLE, grammar.format_turn(grammar.Turn(step.plan, step.call, answer)), i, True)


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
