"""A LoRA adapter merged into the weights it was trained on, as training merges a backbone."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from alpha_umi.errors import ModelError
from alpha_umi.nn.peft_folder import check_whole, read_pairs


def merge_into(model: nn.Module, folder: Path) -> None:
    """Add an adapter to a model's weights in place: summed in fp32, rounded once to the weights' type.

    Bit for bit what PEFT's `merge_and_unload` makes of the model in fp32, rounded afterwards; therefore the product is
    scaled and not one of its factors. All is checked before a weight is changed.

    Args:
        model: of plain linear layers.
        folder: a PEFT folder.

    Raises:
        ModelError: more than low-rank products on linear layers, or products that do not fit.
    """
    pairs = read_pairs(folder)
    weights = [_linear(model, pair.path, folder).weight.data for pair in pairs]
    for pair, weight in zip(pairs, weights, strict=True):
        pair.check_fits(weight, folder)
    check_whole(model, pairs, folder)
    for pair, weight in zip(pairs, weights, strict=True):
        product = (pair.up.to(weight.device) @ pair.down.to(weight.device)) * pair.scale
        weight.copy_(weight.float() + product)


def _linear(model: nn.Module, path: str, folder: Path) -> nn.Linear:
    try:
        found = model.get_submodule(path)
    except AttributeError as error:
        raise ModelError(f"{folder} does not fit the model: it has no layer {path}") from error
    if not isinstance(found, nn.Linear):
        raise ModelError(f"{folder} adapts {path}, which is not a linear layer")
    return found
