"""ToolBench's tool folders: names and words as trained on, calls as data, codes and cuts as published."""

from __future__ import annotations

import gzip
import json
import re
import string
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpha_umi.data.formats.toolbench import FINISH as FINISH_NAME
from alpha_umi.data.formats.toolbench import read_result, read_tool
from alpha_umi.errors import DataError, ToolError, UsageError
from alpha_umi.tools.functions import FunctionToolbox
from alpha_umi.tools.protocol import MAX_OBSERVATION_CHARS
from alpha_umi.tools.replay import Recorder, Replay
from alpha_umi.tools.toolbench.folder import (
    Api,
    function_name,
    read_folder,
    standard_category,
    standard_name,
    standardize,
    tell_apart,
)
from alpha_umi.tools.toolbench.http import (
    RECORDING,
    ApiBackend,
    Response,
    ToolBenchRequest,
    find_backend,
    rapidapi,
    recorded,
    server,
)
from alpha_umi.tools.toolbench.replies import CODES, compress
from alpha_umi.tools.toolbench.toolbox import RapidTools
from alpha_umi.tools.validation import check_tool
from alpha_umi.trajectory import Call, Tool

TIDES = {
    "tool_name": "Harbour Tides",
    "tool_description": "Tides.",
    "standardized_name": "harbour_tides",
    "api_list": [
        {
            "name": "Tide Table",
            "url": "https://tides.example/v1/{port}/table",
            "description": "Tide Table of a port.",
            "method": "GET",
            "required_parameters": [{"name": "port", "type": "STRING", "description": "code", "default": "BRX"}],
            "optional_parameters": [{"name": "minHeight", "type": "NUMBER", "description": "metres", "default": ""}],
        },
        {
            "name": "Search",
            "url": "https://tides.example/search",
            "description": "",
            "method": "post",
            "required_parameters": [],
            "optional_parameters": [
                {"name": "from", "type": "DATE (YYYY-MM-DD)", "description": "", "default": ""},
                {"name": "id", "type": "BOOLEAN", "description": "x" * 300, "default": False},
            ],
        },
    ],
}
TABLE = {"port": "BRX", "tides": [{"at": "03:10", "height": 1.5, "secret": 1}], "marks": [1, 2, 3], "noise": "n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A toolenv of one tool, with an example of its responses, and an `api.py` that nobody may run."""
    tools, examples = tmp_path / "toolenv" / "tools" / "Weather", tmp_path / "toolenv" / "response_examples" / "Weather"
    (tools / "harbour_tides").mkdir(parents=True)
    examples.mkdir(parents=True)
    (tools / "harbour_tides.json").write_text(json.dumps(TIDES))
    (tools / "harbour_tides" / "api.py").write_text("raise SystemExit('this was run')")
    schema = {"port": "str", "tides": [{"at": "str", "height": "float"}], "marks": ["int"]}
    (examples / "harbour_tides.json").write_text(json.dumps({"api_list": [{"name": "Tide Table", "schema": schema}]}))
    return tmp_path


def always(response: Any) -> ApiBackend:
    return lambda api, arguments: response


def call(tool: str, **arguments: Any) -> Call:
    return Call(tool=tool, arguments=arguments)


TABLE_NAME = "tide_table_for_harbour_tides"
SEARCH_NAME = "search_for_harbour_tides"


# Names and words


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Tide Table", "tide_table"),
        ("/people/:id", "people_id"),
        ("24h  Ticker!", "get_24h_ticker"),
        ("__a__b__", "a_b"),
        ("Größe", "gr_e"),
        ("天气 now", "天气_now"),
        ("a^b", "a^b"),
        ("", ""),
        ("%%%", ""),
        ("From", "is_from"),
        ("id", "is_id"),
        ("ids", "ids"),
    ],
)
def test_standard_names(given: str, name: str) -> None:
    assert standard_name(given) == name


def test_categories() -> None:
    assert standard_category("Artificial Intelligence/Machine Learning") == "Artificial_Intelligence_Machine_Learning"
    assert standard_category("Video, Images") == "Video_Images"
    assert standard_category("Weather") == "Weather"


