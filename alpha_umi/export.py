"""A trained team -> a folder of its own, for others to use.

`peft` keeps what was trained as LoRA as adapters: a few megabytes over a base that everybody has, the backbone's among
them. Knows nothing of training; reads only what a run left behind.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from alpha_umi.digests import backbone_digest, weights_digest
from alpha_umi.errors import UsageError
from alpha_umi.model_card import ADAPTER, CARD_FILE, Card, is_adapter, read_card, write_card
from alpha_umi.resources import TEAM_FILE
from alpha_umi.roles import Team
from alpha_umi.text.layouts import layouts


def to_peft(team: Team, out: Path) -> Path:
    """Write a team as PEFT adapters in bf16 over its base, with their cards and `team.yaml`.

    Returns:
        The folder, a team.

    Raises:
        UsageError: the folder is not empty, or a part of the team was not trained as LoRA.
        ModelError: its parts do not fit one another today.
    """
    from alpha_umi.models.local.bases import base_digest
    from alpha_umi.models.local.loading import check_team

    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty: give another --out")
    sources = {name: Path(role.weights) for name, role in team.roles.items() if role.weights is not None}
    whole = read_card(Path(team.base)) if Path(team.base).is_dir() else None
    _check(team, sources, whole)
    check_team(team)
    text: dict[str, Any] = {"name": out.name, "description": team.description, "prompts": _prompts(team, out)}
    text |= {"base": team.base if whole is None else whole.base}
    if whole is not None:
        _copy(Path(team.base) / ADAPTER, out / "backbone", whole.base)
        merged = weights_digest(Path(team.base))
        write_card(out / "backbone", whole.model_copy(update={"kind": "lora", "merged_digest": merged}))
    elif team.backbone is not None:
        _copy(Path(team.backbone), out / "backbone", team.base)
    stands_on = base_digest(text["base"])
    if whole is not None or team.backbone is not None:
        text |= {"backbone": "backbone"}
        _say_base(out / "backbone", stands_on)
        stands_on = backbone_digest(stands_on, out / "backbone")
    for name, folder in sources.items():
        _copy(folder, out / name, text["base"])
        _say_base(out / name, stands_on)
    text |= {"observation_chars": team.observation_chars, "context": team.context}
    text |= {"constrained": team.constrained, "merge_adapters": team.merge_adapters}
    text["roles"] = {
        name: role.model_dump(mode="json", exclude_none=True, exclude={"weights"})
        | ({"weights": name} if name in sources else {})
        for name, role in team.roles.items()
    }
    (out / TEAM_FILE).write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")
    return out


def _prompts(team: Team, out: Path) -> str:
    """The layout as the exported team names it; one of the user's own goes with it."""
    if team.prompts in layouts():
        return team.prompts
    shutil.copytree(team.layout.folder, out / "prompts")
    return "./prompts"


def _check(team: Team, sources: Mapping[str, Path], whole: Card | None) -> None:
    """Refuse a team that is not made of adapters; `whole` is the card of a base that was trained."""
    if not sources and whole is None and team.backbone is None:
        raise UsageError(f"the team '{team.name}' holds nothing that was trained")
    for name, folder in sources.items():
        if not is_adapter(folder):
            raise UsageError(f"the {name} is a whole model, not a LoRA adapter: train it with method: lora")
    if whole is not None and (Path(team.base).parent / whole.base / CARD_FILE).is_file():
        raise UsageError(f"the backbone {team.base} continued from another stage, '{whole.base}': it is no one adapter")
    if whole is not None and not is_adapter(Path(team.base) / ADAPTER):
        raise UsageError(f"the backbone {team.base} was not trained as LoRA: train it with method: lora")


def _copy(source: Path, target: Path, base: str) -> None:
    """The files of an adapter, its weights as bf16, and its card."""
    import torch
    from safetensors.torch import load_file, save_file

    target.mkdir(parents=True)
    config = json.loads((source / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base  # not the folder it was trained in
    (target / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    tensors = {
        name: tensor.to(torch.bfloat16) for name, tensor in load_file(source / "adapter_model.safetensors").items()
    }
    save_file(tensors, target / "adapter_model.safetensors", metadata={"format": "pt"})
    if (card := read_card(source)) is not None:
        write_card(target, card)


def _say_base(folder: Path, digest: str) -> None:
    """Let a card name what its adapter stands on in this folder, by today's rule."""
    if (card := read_card(folder)) is not None:
        write_card(folder, card.model_copy(update={"base_digest": digest}))


def size_of(folder: Path) -> int:
    """Bytes of all files under a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
