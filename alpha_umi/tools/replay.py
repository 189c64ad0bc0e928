"""Any toolbox recorded to a file, and the file as a toolbox that answers the same, offline.

A recording is JSON lines, ASCII only: first `{"format", "version", "tools"}`, then `{"call", "observation"}` for each
call in the order in which the calls ended. Each line is handed to the operating system whole, before its observation is
returned, so a killed program leaves complete lines and at most one half line, which is dropped. (A crash of the machine
may lose what the system had not written yet.) One Recorder writes a file at a time.

Calls are the same when tool, fault and arguments are, these as JSON: keys in any order, while 1, 1.0 and true differ.
The text as the model wrote it does not matter. Knows nothing of what the tools do.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from pydantic import ValidationError

from alpha_umi.errors import DataError, UsageError, WorkError
from alpha_umi.text.truncation import cut_middle
from alpha_umi.tools.protocol import Toolbox, Traits, traits_of
from alpha_umi.tools.validation import refused
from alpha_umi.trajectory import Call, Observation, Tool

FORMAT = "alpha-umi-recording"
VERSION = 1
_BEGINNING = f'{{"format":"{FORMAT}"'.encode()


class Recorder:
    """Another toolbox, with every call and its observation appended to a file. Safe to call from several threads."""

    def __init__(self, box: Toolbox, path: str | Path) -> None:
        """Begin a recording, or go on with one of the same tools.

        Raises:
            DataError: the file exists and is no recording.
            UsageError: the file is a recording of other tools, or cannot be written.
        """
        self._box, self._path = box, Path(path)
        self._lock = threading.Lock()  # one line at a time
        offered = [_plain(tool) for tool in box.tools]
        kept = 0
        if self._path.is_file():
            recording = _read(self._path)
            if recording.tools is not None and [_plain(tool) for tool in recording.tools] != offered:
                raise UsageError(f"{self._path}: this is a recording of other tools; give another file")
            kept = recording.whole
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115 # closed by `close`
            self._file.truncate(kept)
        except OSError as error:
            raise UsageError(f"{self._path}: cannot be written: {error.strerror}") from None
        if not kept:
            self._append({"format": FORMAT, "version": VERSION, "tools": offered})

    @property
    def tools(self) -> Sequence[Tool]:
        """What the recorded toolbox offers."""
        return self._box.tools

    def invoke(self, call: Call) -> Observation:
        """Carry out one call and record it; a call that cannot be written as JSON is refused instead.

        Raises:
            WorkError: the file cannot be written any more.
        """
        try:
            line = {"call": {"tool": call.tool, "arguments": _plain(call.arguments), "fault": call.fault}}
        except (TypeError, ValueError, RecursionError):
            return _no_json(call)
        observation = self._box.invoke(call)
        self._append(line | {"observation": observation.model_dump()})
        return observation

    def traits(self, name: str) -> Traits:
        """What the recorded toolbox says of a tool."""
        return traits_of(self._box, name)

    def _append(self, value: Any) -> None:
        data = (json.dumps(value, separators=(",", ":")) + "\n").encode()
        with self._lock:
            try:
                while data:
                    data = data[self._file.write(data) :]
            except (OSError, ValueError) as error:
                self._file.close()  # a later line must not be glued to half a one
                raise WorkError(f"{self._path}: cannot record: {error}") from None

    def close(self) -> None:
        """Close the file; later calls raise. The recorded toolbox stays open."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Replay:
    """The tools of a recording; a call gets what was recorded for it. Safe to call from several threads.

    The n-th time the same call is made it gets the n-th observation recorded for it, and after the last one the last
    again. Calls in another order than recorded therefore get the same; only identical calls depend on their order.
    """

    def __init__(self, path: str | Path, *, missing: Literal["observation", "error"] | Toolbox = "observation") -> None:
        """Read a recording.

        Args:
            path: what a Recorder wrote.
            missing: what a call gets that was never recorded: an observation that says so, a WorkError, or what
                another toolbox (a simulator) makes of it.

        Raises:
            DataError: the file is missing or no recording.
        """
        if isinstance(missing, str) and missing not in {"observation", "error"}:
            raise UsageError(f"missing={missing!r}: give 'observation', 'error' or a toolbox")
        self._path, self._missing = Path(path), missing
        recording = _read(self._path)
        if recording.tools is None:
            raise DataError(f"{path}: the recording is empty: not even its first line is complete")
        self._tools = recording.tools
        self._seen: dict[str, list[Observation]] = {}
        for call, observation in recording.calls:
            self._seen.setdefault(key(call), []).append(observation)
        self._next = dict.fromkeys(self._seen, 0)
        self._lock = threading.Lock()  # two identical calls at once get two observations

    @property
    def tools(self) -> Sequence[Tool]:
        """What was offered when it was recorded."""
        return self._tools

    def invoke(self, call: Call) -> Observation:
        """What was recorded for this call."""
        try:
            wanted = key(call)
        except (TypeError, ValueError, RecursionError):
            return _no_json(call)
        seen = self._seen.get(wanted)
        if seen is None:
            return self._unrecorded(call)
        with self._lock:
            place = self._next[wanted]
            self._next[wanted] = min(place + 1, len(seen) - 1)
        return seen[place]

    def traits(self, name: str) -> Traits:
        """A recording changes nothing; what answers in its place may."""
        return Traits(repeatable=True) if isinstance(self._missing, str) else traits_of(self._missing, name)

    def _unrecorded(self, call: Call) -> Observation:
        if not isinstance(self._missing, str):
            return self._missing.invoke(call)
        if no := refused(call, [tool.name for tool in self._tools]):
            return no
        shown = cut_middle(json.dumps(_plain(call.arguments), ensure_ascii=False), 160)
        if self._missing == "error":
            raise WorkError(f"{self._path}: there is no recorded call of {call.tool} with {shown}")
        return Observation(text=f"{call.tool} failed: this call was never recorded: {shown}.", ok=False)