def test_function_names_keep_the_last_64_characters_and_take_any_server() -> None:
    assert function_name("tide_table", "harbour_tides") == TABLE_NAME
    long = function_name("a" * 60, "tool")
    assert len(long) == 64
    assert long.endswith("aaa_for_tool")
    assert function_name("天气", "a^b") == "u5929u6c14_for_au5eb"


@given(st.text(max_size=90), st.text(max_size=90))
def test_any_name_can_be_offered(api: str, tool: str) -> None:
    name = function_name(standard_name(api), standardize(tool))
    assert re.fullmatch(r"[A-Za-z0-9_.-]{5,64}", name)


@given(st.lists(st.sampled_from(["a", "b", "a_2", "a_3", "x" * 64, "x" * 62 + "_2"]), max_size=12))
def test_names_that_coincide_are_told_apart(names: list[str]) -> None:
    made = tell_apart(names)
    assert len(set(made)) == len(names)
    assert all(len(name) <= 64 for name in made)
    for place, name in enumerate(names):
        if name not in names[:place]:
            assert made[place] == name, "the first keeps its name"


def test_what_is_offered(folder: Path) -> None:
    table, search = RapidTools.from_folder(folder, always("")).tools
    lead = 'This is the subfunction for tool "harbour_tides", you can use this tool.'
    assert table.name == TABLE_NAME
    assert table.description == f'{lead}The description of this function is: "{TABLE_NAME} of a port."'
    assert table.parameters == {
        "type": "object",
        "properties": {
            "port": {"type": "string", "description": "code", "examples": ["BRX"]},
            "minheight": {"type": "number", "description": "metres"},
        },
        "required": ["port"],
    }
    assert search.description == lead
    assert search.parameters["properties"] == {
        "is_from": {"type": "string", "description": ""},
        "is_id": {"type": "boolean", "description": "x" * 256, "examples": [False]},
    }, "optional parameters are there though nothing is required"


@pytest.mark.parametrize("inside", ["", "toolenv", "toolenv/tools", "toolenv/tools/Weather", "harbour_tides.json"])
def test_any_level_of_the_folder_will_do(folder: Path, inside: str) -> None:
    place = next(folder.rglob(inside)) if inside.endswith(".json") and inside else folder / inside
    if inside.endswith(".json"):
        place = folder / "toolenv" / "tools" / "Weather" / inside
    box = RapidTools.from_folder(place, always(TABLE), compression="filter")
    assert [tool.name for tool in box.tools] == [TABLE_NAME, SEARCH_NAME]
    assert "noise" not in box.invoke(call(TABLE_NAME, port="BRX")).text


def test_files_that_cannot_be_read_are_skipped_and_listed(folder: Path) -> None:
    tools = folder / "toolenv" / "tools" / "Weather"
    bad = {
        "empty.json": "",
        "half.json": '{"api_list": [',
        "list.json": "[1]",
        "no_apis.json": "{}",
        "no_name.json": '{"api_list": [{"description": "?"}]}',
        "deep.json": "[" * 100_000,
        "text.json": '{"api_list": "abc"}',
    }
    for name, content in bad.items():
        (tools / name).write_text(content)
    (tools / "binary.json").write_bytes(b"\xff\x00")
    box = RapidTools.from_folder(folder, always(""))
    assert len(box.tools) == 2
    why = {Path(file).name: reason for file, reason in box.skipped.items()}
    assert set(why) == {*bad, "binary.json"}
    assert why["empty.json"] == "the file is empty"
    assert why["no_apis.json"] == "'api_list' is missing"
    assert why["no_name.json"] == "'name' is missing"
    assert all("\n" not in reason for reason in why.values())
    for name in ("harbour_tides.json", "no_apis.json"):
        (tools / name).unlink()
    with pytest.raises(ToolError, match="there are no ToolBench tools here"):
        RapidTools.from_folder(folder, always(""))
    with pytest.raises(ToolError, match="no such file or folder"):
        RapidTools.from_folder(folder / "none", always(""))


def test_tools_of_the_same_name_in_two_categories_stay_apart(folder: Path) -> None:
    other = folder / "toolenv" / "tools" / "Sea"
    other.mkdir()
    (other / "harbour_tides.json").write_text(json.dumps(TIDES))
    asked: list[str] = []
    box = RapidTools.from_folder(folder, lambda api, arguments: asked.append(api.category))
    assert [tool.name for tool in box.tools] == [TABLE_NAME, SEARCH_NAME, f"{TABLE_NAME}_2", f"{SEARCH_NAME}_2"]
    box.invoke(call(TABLE_NAME, port="x"))
    box.invoke(call(f"{TABLE_NAME}_2", port="x"))
    assert asked == ["Sea", "Weather"]


