"""Calls and plans decoded under a grammar, by SmolLM2 and by what it would never write of itself."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from alpha_umi.backends import Generation
from alpha_umi.models.protocol import Completion, Message, Model, Request
from alpha_umi.team_files import load_team
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.output_format import MARKERS, format_call, format_plan, parse_call, parse_plan
from alpha_umi.text.output_grammar import PLAN, Constraint, call_of
from alpha_umi.tools.validation import check_tool
from alpha_umi.trajectory import Call, Tool
from alpha_umi_gym import generate
from alpha_umi_gym.registry import toolbox

if TYPE_CHECKING:
    import torch

    from alpha_umi.models.local.base_weights import load_tokenizer
    from alpha_umi.models.local.loading import load_local
    from alpha_umi.nn.constrained_decoding import Guidance

    SIZE = 49152
    ENCODER = ChatEncoder(load_tokenizer())
    GUIDANCE = Guidance(ENCODER.tokenizer, vocabulary=SIZE, end_ids=ENCODER.end_ids)

pytestmark = pytest.mark.model

BOOK = Tool(
    name="book",
    description="Book a room.",
    parameters={
        "type": "object",
        "properties": {
            "room": {"enum": ["red", "blue"]},
            "nights": {"type": "integer", "minimum": 1, "maximum": 14},
            "guests": {
                "type": "array",
                "maxItems": 3,
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "child": {"type": "boolean"}},
                    "required": ["name"],
                    "additionalProperties": False,
                },
            },
            "note": {"type": ["string", "null"]},
        },
        "required": ["room", "nights"],
        "additionalProperties": False,
    },
)
PING = Tool(name="ping", description="Nothing.", parameters={"type": "object", "additionalProperties": False})


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    return dict(load_local(load_team("umi"), dtype=torch.float32, device="cpu"))


def ask(model: Model, constraint: Constraint | None, **generation: Any) -> Completion:
    messages = [
        Message(role="system", content="You book rooms."),
        Message(role="user", content="Two nights in the blue room for Ann and her son."),
    ]
    return model.complete(
        Request(messages=messages, constraint=constraint, generation=Generation(**{"max_new_tokens": 64, **generation}))
    )


def follow(constraint: Constraint, wanted: str) -> tuple[list[int], int]:
    """Let a guide write this text, as a model that wants nothing else would; the ids, and how many it chose."""
    ids = ENCODER.tokenizer.encode(wanted, add_special_tokens=False)
    guide = GUIDANCE.begin(constraint)
    written, chosen = guide.forced(), 0
    while not guide.done:
        assert written == ids[: len(written)], ENCODER.tokenizer.decode(written)
        logits = torch.zeros(SIZE)
        logits[ids[len(written)]] = 1.0
        written.append(guide.choose(logits, lambda scores: int(scores.argmax()), greedy=True))
        chosen += 1
        written += guide.forced()
    return written, chosen


def in_order(call: Call, tools: Sequence[Tool]) -> Call:
    """The call with its arguments in the schema's order, the only one that the grammar knows."""
    names = next(list(tool.parameters["properties"]) for tool in tools if tool.name == call.tool)
    return Call(tool=call.tool, arguments=dict(sorted(call.arguments.items(), key=lambda item: names.index(item[0]))))


def test_what_was_trained_can_be_written_token_for_token() -> None:
    """The grammar admits every call and plan of the gym, in the very tokens of training, and forces many of them."""
    tokens = choices = 0
    for task in generate(60, seed=5):
        constraint = call_of(task.tools)
        assert constraint is not None
        for step in task.gold.steps:
            text = format_plan(step.plan)
            assert follow(PLAN, text)[0] == ENCODER.tokenizer.encode(text, add_special_tokens=False)
            if step.call is not None:
                text = format_call(in_order(step.call, task.tools))
                written, chosen = follow(constraint, text)
                assert written == ENCODER.tokenizer.encode(text, add_special_tokens=False)
                tokens, choices = tokens + len(written), choices + chosen
    assert choices < 0.75 * tokens


