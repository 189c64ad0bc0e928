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
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from alpha_umi.adapters import CARD_FILE, text_digest
from alpha_umi.errors import UsageError
from alpha_umi.roles import ROLES, TEAM_FILE, load_team
from alpha_umi.training.recipe import BASE, Recipe

RECIPE_FILE = "recipe.yaml"
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
    value = recipe.model_dump(mode="json", exclude={"name", "description", "wandb", "keep_checkpoints", "log_steps"})
    return text_digest(value)


def open_run(run: Path, recipe: Recipe, *, data_digest: str, resume: bool, world: int) -> None:
    """Make the run folder, or check that an existing one may be continued.

    Raises:
        UsageError: the folder holds a run and `resume` was not asked for, or it holds another run.
    """
    path = run / RECIPE_FILE
    if path.is_file():
        before = json.loads((run / "run.json").read_text(encoding="utf-8"))
        if not resume:
            raise UsageError(f"{run} already holds a run: add --resume to continue it, or choose another --out")
        for what, now in (("recipe", recipe_digest(recipe)), ("data", data_digest)):
            if before[f"{what}_digest"] != now:
                raise UsageError(
                    f"{run} was trained with another {what}; --resume needs the same (or choose another --out)"
                )
        return
    if run.is_dir() and any(child.name not in {"data", "rows"} and child.suffix != ".lock" for child in run.iterdir()):
        raise UsageError(f"{run} is not empty and holds no run: choose another --out")
    run.mkdir(parents=True, exist_ok=True)
    facts = {
        "recipe_digest": recipe_digest(recipe),
        "data_digest": data_digest,
        "seed": recipe.seed,
        "world_size": world,
        "versions": versions(),
        "git": git_state(),
        "command": sys.argv,
        "machine": {"system": platform.platform(), "processor": platform.machine()},
    }
    (run / "run.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    # Written last: its presence means that the folder is a run.
    path.write_text(
        yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True), encoding="utf-8"
    )


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
    """Write `team.yaml`: each seat speaks with the stage of its name, or with the only one there is."""
    team = load_team(recipe.team)
    last = list(recipe.stages)[-1]
    seats: dict[str, Any] = {}
    base = str(Path(recipe.base).resolve()) if Path(recipe.base).is_dir() else recipe.base
    for view in ROLES:
        role = getattr(team, view.value)
        name = view.value if view.value in recipe.stages else last
        stage = recipe.stages[name]
        if stage.method == "lora" and not recipe.continued(name):
            base = base if stage.start == BASE else stage.start
        seats[view.value] = role.model_dump(mode="json") | {"weights": name}
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
