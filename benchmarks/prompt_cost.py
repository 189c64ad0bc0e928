"""What a layout costs: the table of docs/prompts.md.

    python -m benchmarks.prompt_cost --data out_of_domain.json.gz [--limit 100]

For planner, caller and summarizer on trajectories in α-UMi's format: training rows and their tokens in one epoch, and
the tokens that are encoded when the same steps are asked for, each session keeping its cache. No model runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from alpha_umi.data.filters import Report
from alpha_umi.data.formats import alpha_umi_json
from alpha_umi.data.tokens import RowSettings, rows
from alpha_umi.models.local.base_weights import load_tokenizer
from alpha_umi.roles import ROLES
from alpha_umi.text.encoders import Encoder, encoder_for
from alpha_umi.text.layouts import Layout, load_layout
from alpha_umi.text.prompts import conversations
from alpha_umi.trajectory import Trajectory
from benchmarks.report import finish, show

LAYOUTS = ("shared", "paper", "published")
CONTEXT, RESERVE, OBSERVATION_CHARS = 8192, 256, 2048


class Cost(NamedTuple):
    """What a layout costs on some trajectories."""

    rows: int
    trained: int
    encoded: int


def cost(layout: Layout, trajectories: Sequence[Trajectory], encoder: Encoder) -> Cost:
    """Rows and tokens of training, and tokens encoded at inference."""
    sessions: list[tuple[str, ...]] = [tuple(ROLES)] if layout.shared else [(role,) for role in ROLES]
    lengths: list[int] = []
    encoded = 0
    for roles in sessions:
        reserve = dict.fromkeys(ROLES, RESERVE)
        settings = RowSettings(
            learns=roles, layout=layout, context=CONTEXT, reserve=reserve, observation_chars=OBSERVATION_CHARS
        )
        for trajectory in trajectories:
            lengths += [len(row.input_ids) for row in rows(trajectory, settings, encoder)]
            encoded += _encoded(trajectory, roles, layout, encoder)
    return Cost(len(lengths), sum(lengths), encoded)


def _encoded(trajectory: Trajectory, roles: Sequence[str], layout: Layout, encoder: Encoder) -> int:
    """Tokens that one session encodes: of each prompt what does not stand in the one before it with its completion."""
    count, held = 0, list[int]()
    for told in conversations(trajectory, role=roles[0], layout=layout):
        for target in (target for target in told.targets if target.role in roles):
            prompt = list(encoder.prompt(told.messages[: target.message]))
            pairs = enumerate(zip(held, prompt, strict=False))
            count += len(prompt) - next((i for i, (old, new) in pairs if old != new), min(len(held), len(prompt)))
            # A role's own cache holds what it wrote; the backbone's, which all roles share, has to read it first.
            end = target.message + 1
            held = prompt if layout.shared else list(encoder.row(told.messages[:end], trained=(end - 1,)).ids)
    return count


def main() -> None:
    """Count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="trajectories in α-UMi's format")
    parser.add_argument("--limit", type=int, default=100)
    options = parser.parse_args()
    trajectories = list(islice(alpha_umi_json.read(options.data, Report()), options.limit))
    tokenizer = load_tokenizer()
    found: dict[str, Cost] = {}
    for name in LAYOUTS:
        layout = load_layout(name)
        found[name] = cost(layout, trajectories, encoder_for(tokenizer, layout))
    show(
        f"{len(trajectories)} trajectories of {options.data.name}",
        ("layout", "rows", "tokens trained over", "tokens encoded when asked"),
        [(name, *(f"{number:,}" for number in each)) for name, each in found.items()],
    )
    ratio = found["shared"].encoded / found["published"].encoded
    finish("prompt_cost", ratio=ratio, target=0.5, layouts={name: each._asdict() for name, each in found.items()})


if __name__ == "__main__":
    main()
