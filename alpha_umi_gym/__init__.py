"""The gym: offline tools that really run, tasks composed over them, and their verifier.

The default world of `quickstart`, tests and benchmarks. Needs no network and no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi_gym import lookup, places
    from alpha_umi_gym.generator.tasks import SPLITS, generate
    from alpha_umi_gym.intents import Category, Gives, Intent, Slot
    from alpha_umi_gym.judging import verify
    from alpha_umi_gym.registry import categories, register, toolbox, unregister
    from alpha_umi_gym.sampler import Sampler
    from alpha_umi_gym.slots import CITY, COUNT, DATE, DAYS, MOMENT, MONEY, NUMBER
    from alpha_umi_gym.task import GymTask
    from alpha_umi_gym.task_toolbox import TaskToolbox
    from alpha_umi_gym.words import words_beside
    from alpha_umi_gym.world import World
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi_gym.generator.tasks": ["SPLITS", "generate"],
            "alpha_umi_gym.intents": ["Category", "Gives", "Intent", "Slot"],
            "alpha_umi_gym.judging": ["verify"],
            "alpha_umi_gym.registry": ["categories", "register", "toolbox", "unregister"],
            "alpha_umi_gym.sampler": ["Sampler"],
            "alpha_umi_gym.slots": ["CITY", "COUNT", "DATE", "DAYS", "MOMENT", "MONEY", "NUMBER"],
            "alpha_umi_gym.task": ["GymTask"],
            "alpha_umi_gym.task_toolbox": ["TaskToolbox"],
            "alpha_umi_gym.words": ["words_beside"],
            "alpha_umi_gym.world": ["World"],
        },
        modules=["lookup", "places"],
    )

__all__ = [
    "CITY",
    "COUNT",
    "DATE",
    "DAYS",
    "MOMENT",
    "MONEY",
    "NUMBER",
    "SPLITS",
    "Category",
    "Gives",
    "GymTask",
    "Intent",
    "Sampler",
    "Slot",
    "TaskToolbox",
    "World",
    "categories",
    "generate",
    "lookup",
    "places",
    "register",
    "toolbox",
    "unregister",
    "verify",
    "words_beside",
]
