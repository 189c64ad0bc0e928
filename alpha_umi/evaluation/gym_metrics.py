"""Episodes of the gym summed up: pass rates by kind, split and depth, what they cost, and why they failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from alpha_umi.evaluation.episodes import Episode
from alpha_umi.evaluation.statistics import wilson


def summed_up(episodes: Sequence[Episode]) -> dict[str, Any]:
    """The metrics of a set of episodes; proportions as `{"value", "n", "low", "high"}` with Wilson intervals."""
    solvable = [e for e in episodes if e.solvable]
    hopeless = [e for e in episodes if not e.solvable]
    called = [(e.trajectory, s.call, s.observation) for e in episodes for s in e.trajectory.steps if s.call is not None]
    return {
        "pass_rate": _rate([e.passed for e in episodes]),
        "pass_rate_solvable": _rate([e.passed for e in solvable]),
        "give_up_right": _rate([e.passed for e in hopeless]),
        "give_up_wrong": _rate([e.code == "gave_up_wrongly" for e in solvable]),
        "hallucination": _rate([call.tool not in trajectory.tool_names for trajectory, call, _ in called]),
        "failed_calls": _rate([seen is None or not seen.ok for _, _, seen in called]),
        "by_kind": _by(episodes, lambda e: e.kind),
        "by_depth": _by(solvable, lambda e: str(e.gold_calls)),
        "by_split": _by(episodes, lambda e: str(e.trajectory.meta["split"])),
        "unsolvable": _by(hopeless, lambda e: e.why),
        "failures": dict(Counter(e.code for e in episodes if not e.passed).most_common()),
        "stopped": dict(Counter(str(e.stopped) for e in episodes if e.stopped is not None).most_common()),
        "n_episodes": len(episodes),
        "calls": len(called) / len(episodes) if episodes else None,
        "gold_calls": _mean([e.gold_calls for e in episodes]),
        "seconds": _mean([e.seconds for e in episodes]),
        "tokens": _tokens(episodes),
    }


def _rate(passed: Sequence[bool]) -> dict[str, float | int | None]:
    if not passed:
        return {"value": None, "n": 0, "low": None, "high": None}
    low, high = wilson(sum(passed), len(passed))
    return {"value": sum(passed) / len(passed), "n": len(passed), "low": low, "high": high}


def _by(episodes: Sequence[Episode], key: Callable[[Episode], str]) -> dict[str, Any]:
    names = sorted({key(e) for e in episodes})
    return {name: _rate([e.passed for e in episodes if key(e) == name]) for name in names}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _tokens(episodes: Sequence[Episode]) -> dict[str, dict[str, float]]:
    """Tokens that each role encoded and wrote in an episode, on average."""
    views = list(dict.fromkeys(view for e in episodes for view in e.usage))
    return {
        view: {
            "calls": sum(e.usage[view].calls for e in episodes if view in e.usage) / len(episodes),
            "encoded": sum(e.usage[view].encoded_tokens for e in episodes if view in e.usage) / len(episodes),
            "written": sum(e.usage[view].completion_tokens for e in episodes if view in e.usage) / len(episodes),
        }
        for view in views
    }


_TITLES = {
    "pass_rate": "pass rate",
    "pass_rate_solvable": "  with a solution",
    "give_up_right": "  without: gave up",
    "give_up_wrong": "gave up wrongly",
    "hallucination": "calls of no tool",
    "failed_calls": "calls that failed",
}


def rendered(metrics: Mapping[str, Any]) -> RenderableType:
    """The metrics as tables for people."""
    n = metrics["n_episodes"]
    table = Table(title=f"{n} episode{'s' * (n != 1)}", title_justify="left")
    for head in ("", "%", "95 % interval", "n"):
        table.add_column(head, justify="left" if not head else "right")
    for key, title in _TITLES.items():
        table.add_row(title, *_cells(metrics[key]))
    for group, title in (("by_kind", "{}"), ("by_depth", "calls needed: {}")):
        table.add_section()
        for name, rate in metrics[group].items():
            table.add_row(title.format(name.replace("_", " ")), *_cells(rate))
    failures = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in metrics["failures"].items())
    parts: list[RenderableType] = [table]
    if failures:
        parts.append(Text(f"failures: {failures}"))
    parts.append(Text(f"calls per episode: {metrics['calls']:.1f}, needed {metrics['gold_calls']:.1f}"))
    return Group(*parts)


def _cells(rate: Mapping[str, Any]) -> tuple[str, str, str]:
    if rate["value"] is None:
        return "-", "", "0"
    return f"{100 * rate['value']:.1f}", f"{100 * rate['low']:.1f} to {100 * rate['high']:.1f}", str(rate["n"])
