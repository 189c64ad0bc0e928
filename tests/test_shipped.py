"""What ships loads, is listed, shown and copied; and the base package needs no torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from alpha_umi import resources
from alpha_umi.cli import resources_commands
from alpha_umi.digests import backbone_digest
from alpha_umi.errors import UsageError
from alpha_umi.model_card import is_adapter, read_card
from alpha_umi.roles import RoleName
from alpha_umi.team_files import first_roles, load_role, load_team
from alpha_umi.text.layouts import LAYOUT_FILE, Layout, layouts, load_layout
from alpha_umi.text.prompts import render
from alpha_umi.trajectory import Decision, Plan, Step, Tool, Trajectory

ROLES = [name for name in resources.names("roles") if "/" not in name]
TEAMS = [name.removeprefix("teams/") for name in resources.names("roles") if name.startswith("teams/")]
RECIPES = resources.names("training")
LAUNCH = sorted(path for path in (resources.root() / "launch").rglob("*.json"))


def call(*arguments: str) -> Result:
    """Run a verb as typer would."""
    app = typer.Typer()
    resources_commands.register(app)
    return CliRunner().invoke(app, list(arguments))


def test_something_ships_in_every_folder() -> None:
    assert {"planner", "caller", "summarizer", "single"} <= set(ROLES)
    assert {"umi", "multi_task", "single"} <= set(TEAMS)
    assert {"glpft", "smoke"} <= set(RECIPES)
    assert {"ablations/multi_task", "ablations/one_stage", "ablations/single_llm"} <= set(RECIPES)
    assert LAUNCH
    kinds = {"teams", "roles", "recipes", "prompts", "launch", "experiments"}
    assert {file.kind for file in resources_commands.shipped()} == kinds


@pytest.mark.parametrize("name", ROLES)
def test_roles_load(name: str) -> None:
    role = load_role(name)
    assert role.name == name
    assert role.description


@pytest.mark.parametrize("name", TEAMS)
def test_teams_load(name: str) -> None:
    team = load_team(name)
    assert team.name == name
    assert team.description
    assert team.role("single" if team.single else "planner") is team.planner


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_load(name: str) -> None:
    from alpha_umi.training.recipe import load_recipe

    assert load_recipe(name).description


@pytest.mark.parametrize("path", LAUNCH, ids=lambda path: path.stem)
def test_launch_configurations_are_json(path: Path) -> None:
    assert isinstance(json.loads(path.read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("layout", [load_layout("paper"), load_layout("shared")])
def test_prompts_render(layout: Layout) -> None:
    for role in RoleName:
        assert layout.system(role, [Tool(name="look")], tagged=role != "single")
    step = Step(plan=Plan(rationale="r", decision=Decision.CALL))
    begun = Trajectory(query="q", steps=(step,))
    asked = {render(begun, role=role, layout=layout, ask=role).messages[-1].tag for role in first_roles()}
    assert len(asked) == (3 if layout.shared else 1)


def test_every_yaml_that_ships_is_loaded_here() -> None:
    every = {path for folder in resources.FOLDERS for path in (resources.root() / folder).rglob("*.yaml")}
    roots = [("roles", resources.names("roles")), ("training", RECIPES)]
    loaded = {resources.find(folder, name) for folder, names in roots for name in names}
    assert every == loaded | {load_layout(name).folder / LAYOUT_FILE for name in layouts()}


def test_list_shows_everything_with_its_description() -> None:
    files = json.loads(call("list", "--json").stdout)
    assert len(files) == len(resources_commands.shipped())
    for file in files:
        assert file["description"] or file["kind"] in {"prompts", "launch"}, file
    shown = call("list").stdout
    assert all(file["name"] in shown for file in files)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("glpft", "training/glpft.yaml"),
        ("training/glpft", "training/glpft.yaml"),
        ("recipes/glpft", "training/glpft.yaml"),
        ("glpft.yaml", "training/glpft.yaml"),
        ("ablations/one_stage", "training/ablations/one_stage.yaml"),
        ("one_stage", "training/ablations/one_stage.yaml"),
        ("planner", "roles/planner.yaml"),
        ("umi", "roles/teams/umi.yaml"),
        ("roles/teams/umi", "roles/teams/umi.yaml"),
        ("teams/single", "roles/teams/single.yaml"),
        ("default", "roles/teams/default/team.yaml"),
        ("teams/default", "roles/teams/default/team.yaml"),
        ("roles/single", "roles/single.yaml"),
        ("paper/planner", "prompts/paper/planner.jinja"),
        ("prompts/paper/planner", "prompts/paper/planner.jinja"),
        ("shared/system", "prompts/shared/system.jinja"),
        ("deepspeed.sh", "launch/deepspeed.sh"),
        ("zero2", "launch/deepspeed/zero2.json"),
    ],
)
def test_show_prints_the_file(name: str, path: str) -> None:
    done = call("show", name)
    assert done.exit_code == 0
    assert done.stdout == (resources.root() / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", resources_commands.shipped(), ids=lambda file: str(file.title))
def test_every_file_has_a_name_of_its_own(file: resources_commands.Shipped) -> None:
    assert resources_commands.find(file.title) == file


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("single", "say teams/single or roles/single"),
        ("nothing", "does not ship; these do: teams/"),
        ("../pyproject", "does not ship"),
        ("", "does not ship"),
    ],
)
def test_a_name_that_is_none_or_several(name: str, found: str) -> None:
    error = call("show", name).exception
    assert isinstance(error, UsageError)
    assert found in str(error)


def test_copy_never_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("copy", "glpft").stdout == "glpft.yaml\n"
    assert (tmp_path / "glpft.yaml").read_bytes() == resources.find("training", "glpft").read_bytes()
    (tmp_path / "glpft.yaml").write_text("mine")
    for arguments in (["glpft"], ["glpft", "."], ["glpft", "glpft.yaml"], ["smoke", str(tmp_path / "glpft.yaml")]):
        error = call("copy", *arguments).exception
        assert isinstance(error, UsageError)
        assert "not overwritten" in str(error)
    assert (tmp_path / "glpft.yaml").read_text() == "mine"
    assert call("copy", "smoke", "other.yaml").exit_code == 0
    error = call("copy", "smoke", "no/such/folder.yaml").exception
    assert isinstance(error, UsageError)


def test_a_team_with_weights_ships_and_is_copied_whole(tmp_path: Path) -> None:
    shipped_folder = resources.root() / "roles" / "teams" / "default"
    assert sum(file.stat().st_size for file in shipped_folder.rglob("*")) <= 25e6
    assert call("copy", "default", str(tmp_path / "mine")).exit_code == 0
    original, copied = load_team("default"), load_team(str(tmp_path / "mine"))
    for team, folder in ((original, shipped_folder), (copied, tmp_path / "mine")):
        for weights in (team.backbone, team.planner.weights, team.caller.weights, team.summarizer.weights):
            assert weights is not None
            assert Path(weights).parent == folder
            assert is_adapter(Path(weights))
    error = call("copy", "default", str(tmp_path / "mine" / "team.yaml")).exception
    assert isinstance(error, UsageError)


def test_the_default_team_says_how_it_was_made() -> None:
    team = load_team("default")
    assert team.backbone is not None
    backbone = read_card(Path(team.backbone))
    assert backbone is not None
    roles = [read_card(Path(str(team.role(role).weights))) for role in ("planner", "caller", "summarizer")]
    for card in roles:
        assert card is not None
        assert card.base_digest == backbone_digest(backbone.base_digest, Path(team.backbone))
        assert (card.data_digest, card.recipe_digest) == (backbone.data_digest, backbone.recipe_digest)
        assert card.prompt_digest == team.prompt_digest


def test_a_folder_of_the_same_name_does_not_hide_a_shipped_team(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").mkdir()
    assert load_team("default").backbone is not None
    with pytest.raises(UsageError, match=r"holds no team\.yaml"):
        load_team("./default")


def test_a_copied_script_can_be_run(tmp_path: Path) -> None:
    assert call("copy", "deepspeed.sh", str(tmp_path)).exit_code == 0
    assert os.access(tmp_path / "deepspeed.sh", os.X_OK)


def test_a_description_comes_from_a_comment_too(tmp_path: Path) -> None:
    for name, text, found in (
        ("a.sh", "#!/bin/bash\n#SBATCH -N 1\n# Does it.\n# More.\n", "Does it."),
        ("b.yaml", "# First.\nkey: 1\n", "First."),
        ("c.yaml", "# First.\ndescription: Second.\n", "Second."),
        ("d.json", "{}", ""),
    ):
        (tmp_path / name).write_text(text)
        assert resources_commands.describe(tmp_path / name) == found


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("import alpha_umi; alpha_umi.load_team; alpha_umi.ScriptedModel", "torch transformers langgraph"),
        ("import alpha_umi.cli.resources_commands as s; s.find('glpft')", "torch transformers langgraph"),
        ("import alpha_umi.cli.run", "torch transformers langgraph"),
        ("import alpha_umi.agent.runner, alpha_umi.models.loading", "torch transformers openai peft"),
    ],
)
def test_nothing_heavy_is_imported(program: str, absent: str) -> None:
    check = f"{program}\nimport sys; print([name for name in {absent.split()} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_shipped_yaml_is_plain() -> None:
    for file in resources_commands.shipped():
        if file.path.suffix == ".yaml":
            assert isinstance(yaml.safe_load(file.path.read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("ranks", ["0", "-1", "two", "gym", "1; echo"])
def test_the_launcher_asks_for_a_number_of_processes(ranks: str) -> None:
    done = subprocess.run(
        [str(resources.root() / "launch" / "deepspeed.sh"), ranks, "smoke"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == f"RANKS is a number of processes, not '{ranks}'\n"
    assert not done.stdout