@pytest.mark.slow
def test_an_untrained_model_calls_only_what_is_offered(models: dict[str, Any]) -> None:
    """SmolLM2 without any training, hot or cold: every call names an offered tool with arguments that fit."""
    constraint = call_of([BOOK, PING])
    for seed in range(12):
        found = ask(models["caller"], constraint, temperature=1.5 if seed else 0.0, seed=seed)
        call = parse_call(found.text)
        assert call.fault is None, found.text
        tool = {tool.name: tool for tool in (BOOK, PING)}[call.tool]
        assert not list(Draft202012Validator(tool.parameters).iter_errors(call.arguments)), found.text
        assert found.finish_reason == "stop"


def test_a_free_model_does_not(models: dict[str, Any]) -> None:
    assert parse_call(ask(models["caller"], None).text).fault is not None


@pytest.mark.slow
def test_a_plan_ends_in_one_marker(models: dict[str, Any]) -> None:
    for seed in range(6):
        found = ask(models["planner"], PLAN, temperature=1.5 if seed else 0.0, seed=seed, max_new_tokens=40)
        plan = parse_plan(found.text)
        assert plan.fault is None, found.text
        assert found.text.endswith(MARKERS[plan.decision])
        assert sum(found.text.count(marker) for marker in MARKERS.values()) == 1


@pytest.mark.slow
def test_a_call_that_runs_out_of_tokens_is_closed(models: dict[str, Any]) -> None:
    """A model that would write for ever, here by noise, still ends in a call that fits."""
    long = Tool(
        name="write",
        description="",
        parameters={
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "to": {"type": "string"},
                "rows": {"type": "array", "items": {}},
            },
            "required": ["text", "to"],
            "additionalProperties": False,
        },
    )
    constraint = call_of([long])
    for seed in range(6):
        found = ask(models["caller"], constraint, temperature=5.0, seed=seed, max_new_tokens=80)
        call = parse_call(found.text)
        assert call.fault is None, found.text
        assert not list(Draft202012Validator(long.parameters).iter_errors(call.arguments))
        assert found.completion_tokens <= 80


def test_what_is_forced_costs_no_forward_pass(models: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    engine = models["caller"].engine
    passes = 0
    forward = engine.forward

    def counted(spans: Any) -> Any:
        nonlocal passes
        passes += 1
        return forward(spans)

    monkeypatch.setattr(engine, "forward", counted)
    found = ask(models["caller"], call_of([PING]))
    assert found.text == "Action: ping\nAction Input: {}"
    assert found.completion_tokens > 5
    assert passes == 1  # the prompt's, whose logits nobody needed


def test_greedy_words_are_the_same_when_the_grammar_allows_them(models: dict[str, Any]) -> None:
    """A grammar that is never in the way changes nothing: a plan's words up to the end that is asked of it."""
    free, held = (ask(models["planner"], constraint, max_new_tokens=24).text for constraint in (None, PLAN))
    begin = held.partition(" Next:")[0]
    assert begin
    assert free.startswith(begin)


def test_constrained_and_free_completions_share_a_batch(models: dict[str, Any]) -> None:
    alone = [ask(models["caller"], c).text for c in (None, call_of([BOOK]))]
    messages = [
        Message(role="system", content="You book rooms."),
        Message(role="user", content="Two nights in the blue room for Ann and her son."),
    ]
    together = models["caller"].complete_many(
        [
            Request(messages=messages, constraint=c, generation=Generation(max_new_tokens=64))
            for c in (None, call_of([BOOK]))
        ]
    )
    assert [found.text for found in together] == alone


def test_every_tool_of_the_gym_has_a_grammar() -> None:
    box = toolbox()
    for tool in box.tools:
        assert GUIDANCE._looseness(Constraint(kind="call", tools=(tool,))) == 0, tool.name


@pytest.mark.parametrize(
    ("schema", "still", "never"),
    [
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}}, '{"b": [1]}', "[]"),
        (
            {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?<=x)y"}}, "required": ["a"]},
            '{"a": "z"}',
            '{"a": 1}',
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5, "maximum": 1}}, "required": ["a"]},
            '{"a": 3}',
            "{}",
        ),
    ],
)
def test_a_schema_that_cannot_be_expressed_costs_no_other_tool_its_grammar(
    schema: dict[str, Any], still: str, never: str
) -> None:
    """And its own tool no more than what cannot be expressed: the structure stays."""
    odd = Tool(name="odd", description="", parameters=schema)
    constraint = call_of([odd, BOOK])
    assert constraint is not None
    for text in ('Action: book\nAction Input: {"room": "red", "nights": 2}', f"Action: odd\nAction Input: {still}"):
        assert ENCODER.tokenizer.decode(follow(constraint, text)[0]) == text
    for text in ('Action: book\nAction Input: {"room": "green", "nights": 2}', f"Action: odd\nAction Input: {never}"):
        with pytest.raises(AssertionError):
            follow(constraint, text)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "format": "int64"}, 1234567890123456789),
        ({"type": "integer", "minimum": 10**16}, 1234567890123456789),
        ({"type": "integer", "enum": [1, 10**18]}, 10**18),
        ({"const": 10**18}, 10**18),
        ({"type": "number"}, 123456789012345678.0),
        ({"type": "integer", "minimum": 10**20}, 2 * 10**20),
        ({"type": "integer", "exclusiveMinimum": 10**20, "maximum": 10**22}, 2 * 10**20),
        ({"type": "integer", "maximum": -(10**20), "multipleOf": 5}, -2 * 10**20),
        ({"type": "number", "minimum": 10**20}, 2e20),
    ],
)
def test_large_numbers_can_be_written_as_they_are(schema: dict[str, Any], value: float) -> None:
    """An id of eighteen digits: a caller that wants it writes it, and not another one."""
    tool = Tool(name="get", description="", parameters={"type": "object", "properties": {"id": schema}})
    constraint = call_of([tool])
    assert constraint is not None
    text = f'Action: get\nAction Input: {{"id": {value:.0f}}}'
    assert ENCODER.tokenizer.decode(follow(constraint, text)[0]) == text


