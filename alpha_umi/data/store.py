"""A data set on disk: `trajectories.jsonl` (one Trajectory a line) and `report.json` in one folder.

Written as a stream under a temporary name and renamed when complete, so a folder never holds half a data set. Read
as a stream, each line validated. Knows nothing of where trajectories come from.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from alpha_umi.data.filters import Report
from alpha_umi.data.stream import open_binary
from alpha_umi.digests import ordered_digest
from alpha_umi.errors import DataError
from alpha_umi.files import write_atomically
from alpha_umi.resources import user_path
from alpha_umi.stamps import remembered, rule_of
from alpha_umi.trajectory import Trajectory

__all__ = ["digest", "find", "read", "split", "write"]

TRAJECTORIES = "trajectories.jsonl"
REPORT = "report.json"

_RULE = rule_of(__file__)

SplitBy = Literal["query", "id"]


def find(path: str | Path) -> Path:
    """The trajectory file that a folder or file name means.

    Raises:
        DataError: there is none.
    """
    path = user_path(path)
    if path.is_dir():
        for name in (TRAJECTORIES, f"{TRAJECTORIES}.gz"):
            if (path / name).is_file():
                return path / name
        raise DataError(f"{path} is no data set: it holds no {TRAJECTORIES} (make one: alpha-umi data convert)")
    if path.is_file():
        return path
    raise DataError(f"there is no data set {path} (make one: alpha-umi data convert SRC --format F --out {path})")


def read(path: str | Path) -> Iterator[Trajectory]:
    """Read the trajectories of a folder, or of a `.jsonl` or `.jsonl.gz` file, in order.

    Raises:
        DataError: the data set is missing or empty, or a line (named) is no trajectory.
    """
    return _read_lines(find(path))


def _read_lines(file: Path) -> Iterator[Trajectory]:
    number = read = 0
    try:
        with open_binary(file) as stream:
            for line in stream:
                number += 1
                if line.strip():
                    yield Trajectory.model_validate_json(line)
                    read += 1
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise DataError(
            f"{file} line {number} is no trajectory ({what[:200]}); other formats are read by alpha-umi data convert"
        ) from None
    except (OSError, EOFError) as error:
        raise DataError(f"{file} line {number + 1}: cannot be read ({error})") from error
    if not read:
        raise DataError(f"{file}: the data set is empty")


def write(folder: str | Path, trajectories: Iterable[Trajectory], report: Report | None = None) -> Report:
    """Write a data set, replacing what the folder holds only when all of it is written.

    Args:
        folder: made when missing.
        trajectories: taken one at a time, never held together.
        report: counts what is kept, and drops as `not_text` what cannot be written as UTF-8.

    Raises:
        DataError: nothing was kept; the folder is left as it was.
    """
    folder = user_path(folder)
    report = Report() if report is None else report
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: the folder cannot be made ({error.strerror})") from error
    part = folder / f".{TRAJECTORIES}.{os.getpid()}.part"
    try:
        with part.open("wb") as stream:
            stream.writelines(_as_lines(trajectories, report))
        if not report.kept:
            raise DataError(_nothing_kept(report))
        write_atomically(folder / REPORT, json.dumps(report.as_dict(), indent=2, ensure_ascii=False).encode() + b"\n")
        part.replace(folder / TRAJECTORIES)
    finally:
        part.unlink(missing_ok=True)
        if is_new and not report.kept:
            with contextlib.suppress(OSError):
                folder.rmdir()
    return report


def _as_lines(trajectories: Iterable[Trajectory], report: Report) -> Iterator[bytes]:
    for trajectory in trajectories:
        try:
            line = trajectory.model_dump_json(exclude_defaults=True).encode()
        except ValueError as error:  # half of a surrogate pair, which JSON can spell and UTF-8 cannot
            report.drop("not_text", trajectory.id, " ".join(str(error).split())[:100])
            continue
        report.keep(trajectory)
        yield line + b"\n"


def _nothing_kept(report: Report) -> str:
    if not report.dropped:
        return "no trajectory was found, so nothing was written"
    reason, count = report.dropped.most_common(1)[0]
    first = report.examples[reason][0]
    return (
        f"nothing was kept of {report.dropped.total()} records, most ({count}) dropped as '{reason}', "
        f"first {first}; is the format the right one?"
    )


def digest(path: str | Path) -> str:
    """Digest of a data set's trajectories in order, however their lines are spelled (`digests.ordered_digest`).

    Raises:
        DataError: the data set is missing or empty, or a line (named) is no trajectory.
    """
    file = find(path)

    def compute() -> str:
        return ordered_digest(map(content, _read_lines(file)))

    return remembered(f"data {_RULE} {file.name}", [file], compute)


def taskset_of(path: str | Path) -> str | None:
    """The task set with its version (`gym@1`) that a data set's report names; None when it names none."""
    try:
        report = json.loads(find(path).with_name(REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    named = report.get("taskset") if isinstance(report, dict) else None
    return named if isinstance(named, str) else None


def first_digest(path: str | Path) -> str:
    """The digest that runs named before digests said their rule: of the bytes of the lines."""
    sha = hashlib.sha256()
    with open_binary(find(path)) as stream:
        while chunk := stream.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()[:16]


def content(trajectory: Trajectory) -> dict[str, Any]:
    """What a digest of a trajectory covers: what is set, less the order of its notes (`meta`)."""
    plain = trajectory.model_dump(mode="json", exclude_defaults=True)
    return plain | {"meta": json.loads(json.dumps(plain.get("meta", {}), sort_keys=True))}


def is_held_out(trajectory: Trajectory, share: float, *, seed: int = 0, by: SplitBy = "query") -> bool:
    """Whether a trajectory belongs to the held-out share: decided by its query, so that several trajectories of one
    query stay together, or by its id (its query when it has none)."""
    key = f"{seed}\0{(by == 'id' and trajectory.id) or trajectory.query}".encode()
    return int.from_bytes(hashlib.sha256(key).digest()[:8]) < share * 2**64


def split(
    trajectories: Iterable[Trajectory], share: float, *, seed: int = 0, by: SplitBy = "query"
) -> tuple[list[Trajectory], list[Trajectory]]:
    """Split into the rest and a held-out share; a trajectory's side depends on nothing but its query and the seed."""
    rest: list[Trajectory] = []
    held_out: list[Trajectory] = []
    for trajectory in trajectories:
        (held_out if is_held_out(trajectory, share, seed=seed, by=by) else rest).append(trajectory)
    return rest, held_out
