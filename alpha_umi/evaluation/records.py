"""The records of one evaluation on disk, one a line, and where they come from.

Lines are appended as they come, so a killed run continues where it stopped: a half-written last line is dropped.
`NAME.meta.json` beside `NAME.jsonl` names team and data by digest, and records of others are never mixed in.
One process at a time writes a file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Generic, Self, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from alpha_umi.digests import text_digest, weights_digest
from alpha_umi.errors import DataError, UsageError
from alpha_umi.files import write_atomically
from alpha_umi.roles import Role, Team
from alpha_umi.trajectory import Frozen

R = TypeVar("R", bound=BaseModel)
K = TypeVar("K", bound=Hashable)


class Origin(Frozen):
    """What records were made by and from."""

    team: str
    team_digest: str
    data: str
    data_digest: str
    settings: str = ""
    """What else decides them: the budget of an episode, the search."""

    def differs(self, other: Origin) -> list[str]:
        """In what the two differ, each for one line of text; names may differ, content may not."""
        pairs = (
            ("team", self.team_digest, other.team_digest),
            ("data", self.data_digest, other.data_digest),
            ("settings", self.settings, other.settings),
        )
        return [f"{'another' if what == 'team' else 'other'} {what}" for what, mine, theirs in pairs if mine != theirs]


_NO_SETTING: dict[str, Any] = {
    "name": True,
    "description": True,
    "weights": True,
    "served": {"api_key_env", "timeout", "retries"},
}
"""Of a role: its weights count by content; how its server is reached does not change what it says."""


def team_digest(team: Team) -> str:
    """Changes with whatever may change what the team writes: weights, tokenizer, chat template, prompts, settings.

    Raises:
        ModelError: weights are missing.
        MissingExtra: there are some on this machine, and the `local` extra is not installed.
    """
    roles = list(team.roles.values())
    sources = [team.backbone, *(role.weights for role in roles)]
    weights = [weights_digest(Path(source)) if source else None for source in sources]
    base: list[str] = []
    if any(role.local for role in roles):
        from alpha_umi.models.local.base_weights import reading_digests
        from alpha_umi.models.local.bases import base_digest

        base = [base_digest(team.base), *reading_digests(team.base, team.layout)]
    settings = [_settings(role) for role in roles]
    ways = [team.layout.name, team.observation_chars, team.context, team.constrained, team.merge_adapters]
    return text_digest([base, weights, settings, ways, team.prompt_digest])


def _settings(role: Role) -> dict[str, Any]:
    found = role.model_dump(mode="json", exclude=_NO_SETTING)
    if role.model is None:  # so that records made before there was this key are continued
        del found["model"]
    return found


class RecordLog(Generic[K, R]):
    """Records made so far by key, and the file that the next are appended to. A context manager."""

    def __init__(self, path: Path, origin: Origin, *, kind: type[R], key: Callable[[R], K]) -> None:
        """Open or continue a file of records.

        Raises:
            UsageError: it holds records of another team or other data, or another process is at it.
            DataError: a line that is not the last cannot be read.
        """
        self.path, self._key = path, key
        self.done: dict[K, R] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        # Held while open: a second process would do the same work again, and cut what the first is writing.
        self._lock = FileLock(path.with_suffix(".lock"), timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            taken = f"{path} is being written by another evaluation: wait for it, or give another --out"
            raise UsageError(taken) from None
        try:
            self._stream = self._open(path, origin, kind)
        except BaseException:
            self._lock.release()
            raise

    def _open(self, path: Path, origin: Origin, kind: type[R]) -> BinaryIO:
        """Read what is there, and open it behind the last whole line."""
        end = 0
        if path.is_file() and path.stat().st_size:
            self._check(origin)
            records, end = read_lines(path, kind)
            self.done = {self._key(record): record for record in records}
        write_atomically(meta_of(path), origin.model_dump_json(indent=2) + "\n")
        stream = path.open("ab")
        stream.truncate(end)
        return stream

    def _check(self, origin: Origin) -> None:
        found = read_origin(self.path)
        what = ["unknown origin"] if found is None else found.differs(origin)
        if what:
            raise UsageError(
                f"{self.path} holds {self.path.stem} of {' and '.join(what)}: give another --out or remove it"
            )

    def append(self, records: Iterable[R]) -> None:
        """Write records and flush them."""
        for record in records:
            self.done[self._key(record)] = record
            self._stream.write(record.model_dump_json().encode() + b"\n")
        self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stream.close()
        finally:
            self._lock.release()


def meta_of(path: Path) -> Path:
    """The file that says where records come from."""
    return path.with_name(f"{path.stem}.meta.json")


def read_origin(path: Path) -> Origin | None:
    """Where the records of a file come from, or None when nothing says so."""
    meta = meta_of(path)
    try:
        return Origin.model_validate_json(meta.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise DataError(f"{meta}: {error.errors()[0]['msg']}") from error


def read_lines(path: Path, kind: type[R]) -> tuple[list[R], int]:
    """The records, and where the last whole line ends.

    Raises:
        DataError: a line is none.
    """
    records, end = [], 0
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.endswith(b"\n"):
                break
            try:
                records.append(kind.model_validate_json(line))
            except ValidationError as error:
                first = error.errors()[0]
                key = ".".join(map(str, first["loc"]))
                raise DataError(f"{path} line {number} is no {kind.__name__.lower()}: {key}: {first['msg']}") from error
            end += len(line)
    return records, end


def write_json(path: Path, value: object) -> None:
    """Write a value whole or not at all, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