def test_a_bound_beyond_64_bits_costs_the_rest_of_its_schema_nothing() -> None:
    tool = Tool(
        name="get",
        description="",
        parameters={
            "type": "object",
            "properties": {
                "id": {"type": "integer", "minimum": 10**20},
                "word": {"type": "string", "pattern": "^[a-z]{2}$"},
            },
            "required": ["id", "word"],
        },
    )
    constraint = call_of([tool])
    assert constraint is not None
    head = f'Action: get\nAction Input: {{"id": {10**20}, "word": '
    assert ENCODER.tokenizer.decode(follow(constraint, head + '"ab"}')[0]) == head + '"ab"}'
    with pytest.raises(AssertionError):
        follow(constraint, head + '"abc"}')


WORD = {"type": "string", "maxLength": 3}


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#/$defs/W"}}, "$defs": {"W": WORD}},
        {"$id": "https://x.example/y", "properties": {"a": {"$ref": "#/$defs/W"}}, "$defs": {"W": WORD}},
        {
            "$id": "https://x.example/y",
            "properties": {"a": {"$ref": "https://x.example/y#/$defs/W"}},
            "$defs": {"W": WORD},
        },
        {"properties": {"a": {"$ref": "#w"}}, "$defs": {"W": {**WORD, "$anchor": "w"}}},
        {"properties": {"a": {"$ref": "https://x.example/w"}}, "$defs": {"W": {**WORD, "$id": "https://x.example/w"}}},
        {
            "properties": {"a": {"$ref": "https://x.example/w"}},
            "$defs": {"V": {"$id": "https://x.example/w", "$ref": "#/$defs/W", "$defs": {"W": WORD}}, "W": False},
        },
        {"properties": {"a": {"$ref": "#/parts/w"}}, "parts": {"w": {"$ref": "#/parts/v"}, "v": WORD}},
        {"properties": {"a": WORD, "next": {"$ref": "#"}}},
        {"properties": {"a": {"$ref": "#/$defs/a~1b%20c"}}, "$defs": {"a/b c": WORD}},
    ],
)
def test_a_call_as_json_refers_to_what_a_tool_does(schema: dict[str, Any]) -> None:
    """By pointer, anchor or identifier: every schema that may be offered means the same within a call's."""
    tool = Tool(name="a.b", parameters={"type": "object", **schema})
    other = Tool(
        name="c", parameters={"type": "object", "properties": {"a": {"$ref": "#/$defs/W"}}, "$defs": {"W": True}}
    )
    check_tool(tool)
    for tools in ([tool], [other, tool]):
        constraint = call_of(tools)
        assert constraint is not None
        fits = Draft202012Validator(constraint.call_schema()).is_valid
        assert fits({"tool": "a.b", "arguments": {"a": "abc", "next": {"next": {"a": "abc"}}}})
        assert not fits({"tool": "a.b", "arguments": {"a": "abcd"}})
        if "next" in schema["properties"]:
            assert not fits({"tool": "a.b", "arguments": {"next": {"next": {"a": "abcd"}}}})


