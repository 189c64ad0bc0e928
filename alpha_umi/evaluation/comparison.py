"""Arms side by side on the same tasks: means with intervals, paired differences to a baseline, and what each costs.

Pairing is by task and by step: arms that were asked different things are refused. p values are exact McNemar's where
one run of each arm passed or failed tasks, else of the paired bootstrap over tasks or trajectories; Holm's correction
is over the table of one evaluation. Arms that cannot be told from the best are ties, since ranks would be noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alpha_umi.errors import UsageError
from alpha_umi.evaluation.results import LOWER_IS_BETTER, PASS_RATE, EvaluationResult, Kind
from alpha_umi.evaluation.statistics import (
    Interval,
    Sample,
    bootstrap,
    holm,
    interval_of,
    mcnemar,
    paired_of,
    pass_hat_k,
    resampled,
    smallest_difference,
    wilson,
)
from alpha_umi.trajectory import Frozen

RESAMPLES = 5000
"""More than for an interval: the smallest p must stay below 5 % when a table of a hundred is corrected for."""
SIGNIFICANT = 0.05
_DEPTHS = {"1": range(1, 2), "2-3": range(2, 4), "4+": range(4, 1_000_000)}
"""Difficulty by the calls that a task needs."""
_BY_TASK = (PASS_RATE, "pass_rate_basic")
_NAMED, _FEW = 3, 20


class TrainingCost(Frozen):
    """What an arm's weights took, of one seed."""

    trained_parameters: int
    all_parameters: int
    """The base's and all adapters'."""
    tokens: int | None
    """That training went over."""
    seconds: float | None


class Difference(Frozen):
    """How much larger an arm's mean is than the baseline's."""

    value: float
    low: float
    high: float
    p: float
    """Two-sided."""
    p_holm: float
    """Corrected for the other comparisons of its table."""
    test: str
    """`mcnemar` or `bootstrap`."""


class Measure(Frozen):
    """One metric of one arm."""

    value: float
    low: float
    high: float
    """The 95 % interval: Wilson's where one run passed or failed tasks, else the bootstrap's over clusters."""
    n: int
    """Steps or tasks, of all runs."""
    runs: tuple[float, ...]
    """The mean of each run."""
    difference: Difference | None = None
    """To the baseline; None for the baseline itself."""
    best: bool = False
    """Whether no arm is better, or none can be told to be."""


class RunCost(Frozen):
    """What an evaluation took, for each of its tasks or steps and for each task that was passed."""

    tokens: float
    """Encoded and written."""
    seconds: float
    tokens_per_pass: float | None = None
    seconds_per_pass: float | None = None


class Difficulty(Frozen):
    """The tasks that need so many calls."""

    value: float
    low: float
    high: float
    n: int
    tokens_per_pass: float | None


class ArmRow(Frozen):
    """One arm in one evaluation."""

    team: str
    folders: tuple[str, ...]
    """Every run behind it."""
    metrics: Mapping[str, Measure]
    cost: RunCost
    pass_hat_k: Mapping[int, float] = {}
    """The chance that k runs of a task all pass; where tasks were run more than once."""
    by_difficulty: Mapping[str, Difficulty] = {}
    """Pass rate by the calls needed: 1, 2-3, 4+."""


class EvaluationTable(Frozen):
    """All arms in one evaluation, the baseline first."""

    kind: Kind
    data: str
    judged_by: str
    n: int
    """Tasks or steps."""
    clusters: int
    """Tasks or trajectories: what intervals are over."""
    smallest_difference: float
    """That so many clusters can show, as a fraction."""
    arms: Mapping[str, ArmRow]


class Comparison(Frozen):
    """Everything that tables, plots and reports are made of."""

    baseline: str
    evaluations: Mapping[str, EvaluationTable]
    training: Mapping[str, TrainingCost] = {}
    failed: Mapping[str, str] = {}
    """Why arms are missing."""
    notes: tuple[str, ...] = ()
    """What a reader should know before believing it."""


Runs = Sequence[EvaluationResult]


