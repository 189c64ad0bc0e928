"""Bootstrap intervals over trajectories, and the paired comparison of two teams.

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
    """Two-sided: twice the smaller share of resamples on either side of zero."""
    clusters: int


def bootstrap(
    measures: Mapping[str, Groups], *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> dict[str, Interval | None]:
    """Interval of each measure, all from the same resamples (Efron and Tibshirani, percentile method, by cluster).

    None where a measure has no value.
    """
    clusters = list(dict.fromkeys(s.cluster for groups in measures.values() for group in groups for s in group))
    columns = {name: _columns(groups, clusters) for name, groups in measures.items()}
    estimates: dict[str, list[float]] = {name: [] for name in measures}
    for pick in _draws(len(clusters), resamples, seed):
        for name, groups in columns.items():
            if (value := _estimate(groups, pick)) is not None:
                estimates[name].append(value)
    return {name: _percentiles(values, level) for name, values in estimates.items()}


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
    clusters = list(dict.fromkeys(s.cluster for s in (*a, *b)))
    left, right = _columns([a], clusters), _columns([b], clusters)
    differences = []
    for pick in _draws(len(clusters), resamples, seed):
        mine, other = _estimate(left, pick), _estimate(right, pick)
        if mine is not None and other is not None:
            differences.append(mine - other)
    difference = _mean(a) - _mean(b)
    low, high = _percentiles(differences, level) or Interval(difference, difference)
    below = sum(d <= 0 for d in differences) + 1
    above = sum(d >= 0 for d in differences) + 1
    p = min(1.0, 2 * min(below, above) / (len(differences) + 1))
    return Paired(difference, low, high, p, len(clusters))


def wilson(successes: int, n: int) -> Interval:
    """95 % interval of a proportion of independent trials (Wilson 1927): unlike a bootstrap's, never empty at 0 or 1.

    Raises:
        ValueError: there are no trials.
    """
    if n < 1:
        raise ValueError("a proportion needs at least one trial")
    z, share = 1.959964, successes / n
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


def _percentiles(values: list[float], level: float) -> Interval | None:
    """The values that cut off half of what the level leaves on either side."""
    if not values:
        return None
    values = sorted(values)
    cut = int((1 - level) / 2 * len(values))
    return Interval(values[cut], values[-1 - cut])


def _mean(samples: Sequence[Sample]) -> float:
    return sum(s.value for s in samples) / len(samples)
