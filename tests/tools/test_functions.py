"""Python callables as tools: what is offered, what is refused, and what comes back."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import enum
import functools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from alpha_umi.errors import ToolError, UsageError
from alpha_umi.tools.combined import CombinedToolbox
from alpha_umi.tools.function_tool import FunctionTool, as_text
from alpha_umi.tools.functions import FunctionToolbox, as_toolbox
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.trajectory import Call, Observation, Tool


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class Point(BaseModel):
    x: int
    title: str = "origin"


@dataclass
class Size:
    width: int


def paint(
    amount: Annotated[int, Field(ge=1, description="litres")],
    colour: Colour = Colour.RED,
    at: Point | None = None,
    *,
    finish: Literal["matt", "gloss"] = "matt",
    day: datetime.date | None = None,
) -> str:
    """Paint a wall
    or two.

    Not this.

    Args:
        amount: not this either
        colour (Colour): which colour,
            of all of them
        day: when
    """
    return f"{amount} {colour.name} {at.x if at else None} {finish} {day and day.year}"


def echo(text: str) -> str:
    """Say it again."""
    return text


def call(box: Toolbox, tool: str, **arguments: Any) -> Observation:
    return box.invoke(Call(tool=tool, arguments=arguments))


def only_tool(item: Any) -> Tool:
    (tool,) = FunctionToolbox([item]).tools
    return tool


# What is offered


def test_schema_comes_from_hints_and_docstring() -> None:
    tool = only_tool(paint)
    properties = tool.parameters["properties"]
    assert (tool.name, tool.description) == ("paint", "Paint a wall or two.")
    assert tool.parameters["required"] == ["amount"]
    assert tool.parameters["additionalProperties"] is False
    assert properties["amount"] == {"type": "integer", "minimum": 1, "description": "litres"}
    assert properties["colour"]["description"] == "which colour, of all of them"
    assert properties["finish"]["enum"] == ["matt", "gloss"]
    assert properties["day"]["description"] == "when"
    assert tool.parameters["$defs"]["Colour"]["enum"] == ["r", "g"]


def test_titles_are_dropped_but_a_property_called_title_stays() -> None:
    point = only_tool(paint).parameters["$defs"]["Point"]
    assert set(point["properties"]) == {"x", "title"}
    assert "title" not in point
    assert "title" not in point["properties"]["x"]


def test_functions_get_python_types() -> None:
    box = FunctionToolbox([paint])
    seen = call(box, "paint", amount=2, colour="g", at={"x": 5}, finish="gloss", day="2024-02-29")
    assert seen == Observation(text="2 GREEN 5 gloss 2024")
    assert call(box, "paint", amount=1).text == "1 RED None matt None"


def test_parameters_may_have_awkward_names_and_any_default() -> None:
    missing = object()

    def odd(schema: str, copy: int = 2, _x: object = missing, model_config: int = 1) -> list[Any]:
        return [schema, copy, _x is missing, model_config]

    assert call(FunctionToolbox([odd]), "odd", schema="s", model_config=3).text == '["s",2,true,3]'


def test_a_default_written_as_field_reaches_the_function() -> None:
    def pick(n: int = Field(3, description="how many")) -> int:
        return n + 1

    assert only_tool(pick).parameters["properties"]["n"]["description"] == "how many"
    assert call(FunctionToolbox([pick]), "pick").text == "4"


def test_partials_methods_wrappers_and_objects_are_callables() -> None:
    class Greeter:
        """Greet somebody."""

        def __init__(self, word: str) -> None:
            self.word = word

        def __call__(self, name: str) -> str:
            return f"{self.word} {name}"

        def greet(self, name: str) -> str:
            """Greet by method."""
            return f"{self.word}, {name}"

    def shout(function: Callable[..., str]) -> Callable[..., str]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> str:
            return function(*args, **kwargs).upper()

        return wrapper

    box = FunctionToolbox([Greeter("hi"), Greeter("ho").greet, functools.partial(paint, amount=9), shout(echo)])
    described = {tool.name: tool.description for tool in box.tools}
    assert described == {
        "Greeter": "Greet somebody.",
        "greet": "Greet by method.",
        "paint": "Paint a wall or two.",
        "echo": "Say it again.",
    }
    assert call(box, "Greeter", name="Ann").text == "hi Ann"
    assert call(box, "greet", name="Ann").text == "ho, Ann"
    assert call(box, "paint").text.startswith("9 RED")
    assert call(box, "echo", text="loud").text == "LOUD"


def test_keyword_catchalls_take_further_arguments() -> None:
    def collect(a: int, **rest: Any) -> dict[str, Any]:
        return {"a": a, **rest}

    assert json.loads(call(FunctionToolbox([collect]), "collect", a=1, b="2").text) == {"a": 1, "b": "2"}


def test_sphinx_docstrings_describe_parameters() -> None:
    def find(name: str, n: int = 1) -> str:
        """Find it.
        :param name: whom to find
        :param int n: how often
        """
        return name * n

    properties = only_tool(find).parameters["properties"]
    assert (properties["name"]["description"], properties["n"]["description"]) == ("whom to find", "how often")
    assert only_tool(find).description == "Find it."


def positional(x: int, /) -> int:
    return x


def variadic(*xs: int) -> int:
    return sum(xs)


def unknown_hint(x: int) -> int:
    return x


unknown_hint.__annotations__["x"] = "NoSuchType"


def without_schema(x: threading.Lock) -> None:
    del x


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (positional, "cannot be passed by name"),
        (variadic, "cannot be passed by name"),
        (unknown_hint, "NoSuchType"),
        (without_schema, "cannot offer 'without_schema'"),
        (lambda: None, "<lambda>"),
        (42, "neither callable nor a LangChain tool"),
    ],
)
def test_what_cannot_be_offered_is_refused_in_one_line(item: Any, words: str) -> None:
    with pytest.raises(ToolError) as caught:
        FunctionToolbox([item])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


# Explicit schemas


def explicit(parameters: Mapping[str, Any], name: str = "t", function: Callable[..., Any] = dict) -> FunctionTool:
    return FunctionTool.from_schema(Tool(name=name, description="d", parameters=parameters), function)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"type": "object", "properties": {"x": {"type": "strange"}}}, "strange"),
        ({"type": "array"}, "must have type 'object'"),
        ({}, "must have type 'object'"),
        ({"type": "object", "properties": {"x": {"pattern": "["}}}, "invalid schema"),
        ({"type": "object", "properties": {"x": {"$ref": "#/$defs/None"}}}, "#/$defs/None"),
        ({"type": "object", "properties": {"x": {"$ref": "http://127.0.0.1:9/s.json"}}}, "http://127.0.0.1:9"),
        ({"type": "object", "$ref": "#"}, "refers to itself"),
    ],
)
def test_an_invalid_schema_is_refused_when_offered(parameters: Mapping[str, Any], words: str) -> None:
    with pytest.raises(ToolError) as caught:
        explicit(parameters)
    assert words in str(caught.value)
    assert "'t'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", "a b", "ä", "x" * 129, "a\n", "a/b"])
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(ToolError, match=r"^tool name .* is invalid"):
        FunctionTool.from_schema(Tool.model_construct(name=name, parameters={"type": "object"}), dict)


def test_an_explicit_schema_is_what_is_offered_and_checked() -> None:
    parameters = {"type": "object", "properties": {"from": {"type": "string"}}, "required": ["from"]}
    box = FunctionToolbox([explicit(parameters, function=lambda **a: a["from"])])
    assert box.tools[0].parameters == parameters
    assert call(box, "t", **{"from": "Rome"}) == Observation(text="Rome")
    assert not call(box, "t", **{"from": 1}).ok


# Calls that are wrong


@pytest.mark.parametrize("fault", ["empty", "no_action", "bad_json", "not_an_object", "too_deep", "a_new_one"])
def test_a_faulty_call_is_told_the_form(fault: str) -> None:
    seen = FunctionToolbox([echo]).invoke(Call(tool="echo", arguments={"text": "x"}, fault=fault))
    assert not seen.ok
    assert "Action Input:" in seen.text


def test_an_unknown_tool_is_told_the_closest_ten() -> None:
    tools = [explicit({"type": "object"}, name=f"tool_{n}") for n in range(20)] + [
        explicit({"type": "object"}, name="get_weather")
    ]
    seen = call(FunctionToolbox(tools), "getweather")
    assert not seen.ok
    assert "Offered: get_weather, " in seen.text
    assert seen.text.count("tool_") == 9
    assert "and 11 more" in seen.text


def test_all_mistakes_are_told_in_one_line() -> None:
    seen = call(FunctionToolbox([paint]), "paint", colour="z", at={"x": "5"}, wood=1)
    assert not seen.ok
    assert "\n" not in seen.text
    for words in ("'amount' is a required property", "colour: 'z'", "at.x: '5' is not of type 'integer'", "'wood'"):
        assert words in seen.text
    assert "(known: amount, colour, at, finish, day)" in seen.text


@pytest.mark.parametrize("amount", ["2", 2.5, True, None, [2], 0])
def test_nothing_is_coerced(amount: Any) -> None:
    seen = call(FunctionToolbox([paint]), "paint", amount=amount)
    assert not seen.ok
    assert "amount: " in seen.text


def test_what_only_pydantic_can_check_is_told_too() -> None:
    seen = call(FunctionToolbox([paint]), "paint", amount=1, day="31 May")
    assert not seen.ok
    assert seen.text.startswith("Invalid arguments for paint: day: Input should be a valid date")


@settings(deadline=None)  # two cores are shared: a slow moment is no failure
@given(st.dictionaries(st.text(max_size=5), st.recursive(st.none() | st.text() | st.floats(), st.lists, max_leaves=5)))
def test_any_arguments_give_an_observation_that_can_be_stored(arguments: dict[str, Any]) -> None:
    seen = FunctionToolbox([paint]).invoke(Call(tool="paint", arguments=arguments))
    assert not seen.ok  # `amount` is missing: drawn names are shorter
    assert Observation.model_validate_json(seen.model_dump_json()) == seen


# Functions that misbehave


def test_an_exception_is_an_observation_in_one_line() -> None:
    def fail(kind: str) -> None:
        if kind == "exit":
            sys.exit(3)
        if kind == "mute":

            class MuteError(Exception):
                def __str__(self) -> str:
                    raise RuntimeError

            raise MuteError
        raise ValueError("two\nlines" if kind == "value" else "")

    box = FunctionToolbox([fail])
    assert call(box, "fail", kind="value") == Observation(text="fail failed: ValueError: two lines", ok=False)
    assert call(box, "fail", kind="bare") == Observation(text="fail failed: ValueError", ok=False)
    assert call(box, "fail", kind="exit") == Observation(text="fail failed: SystemExit: 3", ok=False)
    assert call(box, "fail", kind="mute") == Observation(text="fail failed: MuteError", ok=False)


def test_a_hang_is_a_timeout_and_its_late_result_is_ignored() -> None:
    release, finished = threading.Event(), threading.Event()

    def hang() -> str:
        release.wait(30)
        finished.set()
        return "late"

    box = FunctionToolbox([hang, echo], timeout_s=0.2)
    seen = call(box, "hang")
    assert seen == Observation(text="hang failed: it gave no result within 0.2 seconds.", ok=False)
    release.set()
    assert finished.wait(30)
    deadline = time.monotonic() + 60
    while not (seen := call(box, "echo", text="next")).ok:  # 0.2 seconds may be too short for a busy machine
        assert time.monotonic() < deadline
    assert seen.text == "next"


def test_a_hanging_coroutine_is_cancelled() -> None:
    cancelled = threading.Event()

    async def hang() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    assert not call(FunctionToolbox([hang], timeout_s=0.2), "hang").ok
    assert cancelled.wait(30)


def test_coroutines_are_awaited() -> None:
    async def double(n: int) -> int:
        await asyncio.sleep(0)
        return 2 * n

    assert call(FunctionToolbox([double]), "double", n=4).text == "8"


@pytest.mark.parametrize("size", [4097, 1_000_000])
def test_a_megabyte_loses_its_middle(size: int) -> None:
    def huge() -> str:
        return "a" * (size - 1) + "z"

    seen = call(FunctionToolbox([huge]), "huge")
    assert seen.ok
    assert len(seen.text) <= 4096
    assert (seen.text[0], seen.text[-1]) == ("a", "z")
    assert "characters cut" in seen.text
    assert len(call(FunctionToolbox([huge], max_chars=100), "huge").text) <= 100


def test_a_megabyte_in_an_error_or_an_argument_is_cut_too() -> None:
    def fail(text: str) -> None:
        raise ValueError(text)

    box = FunctionToolbox([fail])
    assert len(call(box, "fail", text="e" * 1_000_000).text) <= 4096
    assert len(call(box, "fail", text=["e" * 1_000_000]).text) <= 4096
    assert len(call(box, "x" * 1_000_000).text) <= 4096


def test_a_function_cannot_change_what_was_called() -> None:
    def drain(items: list[Any], more: dict[str, Any]) -> int:
        items.clear()
        more["list"].clear()
        return 0

    made = Call(tool="drain", arguments={"items": [1], "more": {"list": [1]}})
    assert FunctionToolbox([drain]).invoke(made).ok
    assert made.arguments == {"items": [1], "more": {"list": [1]}}


def test_functions_see_the_callers_context() -> None:
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user")

    def who() -> str:
        return user.get()

    user.set("Ann")
    assert call(FunctionToolbox([who]), "who").text == "Ann"


def test_calls_from_many_threads_do_not_mix() -> None:
    box = FunctionToolbox([echo])
    seen: dict[int, str] = {}

    def work(n: int) -> None:
        seen[n] = call(box, "echo", text=str(n)).text

    threads = [threading.Thread(target=work, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {n: str(n) for n in range(20)}


# Results


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is\n", "as it is\n"),
        ("", ""),
        (None, "null"),
        ({"ä": [1, 2.5, None]}, '{"ä":[1,2.5,null]}'),
        (Point(x=1), '{"x":1,"title":"origin"}'),
        ([Size(2)], '[{"width":2}]'),
        ({"b", "a"}, '["a","b"]'),
        (datetime.date(2024, 1, 2), '"2024-01-02"'),
        ({(1, 2): 3}, "{(1, 2): 3}"),
    ],
)
def test_results_become_text(value: object, text: str) -> None:
    assert as_text(value) == text


def test_a_result_that_holds_itself_and_lone_surrogates_can_be_written() -> None:
    def loop() -> list[Any]:
        items: list[Any] = ["x"]
        items.append(items)
        return items

    def surrogate() -> str:
        return "a\ud800b"

    box = FunctionToolbox([loop, surrogate])
    assert call(box, "loop").text == "['x', [...]]"
    assert call(box, "surrogate").text == "a?b"


def test_a_function_may_return_its_own_observation() -> None:
    def deny() -> Observation:
        return Observation(text="not today", ok=False)

    assert call(FunctionToolbox([deny]), "deny") == Observation(text="not today", ok=False)


@settings(deadline=None)  # two cores are shared: a slow moment is no failure
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.tuples(c, c)))
def test_json_values_come_back_as_they_were(value: Any) -> None:
    if not isinstance(value, str):
        assert json.loads(as_text(value)) == json.loads(json.dumps(value))


# Combining


def test_as_toolbox_mixes_and_keeps_the_order() -> None:
    inner = FunctionToolbox([paint], timeout_s=60)
    box = as_toolbox([echo, inner])
    assert isinstance(box, Toolbox)
    assert [tool.name for tool in box.tools] == ["echo", "paint"]
    assert call(box, "paint", amount=1).ok
    assert as_toolbox(inner) is inner
    assert [tool.name for tool in as_toolbox(echo).tools] == ["echo"]
    assert list(as_toolbox([]).tools) == []


def test_duplicates_are_refused_wherever_they_meet() -> None:
    with pytest.raises(ToolError, match="same name: echo"):
        as_toolbox([echo, FunctionToolbox([echo])])
    with pytest.raises(ToolError, match="same name: echo"):
        FunctionToolbox([echo, echo])


@pytest.mark.parametrize("wrong", ["gym", {"echo": echo}, [echo, 3], 3])
def test_as_toolbox_refuses_other_things(wrong: Any) -> None:
    with pytest.raises(ToolError, match="cannot offer"):
        as_toolbox(wrong)


def test_a_combined_toolbox_unpacks_into_single_tools() -> None:
    both = CombinedToolbox([FunctionToolbox([echo]), FunctionToolbox([paint])])
    again = as_toolbox([*both])
    assert again.tools == both.tools
    (first, _) = both
    assert call(first, "echo", text="x").text == "x"
    assert not call(first, "paint", amount=1).ok
    assert not both.invoke(Call(tool="echo", fault="empty")).ok


def test_only_some_tools_of_a_toolbox() -> None:
    some = CombinedToolbox([FunctionToolbox([echo, paint])], only={"paint"})
    assert [tool.name for tool in some.tools] == ["paint"]
    assert "Offered: paint" in call(some, "echo", text="x").text
    with pytest.raises(ToolError, match="no tool 'pant' to choose; offered: paint"):
        CombinedToolbox([FunctionToolbox([echo, paint])], only={"pant"})


def test_limits_must_be_positive() -> None:
    with pytest.raises(UsageError, match="positive"):
        FunctionToolbox([echo], timeout_s=0)


def test_langchain_is_not_imported_for_functions() -> None:
    code = (
        "import sys; from alpha_umi.tools.functions import as_toolbox; from alpha_umi.trajectory import Call\n"
        "def f(x: int) -> int: return x\n"
        "assert as_toolbox([f]).invoke(Call(tool='f', arguments={'x': 1})).text == '1'\n"
        "assert not {'langchain_core', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
