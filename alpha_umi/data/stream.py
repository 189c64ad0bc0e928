"""Raw files as a stream of JSON objects, in memory that does not grow with the file.

Reads JSON arrays, JSON Lines and single documents, each also gzipped, out of a file, a folder or a glob. A record
that cannot be read is dropped with its place in the report and reading goes on; a source that is not JSON at all is
refused. Knows no data format: what an object means is the readers' business.
"""

from __future__ import annotations

import codecs
import glob
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from alpha_umi.data.filters import Report
from alpha_umi.errors import DataError
from alpha_umi.resources import user_path

SUFFIXES = (".json", ".jsonl", ".ndjson")
"""What is read out of a folder, each also with `.gz`."""

MAX_RECORD = 1 << 26
"""Characters. A longer record is a bracket or quote never closed, and would fill the memory."""

_CHUNK = 1 << 16
_UNREADABLE = (OSError, EOFError, zlib.error, UnicodeDecodeError)

# Whole strings and plain text are skipped in one match. Single characters are repeated possessively, so that nothing is
# remembered to go back to; groups are not, because Python before 3.11.5 loses its place after a possessive group.
_TO_BRACKET = re.compile(r'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*")*', re.DOTALL)
_TO_COMMA = re.compile(r'(?:[^"{}\[\],]++|"[^"\\]*+(?:\\.[^"\\]*+)*")*', re.DOTALL)
_IN_STRING = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*', re.DOTALL)


MALFORMED = (LookupError, TypeError, AttributeError, ValueError, RecursionError)
"""What reading a record of another shape than expected raises; nothing else is meant to be caught."""


class Record(NamedTuple):
    """One JSON object and where it came from."""

    value: dict[str, Any]
    id: str
    """`file[3]` in an array (from 0), `file:4` in JSON Lines (line 4), `file` for a single document."""


def find_files(source: str | Path) -> list[tuple[Path, str]]:
    """The files a source means, sorted, each with the name that its records' ids begin with.

    Raises:
        DataError: there is no such file, or no JSON file in the folder.
    """
    path = user_path(source)
    if path.is_dir():
        found = [p for p in sorted(path.rglob("*")) if _bare_name(p) is not None and p.is_file()]
        if not found:
            raise DataError(f"{path}: the folder holds no file in {', '.join(SUFFIXES)} (or one of these + .gz)")
        return [(p, (p.relative_to(path).parent / str(_bare_name(p))).as_posix()) for p in found]
    if path.is_file():
        return [(path, _bare_name(path) or path.name)]
    matches = [Path(m) for m in sorted(glob.glob(str(path), recursive=True)) if Path(m).is_file()]
    if matches:
        names = [_bare_name(p) or p.name for p in matches]
        if len(set(names)) < len(names):
            names = [f"{p.parent.name}/{name}" for p, name in zip(matches, names, strict=True)]
        return list(zip(matches, names, strict=True))
    raise DataError(f"there is no file or folder {path}: give a .json, .jsonl or .gz file, a folder of them, or a glob")


def read_records(source: str | Path, report: Report) -> Iterator[Record]:
    """Every JSON object of a source, in file order; what is none is dropped into the report with its place.

    Raises:
        DataError: the source is missing, or its only file is not JSON at all.
    """
    files = find_files(source)
    for path, name in files:
        try:
            yield from _read_file(path, name, report)
        except DataError as error:
            if len(files) == 1:
                raise
            report.drop("unreadable_file", name, str(error))


def drop_malformed(record: Record, error: Exception, report: Report) -> None:
    """Count a record that is JSON but not of the format, saying what it holds instead."""
    found = ", ".join(record.value)[:80] or "nothing"
    report.drop("malformed", record.id, f"{type(error).__name__}: {' '.join(str(error).split())[:100]} (keys: {found})")


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked when its content is gzip, whatever its name says."""
    stream = path.open("rb")
    if stream.peek(2)[:2] == b"\x1f\x8b":
        stream.close()
        return cast(IO[bytes], gzip.open(path, "rb"))
    return stream


def _bare_name(path: Path) -> str | None:
    """The file's name without its suffixes, or None when it is not of a kind we read."""
    name = path.name.removesuffix(".gz")
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix in SUFFIXES and not name.startswith(".") else None


def _read_file(path: Path, name: str, report: Report) -> Iterator[Record]:
    try:
        with open_binary(path) as stream:
            head = stream.read(_CHUNK)
        shape = _shape(path, head)
        with open_binary(path) as stream:
            for place, text in _TEXTS[shape](stream):
                record = _decode(text, f"{name}{place}", report)
                if record is not None:
                    yield record
    except _TooLong as error:
        raise DataError(
            f"{path}: record {name}{error} is longer than {MAX_RECORD:,} characters; is a quote or bracket not closed?"
        ) from None
    except _UNREADABLE as error:
        raise DataError(f"{path}: cannot be read ({str(error) or type(error).__name__})") from error


