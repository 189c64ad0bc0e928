"""A finished evaluation, read back to be compared: what it measured at each task or step, and what that cost.

Whatever could make a comparison wrong is refused here, by file and line: an evaluation that has not ended, a task
twice, a value that is no number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from alpha_umi.digests import text_digest
from alpha_umi.errors import DataError
from alpha_umi.evaluation.agentic.episodes import EPISODES, Episode
from alpha_umi.evaluation.records import Origin, R, read_lines, read_origin
from alpha_umi.evaluation.static.decision_points import Prediction
from alpha_umi.evaluation.static.predictions import PREDICTIONS
from alpha_umi.evaluation.static.report import METRICS_FILE
from alpha_umi.evaluation.static.scorers import SCORERS, STRICT
from alpha_umi.evaluation.statistics import Sample
from alpha_umi.resources import user_path

Kind = Literal["static", "agent"]
LOWER_IS_BETTER = frozenset({"hallucination", "failed_calls"})
"""Of the metrics of both kinds; of all others more is better."""
PASS_RATE = "pass_rate"


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """One run of one team over an evaluation's tasks or decision points."""

    kind: Kind
    folder: str
    origin: Origin
    judged_by: str
    """The scorer of a static evaluation; the task set and its version of an agent evaluation."""
    units: Mapping[str, str]
    """Task or step -> digest of what was asked there."""
    samples: Mapping[str, Sequence[Sample]]
    """Metric -> its values: fractions, one a step of its population, in clusters of a trajectory or task."""
    passed: Mapping[str, bool]
    """Whether each task was passed; of an agent evaluation."""
    depth: Mapping[str, int]
    """Calls that each task needs, where that is known; of an agent evaluation."""
    tokens: Mapping[str, int]
    """Encoded and written for each task or step."""
    seconds: float
    """Of all of them."""


def read_evaluation(folder: str | Path, *, scorer: str = STRICT) -> EvaluationResult:
    """Read what `evaluate static` or `evaluate agent` wrote.

    Args:
        folder: with `predictions.jsonl` or `episodes.jsonl`, and the `metrics.json` that says it has ended.
        scorer: by which predictions are judged.

    Raises:
        DataError: there is no evaluation, it has not ended or its last line is cut off, nothing says what it was made
            from, a task stands in it twice, a field is missing, or a value is no finite number.
        UsageError: there is no such scorer.
    """
    folder = user_path(folder)
    found: dict[Kind, Path] = {"static": folder / PREDICTIONS, "agent": folder / EPISODES}
    there = [kind for kind, file in found.items() if file.is_file()]
    if len(there) != 1:
        what = "both" if there else "neither"
        raise DataError(f"{folder} is no evaluation: it should hold {PREDICTIONS} or {EPISODES}, and holds {what}")
    file = found[there[0]]
    origin = read_origin(file)
    if origin is None:
        raise DataError(f"{file}: nothing beside it says which team and data it is of")
    metrics = _metrics(folder)
    if there[0] == "static":
        return _static(file, origin, scorer, metrics.get("n_points"))
    return _agent(file, origin, str(metrics.get("taskset")), metrics.get("n_episodes"))


