"""Trainable LoRA adapters of several roles on one frozen backbone, each acting on its own stretch of packed tokens.

PEFT trains one adapter at a time and rebuilds which parameters want gradients when it switches, which neither one
forward pass for three roles nor DeepSpeed can live with. The sum is PEFT's, its initial weights are drawn as PEFT draws
them, and what is saved is an ordinary PEFT folder, an activated LoRA (arXiv 2504.12397) whose invocation is the tag.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from peft import LoraConfig
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import dropout, linear
from transformers import PreTrainedModel

from alpha_umi.model_card import is_called
from alpha_umi.training.stage import Lora
from alpha_umi.training.warm_start import tensors_of


class Acting:
    """Which adapters act in the next forward passes; one object for all layers of a model."""

    stretches: Sequence[tuple[str, int]] = ()
    """Role and number of packed tokens, in their order; empty: the backbone alone."""


class RoleLoraLinear(nn.Module):
    """A frozen linear layer with a low-rank addition for each role: y = W x + b + s B (A x)."""

    def __init__(
        self, base: nn.Linear, path: str, settings: Mapping[str, Lora], seeds: Mapping[str, int], acting: Acting
    ) -> None:
        super().__init__()
        self.base = base
        self._settings = settings
        self._acting = acting

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, device=base.weight.device)  # fp32: steps of 1e-5 vanish in bf16

        self.down = nn.ParameterDict({name: zeros(s.r, base.in_features) for name, s in settings.items()})
        self.up = nn.ParameterDict({name: zeros(base.out_features, s.r) for name, s in settings.items()})
        for name, down in self.down.items():
            # Drawn from a source of its own, so that a role begins alike whoever trains beside it.
            source = torch.Generator().manual_seed(seeds[name] ^ zlib.crc32(f"{name} {path}".encode()))
            drawn = nn.init.kaiming_uniform_(torch.empty(down.shape), a=math.sqrt(5), generator=source)
            down.data.copy_(drawn)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer; x is (1, tokens, in_features)."""
        y = linear(x, self.base.weight, self.base.bias)  # (1, tokens, out)
        if not self._acting.stretches:
            return y
        if len(self._acting.stretches) == 1:
            return y + self._added(self._acting.stretches[0][0], x)
        split = torch.split(x, [count for _, count in self._acting.stretches], 1)  # (1, tokens of one role, in) each
        parts = [self._added(name, part) for (name, _), part in zip(self._acting.stretches, split, strict=True)]
        return y + torch.cat(parts, 1)  # the parts again in the order of the tokens: (1, tokens, out)

    def _added(self, name: str, x: torch.Tensor) -> torch.Tensor:
        if name not in self.down:  # another role adapts this layer, this one does not
            return x.new_zeros((*x.shape[:-1], self.base.out_features))  # (1, tokens, out)
        settings = self._settings[name]
        if settings.dropout:
            x = dropout(x, settings.dropout, self.training)
        narrow = linear(x, self.down[name].to(x.dtype)) * (settings.alpha / settings.r)  # (1, tokens, rank)
        return linear(narrow, self.up[name].to(x.dtype))  # (1, tokens, out)


class RoleLoras:
    """The adapters of several roles on a model."""

    def __init__(self, model: PreTrainedModel, settings: Mapping[str, Lora], seeds: Mapping[str, int]) -> None:
        """Put fresh adapters on a model whose weights are frozen.

        Args:
            model: the backbone.
            settings: of each role; that the model has the layers they name is known before (`adapted.mistakes`).
            seeds: what each role's adapter is drawn from.
        """
        self.acting = Acting()
        self._settings = settings
        self._layers: dict[str, RoleLoraLinear] = {}
        for path, layer in list(model.named_modules()):
            here = {name: s for name, s in settings.items() if is_called(path, s.names)}
            if here and isinstance(layer, nn.Linear) and layer is not model.get_output_embeddings():
                self._layers[path] = RoleLoraLinear(layer, path, here, seeds, self.acting)
                parent, _, leaf = path.rpartition(".")
                setattr(model.get_submodule(parent), leaf, self._layers[path])

    def load(self, name: str, folder: Path) -> None:
        """Give a role the weights of a PEFT folder; that they fit is known before (`warm_start.check`)."""
        tensors = tensors_of(folder)
        with torch.no_grad():
            for key, parameter in self._tensors(name).items():
                parameter.copy_(tensors[key])

    def _tensors(self, name: str) -> dict[str, torch.Tensor]:
        """A role's parameters by PEFT's names in a file."""
        found = {}
        for path, layer in self._layers.items():
            if name in layer.down:
                found[f"base_model.model.{path}.lora_A.weight"] = layer.down[name]
                found[f"base_model.model.{path}.lora_B.weight"] = layer.up[name]
        return found

    def save(self, name: str, folder: Path, *, base: str, invocation: Sequence[int]) -> None:
        """Write a role's adapter as a PEFT folder.

        Args:
            name: the role.
            folder: where to.
            base: what the adapter belongs on, for PEFT's configuration.
            invocation: ids of the tag from which on it acts.
        """
        settings = self._settings[name]
        tensors = {key: p.detach().float().cpu().contiguous() for key, p in self._tensors(name).items()}
        LoraConfig(
            task_type="CAUSAL_LM",
            r=settings.r,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=list(settings.names),
            base_model_name_or_path=base,
            inference_mode=True,
            alora_invocation_tokens=list(invocation),
        ).save_pretrained(str(folder))
        save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
