"""ToolAlpaca instances: the 267 complete runs, tools out of OpenAPI, run-on answers cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alpha_umi.data.filters import Report
from alpha_umi.data.formats import toolalpaca
from alpha_umi.tools.validation import check_tool
from alpha_umi.trajectory import Decision, Outcome, Trajectory


@pytest.fixture(scope="module")
def runs(shared: Path) -> tuple[list[Trajectory], Report]:
    report = Report()
    return list(toolalpaca.read(shared / "toolalpaca-runs" / "generate", report)), report


def test_every_complete_run_is_read(runs: tuple[list[Trajectory], Report]) -> None:
    trajectories, report = runs
    assert len(trajectories) == 267
    assert report.dropped == {"error": 125}
    assert sum(len(t.steps) - 1 for t in trajectories) == 492
    assert sum(len(t.steps) > 2 for t in trajectories) == 115
    assert len({t.meta["api"] for t in trajectories}) == 15
    assert all(t.outcome is Outcome.ANSWERED and t.answer for t in trajectories)
    files = ["Mistral-7B-sim", "api_data_0_10", "api_data_0_11", "toolalpaca-7b-real", "toolalpaca-7b-sim"]
    counts = [sum(t.id.startswith(f"cot-15/{name}[") for t in trajectories) for name in files]
    assert counts == [62, 37, 28, 73, 67]


def test_answers_end_before_an_invented_turn(runs: tuple[list[Trajectory], Report]) -> None:
    for trajectory in runs[0]:
        assert "\nUSER:" not in str(trajectory.answer)
        assert "ASSISTANT Thought" not in str(trajectory.answer)


def test_every_tool_can_be_offered(runs: tuple[list[Trajectory], Report]) -> None:
    tools = {(t.meta["api"], tool.name): tool for t in runs[0] for tool in t.tools}
    for tool in tools.values():
        check_tool(tool)
    assert len(tools) == 73
    assert sum(bool(tool.parameters["required"]) for tool in tools.values()) > 40


def test_calls_are_read_as_they_were_written(runs: tuple[list[Trajectory], Report]) -> None:
    calls = [(t, step.call) for t in runs[0] for step in t.steps if step.call is not None]
    assert sum(call.fault is None for _, call in calls) == READABLE
    assert sum(call.tool in t.tool_names for t, call in calls) == 482
    assert all(call.raw.startswith("Action:") and "ASSISTANT" not in call.raw.split("\n")[0] for _, call in calls)


READABLE = 489
"""Three of 492 calls have arguments that are no JSON; those in a code fence are read."""


def test_golden_replays_have_no_answers_and_are_incomplete(shared: Path) -> None:
    report = Report()
    assert list(toolalpaca.read(shared / "toolalpaca-runs" / "golden-eval_mix.json.gz", report)) == []
    assert report.dropped == {"incomplete": 143, "error": 15}


DOCUMENT = {
    "paths": {
        "/tides/{port}": {
            "post": {
                "parameters": [
                    {
                        "name": "port",
                        "in": "path",
                        "required": True,
                        "description": "code",
                        "schema": {"type": "string"},
                    },
                    {"$ref": "#/components/parameters/Day"},
                ],
                "requestBody": {"$ref": "#/components/requestBodies/Options"},
            }
        }
    },
    "components": {
        "parameters": {"Day": {"name": "day", "in": "query", "schema": {"type": "date", "required": True}}},
        "requestBodies": {
            "Options": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Options"}}}}
        },
        "schemas": {
            "Options": {
                "type": "object",
                "required": ["unit"],
                "properties": {
                    "unit": {"type": "string", "enum": ["m", "ft"]},
                    "next": {"$ref": "#/components/schemas/Options"},
                    "lost": {"$ref": "#/components/schemas/Nowhere"},
                    "list": {"type": "array", "items": {"type": "integer", "nullable": True}},
                },
            }
        },
    },
}
TEXT = 'Tide table.\nParameters: {"port": "Required. string. code"}\nOutput: The tides.\n - Format: application/json'


def _api(*instances: Any) -> dict[str, Any]:
    return {
        "Name": "Tides",
        "Documentation": json.dumps(DOCUMENT),
        "Function_Description": {"getTides": TEXT, "components": ""},
        "Function_Projection": {"getTides": ["/tides/{port}", "post"]},
        "Instances": list(instances),
    }


def _step(log: str, seen: str = "Status Code: 200. Response: {}") -> list[Any]:
    return [["getTides", '{"port": "BRX"}', log], seen]


LOG = ' I look.\nASSISTANT Action: getTides\nASSISTANT Action Input: {"port": "BRX"}'


def _run(**changes: Any) -> dict[str, Any]:
    whole = {"input": "When?", "output": "At two.", "Final Thought": "I know.", "intermediate_steps": [_step(LOG)]}
    return {**whole, **changes}


def _read(tmp_path: Path, *instances: Any) -> tuple[list[Trajectory], Report]:
    (tmp_path / "f.json").write_text(json.dumps([_api(*instances)]))
    report = Report()
    return list(toolalpaca.read(tmp_path / "f.json", report)), report


def test_a_run_becomes_a_trajectory(tmp_path: Path) -> None:
    (trajectory,), report = _read(tmp_path, _run())
    assert not report.dropped
    assert (trajectory.query, trajectory.answer, trajectory.id) == ("When?", "At two.", "f[0]/0")
    step, end = trajectory.steps
    assert step.plan.rationale == "I look."
    assert step.call is not None
    assert step.call.raw == 'Action: getTides\nAction Input: {"port": "BRX"}'
    assert step.call.arguments == {"port": "BRX"}
    assert step.observation is not None
    assert step.observation.ok
    assert (end.plan.rationale, end.plan.decision) == ("I know.", Decision.SUMMARIZE)


def test_tools_come_out_of_the_api_document(tmp_path: Path) -> None:
    (trajectory,), _ = _read(tmp_path, _run())
    (tool,) = trajectory.tools
    check_tool(tool)
    assert tool.description == "Tide table. Output: The tides."
    properties = tool.parameters["properties"]
    assert tool.parameters["required"] == ["port", "unit"]
    assert properties["port"] == {"type": "string", "description": "code"}
    assert properties["day"] == {"description": ""}
    assert properties["unit"] == {"type": "string", "enum": ["m", "ft"]}
    assert properties["list"] == {"type": "array", "items": {"type": "integer"}}
    assert properties["lost"] == {}
    assert "unit" in properties["next"]["properties"]  # a schema that holds itself is followed a few levels


@pytest.mark.parametrize("blank", ["\n", "\n\n", "\n \n"])
@pytest.mark.parametrize("turn", ["USER: and then?", "ASSISTANT Action: getTides"])
def test_a_run_on_answer_is_cut(tmp_path: Path, blank: str, turn: str) -> None:
    (trajectory,), _ = _read(tmp_path, _run(output=f"At two.{blank}{turn}\nmore"))
    assert trajectory.answer == "At two."


def test_incomplete_runs_are_dropped_by_reason(tmp_path: Path) -> None:
    trajectories, report = _read(
        tmp_path,
        {"error": "Could not parse LLM output"},
        _run(output=""),
        _run(intermediate_steps=[]),
        _run(output="Agent stopped due to iteration limit or time limit."),
        {"input": "When?", "intermediate_steps": [_step(LOG)]},
        _run(intermediate_steps=[["no step"]]),
        "no instance",
        _run(),
    )
    assert [trajectory.id for trajectory in trajectories] == ["f[0]/7"]
    assert report.dropped == {"incomplete": 4, "malformed": 2, "error": 1}


@pytest.mark.parametrize("seen", ["Status Code: 500. Response: no", "`x` is not a valid tool", "File does not exist."])
def test_failures_are_observations_that_failed(tmp_path: Path, seen: str) -> None:
    (trajectory,), _ = _read(tmp_path, _run(intermediate_steps=[_step(LOG, seen)]))
    assert trajectory.steps[0].observation is not None
    assert not trajectory.steps[0].observation.ok


def test_a_log_without_the_usual_labels_falls_back_to_its_fields(tmp_path: Path) -> None:
    (trajectory,), _ = _read(tmp_path, _run(intermediate_steps=[_step("I just do it")]))
    call = trajectory.steps[0].call
    assert call is not None
    assert (call.tool, call.arguments) == ("getTides", {"port": "BRX"})


def test_an_api_without_a_document_is_malformed(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('[{"api": "x", "idx": 1}]')
    report = Report()
    assert list(toolalpaca.read(tmp_path / "f.json", report)) == []
    assert "keys: api, idx" in report.examples["malformed"][0]
