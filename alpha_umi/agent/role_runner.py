"""Runs a role: fits its prompt to the context, checks the budget, constrains what is decoded, adds up its usage."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from langgraph.config import get_stream_writer

from alpha_umi.agent import telemetry
from alpha_umi.agent.events import Restarted, Token
from alpha_umi.agent.run_state import RunState
from alpha_umi.agent.state import StopReason
from alpha_umi.backends import Generation
from alpha_umi.models.protocol import Completion, Message, Model, Request, session_of
from alpha_umi.roles import Role, Team, Writes
from alpha_umi.text.context_window import fit_to_context
from alpha_umi.text.output_format import without_thought
from alpha_umi.text.output_grammar import Constraint, call_of, choice_of
from alpha_umi.tools.protocol import writable

_LETTER = 4
"""Tokens in which a comparison must name its letter."""


@dataclass(frozen=True, kw_only=True)
class RoleRunner:
    """A team with its models."""

    team: Team
    models: Mapping[str, Model]

    def ask(self, role: Role, run: RunState, stop: threading.Event) -> Completion | None:
        """One completion of a role; None when a budget forbade or ended it, which is then recorded."""
        name = role.name
        if reason := run.spent():
            run.run_out(reason)
            return None
        model = self.models[role.name]
        fitted = fit_to_context(
            run.trajectory,
            role=name,
            layout=self.team.layout,
            roles=self.team.roles,
            ask=name,
            follow_up=None if run.draft is not None else run.prompt,
            observation_chars=self.team.observation_chars,
            count=model.count_tokens,
            max_prompt_tokens=model.context_length - role.generation.max_new_tokens,
        )
        if fitted is None:
            run.end_path(StopReason.CONTEXT)
            return None
        write = get_stream_writer()
        completion = self._complete(
            role,
            run,
            stop,
            messages=fitted.conversation.messages,
            generation=role.generation,
            constraint=self._constraint(role, run),
            session=session_of(run.session, name, self.team.layout),
            on_text=lambda text: write(Token(role=name, text=text)),
            on_restart=lambda: write(Restarted(role=name)),
        )
        if completion is not None and completion.finish_reason == "context":
            run.end_path(StopReason.CONTEXT)
            return None
        return completion and _said(completion, name, run)

    def compare(self, text: str, run: RunState, stop: threading.Event) -> Completion | None:
        """A letter from whoever plans; None when a budget forbade it, which is then recorded."""
        role = self.team.planner
        if reason := run.spent():
            run.run_out(reason)
            return None
        letter = role.generation.model_copy(update={"max_new_tokens": _LETTER})
        messages = [Message(role="text" if self.team.layout.raw else "user", content=text)]
        completion = self._complete(role, run, stop, messages=messages, generation=letter)
        return completion and _said(completion, role.name, run)

    def release(self, session: str) -> None:
        """Let every model forget an episode, whatever one of them raises."""
        with ExitStack() as stack:
            held = {(id(m), session_of(session, role, self.team.layout)): m for role, m in self.models.items()}
            for (_, name), model in held.items():
                stack.callback(model.release, name)

    def _complete(
        self,
        role: Role,
        run: RunState,
        stop: threading.Event,
        *,
        generation: Generation,
        **request: Any,
    ) -> Completion | None:
        started = time.monotonic()
        with telemetry.chat(role.model_name, role.name, generation) as span:
            completion = self.models[role.name].complete(
                Request(generation=generation, should_stop=lambda: stop.is_set() or run.seconds_left <= 0, **request)
            )
            telemetry.said(span, completion)
        run.charge(role.name, completion, seconds=time.monotonic() - started)
        if completion.finish_reason == "cancelled":
            run.run_out(StopReason.SECONDS)
            return None
        return completion.model_copy(update={"text": writable(completion.text)})

    def _constraint(self, role: Role, run: RunState) -> Constraint | None:
        """What a role may write; texts and whole turns are the model's own."""
        if not self.team.constrained or role.writes not in {Writes.CHOICE, Writes.CALL}:
            return None
        return call_of(run.task.tools) if role.writes is Writes.CALL else choice_of(role.markers.values())


def _said(completion: Completion, role: str, run: RunState) -> Completion:
    """A completion without what was thought aloud, which stays on the record and enters no prompt."""
    text, thought = without_thought(completion.text)
    if thought:
        run.think(role, thought)
    return completion.model_copy(update={"text": text})
