"""Bootstrap intervals over trajectories, and the paired comparison of teams.

Steps of one trajectory share its tools and history and are not independent, so whole trajectories (clusters) are drawn.
Percentile intervals, seeded, in plain Python: the base install has no numpy. Knows values, not what they measure.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

RESAMPLES = 1000
LEVEL = 0.95
_Z = 1.959964
"""The normal distribution's, of `LEVEL`."""


class Sample(NamedTuple):
    """One value and the cluster it belongs to."""

    cluster: str
    value: float


Groups = Sequence[Sequence[Sample]]
"""The estimate of several groups is the mean of their means; of one group, its mean."""


class Interval(NamedTuple):
    """A percentile interval."""

    low: float
    high: float


class Paired(NamedTuple):
    """How much larger the mean of `a` is than that of `b`."""

    difference: float
    low: float
    high: float
    p: float
    """Two-sided: twice the smaller share of resamples on either side of zero. Not below that of a sign test whose
    clusters all differ to one side, as the bootstrap of a few clusters knows no doubt."""
    clusters: int


def bootstrap(
    measures: Mapping[str, Groups], *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> dict[str, Interval | None]:
    """Interval of each measure, all from the same resamples (Efron and Tibshirani, percentile method, by cluster).

    None where a measure has no value.
    """
    drawn = resampled(measures, resamples=resamples, seed=seed)
    return {name: interval_of(estimates, level=level) for name, estimates in drawn.items()}


def resampled(
    measures: Mapping[str, Groups], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, list[float | None]]:
    """The estimate of each measure in every resample of the clusters, the same clusters for all: what two measures
    differ by is read off resample by resample. None where nothing of a measure was drawn.
    """
    clusters = list(dict.fromkeys(s.cluster for groups in measures.values() for group in groups for s in group))
    columns = {name: _columns(groups, clusters) for name, groups in measures.items()}
    estimates: dict[str, list[float | None]] = {name: [] for name in measures}
    for pick in _draws(len(clusters), resamples, seed):
        for name, groups in columns.items():
            estimates[name].append(_estimate(groups, pick))
    return estimates


def interval_of(estimates: Sequence[float | None], *, level: float = LEVEL) -> Interval | None:
    """The percentile interval of the estimates that there are."""
    values = sorted(value for value in estimates if value is not None)
    if not values:
        return None
    cut = int((1 - level) / 2 * len(values))
    return Interval(values[cut], values[-1 - cut])


def paired_bootstrap(
    a: Sequence[Sample], b: Sequence[Sample], *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> Paired:
    """Compare two teams on the same trajectories: every resample draws the same trajectories for both.

    A cluster that one side lacks counts nothing there (its population may depend on what was predicted).

    Raises:
        ValueError: a side has no values.
    """
    if not a or not b:
        raise ValueError("a paired comparison needs values on both sides")
    drawn = resampled({"a": [a], "b": [b]}, resamples=resamples, seed=seed)
    clusters = len({s.cluster for s in (*a, *b)})
    return paired_of(_mean(a) - _mean(b), drawn["a"], drawn["b"], clusters=clusters, level=level)


def paired_of(
    difference: float, a: Sequence[float | None], b: Sequence[float | None], *, clusters: int, level: float = LEVEL
) -> Paired:
    """The comparison of two measures that `resampled` gave together."""
    differences = [mine - other for mine, other in zip(a, b, strict=True) if mine is not None and other is not None]
    low, high = interval_of(differences, level=level) or Interval(difference, difference)
    below = sum(d <= 0 for d in differences) + 1
    above = sum(d >= 0 for d in differences) + 1
    p = min(1.0, max(2 * min(below, above) / (len(differences) + 1), 2.0 ** (1 - clusters)))
    return Paired(difference, low, high, p, clusters)


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided exact p that two teams pass equally often, of the tasks that one of them passes and the other fails
    (McNemar 1947; binomial, so that few tasks are no trouble)."""
    n, fewer = only_a + only_b, min(only_a, only_b)
    tail: int = sum(math.comb(n, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << n))


def holm(ps: Sequence[float]) -> list[float]:
    """p values of several comparisons, adjusted so that the chance of one false finding among them stays at the level
    (Holm 1979)."""
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, i in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[i]))
        adjusted[i] = largest
    return adjusted


def pass_hat_k(runs: Sequence[Sequence[bool]], k: int) -> float:
    """The chance that k runs of a task all pass, over tasks (pass^k; tau-bench, arXiv 2406.12045).

    Args:
        runs: for each task, which of its runs passed.
        k: at most the number of runs of every task.

    Raises:
        ValueError: there are no tasks, or a task has fewer than k runs.
    """
    if not runs or not all(1 <= k <= len(each) for each in runs):
        raise ValueError(f"pass^{k} needs tasks with {k} runs each")
    return sum(math.comb(sum(each), k) / math.comb(len(each), k) for each in runs) / len(runs)


def smallest_difference(n: int) -> float:
    """The difference between two pass rates that n tasks can show, as a fraction: how far the 95 % interval of the
    difference reaches to each side where both rates are near one half and the tasks that the two pass have nothing to
    do with each other. Teams that pass the same tasks can be told apart by less.

    Raises:
        ValueError: there are no tasks.
    """
    if n < 1:
        raise ValueError("a difference needs at least one task")
    return min(1.0, _Z * math.sqrt(0.5 / n))


def wilson(successes: int, n: int) -> Interval:
    """95 % interval of a proportion of independent trials (Wilson 1927): unlike a bootstrap's, never empty at 0 or 1.

    Raises:
        ValueError: there are no trials.
    """
    if n < 1:
        raise ValueError("a proportion needs at least one trial")
    z, share = _Z, successes / n
    middle = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return Interval(max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))


_Columns = list[tuple[list[float], list[int]]]
_Pick = Callable[[Sequence[float]], Sequence[float]]


def _columns(groups: Groups, clusters: Sequence[str]) -> _Columns:
    """Sum and count of each group in each cluster: what a resample needs to add up."""
    position = {name: i for i, name in enumerate(clusters)}
    columns: _Columns = []
    for group in groups:
        sums, counts = [0.0] * len(clusters), [0] * len(clusters)
        for sample in group:
            sums[position[sample.cluster]] += sample.value
            counts[position[sample.cluster]] += 1
        columns.append((sums, counts))
    return columns


def _draws(size: int, resamples: int, seed: int) -> Iterator[_Pick]:
    """Functions that pick the drawn clusters out of a column."""
    source = random.Random(seed)
    everything = range(size)
    for _ in range(resamples if size else 0):
        drawn = source.choices(everything, k=size)
        yield itemgetter(*drawn) if size > 1 else tuple


def _estimate(groups: _Columns, pick: _Pick) -> float | None:
    means = [sum(pick(sums)) / n for sums, counts in groups if (n := sum(pick(counts)))]
    return sum(means) / len(means) if means else None


def _mean(samples: Sequence[Sample]) -> float:
    return sum(s.value for s in samples) / len(samples)
