"""Recording and replay: the same bytes again, in any order and from any thread, and every file that is no recording."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpha_umi.errors import DataError, UsageError, WorkError
from alpha_umi.tools.functions import FunctionToolbox
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.tools.replay import Recorder, Replay
from alpha_umi.trajectory import Call, Observation, Tool


class Moody:
    """Answers every call differently, with a counter, odd characters and now and then a failure."""

    tools: Sequence[Tool] = (
        Tool(name="a", description="Über\n", parameters={"type": "object", "properties": {"x": {"enum": [1, None]}}}),
        Tool(name="b"),
    )

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def invoke(self, call: Call) -> Observation:
        with self._lock:
            self.count += 1
            text = f"{self.count} {call.tool}\r\n\x00\u2028\ud800 {sorted(map(str, call.arguments))}"
        return Observation(text=text, ok=self.count % 3 != 0)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
CALLS = st.builds(
    Call,
    tool=st.sampled_from(["a", "b", "unknown\n"]),
    arguments=st.sampled_from([{}, {"x": 1}, {"x": 1.0}, {"x": True}]) | st.dictionaries(st.text(max_size=3), VALUES),
    raw=st.text(max_size=3),
    fault=st.none() | st.just("bad_json"),
)


def add(a: int, b: int = 0) -> int:
    """Add two numbers."""
    return a + b


def call(tool: str, **arguments: Any) -> Call:
    return Call(tool=tool, arguments=arguments)


def record(path: Path, box: Toolbox, *calls: Call) -> list[Observation]:
    with Recorder(box, path) as recorder:
        return [recorder.invoke(one) for one in calls]


@settings(max_examples=60, deadline=None)
@given(st.lists(CALLS, max_size=12), st.integers(0, 12))
def test_any_sequence_of_calls_replays_identically(calls: list[Call], stop: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        box = Moody()
        seen = record(path, box, *calls[:stop])
        seen += record(path, box, *calls[stop:])  # the same recording, gone on with
        replay = Replay(path)
        assert replay.tools == tuple(Moody.tools)
        assert [replay.invoke(one) for one in calls] == seen
        assert path.read_bytes().isascii()


@settings(max_examples=30, deadline=None)
@given(st.lists(CALLS, min_size=1, max_size=8), st.randoms())
def test_other_orders_change_nothing_but_the_order(calls: list[Call], random: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        seen = record(path, Moody(), *calls)
        random.shuffle(calls)
        assert Counter(map(repr, map(Replay(path).invoke, calls))) == Counter(map(repr, seen))


def test_arguments_are_compared_as_json_and_the_written_text_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    first, _ = record(path, Moody(), Call(tool="a", arguments={"x": {"p": 1, "q": 2}}), call("a", x=1))
    replay = Replay(path)
    assert replay.invoke(Call(tool="a", arguments={"x": {"q": 2, "p": 1}}, raw="Action: a")) == first
    for other in (1.0, True, "1"):
        assert "never recorded" in replay.invoke(call("a", x=other)).text


def test_the_nth_call_gets_the_nth_observation_and_then_the_last(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    seen = record(path, Moody(), call("a"), call("b"), call("a"))
    replay = Replay(path)
    assert [replay.invoke(call("a")) for _ in range(4)] == [seen[0], seen[2], seen[2], seen[2]]
    assert replay.invoke(call("b")) == seen[1]


def test_a_call_never_recorded_is_an_observation_an_error_or_goes_to_a_simulator(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record(path, FunctionToolbox([add]), call("add", a=1))
    unseen = call("add", a=2, b=3)
    seen = Replay(path).invoke(unseen)
    assert seen == Observation(text='add failed: this call was never recorded: {"a": 2, "b": 3}.', ok=False)
    with pytest.raises(WorkError, match=r'no recorded call of add with \{"a": 2, "b": 3\}'):
        Replay(path, missing="error").invoke(unseen)
    simulated = Replay(path, missing=FunctionToolbox([add]))
    assert simulated.invoke(unseen) == Observation(text="5")
    assert simulated.invoke(call("add", a=1)) == Observation(text="1")
    assert "There is no tool 'subtract'. Offered: add." in Replay(path).invoke(call("subtract")).text
    assert "could not be read" in Replay(path).invoke(Call(tool="add", fault="bad_json")).text
    long = Replay(path).invoke(call("add", a="x" * 10_000))
    assert len(long.text) < 300
    with pytest.raises(UsageError, match="missing='nothing'"):
        Replay(path, missing="nothing")  # type: ignore[arg-type]


def test_threads_record_and_replay_without_losing_a_line(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    recorded: dict[int, list[str]] = defaultdict(list)

    def work(box: Toolbox, into: dict[int, list[str]]) -> None:
        for number in range(50):
            into[number % 5].append(box.invoke(call("a", x=number % 5)).text)

    def in_threads(box: Toolbox, into: dict[int, list[str]]) -> None:
        threads = [threading.Thread(target=work, args=(box, into)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with Recorder(Moody(), path) as recorder:
        in_threads(recorder, recorded)
    assert len(path.read_bytes().splitlines()) == 401
    replayed: dict[int, list[str]] = defaultdict(list)
    in_threads(Replay(path), replayed)
    for number, texts in recorded.items():
        assert sorted(replayed[number]) == sorted(texts)


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=0))
def test_a_recording_cut_anywhere_keeps_its_whole_lines(cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        seen = record(path, Moody(), call("a"), call("b"), call("a", x=1))
        data = path.read_bytes()
        path.write_bytes(data[: cut % len(data)])
        lines = path.read_bytes().count(b"\n")
        if lines:
            replay = Replay(path)
            made = [replay.invoke(one) for one in (call("a"), call("b"), call("a", x=1))]
            assert made[: lines - 1] == seen[: lines - 1]
            assert all("never recorded" in one.text for one in made[lines - 1 :])
        else:
            with pytest.raises(DataError, match="not even its first line is complete"):
                Replay(path)
        again = record(path, Moody(), call("b", x="after"))  # going on drops the half line
        assert Replay(path).invoke(call("b", x="after")) == again[0]


KILLED = """
import os, sys
from alpha_umi.tools.functions import FunctionToolbox
from alpha_umi.tools.replay import Recorder
from alpha_umi.trajectory import Call
def hit(n: int) -> int:
    if n == 3:
        os.kill(os.getpid(), 9)
    return n
