"""ToolAlpaca instances (and full agent runs in that format) -> Trajectory.

A file is a list of APIs, each with its OpenAPI `Documentation` and its `Instances`. An instance is complete when it
has steps, a `Final Thought` and an `output`, and the agent was not stopped; others are dropped by reason. Outputs that
run on into an invented next turn end before it. The API's own text is read, never fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alpha_umi.data.filters import Report
from alpha_umi.data.formats.alpha_umi_json import JSON_TYPES
from alpha_umi.data.stream import MALFORMED, Record, drop_malformed, read_records
from alpha_umi.text import output_format
from alpha_umi.trajectory import Decision, Observation, Outcome, Plan, Step, Tool, Trajectory

STOPPED = ("Agent stopped", "Could not parse")
"""What the agent that made the runs writes when it did not finish."""

_ACTION = "ASSISTANT Action:"
_NEXT_TURN = re.compile(r"\n\s*(?:USER|ASSISTANT)\b")
_KEPT = frozenset({"type", "description", "enum", "default", "items", "properties", "required", "format"})
"""Words of OpenAPI schemas that mean the same in JSON Schema."""

_REFERENCES = 8
"""How deep references to components are followed: schemas may refer to themselves."""


def read(path: str | Path, report: Report) -> Iterator[Trajectory]:
    """Read instances; dropped are `error` (the run failed), `incomplete`, `malformed`."""
    for record in read_records(path, report):
        try:
            tools = read_tools(record.value)
            instances = list(enumerate(record.value["Instances"]))
        except MALFORMED as error:
            drop_malformed(record, error, report)
            continue
        for number, instance in instances:
            place = f"{record.id}/{number}"
            try:
                trajectory = _read_instance(instance, tools, place, record, report)
            except MALFORMED as error:
                drop_malformed(record._replace(id=place), error, report)
                continue
            if trajectory is not None:
                yield trajectory


def _read_instance(
    instance: Mapping[str, Any], tools: tuple[Tool, ...], place: str, record: Record, report: Report
) -> Trajectory | None:
    """One run, or None when it was dropped."""
    if "error" in instance:
        report.drop("error", place, str(instance["error"])[:80])
        return None
    output, final = instance.get("output"), instance.get("Final Thought")
    stopped = any(mark in text for mark in STOPPED for text in (str(output), str(final)))
    if not output or not final or not instance.get("intermediate_steps") or stopped:
        report.drop("incomplete", place, "stopped" if stopped else "no steps, no final thought or no output")
        return None
    steps = [_read_step(step) for step in instance["intermediate_steps"]]
    steps.append(Step(plan=Plan(rationale=final.strip(), decision=Decision.SUMMARIZE)))
    return Trajectory(
        query=instance["input"],
        tools=tools,
        steps=tuple(steps),
        answer=_NEXT_TURN.split(f"\n{output.strip()}", maxsplit=1)[0].strip() or output_format.NO_TOOL,
        outcome=Outcome.ANSWERED,
        id=place,
        meta={"api": record.value.get("Name", "")},
    )


def _read_step(step: Any) -> Step:
    """A step out of `[[action, action input, log], observation]`; the log is what the model wrote."""
    (action, arguments, log), result = step
    thought, found, written = log.partition(_ACTION)
    if found:
        text = f"Action:{written}".replace("ASSISTANT Action Input:", "Action Input:", 1)
    else:
        text = f"Action: {action}\nAction Input: {arguments}"
    return Step(
        plan=Plan(rationale=thought.strip(), decision=Decision.CALL),
        call=output_format.parse_call(text),
        observation=Observation(text=result, ok=result.startswith("Status Code: 2")),
    )


def read_tools(api: Mapping[str, Any]) -> tuple[Tool, ...]:
    """The functions of an API with their arguments' types and which are required."""
    document = json.loads(api["Documentation"])
    places = api["Function_Projection"]
    tools = []
    for name, text in api["Function_Description"].items():
        if name not in places:  # `components`: the shared schemas, already resolved below
            continue
        path, method = places[name]
        operation = document["paths"][path][method]
        summary, _, rest = text.partition("\nParameters:")
        output = next((line for line in rest.split("\n") if line.startswith("Output:")), "")
        description = f"{summary.strip()} {output}".strip()
        tools.append(Tool(name=name, description=description, parameters=_parameters(operation, document)))
    return tuple(tools)


def _parameters(operation: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an operation, those in its body included, as one JSON Schema."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter in operation.get("parameters", ()):
        resolved = _resolve(parameter, document)
        properties[resolved["name"]] = _schema(
            {"description": resolved.get("description", ""), **resolved.get("schema", {})}, document
        )
        if resolved.get("required"):
            required.append(resolved["name"])
    for content in _resolve(operation.get("requestBody", {}), document).get("content", {}).values():
        body = _schema(content.get("schema", {}), document)
        properties.update(body.get("properties", {}))
        required += body.get("required", [])
        break  # every content type describes the same body
    return {"type": "object", "properties": properties, "required": list(dict.fromkeys(required))}


def _schema(value: Any, document: Mapping[str, Any], depth: int = _REFERENCES) -> dict[str, Any]:
    """An OpenAPI schema as JSON Schema: references resolved, words that JSON Schema reads differently left out."""
    if depth == 0:
        return {}
    schema = {key: item for key, item in _resolve(value, document).items() if key in _KEPT}
    if schema.get("type") not in JSON_TYPES:
        schema.pop("type", None)
    if not isinstance(schema.get("required", []), list):
        del schema["required"]
    if "items" in schema:
        schema["items"] = _schema(schema["items"], document, depth - 1)
    if "properties" in schema:
        schema["properties"] = {k: _schema(v, document, depth - 1) for k, v in schema["properties"].items()}
    return schema


def _resolve(value: Any, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a chain of `#/...` references; one that leads nowhere is an empty object."""
    for _ in range(_REFERENCES):
        if not isinstance(value, Mapping) or "$ref" not in value:
            break
        found: Any = document
        for part in str(value["$ref"]).removeprefix("#/").split("/"):
            found = found.get(part, {}) if isinstance(found, Mapping) else {}
        value = found
    return value if isinstance(value, Mapping) and "$ref" not in value else {}