def test_tools_may_share_a_part_that_means_something_else_in_each() -> None:
    part = {"type": "array", "items": {"$ref": "#/$defs/Item"}}
    tools = [
        Tool(
            name=kind,
            parameters={
                "type": "object",
                "properties": {"all": {"$ref": "#/$defs/Part"}},
                "$defs": {"Part": part, "Item": {"type": kind}},
            },
        )
        for kind in ("string", "integer")
    ]
    constraint = call_of(tools)
    assert constraint is not None
    fits = Draft202012Validator(constraint.call_schema()).is_valid
    for kind, other in (("string", 1), ("integer", "x")):
        assert not fits({"tool": kind, "arguments": {"all": [other]}})
    assert fits({"tool": "string", "arguments": {"all": ["x"]}})
    assert fits({"tool": "integer", "arguments": {"all": [1]}})


def test_schemas_at_random_are_always_met() -> None:
    """Noise for logits and schemas drawn at random: whatever comes out fits."""
    chance = random.Random(11)
    for _ in range(25):
        tools = [Tool(name=f"t{i}", description="", parameters=_schema(chance, 0)) for i in range(chance.randint(1, 4))]
        constraint = call_of(tools)
        assert constraint is not None
        text = ENCODER.tokenizer.decode(_noise(constraint, chance, most=160))
        call = parse_call(text)
        assert call.fault is None, text
        schema = {tool.name: tool for tool in tools}[call.tool].parameters
        assert not list(Draft202012Validator(schema).iter_errors(call.arguments)), (schema, text)


def _noise(constraint: Constraint, chance: random.Random, *, most: int) -> Sequence[int]:
    source = torch.Generator().manual_seed(chance.randrange(1 << 30))
    guide = GUIDANCE.begin(constraint)
    written = guide.forced()
    while not guide.done:
        if most - len(written) <= guide.reserve(most):
            guide.close()
        token = guide.choose(torch.rand(SIZE, generator=source), lambda s: int(s.argmax()), greedy=True)
        if token in ENCODER.end_ids:
            break
        written += [token, *guide.forced()]
    return written


def _schema(chance: random.Random, depth: int) -> dict[str, Any]:
    names = chance.sample(
        ["a", "b", "naïve", "x y", 'quo"te', "d/e", "type", "enum", "$ref", "minimum"], chance.randint(0, 4)
    )
    properties = {name: _value(chance, depth) for name in names}
    required = [name for name in names if chance.random() < 0.6]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _value(chance: random.Random, depth: int) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = [
        {"type": "string"},
        {"type": "string", "maxLength": 5, "minLength": 2},
        {"type": "integer", "minimum": -3, "maximum": 12},
        {"type": "number"},
        {"type": "boolean"},
        {"enum": ["one", 2, None, "drei ü"]},
        {"type": ["string", "null"]},
        {"type": "string", "format": "date"},
        {"const": json.loads('"\\u00e9"')},
    ]
    if depth < 2:
        kinds += [_schema(chance, depth + 1), {"type": "array", "items": _value(chance, depth + 1), "maxItems": 3}]
        kinds.append({"anyOf": [_value(chance, depth + 1), _value(chance, depth + 1)]})
    return chance.choice(kinds)