def test_parameters_whose_names_coincide_stay_apart(tmp_path: Path) -> None:
    one = {"type": "STRING", "description": "", "default": ""}
    entry = {"name": "A", "required_parameters": [one | {"name": "q"}], "optional_parameters": [one | {"name": "Q"}]}
    (tmp_path / "t.json").write_text(json.dumps({"api_list": [entry]}))
    sent: list[ToolBenchRequest] = []

    def send(request: ToolBenchRequest) -> Response:
        sent.append(request)
        return Response(status=200, text="1")

    (api,) = read_folder(tmp_path, {})
    assert api.parameters == {"q": "q", "q_2": "Q"}
    box = RapidTools([Api(**(vars(api) | {"url": "https://t.example/a"}))], rapidapi(send, "k"))
    assert box.invoke(call(api.offered.name, q="1", q_2="2")).ok
    assert sent[0].query == {"q": "1", "Q": "2"}


# Calls


def test_names_are_matched_whole(folder: Path) -> None:
    box = RapidTools.from_folder(folder, always("never"))
    for name in ("", "s", "tides", "for_harbour_tides", "Tide_Table_for_harbour_tides"):
        seen, code = box.result(call(name))
        assert (seen.ok, code) == (False, 1)
        assert "There is no tool" in seen.text


def test_arguments_are_checked_before_a_call(folder: Path) -> None:
    box = RapidTools.from_folder(folder, always("never"))
    for arguments, message in (
        ({}, "'port' is a required property"),
        ({"port": 5}, "5 is not of type 'string'"),
        ({"port": "x", "minheight": "high"}, "'high' is not of type 'number'"),
        ({"port": "x", "harbour": 1}, "unknown argument 'harbour' (known: "),
    ):
        seen, code = box.result(Call(tool=TABLE_NAME, arguments=arguments))
        assert (seen.ok, code) == (False, 2)
        assert message in seen.text
    assert box.result(Call(tool=TABLE_NAME, fault="bad_json")).code == 2
    assert box.invoke(call(TABLE_NAME, port="x", minheight=1.5)).text == "never"


def test_nothing_is_executed(folder: Path, tmp_path: Path) -> None:
    given: list[Mapping[str, Any]] = []

    def backend(api: Api, arguments: Mapping[str, Any]) -> str:
        given.append(arguments)
        return str(arguments["port"])

    evil = f'" + str(open({str(tmp_path / "made")!r}, "w")) + "\\'
    seen = RapidTools.from_folder(folder, backend).invoke(call(TABLE_NAME, port=evil))
    assert seen.text == evil
    assert given == [{"port": evil}]
    assert not (tmp_path / "made").exists()


def test_a_backend_that_fails_is_an_observation(folder: Path) -> None:
    def broken(api: Api, arguments: Mapping[str, Any]) -> str:
        raise KeyError("lost\nkey")

    seen, code = RapidTools.from_folder(folder, broken).result(call(TABLE_NAME, port="x"))
    assert (seen.ok, code) == (False, 12)
    assert seen.text == f"{TABLE_NAME} failed: KeyError: 'lost\\nkey'"
    round_: list[Any] = []
    round_.append(round_)
    assert RapidTools.from_folder(folder, always(round_)).result(call(TABLE_NAME, port="x")).code == 12
    assert RapidTools.from_folder(folder, always({1, 2})).invoke(call(TABLE_NAME, port="x")).ok


# Codes and cuts


