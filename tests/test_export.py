"""A trained team as a few megabytes of adapters: it must be the same team, and refuse to be another."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from runs import command, recipe_file

from alpha_umi import load_models, load_team
from alpha_umi.errors import ModelError, UsageError
from alpha_umi.evaluation.records import team_digest
from alpha_umi.export import to_peft
from alpha_umi.model_card import read_card
from alpha_umi.models.protocol import Generation, Message, Request

if TYPE_CHECKING:
    import torch
    from safetensors.torch import load_file, save_file

    from alpha_umi.models.local.loading import check_team

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny: Path, data: Path) -> Path:
    """Backbone and roles as LoRA, as the recipe `gym` has them."""
    folder = tmp_path_factory.mktemp("lora")
    stages = {"backbone": {"method": "lora", "learning_rate": 0.02}}
    recipe = recipe_file(folder, tiny, data, layout="shared", team="umi-shared", stages=stages)
    done = subprocess.run(command(recipe, folder / "run"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture(scope="module")
def exported(run: Path) -> Path:
    """What the command makes of it."""
    out = run.parent / "exported"
    done = subprocess.run(
        [sys.executable, "-m", "alpha_umi", "export", str(run), "--to", "peft", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{out} is a team of" in done.stdout
    return out


def test_the_exported_team_is_the_team(run: Path, exported: Path) -> None:
    request = Request(
        messages=[Message(role="system", content="Tools."), Message(role="user", content="When is it?\n[planner]")],
        generation=Generation(max_new_tokens=24, repetition_window=0),
    )
    ours: Any = load_models(load_team(str(run)))
    theirs: Any = load_models(load_team(str(exported)))
    whole, merged = (dict(models["planner"].engine.model.named_parameters()) for models in (ours, theirs))
    for name, parameter in whole.items():
        # The adapter travels as bf16, so a sum may round to the neighbour.
        torch.testing.assert_close(merged[name].float(), parameter.float(), rtol=2**-6, atol=3e-3)
    assert ours["planner"].complete(request).text
    assert theirs["planner"].complete(request).completion_tokens == 24


def test_weights_may_be_read_by_whoever_may_read_their_card(run: Path, exported: Path) -> None:
    weights = [*run.rglob("*.safetensors"), *exported.rglob("*.safetensors")]
    assert weights
    for file in weights:
        card = next(c for c in (file.parent / "card.json", file.parent.parent / "card.json") if c.exists())
        assert file.stat().st_mode == card.stat().st_mode, file


def _base(run: Path) -> str:
    return str(yaml.safe_load((run / "recipe.yaml").read_text())["base"])


def test_it_names_its_base_and_no_folder_of_the_machine(run: Path, exported: Path) -> None:
    text = yaml.safe_load((exported / "team.yaml").read_text())
    assert text["base"] == _base(run)
    assert text["backbone"] == "backbone"
    for folder in ("backbone", "planner", "caller", "summarizer"):
        config = json.loads((exported / folder / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"] == _base(run)
        assert not (exported / folder / "model.safetensors").exists()
    card = read_card(exported / "backbone")
    assert card is not None
    assert (card.kind, card.stage) == ("lora", "backbone")


def test_a_backbone_of_another_run_is_refused(exported: Path, tmp_path: Path) -> None:
    other = shutil.copytree(exported, tmp_path / "other")
    card = json.loads((other / "backbone" / "card.json").read_text())
    tensors = load_file(other / "backbone" / "adapter_model.safetensors")
    name = min(tensors)
    save_file(tensors | {name: tensors[name] * 1.5}, other / "backbone" / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"planner was trained on other weights"):
        load_models(load_team(str(other)))
    save_file(tensors, other / "backbone" / "adapter_model.safetensors")
    (other / "backbone" / "card.json").write_text(json.dumps(card | {"base_digest": "2:of another base"}))
    with pytest.raises(ModelError, match="than the team's base"):
        load_models(load_team(str(other)))
    (other / "backbone" / "card.json").unlink()
    with pytest.raises(ModelError, match="no card"):
        load_models(load_team(str(other)))
    shutil.rmtree(other / "backbone")
    with pytest.raises(ModelError, match="missing"):
        load_models(load_team(str(other)))


def test_a_base_rewritten_by_another_library_is_the_same_base(exported: Path, tiny: Path, tmp_path: Path) -> None:
    """And one whose chat template or values have changed is not."""
    base = shutil.copytree(tiny, tmp_path / "base")
    team = shutil.copytree(exported, tmp_path / "team")
    text = yaml.safe_load((team / "team.yaml").read_text())
    (team / "team.yaml").write_text(yaml.safe_dump(text | {"base": str(base)}))
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(dict(reversed(config.items())) | {"transformers_version": "9.9.9"}))
    check_team(load_team(str(team)))

    template = (base / "chat_template.jinja").read_text()
    (base / "chat_template.jinja").write_text(template.replace("<|im_start|>", "<|im_start|> "))
    with pytest.raises(ModelError, match="trained with another chat template"):
        load_models(load_team(str(team)))
    (base / "chat_template.jinja").write_text(template)

    tokenizer = json.loads((base / "tokenizer.json").read_text())
    merges = tokenizer["model"]["merges"]
    merges[-1], merges[-2] = merges[-2], merges[-1]
    (base / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelError, match="trained with another tokenizer"):
        load_models(load_team(str(team)))
    shutil.copy(tiny / "tokenizer.json", base / "tokenizer.json")

    (base / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 1e-4}))
    with pytest.raises(ModelError, match="trained on other weights"):
        load_models(load_team(str(team)))


def test_the_backbone_counts_as_part_of_the_team(exported: Path) -> None:
    team = load_team(str(exported))
    assert team_digest(team) != team_digest(team.model_copy(update={"backbone": None}))


def test_an_exported_team_can_be_exported_again(exported: Path, tmp_path: Path) -> None:
    again = to_peft(load_team(str(exported)), tmp_path / "again")
    assert team_digest(load_team(str(again))) == team_digest(load_team(str(exported)))


def test_an_untrained_team_is_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing that was trained"):
        to_peft(load_team("umi-shared"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_only_lora_can_be_exported_as_adapters(run: Path, exported: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not empty"):
        to_peft(load_team(str(run)), exported)
    whole = load_team(str(run)).with_role("planner", weights=str(run / "backbone"))
    with pytest.raises(UsageError, match="the planner is a whole model"):
        to_peft(whole, tmp_path / "out")
    (tmp_path / "run").mkdir()
    without = shutil.copytree(run / "backbone", tmp_path / "run" / "backbone")
    shutil.rmtree(without / "adapter")
    with pytest.raises(UsageError, match="was not trained as LoRA"):
        to_peft(load_team(str(run)).model_copy(update={"base": str(without)}), tmp_path / "out")
