"""`alpha-umi train`: run a recipe, or say what it would take."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from alpha_umi.errors import MissingExtra, UsageError
from alpha_umi.models.local.bases import resolve_base

if TYPE_CHECKING:
    from alpha_umi.training.cost_estimate import StagePlan
    from alpha_umi.training.recipe import Recipe


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("train", help=_HELP, short_help="Train a backbone, then each role from it.")(train)


_HELP = """Train a recipe's stages in order: the backbone, then each role from it.

Example: alpha-umi train glpft --data data/toolbench --out runs/first

The run folder is a team: alpha-umi run "QUESTION" --team runs/first
"""


def train(
    recipe: str = typer.Argument(help="Shipped recipe (see `alpha-umi list`) or a YAML file."),
    data: str = typer.Option(None, help="Folder made by `data convert`, or gym:N. Overrides the recipe's."),
    out: Path = typer.Option(None, help="Run folder. Default: runs/RECIPE."),
    stage: str = typer.Option(None, help="Train this stage only."),
    set_: list[str] = typer.Option([], "--set", help="Override a value: --set stages.planner.epochs=2"),
    resume: bool = typer.Option(False, "--resume", help="Continue a stopped run at its last checkpoint."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Print rows, tokens, steps and memory; train nothing."),
    as_json: bool = typer.Option(False, "--json", help="Print the plan or the result as JSON."),
) -> None:
    """Train a recipe."""
    from alpha_umi.training.recipe import load_recipe

    overrides = [*set_, *([f"data={json.dumps(data)}"] if data is not None else [])]
    loaded = load_recipe(recipe, overrides=overrides)
    if stage is not None and stage not in loaded.stages:
        raise UsageError(f"the recipe '{loaded.name}' has no stage '{stage}', only {', '.join(loaded.stages)}")
    with suppress(MissingExtra):  # said below, of the whole extra
        resolve_base(loaded.base)  # a base that is not there is said before torch is imported, which takes seconds
    if dry_run:
        _dry_run(loaded, as_json=as_json)
        return
    from alpha_umi.training import distributed, glpft

    folder = glpft.train(loaded, out or Path("runs") / loaded.name, stage=stage, resume=resume)
    if distributed.is_first():
        if as_json:
            typer.echo(json.dumps({"team": str(folder)}))
        else:
            typer.echo(_what_next(folder, loaded))


def _what_next(folder: Path, recipe: Recipe) -> str:
    from alpha_umi.resources import TEAM_FILE
    from alpha_umi.training.run_folder import is_finished

    if (folder / TEAM_FILE).is_file():
        return f'team: {folder}\nnext: alpha-umi run "QUESTION" --team {folder}'
    if left := [name for name in recipe.stages if not is_finished(folder, name)]:
        return f"run: {folder}\nstages left: {', '.join(left)}"
    return f"run: {folder}\nno team yet: no stage of '{recipe.name}' speaks as {', '.join(recipe.unfilled())}"


def _dry_run(recipe: Recipe, *, as_json: bool) -> None:
    from alpha_umi.training.cost_estimate import plan
    from alpha_umi.training.dataset import prepare_data

    with tempfile.TemporaryDirectory() as scratch:
        data = prepare_data(recipe, Path(scratch))
        plans = plan(recipe, data, Path(scratch) / "rows")
    if as_json:
        typer.echo(json.dumps({"recipe": recipe.name, "stages": [asdict(p) for p in plans]}))
    else:
        _show(recipe, plans)


def _start(recipe: Recipe, stage: StagePlan) -> str:
    warm = recipe.warm_start is not None and stage.method == "lora"
    return f"{stage.start} + {recipe.warm_start}" if warm else stage.start


def _show(recipe: Recipe, plans: list[StagePlan]) -> None:
    from alpha_umi.training.stages import SFT

    console = Console(highlight=False)
    console.print(f"{recipe.name}: {recipe.layout.name} layout on {recipe.base}", style="italic")
    table = Table("stage")
    for i, p in enumerate(plans, 1):
        table.add_column(f"{i} {p.name}", justify="right")
    lines = {
        "continues from": [_start(recipe, p) for p in plans],
        "learns": [", ".join(p.roles) for p in plans],
        "method": [p.method for p in plans],
        "trainer": [p.trainer if any(other.trainer != SFT for other in plans) else "" for p in plans],
        "trajectories": [f"{p.trajectories:,}" for p in plans],
        "rows": [f"{p.rows:,}" for p in plans],
        "longest row": [f"{p.longest:,}" for p in plans],
        "tokens": [f"{p.tokens:,}" for p in plans],
        "context tokens": [f"{p.context_tokens:,}" if p.context_tokens else "" for p in plans],
        "trained tokens": [f"{p.trained_tokens:,}" for p in plans],
        "targets": [f"{p.targets:,}" for p in plans],
        "rows an update": [f"{p.batch_size:,}" for p in plans],
        "targets an update": [f"{p.batch_targets:,.1f}" for p in plans],
        "updates": [f"{p.steps:,}" for p in plans],
        "peak memory": [f"~{p.memory_gib:.1f} GiB" for p in plans],
    }
    for title, cells in lines.items():
        if any(cells):
            table.add_row(title, *cells)
    console.print(table)
    for names in recipe.together(list(recipe.stages)):
        if len(names) > 1:
            console.print(f"{', '.join(names)} train together: the backbone encodes their context tokens once for all")
    for p in plans:
        if p.too_long:
            console.print(f"{p.name}: {p.too_long} targets do not fit {recipe.context} tokens and are left out")
