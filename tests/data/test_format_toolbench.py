"""ToolBench answer files: the real trees, and the released preprocessing of α-UMi reproduced from its raw chains."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alpha_umi.data.examples import for_role
from alpha_umi.data.filters import Report
from alpha_umi.data.formats import alpha_umi_json, toolbench
from alpha_umi.data.formats.toolbench import Finish, read_finish, read_messages, read_record, read_result, read_tool
from alpha_umi.data.stream import Record
from alpha_umi.text.layouts import load_layout
from alpha_umi.text.tool_documents import document_tools
from alpha_umi.text.utterances import INVALID_TOOL
from alpha_umi.tools.validation import check_tool
from alpha_umi.trajectory import Decision, Observation, Outcome, Trajectory


def _read(path: Path, **options: bool) -> tuple[list[Trajectory], Report]:
    report = Report()
    return list(toolbench.read(path, report, **options)), report


def test_fifteen_trees_thirteen_valid(shared: Path) -> None:
    trajectories, report = _read(shared / "toolbench" / "data_example" / "answer")
    assert len(trajectories) == 13
    assert report.dropped == {"invalid": 2}
    assert report.examples["invalid"] == ["G1_answer/69_ChatGPT_DFS_woFilter_w2", "G3_answer/8_ChatGPT_DFS_woFilter_w2"]
    for trajectory in trajectories:
        report.keep(trajectory)
    assert report.outcomes == {"answered": 9, "gave_up": 4}
    assert report.decisions == {"call": 37, "summarize": 9, "give_up": 4}
    assert len({trajectory.id for trajectory in trajectories}) == 13  # file names repeat from group to group
    for trajectory in trajectories:
        assert "Finish" not in trajectory.tool_names
        assert all(step.call is None or step.call.fault is None for step in trajectory.steps)
        for tool in trajectory.tools:
            check_tool(tool)


def test_invalid_trees_are_kept_when_asked(shared: Path) -> None:
    trajectories, report = _read(shared / "toolbench" / "data_example" / "answer", keep_invalid=True)
    assert len(trajectories) == 15
    assert not report.dropped
    invalid = [trajectory for trajectory in trajectories if not trajectory.meta["valid"]]
    assert [trajectory.outcome for trajectory in invalid] == [Outcome.GAVE_UP, Outcome.UNFINISHED]


def test_a_tree_without_train_messages_is_walked_to_an_answer(shared: Path) -> None:
    walked = 0
    for path in sorted((shared / "toolbench" / "data_example" / "answer").rglob("*.json")):
        value = json.loads(path.read_text())
        if not value["answer_generation"]["valid_data"]:
            continue
        chosen = read_record(Record(value, "r"))
        del value["answer_generation"]["train_messages"]
        found = read_record(Record(value, "r"))
        assert chosen is not None
        assert found is not None
        assert found.outcome is chosen.outcome
        if (
            chosen.outcome is Outcome.ANSWERED
        ):  # of several give-ups ToolBench draws one at random; answers stop the search
            calls = [[step.call for step in t.steps if step.call is not None] for t in (chosen, found)]
            assert calls[0] == calls[1]
            assert found.answer == chosen.answer
            walked += 1
    assert walked == 9


def test_raw_chains_give_the_authors_conversations(shared: Path) -> None:
    """Different on purpose: an observation without a response says its error; turns without a call stay."""
    folder = shared / "glpft-toolbench" / "train-example" / "raw_data"
    chains = json.loads((folder / "raw_data_stage_1.json").read_text())
    theirs = list(alpha_umi_json.read(folder / "raw_data_stage_2.json", Report()))
    decisions = errors = bare = 0
    for record, their in zip(chains, theirs, strict=True):
        steps, answer = read_messages(record["chains"][2:])
        assert (answer or "").strip() == (their.answer or "").strip()
        bare += sum(not step.is_decision for step in steps)
        for mine, other in zip([step for step in steps if step.is_decision], their.steps, strict=True):
            decisions += 1
            assert mine.plan.rationale == other.plan.rationale.strip()
            assert mine.plan.decision is other.plan.decision
            assert mine.call == other.call
            if mine.observation is not None and other.observation is not None:
                if mine.observation.text != other.observation.text:
                    errors += 1
                    assert other.observation.text == ""
                    assert not mine.observation.ok
            else:
                assert mine.observation is other.observation
    assert (decisions, errors, bare) == (79, 16, 9)


def test_tools_keep_their_whole_schema() -> None:
    function = {
        "name": "x" * 70 + "_end",
        "description": "finds",
        "parameters": {
            "type": "object",
            "properties": {
                "q": {"type": "string", "description": "what", "example_value": "shoes"},
                "n": {"type": "integer"},
            },
            "required": ["q"],
            "optional": ["n"],
        },
    }
    tool = read_tool(function)
    assert tool.name == "x" * 60 + "_end"
    assert tool.parameters == {
        "type": "object",
        "properties": {"q": {"type": "string", "description": "what", "examples": ["shoes"]}, "n": {"type": "integer"}},
        "required": ["q"],
    }


@pytest.mark.parametrize(
    ("arguments", "finish"),
    [
        ('{"return_type": "give_answer", "final_answer": " It is 3. "}', Finish(Decision.SUMMARIZE, "It is 3.")),
        ('{"return_type": "give_answer"}', Finish(Decision.SUMMARIZE, "none")),
        ('{"return_type": "give_answer", "final_answer": {"a": 1}}', Finish(Decision.SUMMARIZE, '{"a": 1}')),
        ('{"return_type": "give_up_and_restart"}', Finish(Decision.GIVE_UP, None)),
        ('{"return_type": "give_up"}', Finish(Decision.GIVE_UP, None)),
        # not JSON
        ('{"return_type": "give_answer", "final_answer": "a "b" c"}', Finish(Decision.SUMMARIZE, 'a "b" c')),
        (
            '{"return_type": "give_answer", "final_answer": "never give_up"x}',
            Finish(Decision.SUMMARIZE, 'never give_up"x'),
        ),
        ('{"return_type": "give_up_and_restart"', Finish(Decision.GIVE_UP, None)),
        ('{"return_type": "give_answer", ', Finish(Decision.SUMMARIZE, "my thought")),
        ("", Finish(Decision.SUMMARIZE, "my thought")),
        ("[1]", Finish(Decision.SUMMARIZE, "my thought")),
    ],
)
def test_finish(arguments: str, finish: Finish) -> None:
    assert read_finish(arguments, "my thought") == finish


@pytest.mark.parametrize(
    ("content", "observation"),
    [
        ('{"error": "", "response": "{\'a\': 1}"}', Observation(text="{'a': 1}")),
        ('{"error": "", "response": ""}', Observation(text="")),
        ('{"error": "no key", "response": ""}', Observation(text="no key", ok=False)),
        ('{"error": "slow", "response": "some"}', Observation(text="some", ok=False)),
        ('{"error": "", "response": {"a": 1}}', Observation(text='{"a": 1}')),
        ('{"error": "no key"}', Observation(text="no key", ok=False)),
        # cut, so no JSON any more
        ('{"error": "", "response": "{\'a\': 1, \'b', Observation(text=" \"{'a': 1, 'b")),
        ('{"error": "bad", "response": "{\'a', Observation(text=" \"{'a", ok=False)),
        ("plain", Observation(text="plain")),
        ('{"other": 1}', Observation(text='{"other": 1}')),
        ("[1, 2]", Observation(text="[1, 2]")),
        (None, Observation(text="")),
    ],
)
def test_results(content: str | None, observation: Observation) -> None:
    assert read_result(content) == observation


def _node(kind: str, text: str, *children: dict[str, Any], seen: str = "") -> dict[str, Any]:
    return {"node_type": kind, "description": text, "children": list(children), "observation": seen}


def _call(name: str, *children: dict[str, Any], arguments: str = "{}", seen: str = "") -> dict[str, Any]:
    return _node("Action", name, _node("Action Input", arguments, *children, seen=seen))


ANSWER = _call("Finish", arguments='{"return_type": "give_answer", "final_answer": "42"}')
GIVE_UP = _call("Finish", arguments='{"return_type": "give_up_and_restart"}')


def _flat(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(n for child in node["children"] for n in _flat(child))]


def _answer_file(*, valid: bool = True, **record: Any) -> Record:
    function = {"name": "t", "description": "", "parameters": {"type": "object", "properties": {}}}
    generated = {
        "valid_data": valid,
        "query": ["\nq\n"],
        "function": [function, {"name": "Finish"}],
        "train_messages": [],
    }
    return Record({"win": False, "answer_generation": generated, **record}, "r")


def test_a_tree_is_walked_to_the_first_answer_else_to_a_give_up() -> None:
    bare = _node(
        "Thought", "hm", _node("Thought", "ah", _call(INVALID_TOOL, ANSWER, seen='{"error": "No such function"}'))
    )
    root = _node("Action Input", "", _call("t", _node("Thought", "no", GIVE_UP)), bare)
    found = read_record(_answer_file(tree={"tree": root}))
    assert found is not None
    assert (found.query, found.answer, found.outcome) == ("q", "42", Outcome.ANSWERED)
    assert [step.plan.rationale for step in found.steps] == ["hm", "ah", ""]
    assert [step.is_decision for step in found.steps] == [False, True, True]
    assert found.steps[1].call is not None
    assert found.steps[1].call.tool == INVALID_TOOL
    given_up = read_record(_answer_file(tree={"tree": _node("Action Input", "", _call("t", GIVE_UP))}))
    assert given_up is not None
    assert given_up.outcome is Outcome.GAVE_UP


def test_chains_are_read_without_train_messages() -> None:
    tries = [{"chain": _flat(_call("t", GIVE_UP)), "win": False}, {"chain": _flat(_call("t", ANSWER)), "win": True}]
    found = read_record(_answer_file(trys=tries, try_count=2))
    assert found is not None
    assert found.answer == "42"
    lost = read_record(_answer_file(trys=tries[:1], try_count=1))
    assert lost is not None
    assert lost.outcome is Outcome.GAVE_UP


def test_a_tree_that_ends_nowhere_is_invalid_or_unfinished() -> None:
    record = _answer_file(valid=False, tree={"tree": _node("Action Input", "", _call("t", _call("t")))})
    assert read_record(record) is None
    kept = read_record(record, keep_invalid=True)
    assert kept is not None
    assert (len(kept.steps), kept.outcome) == (2, Outcome.UNFINISHED)


def test_files_of_another_shape_are_malformed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"answer_generation": {"valid_data": true, "train_messages": [[1, 2, 3]]}}')
    (tmp_path / "b.json").write_text('{"query": "q"}')
    (tmp_path / "c.json").write_text('{"answer_generation": 3}')
    trajectories, report = _read(tmp_path)
    assert trajectories == []
    assert report.dropped == {"malformed": 3}
    assert "keys: query" in report.examples["malformed"][1]


def test_tools_differ_from_the_release_only_where_it_cuts(shared: Path) -> None:
    """docs/published.md: 23 tools of 6 answers, whose description or argument is longer than 256 characters."""
    differ = []
    for path in sorted((shared / "toolbench" / "data_example" / "answer").rglob("*.json")):
        value = json.loads(path.read_text(encoding="utf-8"))
        found = read_record(Record(value, "r"))
        if found is None:
            continue
        cut = [
            {
                "Name": function["name"][-64:],
                "function": function["description"][:256],
                "input": {
                    name: f"{schema['type']}, {schema['description'][-256:]}"
                    if "description" in schema
                    else schema["type"]
                    for name, schema in function["parameters"]["properties"].items()
                },
            }
            for function in value["answer_generation"]["function"]
            if function["name"] != "Finish"
        ]
        ours = [json.loads(line) for line in document_tools(found.tools, "json")]
        differ.append(sum(mine != theirs for mine, theirs in zip(ours, cut, strict=True)))
    assert sorted(n for n in differ if n) == [1, 1, 1, 4, 8, 8]


def _finish(arguments: str) -> dict[str, Any]:
    call = {"name": "Finish", "arguments": arguments}
    return {"role": "assistant", "content": "So.", "function_call": call}


def _said(content: str) -> dict[str, Any]:
    return {"role": "function", "name": "f", "content": content}


TIDE = {"role": "assistant", "content": "I look.", "function_call": {"name": "tide", "arguments": '{"port": "BRX"}'}}
AT_1410 = _finish('{"return_type": "give_answer", "final_answer": "At 14:10."}')
DONE = _said('{"response":"successfully giving the final answer."}')
NO_ANSWER = '{error:"must have "final_answer""}'
"""What ToolBench's environment says of a `Finish` without an answer; it is no JSON."""


