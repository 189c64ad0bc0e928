"""Rows of a shared layout -> batches in which roles train on their branches alone.

A branch is a tag and the target after it. It reads the conversation up to its tag, which the backbone encodes, and its
own tokens, which the role encodes; it sees nothing of other branches. The branches of a batch are packed one after the
other, those of a role together, without padding; only the conversations are padded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from alpha_umi.data.tokens import Row
from alpha_umi.nn.branch_attention import PackedBranch
from alpha_umi.roles import ROLES


def columns(row: Row, order: Sequence[str] = ROLES) -> dict[str, Any]:
    """A row as it is stored: `branches` holds (role, tag, words, end) for each, one after the other; roles are numbered
    in this order."""
    flat = [n for role, turn in row.branches for n in (order.index(role), turn.tag, turn.words, turn.end)]
    return {
        "input_ids": row.input_ids,
        "branches": flat,
        "targets": row.targets,
        "length": max(turn.tag for _, turn in row.branches),
    }


def collate(batch: Sequence[dict[str, Any]], *, pad_id: int) -> dict[str, torch.Tensor]:
    """Pack the branches and pad the conversations, on the right, up to the last tag of each.

    Returns:
        `context`, int64 (rows, longest context); `input_ids` and `positions` of the packed branches, int64 (tokens,);
        `spans`, int64 (branches, 6), each a `PackedBranch`, in the order of roles, rows and turns.
    """
    contexts = [row["input_ids"][: row["length"]] for row in batch]
    longest = max(map(len, contexts))
    found = sorted(
        (role, i, tag, words, end) for i, row in enumerate(batch) for role, tag, words, end in stored(row["branches"])
    )
    ids: list[int] = []
    positions: list[int] = []
    spans: list[PackedBranch] = []
    for role, i, tag, words, end in found:
        start = len(ids)
        ids += batch[i]["input_ids"][tag:end]
        positions += range(tag, end)
        spans.append(PackedBranch(role, i, tag, start, start + words - tag, len(ids)))
    return {
        "context": torch.tensor([ids + [pad_id] * (longest - len(ids)) for ids in contexts]),
        "input_ids": torch.tensor(ids),
        "positions": torch.tensor(positions),
        "spans": torch.tensor(spans).view(-1, len(PackedBranch._fields)),
    }


def stored(flat: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
    """(role, tag, words, end) of each branch of a stored row."""
    numbers = iter(flat)
    yield from zip(numbers, numbers, numbers, numbers, strict=True)
