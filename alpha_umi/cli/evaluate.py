"""`alpha-umi evaluate`: score a team, or predictions made before."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from alpha_umi.cli.meter import Meter
from alpha_umi.errors import UsageError
from alpha_umi.evaluation.scorers import Scorer

if TYPE_CHECKING:
    from alpha_umi.agent.state import Budget
    from alpha_umi.agent.strategies import Strategy
    from alpha_umi.evaluation.episodes import Episode, EpisodeLog
    from alpha_umi.evaluation.points import Case, Prediction
    from alpha_umi.evaluation.predict import ReadPlan
    from alpha_umi.evaluation.predictions import PredictionLog
    from alpha_umi.roles import Team
    from alpha_umi.trajectory import Trajectory

_A_DAY = 86_400.0
_PUBLISHED = "roles asked by the published rule"

app = typer.Typer(help="Measure a team.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _evaluate() -> None:
    """Measure a team."""


_STATIC_HELP = """Teacher-forced static evaluation, step by step: Plan ACC, Act. EM, Hallu., Arg. F1, R-L.

Example: alpha-umi evaluate static --data data/test --team runs/first --out eval/first

With --scorer paper the planner's words lead to the next role as in the paper's scripts; such predictions are not mixed
with others. A run that was stopped continues when the same command is given again. Scoring alone needs no model:
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
        made, names = _predict(data, team, out, limit, batch, scorer)
    metrics = score(made, scorer) | names
    write_metrics(out, metrics)
    if as_json:
        typer.echo(json.dumps(metrics, ensure_ascii=False))
    else:
        print_metrics(metrics, Console(highlight=False))


def _read(path: Path) -> tuple[list[Prediction], dict[str, Any]]:
    from alpha_umi.evaluation.predictions import predictions_file, read_predictions
    from alpha_umi.evaluation.records import read_origin

    predictions = read_predictions(path)
    origin = read_origin(predictions_file(path))
    return predictions, {"team": origin and origin.team, "data": origin and origin.data}


def _predict(
    data: Path, team_name: str, out: Path, limit: int | None, batch: int | None, scorer: Scorer
) -> tuple[list[Prediction], dict[str, Any]]:
    from alpha_umi.data import store
    from alpha_umi.evaluation.paper_scorer import published_plan
    from alpha_umi.evaluation.points import decision_points
    from alpha_umi.evaluation.predictions import PredictionLog
    from alpha_umi.evaluation.records import Origin, team_digest
    from alpha_umi.grammar import parse_plan
    from alpha_umi.roles import load_team

    team = load_team(team_name)
    cases = list(islice(decision_points(store.read(data)), limit))
    points = [p for case in cases for p in case.points]
    if not points:
        raise UsageError(f"{data}: none of its {len(cases)} trajectories holds a step to score")
    published = scorer is Scorer.PAPER and not team.single
    origin = Origin(
        team=team.name,
        team_digest=team_digest(team),
        data=str(data),
        data_digest=store.digest(data),
        settings=_PUBLISHED if published else "",
    )
    with PredictionLog(out, origin) as log:
        if any(p.n not in log.done for p in points):
            _fill(log, cases, team, batch, published_plan if published else parse_plan)
        made = [log.done[p.n] for p in points]
    return made, {"team": team.name, "data": str(data)}


def _fill(log: PredictionLog, cases: list[Case], team: Team, batch: int | None, read_plan: ReadPlan) -> None:
    """Predict what the log lacks, and show on stderr how far it is."""
    from alpha_umi.evaluation.predict import BATCH, predict
    from alpha_umi.models.loading import load_models
    from alpha_umi.models.local import default_device

    total = sum(len(case.points) for case in cases)
    done = sum(p.n in log.done for case in cases for p in case.points)
    models = load_models(team)
    width = batch or (BATCH if default_device() == "cuda" else 1)
    with Meter(f"predicting with {team.name}", total=total, done=done) as meter:
        for predictions in predict(
            cases, team=team, models=models, done=log.done.keys(), batch=width, read_plan=read_plan
        ):
            log.append(predictions)
            meter.advance(len(predictions))


