"""Sixteen episodes at once on one model against one after another.

Each episode is the recorded conversation of a gym task: its roles are asked in turn, through the same `complete` that
an agent uses, and write as many tokens as the record has. Together, each episode runs in a thread of its own, and
whoever is ready joins the batch, whichever role it is.

    python -m benchmarks.batched_agent [--data DIR] [--episodes 16]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import alpha_umi_gym as gym
from alpha_umi.backends import Generation
from alpha_umi.data import store
from alpha_umi.models.local.base_weights import load_base, load_tokenizer
from alpha_umi.models.local.engine import Engine
from alpha_umi.models.local.local_model import LocalModel
from alpha_umi.models.protocol import Completion, Request
from alpha_umi.nn.packing import BACKBONE
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import load_layout
from alpha_umi.text.prompts import render
from alpha_umi.trajectory import Trajectory
from benchmarks.agent import ROLES, make_adapters
from benchmarks.report import finish, show

FASTER = 3.0

Turns = list[tuple[str, Request]]


def episode(trajectory: Trajectory, encoder: ChatEncoder) -> Turns:
    """The requests of an episode, in order."""
    conversation = render(trajectory, role="planner", layout=load_layout("shared"), observation_chars=256)
    row = encoder.row(conversation.messages, trained=())
    places = [i for i, message in enumerate(conversation.messages) if message.role == "assistant"]
    return [
        (
            role,
            Request(
                messages=conversation.messages[:place],
                generation=Generation(max_new_tokens=turn.end - turn.words, repetition_window=0),
                session=trajectory.id,
            ),
        )
        for role, place, turn in zip(conversation.speakers, places, row.turns, strict=True)
    ]


def run(turns: Turns, models: dict[str, LocalModel]) -> list[Completion]:
    """One episode from its first call to its last."""
    try:
        return [models[role].complete(request) for role, request in turns]
    finally:
        models["planner"].release(turns[0][1].session)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--episodes", type=int, default=16)
    options = parser.parse_args()
    encoder = ChatEncoder(load_tokenizer())
    source = store.read(options.data) if options.data else (t.gold for t in gym.generate(1000, seed=0))
    work = [episode(t, encoder) for t in islice((t for t in source if len(t.steps) > 1), options.episodes)]
    engine = Engine(load_base(), encoder)
    with tempfile.TemporaryDirectory() as scratch:
        make_adapters(Path(scratch))
        models = {
            role: LocalModel(engine, writer=engine.add_adapter(Path(scratch) / role), reader=BACKBONE) for role in ROLES
        }
    run(work[0][:2], models)  # first calls allocate
    begin = time.perf_counter()
    alone = [run(turns, models) for turns in work]
    one_by_one = time.perf_counter() - begin
    with ThreadPoolExecutor(len(work)) as threads:
        begin = time.perf_counter()
        together = list(threads.map(lambda turns: run(turns, models), work))
        at_once = time.perf_counter() - begin
    written = [sum(c.completion_tokens for turns in done for c in turns) for done in (alone, together)]
    same = sum(a.text == b.text for x, y in zip(alone, together, strict=True) for a, b in zip(x, y, strict=True))
    total = sum(len(turns) for turns in work)
    show(
        f"{len(work)} episodes, {total} role calls, LoRA roles over one shared context",
        ("", "tokens written", "seconds", "tokens/s"),
        [
            (name, f"{n:,}", f"{s:.1f}", f"{n / s:.1f}")
            for name, n, s in (("one after another", written[0], one_by_one), ("at once", written[1], at_once))
        ],
    )
    print(f"{same} of {total} completions are the same text; in bf16 ties may break otherwise in a batch")
    finish(
        "batched_agent",
        ratio=(written[1] / at_once) / (written[0] / one_by_one),
        target=FASTER,
        episodes=len(work),
        same_text=round(same / total, 3),
    )


if __name__ == "__main__":
    main()
