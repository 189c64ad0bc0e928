"""Recipes: what ships loads, holds the paper's numbers, and names every mistake at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from alpha_umi import resources
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.team_files import load_team
from alpha_umi.text.layouts import load_layout
from alpha_umi.training.recipe import load_recipe
from alpha_umi.training.run_folder import recipe_digest

SHIPPED = resources.names("training")


def test_recipes_ship() -> None:
    assert {"glpft", "smoke", "ablations/single_llm", "ablations/multi_task", "ablations/one_stage"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_loads(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.description
    assert recipe.stages


def test_glpft_holds_the_papers_hyperparameters() -> None:
    """Released scripts: learning rate, epochs, warm-up, weight decay of each stage; 4096 tokens."""
    recipe = load_recipe("glpft")
    found = {n: (s.learning_rate, s.epochs, s.warmup_ratio, s.weight_decay, s.start) for n, s in recipe.stages.items()}
    assert found == {
        "backbone": (5e-5, 2, 0.4, 0.0, "base"),
        "planner": (1e-5, 1, 0.2, 0.01, "backbone"),
        "caller": (1e-5, 1, 0.2, 0.01, "backbone"),
        "summarizer": (1e-5, 2, 0.4, 0.01, "backbone"),
    }
    assert recipe.context == 4096
    assert recipe.precision == "bf16"
    assert {s.schedule for s in recipe.stages.values()} == {"cosine"}
    assert recipe.reuse


def test_ablations_differ_in_what_they_name() -> None:
    single, multi, one = (load_recipe(f"ablations/{n}") for n in ("single_llm", "multi_task", "one_stage"))
    assert list(single.stages) == ["backbone"]
    assert single.team.name == "single"
    assert multi.roles_of("multi_task") == ("planner", "caller", "summarizer")
    assert {s.start for s in one.stages.values()} == {"base"}


def test_the_whole_task_is_the_layouts_own() -> None:
    shared, paper = load_recipe("glpft"), load_recipe("ablations/paper_layout")
    assert (shared.layout, paper.layout) == (load_layout("shared"), load_layout("paper"))
    assert shared.roles_of("backbone") == ("planner", "caller", "summarizer")
    assert paper.roles_of("backbone") == ("single",)
    assert shared.stages == paper.stages


def test_the_papers_baselines_keep_its_layout() -> None:
    ablations = [name for name in SHIPPED if name.startswith("ablations/") and "gym" not in name]
    assert len(ablations) > 3
    assert {load_recipe(name).layout for name in ablations} == {load_layout("paper")}


def test_the_gyms_baselines_have_its_budget() -> None:
    gym = load_recipe("gym")
    rows = sum(gym.stages[name].epochs for name in ("backbone", "planner"))
    for name in ("gym_single_llm", "gym_multi_task", "gym_one_stage"):
        baseline = load_recipe(f"ablations/{name}")
        assert (baseline.data, baseline.seed, baseline.context) == (gym.data, gym.seed, gym.context)
        assert [stage.epochs for stage in baseline.stages.values()] == pytest.approx([rows] * len(baseline.stages))
        assert {stage.batch_size for stage in baseline.stages.values()} == {gym.stages["backbone"].batch_size}
        assert {stage.start for stage in baseline.stages.values()} == {"base"}


def test_three_mistakes_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("extends: glpft\nseed: many\ncolour: red\nstages: {planner: {learning_rate: -1}}\n")
    with pytest.raises(ConfigError) as error:
        load_recipe(str(path))
    text = str(error.value)
    assert "\n" not in text
    for part in (str(path), "seed", "colour: unknown key", "stages.planner.learning_rate"):
        assert part in text


def test_a_mistake_of_an_override_names_it() -> None:
    with pytest.raises(ConfigError, match=r"gym\.yaml with colour=red, seed=many: .*colour: unknown key"):
        load_recipe("gym", overrides=["colour=red", "seed=many"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stages: {a: {roles: [planner], start: b}}", "'b' is no stage before it"),
        ("stages: {}", "stages"),
        ("- a list", "mapping"),
        ("stages: {a: [", "bad.yaml"),
        ("extends: bad.yaml\nseed: 1", "extends itself"),
        ("extends: nothing_like_it", "not shipped"),
    ],
)
def test_bad_recipes_are_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words) as error:
        load_recipe(str(path))
    assert "\n" not in str(error.value)


def test_set_reaches_every_depth_and_reads_numbers() -> None:
    recipe = load_recipe("smoke", overrides=["stages.planner.learning_rate=1e-4", "defaults.batch_size=2", "data=a/b"])
    assert recipe.stages["planner"].learning_rate == 1e-4
    assert {s.batch_size for s in recipe.stages.values()} == {2}
    assert recipe.data == "a/b"


@pytest.mark.parametrize("item", ["nothing", "=1", "seed.deep=1"])
def test_a_bad_set_is_refused(item: str) -> None:
    with pytest.raises(UsageError):
        load_recipe("smoke", overrides=[item])


def test_an_unknown_recipe_lists_what_ships() -> None:
    with pytest.raises(UsageError, match="glpft"):
        load_recipe("glfpt")


def test_mistakes_among_stages_are_named_with_those_of_single_values(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    text = "extends: glpft\nseed: many\nteam: nobody\ndeepspeed: nope\n"
    path.write_text(text + "stages: {planner: {start: backbon}, caller: {start: nowhere}}\n")
    with pytest.raises(ConfigError) as error:
        load_recipe(str(path))
    for part in ("seed", "'backbon'", "'nowhere'", "nobody", "nope"):
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_lora_roles_must_share_their_base() -> None:
    with pytest.raises(ConfigError, match="share one base"):
        load_recipe("smoke", overrides=["stages.planner.start=base"])


def test_a_stage_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="no stage 'planer', only backbone, planner"):
        load_recipe("glpft", overrides=["stages.planer.epochs=2"])


@pytest.mark.parametrize("name", ["umii", "runs/not/trained", "planner"])
def test_a_team_that_is_not_there_is_no_team(name: str) -> None:
    with pytest.raises(UsageError, match=r"is no team: shipped are .*umi"):
        load_team(name)
    assert load_team("teams/single") == load_team("single")


def test_a_recipe_reaches_its_layout_through_its_team(tmp_path: Path) -> None:
    assert load_recipe("glpft").layout.name == "shared"
    assert load_recipe("glpft", overrides=["team.prompts=paper"]).layout.name == "paper"
    folder = shutil.copytree(resources.root() / "prompts" / "shared", tmp_path / "mine")
    recipe = load_recipe("glpft", overrides=[f"team.prompts={folder}"])
    assert recipe.layout.folder == folder
    assert recipe.roles_of("backbone") == ("planner", "caller", "summarizer")
    path = tmp_path / "old.yaml"
    path.write_text("extends: glpft\nlayout: paper\n")  # as recipes were written before
    assert load_recipe(str(path)).layout.name == "paper"


def test_files_that_a_recipe_names_are_found_beside_it_or_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by a recipe elsewhere that extends it, and by what an override names."""
    shutil.copytree(resources.root() / "prompts" / "shared", tmp_path / "lab" / "mine")
    (tmp_path / "lab" / "team.yaml").write_text("roles: [planner, caller, summarizer]\nprompts: shared\n")
    (tmp_path / "lab" / "recipe.yaml").write_text("extends: glpft\nteam: {name: team.yaml, prompts: mine}\n")
    (tmp_path / "further").mkdir()
    (tmp_path / "further" / "longer.yaml").write_text("extends: ../lab/recipe.yaml\nseed: 7\n")
    monkeypatch.chdir(tmp_path)
    longer = load_recipe("further/longer.yaml")
    overridden = load_recipe("glpft", overrides=["team=lab/team.yaml", "team.prompts=lab/mine"])
    monkeypatch.chdir("/")
    for recipe in (longer, overridden):
        assert recipe.team.name == str(tmp_path / "lab" / "team.yaml")
        assert recipe.layout.folder == tmp_path / "lab" / "mine"


