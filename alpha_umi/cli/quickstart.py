"""`alpha-umi quickstart`: the main job on what ships with the package, in minutes and without a network.

Lets the shipped team answer three tasks of the gym before the user's eyes, then measures it on as many more as take
about a minute, beside what it and the untrained base passed of such tasks when they were measured at length.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from alpha_umi.cli.progress import ProgressReporter, waiting
from alpha_umi.cli.starting import starting
from alpha_umi.models.loading import find_base
from alpha_umi.roles import DEFAULT_BASE, DEFAULT_TEAM, Team
from alpha_umi.team_files import load_team

if TYPE_CHECKING:
    from alpha_umi.evaluation.agentic.episodes import Episode
    from alpha_umi.models.protocol import Model
    from alpha_umi.tasks import Task, Taskset

SPLIT, SEED = "unseen_instructions", 1
MIN_TASKS, MAX_TASKS = 6, 20
"""Held-out tasks to measure on; between these as many as this machine works off in `MEASURING` seconds."""
MEASURING = 60
SHOWN = {"sequential": "Several steps", "recovery": "A call that fails at first", "unsolvable": "No solution"}
"""The kinds of task that are shown, and what each is there for."""

ROWS = {"pass_rate": "all", "pass_rate_solvable": "solvable", "give_up_right": "unsolvable"}
"""The metrics that are printed, and of which tasks they are."""

CARD = "roles/teams/default/README.md"
UNTRAINED = {"pass_rate": (4, 60), "pass_rate_solvable": (0, 50), "give_up_right": (4, 10)}
TRAINED = {"pass_rate": (26, 60), "pass_rate_solvable": (16, 50), "give_up_right": (10, 10)}
"""What the untrained base and the shipped team passed of other tasks of the split, as the team's card says; to measure
as much here would take longer than all the rest."""

ROOM = 160
"""Tokens a role may write: the gym's targets have that many at most."""

PATIENCE = 3600
"""Seconds a task may take: whether it comes out right must not depend on how fast the machine is."""

