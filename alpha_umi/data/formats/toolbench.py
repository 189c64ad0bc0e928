"""ToolBench answer files -> Trajectory: search trees (DFS) and chains (CoT), solved, given up or invalid.

The messages that ToolBench chose to train on are used when the file has them; else the best path of its tree or tries
is walked: one that answers, else one that gives up. Reading follows the released preprocessing of α-UMi, except that
tools keep their whole JSON schema, turns without a call stay as history, and an observation without a response says its
error instead of nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from alpha_umi.data.filters import Report
from alpha_umi.data.stream import MALFORMED, Record, drop_malformed, read_records
from alpha_umi.text import output_format
from alpha_umi.trajectory import Decision, Observation, Outcome, Plan, Step, Tool, Trajectory

FINISH = "Finish"
NAME_CHARS = 64
"""Function names keep their last 64 characters (the limit of the API that ToolBench was collected with)."""

_Message = Mapping[str, Any]


def read(path: str | Path, report: Report, *, keep_invalid: bool = False) -> Iterator[Trajectory]:
    """Read answer files.

    Args:
        path: a file, a folder of files, or a glob.
        report: counts what is dropped: `invalid` (no answer and no give-up was accepted), `malformed`.
        keep_invalid: keep the longest path of invalid trees too, as unfinished trajectories or give-ups.
    """
    for record in read_records(path, report):
        try:
            trajectory = read_record(record, keep_invalid=keep_invalid)
        except MALFORMED as error:
            drop_malformed(record, error, report)
            continue
        if trajectory is None:
            report.drop("invalid", record.id)
        else:
            yield trajectory


def read_record(record: Record, *, keep_invalid: bool = False) -> Trajectory | None:
    """One answer file as a trajectory, or None when it is invalid and not to be kept."""
    generated = record.value["answer_generation"]
    valid = bool(generated.get("valid_data"))
    if not valid and not keep_invalid:
        return None
    prefixes = generated.get("train_messages")
    if prefixes:
        messages: Sequence[_Message] = prefixes[-1][2:]  # the longest prefix, less system and user message
    else:
        found = _best_path(record.value, keep_invalid=keep_invalid)
        if found is None:
            return None
        messages = found
    steps, answer = read_messages(messages)
    return Trajectory(
        query=_query(generated["query"]),
        tools=tuple(read_tool(f) for f in generated["function"] if f["name"] != FINISH),
        steps=tuple(steps),
        answer=answer,
        outcome=_outcome(steps, answer),
        id=record.id,
        meta={"valid": valid, "win": record.value.get("win")},
    )


def tree_paths(value: Mapping[str, Any], name: str = "") -> Iterator[Trajectory]:
    """Every path of an answer file's search tree, from its root to a leaf, in the order in which it was searched.

    Args:
        value: an answer file as JSON.
        name: what the trajectories are called, with a number after it.
    """
    generated = value["answer_generation"]
    tools = tuple(read_tool(f) for f in generated["function"] if f["name"] != FINISH)
    for number, path in enumerate(_paths(value)):
        steps, answer = read_messages(_as_messages(path))
        yield Trajectory(
            query=_query(generated["query"]),
            tools=tools,
            steps=tuple(steps),
            answer=answer,
            outcome=_outcome(steps, answer),
            id=f"{name}-{number}",
        )


def _query(value: Any) -> str:
    """A few queries are lists of one element."""
    text = value[0] if isinstance(value, list) else value
    if not isinstance(text, str):
        raise TypeError("the query is no text")
    return text.strip()


def read_tool(function: Mapping[str, Any]) -> Tool:
    """A tool out of an OpenAI function: the whole schema, `example_value` under its standard name."""
    given = function.get("parameters") or {}
    properties = {}
    for name, schema in given.get("properties", {}).items():
        properties[name] = {key: value for key, value in schema.items() if key != "example_value"}
        if "example_value" in schema:
            properties[name]["examples"] = [schema["example_value"]]
    rest = {key: value for key, value in given.items() if key not in {"type", "properties", "optional"}}
    parameters = {"type": "object", "properties": properties, **rest}
    return Tool(
        name=function["name"][-NAME_CHARS:], description=function.get("description") or "", parameters=parameters
    )


def read_messages(messages: Iterable[_Message]) -> tuple[list[Step], str | None]:
    """Steps and answer out of the messages that follow the system and the user message.

    A `Finish` that ToolBench refuses (code 2: no `return_type` that it knows, or no `final_answer`) ends nothing, as in
    its `DFS.py`: it stays as a step with what it was told, and its answer was none.
    """
    steps: list[Step] = []
    prompts: list[str] = []
    answer: str | None = None
    for message in messages:
        if message["role"] == "user":
            prompts.append(message["content"])
        elif message["role"] == "assistant":
            step, answer = _read_assistant(message)
            steps.append(step.model_copy(update={"prompt": "\n".join(prompts)}))
            prompts.clear()
        elif message["role"] == "function":
            steps[-1] = steps[-1].model_copy(update={"observation": read_result(message["content"])})
        else:
            raise ValueError(f"a message of role {str(message['role'])[:40]!r}")
    if not steps or steps[-1].call is not None or not steps[-1].is_decision:
        return steps, answer
    last = steps[-1]
    if last.observation is not None and not last.observation.ok:
        return steps, None
    return [*steps[:-1], last.model_copy(update={"observation": None})], answer  # it was only confirmed


def _read_assistant(message: _Message) -> tuple[Step, str | None]:
    """A step out of one assistant message, with the answer when it finishes."""
    thought = (message.get("content") or "").strip()
    function = message.get("function_call")
    if not function:
        return Step(plan=Plan(rationale=thought, decision=Decision.CALL, fault="no_marker")), None
    name, arguments = function["name"], function.get("arguments") or ""
    if name == FINISH:
        finish = read_finish(arguments, thought)
        return Step(plan=Plan(rationale=thought, decision=finish.decision)), finish.answer
    call = output_format.parse_call(f"Action: {name[-NAME_CHARS:]}\nAction Input: {arguments}")
    return Step(plan=Plan(rationale=thought, decision=Decision.CALL), call=call), None


class Finish(NamedTuple):
    """What a call of `Finish` means."""

    decision: Decision
    answer: str | None


def read_finish(arguments: str, thought: str = "") -> Finish:
    """Read the arguments of `Finish`, also when they are not JSON (released preprocessing of α-UMi)."""
    try:
        value = json.loads(arguments, strict=False)
        kind, answer = str(value.get("return_type", "")), value.get("final_answer")
    except (ValueError, AttributeError, RecursionError):
        kind = "" if '"give_answer"' in arguments else arguments
        _, found, rest = arguments.partition('"final_answer": ')
        answer = rest.strip().rstrip("}").strip().strip('"') if found else thought
    if "give_up" in kind:
        return Finish(Decision.GIVE_UP, None)
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False) if answer else ""
    return Finish(Decision.SUMMARIZE, text.strip() or output_format.NO_TOOL)


_RESPONSE = re.compile(r'"response":')
_NO_ERROR = re.compile(r'^\s*\{"error":\s*""')
_REFUSED_FINISH = re.compile(r"^\s*\{error:")
"""How ToolBench's environment begins what it says of a `Finish` with code 2, which is no JSON."""


