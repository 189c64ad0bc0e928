"""A team trained on: the adapters it begins with are the team's, and nothing else fits."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import command, losses_of, recipe_file
from safetensors.torch import load_file

from alpha_umi.adapters import read_card, weights_digest
from alpha_umi.errors import ConfigError, UsageError, WorkError
from alpha_umi.export import to_peft
from alpha_umi.roles import load_team
from alpha_umi.training import glpft
from alpha_umi.training.planning import check_recipe
from alpha_umi.training.recipe import load_recipe

STILL = 1e-30
"""A learning rate that changes nothing: what a stage begins with is what it ends with."""
ROLES = ("planner", "caller", "summarizer")


def _train(recipe: Path, out: Path, *more: str) -> Path:
    done = subprocess.run(command(recipe, out, *more), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def _recipe(folder: Path, tiny: Path, data: Path, layout: str, **every: Any) -> Path:
    """All stages LoRA, one epoch."""
    folder.mkdir(exist_ok=True)
    own = {"method": "lora", "epochs": 1, **every}
    stages = {name: own for name in ("backbone", *ROLES)}
    return recipe_file(folder, tiny, data, layout=layout, stages=stages)


@pytest.fixture(scope="module", params=["shared", "paper"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny: Path, data: Path) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    return _train(_recipe(folder, tiny, data, request.param), folder / "run")


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
    layout = read_card(trained / "planner")
    assert layout is not None
    still = _recipe(tmp_path / "on", tiny, data, layout.layout.value, learning_rate=STILL)
    out = _train(still, tmp_path / "on" / "run", "--set", f"warm_start={begin}")
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


def test_another_team_is_not_resumed(trained: Path, tiny: Path, data: Path, tmp_path: Path) -> None:
    layout = json.loads((trained / "planner" / "card.json").read_text())["layout"]
    recipe = load_recipe(str(_recipe(tmp_path, tiny, data, layout)), overrides=[f"warm_start={trained}"])
    with pytest.raises(UsageError, match=r"another recipe .*warm_start.* differ"):
        glpft.train(recipe, trained, resume=True)


def test_the_team_that_ships_is_trained_on(tmp_path: Path) -> None:
    """SmolLM2 and the team `default`: the loss begins where it ended, not where the base's does."""
    settings = ["data=gym:4", "seed=7", "defaults.batch_size=2", "defaults.micro_batch=1", "precision=fp32"]
    settings += ["stages.backbone.epochs=0.5", "log_steps=1"]
    runs = {}
    for begin in ("default", "null"):
        recipe = load_recipe("gym", overrides=[*settings, f"warm_start={begin}"])
        runs[begin] = glpft.train(recipe, tmp_path / begin, stage="backbone")
    (_, _, on), (_, _, fresh) = (losses_of(run)[0] for run in runs.values())
    assert on < 0.5 < fresh


@pytest.mark.parametrize(
    ("recipe", "overrides", "words"),
    [
        ("gym", ["warm_start=umi"], "'umi': its backbone is no adapter that was trained; .*its planner is no adapter"),
        ("gym", ["stages.backbone.lora.r=8"], "its backbone has r 24, not 8"),
        ("gym", ["stages.caller.lora.alpha=4.5"], "its caller has alpha 8.0, not 4.5"),
        ("gym", ["stages.planner.lora.target_modules=[q_proj]"], "its planner has other target_modules"),
        ("glpft", ["data=gym:4"], "every stage is trained in full; set base to the team's model"),
    ],
)
def test_a_team_that_does_not_fit_is_refused_before_anything_is_trained(
    recipe: str, overrides: list[str], words: str
) -> None:
    with pytest.raises(ConfigError, match=f"warm_start: .*{words}"):
        check_recipe(load_recipe(recipe, overrides=["warm_start=default", *overrides]))


def test_adapters_over_other_weights_are_refused(tiny: Path, tmp_path: Path) -> None:
    recipe = load_recipe("gym", overrides=["warm_start=default", f"base={tiny}"])
    with pytest.raises(ConfigError, match="'default' was trained over other weights than"):
        check_recipe(recipe)


def test_an_unknown_team_is_named() -> None:
    with pytest.raises(UsageError, match="'nobody' is no team: shipped are default"):
        check_recipe(load_recipe("gym", overrides=["warm_start=nobody"]))


def test_adapters_of_other_layers_are_refused(trained: Path, tiny: Path, data: Path, tmp_path: Path) -> None:
    """A folder whose configuration promises what its tensors do not hold."""
    from safetensors.torch import save_file

    team = to_peft(load_team(str(trained)), tmp_path / "team")
    path = team / "planner" / "adapter_model.safetensors"
    tensors = load_file(path)
    tensors.pop(next(iter(tensors)))
    save_file(tensors, path, metadata={"format": "pt"})
    layout = json.loads((trained / "planner" / "card.json").read_text())["layout"]
    recipe = load_recipe(str(_recipe(tmp_path, tiny, data, layout)), overrides=[f"warm_start={team}"])
    with pytest.raises(WorkError, match="is an adapter of other layers than this base has"):
        glpft.train(recipe, tmp_path / "out")
