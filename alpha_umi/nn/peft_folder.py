"""A LoRA adapter as PEFT keeps it in a folder: read without PEFT, whose import alone takes seconds.

`adapter_config.json` says what the products are multiplied by, `adapter_model.safetensors` holds them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from alpha_umi.errors import ModelError
from alpha_umi.model_card import is_called

_PREFIX = "base_model.model."


class Pair(NamedTuple):
    """What is added to one linear layer's weight: scale * (up @ down)."""

    path: str
    """Of the layer in the model."""
    down: torch.Tensor
    """A, (rank, in), fp32."""
    up: torch.Tensor
    """B, (out, rank), fp32."""
    scale: float

    def check_fits(self, weight: torch.Tensor, folder: Path) -> None:
        """Refuse a layer of another size.

        Raises:
            ModelError: it is.
        """
        if (self.up.shape[0], self.down.shape[1]) != tuple(weight.shape):
            raise ModelError(f"{folder} does not fit the model: {self.path} is {tuple(weight.shape)}")


def read_pairs(folder: Path, *, invocation: Sequence[int] = ()) -> list[Pair]:
    """The products of a plain LoRA adapter.

    Args:
        folder: `adapter_config.json` and `adapter_model.safetensors`.
        invocation: ids of the tag from which on it is going to act. An activated LoRA must name the same.

    Raises:
        ModelError: the files cannot be read, hold more than low-rank products, or name another tag.
    """
    try:
        scale = _scale(folder, invocation)
        tensors = load_file(folder / "adapter_model.safetensors")
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(f"{folder} holds no LoRA adapter that can be read: {error}") from error
    return [Pair(path, down.float(), up.float(), scale) for path, down, up in _pairs(tensors, folder)]


def check_whole(model: nn.Module, pairs: Sequence[Pair], folder: Path) -> None:
    """Refuse an adapter that lacks layers of those which its configuration names.

    Raises:
        ModelError: it does.
    """
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    names = config.get("target_modules")
    if not isinstance(names, list) or any(config.get(key) for key in ("layers_to_transform", "exclude_modules")):
        return
    wanted = {p for p, m in model.named_modules() if isinstance(m, nn.Linear) and is_called(p, names)}
    if lost := sorted(wanted - {pair.path for pair in pairs}):
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        raise ModelError(f"{folder} is not whole: it has nothing for {lost[0]}{more}")


def _scale(folder: Path, invocation: Sequence[int]) -> float:
    """What the products are multiplied by.

    Raises:
        ModelError: the folder is not plain LoRA, or is activated by another tag.
    """
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    activated = config.get("alora_invocation_tokens")
    more = ["use_dora", "lora_bias", "modules_to_save", "alpha_pattern", "rank_pattern", "fan_in_fan_out"]
    odd = [key for key in more if config.get(key)]
    if activated and not invocation:
        odd.append("alora_invocation_tokens")
    if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none" or odd:
        raise ModelError(f"{folder} is not a plain LoRA adapter ({', '.join(odd) or config.get('peft_type')})")
    if activated and list(activated) != list(invocation):
        raise ModelError(f"{folder} is activated by the tokens {activated}, but the role's tag is {list(invocation)}")
    root = config["r"] ** 0.5 if config.get("use_rslora") else config["r"]
    return float(config["lora_alpha"] / root)


def _pairs(tensors: dict[str, torch.Tensor], folder: Path) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """Layer path, A and B of each adapted layer.

    Raises:
        ModelError: there are tensors beside them, or one is missing.
    """
    if strange := [key for key in tensors if not key.endswith((".lora_A.weight", ".lora_B.weight"))]:
        raise ModelError(f"{folder} holds more than low-rank products on linear layers: {strange[0]}")
    for key, down in tensors.items():
        if key.endswith(".lora_A.weight"):
            if (other := key.replace(".lora_A.", ".lora_B.")) not in tensors:
                raise ModelError(f"{folder} is not whole: it has no {other}")
            yield key.removeprefix(_PREFIX).removesuffix(".lora_A.weight"), down, tensors[other]
