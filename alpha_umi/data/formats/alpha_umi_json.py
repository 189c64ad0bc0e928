"""The α-UMi conversation format (`raw_data_stage_2.json`, the released test sets) -> Trajectory.

A record is `{tools, instruction, conversations: [{from, value}]}` with `from` one of user, assistant (the planner),
caller, observation, conclusion (the summarizer). The roles' texts are kept as they are written. Tool documentation
has lost which arguments are required; its `"type, description"` lines come back word for word in the paper layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alpha_umi.data.filters import Report
from alpha_umi.data.stream import MALFORMED, Record, drop_malformed, read_records
from alpha_umi.text import output_format
from alpha_umi.trajectory import Decision, Observation, Outcome, Step, Tool, Trajectory

JSON_TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})


def read(path: str | Path, report: Report) -> Iterator[Trajectory]:
    """Read conversation files; a record of another shape is dropped as `malformed`."""
    for record in read_records(path, report):
        try:
            yield read_record(record)
        except MALFORMED as error:
            drop_malformed(record, error, report)


def read_record(record: Record) -> Trajectory:
    """One conversation as a trajectory."""
    value = record.value
    turns = [(str(turn["from"]), _text(turn["value"])) for turn in value["conversations"]]
    query = _text(value["instruction"])
    if turns and turns[0][0] == "user":
        query = turns.pop(0)[1]
    steps, answer = _read_turns(turns)
    return Trajectory(
        query=query,
        tools=tuple(read_tool(tool) for tool in value["tools"]),
        steps=tuple(steps),
        answer=answer,
        outcome=_outcome(steps, answer),
        id=record.id,
    )


def read_tool(document: Mapping[str, Any]) -> Tool:
    """A tool out of its documentation line."""
    properties = {name: read_argument(_text(text)) for name, text in document["input"].items()}
    parameters = {"type": "object", "properties": properties}
    return Tool(name=document["Name"], description=_text(document["function"]), parameters=parameters)


def read_argument(text: str) -> dict[str, str]:
    """`"type, description"` as a schema. A type that JSON Schema does not know is kept beside it, as `x-type`."""
    kind, comma, description = text.partition(", ")
    schema = {"type" if kind in JSON_TYPES else "x-type": kind}
    return {**schema, "description": description} if comma else schema


def _read_turns(turns: list[tuple[str, str]]) -> tuple[list[Step], str | None]:
    """Steps, and the answer when the conversation ends in one."""
    steps: list[Step] = []
    prompts: list[str] = []
    answer: str | None = None
    for speaker, text in turns:
        if speaker == "user":
            prompts.append(text)
        elif speaker == "assistant":
            steps.append(Step(plan=output_format.parse_plan(text), prompt="\n".join(prompts)))
            prompts.clear()
            answer = None  # an answer that the conversation went on from was none (a `Finish` that failed)
        elif speaker == "caller":
            steps[-1] = _fill(steps[-1], "call", output_format.parse_call(text))
        elif speaker == "observation":
            steps[-1] = _fill(steps[-1], "observation", Observation(text=text))
        elif speaker == "conclusion":
            if steps[-1].plan.decision is not Decision.SUMMARIZE:
                raise ValueError("a conclusion without 'Next: conclusion.' before it")
            answer = text
        else:
            raise ValueError(f"a turn from {speaker[:40]!r}")
    if prompts:
        raise ValueError("the conversation ends with a user turn")
    return steps, answer


def _fill(step: Step, field: str, value: Any) -> Step:
    if getattr(step, field) is not None:
        raise ValueError(f"two {field}s in one step")
    return step.model_copy(update={field: value})


def _outcome(steps: list[Step], answer: str | None) -> Outcome:
    if answer is not None:
        return Outcome.ANSWERED
    return Outcome.GAVE_UP if steps and steps[-1].plan.decision is Decision.GIVE_UP else Outcome.UNFINISHED


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, found {type(value).__name__}")
    return value
