"""A recorded search tree: siblings that share what they have in common, against encoding each path anew.

Every role call of the tree is made in the order of the search. Ours forks a session where the tree branches and keeps
all of them, as a search that may come back does; the other way encodes each call's whole prompt, as DFSDT was released.

    python -m benchmarks.tree_cache --tree FILE         a ToolBench answer file with a search tree
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from alpha_umi.data.formats.toolbench import tree_paths
from alpha_umi.models.local.base_weights import load_base, load_tokenizer
from alpha_umi.models.local.engine import Engine
from alpha_umi.nn.kv_cache import SharedCache
from alpha_umi.nn.packing import BACKBONE, PackedSequence
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import load_layout
from alpha_umi.text.prompts import render
from benchmarks.report import finish, show

FEWER_TOKENS = 5.0
OBSERVATION_CHARS = 256


class Call(NamedTuple):
    """One role call of the search."""

    path: int
    """Which path to a leaf it belongs to first."""
    prompt: list[int]
    tag: int


def calls(value: dict[str, object], encoder: ChatEncoder) -> Iterator[Call]:
    """Every role call of a tree once, in the order of the search."""
    made: set[tuple[int, ...]] = set()
    for number, path in enumerate(tree_paths(value)):
        messages = render(
            path, role="planner", layout=load_layout("shared"), observation_chars=OBSERVATION_CHARS
        ).messages
        row = encoder.row(messages, trained=())
        for turn in row.turns:
            prompt = row.ids[: turn.words]
            written = tuple(row.ids[: turn.end])  # siblings answer one prompt with different words
            if turn.end > turn.words and written not in made:
                made.add(written)
                yield Call(number, prompt, turn.tag)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--count", action="store_true", help="count the other way's tokens instead of encoding them")
    options = parser.parse_args()
    encoder = ChatEncoder(load_tokenizer())
    work = list(calls(json.loads(options.tree.read_text(encoding="utf-8")), encoder))
    engine = Engine(load_base(), encoder)
    cache = SharedCache(engine.shape, max_entries=10**6)
    encoded, begin, last = 0, time.perf_counter(), 0
    for call in work:
        if call.path != last:
            cache.fork(f"path {last}", f"path {call.path}")
            last = call.path
        lease = cache.lease(f"path {call.path}", BACKBONE, call.prompt, limit=call.tag)
        read = call.prompt[lease.cached : call.tag]
        spans = [PackedSequence(lease.buffer, lease.cached, read, ask=False)] if read else []
        engine.forward([*spans, PackedSequence(lease.buffer, call.tag, call.prompt[call.tag :])])
        encoded += len(call.prompt) - lease.cached
        cache.settle(lease, call.prompt[: call.tag])
    ours = time.perf_counter() - begin
    held = cache.bytes_held()
    whole = sum(len(call.prompt) for call in work)
    ends = {call.path: call.tag for call in work}
    apart = sum(ends.values()) * engine.shape.bytes_a_token
    theirs = 0.0
    if not options.count:
        begin = time.perf_counter()
        for call in work:
            lease = cache.lease("", BACKBONE, call.prompt, limit=0)
            engine.forward([PackedSequence(lease.buffer, 0, call.prompt)])
        theirs = time.perf_counter() - begin
    show(
        f"{len(work)} role calls on {len(ends)} paths of {options.tree.stem}",
        ("", "tokens encoded", "seconds", "MiB held at the end"),
        [
            ("forked sessions", f"{encoded:,}", f"{ours:.1f}", f"{held / 2**20:.0f}"),
            ("each path anew", f"{whole:,}", f"{theirs:.1f}" if theirs else "-", f"{apart / 2**20:.0f}, if kept"),
        ],
    )
    finish(
        "tree_cache",
        ratio=whole / encoded,
        target=FEWER_TOKENS,
        seconds={"ratio": round(theirs / ours, 3)} if theirs else None,
        memory={"ratio": round(apart / held, 3)},
        calls=len(work),
        paths=len(ends),
    )


if __name__ == "__main__":
    main()