def _metrics(folder: Path) -> dict[str, Any]:
    path = folder / METRICS_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{folder}: the evaluation has not ended: give its command again to finish it") from None
    except ValueError as error:
        raise DataError(f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{path} holds no metrics")
    return found


def _whole(file: Path, kind: type[R]) -> list[R]:
    """All records of a file.

    Raises:
        DataError: it is empty, or its last line is cut off.
    """
    records, end = read_lines(file, kind)
    if end < file.stat().st_size:
        raise DataError(f"{file} line {len(records) + 1} is cut off: give the evaluation's command again to finish it")
    if not records:
        raise DataError(f"{file} is empty")
    return records


def _count(file: Path, units: Mapping[str, str], expected: object) -> None:
    if expected != len(units):
        raise DataError(f"{file} holds {len(units)} results, and {METRICS_FILE} beside it is of {expected}")


def _static(file: Path, origin: Origin, scorer: str, expected: object) -> EvaluationResult:
    predictions = _whole(file, Prediction)
    units: dict[str, str] = {}
    tokens: dict[str, int] = {}
    for number, prediction in enumerate(predictions, 1):
        unit = f"{prediction.id} step {prediction.step}"
        if unit in units:
            raise DataError(f"{file} line {number}: '{unit}' stands there twice")
        units[unit] = text_digest([prediction.decision.value, dict(prediction.reference), list(prediction.tools)])
        tokens[unit] = prediction.encoded_tokens + prediction.completion_tokens
    _count(file, units, expected)
    rules = SCORERS.load(scorer)
    judged = rules.judge_all(predictions)
    samples = {name: [Sample(j.cluster, j.scores[name]) for j in judged if name in j.scores] for name in rules.metrics}
    return EvaluationResult(
        kind="static",
        folder=str(file.parent),
        origin=origin,
        judged_by=scorer,
        units=units,
        samples=_finite(file, samples),
        passed={},
        depth={},
        tokens=tokens,
        seconds=_sum(file, [prediction.seconds for prediction in predictions]),
    )


def _agent(file: Path, origin: Origin, taskset: str, expected: object) -> EvaluationResult:
    episodes: dict[str, Episode] = {}
    for number, episode in enumerate(_whole(file, Episode), 1):
        before = episodes.get(episode.id)
        if before is not None and before.scored and before.task == episode.task:  # else it was judged or run again
            raise DataError(f"{file} line {number}: the task '{episode.id}' stands there twice")
        episodes[episode.id] = episode
    if unscored := [name for name, episode in episodes.items() if not episode.scored]:
        raise DataError(f"{file}: {len(unscored)} episodes have no verdict, first of '{unscored[0]}'")
    units = {name: episode.task for name, episode in episodes.items()}
    _count(file, units, expected)
    return EvaluationResult(
        kind="agent",
        folder=str(file.parent),
        origin=origin,
        judged_by=taskset,
        units=units,
        samples=_finite(file, _agent_samples(episodes.values())),
        passed={name: episode.passed for name, episode in episodes.items()},
        depth={name: e.gold_calls for name, e in episodes.items() if e.gold_calls is not None and e.solvable},
        tokens={name: sum(used.tokens for used in e.usage.values()) for name, e in episodes.items()},
        seconds=_sum(file, [episode.seconds for episode in episodes.values()]),
    )


def _agent_samples(episodes: Iterable[Episode]) -> dict[str, list[Sample]]:
    """The metrics of `evaluate agent` by task: pass rates, and of the calls that name no tool or failed."""
    found: dict[str, list[Sample]] = {name: [] for name in (PASS_RATE, "pass_rate_basic", *sorted(LOWER_IS_BETTER))}
    for episode in episodes:
        found[PASS_RATE].append(Sample(episode.id, float(episode.passed)))
        if episode.basic is not None:
            found["pass_rate_basic"].append(Sample(episode.id, float(episode.basic)))
        names = episode.trajectory.tool_names
        for step in episode.trajectory.steps:
            if step.call is not None:
                found["hallucination"].append(Sample(episode.id, float(step.call.tool not in names)))
                failed = step.observation is None or not step.observation.ok
                found["failed_calls"].append(Sample(episode.id, float(failed)))
    if len(found["pass_rate_basic"]) < len(found[PASS_RATE]):
        del found["pass_rate_basic"]  # it would be of other tasks than the pass rate
    return found


def _finite(file: Path, samples: dict[str, list[Sample]]) -> dict[str, list[Sample]]:
    for name, each in samples.items():
        if wrong := next((sample for sample in each if not math.isfinite(sample.value)), None):
            raise DataError(f"{file}: {name} of '{wrong.cluster}' is {wrong.value}")
    return samples


def _sum(file: Path, seconds: Sequence[float]) -> float:
    if not all(math.isfinite(value) and value >= 0 for value in seconds):
        raise DataError(f"{file}: the seconds of a result are no number")
    return sum(seconds)
