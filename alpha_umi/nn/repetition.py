"""Noticing that a model goes round in circles, whatever it writes in: token ids or pieces of text."""

from __future__ import annotations

from collections.abc import Sequence

REPEATS = 4
MIN_REPEATED = 32
"""A stretch counts as repeating itself when it stands four times in a row over at least 32 tokens."""


def repeats_itself(ids: Sequence[object], window: int) -> bool:
    """Whether the end of `ids` is one stretch of at most `window` tokens, four times or more, 32 tokens or more."""
    for period in range(1, window + 1):
        span = max(period * REPEATS, MIN_REPEATED)
        if len(ids) < span or ids[-1] != ids[-1 - period]:
            continue
        if all(ids[-k] == ids[-k - period] for k in range(1, span - period + 1)):
            return True
    return False
