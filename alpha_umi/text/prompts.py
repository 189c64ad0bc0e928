"""The only place where a trajectory becomes prompts.

A conversation strictly alternates user and assistant after one system message, and each prompt of a trajectory
extends the one before it, so that a KV cache and one training row serve all of a role's turns. In a raw layout a prompt
is one text, and each decision a conversation of its own. What was said comes from `utterances`, the wording is a
layout's (`layouts`), who speaks in it a team's roles (`roles`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from alpha_umi import resources
from alpha_umi.recent import Recent
from alpha_umi.roles import OBSERVATION_CHARS, Role, Writes, cast_of
from alpha_umi.team_files import first_roles, load_role
from alpha_umi.text.layouts import Layout, Saying, filled
from alpha_umi.text.truncation import cut_middle
from alpha_umi.text.utterances import OBSERVATION, SINGLE, USER, Utterance, of_step, without_steps
from alpha_umi.trajectory import Frozen, Trajectory

SHORTER_OBSERVATIONS = (1024, 512, 256, 128, 64)
"""Tried in turn when a prompt does not fit the context (`observation_limits`)."""

_CONTINUE = "(continue)"


class Message(Frozen):
    """One chat message. Roles strictly alternate user and assistant after one system message; a `text` is the whole
    prompt of a raw layout and stands alone, but for the assistant's message."""

    role: Literal["system", "user", "assistant", "text"]
    content: str
    tag: str = ""
    """The role tag that ends a user message's content and says who answers; empty where there is none."""


class Target(NamedTuple):
    """An assistant message that a role is trained to write."""

    message: int
    """Index of the message; the messages before it are its prompt."""
    role: str
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


def render(
    trajectory: Trajectory,
    *,
    role: str,
    layout: Layout,
    roles: Mapping[str, Role] | None = None,
    ask: str | None = None,
    follow_up: str | None = None,
    observation_chars: int = OBSERVATION_CHARS,
) -> Conversation:
    """Lay a trajectory out as chat messages.

    Args:
        trajectory: what happened so far. When asking the caller, its last step holds only a plan.
        role: the role whose conversation it is. In a shared layout all roles' conversations are the same.
        layout: the wording.
        roles: who speaks, by name; by default α-UMi's three.
        ask: the role whose turn it is: the messages then end in the user message that it answers. None renders the
            whole trajectory with its targets; of a raw layout there is no such thing (`conversations`).
        follow_up: what the user said after the last step, which the role asked now answers (`Step.prompt` of the
            step about to be made).
        observation_chars: longer observations lose their middle, alike in training and inference.
    """
    roles = first_roles() if roles is None else roles
    if layout.raw:
        if ask is None:
            raise ValueError("a raw layout has a conversation for each decision: use `conversations`")
        raw = _RawText(trajectory, role, layout, roles, observation_chars, ask=ask)
        return Conversation((raw.prompt(follow_up=follow_up),), (), ())
    told = _Telling(role, layout, roles, observation_chars)
    # Of a path that grows, all steps but the last were laid out for the prompt before.
    settled = len(trajectory.steps) - 1 if ask is not None else 0
    for i in range(told.begin(trajectory, settled), len(trajectory.steps)):
        if i == settled > 0:
            told.keep(trajectory, settled)
        for said in of_step(trajectory, i, roles, alone=told.alone, ask=ask):
            told.say(said)
    for said in without_steps(trajectory, roles, alone=told.alone):
        told.say(said)
    if ask is not None:
        if follow_up:
            told.say(Utterance(USER, follow_up))
        told.messages.append(told.user_message(ask))
    return Conversation(tuple(told.messages), tuple(told.targets), tuple(told.speakers))


def conversations(
    trajectory: Trajectory,
    *,
    role: str,
    layout: Layout,
    roles: Mapping[str, Role] | None = None,
    observation_chars: int = OBSERVATION_CHARS,
) -> list[Conversation]:
    """A whole trajectory with its targets, for training and static evaluation: one conversation, or of a raw layout one
    for each decision of the role."""
    if not layout.raw:
        return [render(trajectory, role=role, layout=layout, roles=roles, observation_chars=observation_chars)]
    raw = _RawText(trajectory, role, layout, first_roles() if roles is None else roles, observation_chars)
    found = []
    for i, said in enumerate(raw.said):
        if said.target and said.speaker == role:
            messages = (raw.prompt(i), Message(role="assistant", content=said.text))
            found.append(Conversation(messages, (Target(1, role, said.step),), (role,)))
    return found


