"""`alpha-umi evaluate`: score a team, or predictions made before."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from alpha_umi.cli.progress import ProgressReporter
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.evaluation.static.scorers import SCORERS, STRICT

if TYPE_CHECKING:
    from alpha_umi.agent.search.strategies import Strategy
    from alpha_umi.agent.state import Budget
    from alpha_umi.evaluation.agentic.episodes import Episode, EpisodeLog
    from alpha_umi.evaluation.agentic.task_selection import ChosenTasks
    from alpha_umi.evaluation.records import Origin
    from alpha_umi.evaluation.static.decision_points import Case, Prediction
    from alpha_umi.evaluation.static.predict import ReadPlan
    from alpha_umi.evaluation.static.predictions import PredictionLog
    from alpha_umi.evaluation.static.scoring import Routing
    from alpha_umi.roles import Team

_A_DAY = 86_400.0

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
        str,
        typer.Option(
            help="strict repairs the published scripts; paper reproduces them; one that a package brings, or "
            "MODULE:ATTRIBUTE."
        ),
    ] = STRICT,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json instead of a table.")] = False,
) -> None:
    """Predict where needed, score, write, print."""
    from alpha_umi.evaluation.static.report import print_metrics, write_metrics
    from alpha_umi.evaluation.static.scorers import score

    rules = SCORERS.load(scorer)
    if predictions is not None:
        if data is not None or team is not None or limit is not None:
            raise UsageError("--predictions is scored as it is: leave out --data, --team and --limit")
        made, names = _read(predictions)
    elif data is None or team is None:
        raise UsageError("give --data and --team to evaluate a team, or --predictions to score what was predicted")
    else:
        made, names = _predict(data, team, out, limit, batch, rules.routing)
    metrics = score(made, scorer) | names
    write_metrics(out, metrics)
    if as_json:
        typer.echo(json.dumps(metrics, ensure_ascii=False))
    else:
        print_metrics(metrics, Console(highlight=False))


def _read(path: Path) -> tuple[list[Prediction], dict[str, Any]]:
    from alpha_umi.evaluation.records import read_origin
    from alpha_umi.evaluation.static.predictions import predictions_file, read_predictions

    predictions = read_predictions(path)
    origin = read_origin(predictions_file(path))
    return predictions, {"team": origin and origin.team, "data": origin and origin.data}


def _predict(
    data: Path, team_name: str, out: Path, limit: int | None, batch: int | None, routing: Routing
) -> tuple[list[Prediction], dict[str, Any]]:
    from alpha_umi.data import store
    from alpha_umi.evaluation.records import Origin, team_digest
    from alpha_umi.evaluation.static.decision_points import decision_points
    from alpha_umi.evaluation.static.predictions import PredictionLog
    from alpha_umi.team_files import load_team

    team = load_team(team_name)
    cases = list(islice(decision_points(store.read(data), reader=team.reader), limit))
    points = [p for case in cases for p in case.points]
    if not points:
        raise UsageError(f"{data}: none of its {len(cases)} trajectories holds a step to score")
    origin = Origin(
        team=team.name,
        team_digest=team_digest(team),
        data=str(data),
        data_digest=store.digest(data),
        settings="" if team.single else routing.name,
    )
    with PredictionLog(out, origin) as log:
        if any(p.n not in log.done for p in points):
            _fill(log, cases, team, batch, routing.read_plan)
        made = [log.done[p.n] for p in points]
    return made, {"team": team.name, "data": str(data)}


def _fill(log: PredictionLog, cases: list[Case], team: Team, batch: int | None, read_plan: ReadPlan) -> None:
    """Predict what the log lacks, and show on stderr how far it is."""
    from alpha_umi.evaluation.static.predict import BATCH, predict
    from alpha_umi.models.loading import load_models

    total = sum(len(case.points) for case in cases)
    done = sum(p.n in log.done for case in cases for p in case.points)
    models = load_models(team)
    width = batch or (1 if _keeps_caches(team) else BATCH)
    with ProgressReporter(f"predicting with {team.name}", total=total, done=done) as progress:
        for predictions in predict(
            cases, team=team, models=models, done=log.done.keys(), batch=width, read_plan=read_plan
        ):
            log.append(predictions)
            progress.advance(len(predictions))


def _keeps_caches(team: Team) -> bool:
    """Whether it speaks on this machine's CPU, where one trajectory at a time that keeps its caches is faster."""
    if not any(role.local for role in team.roles.values()):
        return False
    from alpha_umi.models.local.base_weights import default_device

    return default_device() != "cuda"


_AGENT_HELP = """Online evaluation: the team works on the tasks of a task set, each in its own world, and is judged.

Examples:

  alpha-umi evaluate agent --data gym:unseen_tools --team runs/gym --limit 50 --parallel 8 --out eval/tools

  alpha-umi evaluate agent --data my_tasks:SHOP:test --team default --out eval/shop     (SHOP in my_tasks.py)

Writes metrics.json and episodes.jsonl, a trajectory for each task. A run that was stopped continues when the same
command is given again. Exit 1 when the task set could not judge an episode: mend it and give the command again.
"""


