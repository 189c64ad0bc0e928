"""Raw files of any known format -> a data set on disk, as one stream: read, filter, write.

Holds the table of formats and nothing of what is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from alpha_umi.data import alpha_umi, filters, store, toolalpaca, toolbench
from alpha_umi.data.filters import Filter, Report
from alpha_umi.errors import DataError
from alpha_umi.trajectory import Trajectory

FORMATS: dict[str, Callable[..., Iterator[Trajectory]]] = {
    "alpha-umi": alpha_umi.read,
    "toolalpaca": toolalpaca.read,
    "toolbench": toolbench.read,
}
"""Readers by name: each takes a path and a report, counts what it drops, and yields trajectories."""


def convert(
    src: str | Path | Sequence[str | Path],
    format: str,
    out: str | Path,
    *,
    keep: Sequence[Filter] = filters.DEFAULT,
    progress: Callable[[], None] | None = None,
    **options: Any,
) -> Report:
    """Convert raw files to the data set folder `out`.

    Args:
        src: a file, a folder of files or a glob, or several; gzipped or not.
        format: a key of `FORMATS`.
        out: the folder to write.
        keep: filters that drop trajectories; the first reason found is counted.
        progress: called once for each trajectory read.
        options: passed to the format's reader (`keep_invalid` of toolbench).

    Raises:
        DataError: unknown format, missing or unreadable source, or nothing kept. The folder is then as it was.
    """
    if format not in FORMATS:
        raise DataError(f"unknown format '{format}': known are {', '.join(FORMATS)}")
    report = Report()
    sources = [src] if isinstance(src, str | Path) else list(src)
    found = chain.from_iterable(FORMATS[format](source, report, **options) for source in sources)
    try:
        return save(found, out, report=report, keep=keep, progress=progress)
    except DataError as error:
        if report.kept or any(str(source) in str(error) for source in sources):
            raise
        raise DataError(f"{', '.join(map(str, sources))} as {format}: {error}") from error


def save(
    trajectories: Iterable[Trajectory],
    out: str | Path,
    *,
    report: Report | None = None,
    keep: Sequence[Filter] = filters.DEFAULT,
    progress: Callable[[], None] | None = None,
) -> Report:
    """Filter trajectories and write them as the data set folder `out`."""
    report = Report() if report is None else report
    if progress is not None:
        trajectories = _counted(trajectories, progress)
    return store.write(out, filters.apply(trajectories, keep, report), report)


def _counted(trajectories: Iterable[Trajectory], progress: Callable[[], None]) -> Iterator[Trajectory]:
    for trajectory in trajectories:
        progress()
        yield trajectory