def read_result(content: str | None) -> Observation:
    """Unwrap a function's `{"error", "response"}`; text that was cut and is no JSON any more keeps what is left."""
    content = content or ""
    try:
        value = json.loads(content, strict=False)
    except (ValueError, RecursionError):
        found = _RESPONSE.search(content)
        if found is None:
            return Observation(text=content, ok=_REFUSED_FINISH.match(content) is None)
        return Observation(text=content[found.end() :], ok=_NO_ERROR.match(content) is not None)
    if not isinstance(value, dict) or not {"error", "response"} & value.keys():
        return Observation(text=content)
    error, response = value.get("error") or "", value.get("response", "")
    text = response if isinstance(response, str) else json.dumps(response, ensure_ascii=False)
    return Observation(text=text or str(error), ok=not error)


def _outcome(steps: Sequence[Step], answer: str | None) -> Outcome:
    if answer is not None:
        return Outcome.ANSWERED
    return Outcome.GAVE_UP if _gave_up(steps) else Outcome.UNFINISHED


def _gave_up(steps: Sequence[Step]) -> bool:
    return bool(steps) and steps[-1].plan.decision is Decision.GIVE_UP and steps[-1].observation is None


def _best_path(value: Mapping[str, Any], *, keep_invalid: bool) -> list[_Message] | None:
    """The messages of the first path that answers, else of the first that gives up, else (if kept) of the longest."""
    gave_up: list[_Message] | None = None
    longest: list[_Message] = []
    for nodes in _paths(value):
        messages = list(_as_messages(nodes))
        steps, answer = read_messages(messages)
        if answer is not None:
            return messages
        if gave_up is None and _gave_up(steps):
            gave_up = messages
        longest = max(longest, messages, key=len)
    return gave_up or (longest if keep_invalid and longest else None)


def _paths(value: Mapping[str, Any]) -> Iterator[list[_Message]]:
    """The nodes from below the root to each leaf, out of the tries of a chain or out of a tree."""
    for attempt in value.get("trys", ()):
        yield attempt["chain"]
    root = value.get("tree", {}).get("tree")
    waiting: list[tuple[_Message, list[_Message]]] = [(root, [])] if root else []
    while waiting:
        node, path = waiting.pop()
        children = node.get("children") or ()
        if not children and path:
            yield path
        waiting += [(child, [*path, child]) for child in reversed(children)]


def _as_messages(nodes: Iterable[_Message]) -> Iterator[_Message]:
    """Tree nodes (Thought, Action, Action Input) as the chat messages they were made of."""
    thought: str | None = None
    name = ""
    for node in nodes:
        kind, text = node["node_type"], node["description"]
        if kind == "Thought":
            if thought is not None:
                yield {"role": "assistant", "content": thought}
            thought = text
        elif kind == "Action":
            name = text
        elif kind == "Action Input":
            function = {"name": name, "arguments": text}
            yield {"role": "assistant", "content": thought, "function_call": function}
            thought = None
            yield {"role": "function", "name": name, "content": node.get("observation", "")}
    if thought is not None:
        yield {"role": "assistant", "content": thought}
