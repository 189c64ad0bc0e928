"""`alpha-umi compare`: finished evaluations side by side, paired."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from alpha_umi.errors import UsageError
from alpha_umi.evaluation.static.scorers import STRICT

if TYPE_CHECKING:
    from alpha_umi.evaluation.results import EvaluationResult

_HELP = """Compare finished evaluations of the same tasks: intervals, paired differences, p, costs.

Examples:

  alpha-umi compare eval/single eval/glpft

  alpha-umi compare single=eval/s1,eval/s2 glpft=eval/g1,eval/g2 --out comparison

Each is a folder of `evaluate static` or `evaluate agent`, the first the baseline; NAME= gives it a name, and a comma
list is several runs (seeds, or repeated ones: pass^k). Only runs over the same tasks are compared, task by task. With
--out the tables are written as Markdown, CSV, LaTeX and JSON, with SVG plots and report.html.
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compare", help=_HELP, short_help="Finished evaluations side by side, paired.")(compare)


def compare(
    evaluations: Annotated[list[str], typer.Argument(metavar="A B [C...]", help="[NAME=]FOLDER[,FOLDER...] each.")],
    *,
    baseline: Annotated[str | None, typer.Option(help="The one that the others are compared with.")] = None,
    scorer: Annotated[str, typer.Option(help="Of static evaluations, as of `evaluate static`.")] = STRICT,
    out: Annotated[Path | None, typer.Option(help="Folder for tables, plots and report.html.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Read, compare, write, print."""
    from alpha_umi.evaluation.comparison import compare as compared
    from alpha_umi.evaluation.results import read_evaluation
    from alpha_umi.evaluation.tables import render, write_comparison

    arms: dict[str, dict[str, list[EvaluationResult]]] = {}
    for name, folders in _named(evaluations).items():
        arms[name] = {}
        for folder in folders:
            result = read_evaluation(folder, scorer=scorer)
            arms[name].setdefault(result.kind, []).append(result)
    comparison = compared(arms, baseline=baseline or next(iter(arms)))
    if out is not None:
        write_comparison(out, comparison)
    if as_json:
        typer.echo(comparison.model_dump_json())
        return
    Console(highlight=False).print(render(comparison))
    if out is not None:
        typer.echo(f"{out / 'report.html'}", err=True)


def _named(evaluations: list[str]) -> dict[str, list[str]]:
    """The folders of each arm; without a name it is called by as much of its path as tells it from the others."""
    split = [text.partition("=") if "=" in text and not Path(text).exists() else ("", "", text) for text in evaluations]
    paths = [Path(folders.split(",")[0]).parts for _, _, folders in split]
    depth = next((n for n in range(1, 9) if len({path[-n:] for path in paths}) == len(paths)), 1)
    arms: dict[str, list[str]] = {}
    for (given, _, folders), path in zip(split, paths, strict=True):
        name = given or "/".join(path[-depth:])
        if name in arms:
            raise UsageError(f"two arms are called '{name}': give each a name, as in NAME={folders}")
        arms[name] = folders.split(",")
        if "" in arms[name]:
            raise UsageError(f"'{folders}' names an empty folder")
    return arms
