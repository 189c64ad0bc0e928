"""`alpha-umi run` and the examples, over scripted models that stand where the local ones would be loaded."""

from __future__ import annotations

import io
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from lending import lend
from rich.console import Console
from typer.testing import CliRunner
from typer.testing import Result as CliResult

from alpha_umi.agent.events import Observed, Token
from alpha_umi.agent.state import Result
from alpha_umi.cli import main
from alpha_umi.cli import run as verb
from alpha_umi.cli.console import EventPrinter
from alpha_umi.errors import UsageError
from alpha_umi.trajectory import Observation

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user's own module in the working directory."""
    name = f"tools_of_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("def add(a: int, b: int) -> int:\n    '''Add.'''\n    return a + b\n")
    monkeypatch.chdir(tmp_path)
    return f"{name}:add"


def call(*arguments: str) -> CliResult:
    """Run the verb as typer would."""
    app = typer.Typer()
    verb.register(app)
    app.callback()(lambda: None)  # with one verb alone typer would drop its name
    return CliRunner().invoke(app, ["run", *arguments])


SCRIPT = (
    ["I add.\nBoth. Next: caller.", "Done. Next: conclusion."],
    ['Action: add\nAction Input: {"a": 2, "b": 3}'],
    ["It is 5."],
)


def test_the_words_of_each_role_are_shown(monkeypatch: pytest.MonkeyPatch, tools: str) -> None:
    asked = lend(monkeypatch, *SCRIPT)
    done = call("What is 2 + 3?", "--tools", tools)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[:8] == [
        "planner    I add.",
        "           Both. Next: caller.",
        "caller     Action: add",
        '           Action Input: {"a": 2, "b": 3}',
        "tool       5",
        "planner    Done. Next: conclusion.",
        "summarizer It is 5.",
        "",
    ]
    assert lines[8].startswith("answered in 2 steps and ")
    assert [line.split()[0] for line in lines[9:]] == ["role", "planner", "caller", "summarizer"]
    assert done.stderr == "loading the team default\n"
    assert [team.name for team in asked] == ["default"]


def test_json_is_one_object_on_stdout(monkeypatch: pytest.MonkeyPatch, tools: str) -> None:
    lend(monkeypatch, *SCRIPT)
    done = call("What is 2 + 3?", "--tools", tools, "--json")
    assert done.exit_code == 0
    result = Result.model_validate(json.loads(done.stdout))
    assert result.answer == "It is 5."
    assert "planner    I add." in done.stderr