def compare(
    arms: Mapping[str, Mapping[str, Runs]],
    *,
    baseline: str,
    training: Mapping[str, TrainingCost] | None = None,
    failed: Mapping[str, str] | None = None,
    metrics: Sequence[str] = (),
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare arms on the evaluations that they went through.

    Args:
        arms: arm -> evaluation -> its runs: one a seed, or repeated ones.
        baseline: the arm that the others are compared with.
        training: what arms took to train.
        failed: why arms are missing.
        metrics: only these, in this order.
        resamples: of the bootstrap.

    Raises:
        UsageError: there are fewer than two arms, the baseline is none of them or lacks an evaluation, runs of one
            evaluation were not asked the same or not judged alike, one run counts twice, or there is no such metric.
    """
    if len(arms) < 2:
        raise UsageError("a comparison needs two arms or more")
    if baseline not in arms:
        raise UsageError(f"the baseline '{baseline}' is no arm ({', '.join(arms)})")
    ordered = [baseline, *(name for name in arms if name != baseline)]
    names = dict.fromkeys(evaluation for name in ordered for evaluation in arms[name])
    evaluations, known = {}, dict[str, None]()
    for evaluation in names:
        runs = {name: list(arms[name][evaluation]) for name in ordered if evaluation in arms[name]}
        if baseline not in runs:
            raise UsageError(f"the baseline '{baseline}' did not go through '{evaluation}'")
        _check(evaluation, runs)
        measured = dict.fromkeys(name for each in runs.values() for name, found in each[0].samples.items() if found)
        known |= measured
        chosen = [name for name in metrics or measured if name in measured]
        evaluations[evaluation] = _table(runs, chosen, resamples)
    if unknown := [name for name in metrics if name not in known]:
        raise UsageError(f"metrics: {', '.join(unknown)}: not measured ({', '.join(known)} are)")
    return Comparison(
        baseline=baseline,
        evaluations=evaluations,
        training=training or {},
        failed=failed or {},
        notes=(*_notes(arms), *_few(evaluations)),
    )


def _check(evaluation: str, arms: Mapping[str, Runs]) -> None:
    """Refuse runs that a difference between would mean nothing."""
    first = next(iter(arms.values()))[0]
    for name, runs in arms.items():
        if not runs:
            raise UsageError(f"{name} has no run of '{evaluation}'")
        folders = [run.folder for run in runs]
        if twice := next((folder for folder in folders if folders.count(folder) > 1), None):
            raise UsageError(f"{name}: {twice} counts twice")
        for run in runs:
            if run.kind != first.kind:
                raise UsageError(f"{run.folder} is a {run.kind} evaluation and {first.folder} is a {first.kind} one")
            if run.judged_by != first.judged_by:
                raise UsageError(
                    f"{run.folder} was judged by {run.judged_by} and {first.folder} by {first.judged_by}: "
                    "evaluate both with the same version"
                )
            _same_units(run, first)


def _same_units(run: EvaluationResult, first: EvaluationResult) -> None:
    for mine, other in ((run, first), (first, run)):
        if lacking := [unit for unit in other.units if unit not in mine.units]:
            more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
            raise UsageError(
                f"{mine.folder} lacks {', '.join(repr(unit) for unit in lacking[:_NAMED])}{more}, which {other.folder} "
                "holds: only runs over the same tasks are compared"
            )
    if changed := [unit for unit, digest in run.units.items() if digest != first.units[unit]]:
        raise UsageError(f"{run.folder} and {first.folder} mean different tasks by '{changed[0]}'")


def _table(arms: Mapping[str, Runs], metrics: Sequence[str], resamples: int) -> EvaluationTable:
    first = next(iter(arms.values()))[0]
    pooled = {(arm, metric): _pooled(runs, metric) for arm, runs in arms.items() for metric in metrics}
    pooled = {key: samples for key, samples in pooled.items() if samples}
    drawn = resampled({"\0".join(key): [samples] for key, samples in pooled.items()}, resamples=resamples)
    table = _Table(arms, pooled, {key: drawn["\0".join(key)] for key in pooled})
    clusters = {sample.cluster for samples in pooled.values() for sample in samples}
    return EvaluationTable(
        kind=first.kind,
        data=first.origin.data,
        judged_by=first.judged_by,
        n=len(first.units),
        clusters=len(clusters),
        smallest_difference=smallest_difference(max(len(clusters), 1)),
        arms={
            name: ArmRow(
                team=runs[0].origin.team,
                folders=tuple(run.folder for run in runs),
                metrics=table.measures(name),
                cost=_cost(runs),
                pass_hat_k=_pass_hat_k(runs),
                by_difficulty=_by_difficulty(runs),
            )
            for name, runs in arms.items()
        },
    )


def _pooled(runs: Runs, metric: str) -> list[Sample]:
    return [sample for run in runs for sample in run.samples.get(metric, ())]


def _mean(samples: Sequence[Sample]) -> float:
    return sum(sample.value for sample in samples) / len(samples)


_Key = tuple[str, str]


class _Table:
    """The measures of one evaluation, the first arm the baseline."""

    def __init__(
        self,
        arms: Mapping[str, Runs],
        pooled: Mapping[_Key, Sequence[Sample]],
        drawn: Mapping[_Key, Sequence[float | None]],
    ) -> None:
        self._arms, self._pooled, self._drawn = arms, pooled, drawn
        self._baseline = next(iter(arms))
        compared = [(arm, m) for arm, m in pooled if arm != self._baseline and (self._baseline, m) in pooled]
        plain = [self._difference((arm, metric), (self._baseline, metric)) for arm, metric in compared]
        corrected = holm([difference.p for difference in plain])
        self._differences = {
            key: difference.model_copy(update={"p_holm": p})
            for key, difference, p in zip(compared, plain, corrected, strict=True)
        }
        self._best = {metric: self._tied_with_best(metric) for metric in dict.fromkeys(m for _, m in pooled)}

    def measures(self, arm: str) -> dict[str, Measure]:
        """Those of one arm."""
        return {metric: self._measure(arm, metric) for name, metric in self._pooled if name == arm}

    def _measure(self, arm: str, metric: str) -> Measure:
        samples, runs = self._pooled[arm, metric], self._arms[arm]
        value = _mean(samples)
        if metric in _BY_TASK and len(runs) == 1:
            interval = wilson(round(value * len(samples)), len(samples))
        else:
            interval = interval_of(self._drawn[arm, metric]) or Interval(value, value)
        return Measure(
            value=value,
            low=interval.low,
            high=interval.high,
            n=len(samples),
            runs=tuple(_mean(run.samples[metric]) for run in runs if run.samples.get(metric)),
            difference=self._differences.get((arm, metric)),
            best=arm in self._best[metric],
        )

    def _difference(self, mine: _Key, other: _Key) -> Difference:
        a, b = self._pooled[mine], self._pooled[other]
        clusters = len({sample.cluster for sample in (*a, *b)})
        found = paired_of(_mean(a) - _mean(b), self._drawn[mine], self._drawn[other], clusters=clusters)
        p, test = found.p, "bootstrap"
        if mine[1] in _BY_TASK and len(self._arms[mine[0]]) == len(self._arms[other[0]]) == 1:
            passed = {sample.cluster: sample.value for sample in b}
            only_a = sum(sample.value > passed[sample.cluster] for sample in a)
            only_b = sum(sample.value < passed[sample.cluster] for sample in a)
            p, test = mcnemar(only_a, only_b), "mcnemar"
        return Difference(value=found.difference, low=found.low, high=found.high, p=p, p_holm=p, test=test)

    def _tied_with_best(self, metric: str) -> set[str]:
        """The arms that nobody can be told to be better than."""
        means = {arm: _mean(samples) for (arm, name), samples in self._pooled.items() if name == metric}
        best = (min if metric in LOWER_IS_BETTER else max)(means, key=means.__getitem__)
        others = [arm for arm in means if arm != best]
        ps = holm([self._difference((arm, metric), (best, metric)).p for arm in others])
        return {best, *(arm for arm, p in zip(others, ps, strict=True) if p > SIGNIFICANT)}


def _cost(runs: Runs) -> RunCost:
    units = sum(len(run.units) for run in runs)
    tokens, seconds = sum(sum(run.tokens.values()) for run in runs), sum(run.seconds for run in runs)
    passes = sum(sum(run.passed.values()) for run in runs)
    return RunCost(
        tokens=tokens / units,
        seconds=seconds / units,
        tokens_per_pass=tokens / passes if passes else None,
        seconds_per_pass=seconds / passes if passes else None,
    )


def _pass_hat_k(runs: Runs) -> dict[int, float]:
    if len(runs) < 2 or runs[0].kind != "agent":
        return {}
    each = [[run.passed[task] for run in runs] for task in runs[0].passed]
    return {k: pass_hat_k(each, k) for k in range(1, len(runs) + 1)}


def _by_difficulty(runs: Runs) -> dict[str, Difficulty]:
    found = {}
    for title, depths in _DEPTHS.items():
        tasks = [task for task, depth in runs[0].depth.items() if depth in depths]
        if not tasks:
            continue
        samples = [Sample(task, float(run.passed[task])) for run in runs for task in tasks]
        passes = int(sum(sample.value for sample in samples))
        one = wilson(passes, len(tasks)) if len(runs) == 1 else bootstrap({"": [samples]})[""]
        assert one is not None
        tokens = sum(run.tokens[task] for run in runs for task in tasks)
        found[title] = Difficulty(
            value=passes / len(samples),
            low=one.low,
            high=one.high,
            n=len(tasks),
            tokens_per_pass=tokens / passes if passes else None,
        )
    return found


def _notes(arms: Mapping[str, Mapping[str, Runs]]) -> list[str]:
    notes = []
    counts = {name: max(len(runs) for runs in found.values()) for name, found in arms.items() if found}
    if max(counts.values()) > 1:
        notes.append("means of several runs: intervals and p are over tasks, and say nothing of other seeds")
    if len(set(counts.values())) > 1:
        notes.append("runs: " + ", ".join(f"{name} {n}" for name, n in counts.items()))
    for evaluation in dict.fromkeys(name for found in arms.values() for name in found):
        settings = {name: _settings(found[evaluation]) for name, found in arms.items() if evaluation in found}
        shared = set.intersection(*map(set, settings.values()))
        own = {name: ", ".join(what for what in each if what not in shared) for name, each in settings.items()}
        if any(own.values()):
            said = "; ".join(f"{name}: {what or 'none of its own'}" for name, what in own.items())
            notes.append(f"{evaluation}: settings differ: {said}")
    return notes


def _few(evaluations: Mapping[str, EvaluationTable]) -> Iterator[str]:
    for name, found in evaluations.items():
        if found.clusters < _FEW:
            unit = "tasks" if found.kind == "agent" else "trajectories"
            yield f"{name}: of {found.clusters} {unit} the bootstrap's intervals are too narrow"


def _settings(runs: Runs) -> list[str]:
    return list(dict.fromkeys(what for run in runs for what in run.origin.settings.split(", ") if what))
