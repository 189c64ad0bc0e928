"""Stages that are trained by what a package or a module brings, and callbacks of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runs import recipe_file

from alpha_umi.cli import train as verb
from alpha_umi.errors import ConfigError, UsageError, WorkError
from alpha_umi.model_card import read_card
from alpha_umi.team_files import load_team
from alpha_umi.training import glpft
from alpha_umi.training.recipe import Recipe, load_recipe
from alpha_umi.training.run_folder import recipe_digest

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

pytestmark = pytest.mark.model

MODULE = """
from torch import Tensor
from alpha_umi.training import sft
from alpha_umi.training.trainer import StageTrainer

seen, losses = [], 0

class Halved(StageTrainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        global losses
        losses += 1
        return super().compute_loss(model, inputs, False, num_items_in_batch) * 0.5

def halved(work):
    seen.append(work)
    return sft.train(work, trainer_class=Halved)

def nothing(work):
    return {}

number = 4
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module in the working directory with stages of its own."""
    name = f"stages_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


@pytest.fixture
def load(tiny: Path, data: Path, tmp_path: Path) -> Callable[..., Recipe]:
    """The recipe of a small run, with overrides."""

    def made(*overrides: str, layout: str = "paper", **stages: Any) -> Recipe:
        path = recipe_file(tmp_path, tiny, data, limit=4, layout=layout, stages=stages)
        return load_recipe(str(path), overrides=overrides)

    return made


def test_a_stage_of_ones_own_trains_and_its_team_is_loaded(
    module: str, load: Callable[..., Recipe], tmp_path: Path
) -> None:
    short = [f"stages.{name}.epochs=1" for name in ("backbone", "planner", "caller", "summarizer")]
    recipe = load(*short, f"stages.planner.trainer={module}:halved", "stages.planner.options={beta: 0.5}")
    out = glpft.train(recipe, tmp_path / "run")
    (work,) = sys.modules[module].seen
    assert (work.names, work.stage.options, work.folder("planner")) == (("planner",), {"beta": 0.5}, out / "planner")
    assert Path(work.start) == (out / "backbone").resolve()
    card = read_card(out / "planner")
    assert card is not None
    assert card.results["steps"] == 1
    assert load_team(str(out)).planner.weights == str((out / "planner").resolve())
    assert sys.modules[module].losses > 0
    with pytest.raises(UsageError, match=r"trained with another recipe"):
        glpft.train(load(*short), out, resume=True)


def test_a_stage_that_leaves_no_weights_has_no_card(module: str, load: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = load(f"stages.backbone.trainer={module}:nothing")
    with pytest.raises(WorkError, match="backbone was saved broken, so it has no card"):
        glpft.train(recipe, tmp_path / "run", stage="backbone")


@pytest.mark.parametrize("dry", [True, False])
@pytest.mark.parametrize(
    ("trainer", "told"),
    [
        ("dpo", "stages.planner.trainer: there is no training stage 'dpo'; there are sft, or give your own"),
        ("no_module_of_that_name:f", "stages.planner.trainer: .*there is no module 'no_module_of_that_name'"),
        ("{module}:hlaved", "'hlaved' is not in .*; there are .*halved"),
        ("{module}:number", "is no training stage, but 4"),
    ],
)
def test_a_bad_name_is_refused_before_anything_is_trained(
    module: str, load: Callable[..., Recipe], tmp_path: Path, dry: bool, trainer: str, told: str
) -> None:
    load()
    sets = [f"stages.planner.trainer={trainer.format(module=module)}"]

    def start() -> None:
        recipe = load_recipe(str(tmp_path / "tiny.yaml"), overrides=sets)
        verb._dry_run(recipe, as_json=True) if dry else glpft.train(recipe, tmp_path / "run")

    with pytest.raises(ConfigError, match=told) as caught:
        start()
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"trainer": "mine:stage"},
            "planner.trainer: 'mine:stage' addresses code; a YAML file only names",
        ),
        ({"options": {"beta": 1}}, "stages.planner: sft reads no options, found beta"),
        ({"trainer": 3}, "stages.planner.trainer: input should be a valid string"),
    ],
)
def test_mistakes_in_yaml(load: Callable[..., Recipe], settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load(planner=settings)


def test_the_trainer_that_all_recipes_had_is_not_in_their_digests(load: Callable[..., Recipe], module: str) -> None:
    assert recipe_digest(load()) == recipe_digest(load("stages.planner.trainer=sft"))
    other = [load(f"stages.planner.trainer={module}:halved", *more) for more in ((), ("stages.planner.options.b=1",))]
    assert len({recipe_digest(recipe) for recipe in (load(), *other)}) == 3


def test_roles_of_another_trainer_train_apart(load: Callable[..., Recipe], module: str) -> None:
    recipe = load(f"stages.caller.trainer={module}:halved", "stages.caller.batch_size=2", layout="shared")
    assert recipe.together(list(recipe.stages)) == [["backbone"], ["planner", "summarizer"], ["caller"]]


def test_callbacks_are_told_of_every_stage_and_after_a_resume(load: Callable[..., Recipe], tmp_path: Path) -> None:
    class Told(TrainerCallback):
        def __init__(self, stop: int | None = None) -> None:
            self.stop = stop
            self.began: list[tuple[str, int]] = []

        def on_train_begin(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
        ) -> None:
            self.began.append((Path(str(args.output_dir)).parent.name, state.global_step))

        def on_step_begin(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
        ) -> None:
            if state.global_step == self.stop:
                raise KeyboardInterrupt

    recipe = load("stages.caller=null", "stages.summarizer=null")
    with pytest.raises(UsageError, match=r"Told'> is no instance of transformers.TrainerCallback"):
        glpft.train(recipe, tmp_path / "run", callbacks=[Told])  # type: ignore[list-item]
    first, second = Told(stop=2), Told()
    with pytest.raises(KeyboardInterrupt):
        glpft.train(recipe, tmp_path / "run", callbacks=[first])
    glpft.train(recipe, tmp_path / "run", resume=True, callbacks=[second])
    assert first.began == [("backbone", 0)]
    assert second.began == [("backbone", 2), ("planner", 0)]