def key(call: Call) -> str:
    """What makes two calls the same, as text."""
    return json.dumps([call.tool, _plain(call.arguments), call.fault], sort_keys=True, separators=(",", ":"))


def _plain(value: Tool | Mapping[str, Any]) -> Any:
    """A tool, or arguments, as a JSON file gives them back."""
    return json.loads(json.dumps(value.model_dump() if isinstance(value, Tool) else dict(value)))


def _no_json(call: Call) -> Observation:
    why = "the arguments are nested too deep or are no JSON"
    return Observation(text=f"{cut_middle(call.tool, 80)} failed: {why}, so the call cannot be recorded.", ok=False)


class _Recording(NamedTuple):
    tools: tuple[Tool, ...] | None
    """None when not even the first line is complete."""
    calls: list[tuple[Call, Observation]]
    whole: int
    """How many bytes are complete lines."""


def _read(path: Path) -> _Recording:
    """Read a recording without a half-written last line."""
    if path.exists() and not path.is_file():
        raise DataError(f"{path}: this is no file, so no recording")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot read the recording: {error.strerror}") from None
    whole = data.rfind(b"\n") + 1
    lines = data[:whole].splitlines()
    if not lines:
        if _BEGINNING.startswith(data[: len(_BEGINNING)]):  # killed while it wrote the first line
            return _Recording(None, [], 0)
        raise DataError(f"{path}: this is no recording (expected JSON lines, the first naming the format {FORMAT})")
    tools = _read_head(path, lines[0])
    return _Recording(tools, [_read_call(path, number, line) for number, line in enumerate(lines[1:], 2)], whole)


def _read_head(path: Path, line: bytes) -> tuple[Tool, ...]:
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise DataError(f"{path}: this is no recording (its first line does not name the format {FORMAT})")
    if head.get("version") != VERSION:
        raise DataError(f"{path}: recording version {head.get('version')!r}; this program reads version {VERSION}")
    try:
        return tuple(Tool.model_validate(tool) for tool in head["tools"])
    except (KeyError, TypeError, ValidationError):
        raise DataError(f"{path}: line 1: the tools of the recording cannot be read") from None


def _read_call(path: Path, number: int, line: bytes) -> tuple[Call, Observation]:
    try:
        value = json.loads(line)
        return Call.model_validate(value["call"]), Observation.model_validate(value["observation"])
    except (ValueError, KeyError, TypeError, RecursionError):  # pydantic's is a ValueError
        raise DataError(f"{path}: line {number} is broken (expected a call and its observation)") from None