def _shape(path: Path, head: bytes) -> str:
    """`array`, `lines` or `document`, judged by the beginning of the file."""
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text[:1] == b"[":
        return "array"
    if not text:
        raise DataError(f"{path}: the file is empty")
    if Path(path.name.removesuffix(".gz")).suffix in {".jsonl", ".ndjson"}:
        return "lines"
    if text[:1] != b"{":
        start = text[:20].decode("utf-8", "replace")
        raise DataError(f"{path}: not JSON (it starts with {start!r}); give a JSON array or one JSON object a line")
    first, newline, rest = text.partition(b"\n")
    if not newline or _is_object(first) or _is_object(rest.partition(b"\n")[0]):
        return "lines"
    return "document"


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _decode(text: str | bytes, place: str, report: Report) -> Record | None:
    try:
        value = json.loads(text)
    except RecursionError:
        report.drop("too_deep", place)
    except ValueError as error:
        report.drop("not_json", place, str(error))
    else:
        if isinstance(value, dict):
            return Record(value, place)
        report.drop("not_an_object", place, f"a JSON {type(value).__name__}")
    return None


class _TooLong(Exception):
    """The place of a record beyond `MAX_RECORD`."""


def _lines(stream: IO[bytes]) -> Iterator[tuple[str, str | bytes]]:
    for number, line in enumerate(iter(lambda: stream.readline(MAX_RECORD), b""), start=1):
        if len(line) == MAX_RECORD:
            raise _TooLong(f":{number}")
        bare = line.removeprefix(codecs.BOM_UTF8).strip() if number == 1 else line.strip()
        if bare:
            yield f":{number}", bare


def _document(stream: IO[bytes]) -> Iterator[tuple[str, str | bytes]]:
    text = stream.read(MAX_RECORD)
    if len(text) == MAX_RECORD:
        raise _TooLong("")
    yield "", text


def _array(stream: IO[bytes]) -> Iterator[tuple[str, str | bytes]]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    cutter = _ArrayCutter()
    number, parts, size = 0, [""], 0
    while chunk := stream.read(_CHUNK):
        for piece, ended in cutter.feed(decoder.decode(chunk)):
            parts.append(piece)
            size += len(piece)
            if size > MAX_RECORD:
                raise _TooLong(f"[{number}]")
            if not ended:
                continue
            element = "".join(parts).strip()
            if element:
                yield f"[{number}]", element
                number += 1
            parts, size = [], 0
    rest = "".join(parts).strip()
    if rest:
        yield f"[{number}]", rest


class _ArrayCutter:
    """Cuts the text of an array, given in chunks, at its own commas.

    Brackets are counted and strings skipped, nothing is decoded: so an element that is not JSON spoils only itself.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False
        """The last chunk ended between a backslash and what it escapes."""

    def feed(self, chunk: str) -> Iterator[tuple[str, bool]]:
        """Pieces of elements, each with whether its element ends there."""
        start = at = 0
        while at < len(chunk):
            at, ended = self._advance(chunk, at)
            if ended:
                yield chunk[start : at - 1], True
                start = at
        yield chunk[start:], False

    def _advance(self, chunk: str, at: int) -> tuple[int, bool]:
        """Move past the next bracket, comma or quote; says whether an element ended with it."""
        if self._in_string:
            return self._leave_string(chunk, at), False
        skipped = (_TO_COMMA if self._depth <= 1 else _TO_BRACKET).match(chunk, at)
        at = skipped.end() if skipped else at
        char = chunk[at : at + 1]
        if char == '"':
            self._in_string = True
        elif char in ("[", "{"):
            self._depth += 1
            return at + 1, self._depth == 1  # what stands before the array is an empty element
        elif char in ("]", "}"):
            self._depth -= 1
            return at + 1, self._depth == 0
        return at + 1, char == "," and self._depth == 1

    def _leave_string(self, chunk: str, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        skipped = _IN_STRING.match(chunk, at)
        at = skipped.end() if skipped else at
        if at < len(chunk):
            self._in_string, self._escaped = chunk[at] != '"', chunk[at] != '"'
        return at + 1


_TEXTS: dict[str, Callable[[IO[bytes]], Iterator[tuple[str, str | bytes]]]] = {
    "array": _array,
    "lines": _lines,
    "document": _document,
}