class _RawText:
    """What was said in a trajectory as a raw layout says it: white space stays, also what parts no rationale from what
    follows it."""

    def __init__(
        self,
        trajectory: Trajectory,
        role: str,
        layout: Layout,
        roles: Mapping[str, Role],
        observation_chars: int,
        *,
        ask: str | None = None,
    ) -> None:
        self.layout, self.trajectory = layout, trajectory
        self.role = roles[role] if role in roles else load_role(role)
        self.alone = self.role.writes is Writes.TURN
        self.planner = SINGLE if self.alone else cast_of(roles).planner
        said = [Utterance(USER, trajectory.query)]
        for i in range(len(trajectory.steps)):
            said += of_step(trajectory, i, roles, alone=self.alone, ask=ask)
        said += without_steps(trajectory, roles, alone=self.alone)
        self.said = [self._as_it_is(one, observation_chars) for one in said]

    def prompt(self, n: int | None = None, *, follow_up: str | None = None) -> Message:
        """What the role reads after the first so many utterances, or all of them."""
        said = [*self.said[:n], *([Utterance(USER, follow_up)] if follow_up else [])]
        thought = next((one.text for one in reversed(said) if one.speaker == self.planner), "")
        history = [Saying(one.speaker, one.text) for one in said]
        text = self.layout.prompt(self.role.template, self.trajectory.tools, history, thought=thought)
        return Message(role="text", content=text)

    def _as_it_is(self, said: Utterance, observation_chars: int) -> Utterance:
        if said.speaker == OBSERVATION:
            return said._replace(text=cut_middle(said.text, observation_chars))
        if said.speaker != self.planner or not said.text:
            return said
        plan = self.trajectory.steps[said.step].plan
        if plan.rationale or (self.alone and plan.fault is not None):  # what is no turn stands as it was written
            return said
        return said._replace(text=f"{chr(10) if self.alone else ' '}{said.text}")


class _Telling:
    """A conversation while it is laid out."""

    def __init__(self, role: str, layout: Layout, roles: Mapping[str, Role], observation_chars: int) -> None:
        self.layout, self.roles, self.observation_chars = layout, roles, observation_chars
        self.role = roles[role] if role in roles else load_role(role)
        self.alone = self.role.writes is Writes.TURN
        self.own = set(roles) if layout.shared and not self.alone else {role}
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
        self.say(Utterance(USER, trajectory.query))
        return 0

    def keep(self, trajectory: Trajectory, settled: int) -> None:
        """Remember what holds the first steps, for the prompt after this one."""
        made = _Begun(tuple(self.messages), tuple(self.targets), tuple(self.speakers), tuple(self.waiting))
        _BEGUN.put((self._key, trajectory.query), self._of(trajectory, settled), made)

    def _of(self, trajectory: Trajectory, steps: int) -> tuple[object, ...]:
        return (*self.roles.values(), *trajectory.tools, *trajectory.steps[:steps])

    def say(self, said: Utterance) -> None:
        """Add what somebody said."""
        if said.speaker in self.own:
            self.messages.append(self.user_message(said.speaker))
            self.speakers.append(said.speaker)
            if said.target:
                self.targets.append(Target(len(self.messages), said.speaker, said.step))
            self.messages.append(Message(role="assistant", content=said.text.strip()))
        else:
            seen = said.speaker == OBSERVATION
            text = (cut_middle(said.text, self.observation_chars) if seen else said.text).strip()
            self.waiting.append(f"{said.speaker}: {text}" if self.labelled else text)

    def user_message(self, speaker: str) -> Message:
        """What waited to be said, as the message that a role answers."""
        tag, lines = "", [*self.waiting]
        if self.layout.shared and not self.alone:
            tag = self.roles[speaker].tag
            lines += [self.layout.before_tag(self.roles[speaker].template), tag]
        self.waiting.clear()
        text = "\n".join(line for line in lines if line).strip()
        return Message(role="user", content=text or _CONTINUE, tag=tag)


def observation_limits(first: int) -> Iterator[int]:
    """The lengths to try, longest first, when a prompt does not fit the context."""
    yield first
    yield from (limit for limit in SHORTER_OBSERVATIONS if limit < first)


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
