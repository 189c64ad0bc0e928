"""Finished evaluations on disk, in the files that `alpha-umi evaluate` writes, with results that a test decides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alpha_umi.agent.state import Usage
from alpha_umi.evaluation.agentic.episodes import Episode, EpisodeLog
from alpha_umi.evaluation.agentic.metrics import summarize
from alpha_umi.evaluation.records import Origin
from alpha_umi.evaluation.static.decision_points import Prediction
from alpha_umi.evaluation.static.predictions import PredictionLog
from alpha_umi.evaluation.static.report import write_metrics
from alpha_umi.evaluation.static.scorers import score
from alpha_umi.trajectory import Decision, Tool, Trajectory


def origin(team: str, **more: str) -> Origin:
    return Origin(**{"team": team, "team_digest": team, "data": "shop@1:test", "data_digest": "d", **more})


def agent_evaluation(
    folder: Path, passed: Mapping[str, bool | str], *, taskset: str = "shop@1", tokens: int = 100, **more: Any
) -> Path:
    """A folder of `evaluate agent`. Of each task whether it passed, or its digest.

    It needs as many calls as the number after its letter says, by default one.
    """
    episodes = [
        Episode(
            id=task,
            task=ok if isinstance(ok, str) else f"digest of {task}",
            kind="single",
            why="",
            gold_calls=int(found[1]) if (found := re.match(r"t(\d)-", task)) else 1,
            solvable=True,
            passed=bool(ok),
            code="ok" if ok else "wrong",
            reason="",
            seconds=2.0,
            usage={"planner": Usage(calls=1, encoded_tokens=tokens - 10, completion_tokens=10)},
            trajectory=Trajectory(id=task, query="?", tools=(Tool(name="add", description=""),)),
        ).model_copy(update=more)
        for task, ok in passed.items()
    ]
    with EpisodeLog(folder, origin(folder.name)) as log:
        log.append(episodes)
    write_metrics(folder, summarize(episodes) | {"taskset": taskset})
    return folder


def static_evaluation(folder: Path, plans: Mapping[str, Sequence[str]], *, reference: str = "conclusion") -> Path:
    """A folder of `evaluate static`: what the planner chose at each step of each trajectory."""
    predictions: list[Prediction] = []
    for name, chosen in plans.items():
        for step, choice in enumerate(chosen):
            predictions.append(
                Prediction(
                    n=len(predictions),
                    id=name,
                    step=step,
                    decision=Decision.GIVE_UP,
                    reference={"planner": f"I see ({reference}). Next: give up."},
                    tools=("add",),
                    predicted={"planner": f"I see. Next: {choice}."},
                    finish={"planner": "stop"},
                    encoded_tokens=40,
                    completion_tokens=10,
                    seconds=0.5,
                )
            )
    with PredictionLog(folder, origin(folder.name)) as log:
        log.append(predictions)
    write_metrics(folder, score(predictions, resamples=10))
    return folder
