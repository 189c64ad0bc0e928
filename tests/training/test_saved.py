"""No card without whole weights: what was saved is read back, and a loss that is not finite ends a run at once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runs import recipe_file

from alpha_umi.errors import WorkError
from alpha_umi.training import glpft, run_folder
from alpha_umi.training.recipe import Recipe, load_recipe
from alpha_umi.training.stages import StageWork

if TYPE_CHECKING:
    import torch
    from safetensors.torch import load_file, save_file
    from tiny_models import save_adapter, tiny_llama
    from transformers import MixtralConfig, MixtralForCausalLM

    from alpha_umi.training import callbacks, saved, sft
    from alpha_umi.training.trainer import StageTrainer

pytestmark = pytest.mark.model

NAN = float("nan")
SHAPE = "are of other shapes than the base's"
MISSING = "are missing"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, weights trained from it whole, in shards and as an adapter."""
    root = tmp_path_factory.mktemp("saved")
    tiny_llama().save_pretrained(root / "base")
    tiny_llama(seed=1).bfloat16().save_pretrained(root / "whole")
    tiny_llama(seed=1).save_pretrained(root / "shards", max_shard_size="5MB")
    save_adapter(root / "adapter", seed=1)
    return root


def recipe_on(base: Path) -> Recipe:
    stage = {"roles": ["planner"], "method": "lora", "lora": {"r": 4}}
    return Recipe.model_validate({"name": "x", "base": str(base), "stages": {"planner": stage}})


def test_whole_weights_are_let_through(folders: Path, tmp_path: Path) -> None:
    for kind in ("whole", "shards", "adapter"):
        saved.check(recipe_on(folders / "base"), "planner", folders / kind)
    tied = tiny_llama(tie_word_embeddings=True)
    tied.save_pretrained(tmp_path / "tied")
    saved.check(recipe_on(tmp_path / "tied"), "planner", tmp_path / "tied")
    experts = MixtralForCausalLM(
        MixtralConfig(vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1)
    )
    experts.save_pretrained(tmp_path / "experts")  # in a file each expert has tensors of its own
    saved.check(recipe_on(tmp_path / "experts"), "planner", tmp_path / "experts")


def _empty(tensors: dict[str, torch.Tensor], name: str) -> None:
    tensors[name] = torch.empty(0)


def _nan(tensors: dict[str, torch.Tensor], name: str) -> None:
    tensors[name].view(-1)[-1] = NAN


def _infinite(tensors: dict[str, torch.Tensor], name: str) -> None:
    tensors[name].view(-1)[0] = float("inf")


def _other(tensors: dict[str, torch.Tensor], name: str) -> None:
    tensors[name] = tensors[name].T.contiguous()


def _gone(tensors: dict[str, torch.Tensor], name: str) -> None:
    del tensors[name]


@pytest.mark.parametrize(
    ("change", "words"),
    [(_empty, "are empty"), (_nan, "not finite"), (_infinite, "not finite"), (_other, SHAPE), (_gone, MISSING)],
)
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("whole", "model.layers.1.mlp.up_proj.weight"),
        ("shards", "model.embed_tokens.weight"),
        ("adapter", "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"),
    ],
)
def test_weights_that_are_not_whole_have_no_card(
    folders: Path, tmp_path: Path, kind: str, name: str, change: Callable[..., None], words: str
) -> None:
    shutil.copytree(folders / kind, tmp_path / kind)
    file = next(p for p in sorted((tmp_path / kind).glob("*.safetensors")) if name in load_file(p))
    tensors = load_file(file)
    change(tensors, name)
    save_file(tensors, file, metadata={"format": "pt"})
    if kind == "adapter" and words in {SHAPE, MISSING}:
        words = "are missing, or of other shapes"
    with pytest.raises(WorkError, match=rf"so it has no card: {name} .*{words}"):
        saved.check(recipe_on(folders / "base"), "planner", tmp_path / kind)


def test_a_shard_that_is_gone_or_cut_short_is_missed(folders: Path, tmp_path: Path) -> None:
    shutil.copytree(folders / "shards", tmp_path / "shards")
    file = sorted((tmp_path / "shards").glob("*.safetensors"))[0]
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(WorkError, match="was saved and cannot be read"):
        saved.check(recipe_on(folders / "base"), "planner", tmp_path / "shards")
    file.unlink()
    with pytest.raises(WorkError, match=MISSING):
        saved.check(recipe_on(folders / "base"), "planner", tmp_path / "shards")
    (tmp_path / "none").mkdir()
    with pytest.raises(WorkError, match="all tensors are empty"):
        saved.check(recipe_on(folders / "base"), "planner", tmp_path / "none")