box = Recorder(FunctionToolbox([hit]), sys.argv[1])
for n in range(9):
    box.invoke(Call(tool="hit", arguments={"n": n}))
"""


def test_a_killed_program_leaves_every_observation_it_had_seen(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, timeout=60).returncode == -9
    replay = Replay(path)
    assert [replay.invoke(call("hit", n=n)).text for n in range(3)] == ["0", "1", "2"]
    assert "never recorded" in replay.invoke(call("hit", n=3)).text


def test_what_is_no_json_is_refused_before_it_is_carried_out(tmp_path: Path) -> None:
    path, box = tmp_path / "run.jsonl", Moody()
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    round_: list[Any] = []
    round_.append(round_)
    with Recorder(box, path) as recorder:
        for value in (object(), deep, round_):
            seen = recorder.invoke(call("a", x=value))
            assert not seen.ok
            assert "cannot be recorded" in seen.text
            assert Replay(path).invoke(call("a", x=value)) == seen
    assert box.count == 0
    while deep:  # a list this deep would be freed by recursion
        deep = deep[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello\n", "no recording"),
        (b"hello", "no recording"),
        (b"\xff\xfe\x00\n", "no recording"),
        (b'{"format": "har"}\n', "no recording"),
        (b"[1]\n", "no recording"),
        (b"[" * 100_000 + b"\n", "no recording"),
        (b'{"format":"alpha-umi-recording","version":9,"tools":[]}\n', "version 9; this program reads version 1"),
        (b'{"format":"alpha-umi-recording","version":1}\n', "line 1: the tools"),
        (b'{"format":"alpha-umi-recording","version":1,"tools":[{"name":""}]}\n', "line 1: the tools"),
        (b'{"format":"alpha-umi-recording","version":1,"tools":[]}\n{"call"\n{}\n', "line 2 is broken"),
        (b'{"format":"alpha-umi-recording","version":1,"tools":[]}\n{"call":{}}\n', "line 2 is broken"),
        (b'{"format":"alpha-umi-recording","version":1,"tools":[]}\n\n', "line 2 is broken"),
    ],
)
def test_a_foreign_or_broken_file_is_a_one_line_error_and_stays_as_it_is(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    for attempt in (Replay, lambda path: Recorder(Moody(), path)):
        with pytest.raises(DataError, match=message) as caught:
            attempt(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        Replay(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="this is no file"):
        Replay(tmp_path)
    path = tmp_path / "new" / "run.jsonl"
    record(path, Moody(), call("a"))
    with pytest.raises(UsageError, match="other tools"):
        Recorder(FunctionToolbox([add]), path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        Recorder(Moody(), tmp_path / "file" / "run.jsonl")
    recorder = Recorder(Moody(), path)
    recorder.close()
    with pytest.raises(WorkError, match="cannot record"):
        recorder.invoke(call("a"))


FULL = """
import resource, sys
from alpha_umi.errors import WorkError
from alpha_umi.tools.functions import FunctionToolbox
from alpha_umi.tools.replay import Recorder
from alpha_umi.trajectory import Call
def hit(n: int) -> int:
    return n
box = Recorder(FunctionToolbox([hit]), sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
try:
    for n in range(99):
        box.invoke(Call(tool="hit", arguments={"n": n}))
except WorkError as error:
    print(n, error)
"""


def test_a_full_disk_is_said_and_what_was_written_stays_usable(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    count, _, message = done.stdout.strip().partition(" ")
    assert "cannot record" in message
    assert path.stat().st_size == 600
    replay = Replay(path)
    assert [replay.invoke(call("hit", n=n)).text for n in range(int(count))] == [str(n) for n in range(int(count))]


def test_the_file_is_as_documented(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record(path, FunctionToolbox([add]), call("add", b=1, a=2))
    head, line = (json.loads(text) for text in path.read_text().splitlines())
    assert (head["format"], head["version"], head["tools"][0]["name"]) == ("alpha-umi-recording", 1, "add")
    assert line == {
        "call": {"tool": "add", "arguments": {"b": 1, "a": 2}, "fault": None},
        "observation": {"text": "3", "ok": True},
    }
