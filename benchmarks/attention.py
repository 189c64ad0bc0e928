"""A training step of the backbone on a CPU: attention by blocks of plain products against torch's flash kernel.

The same model, adapter and rows (gym trajectories, two side by side), forward and backward; the ways take turns, so
that a slower minute of the machine is everybody's.

    python -m benchmarks.attention [--rows 12] [--rounds 3]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch
from torch.nn.functional import cross_entropy

import alpha_umi_gym as gym
from alpha_umi.data.tokens import IGNORED, RowSettings, collate, rows
from alpha_umi.models.local.base_weights import load_base, load_tokenizer
from alpha_umi.nn import blockwise_attention
from alpha_umi.roles import ROLES
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import load_layout
from alpha_umi.training.stage import Stage
from alpha_umi.training.trainer import adapt
from benchmarks.report import finish, show

FASTER = 1.2
"""Aimed at: attention is two fifths of a step, and a block computes half of it."""


def step(model: Any, batch: dict[str, torch.Tensor]) -> None:
    """Forward and backward over one batch, as the trainer does it."""
    labels = batch["labels"][:, 1:]
    learned = labels != IGNORED
    keep = learned.any(dim=0).nonzero().squeeze(-1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inputs = {key: batch[key] for key in ("input_ids", "attention_mask")}
        logits = model(**inputs, use_cache=False, logits_to_keep=keep).logits
    cross_entropy(logits[learned[:, keep]].float(), labels[:, keep][learned[:, keep]]).backward()  # type: ignore[no-untyped-call]
    model.zero_grad()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    encoder = ChatEncoder(load_tokenizer())
    settings = RowSettings(
        learns=ROLES,
        layout=load_layout("shared"),
        context=2048,
        reserve=dict.fromkeys(ROLES, 64),
        observation_chars=512,
    )
    made = (row for task in gym.generate(options.rows, seed=1) for row in rows(task.gold, settings, encoder))
    found = [{"input_ids": row.input_ids, "labels": row.labels} for row in made]
    found.sort(key=lambda row: len(row["input_ids"]))
    batches = [collate(found[i : i + 2], pad_id=0) for i in range(0, len(found), 2)]
    tokens = sum(len(row["input_ids"]) for row in found)
    base = load_base(dtype=torch.bfloat16)
    model = adapt(base, Stage(roles=ROLES, method="lora"))
    ways = {"torch's kernel": "sdpa", "blocks": blockwise_attention.CAUSAL}
    seconds = dict.fromkeys(ways, 0.0)
    for round_ in range(options.rounds + 1):
        for name, kernel in ways.items():
            base.config._attn_implementation = kernel
            begin = time.perf_counter()
            for batch in batches:
                step(model, dict(batch))
            if round_:  # the first is for warming up
                seconds[name] += time.perf_counter() - begin
    speeds = {name: tokens * options.rounds / spent for name, spent in seconds.items()}
    show(
        f"LoRA training of SmolLM2-135M, {len(found)} rows of {tokens // len(found)} tokens on average",
        ("attention", "tokens a second"),
        [(name, f"{speed:.0f}") for name, speed in speeds.items()],
    )
    finish(
        "attention", ratio=speeds["blocks"] / speeds["torch's kernel"], target=FASTER, threads=torch.get_num_threads()
    )


if __name__ == "__main__":
    main()
