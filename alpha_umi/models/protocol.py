"""The Model protocol: chat messages in, a Completion with token counts out.

One Model writes for one role. Everything an implementation may exploit across calls (a KV cache) hangs on
`Request.session`; everything a program may want to show while words appear goes through `Request.on_text`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from alpha_umi.backends import FinishReason, Generation
from alpha_umi.text.layouts import Layout
from alpha_umi.text.output_grammar import Constraint
from alpha_umi.text.prompts import Message
from alpha_umi.trajectory import Frozen

__all__ = ["Completion", "Generation", "Message", "Model", "Request", "estimated_tokens", "session_of"]

CHARS_PER_TOKEN = 3.0
"""What a prompt is taken to have when nobody counts it; short, so that it fits rather than not."""


def session_of(episode: str, role: str, layout: Layout) -> str:
    """The session of a role in an episode: one for all in `shared`; in `paper` one each, because there the roles'
    conversations share no beginning and roles that speak with the same weights would drive each other out."""
    return episode if layout.shared else f"{episode}/{role}"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One completion asked for."""

    messages: Sequence[Message]
    generation: Generation = field(default_factory=Generation)
    constraint: Constraint | None = None
    """What the completion has to be; None lets it be anything."""
    session: str = ""
    """Requests of one episode share a session; a model may keep a KV cache under it. Empty: keep nothing."""
    on_text: Callable[[str], None] | None = None
    """Called with each new piece of text, from the thread that generates."""
    on_restart: Callable[[], None] | None = None
    """Called when the text told so far is void, because it is written anew."""
    should_stop: Callable[[], bool] | None = None
    """Asked before every token; True ends generation with finish reason `cancelled`."""


class Completion(Frozen):
    """What a model wrote, and what it cost."""

    text: str
    prompt_tokens: int = 0
    """Length of the prompt."""
    encoded_tokens: int = 0
    """How many of them had to be encoded; the rest came from a cache."""
    completion_tokens: int = 0
    finish_reason: FinishReason = "stop"


class Model(Protocol):
    """Writes completions for one role."""

    context_length: int
    """Positions the model has: prompt and completion together must fit."""

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Length of the prompt that `complete` would encode for these messages."""
        ...

    def complete(self, request: Request) -> Completion:
        """Write the next assistant message."""
        ...

    def release(self, session: str) -> None:
        """Forget what was kept for a session."""
        ...


def estimated_tokens(messages: Sequence[Message]) -> int:
    """What a prompt is taken to have when nobody counts it."""
    return round(sum(len(message.content) for message in messages) / CHARS_PER_TOKEN) + 4 * len(messages)
