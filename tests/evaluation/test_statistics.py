"""Bootstrap intervals: seeded, clustered, and honest on data whose spread is known."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpha_umi.evaluation.statistics import Interval, Sample, bootstrap, paired_bootstrap, wilson

values = st.floats(0, 1, allow_nan=False)
samples = st.lists(st.builds(Sample, st.sampled_from("abcde"), values), min_size=1, max_size=20)


def interval(drawn: list[Sample], **options: int) -> Interval:
    found = bootstrap({"m": [drawn]}, **options)["m"]
    assert found is not None
    return found


def test_same_seed_same_interval() -> None:
    source = random.Random(3)
    drawn = [Sample(str(i), source.random()) for i in range(50)]
    assert interval(drawn, seed=1) == interval(drawn, seed=1) != interval(drawn, seed=2)


def test_interval_is_as_wide_as_theory_says() -> None:
    source = random.Random(0)
    drawn = [Sample(str(i), float(source.random() < 0.7)) for i in range(400)]
    mean = sum(s.value for s in drawn) / len(drawn)
    found = interval(drawn)
    half = 1.96 * (mean * (1 - mean) / len(drawn)) ** 0.5
    assert found.low == pytest.approx(mean - half, abs=0.01)
    assert found.high == pytest.approx(mean + half, abs=0.01)


def test_trajectories_are_drawn_not_steps() -> None:
    # Ten equal steps in each trajectory tell no more than one step does.
    alone = [Sample(str(i), float(i % 2)) for i in range(40)]
    repeated = [sample for sample in alone for _ in range(10)]
    assert interval(repeated) == interval(alone)


@given(samples)
def test_interval_lies_within_the_values(drawn: list[Sample]) -> None:
    found = interval(drawn, resamples=50)
    means = [s.value for s in drawn]
    assert min(means) - 1e-9 <= found.low <= found.high <= max(means) + 1e-9


def test_nothing_has_no_interval_and_one_trajectory_has_no_width() -> None:
    assert bootstrap({"m": [[]], "n": []}) == {"m": None, "n": None}
    assert interval([Sample("a", 0.25), Sample("a", 0.75)]) == (0.5, 0.5)


def test_groups_are_averaged_over_their_means() -> None:
    big = [Sample("a", 1.0)] * 9
    found = bootstrap({"m": [big, [Sample("a", 0.0)]]})["m"]
    assert found == (0.5, 0.5)


def test_paired_sees_a_difference_that_single_intervals_hide() -> None:
    source = random.Random(1)
    easy = [source.random() for _ in range(200)]
    worse = [Sample(str(i), e) for i, e in enumerate(easy)]
    better = [Sample(str(i), e + 0.02 + 0.02 * source.random()) for i, e in enumerate(easy)]
    found = paired_bootstrap(better, worse)
    assert interval(better).low < interval(worse).high
    assert 0 < found.low < found.difference < found.high
    assert found.p < 0.01
    assert found.clusters == 200


def test_paired_of_equals_is_no_difference() -> None:
    drawn = [Sample(str(i), float(i % 3 == 0)) for i in range(30)]
    assert paired_bootstrap(drawn, drawn) == (0.0, 0.0, 0.0, 1.0, 30)


def test_paired_takes_populations_that_differ() -> None:
    a = [Sample("x", 1.0), Sample("y", 0.0)]
    found = paired_bootstrap(a, [Sample("y", 0.0)], resamples=200)
    assert found.difference == 0.5
    assert found.clusters == 2
    with pytest.raises(ValueError, match="both sides"):
        paired_bootstrap(a, [])


def test_two_thousand_points_take_seconds() -> None:
    source = random.Random(0)
    drawn = [Sample(str(i // 4), source.random()) for i in range(2000)]
    began = time.process_time()
    bootstrap({str(i): [drawn] for i in range(7)})
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_as_published(successes: int, n: int, low: float, high: float) -> None:
    """The last row is Newcombe's (1998, table I)."""
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)
    with pytest.raises(ValueError, match="at least one trial"):
        wilson(0, 0)