def pretend(monkeypatch: pytest.MonkeyPatch, loss: Callable[[int, torch.Tensor], torch.Tensor]) -> list[int]:
    """Let the trainer's losses be some function of the call's number and a weight; returns the calls made."""
    calls: list[int] = []

    def compute(_: Any, model: Any, inputs: Any, **more: Any) -> torch.Tensor:
        calls.append(len(calls) + 1)
        return loss(len(calls), next(p for p in model.parameters() if p.requires_grad).float().mean())

    monkeypatch.setattr(StageTrainer, "compute_loss", compute)
    return calls


def backbone(tiny: Path, data: Path, tmp_path: Path) -> Recipe:
    """Two updates an epoch, of four micro-batches each."""
    path = recipe_file(tmp_path, tiny, data, limit=8, log_steps=5)
    return load_recipe(str(path), overrides=["defaults.micro_batch=1", "stages.backbone.epochs=3", "precision=fp32"])


@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_a_loss_that_is_not_finite_ends_the_run_at_once(
    tiny: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """In the second micro-batch of the second update, with gradients that are finite and no update logged."""
    calls = pretend(monkeypatch, lambda n, weight: weight * 0 + (value if n == 6 else 1.0))
    with pytest.raises(
        WorkError, match=r"^backbone: the loss is not finite in update 2 of 6, so training stopped"
    ) as error:
        glpft.train(backbone(tiny, data, tmp_path), tmp_path / "run", stage="backbone")
    assert calls[-1] == 6
    assert "\n" not in str(error.value)
    assert not run_folder.is_finished(tmp_path / "run", "backbone")


def test_a_gradient_that_is_not_finite_ends_the_run(
    tiny: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its loss is: the slope of a square root at nought."""
    calls = pretend(monkeypatch, lambda n, weight: (weight * 0).sqrt() if n == 7 else weight * 0 + 1)
    with pytest.raises(WorkError, match=r"the gradient norm is (nan|inf) in update 2 of 6"):
        glpft.train(backbone(tiny, data, tmp_path), tmp_path / "run", stage="backbone")
    assert calls[-1] == 8, "at the update"
    assert not (tmp_path / "run" / "backbone" / "card.json").exists()


def test_weights_saved_empty_have_no_card(
    tiny: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, lambda _, weight: weight)
    save = sft.save

    def broken(work: StageWork, made: Any) -> None:
        save(work, made)
        file = work.folder("backbone") / "model.safetensors"
        save_file({name: torch.empty(0) for name in load_file(file)}, file, metadata={"format": "pt"})

    monkeypatch.setattr(sft, "save", broken)
    with pytest.raises(WorkError, match=r"backbone was saved broken, so it has no card: .* and \d+ more are empty"):
        glpft.train(backbone(tiny, data, tmp_path), tmp_path / "run", stage="backbone")
    assert not (tmp_path / "run" / "backbone" / "card.json").exists()


def test_a_base_of_nan_is_refused_by_the_first_update(tiny: Path, data: Path, tmp_path: Path) -> None:
    """For real, roles over a shared context too."""
    broken = tmp_path / "nan"
    shutil.copytree(tiny, broken)
    tensors = load_file(broken / "model.safetensors")
    tensors["model.norm.weight"][0] = NAN
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    for stages, title in (({"backbone": {}}, "backbone"), ({"planner": {"start": "base"}}, "planner")):
        gone = {name: None for name in ("backbone", "planner", "caller", "summarizer") if name not in stages}
        sets = [f"stages.{name}=null" for name in gone] + [f"stages.{title}.start=base", "limit=1", "precision=fp32"]
        recipe = load_recipe("smoke", overrides=[f"base={broken}", f"data={data}", *sets])
        with pytest.raises(WorkError, match=f"^{title}: the loss is not finite in update 1"):
            glpft.train(recipe, tmp_path / title)
        assert not (tmp_path / title / title / "card.json").exists()
        assert not (tmp_path / title / "metrics.jsonl").exists()


def test_metrics_are_json_whatever_they_measure(tmp_path: Path) -> None:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    metrics = callbacks.MetricsCallback(tmp_path / "metrics.jsonl", ["a"])
    metrics.trainer = type("", (), {"tokens_seen": 1, "targets_seen": 1})()
    state, logs = TrainerState(global_step=1, max_steps=2), {"loss": 1.5, "grad_norm": NAN, "learning_rate": 0.1}
    metrics.on_log(TrainingArguments(output_dir=str(tmp_path)), state, TrainerControl(), logs)

    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    line = json.loads((tmp_path / "metrics.jsonl").read_text(), parse_constant=no_constant)
    assert (line["loss"], line["grad_norm"]) == (1.5, None)
