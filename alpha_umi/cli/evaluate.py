"""`alpha-umi evaluate`: score a team, or predictions made before."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from alpha_umi.errors import UsageError
from alpha_umi.evaluation.scorers import Scorer

if TYPE_CHECKING:
    from alpha_umi.evaluation.points import Case, Prediction
    from alpha_umi.evaluation.predictions import PredictionLog
    from alpha_umi.roles import Team

app = typer.Typer(help="Measure a team.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _evaluate() -> None:
    """Measure a team."""


_STATIC_HELP = """Teacher-forced static evaluation, step by step: Plan ACC, Act. EM, Hallu., Arg. F1, R-L.

Example: alpha-umi evaluate static --data data/test --team runs/first --out eval/first

A run that was stopped continues when the same command is given again. Scoring alone needs no model:
alpha-umi evaluate static --predictions eval/first/predictions.jsonl --scorer paper --out eval/first-paper
"""


@app.command("static", help=_STATIC_HELP, short_help="Teacher-forced metrics of each role.")
def static(
    *,
    out: Annotated[Path, typer.Option(help="Folder for metrics.json and predictions.jsonl.")],
    data: Annotated[Path | None, typer.Option(help="Folder made by `data convert`.")] = None,
    team: Annotated[str | None, typer.Option(help="Shipped team, YAML file, or run folder.")] = None,
    predictions: Annotated[Path | None, typer.Option(help="Score these predictions; no model is loaded.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N trajectories.")] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1, help="Trajectories side by side. Default: 16 on a GPU; 1 on a CPU, which keeps its caches."
        ),
    ] = None,
    scorer: Annotated[
        Scorer, typer.Option(help="strict repairs the published scripts; paper reproduces them.")
    ] = Scorer.STRICT,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json instead of a table.")] = False,
) -> None:
    """Predict where needed, score, write, print."""
    from alpha_umi.evaluation.report import print_metrics, write_metrics
    from alpha_umi.evaluation.scorers import score

    if predictions is not None:
        if data is not None or team is not None or limit is not None:
            raise UsageError("--predictions is scored as it is: leave out --data, --team and --limit")
        made, names = _read(predictions)
    elif data is None or team is None:
        raise UsageError("give --data and --team to evaluate a team, or --predictions to score what was predicted")
    else:
        made, names = _predict(data, team, out, limit, batch)
    metrics = score(made, scorer) | names
    write_metrics(out, metrics)
    if as_json:
        typer.echo(json.dumps(metrics, ensure_ascii=False))
    else:
        print_metrics(metrics, Console(highlight=False))


def _read(path: Path) -> tuple[list[Prediction], dict[str, Any]]:
    from alpha_umi.evaluation.predictions import read_origin, read_predictions

    predictions = read_predictions(path)
    origin = read_origin(path)
    return predictions, {"team": origin and origin.team, "data": origin and origin.data}


def _predict(
    data: Path, team_name: str, out: Path, limit: int | None, batch: int | None
) -> tuple[list[Prediction], dict[str, Any]]:
    from alpha_umi.data import store
    from alpha_umi.evaluation.points import decision_points
    from alpha_umi.evaluation.predictions import Origin, PredictionLog, team_digest
    from alpha_umi.roles import load_team

    team = load_team(team_name)
    cases = list(islice(decision_points(store.read(data)), limit))
    points = [p for case in cases for p in case.points]
    if not points:
        raise UsageError(f"{data}: none of its {len(cases)} trajectories holds a step to score")
    origin = Origin(team=team.name, team_digest=team_digest(team), data=str(data), data_digest=store.digest(data))
    with PredictionLog(out, origin) as log:
        if any(p.n not in log.done for p in points):
            _fill(log, cases, team, batch)
        made = [log.done[p.n] for p in points]
    return made, {"team": team.name, "data": str(data)}


def _fill(log: PredictionLog, cases: list[Case], team: Team, batch: int | None) -> None:
    """Predict what the log lacks, with a progress bar on stderr."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from alpha_umi.evaluation.predict import BATCH, predict
    from alpha_umi.models.local import default_device, load_models

    stderr = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    shown = [TextColumn(c) if isinstance(c, str) else c for c in columns]
    total = sum(len(case.points) for case in cases)
    done = sum(p.n in log.done for case in cases for p in case.points)
    models = load_models(team)
    width = batch or (BATCH if default_device() == "cuda" else 1)
    with Progress(*shown, console=stderr, transient=True) as progress:
        task = progress.add_task(f"predicting with {team.name}", total=total, completed=done)
        for predictions in predict(cases, team=team, models=models, done=log.done.keys(), batch=width):
            log.append(predictions)
            progress.advance(task, len(predictions))
