"""How fast the gym makes tasks, and how much faster many episodes run side by side on one model.

Generation: verified tasks of two calls a second, on one core. Episodes, where a team is given: it works on the same
tasks one after another and 30 at once; the ratio is of wall time.

    python -m benchmarks.gym [--tasks 2000] [--team RUN] [--episodes 30]
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from alpha_umi import gym
from benchmarks.report import finish, show

PER_SECOND, FASTER = 500.0, 3.0


def generation(n: int) -> tuple[float, float, Counter[str]]:
    """Tasks of two calls a second, tasks of any depth a second, and what was drawn in vain."""
    dropped: Counter[str] = Counter()
    list(gym.generate(200, seed=99))  # the libraries load their tables
    begin = time.perf_counter()
    tasks = list(gym.generate(n, seed=0, dropped=dropped))
    seconds = time.perf_counter() - begin
    # Every task costs what it costs: those of two calls are timed by themselves.
    two = [i for i, task in enumerate(tasks) if task.meta["calls"] == 2][:500]
    wanted, spent = set(two), 0.0
    source = gym.generate(max(two) + 1, seed=0)
    for i in range(max(two) + 1):
        begin = time.perf_counter()
        next(source)
        if i in wanted:
            spent += time.perf_counter() - begin
    return len(two) / spent, n / seconds, dropped


def episodes(n: int, team_name: str) -> tuple[float, float, int, int]:
    """Seconds one after another and all at once, and how many passed either way."""
    from alpha_umi import Budget, load_models, load_team
    from alpha_umi.evaluation.episodes import Episode, gym_tasks, run_episodes

    team = load_team(team_name)
    models = load_models(team)
    tasks, _ = gym_tasks("gym:unseen_instructions", limit=n, seed=2)
    seconds, passed = [], []
    for parallel in (1, n):
        done: list[Episode] = []
        begin = time.perf_counter()
        run_episodes(
            tasks, team=team, models=models, budget=Budget(max_steps=8), parallel=parallel, on_done=done.append
        )
        seconds.append(time.perf_counter() - begin)
        passed.append(sum(episode.passed for episode in done))
    return seconds[0], seconds[1], passed[0], passed[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--episodes", type=int, default=30)
    parser.add_argument("--team", help="shipped team, YAML file or run folder")
    options = parser.parse_args()
    two, all_depths, dropped = generation(options.tasks)
    show(
        f"generation of {options.tasks} verified tasks on one core",
        ("", "tasks a second"),
        [("two calls", f"{two:.0f}"), ("the usual mix", f"{all_depths:.0f}")],
    )
    print("drawn in vain:", ", ".join(f"{reason} {n}" for reason, n in dropped.most_common(6)))
    finish("gym_generation", ratio=two / PER_SECOND, target=1.0, tasks_per_second=round(two))
    if options.team is None:
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
