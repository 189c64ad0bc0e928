"""Raw files of any known format -> a data set on disk, as one stream: read, filter, write.

Formats are a plug-in group, `alpha_umi.data_formats`; nothing here knows what is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from alpha_umi.data import filters, store
from alpha_umi.data.filters import Filter, Report
from alpha_umi.errors import DataError
from alpha_umi.plugins import PluginPoint
from alpha_umi.trajectory import Trajectory

__all__ = ["FORMATS", "convert", "save"]


class Reader(Protocol):
    """What a data format stands for. `data.stream.read_records` reads JSON and JSONL for one, gzipped or not."""

    def __call__(self, path: str | Path, report: Report, /, **options: Any) -> Iterator[Trajectory]:
        """Yield the trajectories of one source, one at a time.

        Args:
            path: a file, a folder or a glob, as the user gave it.
            report: where a record that makes no trajectory is counted: `report.drop(reason, where)`.
            options: settings of the format alone, by keyword.

        Raises:
            DataError: the source is missing or cannot be read at all; a single bad record is dropped instead.
        """
        ...


FORMATS = PluginPoint[Reader](
    "data_formats",
    {
        "alpha-umi": "alpha_umi.data.formats.alpha_umi_json:read",
        "toolalpaca": "alpha_umi.data.formats.toolalpaca:read",
        "toolbench": "alpha_umi.data.formats.toolbench:read",
    },
    fits=callable,
)
"""The formats by name; what else a name may be is a `Reader` as MODULE:ATTRIBUTE."""


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
        format: a name of `FORMATS`, or MODULE:ATTRIBUTE.
        out: the folder to write.
        keep: filters that drop trajectories; the first reason found is counted.
        progress: called once for each trajectory read.
        options: passed to the format's reader (`keep_invalid` of toolbench).

    Raises:
        UsageError: there is no such format.
        DataError: missing or unreadable source, or nothing kept. The folder is then as it was.
    """
    read = FORMATS.load(format)
    report = Report()
    sources = [src] if isinstance(src, str | Path) else list(src)
    found = chain.from_iterable(read(source, report, **options) for source in sources)
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
