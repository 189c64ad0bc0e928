"""How far a long piece of work is: a bar on a terminal, and lines where nobody watches one."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Meter:
    """Counts what is done on stderr; in a pipe or a log file it prints a line at the start and for every tenth."""

    def __init__(self, what: str, *, total: int, done: int = 0, console: Console | None = None) -> None:
        self._what, self._total, self._done, self._first = what, total, done, done
        self._console = console or Console(stderr=True, highlight=False)
        self._begin = time.perf_counter()
        self._bar: Progress | None = None

    def __enter__(self) -> Meter:
        """Show it."""
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True)
            self._task = self._bar.add_task(self._what, total=self._total, completed=self._done)
            self._bar.start()
        else:
            self._line("")
        return self

    def advance(self, by: int = 1) -> None:
        """So much more is done."""
        before, self._done = self._done, self._done + by
        if self._bar is not None:
            self._bar.advance(self._task, by)
        elif 10 * before // max(self._total, 1) < 10 * self._done // max(self._total, 1):
            each = (time.perf_counter() - self._begin) / (self._done - self._first)
            self._line(f"  {each * (self._total - self._done):.0f} s left")

    def _line(self, more: str) -> None:
        self._console.print(f"{self._what}  {self._done}/{self._total}{more}", markup=False, soft_wrap=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
