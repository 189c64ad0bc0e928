"""Metrics -> `metrics.json` and a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from alpha_umi.evaluation.records import write_json
from alpha_umi.evaluation.static.scorers import DECISIONS

METRICS_FILE = "metrics.json"
TITLES = {
    "plan_acc": "Plan ACC",
    "act_em": "Act. EM",
    "hallucination": "Hallu.",
    "arg_f1": "Arg. F1",
    "rouge_l": "R-L",
    "easy_f1": "  F1, no arguments",
    "hard_f1": "  F1, arguments",
    "plan_macro": "Plan ACC, mean of kinds",
}
"""The paper's column heads, and ours."""
_METRIC = {"value", "n", "low", "high"}


def write_metrics(folder: str | Path, metrics: Mapping[str, Any]) -> Path:
    """Write `metrics.json` into a folder, whole or not at all."""
    path = Path(folder) / METRICS_FILE
    write_json(path, metrics)
    return path


def print_metrics(metrics: Mapping[str, Any], console: Console) -> None:
    """Print the metrics, the confusion matrix of plans, and what went wrong."""
    console.print(render_metrics(metrics))


def render_metrics(metrics: Mapping[str, Any]) -> RenderableType:
    """The metrics in percent with their intervals, and what they leave out."""
    parts: list[RenderableType] = [_scores(metrics), _confusion(metrics["confusion"])]
    if metrics["faults"]:
        parts.append(Text("faults: " + ", ".join(f"{reason} {n}" for reason, n in metrics["faults"].items())))
    for reason, steps in metrics["unscored"].items():
        parts.append(Text(f"left out of {reason} ({steps['n']} steps, listed in {METRICS_FILE})"))
    return Group(*parts)


def _scores(metrics: Mapping[str, Any]) -> Table:
    what = f"{metrics['n_points']} steps of {metrics['n_trajectories']} trajectories, {metrics['scorer']} scorer"
    table = Table(title=what, title_justify="left")
    table.add_column("metric")
    for head in ("%", "95 % interval", "n"):
        table.add_column(head, justify="right")
    found = [key for key, value in metrics.items() if isinstance(value, Mapping) and value.keys() == _METRIC]
    for key, title in (TITLES | {key: key for key in found if key not in TITLES}).items():
        if key in metrics:
            metric = metrics[key]
            interval = "" if metric["low"] is None else f"{_percent(metric['low'])} to {_percent(metric['high'])}"
            table.add_row(title, _percent(metric["value"]), interval, str(metric["n"]))
    return table


def _confusion(confusion: Mapping[str, Mapping[str, int]]) -> Table:
    table = Table(title="reference (rows) and predicted plan", title_justify="left")
    table.add_column("")
    predicted = list(next(iter(confusion.values())))
    for name in predicted:
        table.add_column(name, justify="right")
    for name in DECISIONS:
        table.add_row(name, *(str(confusion[name][p]) for p in predicted))
    return table


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
