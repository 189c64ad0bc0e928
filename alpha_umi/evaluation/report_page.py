"""A comparison as one HTML page with its tables and plots: no script, nothing fetched."""

from __future__ import annotations

from html import escape

from alpha_umi.evaluation.comparison import Comparison
from alpha_umi.evaluation.forest_plot import forest_plot
from alpha_umi.evaluation.tables import html_tables, remarks, run_list

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2328; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1.5rem 0; display: block; overflow-x: auto; }
caption { text-align: left; font-weight: 600; padding-bottom: .4rem; }
th, td { text-align: right; padding: .3rem .8rem; border-top: 1px solid #d8dde3; vertical-align: top;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
small { color: #57606a; }
svg { max-width: 100%; height: auto; }
"""


def report_page(comparison: Comparison, title: str) -> str:
    """The page."""
    plots = "".join(
        f"<h2>{escape(name)}: differences to {escape(comparison.baseline)}</h2>{forest_plot(found)}"
        for name, found in comparison.evaluations.items()
    )
    notes = "".join(f"<li>{escape(remark)}</li>" for remark in remarks(comparison))
    runs = "".join(f"<li>{escape(run)}</li>" for run in run_list(comparison))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{html_tables(comparison)}<ul>{notes}</ul>"
        f"{plots}<h2>Runs</h2><ul>{runs}</ul></body></html>\n"
    )
