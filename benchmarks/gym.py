"""How fast the gym makes tasks, and how much faster many episodes run side by side on one model.

Generation: verified tasks of two calls a second, on one core. Episodes: a team works on the same tasks one after
another and 30 at once; the ratio is of wall time (some ten minutes of two cores).

    python -m benchmarks.gym [--tasks 2000] [--team default] [--episodes 30]     # 0 episodes: generation only
"""

from __future__ import annotations

import argparse
import gc
import time
from collections import Counter, defaultdict

import alpha_umi_gym as gym
from alpha_umi.roles import DEFAULT_TEAM
from benchmarks.report import finish, show

PER_SECOND, FASTER = 500.0, 3.0


def generation(n: int) -> tuple[float, float, Counter[str]]:
    """Tasks of two calls a second, tasks of any depth a second, and what was drawn in vain."""
    dropped: Counter[str] = Counter()
    list(gym.generate(200, seed=99))  # the libraries load their tables
    gc.freeze()  # as `data convert gym` does
    source = gym.generate(n, seed=0, dropped=dropped)
    spent: dict[int, list[float]] = defaultdict(list)
    for _ in range(n):  # every task costs what it costs: those of two calls are timed by themselves
        begin = time.perf_counter()
        task = next(source)
        spent[task.calls or 0].append(time.perf_counter() - begin)
    two, every = spent[2], [seconds for some in spent.values() for seconds in some]
    return len(two) / sum(two), n / sum(every), dropped


def episodes(n: int, team_name: str) -> tuple[float, float, int, int]:
    """Seconds one after another and all at once, and how many passed either way."""
    from alpha_umi import Budget, load_models, load_team
    from alpha_umi.evaluation.agentic.episodes import Episode, run_episodes
    from alpha_umi.evaluation.agentic.task_selection import choose_tasks

    team = load_team(team_name)
    models = load_models(team)
    chosen = choose_tasks("gym:unseen_instructions", limit=n, seed=2)
    seconds, passed = [], []
    for parallel in (1, n):
        done: list[Episode] = []
        begin = time.perf_counter()
        run_episodes(
            chosen.tasks,
            chosen.taskset,
            team=team,
            models=models,
            budget=Budget(max_steps=8),
            parallel=parallel,
            on_done=done.append,
        )
        seconds.append(time.perf_counter() - begin)
        passed.append(sum(episode.passed for episode in done))
    return seconds[0], seconds[1], passed[0], passed[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--episodes", type=int, default=30)
    parser.add_argument("--team", default=DEFAULT_TEAM, help="shipped team, YAML file or run folder")
    options = parser.parse_args()
    two, all_depths, dropped = generation(options.tasks)
    show(
        f"generation of {options.tasks} verified tasks on one core",
        ("", "tasks a second"),
        [("two calls", f"{two:.0f}"), ("the usual mix", f"{all_depths:.0f}")],
    )
    print("drawn in vain:", ", ".join(f"{reason} {n}" for reason, n in dropped.most_common(6)))
    finish("gym_generation", ratio=two / PER_SECOND, target=1.0, tasks_per_second=round(two))
    if options.episodes == 0:
        return
    alone, together, first, second = episodes(options.episodes, options.team)
    show(
        f"{options.episodes} episodes",
        ("", "seconds", "passed"),
        [("one after another", f"{alone:.1f}", str(first)), ("at once", f"{together:.1f}", str(second))],
    )
    finish("gym_episodes", ratio=alone / together, target=FASTER, episodes=options.episodes)


if __name__ == "__main__":
    main()
