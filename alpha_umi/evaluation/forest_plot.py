"""A forest plot as SVG: each arm's difference to the baseline with its interval, a panel for each metric."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from alpha_umi.evaluation.comparison import Difference, EvaluationTable
from alpha_umi.evaluation.results import LOWER_IS_BETTER
from alpha_umi.evaluation.tables import METRIC_TITLES

_ROW, _HEAD, _FOOT, _PLOT, _RIGHT, _CHAR = 22, 34, 34, 360, 190, 7.2
_INK, _FAINT, _GOOD, _BAD = "#1f2328", "#c9ced6", "#0b6e4f", "#a4262c"


def forest_plot(found: EvaluationTable) -> str:
    """The differences of one evaluation, in points; green where an interval is on the better side of nothing, red where
    it is on the worse."""
    baseline, *others = found.arms
    metrics = list(dict.fromkeys(metric for row in found.arms.values() for metric in row.metrics))
    panels = [(metric, _differences(found, metric, others)) for metric in metrics]
    panels = [(metric, rows) for metric, rows in panels if rows]
    left = 16 + _CHAR * max((len(arm) for arm in others), default=0)
    heights = [_HEAD + _ROW * len(rows) + _FOOT for _, rows in panels]
    width, height = left + _PLOT + _RIGHT, sum(heights) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="system-ui, sans-serif" font-size="13" role="img">',
        f"<title>Differences to {escape(baseline)}, with 95 % intervals</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
    ]
    top = 0
    for (metric, rows), panel in zip(panels, heights, strict=True):
        parts += _panel(metric, rows, baseline, left, top)
        top += panel
    return "\n".join([*parts, "</svg>"]) + "\n"


def _differences(found: EvaluationTable, metric: str, arms: list[str]) -> list[tuple[str, Difference]]:
    measures = [(arm, found.arms[arm].metrics.get(metric)) for arm in arms]
    return [(arm, measure.difference) for arm, measure in measures if measure and measure.difference]


def _panel(metric: str, rows: list[tuple[str, Difference]], baseline: str, left: float, top: float) -> Iterator[str]:
    step = _tick(max([0.01, *(abs(end) for _, d in rows for end in (d.low, d.high, d.value))]))
    reach = step * math.ceil(max(abs(end) for _, d in rows for end in (d.low, d.high, d.value, step)) / step)
    bottom = top + _HEAD + _ROW * len(rows)

    def x(value: float) -> float:
        return left + _PLOT * (value + reach) / (2 * reach)

    lower = metric in LOWER_IS_BETTER
    title = (
        f"{METRIC_TITLES.get(metric, metric)}: points {'above' if not lower else 'above (less is better)'} {baseline}"
    )
    yield f'<text x="8" y="{top + 20:.0f}" font-weight="600" fill="{_INK}">{escape(title)}</text>'
    for i in range(-round(reach / step), round(reach / step) + 1):
        at, ink = x(i * step), _INK if i == 0 else _FAINT
        yield f'<line x1="{at:.1f}" y1="{top + _HEAD - 6:.0f}" x2="{at:.1f}" y2="{bottom:.0f}" stroke="{ink}"/>'
        yield (
            f'<text x="{at:.1f}" y="{bottom + 16:.0f}" text-anchor="middle" font-size="11" fill="{_INK}">'
            f"{100 * i * step:+g}</text>"
        )
    for i, (arm, d) in enumerate(rows):
        y = top + _HEAD + _ROW * (i + 0.5)
        better, worse = (d.high < 0, d.low > 0) if lower else (d.low > 0, d.high < 0)
        ink = _GOOD if better else _BAD if worse else _INK
        said = f"{100 * d.value:+.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
        yield f'<text x="8" y="{y + 4:.1f}" fill="{_INK}">{escape(arm)}</text>'
        yield (
            f'<line x1="{x(d.low):.1f}" y1="{y:.1f}" x2="{x(d.high):.1f}" y2="{y:.1f}" stroke="{ink}" '
            'stroke-width="2"/>'
        )
        yield f'<rect x="{x(d.value) - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{ink}"/>'
        yield f'<text x="{left + _PLOT + 12:.1f}" y="{y + 4:.1f}" font-size="12" fill="{_INK}">{said}</text>'


def _tick(largest: float) -> float:
    """A round step of which two to five reach so far."""
    power = 10.0 ** math.floor(math.log10(largest))
    return next(power * factor for factor in (0.25, 0.5, 1.0, 2.5) if largest <= 5 * power * factor)
