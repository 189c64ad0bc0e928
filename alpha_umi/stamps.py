"""What was computed from files, remembered between processes for as long as the files stay as they are.

A stamp is what a file system says of each file: name, size, time of its last change. Where the memory cannot be written
or read (no home, a full or read-only disk, half a file) the value is computed again; nothing depends on it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from alpha_umi import resources
from alpha_umi.errors import UsageError
from alpha_umi.files import write_atomically

_SETTLED = 2.0
"""Seconds after a change of a file for which its stamp is not trusted: another change would not show, so coarse are
file systems' clocks."""

_known: dict[str, tuple[Any, str]] = {}


def rule_of(file: str) -> str:
    """A word for the rule that a module's file holds: what another text of it made is never taken for this one's."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]


def remembered(purpose: str, files: Sequence[Path], compute: Callable[[], str]) -> str:
    """The value for files, from memory where they are as they were, else computed.

    Args:
        purpose: what the value is, and the rule that makes it (`rule_of`).
        files: those it is made from.
        compute: makes it.
    """
    stamp, newest = _stamp(files)
    place = _place(purpose, str(files[0].parent.resolve()) if files else "")
    found = _known.get(place) or _read(place)
    if found is not None and found[0] == stamp:
        _known[place] = found
        return found[1]
    value = compute()
    if _stamp(files)[0] == stamp and time.time() - newest > _SETTLED:  # else they changed meanwhile, or may do so yet
        _known[place] = (stamp, value)
        _write(place, stamp, value)
    return value


def remembered_of(purpose: str, content: str, compute: Callable[[], str]) -> str:
    """The value for a text, from memory where it was computed before. Arguments as `remembered`."""
    place = _place(purpose, hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest())
    found = _known.get(place) or _read(place)
    if found is None:
        found = (None, compute())
        _write(place, *found)
    _known[place] = found
    return found[1]


def _stamp(files: Iterable[Path]) -> tuple[list[list[object]], float]:
    """Name, size and times of each file, and the newest in seconds. A copy may keep the time of its content alone."""
    found = [(file, file.stat()) for file in sorted(files)]
    return (
        [[file.name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino] for file, stat in found],
        max((stat.st_mtime for _, stat in found), default=0.0),
    )


def _place(purpose: str, what: str) -> str:
    return hashlib.sha256(json.dumps([purpose, what]).encode()).hexdigest()[:24]


def _file(place: str) -> Path:
    return resources.cache_folder() / "stamps" / f"{place}.json"


def _read(place: str) -> tuple[Any, str] | None:
    try:
        stamp, value = json.loads(_file(place).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, UsageError):  # UsageError: there is no home
        return None
    return (stamp, value) if isinstance(value, str) else None


def _write(place: str, stamp: Any, value: str) -> None:
    with contextlib.suppress(OSError, UsageError):
        file = _file(place)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps([stamp, value]))
