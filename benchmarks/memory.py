"""Whether an agent that answers a thousand questions holds more memory at the end than at the beginning.

SmolLM2 itself writes in every run (few tokens, or it would take hours), sixteen at a time, searches among them. The
process's resident memory is plotted; between batches the model's cache must hold no session.

    python -m benchmarks.memory [--runs 1000] [--plot docs/figures/memory.png]
"""

from __future__ import annotations

import argparse
import gc
from pathlib import Path
from typing import Any

from alpha_umi import Agent, Budget, Team, load_models, load_team
from alpha_umi.backends import Generation
from alpha_umi_gym import TaskToolbox, generate
from benchmarks.report import finish, show

GROWTH = 1.10
"""Memory after the last run, at most, as a part of that after the first tenth."""


def resident_mib() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def brief(team: Team) -> Team:
    """The team with roles of few words."""
    few = Generation(max_new_tokens=6)
    for name in team.roles:
        team = team.with_role(name, generation=few)
    return team


def main() -> None:
    """Measure, print, plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--parallel", type=int, default=16)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    team = brief(load_team("default"))
    models: Any = load_models(team)
    engine = next(iter(models.values())).engine
    task = next(iter(generate(1, seed=0)))
    agents = [
        Agent.from_team(team, tools=TaskToolbox(task), models=models, budget=Budget(max_steps=2), search=search)
        for search in ("chain", "react@2")
    ]
    seen: list[tuple[int, float]] = []
    step = max(options.parallel, options.runs // 50)
    for done in range(0, options.runs, step):
        agent = agents[(done // step) % 2]
        agent.batch([f"{task.query} ({i})" for i in range(done, done + step)], parallel=options.parallel)
        assert len(engine.cache) == 0, "a run left its session in the cache"
        gc.collect()
        seen.append((done + step, resident_mib()))
    first, last = seen[len(seen) // 10][1], seen[-1][1]
    show(
        f"{options.runs} runs, {options.parallel} at a time",
        ("runs", "resident MiB"),
        [(str(n), f"{mib:.0f}") for n, mib in seen[:: max(1, len(seen) // 10)]],
    )
    if options.plot is not None:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(figsize=(6, 3), layout="constrained")
        axes.plot(*zip(*seen, strict=True))
        axes.set(xlabel="runs", ylabel="resident MiB", ylim=(0, None), title="Memory of an agent at work")
        figure.savefig(options.plot, dpi=120)
    finish("memory_after_runs", ratio=last / first, target=GROWTH, runs=options.runs)


if __name__ == "__main__":
    main()
