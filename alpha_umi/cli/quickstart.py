"""`alpha-umi quickstart`: the main job on the embedded world, in minutes on a laptop CPU.

Trains the `smoke` recipe on gym trajectories, compares Plan ACC before and after on held-out tasks, and lets the
trained agent answer one question while showing who speaks. What is already done is not done again.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from alpha_umi.roles import ROLES, Team, load_team

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alpha_umi.trajectory import Trajectory

RECIPE = "smoke"
HELD_OUT = 12
"""Gym tasks of the test split that Plan ACC is measured on."""

TEST_SEED = 7
CATEGORY, KIND = "time", "single"
"""The part of the gym that the recipe trains on: seven tools, one call each, can be learned in minutes."""

SHOWN = 3
ROOM = 80
"""Tokens a role may write while measured: the longest gym target has about 60."""

_HELP = """Train three roles on gym data, measure them, and answer a question: a few minutes on two CPU cores.

Example: alpha-umi quickstart

Run it again to see the same numbers at once; delete the folder to train anew.
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("quickstart", help=_HELP, short_help="Train, measure and ask a small team, in minutes.")(quickstart)


def quickstart(
    out: Path = typer.Option(Path("runs/quickstart"), help="Run folder."),
    tasks: int = typer.Option(HELD_OUT, min=1, help="Held-out tasks to measure on."),
    recipe_name: str = typer.Option(RECIPE, "--recipe", help="Train another recipe than the few-minute one."),
) -> None:
    """Train, measure, answer."""
    began = time.perf_counter()
    console, progress = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)
    from alpha_umi import gym
    from alpha_umi.training import glpft
    from alpha_umi.training.recipe import load_recipe

    recipe = load_recipe(recipe_name)
    held_out = list(gym.generate(tasks, seed=TEST_SEED, split="unseen_instructions", only=[CATEGORY], kinds=[KIND]))
    console.print(f"[bold]1[/]  Train a backbone, then planner, caller and summarizer from it ({recipe.base}).")
    glpft.train(recipe, out, resume=True)
    console.print(
        f"[bold]2[/]  Plan ACC on {len(held_out)} held-out gym tasks: does each step take the right decision?"
    )
    before = _measure(recipe.team, held_out, out / "before.json", progress)
    after = _measure(str(out), held_out, out / "after.json", progress)
    console.print(_compared(before, after))
    console.print("[bold]3[/]  The first of those tasks, answered by the three roles:")
    for task in held_out[:SHOWN]:
        _answer(out, task, console)
    console.print(f"\nDone in {time.perf_counter() - began:.0f} s. What next:")
    if shutil.which("alpha-umi") is None:
        activate = os.path.relpath(Path(sys.prefix) / "bin" / "activate")
        console.print(f"  . {activate}    (puts alpha-umi on the path)", markup=False)
    console.print(
        f'  alpha-umi run "How many days are there from 2024-03-01 to 2024-12-24?" --team {out} --tools gym:{CATEGORY}'
    )
    console.print(f"  alpha-umi train {RECIPE} --set data=gym:2000 --out runs/longer    (hours on a CPU)")


def _measure(team_name: str, held_out: Sequence[Trajectory], path: Path, console: Console) -> dict[str, Any]:
    """Static metrics of a team, from the file when they were measured before."""
    from alpha_umi.adapters import text_digest
    from alpha_umi.evaluation.points import decision_points
    from alpha_umi.evaluation.predict import predict
    from alpha_umi.evaluation.scorers import score
    from alpha_umi.models.teams import load_models

    key = text_digest([t.model_dump(mode="json") for t in held_out])
    if path.is_file() and (known := json.loads(path.read_text(encoding="utf-8")))["key"] == key:
        metrics: dict[str, Any] = known["metrics"]
        return metrics
    team = _brief(load_team(team_name))
    cases = list(decision_points(held_out))
    steps = sum(len(case.points) for case in cases)
    made = []
    batches = predict(cases, team=team, models=load_models(team))
    for batch in track(batches, f"predicting with {team.name}", total=steps, console=console, transient=True):
        made += batch
    metrics = score(made)
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"key": key, "metrics": metrics}), encoding="utf-8")
    part.replace(path)
    return metrics


def _brief(team: Team) -> Team:
    """The team with room for what gym steps need: an untrained model fills whatever it is given."""
    seats = {view.value: team.role(view) for view in ROLES}
    short = {
        name: role.model_copy(update={"generation": role.generation.model_copy(update={"max_new_tokens": ROOM})})
        for name, role in seats.items()
    }
    return team.model_copy(update=short)


def _compared(before: dict[str, Any], after: dict[str, Any]) -> Table:
    """Before and after with 95 % intervals."""
    table = Table("", "untrained", "trained", "n")
    for key, title in (("plan_acc", "Plan ACC"), ("act_em", "Act. EM"), ("arg_f1", "Arg. F1")):
        cells = [
            "-" if m[key]["value"] is None else "{value:.0%} [{low:.0%}, {high:.0%}]".format(**m[key])
            for m in (before, after)
        ]
        table.add_row(title, *cells, str(after[key]["n"]))
    return table


def _answer(team: Path, task: Trajectory, console: Console) -> None:
    """Let the agent answer a task, showing each role's words as they come."""
    from alpha_umi import gym
    from alpha_umi.agent.runner import Agent
    from alpha_umi.agent.state import Budget
    from alpha_umi.cli.run import Voice
    from alpha_umi.gym.verify import verify

    agent = Agent.from_team(team, tools=gym.task_toolbox(task), budget=Budget(max_steps=6, max_seconds=60))
    console.print(f"\nuser       {task.query}", markup=False)
    result = agent.run(task.query, on_event=Voice(console))
    verdict = verify(task, result.trajectory)
    console.print("checked    right" if verdict.passed else f"checked    wrong: {verdict.reason}", markup=False)