def test_no_answer_exits_with_1(monkeypatch: pytest.MonkeyPatch, tools: str) -> None:
    lend(monkeypatch, ["No. Next: give up."], [], [])
    done = call("What?", "--tools", tools)
    assert done.exit_code == 1
    assert "stopped    the planner gave up" in done.stdout
    lend(monkeypatch, *SCRIPT)
    done = call("What?", "--tools", tools, "--max-steps", "1", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["reason"] == "steps"
    assert "the budget of steps is spent" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([" "], "question is empty"),
        (["q", "--max-steps", "0"], "max_steps"),
        (["q", "--max-seconds", "-1"], "max_seconds"),
        (["q", "--team", "umbrella", "--tools", "gym"], "no team"),
        (["q", "--search", "breadth", "--tools", "mcp:a server that would be started"], "no search"),
        (["q", "--tools", "nothing"], "not a source of tools"),
        (["q", "--tools", ""], "no tools"),
    ],
)
def test_a_wrong_call_is_found_before_a_model_is_loaded(
    arguments: list[str], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = lend(monkeypatch, [], [], [])
    done = call(*arguments)
    assert isinstance(done.exception, UsageError)
    assert found in str(done.exception)
    assert asked == []


def test_a_thread_waits_for_a_word_and_goes_on(monkeypatch: pytest.MonkeyPatch, tools: str, tmp_path: Path) -> None:
    stored = ["--thread", "sums", "--threads", str(tmp_path / "t.sqlite"), "--tools", tools]
    lend(monkeypatch, *SCRIPT)
    waiting = call("What is 2 + 3?", *stored, "--sensitive", "add", "--free", "--max-steps", "5")
    assert waiting.exit_code == 1, waiting.output
    assert 'asked      Approve this call? add {"a": 2, "b": 3}' in waiting.stdout
    begun_with = f"--thread sums --tools {tools} --threads {tmp_path}/t.sqlite --max-steps 5 --free"
    again = f"continue with: alpha-umi run {begun_with} --reply approve|"
    assert again in waiting.stdout
    lend(monkeypatch, SCRIPT[0][1:], [], ["It is 7."])
    trace = tmp_path / "trace.jsonl"
    done = call(*stored, "--reply", '{"a": 2, "b": 5}', "--trace", str(trace))
    assert done.exit_code == 0, done.output
    assert "tool       7" in done.stdout
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["observed", "wrote", "decided", "wrote", "finished"]
    assert [line["text"] for line in lines if line["kind"] == "wrote"] == ["Done. Next: conclusion.", "It is 7."]
    assert len({line["run"] for line in lines}) == 1
    lend(monkeypatch, ["Known. Next: conclusion."], [], ["Seven."])
    further = call("Say it in words.", *stored, "--json")
    assert json.loads(further.stdout)["trajectory"]["query"].startswith("Earlier in this conversation:")


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], "give a question, or --thread"),
        (["q", "--thread", "t", "--reply", "approve"], "no question"),
        (["--thread", "nobody"], "there is no thread 'nobody'"),
        (["q", "--sensitive", "delete"], "there is no tool 'delete'"),
        (["q", "--trace", "/dev/null/x"], "no trace can be written"),
    ],
)
def test_wrong_calls_about_threads(
    arguments: list[str], found: str, monkeypatch: pytest.MonkeyPatch, tools: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("ALPHA_UMI_THREADS", str(tmp_path / "t.sqlite"))
    lend(monkeypatch, *SCRIPT)
    done = call(*arguments, "--tools", tools)
    assert isinstance(done.exception, UsageError)
    assert found in str(done.exception)


def test_an_answer_that_was_not_just_spoken_is_shown(
    monkeypatch: pytest.MonkeyPatch, tools: str, tmp_path: Path
) -> None:
    stored = ["--thread", "sums", "--threads", str(tmp_path / "t.sqlite"), "--tools", tools]
    lend(monkeypatch, *SCRIPT)
    assert call("What is 2 + 3?", *stored).stdout.count("It is 5.") == 1
    again = call(*stored)
    assert again.stdout.splitlines()[:2] == ["answer     It is 5.", ""]


def test_what_is_sensitive_need_not_be_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    lend(monkeypatch, ["I know. Next: conclusion."], [], ["Fine."])
    done = call("What is the weather like?", "--tools", "gym", "--sensitive", "cancel_order")
    assert done.exit_code == 0, done.output


def test_free_lets_roles_write_freely(monkeypatch: pytest.MonkeyPatch, tools: str) -> None:
    asked = lend(monkeypatch, *SCRIPT)
    call("What is 2 + 3?", "--tools", tools)
    lend(monkeypatch, *SCRIPT)
    asked += (free := lend(monkeypatch, *SCRIPT))
    call("What is 2 + 3?", "--tools", tools, "--free")
    assert [team.constrained for team in [*asked, *free]] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["run", "--nope"], "error: No such option: --nope; see alpha-umi run --help\n"),
        (["run", "q", "--max-steps", "x"], "'--max-steps': Input should be a valid integer"),
        (["run", "q", "more"], "unexpected extra argument(s) (more); see alpha-umi run --help\n"),
        (["run", "--team"], "error: Option '--team' requires an argument\n"),
        (["rum"], "error: No such command 'rum'. Did you mean 'run'?; see alpha-umi --help\n"),
    ],
)
def test_a_command_with_wrong_words_is_refused_in_one_line(
    arguments: list[str], found: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["alpha-umi", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    assert found in said.err
    assert said.err.count("\n") == 1


def test_without_words_the_help_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["alpha-umi"])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr()
    assert "quickstart" in said.out + said.err
    assert "error" not in said.out + said.err


def test_help_has_an_example() -> None:
    assert 'Example: alpha-umi run "' in call("--help").stdout


def printed(*events: Any) -> str:
    """What is shown of some events."""
    console = Console(file=io.StringIO(), width=40, highlight=False, force_terminal=False)
    show = EventPrinter(console)
    for event in events:
        show(event)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_neither_model_nor_tool_steers_the_terminal() -> None:
    shown = printed(
        Token(role="planner", text="\x1b]0;title\x07[red]a[/] \ud83d"),
        Observed(observation=Observation(text="\x1b[2J\r\x9b1m")),
    )
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\x07" not in shown
    assert "[red]a[/] \ufffd" in shown


def test_long_and_empty_observations() -> None:
    assert len(printed(Observed(observation=Observation(text="x" * 100_000)))) < 1000
    assert printed(Observed(observation=Observation(text=""))) == "tool       (nothing)\n"


def test_example_own_tools(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    calls = [
        'Action: price\nAction Input: {"article": "fork"}',
        'Action: price\nAction Input: {"article": "cup", "count": 2}',
    ]
    lend(monkeypatch, ["Next: caller.", "Next: caller.", "Next: conclusion."], calls, ["9 euros."])
    monkeypatch.setattr(sys, "argv", ["own_tools.py"])
    runpy.run_path(str(ROOT / "examples" / "own_tools.py"), run_name="__main__")
    first, second, answer = capsys.readouterr().out.splitlines()
    assert first.endswith("'fork' is not one of ['cup', 'plate'].")
    assert second.endswith("-> 9.0")
    assert answer == "9 euros."


def test_example_graph_app_and_langgraph_json(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs = json.loads((ROOT / "langgraph.json").read_text(encoding="utf-8"))["graphs"]
    for place in graphs.values():
        path, _, factory = place.partition(":")
        lend(monkeypatch, ["No. Next: give up."], [], [])
        graph = runpy.run_path(str(ROOT / path))[factory]()
        messages = graph.invoke({"messages": [("user", "What is 12 times 7?")]})["messages"]
        assert any(message.additional_kwargs.get("outcome") == "gave_up" for message in messages)
    assert messages[-1].content == "Please ask again in other words."
