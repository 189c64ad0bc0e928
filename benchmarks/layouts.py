"""Does the shared context cost quality? `paper` and `shared` beside one another, on the same data and targets.

For each seed and layout a backbone is trained once; from it, for each method (LoRA of rank 8 and 32, full), the three
roles on the same trajectories. Each team is then scored on the held-out tasks. Everything is kept in the folder, so
that the command can be stopped and given again: what is there is not done twice.

    python -m benchmarks.layouts --data DIR/train --test DIR/test --out FOLDER [--limit N] [--test-limit N]

Prints a table of static metrics with 95 % intervals, each role's held-out loss, and the processor seconds that training
the roles took.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from alpha_umi.data import packed_targets, store
from alpha_umi.data.tokens import IGNORED, Row, RowSettings, rows
from alpha_umi.model_card import is_adapter
from alpha_umi.models.local.base_weights import load_base, load_tokenizer
from alpha_umi.roles import ROLES
from alpha_umi.team_files import load_team
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import Layout, load_layout
from alpha_umi.training import glpft
from alpha_umi.training.joint_trainer import SharedRoles
from alpha_umi.training.recipe import Recipe, load_recipe
from alpha_umi.training.stage import Lora, Stage
from alpha_umi.trajectory import Trajectory
from benchmarks.report import finish, show

METHODS = ("lora8", "lora32", "full")
LAYOUTS = ("paper", "shared")
RATES = {"lora8": 1e-3, "lora32": 1e-3, "full": 1e-4}
METRICS = ("plan_acc", "act_em", "arg_f1", "rouge_l")


class Cell(NamedTuple):
    """One team: where it is trained, and how."""

    seed: int
    layout: str
    method: str

    def folder(self, out: Path) -> Path:
        return out / f"{self.layout}-{self.seed}" / self.method


def backbone(out: Path, cell: Cell, options: argparse.Namespace) -> Path:
    """Train a layout's backbone once for all methods."""
    run = cell.folder(out).parent / "stage1"
    recipe = _recipe(cell, options, ["stages.planner=null", "stages.caller=null", "stages.summarizer=null"])
    glpft.train(recipe, run, resume=(run / "recipe.yaml").is_file())
    return run / "backbone"


def roles(out: Path, cell: Cell, start: Path, options: argparse.Namespace) -> Path:
    """Train the three roles from a backbone; writes the seconds it took."""
    run = cell.folder(out)
    sets = ["stages.backbone=null", f"base={start}"]
    method = "full" if cell.method == "full" else "lora"
    for role in ROLES:
        at = f"stages.{role}"
        sets += [f"{at}.start=base", f"{at}.method={method}", f"{at}.learning_rate={RATES[cell.method]}"]
        if method == "lora":
            rank = int(cell.method.removeprefix("lora"))
            sets += [f"{at}.lora={{r: {rank}, alpha: {2 * rank}}}"]
    sets += options.set
    begin, spent = time.process_time(), _seconds(run)
    try:
        glpft.train(_recipe(cell, options, sets), run, resume=(run / "recipe.yaml").is_file())
    finally:  # an interrupted run counts what it did
        if run.is_dir():
            spent += time.process_time() - begin
            (run / "seconds.json").write_text(json.dumps(spent), encoding="utf-8")
    return run


