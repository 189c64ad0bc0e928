"""How far a long piece of work is, for a terminal and for a log file."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from alpha_umi.cli.meter import Meter


@pytest.mark.parametrize(("total", "done"), [(1, 0), (7, 0), (60, 0), (1000, 0), (60, 41)])
def test_a_log_file_gets_a_line_at_the_start_and_at_most_ten_more(total: int, done: int) -> None:
    stream = io.StringIO()
    with Meter("runs/[a] at work", total=total, done=done, console=Console(file=stream)) as meter:
        for _ in range(total - done):
            meter.advance()
    lines = stream.getvalue().splitlines()
    assert lines[0] == f"runs/[a] at work  {done}/{total}"
    assert lines[-1] == f"runs/[a] at work  {total}/{total}  0 s left"
    counts = [int(found[1]) for line in lines if (found := re.search(r"work  (\d+)/", line))]
    assert len(counts) == len(lines) <= 11
    assert counts == sorted(set(counts))
    if total >= 10:
        assert len(lines) == 1 + 10 - 10 * done // total


def test_work_that_comes_in_batches_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with Meter("predicting", total=40) as meter:
        for _ in range(4):
            meter.advance(10)
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.split()[1] for line in told.err.splitlines()] == ["0/40", "10/40", "20/40", "30/40", "40/40"]


def test_a_terminal_gets_a_bar_that_goes_when_the_work_is_done() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    with Meter("at work", total=2, console=console) as meter:
        meter.advance(2)
    shown = stream.getvalue()
    assert "at work" in shown
    assert "2/2" in shown
    assert shown.endswith("\x1b[2K"), "the last thing written erases the bar's line"
