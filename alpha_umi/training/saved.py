"""Saved weights, read back before a card says that they are whole: every tensor there, finite and of its shape.

What a distributed run holds in parts, or a loss that was not finite, is saved without a word by the libraries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpha_umi.errors import WorkError
from alpha_umi.model_card import ADAPTER, is_adapter
from alpha_umi.training import adapted
from alpha_umi.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]


def check(recipe: Recipe, stage: str, folder: Path) -> None:
    """Read back what a stage saved.

    Raises:
        WorkError: a tensor is missing, empty, not finite, or of another shape than the base has.
    """
    lora = recipe.stages[stage].lora
    if is_adapter(folder):
        _check(folder, adapted.shapes(recipe.base, lora))
        return
    _check_model(folder, recipe.base)
    if is_adapter(folder / ADAPTER):
        _check(folder / ADAPTER, adapted.shapes(recipe.base, lora))


def _check(folder: Path, wanted: Shapes) -> None:
    """An adapter holds exactly the tensors that it should."""
    found = _check_values(folder)
    if wrong := sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)):
        raise _broken(folder, wrong, "are missing, or of other shapes than the base's layers")


def _check_model(folder: Path, base: str) -> None:
    """A model holds as many numbers as its base, and tensors of one name have one shape; some architectures are saved
    under other names than they are held."""
    from alpha_umi.models.local.base_weights import outline

    model = outline(base)
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = _check_values(folder)
    if wrong := sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name]):
        raise _broken(folder, wrong, "are of other shapes than the base's")
    if sum(map(prod, found.values())) != (total := _numbers(model)):
        raise _broken(
            folder, sorted(wanted.keys() - found.keys()), f"are missing: it holds not the base's {total} numbers"
        )


def _numbers(model: Any) -> int:
    """Numbers that a model's file holds: of tied weights once."""
    held = {id(tensor): tensor.numel() for tensor in model.state_dict(keep_vars=True).values()}
    return sum(held.values())


def _check_values(folder: Path) -> Shapes:
    """Shapes of a folder's tensors, none of them empty and all of them finite."""
    import torch

    shapes: dict[str, tuple[int, ...]] = {}
    empty, odd = [], []
    for name, tensor in _tensors(folder):
        shapes[name] = tuple(tensor.shape)
        if tensor.numel() == 0:
            empty.append(name)
        elif tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            odd.append(name)
    if empty or not shapes:
        raise _broken(folder, empty, "are empty")
    if odd:
        raise _broken(folder, odd, "hold numbers that are not finite")
    return shapes


def _tensors(folder: Path) -> Iterator[tuple[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118
                    yield name, file.get_tensor(name)
        except (OSError, SafetensorError) as error:
            raise WorkError(f"{path} was saved and cannot be read: {error}") from error


def _broken(folder: Path, names: list[str], what: str) -> WorkError:
    shown = (
        f"{', '.join(names[:2])}{f' and {len(names) - 2} more' if len(names) > 2 else ''}" if names else "all tensors"
    )
    return WorkError(f"{folder} was saved broken, so it has no card: {shown} {what}")