@pytest.mark.parametrize(
    ("response", "code", "compat"),
    [
        ({"a": 1}, 0, 0),
        ("Your Client (working) ---> Gateway (working) ---> API (not working)", 6, 6),
        ({"message": "Unauthorized"}, 7, 7),
        ({"message": "You are not subscribed to this API."}, 8, 8),
        ({"message": "Too many requests"}, 9, 9),
        ({"message": "You have exceeded the MONTHLY quota"}, 10, 0),
        ({"messages": "The request to the API has timed out. Please try again later, or if the issue persists"}, 5, 0),
        ({"error": "no such port"}, 11, 11),
        ({"errors": [], "data": 1}, 0, 11),
        ({"text": "standard error of the mean"}, 0, 11),
        ({"articles": [{"title": "Unauthorized access"}]}, 0, 7),
        ("An essay. " * 50 + "Unauthorized", 0, 7),
    ],
)
def test_codes(folder: Path, response: Any, code: int, compat: int) -> None:
    assert code in CODES
    asked = call(TABLE_NAME, port="x")
    seen = RapidTools.from_folder(folder, always(response)).result(asked)
    assert (seen.code, seen.observation.ok) == (code, code == 0)
    as_published = RapidTools.from_folder(folder, always(response), compat=True).result(asked)
    assert as_published.code == compat


def test_compat_gives_the_published_texts(folder: Path) -> None:
    box = RapidTools.from_folder(folder, always({"a": "é", "b": None}), compat=True, offer_finish=True)
    ask = call(TABLE_NAME, port="x")
    assert box.invoke(ask).text == '{"error": "", "response": "{\'a\': \'\\u00e9\', \'b\': None}"}'
    assert box.result(call("nope")) == (
        box.invoke(call("nope")),
        1,
    )
    assert box.invoke(call("nope")).text == '{"error": "No such function name: nope", "response": ""}'
    parse = box.result(Call(tool=TABLE_NAME, fault="bad_json"))
    assert (parse.observation.text, parse.code) == ('{"error": "Tool input parse error...\\n", "response": ""}', 0)
    long = RapidTools.from_folder(folder, always("a" * 5000), compat=True).invoke(ask).text
    assert len(long) == 1024 + 3
    assert long.endswith("a...")
    edge = 1024 - len('{"error": "", "response": ""}')
    assert not RapidTools.from_folder(folder, always("a" * edge), compat=True).invoke(ask).text.endswith("...")
    # what training reads out of it is what is observed without `compat`
    assert read_result(box.invoke(ask).text).text == "{'a': 'é', 'b': None}"
    assert RapidTools.from_folder(folder, always("plain")).invoke(ask).text == "plain"


def test_long_observations_lose_their_middle(folder: Path) -> None:
    box = RapidTools.from_folder(folder, always({"a": "é" * 10_000}))
    seen = box.invoke(call(TABLE_NAME, port="x"))
    assert len(seen.text) <= MAX_OBSERVATION_CHARS
    assert seen.text.endswith('"}')


def test_finish(folder: Path) -> None:
    box = RapidTools.from_folder(folder, always(""), offer_finish=True)
    assert box.tools[-1].name == FINISH_NAME
    check_tool(box.tools[-1])
    assert box.result(call("Finish", return_type="give_answer", final_answer="42")).code == 3
    assert box.result(call("Finish", return_type="give_up_and_restart")).code == 4
    for arguments in ({}, {"return_type": "give_answer"}, {"return_type": "?"}):
        seen, code = box.result(Call(tool="Finish", arguments=arguments))
        assert (seen.ok, code) == (False, 2)
    assert RapidTools.from_folder(folder, always("")).result(call("Finish")).code == 1


# Compression


def test_filter_keeps_what_the_example_has(folder: Path) -> None:
    box = RapidTools.from_folder(folder, always(TABLE), compression="filter")
    seen = json.loads(box.invoke(call(TABLE_NAME, port="BRX")).text)
    assert seen == {"port": "BRX", "tides": [{"at": "03:10", "height": 1.5}], "marks": [1, 2, 3]}
    assert json.loads(box.invoke(call(SEARCH_NAME)).text) == TABLE, "there is no example of this API's response"
    as_text = RapidTools.from_folder(folder, always(json.dumps(TABLE)), compression="filter")
    assert json.loads(as_text.invoke(call(TABLE_NAME, port="BRX")).text) == seen
    both = RapidTools.from_folder(folder, always(TABLE), compression="filter", compat=True)
    assert "noise" not in both.invoke(call(TABLE_NAME, port="BRX")).text


