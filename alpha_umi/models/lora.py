"""LoRA adapters that cost little while decoding: one plain module per linear layer, several roles in it.

PEFT's own layer checks dtypes, dropout, variants and merge state on every call, which on a CPU costs about as much as
the low-rank products themselves. This module reads ordinary PEFT folders and computes the same sum, nothing else.
Training uses PEFT; this is for inference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import linear

from alpha_umi.errors import ModelError

_PREFIX = "base_model.model."


class RoleLinear(nn.Module):
    """A linear layer with one low-rank addition per role: y = W x + b + s B (A x) for the active role."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.parts: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        self.active: tuple[torch.Tensor, torch.Tensor] | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer; x is (..., in_features)."""
        y = linear(x, self.base.weight, self.base.bias)
        if self.active is not None:
            down, up = self.active
            if x.numel() == x.shape[-1]:
                y.view(-1).add_(torch.mv(up, torch.mv(down, x.view(-1).to(down.dtype))))
            else:
                y += linear(linear(x, down.to(x.dtype)), up.to(x.dtype))
        return y


class Adapters:
    """The adapters that one model holds; exactly one, or none, is active."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._layers: dict[str, RoleLinear] = {}
        self._active: str | None = None
        self.names: list[str] = []

    def add(self, folder: Path, name: str) -> None:
        """Load an adapter from a PEFT folder.

        Raises:
            ModelError: more than low-rank products on linear layers, or products that do not fit.
        """
        self.activate(None)
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        more = ("use_dora", "lora_bias", "modules_to_save", "alpha_pattern", "rank_pattern", "alora_invocation_tokens")
        odd = [key for key in more if config.get(key)]
        if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none" or odd:
            raise ModelError(f"{folder} is not a plain LoRA adapter ({', '.join(odd) or config.get('peft_type')})")
        root = config["r"] ** 0.5 if config.get("use_rslora") else config["r"]
        scale = config["lora_alpha"] / root
        tensors = load_file(folder / "adapter_model.safetensors")
        if strange := [key for key in tensors if not key.endswith((".lora_A.weight", ".lora_B.weight"))]:
            raise ModelError(f"{folder} holds more than low-rank products on linear layers: {strange[0]}")
        for path, down, up in _pairs(tensors):
            layer = self._layer(path, folder)
            weight = layer.base.weight
            if up.shape[0] != weight.shape[0] or down.shape[1] != weight.shape[1]:
                raise ModelError(f"{folder} does not fit the model: {path} is {tuple(weight.shape)}")
            # Of these sizes a bf16 matrix-vector product costs a CPU ten times an fp32 one; a token takes 14 a layer.
            dtype = torch.float32 if weight.device.type == "cpu" else weight.dtype
            layer.parts[name] = (
                down.to(weight.device, dtype).contiguous(),
                (up * scale).to(weight.device, dtype).contiguous(),
            )
        self.names.append(name)

    def activate(self, name: str | None) -> None:
        """Make one adapter act, or none."""
        if name == self._active:
            return
        for layer in self._layers.values():
            layer.active = layer.parts.get(name) if name is not None else None
        self._active = name

    def _layer(self, path: str, folder: Path) -> RoleLinear:
        if path not in self._layers:
            parent_path, _, leaf = path.rpartition(".")
            try:
                parent = self._model.get_submodule(parent_path)
                found = getattr(parent, leaf)
            except AttributeError as error:
                raise ModelError(f"{folder} does not fit the model: it has no layer {path}") from error
            if not isinstance(found, nn.Linear):
                raise ModelError(f"{folder} adapts {path}, which is not a linear layer")
            self._layers[path] = RoleLinear(found)
            setattr(parent, leaf, self._layers[path])
        return self._layers[path]


def _pairs(tensors: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """Layer path, A (rank x in) and B (out x rank) of each adapted layer."""
    for key, down in tensors.items():
        if key.endswith(".lora_A.weight"):
            path = key.removeprefix(_PREFIX).removesuffix(".lora_A.weight")
            yield path, down, tensors[key.replace(".lora_A.", ".lora_B.")]
