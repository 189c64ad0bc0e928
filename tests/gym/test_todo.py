"""The to-do list: what there is to do in every world."""

from __future__ import annotations

import pytest

from alpha_umi_gym.domains.todo.tools import (
    PRIORITIES,
    list_tasks,
    next_task,
)
from alpha_umi_gym.world import World


@pytest.mark.parametrize("seed", range(20))
def test_every_list_has_two_open_tasks_of_each_priority_and_a_date_for_the_first(seed: int) -> None:
    world = World(seed)
    for priority in PRIORITIES:
        assert len(list_tasks(world, priority)) == 2
        assert len(list_tasks(world, priority, done=True)) == 1
        assert next_task(world, priority)["due"] is not None
