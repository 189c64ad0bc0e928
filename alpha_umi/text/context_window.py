"""Fits a conversation to a model's context window by truncation: observations are cut, tools and words never.

One function for prompts and, with `ask=None`, for whole training rows, so that both are cut alike. Knows no model: it
is given a way to count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from alpha_umi.roles import Role
from alpha_umi.text.layouts import Layout
from alpha_umi.text.prompts import Conversation, Message, observation_limits, render
from alpha_umi.trajectory import Trajectory


class FittedPrompt(NamedTuple):
    """A conversation that fits, and how far its observations were cut for it."""

    conversation: Conversation
    tokens: int
    observation_chars: int


def fit_to_context(
    trajectory: Trajectory,
    *,
    role: str,
    layout: Layout,
    roles: Mapping[str, Role] | None = None,
    ask: str | None,
    follow_up: str | None = None,
    observation_chars: int,
    count: Callable[[Sequence[Message]], int],
    max_prompt_tokens: int,
) -> FittedPrompt | None:
    """Render with the longest observations that leave at most `max_prompt_tokens` tokens; None when nothing fits."""
    for limit in observation_limits(observation_chars):
        conversation = render(
            trajectory,
            role=role,
            layout=layout,
            roles=roles,
            ask=ask,
            follow_up=follow_up,
            observation_chars=limit,
        )
        tokens = count(conversation.messages)
        if tokens <= max_prompt_tokens:
            return FittedPrompt(conversation, tokens, limit)
    return None
