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
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from alpha_umi.data import store
from alpha_umi.digests import SCHEME, text_digest, weight_files
from alpha_umi.errors import UsageError
from alpha_umi.files import write_atomically
from alpha_umi.model_card import CARD_FILE
from alpha_umi.resources import TEAM_FILE
from alpha_umi.text.layouts import layouts
from alpha_umi.training.distributed import threads
from alpha_umi.training.recipe import Recipe, find_deepspeed
from alpha_umi.training.stage import BASE
from alpha_umi.training.stages import SFT

RECIPE_FILE = "recipe.yaml"
WITHOUT_EFFECT = ("name", "description", "data", "warm_start", "wandb", "save_steps", "keep_checkpoints", "log_steps")
"""Keys of a recipe that do not decide the weights; of data and adapters it is the content that does, not the path."""

BY_CONTENT = ("base", "team", "deepspeed", "date")
"""Keys that name something: a run is told from another by what that is, and a date by the chat template's digest."""

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
    """Digest of everything in a recipe that decides the weights; what it names by path or name counts by content.

    Keys that are not set do not count, so that a release with one more key knows the runs of the last.
    """
    plain = {key: value for key, value in _decisive(recipe).items() if key not in BY_CONTENT}
    deepspeed = None if recipe.deepspeed is None else find_deepspeed(recipe.deepspeed).read_text(encoding="utf-8")
    return text_digest([plain, deepspeed and json.loads(deepspeed), _parts(recipe)])


def _decisive(recipe: Recipe) -> dict[str, Any]:
    """What is set in a recipe and decides the weights; of a batch in targets these, as its rows follow from them, and
    of trainers those that are not the one of all recipes before there were others."""
    found = recipe.model_dump(mode="json", exclude=set(WITHOUT_EFFECT), exclude_none=True)
    found["layout"] = recipe.layout.name
    for stage in found["stages"].values():
        stage["views"] = stage.pop("roles")  # as the key was named when the first runs were made
        if "batch_targets" in stage:
            del stage["batch_size"]
        if stage["trainer"] == SFT:
            del stage["trainer"]
        if not stage["options"]:
            del stage["options"]
    return found