@app.command("agent", help=_AGENT_HELP, short_help="Pass rate in live episodes, in the gym or on your own tasks.")
def agent(
    *,
    out: Annotated[Path, typer.Option(help="Folder for metrics.json and episodes.jsonl.")],
    data: Annotated[
        str,
        typer.Option(
            help="TASKSET:SPLIT (gym:unseen_tools; gym@1:... for that version), your own MODULE:ATTRIBUTE:SPLIT, or a "
            "folder made by `data convert gym`."
        ),
    ],
    team: Annotated[str, typer.Option(help="Shipped team, YAML file, or run folder.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N tasks.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the tasks that TASKSET:SPLIT makes.")] = 0,
    category: Annotated[
        str | None,
        typer.Option(help="gym: only tasks of these categories, a comma list; your own as MODULE:ATTRIBUTE."),
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Episodes side by side.")] = 8,
    search: Annotated[
        str, typer.Option(help="chain, react@N, dfsdt, dfs, one that a package brings, or MODULE:ATTRIBUTE.")
    ] = "chain",
    max_steps: Annotated[int, typer.Option(min=1, help="Steps that the team may take on one path.")] = 12,
    free: Annotated[
        bool, typer.Option("--free", help="Let planner and caller write freely: hallucinated tools are measured so.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json instead of a table.")] = False,
) -> None:
    """Run, judge, write, print."""
    from alpha_umi.agent.search.strategies import named_search
    from alpha_umi.agent.state import Budget
    from alpha_umi.evaluation.agentic.episodes import EpisodeLog
    from alpha_umi.evaluation.agentic.metrics import rendered, summarize
    from alpha_umi.evaluation.agentic.task_selection import categories_of, choose_tasks
    from alpha_umi.evaluation.static.report import write_metrics
    from alpha_umi.tasks import label
    from alpha_umi.team_files import load_team

    strategy = named_search(search)
    chosen = load_team(team)
    if free:
        chosen = chosen.model_copy(update={"constrained": False})
    asked = choose_tasks(data, limit=limit, seed=seed, categories=category)
    # Steps and tokens end an episode: what is judged must not depend on how fast the machine is.
    budget = Budget(max_steps=max_steps, max_seconds=_A_DAY)
    with EpisodeLog(out, _origin(asked, chosen, search, max_steps)) as log:
        log.rescore(asked.tasks, asked.taskset)
        if log.remaining(asked.tasks):
            _run_missing(log, asked, chosen, budget, strategy, parallel)
        episodes = [log.done[task.id] for task in asked.tasks]
    metrics = (
        summarize(episodes)
        | {"team": chosen.name, "data": asked.data, "taskset": label(asked.taskset)}
        | {"categories": categories_of(asked.taskset), "search": search}
        | {"seed": asked.seed, "constrained": chosen.constrained}
    )
    write_metrics(out, metrics)
    if as_json:
        typer.echo(json.dumps(metrics, ensure_ascii=False))
    else:
        Console(highlight=False).print(rendered(metrics))
    if unscored := metrics["unscored"]:
        first = next(f"'{name}': {reason}" for name, reason in unscored.items())
        raise WorkError(
            f"{label(asked.taskset)} could not judge {len(unscored)} of {len(episodes)} episodes, first {first}; they "
            f"are kept in {log.path}: give the command again when it can"
        )


def _origin(asked: ChosenTasks, team: Team, search: str, max_steps: int) -> Origin:
    """What must be the same for episodes to be continued."""
    from alpha_umi.evaluation.records import Origin, team_digest
    from alpha_umi.tasks import label

    written = "constrained" if team.constrained else "free"
    return Origin(
        team=team.name,
        team_digest=team_digest(team),
        data=asked.data,
        data_digest=asked.digest,
        settings=f"{search}, steps {max_steps}, {written}, {label(asked.taskset)}",
    )


def _run_missing(
    log: EpisodeLog, asked: ChosenTasks, team: Team, budget: Budget, search: Strategy, parallel: int
) -> None:
    """Let the team work on what the log lacks, and show on stderr how far it is."""
    from alpha_umi.evaluation.agentic.episodes import run_episodes
    from alpha_umi.models.loading import load_models

    remaining = log.remaining(asked.tasks)
    done = len(asked.tasks) - len(remaining)
    with ProgressReporter(f"{team.name} at work", total=len(asked.tasks), done=done, at_once=True) as progress:

        def on_done(episode: Episode) -> None:
            log.append([episode])
            progress.advance()

        run_episodes(
            remaining,
            asked.taskset,
            team=team,
            models=load_models(team),
            budget=budget,
            search=search,
            parallel=parallel,
            on_done=on_done,
        )
