"""Evaluation in live episodes, judged by a task set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.evaluation.agentic.episodes import Episode, run_episode, run_episodes
    from alpha_umi.evaluation.agentic.metrics import summarize
    from alpha_umi.evaluation.agentic.task_selection import ChosenTasks, choose_tasks
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.evaluation.agentic.episodes": ["Episode", "run_episode", "run_episodes"],
            "alpha_umi.evaluation.agentic.metrics": ["summarize"],
            "alpha_umi.evaluation.agentic.task_selection": ["ChosenTasks", "choose_tasks"],
        },
    )

__all__ = ["ChosenTasks", "Episode", "choose_tasks", "run_episode", "run_episodes", "summarize"]