@pytest.mark.parametrize(
    ("response", "schema", "kept"),
    [
        ({"a": [1, "x", None]}, {"a": ["int"]}, {"a": [1, "x", None]}),
        ({"a": [1, 2]}, {"a": []}, {"a": [1, 2]}),
        ({"a": [{"b": 1, "c": 2}, 5]}, {"a": [{"b": "int"}]}, {"a": [{"b": 1}, 5]}),
        ({"a": [[{"b": 1, "c": 2}]]}, {"a": [[{"b": "int"}]]}, {"a": [[{"b": 1}]]}),
        ({"a": {"b": 1}}, {"a": "str"}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": {"b": "int"}}, {"a": 1}),
        ([{"a": 1, "b": 2}], {"a": "int"}, [{"a": 1}]),
        ("text", {"a": "int"}, "text"),
        ({"a": 1}, {}, {}),
    ],
)
def test_compress(response: Any, schema: Any, kept: Any) -> None:
    assert compress(response, schema) == kept


SCALARS = st.none() | st.booleans() | st.integers() | st.text(string.ascii_lowercase, max_size=3)
SHAPES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(SHAPES, SHAPES)
def test_compress_takes_any_shape_and_never_adds(response: Any, schema: Any) -> None:
    once = compress(response, schema)
    assert compress(once, schema) == once
    assert len(json.dumps(once)) <= len(json.dumps(response))


def test_published_examples_of_responses_can_be_read(shared: Path) -> None:
    examples = shared / "toolbench" / "data_example" / "toolenv" / "response_examples"
    offered = Tool(name="x")
    for file in sorted(examples.glob("*/*.json")):
        made = Api(offered=offered, category=file.parent.name, tool=file.stem, name="x", title="x")
        box = RapidTools([made], always({"a": 1}), examples=examples, compression="filter")
        assert box.invoke(call("x")).text == '{"a": 1}', file
    category = "Artificial_Intelligence_Machine_Learning"
    languages = Api(offered=offered, category=category, tool="speech_recognition", name="languages", title="languages")
    answer = {"languages": [{"name": "German", "code": "de", "extra": 1}], "time": 3}
    box = RapidTools([languages], always(answer), examples=examples, compression="filter")
    assert box.invoke(call("x")).text == '{"languages": [{"name": "German", "code": "de"}]}'


# Backends


class Net:
    """A `send` that keeps what it was given and answers what it is told."""

    def __init__(self, text: str = "{}", status: int = 200, error: Exception | None = None) -> None:
        self.sent: list[ToolBenchRequest] = []
        self._response, self._error = Response(status=status, text=text), error

    def __call__(self, request: ToolBenchRequest) -> Response:
        self.sent.append(request)
        if self._error is not None:
            raise self._error
        return self._response


def test_rapidapi_requests(folder: Path) -> None:
    net = Net('{"ok": true}')
    box = RapidTools.from_folder(folder, rapidapi(net, "my-key"))
    assert box.invoke(call(TABLE_NAME, port="a/b ü?", minheight=1.5)).text == '{"ok": true}'
    box.invoke(call(SEARCH_NAME, is_from="2024-01-01", is_id=True))
    get, post = net.sent
    headers = {"X-RapidAPI-Key": "my-key", "X-RapidAPI-Host": "tides.example"}
    assert get == ToolBenchRequest(
        method="GET",
        url="https://tides.example/v1/a%2Fb%20%C3%BC%3F/table",
        query={"minHeight": "1.5"},
        headers=headers,
    )
    assert post == ToolBenchRequest(
        method="POST", url="https://tides.example/search", headers=headers, json={"from": "2024-01-01", "id": True}
    )


def test_a_path_never_climbs_and_a_key_never_goes_without_a_url(folder: Path) -> None:
    net = Net()
    box = RapidTools.from_folder(folder, rapidapi(net, "k"))
    for port in ("..", "."):
        seen, code = box.result(call(TABLE_NAME, port=port))
        assert (seen.ok, code) == (False, 2)
    for url in ("", "file:///etc/passwd", "//x", "tides.example"):
        apis = [Api(**(vars(api) | {"url": url})) for api in read_folder(folder, {})]
        seen, code = RapidTools(apis, rapidapi(net, "k")).result(call(TABLE_NAME, port="x"))
        assert (seen.ok, code) == (False, 12)
        assert "no URL" in seen.text
    assert net.sent == []


@pytest.mark.parametrize(
    ("net", "code", "text"),
    [
        (Net(error=TimeoutError()), 5, "Timeout error..."),
        (Net(error=ConnectionError("reset\nby peer")), 12, "request failed: reset by peer"),
        (Net(error=ValueError()), 12, "request failed: ValueError"),
        (Net("", 500), 6, "HTTP status 500"),
        (Net("<html>502</html>", 502), 6, "<html>502</html>"),
        (Net("not found", 404), 6, "not found"),
        (Net('{"message": "slow down"}', 429), 9, '{"message": "slow down"}'),
        (Net("", 401), 7, "HTTP status 401"),
        (Net("", 418), 11, "HTTP status 418"),
        (Net('{"half": ', 200), 0, '{"half": '),
        (Net("[" * 100_000, 200), 0, "[[["),
        (Net("", 200), 0, ""),
    ],
)
def test_what_comes_back_is_an_observation(folder: Path, net: Net, code: int, text: str) -> None:
    seen = RapidTools.from_folder(folder, rapidapi(net, "k")).result(call(TABLE_NAME, port="x"))
    assert (seen.code, seen.observation.ok) == (code, code == 0)
    assert seen.observation.text.startswith(text)


def test_a_toolbench_server(folder: Path) -> None:
    net = Net(json.dumps({"error": "", "response": "{'a': 1}"}))
    box = RapidTools.from_folder(folder, server(net, "http://localhost:8080/virtual", key="t"))
    assert box.result(call(TABLE_NAME, port='"x"')).code == 0
    assert net.sent[0].url == "http://localhost:8080/virtual"
    assert net.sent[0].json == {
        "category": "Weather",
        "tool_name": "harbour_tides",
        "api_name": "tide_table",
        "tool_input": '{"port": "\\"x\\""}',
        "strip": "truncate",
        "toolbench_key": "t",
    }
    wrapped = json.dumps({"error": "Unsubscribed error...", "response": "no error"})
    for compat in (False, True):
        box = RapidTools.from_folder(folder, server(Net(wrapped), "http://localhost"), compat=compat)
        seen = box.result(call(TABLE_NAME, port="x"))
        assert (seen.code, seen.observation.ok) == (8, False)
    assert seen.observation.text == wrapped
    for net, text in (
        (Net("", 500), '{"error": "request invalid, data error. status_code=500", "response": ""}'),
        (Net("<html>"), '{"error": "request invalid, data error", "response": ""}'),
        (Net("[]"), '{"error": "request invalid, data error", "response": ""}'),
    ):
        box = RapidTools.from_folder(folder, server(net, "http://localhost"), compat=True)
        seen = box.result(call(TABLE_NAME, port="x"))
        assert (seen.observation.text, seen.code) == (text, 12)
    with pytest.raises(UsageError, match="no http URL"):
        server(net, "localhost:8080")


def test_recorded_responses_come_back_byte_for_byte(folder: Path, tmp_path: Path) -> None:
    answers = iter(['"quoted"', '{"a":  1.0, "b": "ü"}', {"c": [1, None]}, {"error": "bad"}])
    asked = [call(TABLE_NAME, port=str(number)) for number in range(4)]
    live = RapidTools.from_folder(folder, lambda api, arguments: next(answers))
    path = folder / RECORDING
    with Recorder(live, path) as recorder:
        seen = [recorder.invoke(one) for one in asked]
    assert [Replay(path).invoke(one) for one in asked] == seen
    again = RapidTools.from_folder(folder, find_backend(folder, Net(), {}))
    assert [again.invoke(one) for one in asked] == seen
    assert not again.invoke(call(TABLE_NAME, port="9")).ok


def test_any_toolbox_can_simulate(folder: Path) -> None:
    def tide_table_for_harbour_tides(port: str) -> dict[str, str]:
        return {"simulated": port}

    box = RapidTools.from_folder(folder, recorded(FunctionToolbox([tide_table_for_harbour_tides])))
    assert box.invoke(call(TABLE_NAME, port="x")).text == '{"simulated":"x"}'
    assert not box.invoke(call(SEARCH_NAME)).ok


def test_what_answers_when_nobody_said(folder: Path) -> None:
    net = Net()
    with pytest.raises(UsageError, match="nothing answers the calls of these tools") as caught:
        find_backend(folder, net, {})
    assert "\n" not in str(caught.value)
    for settings, url in (
        ({"RAPIDAPI_KEY": "k"}, "https://tides.example/search"),
        ({"RAPIDAPI_KEY": "k", "TOOLBENCH_URL": "http://localhost:8080/virtual"}, "http://localhost:8080/virtual"),
    ):
        RapidTools.from_folder(folder, find_backend(folder, net, settings)).invoke(call(SEARCH_NAME))
        assert net.sent[-1].url == url
    (folder / RECORDING).write_text("broken\n")
    with pytest.raises(DataError, match="no recording"):
        find_backend(folder, net, {})


def test_wrong_settings_are_one_line(folder: Path) -> None:
    apis = list(read_folder(folder, {}))
    with pytest.raises(UsageError, match="compression='random'"):
        RapidTools(apis, always(""), compression="random")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="needs the response_examples folder"):
        RapidTools(apis, always(""), compression="filter")
    with pytest.raises(ToolError, match="same name"):
        RapidTools([*apis, apis[0]], always(""))


