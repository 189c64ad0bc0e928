"""Episodes summed up: pass rates by kind, split and depth, what they cost, and why they failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from alpha_umi.evaluation.agentic.episodes import Episode
from alpha_umi.evaluation.statistics import wilson
from alpha_umi.trajectory import Outcome


def summarize(episodes: Sequence[Episode]) -> dict[str, Any]:
    """The metrics of a set of episodes; proportions as `{"value", "n", "low", "high"}` with Wilson intervals.

    Proportions of tasks are of those that were judged; `unscored` says why others were not, by task.
    `pass_rate_basic` is there where the task set says of each whether its basic checks hold.
    """
    judged = [e for e in episodes if e.scored]
    solvable = [e for e in judged if e.solvable]
    unsolvable = [e for e in judged if not e.solvable]
    called = [(e.trajectory, s.call, s.observation) for e in episodes for s in e.trajectory.steps if s.call is not None]
    basic = [e.basic for e in judged if e.basic is not None]
    return {
        "pass_rate": _rate([e.passed for e in judged]),
        # Of the same tasks as the pass rate, or it could be the lower one.
        **({"pass_rate_basic": _rate(basic)} if basic and len(basic) == len(judged) else {}),
        "pass_rate_solvable": _rate([e.passed for e in solvable]),
        "give_up_right": _rate([e.passed for e in unsolvable]),
        "give_up_wrong": _rate([e.trajectory.outcome is Outcome.GAVE_UP for e in solvable]),
        "hallucination": _rate([call.tool not in trajectory.tool_names for trajectory, call, _ in called]),
        "failed_calls": _rate([seen is None or not seen.ok for _, _, seen in called]),
        "by_kind": _by(judged, lambda e: e.kind),
        "by_depth": _by(solvable, lambda e: "" if e.gold_calls is None else str(e.gold_calls)),
        "by_difficulty": _by(judged, lambda e: e.difficulty),
        "by_split": _by(judged, lambda e: e.split),
        "unsolvable": _by(unsolvable, lambda e: e.why),
        "failures": dict(Counter(e.code for e in judged if not e.passed).most_common()),
        "unscored": {e.id: e.reason for e in episodes if not e.scored},
        "stopped": dict(Counter(str(e.stopped) for e in episodes if e.stopped is not None).most_common()),
        "n_episodes": len(episodes),
        "calls": len(called) / len(episodes) if episodes else None,
        "gold_calls": _mean([e.gold_calls for e in episodes if e.gold_calls is not None]),
        "seconds": _mean([e.seconds for e in episodes]),
        "tokens": _tokens(episodes),
    }


def _rate(passed: Sequence[bool]) -> dict[str, float | int | None]:
    if not passed:
        return {"value": None, "n": 0, "low": None, "high": None}
    low, high = wilson(sum(passed), len(passed))
    return {"value": sum(passed) / len(passed), "n": len(passed), "low": low, "high": high}


def _by(episodes: Sequence[Episode], key: Callable[[Episode], str]) -> dict[str, Any]:
    """The pass rate of each group that has a name."""
    names = sorted({key(e) for e in episodes} - {""})
    return {name: _rate([e.passed for e in episodes if key(e) == name]) for name in names}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _tokens(episodes: Sequence[Episode]) -> dict[str, dict[str, float]]:
    """Tokens that each role encoded and wrote in an episode, on average."""
    roles = list(dict.fromkeys(role for e in episodes for role in e.usage))
    return {
        role: {
            "calls": sum(e.usage[role].calls for e in episodes if role in e.usage) / len(episodes),
            "encoded": sum(e.usage[role].encoded_tokens for e in episodes if role in e.usage) / len(episodes),
            "written": sum(e.usage[role].completion_tokens for e in episodes if role in e.usage) / len(episodes),
        }
        for role in roles
    }


_TITLES = {
    "pass_rate": "pass rate",
    "pass_rate_basic": "  basic checks alone",
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
        if key in metrics:
            table.add_row(title, *_cells(metrics[key]))
    for group, title in (("by_kind", "{}"), ("by_difficulty", "{}"), ("by_depth", "calls needed: {}")):
        table.add_section()
        for name, rate in metrics[group].items():
            table.add_row(title.format(name.replace("_", " ")), *_cells(rate))
    failures = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in metrics["failures"].items())
    parts: list[RenderableType] = [table]
    if failures:
        parts.append(Text(f"failures: {failures}"))
    needed = "" if metrics["gold_calls"] is None else f", needed {metrics['gold_calls']:.1f}"
    parts.append(Text(f"calls per episode: {metrics['calls']:.1f}{needed}"))
    return Group(*parts)


def _cells(rate: Mapping[str, Any]) -> tuple[str, str, str]:
    if rate["value"] is None:
        return "-", "", "0"
    return f"{100 * rate['value']:.1f}", f"{100 * rate['low']:.1f} to {100 * rate['high']:.1f}", str(rate["n"])
