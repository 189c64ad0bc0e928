"""What a training run leaves behind, and what a resumed run finds.

RUN/recipe.yaml     the recipe with everything resolved        RUN/metrics.jsonl   a line per logged step
RUN/run.json        seeds, versions, git state, data digest    RUN/team.yaml       the finished team
RUN/STAGE/          weights and card of a finished stage        RUN/STAGE/checkpoints/
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from alpha_umi.adapters import CARD_FILE, text_digest
from alpha_umi.errors import UsageError
from alpha_umi.pinned_date import PINNED_DATE
from alpha_umi.prompts import Layout, load_prompts
from alpha_umi.roles import ROLES, TEAM_FILE, load_team
from alpha_umi.training.environment import threads
from alpha_umi.training.recipe import BASE, Recipe

RECIPE_FILE = "recipe.yaml"
WITHOUT_EFFECT = ("name", "description", "data", "warm_start", "wandb", "keep_checkpoints", "log_steps")
"""Keys of a recipe that do not decide the weights; of data and adapters it is the content that does, not the path."""

PACKAGES = ("torch", "transformers", "peft", "deepspeed", "accelerate", "datasets", "langgraph", "pydantic")


def versions() -> dict[str, str]:
    """Versions of what the results depend on."""
    found = {"python": platform.python_version()}
    for package in ("alpha-umi", *PACKAGES):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def git_state() -> dict[str, Any]:
    """Commit of the checkout that the package is run from and whether it has changes; nulls outside one."""
    here = Path(__file__).parent

    def git(*words: str) -> str | None:
        done = subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    if shutil.which("git") is None:
        return {"commit": None, "changed": None}
    changes = git("status", "--porcelain")
    return {"commit": git("rev-parse", "HEAD"), "changed": None if changes is None else bool(changes)}


def recipe_digest(recipe: Recipe) -> str:
    """Digest of everything in a recipe that decides the weights."""
    return text_digest(_decisive(recipe.model_dump(mode="json")))


def _decisive(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the weights in a recipe; of a batch in targets these, as its rows follow from them and the data.
    Keys that came later are left out where they say what was before them, so that older runs can be resumed."""
    found = {k: v for k, v in recipe.items() if k not in WITHOUT_EFFECT and (k, v) != ("date", PINNED_DATE)}
    stages: dict[str, dict[str, Any]] = {name: dict(stage) for name, stage in found["stages"].items()}
    for stage in stages.values():
        stage.pop("batch_targets" if stage.get("batch_targets") is None else "batch_size", None)
    return found | {"stages": stages}


def check_folder(run: Path, *, resume: bool) -> None:
    """Refuse a folder that a run may not be written to, before anything is.

    Raises:
        UsageError: the folder holds a run and `resume` was not asked for, or it holds something else.
    """
    if (run / RECIPE_FILE).is_file():
        if not resume:
            raise UsageError(f"{run} already holds a run: add --resume to continue it, or choose another --out")
    elif run.is_dir() and any(
        child.name not in {"data", "rows"} and child.suffix != ".lock" for child in run.iterdir()
    ):
        raise UsageError(f"{run} is not empty and holds no run: choose another --out")


