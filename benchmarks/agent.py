"""Ten recorded trajectories with forced tokens: our three roles against three models that re-encode every prompt.

Every way writes the same tokens with the same weights, so only encoding and switching differ:
    separate   three full models, the whole prompt encoded at each call (the α-UMi release)
    full       three full models, each keeping its keys and values between steps (ours)
    lora       one base with three adapters, each keeping its keys and values (ours)

    python -m benchmarks.agent --data DIR           a folder of `alpha-umi data convert`; default: gym trajectories

Each trajectory is run all three ways, one after the other and in an order that rotates, so that a machine that slows
down favours none. Memory is that of processes of their own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console
from rich.progress import track

import alpha_umi_gym as gym
from alpha_umi.data import store
from alpha_umi.models.local.base_weights import load_base, load_tokenizer
from alpha_umi.models.local.engine import Engine
from alpha_umi.nn.kv_cache import SharedCache
from alpha_umi.nn.packing import BACKBONE, PackedSequence
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import load_layout
from alpha_umi.text.prompts import render
from alpha_umi.training.stage import Stage
from alpha_umi.training.trainer import adapt
from alpha_umi.trajectory import Trajectory
from benchmarks.report import finish, show

ROLES = ("planner", "caller", "summarizer")
FEWER_TOKENS, FASTER_FULL, NO_SLOWER_LORA, MEMORY = 1.8, 1.2, 1.0, 1.35
WAYS = ("separate", "full", "lora")
OBSERVATION_CHARS = 256
POSITIONS = 2048
"""Trajectories that do not fit SmolLM2's positions are left out, as an agent could not run them."""


class Turn(NamedTuple):
    """One role's turn: its prompt and the tokens it is made to write."""

    role: str
    prompt: list[int]
    forced: list[int]


def turns(trajectory: Trajectory, encoder: ChatEncoder) -> list[Turn]:
    """All turns of a trajectory in the order in which the agent takes them."""
    found = []
    for order, role in enumerate(ROLES):
        messages, targets, _ = render(
            trajectory, role=role, layout=load_layout("paper"), observation_chars=OBSERVATION_CHARS
        )
        for target in targets:
            prompt = encoder.prompt(messages[: target.message])
            written = encoder.row(messages[: target.message + 1], trained=()).ids[len(prompt) :]
            found.append((target.step, order, Turn(role, prompt, written)))
    return [turn for *_, turn in sorted(found, key=lambda item: item[:2])]


class Spent(NamedTuple):
    """Prompt tokens encoded, seconds for them, and seconds for the words written."""

    encoded: int = 0
    reading: float = 0.0
    writing: float = 0.0

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.reading + self.writing

    def plus(self, other: Spent) -> Spent:
        """The sum of two."""
        return Spent(self.encoded + other.encoded, self.reading + other.reading, self.writing + other.writing)


class Way:
    """The engines and adapters of one way of running three roles."""

    def __init__(self, name: str, folder: Path) -> None:
        encoder = ChatEncoder(load_tokenizer())
        self.keeps = name != "separate"
        if name == "lora":
            shared = Engine(load_base(), encoder)
            self.engines = dict.fromkeys(ROLES, shared)
            self.weights = {v: shared.add_adapter(folder / v) for v in ROLES}
        else:
            self.engines = {role: Engine(load_base(), encoder) for role in ROLES}
            self.weights = dict.fromkeys(ROLES, BACKBONE)

    def run(self, work: list[Turn]) -> Spent:
        """Take turns of one episode and forget it."""
        caches = {role: SharedCache(self.engines[role].shape) for role in ROLES}
        spent = Spent()
        for turn in work:
            engine = self.engines[turn.role]
            weights = self.weights[turn.role]
            session = "episode" if self.keeps else ""
            lease = caches[turn.role].lease(session, weights, turn.prompt, limit=len(turn.prompt) - 1)
            begin = time.perf_counter()
            engine.forward([PackedSequence(lease.buffer, lease.cached, turn.prompt[lease.cached :], weights)])
            read = time.perf_counter()
            for at, token in enumerate(turn.forced[:-1], start=len(turn.prompt)):
                engine.forward([PackedSequence(lease.buffer, at, [token], weights)])
            spent = spent.plus(Spent(len(turn.prompt) - lease.cached, read - begin, time.perf_counter() - read))
            caches[turn.role].settle(lease, [*turn.prompt, *turn.forced[:-1]])
        return spent


