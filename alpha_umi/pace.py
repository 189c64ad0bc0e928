"""When a long piece of work says how far it is to a log file or a pipe, where no bar can move."""

from __future__ import annotations

import time

_QUIET = 10.0
"""Seconds without a line after which one is due; later a tenth of the time that the work has taken."""


class Pace:
    """A line is due at each tenth of the work, and now and then while a tenth takes long."""

    def __init__(self, total: int, done: int = 0, *, at_once: bool = False) -> None:
        """Begin.

        Args:
            total: what there is to do.
            done: what is done already.
            at_once: whether it is all worked on side by side, so that the first to be done says little of the rest.
        """
        self._total, self._first, self._told, self._at_once = max(total, 1), done, done, at_once
        self._begin = self._last = time.perf_counter()

    def is_due(self, done: int) -> bool:
        """Whether to say now that so much is done; what was said once is not said again before something happened."""
        now = time.perf_counter()
        tenth = 10 * self._told // self._total < 10 * done // self._total
        if not tenth and now - self._last < max(_QUIET, (now - self._begin) / 10):
            return False
        self._told, self._last = done, now
        return True

    def remaining(self, done: int) -> str:
        """How long the rest will take at the speed so far, or how long the work has taken while nothing is done."""
        spent = time.perf_counter() - self._begin
        told = done - self._first
        if told <= 0 or (self._at_once and 2 * told < self._total - self._first):
            return f"{spent:.0f} s gone"
        return f"{spent / told * (self._total - done):.0f} s left"