def _parts(recipe: Recipe) -> dict[str, str]:
    """Which role takes each part of a recipe's team, and what further roles there are."""
    team = recipe.filled
    parts = {"planner": team.planner.name, "caller": team.caller.name, "summarizer": team.summarizer.name}
    return parts | {name: name for name in team.roles if name not in parts.values()}


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
    run: Path,
    recipe: Recipe,
    *,
    data: Path,
    data_digest: str,
    reads: Mapping[str, str],
    world: int,
    began_with: Mapping[str, str] | None = None,
) -> None:
    """Make the run folder, or check that what it holds may be continued.

    Args:
        run: the folder.
        recipe: resolved.
        data: the data set.
        data_digest: of it.
        reads: `base_digest`, `tokenizer_digest` and `template_digest`.
        world: number of processes.
        began_with: digests of the adapters that stages begin with, by stage.

    Raises:
        UsageError: it holds a run of another recipe, data, prompts, base, tokenizer, chat template, adapters to begin
            with, or number of processes.
    """
    path = run / RECIPE_FILE
    facts: dict[str, Any] = {
        "recipe_digest": recipe_digest(recipe),
        "data_digest": data_digest,
        "prompts_digest": prompts_digest(recipe),
        **reads,
        "warm_start": dict(began_with or {}) or None,
        "world_size": world,
    }
    if path.is_file():
        before = json.loads((run / "run.json").read_text(encoding="utf-8"))
        recipe_before = yaml.safe_load(path.read_text(encoding="utf-8"))
        _check_same(run, before, facts, changed=_differences(recipe_before, recipe), data=data)
        return
    run.mkdir(parents=True, exist_ok=True)
    facts |= {
        "taskset": store.taskset_of(data),
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
    written = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_atomically(run / RECIPE_FILE, written)


def _check_same(
    run: Path, before: Mapping[str, Any], facts: Mapping[str, Any], *, changed: Sequence[str], data: Path
) -> None:
    """Refuse to continue a run whose facts are not today's; of a run of older rules, what they can tell is compared.

    Args:
        run: its folder.
        before: what its run.json says.
        facts: today's.
        changed: keys of its recipe that have other values today.
        data: the data set.

    Raises:
        UsageError: something differs.
    """
    old = not str(before["recipe_digest"]).startswith(SCHEME)
    if changed if old else before["recipe_digest"] != facts["recipe_digest"]:
        what = ", ".join(changed) or "the team or the DeepSpeed configuration that it names"
        raise UsageError(
            f"{run} was trained with another recipe ({what} differ); "
            f"continue with {run / RECIPE_FILE}, or choose another --out"
        )
    if old:
        known = {"data_digest": store.first_digest(data)}
        known["prompts_digest"] = str(facts["prompts_digest"]).removeprefix(SCHEME)
        facts = {key: value for key, value in {**facts, **known}.items() if key in before}
    for key, words in (
        ("data_digest", "on other data"),
        ("prompts_digest", "with other prompts or role settings"),
        ("base_digest", "from another base"),
        ("tokenizer_digest", "with another tokenizer"),
        ("template_digest", "with another chat template"),
        ("warm_start", "from other adapters"),
        ("world_size", f"by {before['world_size']} processes, not {facts['world_size']}"),
    ):
        if key in facts and before.get(key) != facts[key]:
            raise UsageError(f"{run} was trained {words}; --resume needs the same (or choose another --out)")


def prompts_digest(recipe: Recipe) -> str:
    """Digest of what is not in a recipe and decides its rows: the wording, and the room that roles need to write."""
    team = recipe.filled
    rooms = {name: role.generation.max_new_tokens for name, role in team.roles.items()}
    return text_digest([team.prompt_digest, rooms])


def _differences(before: Mapping[str, Any], recipe: Recipe) -> list[str]:
    """Top-level keys of a recipe that decide the weights and are not as they were."""
    now = _decisive(recipe)
    try:
        then = _decisive(Recipe.model_validate(before))
    except ValidationError:  # what it names is gone, as a layout of the user's own may be
        return []
    return [key for key in {**then, **now} if then.get(key) != now.get(key)]


def is_finished(run: Path, stage: str) -> bool:
    """Whether a stage has ended: its card is written last. One whose weights have gone since has not."""
    files = weight_files(run / stage)
    return (run / stage / CARD_FILE).is_file() and bool(files) and all(file.is_file() for file in files)


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
    """Write `team.yaml`, in which each role speaks with the stage that fills it."""
    team = recipe.filled
    stages = {name: recipe.stage_of(name) for name in team.roles}
    base = str(Path(recipe.base).resolve()) if Path(recipe.base).is_dir() else recipe.base
    for name in stages.values():
        stage = recipe.stages[name]
        if recipe.shares(name) or (stage.method == "lora" and not recipe.is_continued(name)):
            base = base if stage.start == BASE else stage.start
    if recipe.layout.shared and not any(recipe.shares(name) for name in stages.values()):
        # One model speaks for all, and reads for all: it is the backbone, and nobody adds anything to it.
        base = stages[team.planner.name]
    roles = {
        name: role.model_dump(mode="json", exclude_none=True, exclude={"weights", "served", "model"})
        | ({} if stages[name] == base else {"weights": stages[name]})
        for name, role in team.roles.items()
    }
    text = {
        "name": recipe.name,
        "description": f"Trained by the recipe '{recipe.name}'.",
        "prompts": _kept_prompts(run, recipe),
        "base": base,
        "observation_chars": recipe.observation_chars,
        "context": recipe.context,
        "constrained": team.constrained,
        "merge_adapters": team.merge_adapters,
        "roles": roles,
    }
    (run / TEAM_FILE).write_text(yaml.safe_dump(text, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _kept_prompts(run: Path, recipe: Recipe) -> str:
    """How a run's team names its layout; one of the user's own is copied into the run, which it must not outlive."""
    if recipe.filled.prompts in layouts():
        return recipe.filled.prompts
    if recipe.layout.folder != (run / "prompts").resolve():
        shutil.copytree(recipe.layout.folder, run / "prompts", dirs_exist_ok=True)
    return "./prompts"
