"""Trajectory -> step-level examples: what a role read, and the text it is to write.

The messages are those of `prompts.conversations`, the same that the agent sends; this module only cuts them at each
target. Training uses whole rows instead (`tokens`); examples serve evaluation, other trainers and the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from alpha_umi.roles import OBSERVATION_CHARS, Role
from alpha_umi.text.layouts import Layout
from alpha_umi.text.prompts import Message, conversations
from alpha_umi.trajectory import Trajectory


class Example(NamedTuple):
    """A prompt and the text that a role is to write after it."""

    messages: tuple[Message, ...]
    """The prompt: system first, then user and assistant in turn, user last; in a raw layout one text."""
    completion: str
    role: str
    """The role that writes."""
    step: int
    """Index of the trajectory's step that the completion belongs to."""


def for_role(
    trajectory: Trajectory,
    *,
    role: str,
    layout: Layout,
    roles: Mapping[str, Role] | None = None,
    observation_chars: int = OBSERVATION_CHARS,
) -> list[Example]:
    """Every example that a trajectory holds for one role (or for `single`, whole steps), in order."""
    found = conversations(trajectory, role=role, layout=layout, roles=roles, observation_chars=observation_chars)
    return [
        Example(messages[: target.message], messages[target.message].content, role, target.step)
        for messages, targets, _ in found
        for target in targets
        if target.role == role
    ]
