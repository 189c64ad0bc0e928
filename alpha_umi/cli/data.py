"""`alpha-umi data`: raw files into a data set. Parses flags and prints what `data` and `gym` say."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from alpha_umi.cli import inspect, split, verdicts
from alpha_umi.data import convert as conversion
from alpha_umi.data import filters, store
from alpha_umi.data.filters import Report
from alpha_umi.errors import UsageError
from alpha_umi.tasks import is_named

app = typer.Typer(help="Convert, split and inspect trajectories.", no_args_is_help=True)

for _verb in (inspect, split, verdicts):
    _verb.register(app)


_CONVERT = """Convert raw trajectories into a data set folder.

Examples:

  alpha-umi data convert out_of_domain.json.gz --format alpha-umi --out data/ood

  alpha-umi data convert data_example/answer --format toolbench --out data/toolbench

  alpha-umi data convert gym --out data/gym                    (every split: data/gym/train, data/gym/unseen_tools, ...)

  alpha-umi data convert gym --split train --n 500 --seed 1 --out data/small
"""


@app.command("convert", help=_CONVERT, short_help="Raw trajectories into a data set folder.")
def convert(
    src: Annotated[
        list[str],
        typer.Argument(
            metavar="SRC...",
            help="Files, folders or globs, gzipped or not; or the word gym (or another task set's name).",
        ),
    ],
    *,
    format: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(conversion.FORMATS.shipped)}, one that a package brings, or MODULE:ATTRIBUTE."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for trajectories.jsonl and report.json.")],
    min_steps: Annotated[int, typer.Option(help="Drop trajectories with fewer steps.")] = 1,
    max_steps: Annotated[int | None, typer.Option(help="Drop trajectories with more steps.")] = None,
    readable_only: Annotated[
        bool, typer.Option("--readable-only", help="Drop trajectories with an unreadable call.")
    ] = False,
    keep_invalid: Annotated[
        bool, typer.Option("--keep-invalid", help="toolbench: keep trees without any valid answer.")
    ] = False,
    n: Annotated[
        int | None,
        typer.Option(min=1, help="gym: how many trajectories. Default: 4,000 to train, 200 of a test split."),
    ] = None,
    seed: Annotated[int, typer.Option(help="gym: seed of the generator.")] = 0,
    split: Annotated[
        str | None, typer.Option(help="gym: only train, unseen_instructions, unseen_tools or unseen_categories.")
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(help="gym: only calls of these categories, a comma list; your own as MODULE:ATTRIBUTE."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Convert raw trajectories into a data set folder."""
    keep = [*filters.DEFAULT, filters.steps_between(min_steps, max_steps)]
    if readable_only:
        keep.append(filters.unreadable_arguments)
    if _is_taskset(src) and format in (None, src[0]):
        _convert_taskset(src[0], out, n=n, seed=seed, split=split, category=category, keep=keep, as_json=as_json)
        return
    if format is None:
        known = ", ".join(conversion.FORMATS.names())
        raise UsageError(f"say what {src[0]} is: --format {known} (or give the word gym)")
    if is_named(format):
        raise UsageError(f"{src[0]} is no {format}: `alpha-umi data convert {format} --out DIR` makes its own")
    conversion.FORMATS.load(format)
    if keep_invalid and format != "toolbench":
        raise UsageError(f"--keep-invalid is for --format toolbench, not {format}")
    _say_replaced(out)
    with _counting() as progress:
        options: dict[str, Any] = {"keep_invalid": True} if keep_invalid else {}
        report = conversion.convert(src, format, out, keep=keep, progress=progress, **options)
    _tell(report, out, as_json=as_json)


def _is_taskset(src: Sequence[str]) -> bool:
    """Whether the name of a task set is given in place of files."""
    return len(src) == 1 and ":" not in src[0] and is_named(src[0])


def _convert_taskset(
    name: str,
    out: Path,
    *,
    n: int | None,
    seed: int,
    split: str | None,
    category: str | None,
    keep: Sequence[Any],
    as_json: bool,
) -> None:
    """Write the solutions of one split into the folder, or of every split into a folder of its own."""
    from alpha_umi.tasks import WordedTaskset, label, load_recorded

    every = load_recorded(name).sizes()
    taskset = load_recorded(name, category)
    sizes = taskset.sizes()
    gc.freeze()  # what the libraries hold stays: the collector need not walk it again and again
    for chosen in sizes if split is None else [split]:
        folder = out / chosen if split is None else out
        report = Report(versions=dict(taskset.versions()), taskset=label(taskset))
        if isinstance(taskset, WordedTaskset):
            report.words_digest = taskset.words_digest()
        made = taskset.solutions(chosen, n or sizes.get(chosen, 0), seed, dropped=report.redrawn)
        _say_replaced(folder)
        with _counting() as progress:
            conversion.save(made, folder, report=report, keep=keep, progress=progress)
        _tell(report, folder, as_json=as_json)
    if split is None and (left := [chosen for chosen in every if chosen not in sizes]):
        typer.echo(f"no tasks in {', '.join(left)}: {category} has no tools there", err=True)


def _say_replaced(out: Path) -> None:
    if (out / store.TRAJECTORIES).is_file():
        typer.echo(f"warning: the trajectories that were in {out} are replaced", err=True)


def _tell(report: Report, out: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"out": str(out), **report.as_dict()}, ensure_ascii=False))
    else:
        _summarize(report, out)
    _warn(report, out)


def _warn(report: Report, out: Path) -> None:
    """Say what a person might overlook: much that was lost, and a split that is of other data now."""
    lost, total = report.dropped.total(), report.kept + report.dropped.total()
    if lost * 5 > total:
        typer.echo(f"warning: {lost:,} of {total:,} records were dropped; is the format the right one?", err=True)
    if stale := [name for name in ("train", "test") if (out / name / store.TRAJECTORIES).is_file()]:
        typer.echo(f"warning: {' and '.join(stale)} in {out} are a split of what was there before", err=True)


@contextlib.contextmanager
def _counting() -> Iterator[Callable[[], None]]:
    """A line on stderr, when it is a terminal, that counts what was read."""
    with Console(stderr=True).status("reading") as status:
        count = 0

        def one_more() -> None:
            nonlocal count
            count += 1
            if count % 100 == 0:
                status.update(f"{count:,} trajectories read")

        yield one_more


def _summarize(report: Report, out: Path) -> None:
    lines = [f"kept     {report.kept:>8,}  in {out / store.TRAJECTORIES}", f"dropped  {report.dropped.total():>8,}"]
    if report.redrawn:
        lines.append(f"redrawn  {report.redrawn.total():>8,}  drafts that made no task (reasons in {store.REPORT})")
    for reason, count in report.dropped.most_common():
        lines.append(f"  {count:>8,}  {reason}  (first: {report.examples[reason][0][:100]})")
    kinds = {"call": "call", "summarize": "conclude", "give_up": "give up"}
    decisions = ", ".join(f"{report.decisions[kind]:,} {name}" for kind, name in kinds.items())
    lines.append(f"decision points: {decisions}")
    lines.append(
        "ends: " + ", ".join(f"{count:,} {end.replace('_', ' ')}" for end, count in report.outcomes.most_common())
    )
    typer.echo("\n".join(lines))
