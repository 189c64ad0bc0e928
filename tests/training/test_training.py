"""GLPFT for real: a tiny model for the mechanics, SmolLM2 for what must be learned."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from runs import command, kill_after_a_checkpoint, losses_of, on_two_ranks, recipe_file, unlimited

import alpha_umi_gym as gym
from alpha_umi.data import store
from alpha_umi.errors import MissingExtra, UsageError
from alpha_umi.model_card import read_card
from alpha_umi.team_files import load_team
from alpha_umi.training.dataset import prepare_data, select
from alpha_umi.training.distributed import deepspeed_config
from alpha_umi.training.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    import torch
    from safetensors.torch import load_file
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from alpha_umi.training import callbacks, glpft, run_folder
    from alpha_umi.training.trainer import arguments, warmup_updates

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny: Path, data: Path) -> Path:
    """A finished run of the command, with what it printed beside it."""
    folder = tmp_path_factory.mktemp("run of a tiny model, ñ")
    done = subprocess.run(
        command(recipe_file(folder, tiny, data), folder / "run"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    (folder / "stderr").write_text(done.stderr)
    return folder / "run"


def test_the_run_folder_says_how_it_was_made(run: Path) -> None:
    facts = json.loads((run / "run.json").read_text())
    assert facts["seed"] == 42
    assert facts["versions"]["torch"] == version("torch")  # torch.__version__ may name the build besides
    assert set(facts["git"]) == {"commit", "changed"}
    resolved = Recipe.model_validate(yaml.safe_load((run / "recipe.yaml").read_text()))
    assert resolved.stages["planner"].lora.r == 4
    names = sorted(p.name for p in run.iterdir() if p.suffix != ".lock")
    assert names == [
        "backbone",
        "caller",
        "metrics.jsonl",
        "planner",
        "recipe.yaml",
        "run.json",
        "summarizer",
        "team.yaml",
    ]


def test_metrics_have_loss_rate_speed_and_memory_for_every_update(run: Path) -> None:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    by_stage = {s: [x for x in lines if x["stage"] == s] for s in ("backbone", "planner", "caller", "summarizer")}
    for stage, found in by_stage.items():
        assert [x["step"] for x in found] == list(range(1, found[0]["steps"] + 1)), stage
    assert by_stage["backbone"][-1]["loss"] < by_stage["backbone"][0]["loss"]
    assert {"learning_rate", "tokens_per_second", "targets_per_second", "memory_mib"} <= lines[0].keys()
    assert all(x["tokens_per_second"] > x["targets_per_second"] > 0 for x in lines)


def test_stages_have_cards_and_continue_from_the_backbone(run: Path, tiny: Path) -> None:
    backbone, planner = read_card(run / "backbone"), read_card(run / "planner")
    assert backbone is not None
    assert planner is not None
    assert (backbone.kind, backbone.base) == ("full", str(tiny))
    assert (planner.kind, planner.base) == ("lora", "backbone")
    named = json.loads((run / "run.json").read_text())["taskset"]
    assert backbone.taskset == planner.taskset == named == "gym@1"
    before, after = (load_file(p / "model.safetensors") for p in (tiny, run / "backbone"))
    assert any(not torch.equal(before[k].bfloat16(), after[k]) for k in after)
    adapter = load_file(run / "planner" / "adapter_model.safetensors")
    assert any(v.abs().max() > 0 for k, v in adapter.items() if "lora_B" in k)


def test_a_finished_run_is_a_team_and_prints_what_is_next(run: Path) -> None:
    team = load_team(str(run))
    assert team.base == str((run / "backbone").resolve())
    assert team.caller.weights == str((run / "caller").resolve())
    assert "alpha-umi run" in (run.parent / "stdout").read_text()
    progress = (run.parent / "stderr").read_text()
    told = [line.removeprefix("[2/4] planner  ") for line in progress.splitlines() if line.startswith("[2/4] planner")]
    assert told[0] == "preparing rows; continues from backbone"
    assert told[1].startswith("step 0/")
    assert re.fullmatch(r"step 1/\d+  \d+ s left", told[2]), "the first update says how long the rest will take"
    assert "Traceback" not in progress
    assert "Warning" not in progress


def test_a_finished_run_is_not_overwritten(run: Path, tiny: Path, data: Path) -> None:
    again = subprocess.run(command(run.parent / "tiny.yaml", run), capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "--resume" in again.stderr


@pytest.mark.parametrize(
    ("ratio", "updates", "found"), [(0.2, 1, 0), (0.2, 2, 1), (1.0, 3, 2), (0.0, 5, 0), (0.2, 50, 10)]
)
def test_a_warm_up_leaves_an_update_to_learn_from(ratio: float, updates: int, found: int) -> None:
    assert warmup_updates(ratio, updates) == found


def test_a_stage_of_one_update_learns(tiny: Path, data: Path, tmp_path: Path) -> None:
    """Its only update was the first of its warm-up, at the rate 0, and the adapters it saved were empty."""
    path = recipe_file(tmp_path, tiny, data, limit=2, stages={"backbone": {"epochs": 1}})
    run = glpft.train(load_recipe(str(path), overrides=["defaults.batch_size=4"]), tmp_path / "run", stage="backbone")
    (line,) = [json.loads(text) for text in (run / "metrics.jsonl").read_text().splitlines()]
    assert line["learning_rate"] > 0
    before, after = (load_file(folder / "model.safetensors") for folder in (tiny, run / "backbone"))
    assert any(not torch.equal(before[name].float(), tensor.float()) for name, tensor in after.items())


def test_a_stage_whose_weights_have_gone_is_not_finished(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run, tmp_path / "run")
    assert run_folder.is_finished(folder, "planner")
    for file in (folder / "planner").glob("*.safetensors"):
        file.unlink()
    assert not run_folder.is_finished(folder, "planner")


@pytest.mark.slow
def test_killed_at_once_and_resumed_ends_with_the_same_weights(
    run: Path, tiny: Path, data: Path, tmp_path: Path
) -> None:
    """kill -9 in stage 1 and again in stage 2, at a checkpoint and an update after one; every weight must be equal."""
    recipe = recipe_file(tmp_path, tiny, data)
    broken = tmp_path / "broken"
    kill_after_a_checkpoint(recipe, broken, "backbone")
    kill_after_a_checkpoint(recipe, broken, "planner", updates=1)
    done = subprocess.run(command(recipe, broken, "--resume"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "missing keys" not in done.stderr
    for stage, file in (
        ("backbone", "model.safetensors"),
        ("planner", "adapter_model.safetensors"),
        ("caller", "adapter_model.safetensors"),
        ("summarizer", "adapter_model.safetensors"),
    ):
        whole, resumed = (load_file(folder / stage / file) for folder in (run, broken))
        assert whole.keys() == resumed.keys()
        for key in whole:
            assert torch.equal(whole[key], resumed[key]), (stage, key)
    assert losses_of(run) == losses_of(broken)


@pytest.mark.parametrize(("every", "steps"), [(3, [3, 4]), (100, [4]), (2, [2, 4])])
def test_the_last_update_is_logged(tiny: Path, data: Path, tmp_path: Path, every: int, steps: list[int]) -> None:
    path = recipe_file(tmp_path, tiny, data, stages={"backbone": {"epochs": 1}})
    run = glpft.train(load_recipe(str(path), overrides=[f"log_steps={every}"]), tmp_path / "run", stage="backbone")
    found = losses_of(run)
    assert [step for _, step, _ in found] == steps
    card = read_card(run / "backbone")
    assert card is not None
    assert card.results["final_loss"] == pytest.approx(found[-1][2])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="DeepSpeed compiles how CPU ranks talk: needs a C++ compiler")
def test_two_cpu_ranks_train_under_deepspeed(tiny: Path, data: Path, tmp_path: Path, run: Path) -> None:
    """The shipped launcher and ZeRO-2 configuration; the loss is the single process's, the engine is DeepSpeed's."""
    recipe = recipe_file(tmp_path, tiny, data)
    out = tmp_path / "ranks"
    on_two_ranks(recipe, out)
    facts = json.loads((out / "run.json").read_text())
    assert facts["world_size"] == 2
    cores = int(subprocess.run(["nproc"], capture_output=True, check=True, env=unlimited()).stdout)
    assert facts["machine"]["threads"] == max(1, cores // 2), "ranks select the cores"
    for stage in ("backbone", "planner", "caller", "summarizer"):
        card = read_card(out / stage)
        assert card is not None
        assert card.results["engine"] == "DeepSpeedEngine"
    whole, ranks = (json.loads((folder / "metrics.jsonl").read_text().splitlines()[0]) for folder in (run, out))
    for key in ("loss", "grad_norm"):
        assert whole[key] == pytest.approx(ranks[key], rel=0.02), "the same batch of the same model"
    assert load_team(str(out)).planner.weights


def test_no_reuse_gives_stage_two_other_instructions(data: Path) -> None:
    recipe = load_recipe("glpft", overrides=["reuse=false"])
    first = {t.id for t in select(recipe, "backbone", data)}
    second = {t.id for t in select(recipe, "planner", data)}
    assert first
    assert second
    assert not first & second
    assert second == {t.id for t in select(recipe, "caller", data)}
    assert first | second == {t.id for t in store.read(data)}


def test_a_dry_run_trains_nothing_and_counts_what_training_then_does(run: Path, tmp_path: Path) -> None:
    recipe = run.parent / "tiny.yaml"
    done = subprocess.run(
        command(recipe, tmp_path / "dry", "--dry-run", "--json"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "dry").exists()
    plans = {p["name"]: p for p in json.loads(done.stdout)["stages"]}
    assert list(plans) == ["backbone", "planner", "caller", "summarizer"]
    for name, plan in plans.items():
        card = read_card(run / name)
        assert card is not None
        assert (plan["steps"], plan["rows"]) == (card.results["steps"], card.results["rows"])
        assert plan["tokens"] > plan["trained_tokens"] > 0
        assert plan["memory_gib"] > 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--data", "/nowhere"], "/nowhere"),
        (["--data", "gym:many"], "gym:N"),
        (["--data", "gym@9:4"], "task set 'gym' has no version '9'; it has 1"),
        (["--stage", "writer"], "no stage 'writer'"),
        (["--set", "defaults.batch_size=3"], "no multiple"),
        (["--set", "base=/no/model"], "no model folder"),
        (["--stage", "planner"], "continues from 'backbone'"),
        (["--set", "context=4000"], "2048 positions"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(run: Path, tmp_path: Path, more: list[str], words: str) -> None:
    recipe = run.parent / "tiny.yaml"
    done = subprocess.run(command(recipe, tmp_path / "out", *more), capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_wandb_stays_offline_without_a_key(tiny: Path, data: Path, tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WANDB")} | {"HOME": str(tmp_path)}
    environment["ALPHA_UMI_CACHE"] = str(tmp_path)
    recipe = recipe_file(tmp_path, tiny, data)
    done = subprocess.run(
        command(recipe, tmp_path / "run", "--set", "wandb=true", "--set", "limit=4"),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    # A W&B run for each stage: in one that all share their losses would be drawn over each other.
    assert len(list((tmp_path / "run").glob("wandb/offline-run-*"))) == 4


def test_a_run_over_other_data_is_not_resumed(run: Path, tmp_path: Path) -> None:
    store.write(tmp_path / "other", (task.recorded() for task in gym.generate(4, seed=9)))
    recipe = load_recipe(str(run.parent / "tiny.yaml"))
    with pytest.raises(UsageError, match="on other data"):
        glpft.train(recipe.model_copy(update={"data": str(tmp_path / "other")}), run, resume=True)
    with pytest.raises(UsageError, match=r"another recipe \(seed differ\)"):
        glpft.train(recipe.model_copy(update={"seed": 1}), run, resume=True)


def test_the_same_data_under_another_path_are_the_same(
    run: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = load_recipe(str(run.parent / "tiny.yaml"))
    monkeypatch.chdir(data.parent)
    assert glpft.train(recipe.model_copy(update={"data": f"./{data.name}"}), run, resume=True) == run


def test_a_run_is_not_continued_under_other_prompts(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe(str(run.parent / "tiny.yaml"))
    monkeypatch.setattr(recipe.layout, "digest", lambda *_: "edited")
    with pytest.raises(UsageError, match="other prompts"):
        glpft.train(recipe, run, resume=True)


def test_a_line_of_metrics_cut_short_by_a_kill_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"stage": "a", "step": 1}\n{"stage": "b", "step": 2}\n{"stage": "b", "st')
    metrics = callbacks.MetricsCallback(path, "b")
    metrics.on_train_begin(TrainingArguments(output_dir=str(tmp_path)), TrainerState(global_step=1), TrainerControl())
    assert path.read_text() == '{"stage": "a", "step": 1}\n'


def test_a_foreign_folder_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds no run"):
        glpft.train(load_recipe("smoke"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_run_of_one_stage_says_what_is_left(tiny: Path, data: Path, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path, tiny, data)
    more = ("--stage", "backbone", "--set", "limit=2", "--set", "precision=bf16")
    done = subprocess.run(command(recipe, tmp_path / "run", *more), capture_output=True, text=True, check=False)
    assert done.stdout == f"run: {tmp_path / 'run'}\nstages left: planner, caller, summarizer\n", done.stderr


def test_a_recipe_that_leaves_a_seat_empty_makes_no_team(tiny: Path, data: Path, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path, tiny, data)
    more = ("--set", "stages.summarizer=null", "--set", "limit=2")
    done = subprocess.run(command(recipe, tmp_path / "run", *more), capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[1] == "no team yet: no stage of 'tiny' speaks as summarizer", done.stderr
    assert not (tmp_path / "run" / "team.yaml").exists()


def test_without_a_launcher_one_device_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers would split micro-batches over all GPUs, so that an update learned from other rows than stated."""
    recipe = load_recipe("smoke")
    monkeypatch.setattr(TrainingArguments, "n_gpu", property(lambda _: 4))
    made = arguments(recipe, recipe.stages["planner"], tmp_path, seed=0, deepspeed=None, world=1)
    assert made._n_gpu == 1


