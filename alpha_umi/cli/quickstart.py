"""`alpha-umi quickstart`: the main job on what ships with the package, in minutes and without a network.

Lets the shipped team answer three tasks of the gym before the user's eyes, then measures it beside the untrained base.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from alpha_umi.cli.beside import measured
from alpha_umi.cli.meter import waiting
from alpha_umi.models.loading import find_base
from alpha_umi.roles import DEFAULT_TEAM, ROLES, Team, load_team

if TYPE_CHECKING:
    from alpha_umi.models.base import Model
    from alpha_umi.prompts import View
    from alpha_umi.trajectory import Trajectory

UNTRAINED = "umi-shared"
SPLIT, SEED = "unseen_instructions", 1
HELD_OUT = 30
SHOWN = {"sequential": "Several steps", "recovery": "A call that fails at first", "unsolvable": "No solution"}
"""The kinds of task that are shown, and what each is there for."""

ROOM = 160
"""Tokens a role may write: the gym's targets have that many at most, and an untrained model fills what it is given."""

_HELP = """Watch the shipped team answer three questions, and measure it: a few minutes on two CPU cores.

Example: alpha-umi quickstart
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("quickstart", help=_HELP, short_help="Watch a small team answer, and measure it, in minutes.")(
        quickstart
    )


def quickstart(
    team_name: str = typer.Option(DEFAULT_TEAM, "--team", help="Shipped team, YAML file, or run folder."),
    tasks: int = typer.Option(HELD_OUT, min=1, help="Held-out tasks to measure on."),
) -> None:
    """Answer, measure, say what next."""
    began = time.perf_counter()
    console, progress = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)
    team, untrained = _brief(load_team(team_name)), _brief(load_team(UNTRAINED))
    find_base(team)
    from alpha_umi.evaluation.episodes import gym_tasks

    held_out, _ = gym_tasks(f"gym:{SPLIT}", limit=max(tasks, HELD_OUT), seed=SEED)
    console.print("[bold]1[/]  Three held-out tasks of the gym, the first of each kind, answered by")
    console.print(f"   the team '{team.name}' over {team.base}:")
    models = _loaded(team, progress)
    for kind, title in SHOWN.items():
        task = next((task for task in held_out if task.meta["kind"] == kind), None)
        if task is not None:
            console.print(f"\n[dim]{title}[/]")
            _answer(team, models, task, console)
    console.print(f"\n[bold]2[/]  How many of {tasks} such tasks pass, judged by execution (95 % intervals):")
    # Freely: under the grammar of the tools it goes on for eight steps of well-formed calls, and solves as little.
    untrained = untrained.model_copy(update={"constrained": False})
    console.print(_compared(*measured(untrained, team, models, held_out[:tasks], progress)))
    console.print(f"\nDone in {time.perf_counter() - began:.0f} s. What next:")
    if shutil.which("alpha-umi") is None:
        activate = os.path.relpath(Path(sys.prefix) / "bin" / "activate")
        console.print(f"  . {activate}    (puts alpha-umi on the path)", markup=False)
    console.print('  alpha-umi run "How many days are there from 2024-03-01 to 2024-12-24?"')
    console.print("  alpha-umi train smoke --out runs/first    (a team of your own: ten minutes on two CPU cores)")
    console.print("  alpha-umi train gym --out runs/gym        (the team above: hours on a CPU, minutes on a GPU)")


def _brief(team: Team) -> Team:
    """The team with room for what gym steps need."""
    short = {}
    for view in ROLES:
        role = team.role(view)
        generation = role.generation.model_copy(update={"max_new_tokens": ROOM})
        short[view.value] = role.model_copy(update={"generation": generation})
    return team.model_copy(update=short)


def _loaded(team: Team, console: Console) -> Mapping[View, Model]:
    with waiting(f"loading {team.name}", console):
        from alpha_umi.models.loading import load_models

        return load_models(team)


def _answer(team: Team, models: Mapping[View, Model], task: Trajectory, console: Console) -> None:
    """Let the agent work on a task, showing each role's words as they come."""
    from alpha_umi.agent.runner import Agent
    from alpha_umi.agent.state import Budget
    from alpha_umi.cli.voice import Voice
    from alpha_umi.gym.tasks import task_world
    from alpha_umi.gym.verify import verify

    toolbox, world = task_world(task)
    agent = Agent(team, models=models, toolbox=toolbox, budget=Budget(max_steps=8, max_seconds=60))
    console.print(f"user       {task.query}", markup=False)
    result = agent.run(task.query, on_event=Voice(console))
    verdict = verify(task, result.trajectory, world=world)
    console.print(f"checked    {'right' if verdict.passed else f'wrong: {verdict.reason}'}", markup=False)


def _compared(before: dict[str, Any], after: dict[str, Any]) -> Table:
    """Before and after with 95 % intervals."""
    table = Table("tasks", "untrained", "trained", "n")
    rows = {"pass_rate": "all", "pass_rate_solvable": "with a solution", "give_up_right": "without one"}
    for key, title in rows.items():
        cells = [
            "-" if m[key]["value"] is None else "{value:.0%} [{low:.0%}, {high:.0%}]".format(**m[key])
            for m in (before, after)
        ]
        table.add_row(title, *cells, str(after[key]["n"]))
    return table
