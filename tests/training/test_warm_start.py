"""A team trained on: the adapters it begins with are the team's, and nothing else fits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runs import losses_of, recipe_file

from alpha_umi import resources
from alpha_umi.digests import weights_digest
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.export import to_peft
from alpha_umi.model_card import read_card
from alpha_umi.team_files import load_team
from alpha_umi.training import glpft
from alpha_umi.training.cost_estimate import check_recipe
from alpha_umi.training.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    import torch
    from safetensors.torch import load_file, save_file

pytestmark = pytest.mark.model

STILL = 1e-30
"""A learning rate that changes nothing: what a stage begins with is what it ends with."""
ONE = resources.root() / "training" / "ablations"
ROLES = ("planner", "caller", "summarizer")


def _recipe(folder: Path, tiny: Path, data: Path, layout: str, **every: Any) -> Path:
    """All stages LoRA, one epoch of a few rows."""
    folder.mkdir(exist_ok=True)
    own = {"method": "lora", "epochs": 1, "max_rows": 8, **every}
    stages = {name: own for name in ("backbone", *ROLES)}
    return recipe_file(folder, tiny, data, layout=layout, stages=stages)


@pytest.fixture(scope="module", params=["shared", "paper"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny: Path, data: Path) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    return glpft.train(load_recipe(str(_recipe(folder, tiny, data, request.param))), folder / "run")


def _layout(run: Path) -> str:
    return str(json.loads((run / "planner" / "card.json").read_text())["layout"])


def _on(team: Path, trained: Path, tiny: Path, data: Path, folder: Path) -> Recipe:
    path = _recipe(folder, tiny, data, _layout(trained))
    return load_recipe(str(path), overrides=[f"warm_start={team}"])


def _change_one_tensor(adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    tensors = load_file(path)
    name, tensor = tensors.popitem()
    save_file(tensors | {name: tensor + 1}, path, metadata={"format": "pt"})


def _adapters(team: Path) -> dict[str, dict[str, torch.Tensor]]:
    folders = {"backbone": team / "backbone" / "adapter", **{name: team / name for name in ROLES}}
    if not folders["backbone"].is_dir():
        folders["backbone"] = team / "backbone"
    return {name: load_file(folder / "adapter_model.safetensors") for name, folder in folders.items()}


@pytest.mark.parametrize("source", ["run", "exported"])
def test_every_stage_begins_with_the_adapter_of_its_seat(
    trained: Path, source: str, tiny: Path, data: Path, tmp_path: Path
) -> None:
    begin = trained if source == "run" else to_peft(load_team(str(trained)), tmp_path / "team")
    still = str(_recipe(tmp_path / "on", tiny, data, _layout(trained), learning_rate=STILL, max_rows=4))
    out = glpft.train(load_recipe(still, overrides=[f"warm_start={begin}"]), tmp_path / "on" / "run")
    before, after = _adapters(begin), _adapters(out)
    for name, tensors in before.items():
        assert tensors.keys() == after[name].keys()
        for key, tensor in tensors.items():
            torch.testing.assert_close(after[name][key].float(), tensor.float(), rtol=0, atol=0)
        assert any(tensor.any() for key, tensor in tensors.items() if "lora_B" in key), "nothing had been learnt"
        card = read_card(out / name)
        assert card is not None
        at = begin / "backbone" / "adapter" if name == "backbone" and source == "run" else begin / name
        assert card.warm_start == weights_digest(at)


def test_a_run_without_a_warm_start_says_so_and_begins_anew(trained: Path) -> None:
    assert {card.warm_start for name in ("backbone", *ROLES) if (card := read_card(trained / name))} == {None}


def test_a_run_is_resumed_from_the_adapters_it_began_with(
    trained: Path, tiny: Path, data: Path, tmp_path: Path
) -> None:
    """Their content counts, not where they lie."""
    path = str(_recipe(tmp_path, tiny, data, _layout(trained), max_rows=4))
    team = to_peft(load_team(str(trained)), tmp_path / "team")
    moved = shutil.copytree(team, tmp_path / "moved")
    out = glpft.train(load_recipe(path, overrides=[f"warm_start={team}"]), tmp_path / "out", stage="backbone")
    with pytest.raises(UsageError, match=r"was trained from other adapters; --resume needs the same"):
        glpft.train(load_recipe(path), out, resume=True)
    glpft.train(load_recipe(path, overrides=[f"warm_start={moved}"]), out, stage="planner", resume=True)
    _change_one_tensor(moved / "caller")
    with pytest.raises(UsageError, match=r"was trained from other adapters"):
        glpft.train(load_recipe(path, overrides=[f"warm_start={moved}"]), out, resume=True)


def test_the_team_that_ships_is_trained_on(tmp_path: Path) -> None:
    """SmolLM2 and the team `default`: the loss begins where it ended, not where the base's does."""
    settings = ["data=gym:4", "seed=7", "defaults.batch_size=2", "defaults.micro_batch=1", "precision=fp32"]
    settings += ["stages.backbone.epochs=0.5", "log_steps=1"]
    out = glpft.train(
        load_recipe("gym", overrides=[*settings, "warm_start=default"]), tmp_path / "on", stage="backbone"
    )
    (_, _, loss), *_ = losses_of(out)
    assert loss < 0.5, "that of the untrained base is above 1"


