"""Ten recorded trajectories with forced tokens: three roles over one shared context against three models that each
encode every prompt anew (the α-UMi release).

All write the same words. `separate` reads the `paper` layout's prompts with three full models, `shared` the `shared`
layout's with a backbone and three LoRA adapters, `merged` the same with merged copies of what they adapt. Told
apart: at the trajectories' own lengths, where a CPU mostly writes; and with more tool documents, up to the 4,096 tokens
of the paper, where it mostly reads.

    python -m benchmarks.shared_agent --data DIR [--fill 4096] [--trajectories 10]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import track

from alpha_umi.data import store
from alpha_umi.models.local.base_weights import load_base, load_tokenizer
from alpha_umi.models.local.engine import Engine
from alpha_umi.nn.kv_cache import SharedCache
from alpha_umi.nn.packing import BACKBONE, KVBuffer, PackedSequence
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import load_layout
from alpha_umi.text.prompts import render
from alpha_umi.trajectory import Tool, Trajectory
from benchmarks.agent import OBSERVATION_CHARS, ROLES, Spent, Way, make_adapters, peak_mib, turns
from benchmarks.report import finish, show

FEWER_TOKENS, SWITCH, MEMORY = 4.0, 5.0, 1.15
FASTER = {False: 1.3, True: 2.5}
"""In all: at the trajectories' own lengths, and filled up."""
SWITCH_CONTEXT, SWITCH_WORDS = 2048, 40
WAYS = ("separate", "shared", "merged")


class Turn(NamedTuple):
    """One role's turn over the shared conversation."""

    role: str
    prompt: list[int]
    tag: int
    forced: list[int]


def shared_turns(trajectory: Trajectory, encoder: ChatEncoder) -> list[Turn]:
    """The turns of a trajectory that are worth training on, as `agent.turns` takes them."""
    conversation = render(trajectory, role="planner", layout=load_layout("shared"), observation_chars=OBSERVATION_CHARS)
    wanted = {target.message: target.role for target in conversation.targets}
    places = [i for i, message in enumerate(conversation.messages) if message.role == "assistant"]
    row = encoder.row(conversation.messages, trained=())
    return [
        Turn(wanted[place], row.ids[: turn.words], turn.tag, row.ids[turn.words : turn.end])
        for place, turn in zip(places, row.turns, strict=True)
        if place in wanted
    ]


class SharedWay:
    """A backbone, three adapters, one cache."""

    def __init__(self, folder: Path, *, merged: bool = False) -> None:
        self.engine = Engine(load_base(), ChatEncoder(load_tokenizer()))
        self.writers = {role: self.engine.add_adapter(folder / role, merged=merged) for role in ROLES}

    def run(self, work: Sequence[Turn]) -> Spent:
        """Take turns of one episode and forget it."""
        cache = SharedCache(self.engine.shape)
        spent = Spent()
        for turn in work:
            writer = self.writers[turn.role]
            lease = cache.lease("episode", BACKBONE, turn.prompt, limit=turn.tag)
            begin = time.perf_counter()
            read = turn.prompt[lease.cached : turn.tag]
            spans = [PackedSequence(lease.buffer, lease.cached, read, ask=False)] if read else []
            self.engine.forward([*spans, PackedSequence(lease.buffer, turn.tag, turn.prompt[turn.tag :], writer)])
            middle = time.perf_counter()
            for at, token in enumerate(turn.forced[:-1], start=len(turn.prompt)):
                self.engine.forward([PackedSequence(lease.buffer, at, [token], writer)])
            end = time.perf_counter()
            spent = spent.plus(Spent(len(turn.prompt) - lease.cached, middle - begin, end - middle))
            cache.settle(lease, turn.prompt[: turn.tag])
        return spent

    def switch(self, ids: list[int]) -> tuple[float, float]:
        """Seconds until another role may choose its first token: over the shared context, and reading all anew."""
        context, words, tag = ids[:SWITCH_CONTEXT], ids[SWITCH_CONTEXT : SWITCH_CONTEXT + SWITCH_WORDS], ids[-8:]
        buffer = KVBuffer()
        self.engine.forward([PackedSequence(buffer, 0, context, ask=False)])
        ours, theirs = [], []
        writer = self.writers["caller"]
        for _ in range(5):
            begin = time.perf_counter()
            read = PackedSequence(buffer, len(context), words, ask=False)
            self.engine.forward([read, PackedSequence(buffer, len(context) + len(words), tag, writer)])
            ours.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            self.engine.forward([PackedSequence(KVBuffer(), 0, [*context, *words, *tag], writer)])
            theirs.append(time.perf_counter() - begin)
        return statistics.median(ours), statistics.median(theirs)


def filled(trajectory: Trajectory, spare: Sequence[Tool], encoder: ChatEncoder, length: int) -> Trajectory:
    """The trajectory with so many more tools that its longest prompt has about `length` tokens."""
    tools = list(trajectory.tools)
    names = set(trajectory.tool_names)
    for tool in spare:
        longer = trajectory.model_copy(update={"tools": (*tools, tool)})
        if tool.name in names:
            continue
        if max(len(turn.prompt) + len(turn.forced) for turn in turns(longer, encoder)) > length:
            break
        tools.append(tool)
        names.add(tool.name)
    return trajectory.model_copy(update={"tools": tuple(tools)})


