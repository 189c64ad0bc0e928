"""The output grammar: format and parse are inverses, every published variant is read, no text raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import calls, nasty_texts, plans, texts

from alpha_umi.text import output_format
from alpha_umi.text.json_object import MAX_ARGUMENT_DEPTH
from alpha_umi.text.output_format import (
    DECISIONS,
    ParsedTurn,
    format_call,
    format_plan,
    format_turn,
    parse_answer,
    parse_call,
    parse_plan,
    parse_turn,
)
from alpha_umi.trajectory import Call, Decision, Plan

anything = st.one_of(st.text(max_size=200), nasty_texts)


@given(plans())
def test_a_plan_comes_back_from_its_text(plan: Plan) -> None:
    assert parse_plan(format_plan(plan)) == plan


@given(plans())
def test_a_plan_text_comes_back_from_its_plan(plan: Plan) -> None:
    text = format_plan(plan)
    assert format_plan(parse_plan(text)) == text


@given(calls)
def test_a_call_comes_back_from_its_text(call: Call) -> None:
    parsed = parse_call(format_call(call))
    assert (parsed.tool, parsed.arguments, parsed.fault) == (call.tool, call.arguments, None)


@given(calls, st.sampled_from(["", "\n", " and more", "\nAction: other\nAction Input: {}", "}", "\n```"]))
def test_text_after_the_arguments_changes_nothing(call: Call, more: str) -> None:
    parsed = parse_call(format_call(call) + more)
    assert (parsed.tool, parsed.arguments, parsed.fault) == (call.tool, call.arguments, None)


@given(anything)
def test_a_call_keeps_its_exact_text(text: str) -> None:
    call = parse_call(text)
    assert call.raw == text.strip()
    assert not call.raw or format_call(call) == call.raw


@st.composite
def turns(draw: st.DrawFn) -> ParsedTurn:
    rationale = draw(texts).strip().lstrip(":").lstrip()
    plan = Plan(rationale=rationale, decision=draw(st.sampled_from(DECISIONS)))
    if plan.decision is Decision.CALL:
        return ParsedTurn(plan, parse_call(format_call(draw(calls))), None)
    answer = draw(nasty_texts).strip() or "none"
    return ParsedTurn(plan, None, answer if plan.decision is Decision.SUMMARIZE else None)


@given(turns())
def test_a_whole_turn_comes_back_from_its_text(turn: ParsedTurn) -> None:
    text = format_turn(turn)
    assert parse_turn(text) == turn
    assert format_turn(parse_turn(text)) == text


@given(st.one_of(st.text(max_size=300), nasty_texts, st.text("{}[]\"'\\:,aA ctionIpu\n", max_size=200)))
def test_no_text_raises(text: str) -> None:
    plan, call, turn = parse_plan(text), parse_call(text), parse_turn(text)
    assert plan.fault is None or plan.fault in output_format.PLAN_FAULTS
    assert call.fault is None or call.fault in output_format.CALL_FAULTS
    assert turn.plan.fault is None or turn.plan.fault in output_format.PLAN_FAULTS
    parse_answer(text)


@given(st.text(max_size=80))
def test_no_arguments_raise(text: str) -> None:
    for written in (text, f"{{{text}}}"):
        call = parse_call(f"Action: a\nAction Input: {written}")
        assert call.fault is None or call.fault in output_format.CALL_FAULTS


GIVE_UP, CONCLUSION, CALLER = (output_format.MARKERS[d] for d in (Decision.GIVE_UP, Decision.SUMMARIZE, Decision.CALL))


@pytest.mark.parametrize(
    ("text", "rationale", "decision", "fault"),
    [
        (f"go on. {CALLER}", "go on.", Decision.CALL, None),
        (f"go on.\n {CALLER}", "go on.\n", Decision.CALL, None),
        (CALLER, "", Decision.CALL, None),
        (f": go on. {CALLER}", "go on.", Decision.CALL, None),
        # several: the first that ends a line; what is quoted before loses its full stop, what follows is cut
        (f"a {CONCLUSION} b {CALLER}", "a Next: conclusion b", Decision.CALL, None),
        (f"it says '{GIVE_UP}', but I go on. {CALLER}", "it says 'Next: give up', but I go on.", Decision.CALL, None),
        (f"a {CALLER}\n[caller]\nb {GIVE_UP}", "a", Decision.CALL, None),
        (f"a {CALLER} b {CALLER}", "a Next: caller b", Decision.CALL, None),
        (f"it says '{GIVE_UP}' {CALLER}\r\n[caller]", "it says 'Next: give up'", Decision.CALL, None),
        # none ends a line: give up before conclusion before caller, as released; cut at the first of the chosen
        (f"a {CALLER} b {CONCLUSION} c", f"a {CALLER} b", Decision.SUMMARIZE, None),
        (f"a {CALLER} b {CONCLUSION} c {GIVE_UP} d", f"a {CALLER} b {CONCLUSION} c", Decision.GIVE_UP, None),
        # none: the caller's turn
        ("I wonder", "I wonder", Decision.CALL, "no_marker"),
        ("next: caller.", "next: caller.", Decision.CALL, "no_marker"),
        ("Next: caller", "Next: caller", Decision.CALL, "no_marker"),
        ("", "", Decision.CALL, "empty"),
        (" . ", "", Decision.CALL, "empty"),
        (",", "", Decision.CALL, "empty"),
        (": ", "", Decision.CALL, "empty"),
    ],
)
def test_plan_variants(text: str, rationale: str, decision: Decision, fault: str | None) -> None:
    assert parse_plan(text) == Plan(rationale=rationale, decision=decision, fault=fault)


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_rationale_that_would_be_read_as_another_decision_is_refused(decision: Decision) -> None:
    for rationale in (f"so {GIVE_UP} And on.", f"so {CALLER}\nand on"):
        with pytest.raises(ValueError, match="marker"):
            format_plan(Plan(rationale=rationale, decision=decision))
    plan = parse_plan(format_plan(Plan(rationale=f"so {CALLER}", decision=Decision.GIVE_UP)))
    assert plan.decision is Decision.GIVE_UP


@pytest.mark.parametrize(
    ("text", "tool", "arguments", "fault"),
    [
        ('Action: t\nAction Input: {"a": 1}', "t", {"a": 1}, None),
        ('Action: t\r\nAction Input: {"a": 1}', "t", {"a": 1}, None),
        ('Action: t Action Input: {"a": 1}', "t", {"a": 1}, None),
        ('I will call it.\nAction: t\nAction Input: {"a": 1}', "t", {"a": 1}, None),
        ("Action: t", "t", {}, None),
        ("Action: t\nAction Input:", "t", {}, None),
        ("Action: t\nAction Input: {}", "t", {}, None),
        ('Action: "t"\nAction Input: {}', "t", {}, None),
        # markers inside argument strings
        (
            'Action: t\nAction Input: {"q": "Action: x\\nAction Input: {}"}',
            "t",
            {"q": "Action: x\nAction Input: {}"},
            None,
        ),
        ('Action: t\nAction Input: {"q": "a\nAction: x"}', "t", {"q": "a\nAction: x"}, None),
        ('Action: t\nAction Input: {"q": "Next: give up."}', "t", {"q": "Next: give up."}, None),
        # text after the object
        ('Action: t\nAction Input: {"a": 1}\nObservation: {"b": 2}', "t", {"a": 1}, None),
        ('Action: t\nAction Input: {"a": 1}</s>', "t", {"a": 1}, None),
        ('Action: t\nAction Input: ```json\n{"a": 1}\n```', "t", {"a": 1}, None),
        # single quotes
        ("Action: t\nAction Input: {'a': 'it', 'b': None, 'c': True}", "t", {"a": "it", "b": None, "c": True}, None),
        ("Action: t\nAction Input: {'a': (1, 2)} and so on", "t", {"a": [1, 2]}, None),
        # faults
        ("", "none", {}, "empty"),
        (".", "none", {}, "empty"),
        ("no idea", "none", {}, "no_action"),
        ("Action:\nAction Input: {}", "none", {}, "no_action"),
        ('Action: t\nAction Input: {"a": ', "t", {}, "bad_json"),
        ("Action: t\nAction Input: nothing", "t", {}, "bad_json"),
        ("Action: t\nAction Input: [1]", "t", {}, "not_an_object"),
        ("Action: t\nAction Input: 3", "t", {}, "not_an_object"),
        ("Action: t\nAction Input: __import__('os').system('true')", "t", {}, "bad_json"),
        ("Action: t\nAction Input: {'a': __import__('os')}", "t", {}, "bad_json"),
    ],
)
def test_call_variants(text: str, tool: str, arguments: dict[str, object], fault: str | None) -> None:
    call = parse_call(text)
    assert (call.tool, call.arguments, call.fault) == (tool, arguments, fault)


@pytest.mark.parametrize("opening", ['{"a":', "[", "{'a':", '{"a":[', "("])
@pytest.mark.parametrize("depth", [65, 1_000, 100_000])
def test_deep_nesting_is_a_fault(opening: str, depth: int) -> None:
    call = parse_call("Action: t\nAction Input: " + opening * depth)
    assert call.fault in {"too_deep", "bad_json"}
    assert call.tool == "t"


def test_closed_nesting_a_thousand_deep_is_a_fault() -> None:
    text = '{"a":' * 1_000 + "1" + "}" * 1_000
    assert parse_call(f"Action: t\nAction Input: {text}").fault == "too_deep"


def test_nesting_up_to_the_limit_is_read() -> None:
    value: object = 1
    for _ in range(MAX_ARGUMENT_DEPTH):
        value = {"a": value}
    assert parse_call(f"Action: t\nAction Input: {json.dumps(value)}").arguments == value


@pytest.mark.parametrize("key", ['"\\ud800"', '"a": "\\udfff", "b"'])
def test_half_a_surrogate_pair_raises_nothing(key: str) -> None:
    call = parse_call(f"Action: t\nAction Input: {{{key}: 1}}")
    assert call.tool == "t"
    call.model_dump_json()


@pytest.mark.parametrize(
    "text", ["{'a': 1e999}", '{"a": NaN}', '{"a": ' + "9" * 5000 + "}", "{'a': {1, 2}}", "{(1,): 2}"]
)
def test_values_that_json_does_not_know_raise_nothing(text: str) -> None:
    call = parse_call(f"Action: t\nAction Input: {text}")
    assert Call.model_validate_json(call.model_dump_json()) == call


@pytest.mark.parametrize(
    ("text", "decision", "rationale", "rest"),
    [
        ("I look.\nAction: t\nAction Input: {}", Decision.CALL, "I look.", "t"),
        ("I know.\nconclusion: 42", Decision.SUMMARIZE, "I know.", "42"),
        ("I know.\nconclusion: see\nAction: x", Decision.SUMMARIZE, "I know.", "see\nAction: x"),
        ("No way.\nconclusion: give up.", Decision.GIVE_UP, "No way.", None),
        ("No way.\nconclusion: give up", Decision.GIVE_UP, "No way.", None),
        ("I look.\nAction: t\nAction Input: {}\nconclusion: x", Decision.CALL, "I look.", "t"),
    ],
)
def test_turn_variants(text: str, decision: Decision, rationale: str, rest: str | None) -> None:
    turn = parse_turn(text)
    assert (turn.plan.decision, turn.plan.rationale) == (decision, rationale)
    assert (turn.call.tool if turn.call else turn.answer) == rest


def test_an_empty_answer_is_written_as_none() -> None:
    assert output_format.format_answer("  ") == "none"
    assert parse_answer(": 42 \n") == "42"


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_are_not_json_are_a_fault(constant: str) -> None:
    """Stored as JSON they would come back as null: another call than the one that was made."""
    assert output_format.parse_call(f'Action: a\nAction Input: {{"x": {constant}}}').fault == "bad_json"


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("{'open': true, 'at': null}", {"open": True, "at": None}),
        ("{'open': True, 'in': [false]}", {"open": True, "in": [False]}),
    ],
)
def test_python_and_json_constants_may_be_mixed(text: str, arguments: dict[str, object]) -> None:
    call = parse_call(f"Action: look\nAction Input: {text}")
    assert call.fault is None
    assert call.arguments == arguments


@pytest.mark.parametrize("text", ["{'a': open}", "{'a': open('/etc/passwd')}", "{'a': true.x}", "{'a': __import__}"])
def test_names_and_calls_are_never_evaluated(text: str) -> None:
    assert parse_call(f"Action: look\nAction Input: {text}").fault == "bad_json"


THOUGHT = "<think>\nI could write\nNext: conclusion.\nor\nAction: delete_all\nAction Input: {}\n</think>"
UNOPENED = THOUGHT.removeprefix("<think>\n")


@pytest.mark.parametrize(
    "thought", [THOUGHT, f"  {THOUGHT}\n", UNOPENED, f"{UNOPENED}\n\n", THOUGHT.replace("think", "thinking")]
)
def test_what_is_thought_aloud_neither_decides_nor_calls_nor_answers(thought: str) -> None:
    assert parse_plan(f"{thought}I need the price. Next: caller.") == Plan(
        rationale="I need the price.", decision=Decision.CALL
    )
    call = parse_call(f'{thought}Action: get_weather\nAction Input: {{"city": "Oslo"}}')
    assert (call.tool, call.arguments, call.fault) == ("get_weather", {"city": "Oslo"}, None)
    assert call.raw == 'Action: get_weather\nAction Input: {"city": "Oslo"}'  # as later prompts hold it
    assert parse_answer(f"{thought}It is cold.") == "It is cold."
    turn = parse_turn(f"{thought}So.\nconclusion: It is cold.")
    assert (turn.plan, turn.answer) == (Plan(rationale="So.", decision=Decision.SUMMARIZE), "It is cold.")


@pytest.mark.parametrize(
    "text",
    ["<think>\nNext: give up.", "<think>Next: conclusion.\nAction: a\nAction Input: {}", "[THINK]Next: give up."],
)
def test_a_thought_that_does_not_end_is_no_decision(text: str) -> None:
    assert parse_plan(text) == Plan(rationale="", decision=Decision.CALL, fault="empty")
    assert parse_call(text).fault == "empty"
    assert parse_answer(text) == ""
    assert parse_turn(text).plan.fault == "empty"


def test_a_reply_may_think_more_than_once() -> None:
    text = "<think>a\nNext: give up.</think>First.\n<think>b\nNext: conclusion.</think>\nThen. Next: caller."
    assert parse_plan(text).decision is Decision.CALL
    assert output_format.without_thought(text).thought.count("Next:") == 2
    assert parse_plan("[THINK]x\nNext: give up.[/THINK]Then. Next: caller.").decision is Decision.CALL


@pytest.mark.parametrize("tag", ["<think>", "</think>", "<think>a</think>", "\\n<think>\\nb"])
def test_tags_inside_arguments_are_data(tag: str) -> None:
    call = parse_call(f'Action: write\nAction Input: {{"text": "of {tag} tags", "n": 1}}')
    assert call.fault is None
    assert call.arguments["n"] == 1
    assert tag.strip("\\n") in call.raw


@pytest.mark.parametrize(
    "text",
    [
        "Okay, <think>\nI could say\nNext: conclusion.\nbut no tool was called yet",
        "> <think>\nNext: give up.",
        "So <thinking>Next: give up.</thinking> on.",
    ],
)
def test_a_thought_in_the_middle_of_a_line_does_not_decide(text: str) -> None:
    assert (parse_plan(text).decision, parse_plan(text).fault) == (Decision.CALL, "no_marker")


@pytest.mark.parametrize(
    "text",
    [
        "Qwen3 closes its reasoning with the tag `</think>`, then it answers.",
        'It writes "<think>" first and then thinks.',
        "Ask whether </think> is a tag.",
    ],
)
def test_a_tag_that_is_spoken_of_is_no_thought(text: str) -> None:
    assert parse_answer(text) == text
    assert parse_plan(f"{text} Next: caller.").rationale == text


def test_a_block_inside_arguments_is_data_even_where_json_is_loose() -> None:
    text = 'Action: write\nAction Input: {\n"text": "Prompt:\n<think>\nstep 1\n</think>\nAnswer"}'
    call = parse_call(text)
    assert call.raw == text
    assert call.fault is not None or call.arguments["text"] == "Prompt:\n<think>\nstep 1\n</think>\nAnswer"


PIECES = ["<think>", "</think>", "[THINK]", "[/THINK]", "\n", " ", "a", "Action Input: {", "}", "Action: b"]


@given(st.one_of(anything, st.lists(st.sampled_from(PIECES), max_size=12).map("".join)))
def test_parting_a_thought_twice_changes_nothing(text: str) -> None:
    said = output_format.without_thought(text).text
    assert output_format.without_thought(said).text == said
