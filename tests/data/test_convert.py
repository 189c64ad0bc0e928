"""Data sets on disk and the `data` verbs: whole or not at all, every drop counted, every mistake one line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import trajectories

from alpha_umi.data import filters, store
from alpha_umi.data.convert import FORMATS, convert, save
from alpha_umi.data.filters import Report
from alpha_umi.errors import DataError, UsageError
from alpha_umi.trajectory import Call, Decision, Outcome, Plan, Step, Tool, Trajectory

if TYPE_CHECKING:
    pass

TURNS = [
    ("user", "When is high water?"),
    ("assistant", "I need the table. Next: caller."),
    ("caller", 'Action: tides\nAction Input: {"port": "BRX"}'),
    ("observation", "{'high': '14:10'}"),
    ("assistant", "I have it. Next: conclusion."),
    ("conclusion", "At 14:10."),
]


def _raw(turns: list[tuple[str, str]] = TURNS, *, tools: bool = True) -> dict[str, Any]:
    tool = {"Name": "tides", "function": "Tide table.", "input": {"port": "string, code"}}
    conversation = [{"from": speaker, "value": text} for speaker, text in turns]
    return {"tools": [tool] if tools else [], "instruction": "When is high water?", "conversations": conversation}


def _write_lines(path: Path, *records: Any) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records))
    return path


def _plan(rationale: str = "so", decision: Decision = Decision.CALL) -> Plan:
    return Plan(rationale=rationale, decision=decision)


def _made(*steps: Step, id: str = "made") -> Trajectory:
    return Trajectory(query="q", tools=(Tool(name="t"),), steps=steps, id=id)


GIVING_UP = _made(Step(plan=_plan("no", Decision.GIVE_UP)))


def test_a_data_set_is_written_with_its_report(tmp_path: Path) -> None:
    source = _write_lines(
        tmp_path / "f.jsonl", _raw(), "broken", _raw(tools=False), _raw([*TURNS[:1], ("assistant", "hm")])
    )
    seen: list[None] = []
    report = convert(source, "alpha-umi", tmp_path / "out" / "deep", progress=lambda: seen.append(None))
    assert (report.kept, len(seen)) == (1, 3)
    assert report.dropped == {"not_json": 1, "no_tools": 1, "no_decision": 1}
    written = json.loads((tmp_path / "out" / "deep" / "report.json").read_text())
    assert written == report.as_dict()
    assert written["decisions"] == {"call": 1, "summarize": 1}
    assert written["examples"]["no_tools"] == ["f:3"]
    (trajectory,) = store.read(tmp_path / "out" / "deep")
    assert (trajectory.id, trajectory.answer) == ("f:1", "At 14:10.")
    assert sorted(p.name for p in (tmp_path / "out" / "deep").iterdir()) == ["report.json", "trajectories.jsonl"]


@settings(deadline=None)
@given(st.lists(trajectories(), min_size=1, max_size=4))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, made: list[Trajectory]) -> None:
    folder = tmp_path_factory.mktemp("store")
    report = store.write(folder, made)
    assert report.kept == len(made)
    assert list(store.read(folder)) == made
    packed = folder / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress((folder / store.TRAJECTORIES).read_bytes()))
    assert list(store.read(packed)) == made
    assert store.digest(packed) == store.digest(folder)


def test_a_failed_conversion_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    store.write(tmp_path / "out", [GIVING_UP])
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def broken() -> Iterator[Trajectory]:
        yield GIVING_UP
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        store.write(tmp_path / "out", broken())
    with pytest.raises(DataError, match="no trajectory was found"):
        store.write(tmp_path / "out", [])
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    with pytest.raises(DataError, match="no trajectory was found"):
        store.write(tmp_path / "new", [])
    assert not (tmp_path / "new").exists()


def test_text_that_is_no_text_is_dropped(tmp_path: Path) -> None:
    odd = GIVING_UP.model_copy(update={"id": "odd", "query": "\ud800"})
    report = store.write(tmp_path, [GIVING_UP, odd])
    assert report.kept == 1
    assert report.dropped == {"not_text": 1}


def test_the_content_decides_the_digest(tmp_path: Path) -> None:
    store.write(tmp_path / "a", [GIVING_UP])
    store.write(tmp_path / "b", [GIVING_UP])
    store.write(tmp_path / "c", [GIVING_UP, GIVING_UP])
    assert store.digest(tmp_path / "a") == store.digest(tmp_path / "b") != store.digest(tmp_path / "c")
    assert store.digest(tmp_path / "a").startswith("2:")


def test_a_split_depends_on_queries_alone() -> None:
    made = [GIVING_UP.model_copy(update={"id": f"f[{i}]", "query": f"q{i}"}) for i in range(1_000)]
    rest, held_out = store.split(made, 0.2)
    assert len(rest) + len(held_out) == 1_000
    assert 150 < len(held_out) < 250
    again_rest, again = store.split(reversed(made), 0.2)
    assert {t.id for t in again} == {t.id for t in held_out}
    assert len(again_rest) == len(rest)
    assert {t.id for t in held_out} < {t.id for t in store.split(made, 0.4)[1]}
    assert {t.id for t in store.split(made, 0.2, seed=1)[1]} != {t.id for t in held_out}
    assert store.split(made, 0.0)[1] == store.split(made, 1.0)[0] == []


def test_several_answers_to_one_query_stay_on_one_side() -> None:
    made = [
        GIVING_UP.model_copy(update={"id": f"{way}[{i}]", "query": f"q{i}"})
        for way in ("dfs", "cot")
        for i in range(200)
    ]
    rest, held_out = store.split(made, 0.3)
    assert held_out
    assert not {t.query for t in rest} & {t.query for t in held_out}


@pytest.mark.parametrize(
    ("trajectory", "keep", "reason"),
    [
        (_made(), filters.needs_decision, "no_decision"),
        (_made(Step(plan=_plan())), filters.needs_decision, "no_decision"),
        (GIVING_UP, filters.needs_decision, None),
        (Trajectory(query="q"), filters.needs_tools, "no_tools"),
        (GIVING_UP, filters.needs_tools, None),
        (
            _made(Step(plan=_plan("Next: give up. Or not"), call=Call(tool="t"))),
            filters.ambiguous_marker,
            "ambiguous_marker",
        ),
        (_made(Step(plan=_plan("Next: caller. No.", Decision.GIVE_UP))), filters.ambiguous_marker, None),
        (_made(Step(plan=_plan("Next: give up. Or not"))), filters.ambiguous_marker, None),
        (
            _made(Step(plan=_plan(), call=Call(tool="t", fault="bad_json"))),
            filters.unreadable_arguments,
            "unreadable_arguments",
        ),
        (GIVING_UP, filters.unreadable_arguments, None),
        (GIVING_UP, filters.unfinished, "unfinished"),
        (GIVING_UP.finish(Outcome.GAVE_UP), filters.unfinished, None),
        (_made(), filters.steps_between(1), "too_few_steps"),
        (GIVING_UP, filters.steps_between(1, 1), None),
        (_made(*GIVING_UP.steps * 3), filters.steps_between(1, 2), "too_many_steps"),
    ],
)
def test_filters(trajectory: Trajectory, keep: filters.Filter, reason: str | None) -> None:
    report = Report()
    kept = list(filters.apply([trajectory], [keep], report))
    assert kept == ([trajectory] if reason is None else [])
    assert dict(report.dropped) == ({} if reason is None else {reason: 1})


def test_giving_up_is_kept(tmp_path: Path) -> None:
    source = _write_lines(tmp_path / "f.jsonl", _raw([TURNS[0], ("assistant", "I cannot. Next: give up.")]))
    assert convert(source, "alpha-umi", tmp_path / "out").decisions == {"give_up": 1}


# Bad input: one line that says what was found, where, and what to do.


def test_an_unknown_format_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data format 'csv'; there are alpha-umi, toolalpaca, toolbench, or give"):
        convert("x.json", "csv", tmp_path)


@pytest.mark.parametrize("format", FORMATS.shipped)
def test_a_missing_source_is_named(tmp_path: Path, format: str) -> None:
    with pytest.raises(DataError, match="there is no file or folder"):
        convert(tmp_path / "nothing.json", format, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", FORMATS.shipped)
@pytest.mark.parametrize("text", ["[]", '[{"other": 1}]', '{"other": 1}\nbroken\n', "[1, 2]"])
def test_a_source_without_any_record_of_the_format_is_refused(tmp_path: Path, format: str, text: str) -> None:
    source = tmp_path / "f.json"
    source.write_text(text)
    with pytest.raises(DataError, match=r"f\.json as .*: no") as refused:
        convert(source, format, tmp_path / "out")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_missing_or_empty_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no data set"):
        store.read(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"holds no trajectories\.jsonl"):
        store.read(tmp_path)
    (tmp_path / store.TRAJECTORIES).write_text("\n\n")
    with pytest.raises(DataError, match="the data set is empty"):
        list(store.read(tmp_path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "line 2 .*Invalid JSON"),
        ("{}", "line 2 .*query: Field required"),
        ('{"query": "q", "x": 1}', "line 2 .*x:"),
    ],
)
def test_a_line_that_is_no_trajectory_is_named(tmp_path: Path, line: str, message: str) -> None:
    _write_lines(tmp_path / "f.jsonl", GIVING_UP.model_dump_json(), line)
    with pytest.raises(DataError, match=message) as refused:
        list(store.read(tmp_path / "f.jsonl"))
    assert "\n" not in str(refused.value)


def test_a_packed_data_set_that_ends_early_is_named(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl.gz"
    path.write_bytes(gzip.compress(GIVING_UP.model_dump_json().encode() * 1_000)[:-20])
    with pytest.raises(DataError, match="cannot be read"):
        list(store.read(path))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be made"):
        save([GIVING_UP], tmp_path / "file" / "out")
