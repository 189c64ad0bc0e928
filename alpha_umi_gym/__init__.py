"""The gym: offline tools that really run, tasks composed over them, and their verifier.

The default world of `quickstart`, tests and benchmarks. Needs no network and no model.
"""

from __future__ import annotations

from alpha_umi_gym import lookup
from alpha_umi_gym.generator.tasks import SPLITS, generate
from alpha_umi_gym.intents import Category, Gives, Intent, Slot
from alpha_umi_gym.registry import categories, register, toolbox, unregister
from alpha_umi_gym.task import GymTask
from alpha_umi_gym.task_toolbox import TaskToolbox
from alpha_umi_gym.world import World

__all__ = [
    "SPLITS",
    "Category",
    "Gives",
    "GymTask",
    "Intent",
    "Slot",
    "TaskToolbox",
    "World",
    "categories",
    "generate",
    "lookup",
    "register",
    "toolbox",
    "unregister",
]
