"""A backbone's adapter merged into a base: bit for bit what PEFT makes of it, and nothing half done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from alpha_umi.errors import ModelError
from alpha_umi.team_files import load_team

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from safetensors.torch import load_file, save_file
    from tiny_models import save_adapter, tiny_llama

    from alpha_umi.models.local.base_weights import load_base
    from alpha_umi.nn.merging import merge_into

pytestmark = pytest.mark.model


def by_peft(model: Any, folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of a model with an adapter merged by PEFT: summed in fp32, rounded once."""
    dtype = model.dtype
    whole: Any = PeftModel.from_pretrained(model.float(), str(folder))
    merged: dict[str, torch.Tensor] = whole.merge_and_unload().to(dtype).state_dict()
    return merged


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize(
    "more",
    [
        {"r": 3, "lora_alpha": 5},  # a scale that rounds: the product is scaled, not its factors
        {"r": 4, "lora_alpha": 7, "use_rslora": True},
        {"r": 2, "lora_alpha": 4, "targets": ["lm_head", "q_proj"]},
    ],
)
def test_merged_tensors_are_pefts_bit_for_bit(precision: str, more: dict[str, Any], tmp_path: Path) -> None:
    dtype: torch.dtype = getattr(torch, precision)
    folder = save_adapter(tmp_path, 1, **more)
    tiny: list[Any] = [tiny_llama(), tiny_llama()]  # `to` is typed for other arguments than it takes
    ours, theirs = (model.to(dtype) for model in tiny)
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    merge_into(ours, folder)
    assert_equal(ours.state_dict(), by_peft(theirs, folder))
    assert any(not torch.equal(before[name], tensor) for name, tensor in ours.state_dict().items())


def test_the_shipped_backbone_is_what_it_was() -> None:
    backbone = load_team("default").backbone
    assert backbone is not None
    ours = load_base(dtype=torch.bfloat16)
    merge_into(ours, Path(backbone))
    assert_equal(ours.state_dict(), by_peft(load_base(dtype=torch.bfloat16), Path(backbone)))
    assert ours.dtype is torch.bfloat16
    assert not any(parameter.requires_grad for parameter in ours.parameters())


def without_weights(folder: Path) -> None:
    (folder / "adapter_model.safetensors").unlink()


def cut_short(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def with_strange_config(folder: Path) -> None:
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"use_dora": True}))


def with_tensors(folder: Path, **changed: torch.Tensor) -> None:
    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    last = sorted(tensors)[-1].rpartition(".lora_")[0]
    save_file(tensors | {f"{last}.lora_{name}.weight": tensor for name, tensor in changed.items()}, file)


def of_another_size(folder: Path) -> None:
    with_tensors(folder, B=torch.zeros(7, 4))


def one_half_missing(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    del tensors[next(name for name in tensors if name.endswith("lora_B.weight"))]
    save_file(tensors, file)


def of_another_model(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    save_file({name.replace("layers.1", "layers.9"): tensor for name, tensor in load_file(file).items()}, file)


def that_lost_a_layer(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    save_file({name: tensor for name, tensor in load_file(file).items() if "layers.1" not in name}, file)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (without_weights, "can be read"),
        (cut_short, "can be read"),
        (with_strange_config, "not a plain LoRA adapter"),
        (of_another_size, "does not fit"),
        (one_half_missing, "lora_B"),
        (of_another_model, "has no layer"),
        (that_lost_a_layer, "is not whole: it has nothing for"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_weight_is_changed(spoil: Any, found: str, tmp_path: Path) -> None:
    spoil(save_adapter(tmp_path, 1))
    model = tiny_llama()
    with pytest.raises(ModelError, match=found) as refused:
        merge_into(model, tmp_path)
    assert "\n" not in str(refused.value)
    untouched = tiny_llama().state_dict()
    assert_equal(model.state_dict(), untouched)