@pytest.mark.parametrize("told", ["must have final_answer", NO_ANSWER])
@pytest.mark.parametrize(
    ("arguments", "decision"),
    [
        ('{"return_type": "give_answer"}', Decision.SUMMARIZE),
        ('{"final_answer": "At noon."}', Decision.SUMMARIZE),
        ('{"return_type": "give_up"}', Decision.GIVE_UP),
    ],
)
def test_what_follows_a_finish_that_failed_is_kept(arguments: str, decision: Decision, told: str) -> None:
    """Code 2 is no end: `DFS.py` goes on, and the released preprocessing of α-UMi keeps all of it."""
    start = [{"role": "system", "content": ""}, {"role": "user", "content": "High water?"}]
    record = _answer_file()
    record.value["answer_generation"]["function"][0]["name"] = "tide"
    record.value["answer_generation"]["train_messages"] = [
        start,
        [*start, _finish(arguments), _said(told), TIDE, _said('{"error": "", "response": "14:10"}'), AT_1410],
    ]
    found = read_record(record)
    assert found is not None
    assert (found.answer, found.outcome) == ("At 14:10.", Outcome.ANSWERED)
    assert [step.plan.decision for step in found.steps] == [decision, Decision.CALL, Decision.SUMMARIZE]
    assert [step.observation and step.observation.text for step in found.steps] == [told, "14:10", None]
    planner = for_role(found, role="planner", layout=load_layout("paper"))
    assert [example.step for example in planner] == [0, 1, 2]
    assert told in planner[1].messages[-1].content, "the planner reads why it goes on"
    assert [e.completion for e in for_role(found, role="summarizer", layout=load_layout("paper"))] == ["At 14:10."]