def test_a_recipe_that_fills_no_role_is_refused() -> None:
    backbone_alone = [f"stages.{name}=null" for name in ("planner", "caller", "summarizer")]
    with pytest.raises(ConfigError, match="no stage learns any role of 'umi'"):
        load_recipe("glpft", overrides=["team=umi", *backbone_alone])  # its backbone learns whole turns


def test_a_role_that_the_team_has_not_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"stages.planner.roles: 'judge' is no role of the team"):
        load_recipe("glpft", overrides=["stages.planner.roles=[judge]"])


def test_roles_were_called_views_once(tmp_path: Path) -> None:
    """Recipes of a user's own and those in run folders stay what they are, and so does their digest."""
    written = yaml.safe_dump(load_recipe("glpft").model_dump(mode="json"), sort_keys=False)
    assert "roles: " in written
    (tmp_path / "old.yaml").write_text(written.replace("    roles:\n", "    views:\n"))
    old, today = load_recipe(str(tmp_path / "old.yaml")), load_recipe("glpft")
    assert old.stages == today.stages
    assert recipe_digest(old) == recipe_digest(today)
    assert load_recipe("glpft", overrides=["stages.planner.views=[caller]"]).roles_of("planner") == ("caller",)


def test_defaults_may_say_views_too(tmp_path: Path) -> None:
    text = "extends: glpft\ndefaults: {views: [whole]}\nstages: {planner: {roles: [planner]}}\n"
    (tmp_path / "old.yaml").write_text(text)
    assert load_recipe(str(tmp_path / "old.yaml")).roles_of("planner") == ("planner",)


def test_a_layout_said_nearer_holds_under_either_name(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text("extends: glpft\nteam: umi-verified\nlayout: paper\n")
    (tmp_path / "above.yaml").write_text("extends: old.yaml\nteam: {prompts: shared}\n")
    (tmp_path / "again.yaml").write_text("extends: above.yaml\nlayout: paper\n")
    found = {name: load_recipe(str(tmp_path / f"{name}.yaml")) for name in ("old", "above", "again")}
    assert {name: recipe.layout.name for name, recipe in found.items()} == {
        "old": "paper",
        "above": "shared",
        "again": "paper",
    }
    assert all("verifier" in recipe.filled.roles for recipe in found.values())
    old = str(tmp_path / "old.yaml")
    assert load_recipe(old, overrides=["team.prompts=shared"]).layout.name == "shared"
    assert load_recipe("glpft", overrides=["layout=paper"]).layout.name == "paper"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("layout: paper\nteam: {prompts: shared}", "layout"),
        ("stages: {planner: {views: [planner], roles: [planner]}}", "stages.planner.views"),
    ],
)
def test_one_thing_under_two_names_is_refused(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "both.yaml").write_text(f"extends: glpft\n{text}\n")
    with pytest.raises(ConfigError, match=f"{key}: unknown key"):
        load_recipe(str(tmp_path / "both.yaml"))
