"""The α-UMi conversation format: the real test set, exact text, tool documentation word for word."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpha_umi.data.filters import Report
from alpha_umi.data.formats import alpha_umi_json
from alpha_umi.data.formats.alpha_umi_json import read_argument, read_tool
from alpha_umi.data.stream import Record
from alpha_umi.text import output_format
from alpha_umi.text.tool_documents import document_tools
from alpha_umi.tools.validation import check_tool
from alpha_umi.trajectory import Decision, Outcome, Trajectory


@pytest.fixture(scope="module")
def raw(shared: Path) -> list[dict[str, Any]]:
    with gzip.open(shared / "glpft-toolbench" / "test" / "out_of_domain.json.gz", "rt") as stream:
        records: list[dict[str, Any]] = json.load(stream)
    return records


@pytest.fixture(scope="module")
def test_set(shared: Path) -> list[Trajectory]:
    report = Report()
    trajectories = list(alpha_umi_json.read(shared / "glpft-toolbench" / "test" / "out_of_domain.json.gz", report))
    assert not report.dropped
    return trajectories


def test_the_test_set_is_read_whole(test_set: list[Trajectory]) -> None:
    report = Report()
    for trajectory in test_set:
        report.keep(trajectory)
    assert report.kept == 306
    assert report.outcomes == {"answered": 235, "gave_up": 71}
    # 236 conclusions for 235 answers: one `Finish` failed (its conclusion is `none`) and its trajectory went on
    assert report.decisions == {"call": 876, "summarize": 236, "give_up": 71}
    steps = [step for trajectory in test_set for step in trajectory.steps]
    assert sum(not step.is_decision for step in steps) == 93  # thoughts that led to nothing
    assert sum(step.observation is not None for step in steps) == 877
    assert all(step.call is None or step.call.fault is None for step in steps)
    assert sum(bool(step.prompt) for step in steps) == 170
    assert len({trajectory.id for trajectory in test_set}) == 306


def test_every_turn_keeps_its_text(raw: list[dict[str, Any]], test_set: list[Trajectory]) -> None:
    for record, trajectory in zip(raw, test_set, strict=True):
        turns = [(turn["from"], turn["value"].strip()) for turn in record["conversations"]]
        written = list(_turns(trajectory))
        if ("conclusion", "none") in turns:
            turns.remove(("conclusion", "none"))
        assert written == turns


def _turns(trajectory: Trajectory) -> Any:
    yield "user", trajectory.query.strip()
    for step in trajectory.steps:
        if step.prompt:
            yield "user", step.prompt.strip()
        yield "assistant", (output_format.format_plan(step.plan) if step.is_decision else step.plan.rationale).strip()
        if step.call is not None:
            yield "caller", output_format.format_call(step.call)
        if step.observation is not None:
            yield "observation", step.observation.text.strip()
    if trajectory.answer is not None:
        yield "conclusion", trajectory.answer.strip()


def test_tool_documentation_comes_back_word_for_word(raw: list[dict[str, Any]], test_set: list[Trajectory]) -> None:
    for record, trajectory in zip(raw, test_set, strict=True):
        assert [json.loads(line) for line in document_tools(trajectory.tools, "json")] == record["tools"]
        for tool in trajectory.tools:
            check_tool(tool)


@given(
    st.one_of(
        st.text(max_size=40), st.sampled_from(["string, ", "string", "STRING, x", "", ", ", "array of string, a, b"])
    )
)
def test_any_argument_line_comes_back_word_for_word(line: str) -> None:
    document = {"Name": "t", "function": "f", "input": {"x": line}}
    tool = read_tool(document)
    assert json.loads(document_tools([tool], "json")[0]) == document
    check_tool(tool)


def test_types_are_json_schema_where_they_can_be() -> None:
    assert read_argument("integer, how many, at most") == {"type": "integer", "description": "how many, at most"}
    assert read_argument("string, ") == {"type": "string", "description": ""}
    assert read_argument("boolean") == {"type": "boolean"}
    assert read_argument("STRING, x") == {"x-type": "STRING", "description": "x"}


def _record(*turns: tuple[str, str]) -> Record:
    conversation = [{"from": speaker, "value": text} for speaker, text in turns]
    return Record({"tools": [], "instruction": "q", "conversations": conversation}, "r")


CALL = "Action: t\nAction Input: {}"


def test_a_turn_without_a_marker_is_history() -> None:
    trajectory = alpha_umi_json.read_record(
        _record(("user", "q"), ("assistant", "hm"), ("user", "again"), ("assistant", "no. Next: give up."))
    )
    bare, end = trajectory.steps
    assert not bare.is_decision
    assert bare.plan.rationale == "hm"
    assert (end.prompt, end.plan.decision) == ("again", Decision.GIVE_UP)
    assert trajectory.outcome is Outcome.GAVE_UP


def test_a_turn_without_a_marker_before_a_call_is_a_call() -> None:
    trajectory = alpha_umi_json.read_record(_record(("user", "q"), ("assistant", "hm"), ("caller", CALL)))
    assert trajectory.steps[0].is_decision
    assert output_format.format_plan(trajectory.steps[0].plan) == "hm Next: caller."
    assert trajectory.outcome is Outcome.UNFINISHED


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([("user", "q"), ("caller", CALL)], "IndexError"),
        ([("user", "q"), ("assistant", "a"), ("caller", CALL), ("caller", CALL)], "two calls"),
        ([("user", "q"), ("assistant", "a"), ("robot", "x")], "robot"),
        ([("user", "q"), ("assistant", "a"), ("user", "x")], "ends with a user turn"),
        ([("user", "q"), ("assistant", "a"), ("conclusion", "x")], "conclusion"),
    ],
)
def test_a_conversation_of_another_shape_is_malformed(
    tmp_path: Path, turns: list[tuple[str, str]], message: str
) -> None:
    good = _record(("user", "q"), ("assistant", "no. Next: give up."))
    lines = [json.dumps(_record(*turns).value), json.dumps(good.value), "{}", '{"conversations": 3}']
    (tmp_path / "f.jsonl").write_text("\n".join(lines))
    report = Report()
    assert [t.id for t in alpha_umi_json.read(tmp_path / "f.jsonl", report)] == ["f:2"]
    assert report.dropped == Counter({"malformed": 3})
    assert message in report.examples["malformed"][0]
    assert report.examples["malformed"][0].startswith("f:1: ")
