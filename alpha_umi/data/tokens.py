"""Trajectory -> training rows: token ids, and a label on every token that a role must learn to write.

One row holds all of a role's targets in one trajectory, because prompts extend one another (in a raw layout they do
not, and each target has a row of its own); each target ends in a trained end token. A trajectory that does not fit the
context is rendered with shorter observations exactly as the agent would render it at that step (`context_window`),
which splits its targets over several rows; tools are never cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from alpha_umi.errors import DataError
from alpha_umi.roles import OBSERVATION_CHARS, Role
from alpha_umi.text.chat_tokenizer import TurnTokens
from alpha_umi.text.encoders import Encoder
from alpha_umi.text.layouts import Layout
from alpha_umi.text.prompts import Conversation, Target, conversations, observation_limits
from alpha_umi.text.utterances import SINGLE
from alpha_umi.trajectory import Trajectory

IGNORED = -100
"""Label of a token that is read and not learned."""


class Branch(NamedTuple):
    """A target in a row: the role that writes it, its tag, and its words with their end token."""

    role: str
    turn: TurnTokens


@dataclass(frozen=True)
class Row:
    """One training sequence."""

    trajectory: str
    input_ids: list[int]
    labels: list[int]
    branches: tuple[Branch, ...]
    """Where its targets stand, in order."""

    @property
    def targets(self) -> int:
        """How many assistant messages are trained in it."""
        return len(self.branches)


@dataclass(frozen=True, kw_only=True)
class RowSettings:
    """How trajectories become rows; part of what makes two training runs the same."""

    learns: tuple[str, ...]
    layout: Layout
    context: int
    """Tokens that a prompt and its completion may take together."""
    reserve: Mapping[str, int]
    """Tokens kept free for each role's completion when deciding whether a prompt fits, as at inference."""
    observation_chars: int
    roles: Mapping[str, Role] | None = None
    """Who speaks; by default α-UMi's three."""


def rows(trajectory: Trajectory, settings: RowSettings, encoder: Encoder) -> Iterator[Row]:
    """The rows of one trajectory for the chosen roles. Targets that do not fit at all yield nothing.

    Raises:
        DataError: a plan cannot be written as a target.
    """
    together = settings.layout.shared and SINGLE not in settings.learns
    spoken = {settings.learns[0]: set(settings.learns)} if together else {role: {role} for role in settings.learns}
    for role, wanted in spoken.items():
        yield from _role_rows(trajectory, role, wanted, settings, encoder)


def count_targets(trajectory: Trajectory, settings: RowSettings) -> Counter[str]:
    """How many targets each role has in a trajectory, fitting or not.

    Raises:
        DataError: a plan cannot be written as a target.
    """
    roles = settings.learns[:1] if settings.layout.shared else settings.learns
    found = [t for role in roles for c in _rendered(trajectory, role, settings) for t in c.targets]
    return Counter(target.role for target in found if target.role in settings.learns)


def _role_rows(
    trajectory: Trajectory, role: str, wanted: Collection[str], settings: RowSettings, encoder: Encoder
) -> Iterator[Row]:
    """One row for each observation length at which some of the targets fit."""
    done: set[tuple[int, int]] = set()
    for limit in observation_limits(settings.observation_chars):
        left = False
        for i, conversation in enumerate(_rendered(trajectory, role, settings, limit)):
            open_targets = [t for t in conversation.targets if t.role in wanted and (i, t.message) not in done]
            fitting = _fitting(conversation, open_targets, settings, encoder) if open_targets else ()
            if fitting:
                done |= {(i, target.message) for target in fitting}
                yield _row(trajectory.id, conversation, fitting, encoder)
            left = left or len(fitting) < len(open_targets)
        if not left:
            return


def _rendered(
    trajectory: Trajectory, role: str, settings: RowSettings, observation_chars: int = OBSERVATION_CHARS
) -> list[Conversation]:
    try:
        return conversations(
            trajectory,
            role=role,
            layout=settings.layout,
            roles=settings.roles,
            observation_chars=observation_chars,
        )
    except ValueError as error:
        raise DataError(f"trajectory {trajectory.id!r}: {error}") from error


def _fitting(
    conversation: Conversation, targets: Sequence[Target], settings: RowSettings, encoder: Encoder
) -> Sequence[Target]:
    """The targets whose prompt leaves `reserve` tokens and that fit the context themselves."""
    whole = encoder.row(conversation.messages[: targets[-1].message + 1], trained=()).ids
    if len(whole) + max(settings.reserve[target.role] for target in targets) <= settings.context:
        return targets
    fitting = []
    for target in targets:
        prompt = encoder.prompt(conversation.messages[: target.message])
        written = encoder.row(conversation.messages[: target.message + 1], trained=()).ids
        if len(prompt) + settings.reserve[target.role] <= settings.context and len(written) <= settings.context:
            fitting.append(target)
    return fitting


def _row(name: str, conversation: Conversation, trained: Sequence[Target], encoder: Encoder) -> Row:
    messages = conversation.messages[: trained[-1].message + 1]
    ids, mask, turns = encoder.row(messages, trained={target.message for target in trained})
    labels = [i if learn else IGNORED for i, learn in zip(ids, mask, strict=True)]
    stands = dict(zip((i for i, m in enumerate(messages) if m.role == "assistant"), turns, strict=True))
    return Row(name, ids, labels, tuple(Branch(target.role, stands[target.message]) for target in trained))


def collate(batch: Sequence[dict[str, list[int]]], *, pad_id: int) -> dict[str, torch.Tensor]:
    """Pad rows on the right to the longest.

    Returns:
        `input_ids`, `labels` and `attention_mask`, each of shape (rows, longest row), int64.
    """
    longest = max(len(row["input_ids"]) for row in batch)

    def padded(values: list[int], fill: int) -> list[int]:
        return values + [fill] * (longest - len(values))

    return {
        "input_ids": torch.tensor([padded(row["input_ids"], pad_id) for row in batch]),
        "labels": torch.tensor([padded(row["labels"], IGNORED) for row in batch]),
        "attention_mask": torch.tensor([padded([1] * len(row["input_ids"]), 0) for row in batch]),
    }
