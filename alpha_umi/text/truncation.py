"""Truncation of long texts: observations, arguments, answers of an earlier turn."""

from __future__ import annotations


def cut_middle(text: str, limit: int) -> str:
    """Shorten a text to at most `limit` characters by dropping its middle and saying how much was dropped."""
    if len(text) <= limit:
        return text
    mark = f" [... {len(text) - limit} characters cut ...] "
    if len(mark) >= limit:
        return text[:limit]
    keep = limit - len(mark)
    tail = keep // 3
    return text[: keep - tail] + mark + (text[-tail:] if tail else "")