def test_cpu_ranks_without_a_compiler_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no-such-compiler is not installed"):
        deepspeed_config(load_recipe("smoke"))


def test_a_file_where_the_run_should_be_is_one_line(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    recipe = run.parent / "tiny.yaml"
    done = subprocess.run(command(recipe, tmp_path / "file" / "run"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [f"error: {tmp_path}/file/run: Not a directory"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_team_made_of_a_relative_base_is_found_from_anywhere(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.parent)
    run_folder.write_team(tmp_path, load_recipe("ablations/one_stage", overrides=[f"base=./{tiny.name}"]))
    assert yaml.safe_load((tmp_path / "team.yaml").read_text())["base"] == str(tiny)


def test_gym_data_half_written_is_made_again(tmp_path: Path) -> None:
    recipe = Recipe.model_validate(
        {"name": "x", "team": "single", "data": "gym@1:3", "stages": {"backbone": {"roles": ["whole"]}}}
    )
    folder = prepare_data(recipe, tmp_path)
    assert store.taskset_of(folder) == "gym@1"
    (folder / "trajectories.jsonl").unlink()
    (folder / ".trajectories.jsonl.1.part").write_text("{")
    assert len(list(store.read(prepare_data(recipe, tmp_path)))) == 3
    more = recipe.model_copy(update={"data": "gym:5"})
    assert len(list(store.read(prepare_data(more, tmp_path)))) == 5


def test_a_plan_that_cannot_be_a_target_is_named(data: Path, tmp_path: Path, tiny: Path) -> None:
    good = next(iter(store.read(data)))
    plan = good.steps[0].plan.model_copy(update={"rationale": "So Next: give up. Or not?"})
    odd = good.model_copy(update={"id": "odd", "steps": (good.steps[0].model_copy(update={"plan": plan}),)})
    store.write(tmp_path / "data", [good, odd])
    recipe = recipe_file(tmp_path, tiny, tmp_path / "data")
    done = subprocess.run(command(recipe, tmp_path / "run", "--dry-run"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: trajectory 'odd': the rationale holds the marker")
    assert "Traceback" not in done.stderr


def test_a_line_that_is_no_trajectory_is_named_wherever_it_stands(data: Path, tmp_path: Path, tiny: Path) -> None:
    lines = (data / "trajectories.jsonl").read_text().splitlines()
    (tmp_path / "broken.jsonl").write_text("\n".join([*lines[:3], '{"query": 5}', *lines[3:]]))
    recipe = recipe_file(tmp_path, tiny, tmp_path / "broken.jsonl")
    done = subprocess.run(command(recipe, tmp_path / "run", "--dry-run"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path / 'broken.jsonl'} line 4 is no trajectory")
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_extra_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "filelock", None)
    with pytest.raises(MissingExtra, match=r"pip install 'alpha-umi\[train\]'"):
        prepare_data(load_recipe("smoke"), tmp_path)
    assert not list(tmp_path.iterdir())
