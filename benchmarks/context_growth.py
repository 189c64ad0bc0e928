"""Cost as the context grows: seconds and memory of a change of roles, over one shared cache and reading all anew.

    python -m benchmarks.context_growth [--plot FILE.svg]

At each length the conversation is in the cache; then 40 words of the last speaker and the next role's tag come. Memory
is that of the keys and values: one set, or one for each of three roles.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from alpha_umi.models.local.base_weights import load_base, load_tokenizer
from alpha_umi.models.local.engine import Engine
from alpha_umi.nn.packing import KVBuffer, PackedSequence
from alpha_umi.text.chat_tokenizer import ChatEncoder
from benchmarks.agent import make_adapters
from benchmarks.report import finish, show

LENGTHS = (512, 1024, 2048, 4096, 8128)
"""Up to SmolLM2's 8,192 positions, with room for words and tag."""
WORDS, TAG = 40, 12
FASTER = 5.0


class Point(NamedTuple):
    """One length."""

    tokens: int
    shared: float
    """Seconds of a change of roles over the shared cache."""
    anew: float
    """Seconds of encoding the whole prompt."""
    shared_mib: float
    separate_mib: float


def measure(engine: Engine, writer: str, tokens: int, repeats: int) -> Point:
    """One length, the median of some repeats."""
    ids = [(7 * i) % 40_000 + 300 for i in range(tokens + WORDS + TAG)]
    buffer = KVBuffer()
    shared, anew = [], []
    for _ in range(repeats):
        begin = time.perf_counter()
        fresh = KVBuffer()
        engine.forward([PackedSequence(fresh, 0, ids, writer)])
        anew.append(time.perf_counter() - begin)
        if buffer.data is None:
            engine.forward([PackedSequence(buffer, 0, ids[:tokens], ask=False)])
        begin = time.perf_counter()
        read = PackedSequence(buffer, tokens, ids[tokens : tokens + WORDS], ask=False)
        engine.forward([read, PackedSequence(buffer, tokens + WORDS, ids[tokens + WORDS :], writer)])
        shared.append(time.perf_counter() - begin)
    mib = engine.shape.bytes_a_token * len(ids) / 2**20
    return Point(tokens, statistics.median(shared), statistics.median(anew), mib, 3 * mib)


def plot(points: list[Point], path: Path) -> None:
    """Both ways over the length, seconds and MiB."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.fonttype"] = "none"  # text stays text
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    lengths = [p.tokens for p in points]
    for axis, title, ours, theirs, what in (
        (left, "a change of roles, seconds", [p.shared for p in points], [p.anew for p in points], "each prompt anew"),
        (
            right,
            "keys and values, MiB",
            [p.shared_mib for p in points],
            [p.separate_mib for p in points],
            "each a cache",
        ),
    ):
        axis.plot(lengths, theirs, marker="o", color="#a83e12", label=f"three models, {what}")
        axis.plot(lengths, ours, marker="o", color="#3344a8", label="three roles, one cache")
        axis.set(title=title, xlabel="tokens of context", ylim=(0, None), xticks=lengths)
        axis.tick_params(axis="x", rotation=45)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure, print, plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    engine = Engine(load_base(), ChatEncoder(load_tokenizer()))
    with tempfile.TemporaryDirectory() as scratch:
        make_adapters(Path(scratch))
        writer = engine.add_adapter(Path(scratch) / "caller")
    measure(engine, writer, 64, 1)  # first calls allocate
    points = [measure(engine, writer, tokens, options.repeats) for tokens in LENGTHS]
    show(
        f"a change of roles: {WORDS} words and a tag of {TAG} tokens after the context",
        ("tokens", "one cache, s", "anew, s", "ratio", "one cache, MiB", "three, MiB"),
        [
            (
                f"{p.tokens:,}",
                f"{p.shared:.3f}",
                f"{p.anew:.3f}",
                f"{p.anew / p.shared:.1f}x",
                f"{p.shared_mib:.0f}",
                f"{p.separate_mib:.0f}",
            )
            for p in points
        ],
    )
    if options.plot:
        plot(points, options.plot)
    at = next(p for p in points if p.tokens == 2048)
    finish("context_growth", ratio=at.anew / at.shared, target=FASTER, points=[p._asdict() for p in points])


if __name__ == "__main__":
    main()