_HELP = """Watch the shipped team answer three questions, and measure it: a few minutes on two CPU cores.

Example: alpha-umi quickstart

Exit 0 when it was shown and measured. With --only-first, 0 when the answer is right and 1 when it is not.
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("quickstart", help=_HELP, short_help="Watch a small team answer, and measure it, in minutes.")(
        quickstart
    )


def quickstart(
    team_name: str = typer.Option(DEFAULT_TEAM, "--team", help="Shipped team, YAML file, or run folder."),
    tasks: int | None = typer.Option(
        None,
        min=1,
        help=f"Held-out tasks to measure on; left out, {MIN_TASKS} to {MAX_TASKS}, by how fast this machine is.",
    ),
    only_first: bool = typer.Option(
        False, "--only-first", help="Answer the first question and stop: does everything work here?"
    ),
) -> None:
    """Answer, measure, say what next."""
    began = time.perf_counter()
    console = Console(highlight=False, soft_wrap=True)
    team = _brief(load_team(team_name))
    find_base(team)
    with starting():
        from alpha_umi.evaluation.agentic.task_selection import choose_tasks
        from alpha_umi.models.loading import load_models
        from alpha_umi.tasks import load_taskset

        load_taskset("gym")  # where the gym is not installed, that is all there is to say
    with waiting(f"loading the team {team.name}"), starting():
        chosen = choose_tasks(f"gym:{SPLIT}", limit=max(tasks or 0, MAX_TASKS), seed=SEED)
        models = load_models(team)
    shown = [next(task for task in chosen.tasks if task.kind == kind) for kind in SHOWN]
    if only_first:
        if not _answer(team, models, shown[0], chosen.taskset, console):
            raise typer.Exit(1)
        return
    console.print("[bold]1[/]  Three held-out tasks of the gym, the first of each kind, answered by")
    console.print(f"   the team '{team.name}' over {team.base}:")
    asked = time.perf_counter()
    for task in shown:
        console.print(f"\n[dim]{SHOWN[task.kind]}[/]")
        _answer(team, models, task, chosen.taskset, console)
    n = tasks or _in_a_minute((time.perf_counter() - asked) / len(shown))
    console.print(f"\n[bold]2[/]  How many of {n} such tasks pass, judged by execution (95 % intervals):")
    known = {
        "untrained (card)": UNTRAINED if team.base == DEFAULT_BASE else None,
        "trained (card)": TRAINED if team_name == DEFAULT_TEAM else None,
    }
    before = {title: rates for title, rates in known.items() if rates is not None}
    console.print(_compared(_measured(team, models, chosen.tasks[:n], chosen.taskset), before))
    if before:
        console.print(f"   The card's numbers are of other tasks of the same split, see {CARD}")
    console.print(f"\nDone in {time.perf_counter() - began:.0f} s. What next:")
    _say_what_next(console)


def _in_a_minute(each: float) -> int:
    """How many tasks to measure on where one takes so many seconds alone; together they take less."""
    return min(MAX_TASKS, max(MIN_TASKS, int(MEASURING / each)))


def _say_what_next(console: Console) -> None:
    if shutil.which("alpha-umi") is None:
        activate = os.path.relpath(Path(sys.prefix) / "bin" / "activate")
        console.print(f"  . {activate}    (puts alpha-umi on the path)", markup=False)
    console.print('  alpha-umi run "How many days are there from 2024-03-01 to 2024-12-24?"')
    console.print("  alpha-umi train smoke --out runs/first    (a team of your own: ten minutes on two CPU cores)")
    console.print("  alpha-umi train gym --out runs/gym        (the team above: hours on a CPU, minutes on a GPU)")


def _brief(team: Team) -> Team:
    """The team with room for what gym steps need."""
    for name, role in team.roles.items():
        team = team.with_role(name, generation=role.generation.model_copy(update={"max_new_tokens": ROOM}))
    return team


def _answer(team: Team, models: Mapping[str, Model], task: Task, taskset: Taskset[Any], console: Console) -> bool:
    """Let the agent work on a task, showing each role's words as they come; whether it came out right."""
    from alpha_umi.agent.runner import Agent
    from alpha_umi.agent.state import Budget
    from alpha_umi.cli.console import EventPrinter
    from alpha_umi.evaluation.agentic.episodes import scored

    toolbox = taskset.toolbox(task)
    agent = Agent(team, models=models, toolbox=toolbox, budget=Budget(max_steps=8, max_seconds=PATIENCE))
    console.print(f"user       {task.query}", markup=False)
    result = agent.run(task.query, on_event=EventPrinter(console))
    verdict = scored(taskset, task, result.trajectory, toolbox)
    console.print(f"checked    {'right' if verdict.passed else f'wrong: {verdict.reason}'}", markup=False)
    return verdict.passed


def _measured(team: Team, models: Mapping[str, Model], tasks: Sequence[Task], taskset: Taskset[Any]) -> dict[str, Any]:
    """The metrics of a team on tasks, all at once."""
    from alpha_umi.agent.state import Budget
    from alpha_umi.evaluation.agentic.episodes import run_episodes
    from alpha_umi.evaluation.agentic.metrics import summarize

    episodes: list[Episode] = []
    with ProgressReporter(f"measuring {team.name}", total=len(tasks), at_once=True) as progress:

        def on_done(episode: Episode) -> None:
            episodes.append(episode)
            progress.advance()

        budget = Budget(max_steps=8, max_seconds=PATIENCE, max_faults=2, max_repeats=2)
        run_episodes(tasks, taskset, team=team, models=models, budget=budget, parallel=len(tasks), on_done=on_done)
    return summarize(episodes)


def _compared(metrics: Mapping[str, Any], before: Mapping[str, Mapping[str, tuple[int, int]]]) -> Table:
    """What the team passed, and beside it what the card says, as (passed, n) of each metric."""
    from alpha_umi.evaluation.statistics import wilson

    table = Table("tasks", *before, "trained (now)")
    for key, title in ROWS.items():
        cells = []
        for rates in before.values():
            passed, n = rates[key]
            low, high = wilson(passed, n)
            cells.append(_cell({"value": passed / n, "n": n, "low": low, "high": high}))
        table.add_row(title, *cells, _cell(metrics[key]))
    return table


def _cell(rate: Mapping[str, Any]) -> str:
    return (
        "none"
        if rate["value"] is None
        else "{:.0%} [{:.0f}, {:.0f}] of {}".format(rate["value"], 100 * rate["low"], 100 * rate["high"], rate["n"])
    )