def test_both_readers_say_the_same_of_a_finish_that_failed() -> None:
    """The same search as ToolBench writes it, and as the released preprocessing turned it into a conversation."""
    messages = [
        _finish('{"return_type": "give_answer"}'),
        _said('{"response": "no"}'),
        TIDE,
        _said('{"response": "x"}'),
    ]
    steps, answer = read_messages([*messages, AT_1410, DONE])
    turns = [
        ("user", "High water?"),
        ("assistant", "So. Next: conclusion."),
        ("conclusion", "none"),
        ("observation", "no"),
        ("assistant", "I look. Next: caller."),
        ("caller", 'Action: tide\nAction Input: {"port": "BRX"}'),
        ("observation", "x"),
        ("assistant", "So. Next: conclusion."),
        ("conclusion", "At 14:10."),
    ]
    told = [{"from": speaker, "value": text} for speaker, text in turns]
    value = {"tools": [], "instruction": "High water?", "conversations": told}
    theirs = alpha_umi_json.read_record(Record(value, "r"))
    assert (tuple(steps), answer) == (theirs.steps, theirs.answer)


def test_a_path_that_ends_in_a_finish_that_failed_answers_nothing() -> None:
    steps, answer = read_messages([TIDE, _said('{"response": "x"}'), _finish("{}"), _said(NO_ANSWER)])
    assert answer is None
    assert steps[-1].observation == Observation(text=NO_ANSWER, ok=False)
    steps, answer = read_messages([TIDE, _said('{"response": "x"}'), AT_1410, DONE])
    assert (answer, steps[-1].observation) == ("At 14:10.", None)
    refused = _call("Finish", arguments='{"return_type": "give_answer"}', seen=NO_ANSWER)
    both = _node("Action Input", "", refused, _call("t", ANSWER))
    found = read_record(_answer_file(tree={"tree": both}))
    assert found is not None
    assert found.answer == "42", "the path that answers is taken, not the one whose answer was refused"
    given_up = _call("Finish", arguments='{"return_type": "give_up"}', seen='{error:""return_type" is not valid"}')
    assert read_record(_answer_file(tree={"tree": _node("Action Input", "", given_up)})) is None


