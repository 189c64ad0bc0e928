"""Two teams measured at once: the process of the second ends with the first, and its end is noticed."""

from __future__ import annotations

import time

import pytest

from alpha_umi import gym, load_team
from alpha_umi.cli.beside import Apart
from alpha_umi.errors import WorkError
from alpha_umi.trajectory import Trajectory


@pytest.fixture
def tasks() -> list[Trajectory]:
    return list(gym.generate(20, seed=3))


def test_an_interrupted_measurement_leaves_nobody_at_work(tasks: list[Trajectory]) -> None:
    began = time.perf_counter()
    with Apart(load_team("umi-shared"), tasks, 1) as apart:
        time.sleep(1)
        assert apart.is_at_work
    assert not apart.is_at_work
    assert time.perf_counter() - began < 60, "the twenty tasks take minutes"


def test_a_team_that_cannot_be_measured_is_told_of(tasks: list[Trajectory], capfd: pytest.CaptureFixture[str]) -> None:
    team = load_team("umi-shared").model_copy(update={"base": "/nowhere"})
    with Apart(team, tasks, 1) as apart:
        assert apart.is_done(seconds=300)
        with pytest.raises(WorkError, match=r"^measuring 'umi-shared' ended with exit code 1"):
            apart.metrics()
        with pytest.raises(WorkError, match="exit code 1"):
            apart.counted()
    assert "/nowhere" in capfd.readouterr().err
