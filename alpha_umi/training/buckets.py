"""Batches of rows of like length, in an order that depends on seed and epoch alone: a resumed run sees the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from torch.utils.data import Sampler

BUCKET = 50
"""Batches are formed among so many batches' worth of shuffled rows: alike in length, yet random in order. Of few rows
among a quarter of them, as transformers does, or each epoch would see the same batches."""


class LengthBuckets(Sampler[int]):
    """Row indices such that consecutive `batch` rows have like lengths; the order depends on seed and epoch alone."""

    def __init__(self, lengths: Sequence[int], *, batch: int, seed: int) -> None:
        self._lengths = lengths
        self._batch = batch
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch; the data loader calls it before each."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        source = random.Random(f"{self._seed} {self._epoch}")
        order = list(range(len(self._lengths)))
        source.shuffle(order)
        batches: list[list[int]] = []
        bucket = max(1, min(BUCKET, len(order) // (4 * self._batch))) * self._batch
        for start in range(0, len(order), bucket):
            near = sorted(order[start : start + bucket], key=lambda i: -self._lengths[i])
            batches += [near[i : i + self._batch] for i in range(0, len(near), self._batch)]
        # Only whole batches are shuffled: a short one in the middle would shift the rest out of their buckets.
        whole = [b for b in batches if len(b) == self._batch]
        source.shuffle(whole)
        for batch in [*whole, *(b for b in batches if len(b) < self._batch)]:
            yield from batch