def _counted(messages: list[dict[str, Any]], names: set[str]) -> Counter[str]:
    """What a list of `train_messages` holds, counted without the reader."""
    counted: Counter[str] = Counter()
    for before, message in itertools.pairwise([*messages, {"role": "end"}]):
        counted["observation"] += before["role"] == "function"
        call = before.get("function_call") if before["role"] == "assistant" else None
        if call is None:
            counted["thought"] += before["role"] == "assistant"
        elif call["name"] == "Finish":
            counted["give_up" if "give_up" in call["arguments"] else "summarize"] += 1
            counted["refused"] += message["role"] != "end"
        else:
            counted["call"] += 1
            counted["invented"] += call["name"] not in names
    return +counted


def test_the_fifteen_trees_are_read_whole(shared: Path) -> None:
    """Every message that ToolBench chose to train on is there, and what α-UMi would train on differs by one call."""
    targets: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for path in sorted((shared / "toolbench" / "data_example" / "answer").rglob("*.json")):
        value = json.loads(path.read_text(encoding="utf-8"))
        prefixes = value["answer_generation"].get("train_messages")
        found = read_record(Record(value, "r"))
        assert (found is None) == (not prefixes)
        if found is None:
            continue
        expected = _counted(prefixes[-1][2:], set(found.tool_names))
        read = Counter(step.plan.decision.value if step.is_decision else "thought" for step in found.steps)
        read["observation"] = sum(step.observation is not None for step in found.steps)
        read["invented"] = sum(step.call is not None and step.call.tool not in found.tool_names for step in found.steps)
        assert +read == expected, path.name
        total += expected
        for role in ("planner", "caller", "summarizer"):
            targets[role] += len(for_role(found, role=role, layout=load_layout("paper")))
    assert total == {"call": 37, "observation": 37, "thought": 2, "summarize": 9, "give_up": 4, "invented": 1}
    # α-UMi trains on the call that ToolBench took for another function by its ending, too: 50, 37 and 9.
    assert targets == {"planner": 49, "caller": 36, "summarizer": 9}
