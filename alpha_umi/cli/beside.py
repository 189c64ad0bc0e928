"""Two teams measured on the same tasks of the gym at once, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress

from alpha_umi.errors import WorkError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.sharedctypes import Synchronized

    from alpha_umi.models.base import Model
    from alpha_umi.prompts import View
    from alpha_umi.roles import Team
    from alpha_umi.trajectory import Trajectory

PARALLEL = 30


def measured(
    untrained: Team, team: Team, models: Mapping[View, Model], tasks: Sequence[Trajectory], console: Console
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The metrics of two teams on tasks, with progress bars; the untrained one is at work in a process of its own.

    One process leaves cores idle: between two products of a small model there is as much to be done in Python.

    Raises:
        WorkError: the other process ended without a result.
    """
    import torch

    threads = torch.get_num_threads()
    half = max(1, threads // 2)
    with Progress(console=console, transient=True) as progress, Apart(untrained, tasks, half) as apart:
        bars = [progress.add_task(f"{each.name} at work", total=len(tasks)) for each in (team, untrained)]

        def on_done() -> None:
            progress.advance(bars[0])
            progress.update(bars[1], completed=apart.counted())

        torch.set_num_threads(half)
        try:
            after = _measure(team, models, tasks, on_done)
        finally:
            torch.set_num_threads(threads)
        while not apart.is_done(seconds=0.2):
            progress.update(bars[1], completed=apart.counted())
        return apart.metrics(), after


class Apart:
    """A team that is measured in another process, which ends with this one, however it ends."""

    def __init__(self, team: Team, tasks: Sequence[Trajectory], threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._name, self._counted = team.name, context.Value("i", 0)
        self._receiver, self._sender = context.Pipe(duplex=False)
        work = (team, tasks, threads, self._counted, self._sender)
        self._process = context.Process(target=_measure_apart, args=work, daemon=True)

    def __enter__(self) -> Apart:
        self._process.start()
        self._sender.close()  # so that the end of the other process is the end of what can be received
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def is_at_work(self) -> bool:
        """Whether its process lives."""
        return self._process.is_alive()

    def counted(self) -> int:
        """Tasks that are done.

        Raises:
            WorkError: it died, so that no more will be.
        """
        if not self.is_at_work and self._process.exitcode != 0:
            self.metrics()
        found: int = self._counted.value
        return found

    def is_done(self, *, seconds: float) -> bool:
        """Whether the metrics are there, or never will be."""
        return self._receiver.poll(seconds)

    def metrics(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._receiver.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            raise WorkError(f"measuring '{self._name}' ended with exit code {code}; is there memory for two?") from None
        return found


def _measure_apart(
    team: Team, tasks: Sequence[Trajectory], threads: int, counted: Synchronized[int], sender: Connection
) -> None:
    """Send a team's metrics; the work of the other process."""
    import torch

    from alpha_umi.models.loading import load_models

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)

    def on_done() -> None:
        counted.value += 1

    sender.send(_measure(team, load_models(team), tasks, on_done))


def _end_with_parent() -> None:
    """A quickstart that was killed leaves nobody at work."""
    if (first := multiprocessing.parent_process()) is not None:
        first.join()
        os._exit(1)


def _measure(
    team: Team, models: Mapping[View, Model], tasks: Sequence[Trajectory], on_done: Callable[[], None]
) -> dict[str, Any]:
    """The metrics of a team on tasks."""
    from alpha_umi.agent.state import Budget
    from alpha_umi.evaluation.episodes import Episode, run_episodes
    from alpha_umi.evaluation.gym_metrics import summed_up

    episodes: list[Episode] = []

    def keep(episode: Episode) -> None:
        episodes.append(episode)
        on_done()

    budget = Budget(max_steps=8, max_faults=2, max_repeats=2)
    run_episodes(tasks, team=team, models=models, budget=budget, parallel=PARALLEL, on_done=keep)
    return summed_up(episodes)
