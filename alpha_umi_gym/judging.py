"""The judge with the gym's own world: its vocabulary, and a fresh world to carry calls out again in."""

from __future__ import annotations

from alpha_umi.tasks import Verdict
from alpha_umi.trajectory import Trajectory
from alpha_umi_gym.judge import verify as judge
from alpha_umi_gym.registry import vocabulary
from alpha_umi_gym.task import GymTask
from alpha_umi_gym.task_toolbox import TaskToolbox
from alpha_umi_gym.world import World


def verify(task: GymTask, produced: Trajectory, *, world: World | None = None) -> Verdict:
    """Judge a produced trajectory by a task's facts, its changes and the outcome of its solution.

    `world` is the world in which the produced calls were carried out; without it they are carried out again.
    """
    if world is not None:
        return judge.verify(task, produced, vocabulary(), world=world)
    box = TaskToolbox(task)
    return judge.verify(task, produced, vocabulary(), world=box.world, fresh=box)
