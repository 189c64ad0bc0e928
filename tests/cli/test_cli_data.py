"""`alpha-umi data convert` and `data inspect`: what they print, and that mistakes are one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from alpha_umi.cli import data as cli
from alpha_umi.cli.split import split
from alpha_umi.data import store
from alpha_umi.data.convert import convert
from alpha_umi.errors import DataError, UsageError
from alpha_umi_gym.taskset import GYM

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TURNS = [
    ("user", "When is high water?"),
    ("assistant", "I need the table. Next: caller."),
    ("caller", 'Action: tides\nAction Input: {"port": "BRX"}'),
    ("observation", "{'high': '14:10'}"),
    ("assistant", "I have it. Next: conclusion."),
    ("conclusion", "At 14:10."),
]


def _raw() -> dict[str, Any]:
    tool = {"Name": "tides", "function": "Tide table.", "input": {"port": "string, code"}}
    conversation = [{"from": speaker, "value": text} for speaker, text in TURNS]
    return {"tools": [tool], "instruction": "When is high water?", "conversations": conversation}


def _write_lines(path: Path, *records: Any) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records))
    return path


def _run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    source = _write_lines(tmp_path / "f.jsonl", _raw(), "broken", _raw())
    convert(source, "alpha-umi", tmp_path / "set")
    return tmp_path / "set"


def test_convert_prints_what_became_of_the_records(tmp_path: Path) -> None:
    source = _write_lines(tmp_path / "f.jsonl", _raw(), "broken", _raw())
    printed = _run("convert", source, "--format", "alpha-umi", "--out", tmp_path / "out")
    assert "kept            2" in printed
    assert "1  not_json  (first: f:2" in printed
    assert "decision points: 2 call, 2 conclude, 0 give up" in printed
    printed = _run("convert", source, "--format", "alpha-umi", "--out", tmp_path / "out", "--json")
    assert json.loads(printed)["dropped"] == {"not_json": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["f.json", "--format", "csv"], "there are alpha-umi, toolalpaca, toolbench"),
        (["f.json", "--format", "alpha-umi", "--keep-invalid"], "--keep-invalid is for --format toolbench"),
        (["f.json"], "say what f.json is: --format alpha-umi"),
        (["f.json", "--format", "gym"], "`alpha-umi data convert gym --out DIR` makes its own"),
        (["gym", "--split", "test"], "it has train, unseen_instructions, unseen_tools, unseen_categories"),
        (["gym", "--split", "train", "--category", "cooking"], "no category 'cooking'; it has time, units"),
        (["gym", "--split", "train", "--category", "sky"], "split train calls no tools of sky; it does of time"),
        (["gym", "--split", "train", "--category", "no_such_module:X"], "there is no module 'no_such_module'"),
        (["f.json", "--format", "alpha-umi", "--max-steps", "1"], "no file or folder"),
    ],
)
def test_convert_refuses_in_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _run("convert", *arguments, "--out", tmp_path / "out")


def test_a_category_that_is_in_some_splits_only_is_written_for_those(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.app, ["convert", "gym", "--n", "3", "--category", "shop", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train", "unseen_instructions", "unseen_tools"]
    assert "no tasks in unseen_categories: shop has no tools there" in done.stderr


def test_what_was_drawn_in_vain_and_the_libraries_are_in_the_report(tmp_path: Path) -> None:
    _run("convert", "gym", "--split", "train", "--n", "60", "--out", tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["kept"] == 60
    assert sum(report["redrawn"].values()) > 0
    assert {"holidays", "tzdata"} <= report["versions"].keys()
    assert report["taskset"] == store.taskset_of(tmp_path) == "gym@1"
    assert report["words_digest"] == GYM.words_digest()


def test_convert_makes_gym_trajectories(tmp_path: Path) -> None:
    one = _run("convert", "gym", "--split", "unseen_tools", "--n", "5", "--out", tmp_path / "one", "--json")
    assert json.loads(one)["kept"] == 5
    assert len(list(store.read(tmp_path / "one"))) == 5
    every = _run("convert", "gym", "--n", "5", "--out", tmp_path / "all", "--json")
    assert [json.loads(line)["kept"] for line in every.splitlines()] == [5] * 4
    found = (tmp_path / "all" / "unseen_tools" / "trajectories.jsonl").read_bytes()
    assert found == (tmp_path / "one" / "trajectories.jsonl").read_bytes()


@pytest.mark.parametrize("layout", ["paper", "shared"])
def test_inspect_marks_what_is_trained(data_set: Path, layout: str, tokenizer: PreTrainedTokenizerBase) -> None:
    printed = _run("inspect", data_set, "--role", "caller", "--layout", layout)
    assert printed.startswith("== f:1: ")
    assert '[[Action: tides\nAction Input: {"port": "BRX"}<|im_end|>]]' in printed
    assert printed.count("[[") == 1, "a caller learns nothing of what the others say"
    assert f"{printed.count('[[')} targets" in printed.splitlines()[0]
    assert "f:3" not in printed


def test_inspect_shows_each_token_with_its_role(data_set: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    chosen = (data_set, "--role", "planner", "--layout", "paper", "--id", "f:3")
    printed = _run("inspect", *chosen, "--tokens")
    head, *lines = printed.rstrip("\n").split("\n")
    row = json.loads(_run("inspect", *chosen, "--json"))
    assert head == f"== f:3: {len(lines)} tokens, {row['trained']} trained, 2 targets"
    assert [line.split()[2:4] for line in lines] == [
        [token["role"], "trained" if token["trained"] else "-"] for token in row["tokens"]
    ]
    roles = [token["role"] for token in row["tokens"]]
    assert [r for i, r in enumerate(roles) if i == 0 or roles[i - 1] != r] == ["system", *["user", "planner"] * 2]
    text = {
        role: str(tokenizer.decode([token["id"] for token in row["tokens"] if token["role"] == role]))
        for role in ("system", "user", "planner")
    }
    assert text["system"].endswith("Next: give up.")
    assert "When is high water?" in text["user"]
    assert text["planner"].startswith("I need the table. Next: caller.<|im_end|>I have it.")


def test_inspect_names_who_spoke_trained_or_not(data_set: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    row = json.loads(_run("inspect", data_set, "--role", "caller", "--layout", "shared", "--json"))
    assert {token["role"] for token in row["tokens"]} == {"system", "user", "planner", "caller", "summarizer"}
    assert {token["role"] for token in row["tokens"] if token["trained"]} == {"caller"}


def test_inspect_takes_the_settings_of_a_recipe(tmp_path: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    raw = _raw()
    raw["conversations"][3]["value"] = "high water " * 300
    convert(_write_lines(tmp_path / "f.jsonl", raw), "alpha-umi", tmp_path / "set")
    assert "characters cut" in _run("inspect", tmp_path / "set", "--role", "planner", "--recipe", "cpu")
    assert "[... 3172 characters cut ...]" in _run("inspect", tmp_path / "set", "--role", "planner", "--recipe", "cpu")


def test_convert_takes_several_sources(tmp_path: Path) -> None:
    sources = [_write_lines(tmp_path / f"{name}.jsonl", _raw()) for name in ("a", "b")]
    printed = _run("convert", *sources, "--format", "alpha-umi", "--out", tmp_path / "out")
    assert "kept            2" in printed


def test_a_split_that_leaves_a_side_empty_writes_nothing(data_set: Path) -> None:
    with pytest.raises(UsageError, match="leaves test empty, of 2 trajectories"):
        split(data_set, held_out=0.0001, seed=0, by="query")
    assert not (data_set / "train").exists()


def test_inspect_shows_as_many_as_asked(data_set: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    assert _run("inspect", data_set, "--role", "single", "-n", "9").count("\n== ") == 1
    with pytest.raises(DataError, match="no trajectory with the id 'x'"):
        _run("inspect", data_set, "--role", "single", "--id", "x")
    with pytest.raises(UsageError, match="at least 1"):
        _run("inspect", data_set, "--role", "single", "-n", "0")


def test_much_that_was_lost_and_an_old_split_are_told(tmp_path: Path) -> None:
    source = _write_lines(tmp_path / "f.jsonl", _raw(), "broken", _raw())
    convert(source, "alpha-umi", tmp_path / "out" / "train")
    arguments = ["convert", str(source), "--format", "alpha-umi", "--out", str(tmp_path / "out")]
    told = CliRunner().invoke(cli.app, arguments).stderr
    assert "warning: 1 of 3 records were dropped" in told
    assert "train in" in told