_AGENT_HELP = """Online evaluation in the gym: the team works on tasks in isolated worlds and is judged by execution.

Example: alpha-umi evaluate agent --data gym:unseen_tools --team runs/gym --limit 50 --parallel 8 --out eval/tools

Writes metrics.json and episodes.jsonl, a trajectory for each task. A run that was stopped continues when the same
command is given again.
"""


@app.command("agent", help=_AGENT_HELP, short_help="Pass rate in live episodes of the gym.")
def agent(
    *,
    out: Annotated[Path, typer.Option(help="Folder for metrics.json and episodes.jsonl.")],
    data: Annotated[str, typer.Option(help="gym:SPLIT, or a folder made by `data convert gym`.")],
    team: Annotated[str, typer.Option(help="Shipped team, YAML file, or run folder.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N tasks.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the tasks that gym:SPLIT makes.")] = 0,
    category: Annotated[
        str | None, typer.Option(help="Only tasks of these categories, a comma list; your own as MODULE:ATTRIBUTE.")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Episodes side by side.")] = 8,
    search: Annotated[str, typer.Option(help="chain, react@N, dfsdt, or dfs.")] = "chain",
    max_steps: Annotated[int, typer.Option(min=1, help="Steps that the team may take on one path.")] = 12,
    free: Annotated[
        bool, typer.Option("--free", help="Let planner and caller write freely: hallucinated tools are measured so.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json instead of a table.")] = False,
) -> None:
    """Play, judge, write, print."""
    from alpha_umi.agent.state import Budget
    from alpha_umi.agent.strategies import named_search
    from alpha_umi.evaluation.episodes import EpisodeLog, gym_tasks
    from alpha_umi.evaluation.gym_metrics import rendered, summed_up
    from alpha_umi.evaluation.records import Origin, team_digest
    from alpha_umi.evaluation.report import write_metrics
    from alpha_umi.gym.registry import named
    from alpha_umi.gym.verify import VERIFIER
    from alpha_umi.roles import load_team

    only = [] if category is None else named(category)
    strategy = named_search(search)
    chosen = load_team(team)
    if free:
        chosen = chosen.model_copy(update={"constrained": False})
    tasks, digest = gym_tasks(data, limit=limit, seed=seed, only=only)
    # Steps and tokens end an episode: what is judged must not depend on how fast the machine is.
    budget = Budget(max_steps=max_steps, max_seconds=_A_DAY)
    origin = Origin(
        team=chosen.name,
        team_digest=team_digest(chosen),
        data=data,
        data_digest=digest,
        settings=f"{search}, steps {max_steps}, {'constrained' if chosen.constrained else 'free'}, verifier {VERIFIER}",
    )
    with EpisodeLog(out, origin) as log:
        if log.left_of(tasks):
            _play(log, tasks, chosen, budget, strategy, parallel)
        episodes = [log.done[task.id] for task in tasks]
    metrics = (
        summed_up(episodes)
        | {"team": chosen.name, "data": data, "categories": sorted(only), "search": search}
        | {"seed": seed if data.startswith("gym:") else None, "constrained": chosen.constrained}
    )
    write_metrics(out, metrics)
    if as_json:
        typer.echo(json.dumps(metrics, ensure_ascii=False))
    else:
        Console(highlight=False).print(rendered(metrics))


def _play(
    log: EpisodeLog, tasks: list[Trajectory], team: Team, budget: Budget, search: Strategy, parallel: int
) -> None:
    """Let the team work on what the log lacks, and show on stderr how far it is."""
    from alpha_umi.evaluation.episodes import run_episodes
    from alpha_umi.models.loading import load_models

    left = log.left_of(tasks)
    with Meter(f"{team.name} at work", total=len(tasks), done=len(tasks) - len(left), at_once=True) as meter:

        def on_done(episode: Episode) -> None:
            log.append([episode])
            meter.advance()

        run_episodes(
            left,
            team=team,
            models=load_models(team),
            budget=budget,
            search=search,
            parallel=parallel,
            on_done=on_done,
        )