@pytest.mark.slow
def test_one_model_that_speaks_for_all_is_trained_on(tiny: Path, data: Path, tmp_path: Path) -> None:
    """Single-LLM: no backbone below the roles, every seat the same adapter."""
    path = str(ONE / "gym_single_llm.yaml")
    settings = [f"base={tiny}", f"data={data}", "defaults.batch_size=4", "stages.backbone.epochs=1", "context=2000"]
    run = glpft.train(load_recipe(path, overrides=settings), tmp_path / "run")
    still = [*settings, f"warm_start={run}", f"stages.backbone.learning_rate={STILL}"]
    on = glpft.train(load_recipe(path, overrides=still), tmp_path / "on")
    before, after = (load_file(folder / "backbone" / "adapter_model.safetensors") for folder in (run, on))
    for key, tensor in before.items():
        torch.testing.assert_close(after[key], tensor, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("recipe", "overrides", "words"),
    [
        (
            "gym",
            ["warm_start=umi"],
            "'umi': it speaks the 'paper' layout, .*its planner is no adapter",
        ),
        ("gym", ["stages.backbone.lora.r=8"], "'default': its backbone has r 24, not 8"),
        ("gym", ["stages.caller.lora.alpha=4.5"], "its caller has alpha 8.0, not 4.5"),
        ("gym", ["stages.planner.lora.target_modules=[q_proj]"], "its planner has other target_modules"),
        ("gym", ["layout=paper"], "it speaks the 'shared' layout, the recipe 'paper'"),
        ("glpft", ["data=gym:4"], "every stage is trained in full; train a LoRA recipe, such as gym"),
        ("gym", ["warm_start=nobody"], "'nobody' is no team: shipped are default"),
    ],
)
def test_a_team_that_does_not_fit_is_refused_before_anything_is_trained(
    recipe: str, overrides: list[str], words: str
) -> None:
    with pytest.raises(ConfigError, match=f"warm_start: .*{words}"):
        check_recipe(load_recipe(recipe, overrides=["warm_start=default", *overrides]))


def test_adapters_over_other_weights_are_refused(tiny: Path, tmp_path: Path) -> None:
    recipe = load_recipe("gym", overrides=["warm_start=default", f"base={tiny}"])
    with pytest.raises(ConfigError, match="'default': it was trained over other weights than"):
        check_recipe(recipe)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("adapter_config.json", "{", "adapter_config.json is no configuration of an adapter"),
        ("adapter_config.json", "[]", "adapter_config.json is no configuration of an adapter"),
        ("adapter_model.safetensors", "?", "adapter_model.safetensors cannot be read"),
        ("adapter_model.safetensors", None, "adapter_model.safetensors cannot be read"),
    ],
)
def test_a_broken_adapter_is_named(
    trained: Path, tiny: Path, data: Path, tmp_path: Path, file: str, content: str | None, words: str
) -> None:
    team = to_peft(load_team(str(trained)), tmp_path / "team")
    if content is None:
        (team / "planner" / file).unlink()
    else:
        (team / "planner" / file).write_text(content)
    with pytest.raises(ConfigError, match=words):
        check_recipe(_on(team, trained, tiny, data, tmp_path))


@pytest.mark.parametrize("how", ["one layer less", "another width"])
def test_adapters_of_other_layers_are_refused_before_anything_is_trained(
    trained: Path, tiny: Path, data: Path, tmp_path: Path, how: str
) -> None:
    """A folder whose configuration promises what its tensors do not hold."""
    team = to_peft(load_team(str(trained)), tmp_path / "team")
    path = team / "planner" / "adapter_model.safetensors"
    tensors = load_file(path)
    name, tensor = tensors.popitem()
    if how == "another width":
        tensors[name] = torch.cat([tensor, tensor])
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(ConfigError, match=r"adapter_model\.safetensors holds other layers than"):
        check_recipe(_on(team, trained, tiny, data, tmp_path))