# Real data


def entries(shared: Path) -> list[dict[str, Any]]:
    """All `api_list` entries of the published query files."""
    files = [*shared.glob("toolbench/data_example/instruction/G?_query.json")]
    files += [*shared.glob("stabletoolbench/solvable_queries/test_instruction/*.json.gz")]
    found: list[dict[str, Any]] = []
    for file in sorted(files):
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        found += [entry for query in json.loads(text) for entry in query["api_list"]]
    if not found:
        pytest.skip("the query files of ToolBench are not there")
    return found


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tool folder rebuilt from the query files, which hold the same descriptions."""
    tools: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for entry in entries(shared):
        place = standard_category(entry["category_name"]), standardize(entry["tool_name"])
        api = {"name": entry["api_name"], "description": entry["api_description"], **entry}
        tools[place].setdefault(entry["api_name"], api)
    root = tmp_path_factory.mktemp("toolenv") / "tools"
    for (category, tool), apis in tools.items():
        (root / category).mkdir(parents=True, exist_ok=True)
        (root / category / f"{tool}.json").write_text(json.dumps({"tool_name": tool, "api_list": list(apis.values())}))
    return root


def test_all_real_apis_can_be_offered_and_chosen(shared: Path, real: Path) -> None:
    box = RapidTools.from_folder(real, always("yes"))
    assert box.skipped == {}
    assert len({tool.name for tool in box.tools}) == len(box.tools) > 1500
    for tool in box.tools[::20]:
        check_tool(tool)
    named = entries(shared)
    chosen = box.choose(named)
    assert {(api.tool, api.name) for api in chosen} == {
        (standardize(entry["tool_name"]), standard_name(entry["api_name"])) for entry in named
    }
    assert [api.title for api in box.choose(named[:1])] == [named[0]["api_name"]]
    with pytest.raises(ToolError, match="no API 'x' of tool 'y' in category 'z'"):
        box.choose([{"category_name": "z", "tool_name": "y", "api_name": "x"}])


def test_real_tools_are_those_models_were_trained_on(shared: Path, real: Path) -> None:
    """Against the functions recorded in answer files, but for the repaired faults."""
    ours = {tool.name: tool for tool in RapidTools.from_folder(real, always("")).tools}
    compared, repaired = 0, 0
    for file in sorted(shared.glob("toolbench/data_example/answer/*/*.json")):
        for function in json.loads(file.read_text())["answer_generation"]["function"]:
            if function["name"] not in ours:
                continue
            trained, offered = read_tool(function), ours[function["name"]]
            assert offered.description == trained.description
            assert offered.parameters["required"] == trained.parameters["required"]
            for name, schema in trained.parameters["properties"].items():
                mine = offered.parameters["properties"][name]
                kind = "number" if schema["type"] == "integer" else schema["type"]
                assert mine == {**schema, "type": kind}
                assert list(mine) == list(schema), "the order of keys is what a model reads"
            more = set(offered.parameters["properties"]) - set(trained.parameters["properties"])
            assert not (more and trained.parameters["required"])
            repaired += bool(more)
            compared += 1
    assert compared > 20
    assert repaired > 0, "optional parameters that the reference loses"
