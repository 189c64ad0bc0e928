"""The gym: offline tools that really run, tasks told from them, and their verifier.

The default world of `quickstart`, tests and benchmarks. Needs no network and no model.
"""

from __future__ import annotations

from alpha_umi.gym.registry import categories, toolbox
from alpha_umi.gym.tasks import generate, replay, task_toolbox

__all__ = ["categories", "generate", "replay", "task_toolbox", "toolbox"]