def chosen(data: Path, number: int, fill: int | None, encoder: ChatEncoder) -> Iterator[Trajectory]:
    """Trajectories of several steps that fit the positions, filled up where that is asked."""
    spare = [tool for t in store.read(data) for tool in t.tools]
    limit = fill or 2048
    several = (t for t in store.read(data) if len(t.steps) > 1)
    fitting = (t for t in several if max(len(x.prompt) + len(x.forced) for x in turns(t, encoder)) <= limit)
    for trajectory in islice(fitting, number):
        yield trajectory if fill is None else filled(trajectory, spare, encoder, fill)


def peak_memory(way: str, folder: Path, options: argparse.Namespace) -> float:
    """Peak resident MiB of a process that runs one trajectory one way; `one` is a single model that only plans."""
    words = [sys.executable, "-m", "benchmarks.shared_agent", "--only", way, "--adapters", str(folder)]
    words += ["--data", str(options.data), *(["--fill", str(options.fill)] if options.fill else [])]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return float(done.stdout.strip().splitlines()[-1])


def only(way: str, folder: Path, options: argparse.Namespace) -> None:
    """Run one way in this process and print its peak memory."""
    encoder = ChatEncoder(load_tokenizer())
    trajectory = next(chosen(options.data, 1, options.fill, encoder))
    if way in {"shared", "merged"}:
        SharedWay(folder, merged=way == "merged").run(shared_turns(trajectory, encoder))
    elif way == "separate":
        Way("separate", folder).run(turns(trajectory, encoder))
    else:
        one = Way("lora", folder)
        one.weights = dict.fromkeys(ROLES, BACKBONE)
        one.run([turn for turn in turns(trajectory, encoder) if turn.role == "planner"])
    print(peak_mib())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fill", type=int, help="add tools until the longest prompt has about so many tokens")
    parser.add_argument("--trajectories", type=int, default=10)
    parser.add_argument("--only", choices=("one", *WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--adapters", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        only(options.only, options.adapters, options)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_adapters(folder)
        measure(folder, options)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Run each trajectory both ways, in an order that alternates, then measure the switch and memory."""
    encoder = ChatEncoder(load_tokenizer())
    work = list(chosen(options.data, options.trajectories, options.fill, encoder))
    shared, merged, separate = SharedWay(folder), SharedWay(folder, merged=True), Way("separate", folder)
    spent = dict.fromkeys(WAYS, Spent())
    written = 0
    for number, trajectory in enumerate(track([work[0], *work], "trajectories", console=Console(stderr=True))):
        mine, plain = shared_turns(trajectory, encoder), turns(trajectory, encoder)
        if [turn.forced for turn in mine] != [turn.forced for turn in plain]:
            raise SystemExit(f"{trajectory.id}: the ways do not write the same words")
        most = None if number else 2  # first calls allocate and do not count
        for way in WAYS if number % 2 else WAYS[::-1]:
            if way == "separate":
                took = separate.run(plain[:most])
            else:
                took = (merged if way == "merged" else shared).run(mine[:most])
            spent[way] = spent[way].plus(took) if number else Spent()
        written += sum(len(turn.forced) - 1 for turn in mine) if number else 0
    ids = [i for trajectory in work for turn in shared_turns(trajectory, encoder) for i in turn.prompt]
    switch = shared.switch(ids[: SWITCH_CONTEXT + SWITCH_WORDS + 8])
    memory = {name: peak_memory(name, folder, options) for name in ("one", *WAYS)}
    theirs, ours = spent["separate"], spent["shared"]
    length = f"filled up to {options.fill} tokens" if options.fill else "at their own lengths"
    show(
        f"{len(work)} trajectories {length}, {written:,} tokens written one by one",
        ("", "prompt tokens encoded", "reading s", "writing s", "in all", "peak MiB"),
        [
            (name, f"{s.encoded:,}", f"{s.reading:.1f}", f"{s.writing:.1f}", f"{theirs.seconds / s.seconds:.2f}x", mib)
            for name, s, mib in (
                ("three models, each prompt anew", theirs, f"{memory['separate']:.0f}"),
                ("three roles, one cache", ours, f"{memory['shared']:.0f}"),
                ("the same, adapters merged", spent["merged"], f"{memory['merged']:.0f}"),
            )
        ]
        + [("one model", "", "", "", "", f"{memory['one']:.0f}")],
    )
    print(f"role switch over {SWITCH_CONTEXT} tokens: {switch[0]:.3f} s, reading all anew {switch[1]:.3f} s")
    finish(
        "shared_agent",
        ratio=theirs.encoded / ours.encoded,
        target=FEWER_TOKENS,
        speed={"ratio": round(theirs.seconds / ours.seconds, 3), "target": FASTER[options.fill is not None]},
        switch={"ratio": round(switch[1] / switch[0], 3), "target": SWITCH},
        memory={"ratio": round(memory["shared"] / memory["one"], 3), "target_at_most": MEMORY},
        merged={
            "speed": round(theirs.seconds / spent["merged"].seconds, 3),
            "memory": round(memory["merged"] / memory["one"], 3),
        },
        fill=options.fill,
        n=len(work),
    )


if __name__ == "__main__":
    main()
