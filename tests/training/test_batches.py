"""Batches in targets: about as many in every stage, whatever a role's rows hold; found once, and resumed alike."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from runs import recipe_file

from alpha_umi.cli import train as verb
from alpha_umi.data import store
from alpha_umi.data.filters import Report
from alpha_umi.data.formats import alpha_umi_json
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.training import cost_estimate, glpft, run_folder
from alpha_umi.training.batches import in_rows
from alpha_umi.training.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from alpha_umi.models.local.base_weights import load_tokenizer

pytestmark = pytest.mark.model


@pytest.mark.parametrize("layout", ["paper", "shared"])
def test_every_stage_learns_from_about_as_many_targets_an_update(
    layout: str, tiny: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "glpft" if layout == "shared" else "ablations/paper_layout"
    sets = [f"base={tiny}", f"data={data}", "defaults.batch_targets=6", "context=2048"]
    recipe = load_recipe(name, overrides=sets)
    plans = {plan.name: plan for plan in cost_estimate.plan(recipe, data, tmp_path)}
    assert all(4 < plan.batch_targets < 8 for plan in plans.values())
    assert plans["summarizer"].batch_size > 1.5 * plans["planner"].batch_size
    for plan in plans.values():
        a_row = plan.targets / plan.rows
        assert abs(plan.batch_size * a_row - 6) <= a_row / 2, "as near as whole rows allow"
    verb._show(recipe, list(plans.values()))
    (line,) = [x for x in capsys.readouterr().out.splitlines() if "targets an update" in x]
    assert f"{plans['summarizer'].batch_targets:.1f}" in line


def test_glpft_updates_on_the_releases_48_decisions_in_every_stage(shared: Path, tmp_path: Path) -> None:
    """A tenth of the real data: on all of it as on any."""
    found = alpha_umi_json.read(shared / "glpft-toolbench" / "test" / "out_of_domain.json.gz", Report())
    store.write(tmp_path / "data", islice(found, 30))
    sets = ["defaults.batch_targets=48", f"data={tmp_path / 'data'}"]
    recipe = load_recipe("ablations/paper_layout", overrides=sets)
    sized = in_rows(recipe, tmp_path / "data", tmp_path / "rows", ChatEncoder(load_tokenizer()))
    rows = {name: stage.batch_size for name, stage in sized.stages.items()}
    assert rows["summarizer"] == 48
    assert 10 <= rows["planner"] <= 15
    assert 13 <= rows["caller"] <= 22


def test_the_release_recipes_say_48() -> None:
    for name in (
        "glpft",
        "ablations/paper_layout",
        "ablations/one_stage",
        "ablations/multi_task",
        "ablations/single_llm",
    ):
        assert {stage.batch_targets for stage in load_recipe(name).stages.values()} == {48}, name


def test_of_rows_and_targets_the_one_said_nearer_holds() -> None:
    def batches(*overrides: str, recipe: str = "glpft") -> set[tuple[int, int | None]]:
        stages = load_recipe(recipe, overrides=overrides).stages.values()
        return {(stage.batch_size, stage.batch_targets) for stage in stages}

    assert batches("defaults.batch_size=4") == {(4, None)}
    assert batches(recipe="smoke") == {(2, None)}
    assert batches("train_roles=apart", "defaults.batch_targets=9", recipe="smoke") == {(12, 9)}
    assert batches("defaults.batch_targets=null", "defaults.batch_size=4") == {(4, None)}
    assert batches("defaults.batch_size=4", "defaults.batch_targets=null") == {(4, None)}
    assert batches("stages.planner.batch_size=3") == {(3, None), (12, 48)}


def test_roles_that_train_together_read_the_same_rows() -> None:
    with pytest.raises(ConfigError, match="give batch_size in place of batch_targets"):
        load_recipe("smoke", overrides=["defaults.batch_targets=9"])


def test_more_processes_than_targets_are_refused(
    tiny: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load_recipe(
        "ablations/paper_layout", overrides=[f"base={tiny}", "defaults.batch_targets=4", "context=2048"]
    )
    monkeypatch.setenv("WORLD_SIZE", "8")
    with pytest.raises(
        ConfigError, match=r"stages.planner: batch_targets 4, but micro_batch 1 x 8 processes read about"
    ):
        in_rows(recipe, data, tmp_path / "rows", ChatEncoder(load_tokenizer(str(tiny))))


def test_a_run_notes_its_rows_and_is_resumed_with_them(
    tiny: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recipe_file(tmp_path, tiny, data, limit=4)
    sets = ["defaults.batch_targets=4", "defaults.micro_batch=1", "precision=fp32", "stages.backbone.epochs=1"]
    recipe = load_recipe(str(path), overrides=sets)
    run = glpft.train(recipe, tmp_path / "run", stage="backbone")
    noted = Recipe.model_validate(yaml.safe_load((run / "recipe.yaml").read_text()))
    assert noted.stages["summarizer"].batch_size == 4
    assert noted.stages["planner"].batch_size < 4
    assert run_folder.recipe_digest(noted) == run_folder.recipe_digest(recipe)
    assert json.loads((run / "run.json").read_text())["recipe_digest"] == run_folder.recipe_digest(recipe)
    assert glpft.train(recipe, run, stage="backbone", resume=True) == run
    other = load_recipe(str(path), overrides=[*sets, "defaults.batch_targets=8"])
    with pytest.raises(UsageError, match=r"another recipe \(stages differ\)"):
        glpft.train(other, run, stage="backbone", resume=True)