def make_adapters(folder: Path) -> None:
    """Three LoRA adapters of the recipes' default rank with weights of their own."""
    for seed, role in enumerate(ROLES):
        torch.manual_seed(seed)
        model = adapt(load_base(), Stage(roles=(role,), method="lora"))
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.01)
        model.save_pretrained(folder / role)


def peak_memory(way: str, folder: Path, data: Path) -> float:
    """Peak resident MiB of a process that runs one trajectory one way; `one` holds a single model."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.agent", "--only", way, "--adapters", str(folder), "--data", str(data)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.strip().splitlines()[-1])


def only(way: str, folder: Path, data: Path) -> None:
    """Run one way in this process and print its peak memory."""
    encoder = ChatEncoder(load_tokenizer())
    work = turns(next(iter(store.read(data))), encoder)
    if way == "one":
        model = Way("lora", folder)
        model.weights = dict.fromkeys(ROLES, BACKBONE)
        planner = [turn for turn in work if turn.role == "planner"]
        model.run(planner)
    else:
        Way(way, folder).run(work)
    print(peak_mib())


def peak_mib() -> float:
    """Peak resident MiB of this program. `getrusage` would count what its parent held when it was started."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--trajectories", type=int, default=10)
    parser.add_argument("--only", choices=(*WAYS, "one"), help=argparse.SUPPRESS)
    parser.add_argument("--adapters", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        only(options.only, options.adapters, options.data)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_adapters(folder)
        data = options.data
        if data is None:
            data = folder / "gym"
            store.write(data, (t.recorded() for t in gym.generate(200, seed=0) if len(t.gold.steps) > 2))
        measure(folder, data, options.trajectories)


def measure(folder: Path, data: Path, number: int) -> None:
    """Run each trajectory all ways, then measure memory."""
    encoder = ChatEncoder(load_tokenizer())
    several = (turns(t, encoder) for t in store.read(data) if len(t.steps) > 1)
    fitting = (episode for episode in several if max(len(t.prompt) + len(t.forced) for t in episode) <= POSITIONS)
    episodes = list(islice(fitting, number))
    ways = {name: Way(name, folder) for name in WAYS}
    for way in ways.values():
        way.run(episodes[0][:2])  # first calls allocate
    spent = dict.fromkeys(WAYS, Spent())
    order = list(WAYS)
    for episode in track(episodes, "trajectories", console=Console(stderr=True)):
        order.append(order.pop(0))
        for name in order:
            spent[name] = spent[name].plus(ways[name].run(episode))
    memory = {name: peak_memory(name, folder, data) for name in ("one", *WAYS)}
    work = [turn for episode in episodes for turn in episode]
    forced = sum(len(turn.forced) - 1 for turn in work)
    separate = spent["separate"]
    show(
        f"{len(episodes)} trajectories, {len(work)} turns, {forced:,} tokens written one by one",
        ("", "prompt tokens encoded", "reading s", "writing s", "ms a token", "in all", "peak MiB"),
        [
            (
                name,
                f"{s.encoded:,}",
                f"{s.reading:.1f}",
                f"{s.writing:.1f}",
                f"{1000 * s.writing / forced:.1f}",
                f"{separate.seconds / s.seconds:.2f}x",
                f"{memory[name]:.0f}",
            )
            for name, s in spent.items()
        ]
        + [("one model", "", "", "", "", "", f"{memory['one']:.0f}")],
    )
    full, lora = spent["full"], spent["lora"]
    finish(
        "agent",
        ratio=separate.encoded / full.encoded,
        target=FEWER_TOKENS,
        full_speed={"ratio": round(separate.seconds / full.seconds, 3), "target": FASTER_FULL},
        lora_speed={"ratio": round(separate.seconds / lora.seconds, 3), "target": NO_SLOWER_LORA},
        lora_writing={"ratio": round(lora.writing / full.writing, 3)},
        lora_memory={"ratio": round(memory["lora"] / memory["one"], 3), "target_at_most": MEMORY},
        n=len(episodes),
    )


if __name__ == "__main__":
    main()
