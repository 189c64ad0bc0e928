"""What an agent works with on a task of the gym: the tools it offers, over a fresh copy of the world it was made in."""

from __future__ import annotations

from alpha_umi_gym.faults import FaultyToolbox
from alpha_umi_gym.registry import bound
from alpha_umi_gym.task import GymTask
from alpha_umi_gym.world import World


class TaskToolbox(FaultyToolbox):
    """The tools of one episode, and its `world`."""

    def __init__(self, task: GymTask) -> None:
        self.world = World(task.seed)
        super().__init__(bound(self.world, [tool.name for tool in task.tools]), dict(task.faults))
