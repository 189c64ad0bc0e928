"""How far a long piece of work is, for a terminal and for a log file."""

from __future__ import annotations

import io
import itertools
import re
import time

import pytest
from rich.console import Console

from alpha_umi.cli.progress import ProgressReporter, waiting
from alpha_umi.pace import Pace


@pytest.mark.parametrize(("total", "done"), [(1, 0), (7, 0), (60, 0), (1000, 0), (60, 41)])
def test_a_log_file_gets_a_line_at_the_start_and_at_most_ten_more(total: int, done: int) -> None:
    stream = io.StringIO()
    with ProgressReporter("runs/[a] at work", total=total, done=done, console=Console(file=stream)) as progress:
        for _ in range(total - done):
            progress.advance()
    lines = stream.getvalue().splitlines()
    assert lines[0] == f"runs/[a] at work  {done}/{total}"
    assert lines[-1] == f"runs/[a] at work  {total}/{total}  0 s left"
    counts = [int(found[1]) for line in lines if (found := re.search(r"work  (\d+)/", line))]
    assert len(counts) == len(lines) <= 11
    assert counts == sorted(set(counts))
    if total >= 10:
        assert len(lines) == 1 + 10 - 10 * done // total


def test_work_that_comes_in_batches_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressReporter("predicting", total=40) as progress:
        for _ in range(4):
            progress.advance(10)
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.split()[1] for line in told.err.splitlines()] == ["0/40", "10/40", "20/40", "30/40", "40/40"]


def test_a_terminal_gets_a_bar_that_goes_when_the_work_is_done() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    with ProgressReporter("at work", total=2, console=console) as progress:
        progress.advance(2)
    shown = stream.getvalue()
    assert "at work" in shown
    assert "2/2" in shown
    assert shown.endswith("\x1b[2K"), "the last thing written erases the bar's line"


def test_a_dumb_terminal_gets_lines_that_steer_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True)
    with waiting("loading [it]", console), ProgressReporter("at work", total=2, console=console) as progress:
        progress.advance(2)
    assert stream.getvalue().splitlines() == ["loading [it]", "at work  0/2", "at work  2/2  0 s left"]


def test_a_terminal_shows_what_is_waited_for_and_takes_it_away() -> None:
    stream = io.StringIO()
    with waiting("loading it", Console(file=stream, force_terminal=True)):
        pass
    assert "loading it" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")


def test_a_count_may_be_told_as_a_whole() -> None:
    stream = io.StringIO()
    with ProgressReporter("at work", total=4, console=Console(file=stream)) as progress:
        for done in (0, 2, 2, 1, 4):
            progress.reach(done)
    assert [line.split()[2] for line in stream.getvalue().splitlines()] == ["0/4", "2/4", "4/4"]


class Clock:
    """Time that passes when told."""

    now = 1000.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("alpha_umi.pace.time", found)
    return found


def test_work_of_which_nothing_gets_done_is_heard_of(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """From the watching thread: nobody calls the meter meanwhile."""
    monkeypatch.setattr("alpha_umi.cli.progress.EVERY", 0.01)
    stream = io.StringIO()
    with ProgressReporter("at work", total=3, console=Console(file=stream)):
        clock.now += 11
        until = time.monotonic() + 20
        while "gone" not in stream.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
    assert stream.getvalue().splitlines() == ["at work  0/3", "at work  0/3  11 s gone"]


def test_a_day_of_work_takes_a_page_of_lines(clock: Clock) -> None:
    """The first minutes are told closely, a slow tenth now and then."""
    pace, told = Pace(100_000), []
    for second in range(24 * 3600):
        clock.now += 1
        if pace.is_due(second):
            told.append(second)
    assert told[0] < 11
    assert max(after - before for before, after in itertools.pairwise(told)) <= 24 * 360 + 1
    assert len(told) < 110


def test_what_is_worked_on_at_once_has_no_time_left_before_half_is_done(clock: Clock) -> None:
    """The first of twenty takes as long as most: times twenty it would be hours."""
    pace, one_by_one = Pace(20, at_once=True), Pace(20)
    clock.now += 100
    assert (pace.remaining(1), one_by_one.remaining(1)) == ("100 s gone", "1900 s left")
    assert (pace.remaining(9), pace.remaining(10)) == ("100 s gone", "100 s left")
