"""Progress of long work: a bar on a terminal, and lines where none can move (a pipe, a file, TERM=dumb)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from alpha_umi.pace import Pace

EVERY = 1.0
"""Seconds after which it is seen whether a line is due although nothing got done."""


def can_move(console: Console) -> bool:
    """Whether what was written on a console can be written over."""
    return console.is_terminal and not console.is_dumb_terminal


@contextmanager
def waiting(what: str, console: Console | None = None) -> Iterator[None]:
    """Say on stderr what is going on while there is nothing to count."""
    console = console or Console(stderr=True, highlight=False)
    if can_move(console):
        with console.status(what):
            yield
    else:
        console.print(what, markup=False, soft_wrap=True)
        yield


class ProgressReporter:
    """Counts what is done on stderr; without a terminal it prints lines at a pace, also while nothing gets done."""

    def __init__(
        self, what: str, *, total: int, done: int = 0, at_once: bool = False, console: Console | None = None
    ) -> None:
        self._what, self._total, self._done = what, total, done
        self._console = console or Console(stderr=True, highlight=False)
        self._pace, self._at_once = Pace(total, done, at_once=at_once), at_once
        self._bar: Progress | None = None
        self._lock, self._over = threading.Lock(), threading.Event()

    def __enter__(self) -> ProgressReporter:
        """Show it."""
        if can_move(self._console):
            columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
            rest = [] if self._at_once else [TimeRemainingColumn()]
            self._bar = Progress(*columns, *rest, console=self._console, transient=True)
            self._task = self._bar.add_task(self._what, total=self._total, completed=self._done)
            self._bar.start()
        else:
            self._line("")
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def advance(self, by: int = 1) -> None:
        """So much more is done."""
        with self._lock:
            self._done += by
        self._show()

    def reach(self, done: int) -> None:
        """So much is done in all; nothing where that is no news."""
        with self._lock:
            news, self._done = done - self._done, max(done, self._done)
        if news > 0:
            self._show()

    def _show(self) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)
            return
        with self._lock:
            if self._pace.is_due(self._done):
                self._line(f"  {self._pace.remaining(self._done)}")

    def _watch(self) -> None:
        """A line now and then while nothing gets done."""
        while not self._over.wait(EVERY):
            self._show()

    def _line(self, more: str) -> None:
        self._console.print(f"{self._what}  {self._done}/{self._total}{more}", markup=False, soft_wrap=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the bar away."""
        self._over.set()
        if self._bar is not None:
            self._bar.stop()
