"""Raw files as a stream: every shape, gzipped or not, broken records dropped with their place, memory flat."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import json_values, nasty_texts

from alpha_umi.data import stream
from alpha_umi.data.filters import EXAMPLES, Report
from alpha_umi.data.stream import Record, find_files, read_records
from alpha_umi.errors import DataError

RECORDS: list[dict[str, Any]] = [{"a": 1}, {"b": ["x", {"c": '"]},{['}]}, {"d": "é\\n\\\\ \u2028"}]


def _read(path: Path | str) -> tuple[list[Record], Report]:
    report = Report()
    return list(read_records(path, report)), report


def _write(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


LINES = "\n".join(json.dumps(record) for record in RECORDS) + "\n"
SHAPES = {
    "array": (json.dumps(RECORDS), ["f[0]", "f[1]", "f[2]"]),
    "indented array": (json.dumps(RECORDS, indent=2, ensure_ascii=False), ["f[0]", "f[1]", "f[2]"]),
    "lines": (LINES, ["f:1", "f:2", "f:3"]),
    "lines with gaps": (LINES.replace("\n", "\r\n\r\n"), ["f:1", "f:3", "f:5"]),
    "array after a byte order mark": ("\ufeff" + json.dumps(RECORDS), ["f[0]", "f[1]", "f[2]"]),
    "lines after a byte order mark": ("\ufeff" + LINES, ["f:1", "f:2", "f:3"]),
}


@pytest.mark.parametrize("name", ["f.json", "f.json.gz", "f.jsonl", "f.txt"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read(tmp_path: Path, name: str, shape: str) -> None:
    text, ids = SHAPES[shape]
    records, report = _read(_write(tmp_path / name, text))
    assert [record.value for record in records] == RECORDS
    assert [record.id.replace(".txt", "") for record in records] == ids
    assert not report.dropped


@pytest.mark.parametrize("indent", [None, 2])
def test_a_single_document_is_one_record(tmp_path: Path, indent: int | None) -> None:
    records, _ = _read(_write(tmp_path / "f.json", json.dumps(RECORDS[1], indent=indent)))
    assert [record.value for record in records] == [RECORDS[1]]


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(nasty_texts, json_values, max_size=3), max_size=6),
    st.integers(1, 40),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_an_array_is_cut_alike_whatever_the_chunks(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, Any]],
    chunk: int,
    indent: int | None,
    ascii_only: bool,
) -> None:
    path = tmp_path_factory.mktemp("chunks") / "f.json"
    path.write_text(json.dumps(records, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_CHUNK", chunk)
        report = Report()
        assert [record.value for record in read_records(path, report)] == records
        assert not report.dropped


def test_a_broken_line_is_dropped_with_its_number(tmp_path: Path) -> None:
    text = '{"a": 1}\nnot json\n{"a": \n[1]\n{"a": 2}\n"text"\n{"a": 3'
    records, report = _read(_write(tmp_path / "f.jsonl", text))
    assert [record.id for record in records] == ["f:1", "f:5"]
    assert dict(report.dropped) == {"not_json": 3, "not_an_object": 2}
    assert [line.split(": ")[0] for line in report.examples["not_json"]] == ["f:2", "f:3", "f:7"]
    assert report.examples["not_an_object"] == ["f:4: a JSON list", "f:6: a JSON str"]


def test_a_broken_element_spoils_only_itself(tmp_path: Path) -> None:
    records, report = _read(_write(tmp_path / "f.json", '[{"a": 1}, {"a": oops}, 3, {"a": 2}] and more'))
    assert [record.value for record in records] == [{"a": 1}, {"a": 2}]
    assert dict(report.dropped) == {"not_json": 2, "not_an_object": 1}


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": 2', '[{"a": 1}, {"a": "2', '[{"a": 1}, {"a": "\\'])
def test_an_array_that_ends_early_keeps_what_is_whole(tmp_path: Path, text: str) -> None:
    records, report = _read(_write(tmp_path / "f.json", text))
    assert [record.value for record in records] == [{"a": 1}]
    assert report.dropped["not_json"] == 1


def test_nesting_beyond_the_decoder_is_dropped(tmp_path: Path) -> None:
    deep = '{"a":' * 200_000 + "1" + "}" * 200_000
    records, report = _read(_write(tmp_path / "f.jsonl", f'{deep}\n{{"a": 1}}\n'))
    assert len(records) == 1
    assert report.dropped["too_deep"] == 1


def test_a_broken_byte_spoils_only_its_line(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b'{"a": "\xff"}\n{"a": 1}\n')
    records, report = _read(path)
    assert [record.id for record in records] == ["f:2"]
    assert report.dropped["not_json"] == 1


def test_only_the_first_examples_of_a_reason_are_named(tmp_path: Path) -> None:
    _, report = _read(_write(tmp_path / "f.jsonl", '{"a": 1}\n' + "x\n" * 100))
    assert report.dropped["not_json"] == 100
    assert len(report.examples["not_json"]) == EXAMPLES


def test_a_folder_is_read_in_sorted_order(tmp_path: Path) -> None:
    for name in ("b/1.json", "a/2.json", "a/1.jsonl.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        _write(tmp_path / name, '{"n": "' + name + '"}\n')
    (tmp_path / "a" / "notes.txt").write_text("no data")
    (tmp_path / "a" / ".hidden.json").write_text("no data")
    (tmp_path / "b" / "2.json").write_text("<html>")
    (tmp_path / "b" / "3.json").write_text("")
    records, report = _read(tmp_path)
    assert [record.value["n"] for record in records] == ["a/1.jsonl.gz", "a/2.json", "b/1.json"]
    assert [record.id for record in records] == ["a/1:1", "a/2:1", "b/1:1"]
    assert report.dropped["unreadable_file"] == 2


def test_a_glob_is_read_in_sorted_order_with_distinct_ids(tmp_path: Path) -> None:
    for folder in "ba":
        (tmp_path / folder).mkdir()
        _write(tmp_path / folder / "f.jsonl", "{}\n")
    records, _ = _read(str(tmp_path / "*" / "*.jsonl"))
    assert [record.id for record in records] == ["a/f:1", "b/f:1"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.json", b"<!DOCTYPE html>", "not JSON .it starts with '<!DOCTYPE html>'"),
        ("f.json", b"", "empty"),
        ("f.json", b"  \n ", "empty"),
        ("f.json.gz", gzip.compress(b"[" + b'{"a": 1},' * 100_000)[:300], "cannot be read"),
        ("f.json.gz", b"\x1f\x8bbroken", "cannot be read"),
        ("f.json", b'[{"a": "\xff"}]', "cannot be read"),
    ],
)
def test_what_is_not_json_at_all_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as refused:
        _read(tmp_path / name)
    assert "\n" not in str(refused.value)
    assert name in str(refused.value)


def test_a_missing_source_is_named() -> None:
    with pytest.raises(DataError, match=r"no file or folder /no/such\*"):
        find_files("/no/such*")


def test_a_folder_without_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no file"):
        find_files(tmp_path)


@pytest.mark.parametrize("text", ['[{"a": "', '{"a": "', '{"a":\n"'])
def test_a_record_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_RECORD", 10_000)
    with pytest.raises(DataError, match="longer than 10,000 characters"):
        _read(_write(tmp_path / "f.json", text + "x" * 200_000))


_PEAK = """
import resource, sys
from alpha_umi.data.convert import convert
convert(sys.argv[1], "alpha-umi", sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _peak_kilobytes(source: Path, out: Path) -> int:
    command = [sys.executable, "-c", _PEAK, str(source), str(out)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "many"), [("lines", 200_000), ("array", 50_000)])
def test_memory_is_flat(tmp_path: Path, shape: str, many: int) -> None:
    turns = [("user", "q"), ("assistant", "so. Next: caller."), ("caller", "Action: t\nAction Input: {}")]
    turns += [("observation", "o" * 300), ("assistant", "done. Next: conclusion."), ("conclusion", "a")]
    record = {
        "tools": [{"Name": "t", "function": "does it", "input": {"x": "string, "}}],
        "instruction": "q",
        "conversations": [{"from": speaker, "value": value} for speaker, value in turns],
    }
    line = json.dumps(record)
    peaks = []
    for count in (2_000, many):
        path = tmp_path / f"{count}.json.gz"
        opening, between, closing = ("", "\n", "\n") if shape == "lines" else ("[", ",\n", "]")
        with gzip.open(path, "wt", compresslevel=1) as out:
            out.write(opening + line)
            for _ in range(count - 1):
                out.write(between + line)
            out.write(closing)
        peaks.append(_peak_kilobytes(path, tmp_path / f"out{count}"))
        assert (tmp_path / f"out{count}" / "trajectories.jsonl").stat().st_size > count * len(line) / 2
    assert peaks[1] - peaks[0] < 8_000  # kB; the large files hold 125 and 30 MB
