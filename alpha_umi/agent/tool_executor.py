"""Carrying a call out: once, under its key, within the run's time; whatever happens is an observation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.types import interrupt

from alpha_umi.agent import telemetry
from alpha_umi.agent.approval import ApprovalDecision, ApprovalRequest
from alpha_umi.agent.concurrency import within
from alpha_umi.agent.journal import Journal
from alpha_umi.errors import UsageError
from alpha_umi.tools.protocol import Toolbox, bubbles_up, traits_of, under_key, writable
from alpha_umi.tools.validation import one_line
from alpha_umi.trajectory import Call, Observation

Sensitive = Collection[str] | Callable[[Call], bool]
"""Names of tools, or what says of a call whether it is sensitive."""

EVERY = "*"
"""Stands for every tool."""

REFUSED = "The user does not allow this call"


@dataclass(frozen=True, kw_only=True)
class ToolExecutor:
    """A toolbox, and which of its tools nobody may use unasked."""

    toolbox: Toolbox
    sensitive: Sensitive = ()
    """Beside the tools that say so of themselves."""

    def __post_init__(self) -> None:
        """Refuse a name that is no tool's: what was meant to be asked about would just happen."""
        if callable(self.sensitive):
            return
        names = {tool.name for tool in self.toolbox.tools}
        if unknown := sorted(set(self.sensitive) - names):
            raise UsageError(f"sensitive: there is no tool {unknown[0]!r}; offered: {', '.join(sorted(names))}")

    @property
    def may_ask(self) -> bool:
        """Whether there is a tool at all that a person may have to be asked about."""
        return bool(self.sensitive) or any(traits_of(self.toolbox, t.name).sensitive for t in self.toolbox.tools)

    @property
    def requires_approval(self) -> list[str]:
        """What a run stores of this, so that it is asked about whoever resumes it: names, `EVERY` for a function."""
        named = [EVERY] if callable(self.sensitive) else list(self.sensitive)
        return sorted({*named, *(t.name for t in self.toolbox.tools if traits_of(self.toolbox, t.name).sensitive)})

    def must_ask(self, call: Call, guarded: Collection[str] = ()) -> bool:
        """Whether a person decides on this call. One that cannot be read, or names no tool, is never carried out.

        Args:
            call: about to be carried out.
            guarded: what the run was begun with.
        """
        if call.fault or all(call.tool != tool.name for tool in self.toolbox.tools):
            return False
        if call.tool in guarded or traits_of(self.toolbox, call.tool).sensitive:
            return True
        if callable(self.sensitive):
            return self.sensitive(call)
        # A function that the run was begun with cannot be stored: without it, nobody knows.
        return call.tool in self.sensitive or EVERY in guarded

    def carry_out(
        self, call: Call, *, key: str, journal: Journal | None, seconds: float, stop: threading.Event
    ) -> tuple[Call, Observation]:
        """A call that may be made, as it was carried out in the end, and what came back.

        What the journal says was begun is what happened, though a model may say something else when it is asked again.

        Args:
            key: names this call in this run; the same when a run that was killed comes here again.
            journal: where it is written down; None where nothing could be resumed.
            seconds: that the run has left.
            stop: set when the run is cancelled.

        Raises:
            GraphBubbleUp: LangGraph's: a person is asked, about the call or by its tool, which comes here again.
        """
        if journal is None:
            return call, self._invoke(call, key, seconds, stop)
        entry = journal.read(key)
        call = call if entry is None else entry.call
        if entry is not None and entry.observation is not None:
            return call, entry.observation
        asked = entry is not None and (entry.asked or not (entry.paused or self._repeatable(call)))
        if asked:
            reply = ApprovalDecision.of(interrupt(ApprovalRequest(why="unknown_outcome", call=call, key=key).stored()))
            if (told := told_instead(reply)) is not None:
                journal.end(key, call, told)
                return call, told
            if reply.arguments is not None:
                call = edited(call, reply.arguments)
        journal.begin(key, call, asked=asked)
        try:
            observation = self._invoke(call, key, seconds, stop)
        except BaseException as error:
            if bubbles_up(error):
                journal.begin(key, call, asked=asked, paused=True)
            raise
        if not stop.is_set():  # else nobody knows: the tool may still be at work
            journal.end(key, call, observation)
        return call, observation

    def _repeatable(self, call: Call) -> bool:
        traits = traits_of(self.toolbox, call.tool)
        return traits.repeatable or traits.takes_key

    def _invoke(self, call: Call, key: str, seconds: float, stop: threading.Event) -> Observation:
        """The toolbox's observation, or why there is none: a toolbox should not raise anything else, but one may."""

        def attempt() -> Observation:
            try:
                with under_key(key):
                    seen: object = self.toolbox.invoke(call)
            except BaseException as error:  # SystemExit too: a tool must not end the agent's program
                if bubbles_up(error):
                    raise
                return _failed(call, f"{type(error).__name__}: {one_line(str(error), limit=300)}")
            if isinstance(seen, Observation):
                return seen.model_copy(update={"text": writable(seen.text)})
            return _failed(call, f"its toolbox gave {type(seen).__name__} instead of an observation")

        with telemetry.execute_tool(call.tool, key) as span:
            try:
                observation = within(attempt, seconds=seconds, stop=stop)
            except TimeoutError:
                observation = _failed(call, "it gave no result before the time of the run was up")
            if not observation.ok:
                span.fail("tool_error")
        return observation


def edited(call: Call, arguments: Mapping[str, Any]) -> Call:
    """The call with a person's arguments, without the caller's words: the history holds what is carried out."""
    return call.model_copy(update={"arguments": arguments, "raw": ""})


def told_instead(reply: ApprovalDecision) -> Observation | None:
    """The observation in place of a call that a person refused or answered; None for one that is to be carried out."""
    if reply.action == "observed":
        return Observation(text=writable(reply.text))
    if reply.action == "refuse":
        why = one_line(writable(reply.text), limit=500)
        return Observation(text=f"{REFUSED}: {why}" if why else f"{REFUSED}.", ok=False)
    return None


def _failed(call: Call, why: str) -> Observation:
    return Observation(text=f"{call.tool} failed: {why}", ok=False)