def _seconds(run: Path) -> float:
    """Processor seconds that training the roles took so far: unlike a clock's, the same on a busy machine."""
    path = run / "seconds.json"
    return float(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else 0.0


def _recipe(cell: Cell, options: argparse.Namespace, sets: Sequence[str]) -> Recipe:
    team = "umi-shared" if cell.layout == "shared" else "umi"
    common = [
        f"team={team}",
        f"seed={cell.seed}",
        f"data={options.data}",
        f"limit={options.limit}",
        f"observation_chars={options.observation_chars}",
        "save_steps=50",
    ]
    return load_recipe("cpu", overrides=[*common, *sets])


def metrics(run: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Static metrics of a team on the held-out trajectories, by the command; what was predicted is kept."""
    words = ["evaluate", "static", "--data", options.test, "--team", str(run), "--out", str(run / "eval"), "--json"]
    words += ["--limit", str(options.test_limit), "--batch", "8"]
    done = subprocess.run([sys.executable, "-m", "alpha_umi", *words], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def losses(run: Path, cell: Cell, options: argparse.Namespace) -> dict[str, float]:
    """Held-out loss per target token of each role."""
    path = run / "losses.json"
    if not path.is_file():
        encoder = ChatEncoder(load_tokenizer())
        trajectories = list(islice(store.read(Path(options.test)), options.test_limit))
        measure = _shared_loss if cell.layout == "shared" else _paper_loss
        found = {v: measure(run, v, trajectories, encoder, options.observation_chars) for v in ROLES}
        path.write_text(json.dumps(found), encoding="utf-8")
    kept: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _rows(role: str, layout: Layout, trajectories: Sequence[Trajectory], encoder: ChatEncoder, chars: int) -> list[Row]:
    settings = RowSettings(learns=(role,), layout=layout, context=2048, reserve={role: 256}, observation_chars=chars)
    return [row for t in trajectories for row in rows(t, settings, encoder)]


def target_tokens(layout: Layout, options: argparse.Namespace) -> dict[str, int]:
    """Tokens that each role learns in one epoch: what both layouts must have alike, but for who reads what."""
    encoder = ChatEncoder(load_tokenizer())
    trajectories = list(islice(store.read(Path(options.data)), options.limit))
    return {
        role: sum(
            label != IGNORED
            for row in _rows(role, layout, trajectories, encoder, options.observation_chars)
            for label in row.labels
        )
        for role in ROLES
    }


@torch.inference_mode()
def _paper_loss(run: Path, role: str, trajectories: Sequence[Trajectory], encoder: ChatEncoder, chars: int) -> float:
    team = load_team(str(run))
    folder = Path(team.role(role).weights or team.base)
    model: Any = load_base(team.base if is_adapter(folder) else str(folder))
    if is_adapter(folder):
        model = PeftModel.from_pretrained(model, folder)
    total, count = 0.0, 0
    for row in _rows(role, load_layout("paper"), trajectories, encoder, chars):
        labels = torch.tensor(row.labels[1:])
        learned = labels != IGNORED
        logits = model(input_ids=torch.tensor([row.input_ids[:-1]]), use_cache=False).logits[0]
        total += float(cross_entropy(logits[learned].float(), labels[learned], reduction="sum"))
        count += int(learned.sum())
    return total / count


@torch.inference_mode()
def _shared_loss(run: Path, role: str, trajectories: Sequence[Trajectory], encoder: ChatEncoder, chars: int) -> float:
    team = load_team(str(run))
    folder = Path(team.role(role).weights or team.base)
    if is_adapter(folder):
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        stage = Stage(roles=(role,), method="lora", lora=Lora(r=config["r"], alpha=config["lora_alpha"]))
        roles = SharedRoles(load_base(team.base), {role: stage}, {})
        saved = load_file(folder / "adapter_model.safetensors")
        for name, p in roles.trained().items():
            path, kind, _ = name.removeprefix("backbone.").rsplit(".", 2)
            p.copy_(saved[f"base_model.model.{path}.lora_{'A' if kind == 'down' else 'B'}.weight"])
    else:
        roles = SharedRoles(load_base(team.base), {role: Stage(roles=(role,))}, {role: load_base(str(folder))})
    roles.eval()
    total, count = 0.0, 0
    for row in _rows(role, load_layout("shared"), trajectories, encoder, chars):
        batch = packed_targets.collate([packed_targets.columns(row)], pad_id=encoder.end_ids[0])
        total += float(roles(**batch).sum())
        count += int((batch["spans"][:, 5] - batch["spans"][:, 4]).sum())
    return total / count


def report(runs: Mapping[Cell, Path], options: argparse.Namespace) -> None:
    """Score every team and print them beside one another."""
    lines, found = [], []
    for cell, run in runs.items():
        scored, lost = metrics(run, options), losses(run, cell, options)
        seconds = _seconds(run)
        values = {key: scored[key] for key in METRICS if key in scored}
        found.append(cell._asdict() | {"metrics": values, "losses": lost, "seconds": seconds})
        shown = [
            f"{100 * m['value']:.0f} [{100 * m['low']:.0f}, {100 * m['high']:.0f}]" if m["n"] else "-"
            for m in values.values()
        ]
        lost_shown = [f"{lost[role]:.3f}" for role in ROLES]
        lines.append((cell.layout, cell.method, str(cell.seed), *shown, *lost_shown, f"{seconds:.0f}"))
    show(
        f"{options.test_limit} held-out trajectories of {Path(options.test).name}, {options.limit} to train on",
        ("layout", "method", "seed", *METRICS, *(f"loss {role}" for role in ROLES), "cpu seconds"),
        sorted(lines),
    )

    def accuracy(layout: str) -> float:
        chosen = [float(each["metrics"]["plan_acc"]["value"]) for each in found if each["layout"] == layout]
        return sum(chosen) / max(1, len(chosen))

    paper = accuracy("paper")
    ratio = accuracy("shared") / paper if paper else float("nan")
    learned = {layout: target_tokens(load_layout(layout), options) for layout in LAYOUTS}
    finish("layouts", ratio=ratio, target=1.0, target_tokens=learned, teams=found)


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of trajectories to train on, or gym:N")
    parser.add_argument("--test", required=True, help="folder of held-out trajectories, or gym:N")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--test-limit", type=int, default=40)
    parser.add_argument("--observation-chars", type=int, default=256)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--set", action="append", default=[], help="override a value of the role stages' recipe")
    parser.add_argument("--train-only", action="store_true")
    options = parser.parse_args()
    cells = [Cell(seed, layout, m) for seed, m, layout in product(options.seeds, options.methods, LAYOUTS)]
    runs = {cell: roles(options.out, cell, backbone(options.out, cell, options), options) for cell in cells}
    if not options.train_only:
        report(runs, options)


if __name__ == "__main__":
    main()