def open_run(
    run: Path, recipe: Recipe, *, data_digest: str, world: int, began_with: Mapping[str, str] | None = None
) -> None:
    """Make the run folder, or check that what it holds may be continued.

    Raises:
        UsageError: it holds a run of another recipe, other data, other prompts, other adapters to begin with
            (`began_with`, digests by stage), or another number of processes.
    """
    path = run / RECIPE_FILE
    facts: dict[str, Any] = {
        "recipe_digest": recipe_digest(recipe),
        "data_digest": data_digest,
        "prompts_digest": prompts_digest(recipe),
        "warm_start": dict(began_with or {}) or None,
        "world_size": world,
    }
    if path.is_file():
        before = json.loads((run / "run.json").read_text(encoding="utf-8"))
        if before["recipe_digest"] != facts["recipe_digest"]:
            changed = ", ".join(_differences(yaml.safe_load(path.read_text(encoding="utf-8")), recipe))
            raise UsageError(f"{run} was trained with another recipe ({changed} differ); choose another --out")
        for key, words in (
            ("data_digest", "on other data"),
            ("prompts_digest", "with other prompts or role settings"),
            ("warm_start", "from other adapters"),
            ("world_size", f"by {before['world_size']} processes, not {world}"),
        ):
            if before.get(key) != facts[key]:
                raise UsageError(f"{run} was trained {words}; --resume needs the same (or choose another --out)")
        return
    run.mkdir(parents=True, exist_ok=True)
    facts |= {
        "seed": recipe.seed,
        "versions": versions(),
        "git": git_state(),
        "command": sys.argv,
        "machine": {"system": platform.platform(), "processor": platform.machine(), "threads": threads()},
    }
    (run / "run.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    write_recipe(run, recipe)  # last: its presence means that the folder is a run


def write_recipe(run: Path, recipe: Recipe) -> None:
    """Write `recipe.yaml`; again when the rows of its batches are known."""
    part = run / f"{RECIPE_FILE}.part"
    part.write_text(
        yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    part.replace(run / RECIPE_FILE)


def prompts_digest(recipe: Recipe) -> str:
    """Digest of what is not in a recipe and decides its rows: the wording, and the room that roles need to write."""
    team = load_team(recipe.team)
    rooms = {role.view.value: role.generation.max_new_tokens for role in (getattr(team, v.value) for v in ROLES)}
    return text_digest([load_prompts(recipe.layout).digest, rooms])


def _differences(before: Mapping[str, Any], recipe: Recipe) -> list[str]:
    """Top-level keys of a recipe that decide the weights and are not as they were."""
    then, now = _decisive(before), _decisive(recipe.model_dump(mode="json"))
    return [key for key in now if then.get(key) != now[key]]


def is_finished(run: Path, stage: str) -> bool:
    """Whether a stage has ended: its card is written last."""
    return (run / stage / CARD_FILE).is_file()


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint; half-written ones, left by a killed run, are removed."""
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        number = path.name.removeprefix("checkpoint-")
        # transformers writes the trainer's state last.
        if not number.isdigit() or not (path / "trainer_state.json").is_file():
            shutil.rmtree(path, ignore_errors=True)  # another rank may be doing the same
        else:
            found.append((int(number), path))
    return max(found)[1] if found else None


def write_team(run: Path, recipe: Recipe) -> None:
    """Write `team.yaml`, in which each seat speaks with the stage that fills it."""
    team = load_team(recipe.team)
    seats: dict[str, Any] = {}
    base = str(Path(recipe.base).resolve()) if Path(recipe.base).is_dir() else recipe.base
    for view in ROLES:
        role = getattr(team, view.value)
        name = recipe.stage_of(view)
        stage = recipe.stages[name]
        if recipe.shares(name) or (stage.method == "lora" and not recipe.continued(name)):
            base = base if stage.start == BASE else stage.start
        seats[view.value] = role.model_dump(mode="json") | {"weights": name}
    if recipe.layout is Layout.SHARED and not any(recipe.shares(recipe.stage_of(view)) for view in ROLES):
        # One model speaks for all, and reads for all: it is the backbone, and nobody adds anything to it.
        base = recipe.stage_of(ROLES[0])
    seats = {
        view: seat | {"weights": None if seat["weights"] == base else seat["weights"]} for view, seat in seats.items()
    }
    text = {
        "name": recipe.name,
        "description": f"Trained by the recipe '{recipe.name}'.",
        "layout": recipe.layout.value,
        "base": base,
        "observation_chars": recipe.observation_chars,
        "context": recipe.context,
        **seats,
    }
    (run / TEAM_FILE).write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")
