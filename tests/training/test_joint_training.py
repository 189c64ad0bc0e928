"""The second stage of the `shared` layout by the real command: roles together over one frozen backbone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from runs import command, kill_after_a_checkpoint, losses_of, on_two_ranks, recipe_file

import alpha_umi_gym as gym
from alpha_umi.errors import ConfigError
from alpha_umi.model_card import read_card
from alpha_umi.models.protocol import Generation, Message, Request
from alpha_umi.team_files import first_roles, load_team
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import load_layout
from alpha_umi.training.recipe import load_recipe
from alpha_umi.training.stage import Lora, Stage

if TYPE_CHECKING:
    import torch
    from safetensors.torch import load_file

    from alpha_umi.data import packed_targets, store
    from alpha_umi.data.tokens import RowSettings, rows
    from alpha_umi.models.local.base_weights import load_base, load_tokenizer
    from alpha_umi.models.local.loading import load_local
    from alpha_umi.training.joint_trainer import SharedRoles

pytestmark = pytest.mark.model

SHARED: dict[str, Any] = {
    "layout": "shared",
    "stages": {"caller": {"epochs": 2, "learning_rate": 0.005}, "summarizer": {"method": "full", "max_rows": 5}},
}
WEIGHTS = {
    "backbone": "model.safetensors",
    "planner": "adapter_model.safetensors",
    "caller": "adapter_model.safetensors",
    "summarizer": "model.safetensors",
}


def lines_of(run: Path, stage: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["stage"] == stage]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny: Path, data: Path) -> Path:
    """Two LoRA roles and a full one, with epochs, rates and rows of their own, trained together."""
    folder = tmp_path_factory.mktemp("shared")
    recipe = recipe_file(folder, tiny, data, **SHARED)
    done = subprocess.run(command(recipe, folder / "run"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[2-4/4] planner, caller, summarizer" in done.stderr
    assert "Warning" not in done.stderr
    return folder / "run"


def test_each_role_has_its_own_epochs_rate_and_schedule(run: Path) -> None:
    planner, caller = lines_of(run, "planner"), lines_of(run, "caller")
    assert [x["step"] for x in planner] == list(range(1, 13))  # 16 rows, 4 in an update, 3 epochs
    assert [x["step"] for x in caller] == list(range(1, 9))  # 2 epochs, then it rests
    assert max(x["learning_rate"] for x in planner) > 0.009
    assert 0.0045 < max(x["learning_rate"] for x in caller) <= 0.005
    assert 0 < caller[-1]["learning_rate"] < 0.0005, "the rate of its last update, after which it rests"
    for stage in ("planner", "caller", "summarizer"):
        found = lines_of(run, stage)
        assert all(x["grad_norm"] > 0 and x["loss"] > 0 for x in found)
        card = read_card(run / stage)
        assert card is not None
        assert card.results["final_loss"] == found[-1]["loss"]
        assert card.results["steps"] == {"planner": 12, "caller": 8, "summarizer": 12}[stage]
        assert card.base == "backbone"
    summarizer = lines_of(run, "summarizer")
    assert summarizer[-1]["loss"] < 0.85 * summarizer[0]["loss"]
    assert len(summarizer) < 12, "an update without a target of its own is none of its metrics"


def test_the_run_is_a_team_over_one_backbone(run: Path) -> None:
    team = load_team(str(run))
    assert team.layout is load_layout("shared")
    assert team.base == str((run / "backbone").resolve())
    assert team.summarizer.weights == str((run / "summarizer").resolve())
    full, lora = read_card(run / "summarizer"), read_card(run / "caller")
    assert full is not None
    assert lora is not None
    assert (full.kind, lora.kind) == ("full", "lora")
    assert full.base_digest == lora.base_digest
    assert "planner" in lora.results["together_with"]


def test_adapters_name_the_tag_from_which_on_they_act(run: Path) -> None:
    encoder = ChatEncoder(load_tokenizer())
    for role in ("planner", "caller"):
        config = json.loads((run / role / "adapter_config.json").read_text())
        assert config["alora_invocation_tokens"] == encoder.tag_ids(first_roles()[role].tag)
        assert config["peft_type"] == "LORA"


def test_a_dry_run_counts_the_context_once(run: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        command(run.parent / "tiny.yaml", tmp_path / "dry", "--dry-run", "--json"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    plans = {p["name"]: p for p in json.loads(done.stdout)["stages"]}
    assert plans["planner"]["context_tokens"] > plans["planner"]["tokens"]
    assert plans["caller"]["context_tokens"] == 0
    assert plans["summarizer"]["rows"] <= 5
    for stage, plan in plans.items():
        card = read_card(run / stage)
        assert card is not None
        assert (plan["steps"], plan["rows"]) == (card.results["steps"], card.results["rows"]), stage


@pytest.mark.slow
def test_killed_and_resumed_ends_with_the_same_weights(run: Path, tiny: Path, data: Path, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path, tiny, data, **SHARED)
    broken = tmp_path / "broken"
    kill_after_a_checkpoint(recipe, broken, "planner", updates=1)
    state = next((broken / "planner").glob("checkpoints-*/checkpoint-*/trainer_state.json"))
    held = load_file(state.with_name("model.safetensors"))
    assert not any(".base.weight" in name for name in held), "a checkpoint need not hold the frozen backbone"
    done = subprocess.run(command(recipe, broken, "--resume"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for stage, file in WEIGHTS.items():
        whole, resumed = (load_file(folder / stage / file) for folder in (run, broken))
        assert whole.keys() == resumed.keys()
        for key in whole:
            assert torch.equal(whole[key], resumed[key]), (stage, key)
    assert losses_of(run) == losses_of(broken)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="DeepSpeed compiles how CPU ranks talk: needs a C++ compiler")
def test_two_cpu_ranks_train_roles_together_under_deepspeed(run: Path, tiny: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "ranks"
    on_two_ranks(recipe_file(tmp_path, tiny, data, **SHARED), out)
    for stage in WEIGHTS:
        card = read_card(out / stage)
        assert card is not None
        assert card.results["engine"] == "DeepSpeedEngine"
    for stage in ("planner", "caller", "summarizer"):
        alone, ranks = lines_of(run, stage), lines_of(out, stage)
        # The same batches of the same model, dropout drawn by each rank; where a role has none, ranks let its momentum
        # go on (`SharedTrainer`).
        assert [x["loss"] for x in ranks] == pytest.approx([x["loss"] for x in alone], rel=0.1)
        assert [x["step"] for x in ranks] == [x["step"] for x in alone]
        assert [x["learning_rate"] for x in ranks] == pytest.approx([x["learning_rate"] for x in alone])
    assert load_team(str(out)).planner.weights


def test_roles_may_train_apart(tiny: Path, data: Path, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path, tiny, data, **SHARED, train_roles="apart")
    done = subprocess.run(command(recipe, tmp_path / "run"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[3/4] caller" in done.stderr
    card = read_card(tmp_path / "run" / "caller")
    assert card is not None
    assert "together_with" not in card.results
    assert [x["step"] for x in lines_of(tmp_path / "run", "caller")] == list(range(1, 9))
    up = load_file(tmp_path / "run" / "caller" / "adapter_model.safetensors")
    assert all(tensor.any() for name, tensor in up.items() if "lora_B" in name)


def test_one_model_for_all_is_its_own_backbone(tiny: Path, data: Path, tmp_path: Path) -> None:
    text = {
        "extends": "smoke",
        "layout": "shared",
        "base": str(tiny),
        "data": str(data),
        "stages": {"planner": None, "caller": None, "summarizer": None},
    }
    path = tmp_path / "one.yaml"
    path.write_text(yaml.safe_dump(text))
    done = subprocess.run(command(path, tmp_path / "run"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    team = load_team(str(tmp_path / "run"))
    assert team.base == str((tmp_path / "run" / "backbone").resolve())
    assert [team.planner.weights, team.caller.weights, team.summarizer.weights] == [None] * 3


def test_one_adapter_for_all_becomes_the_backbone(tiny: Path, data: Path, tmp_path: Path) -> None:
    """It is merged: a model that all seats read with cannot be an adapter, which acts on its own words only."""
    text = {
        "extends": str(recipe_file(tmp_path, tiny, data, layout="shared")),
        "stages": {
            "backbone": {"method": "lora", "epochs": 1},
            **dict.fromkeys(["planner", "caller", "summarizer"]),
        },
    }
    path = tmp_path / "one.yaml"
    path.write_text(yaml.safe_dump(text))
    done = subprocess.run(command(path, tmp_path / "run"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    models = load_local(load_team(str(tmp_path / "run")))
    tag = first_roles()["planner"].tag
    request = Request(
        messages=[Message(role="user", content=f"so\n{tag}", tag=tag)], generation=Generation(max_new_tokens=3)
    )
    assert models["planner"].complete(request).completion_tokens <= 3
    assert len({id(model.engine) for model in models.values()}) == 1


def test_updates_in_which_a_role_has_nothing_to_learn(tiny: Path, data: Path, tmp_path: Path) -> None:
    """Rows of one, few of them a summarizer's, and the summarizer goes on alone: most micro-batches teach nobody."""
    text: dict[str, Any] = {**SHARED, "defaults": {"batch_size": 2, "micro_batch": 1}}
    text["stages"] = {
        "planner": {"epochs": 1, "max_rows": 6, "lora": {"target_modules": ["q_proj"], "r": 2}},
        "caller": {"epochs": 1, "max_rows": 6},
        "summarizer": {"epochs": 2, "max_rows": 3},
    }
    recipe = recipe_file(tmp_path, tiny, data, **text)
    done = subprocess.run(command(recipe, tmp_path / "run"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert max(x["step"] for x in lines_of(tmp_path / "run", "planner")) == 3
    assert max(x["step"] for x in lines_of(tmp_path / "run", "summarizer")) > 3
    planner = load_file(tmp_path / "run" / "planner" / "adapter_model.safetensors")
    assert all("q_proj" in name for name in planner)


def test_two_stages_of_one_role_stay_two(tiny: Path, data: Path, tmp_path: Path) -> None:
    """As a comparison of ranks has them: each trains for itself."""
    text: dict[str, Any] = {**SHARED, "stages": {n: {"epochs": 1, "max_rows": 4} for n in WEIGHTS}}
    recipe = recipe_file(tmp_path, tiny, data, **text)
    more = "{start: backbone, roles: [planner], method: lora, lora: {r: 2}, max_rows: 4}"
    run = tmp_path / "run"
    words = command(recipe, run, "--set", f"stages.planner2={more}")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ranks = [
        load_file(run / stage / "adapter_model.safetensors")[
            "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
        ].shape[0]
        for stage in ("planner", "planner2")
    ]
    assert ranks == [4, 2]


def test_a_role_without_targets_is_refused(tiny: Path, data: Path, tmp_path: Path) -> None:
    unanswered = tmp_path / "unanswered"
    store.write(unanswered, (t.model_copy(update={"answer": None}) for t in store.read(data)))
    recipe = recipe_file(tmp_path, tiny, unanswered, **SHARED)
    more = ["--set", "stages.backbone.max_rows=2"]
    done = subprocess.run(command(recipe, tmp_path / "run", *more), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no targets for stage 'summarizer'" in done.stderr


def test_plain_peft_loads_a_role_as_activated_lora(run: Path) -> None:
    """The same loss of every target as over our shared context, each target a prompt of its own to PEFT."""
    from peft import PeftModel
    from torch.nn.functional import cross_entropy

    encoder = ChatEncoder(load_tokenizer(str(run / "backbone")))
    settings = RowSettings(
        learns=("caller",),
        layout=load_layout("shared"),
        context=2048,
        reserve={"caller": 100},
        observation_chars=2048,
    )
    row = next(row for t in gym.generate(20, seed=5) for row in rows(t.gold, settings, encoder) if row.targets > 1)
    saved = load_file(run / "caller" / "adapter_model.safetensors")
    for tensor in (v for k, v in saved.items() if "lora_B" in k):
        assert tensor.any(), "an adapter that does nothing shows nothing"
    config = json.loads((run / "caller" / "adapter_config.json").read_text())
    lora = Lora(r=config["r"], alpha=config["lora_alpha"])
    ours = SharedRoles(
        load_base(str(run / "backbone"), dtype=torch.float32, device="cpu"),
        {"caller": Stage(roles=("caller",), method="lora", lora=lora)},
        {},
    ).eval()
    with torch.no_grad():
        for name, parameter in ours.trained().items():
            path, kind, _ = name.removeprefix("backbone.").rsplit(".", 2)
            parameter.copy_(saved[f"base_model.model.{path}.lora_{'A' if kind == 'down' else 'B'}.weight"])
        together = ours(**packed_targets.collate([packed_targets.columns(row)], pad_id=0))[1]
        base = load_base(str(run / "backbone"), dtype=torch.float32, device="cpu")
        theirs = PeftModel.from_pretrained(base, run / "caller").eval()
        total = 0.0
        for _, turn in row.branches:
            ids = torch.tensor([row.input_ids[: turn.end]])
            logits = theirs(input_ids=ids).logits[0, turn.words - 1 : -1]
            total += float(cross_entropy(logits, ids[0, turn.words :], reduction="sum"))
    assert float(together) == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (["stages.planner.start=base"], "share one base"),
        (["stages.caller.start=planner"], "share one base"),
        (["stages.caller.batch_size=4"], "batch_size"),
        (["stages.caller.roles=[planner, caller]"], "trains one role"),
        (["train_roles=sometimes"], "train_roles"),
    ],
)
def test_a_recipe_that_cannot_share_is_refused(sets: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_recipe("smoke", overrides=["layout=shared", *sets])


def test_a_wrong_module_name_is_one_line(tiny: Path, data: Path, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path, tiny, data, **SHARED)
    more = ["--set", "stages.planner.lora.target_modules=[query]", "--set", "stages.backbone.max_rows=2"]
    done = subprocess.run(command(recipe, tmp_path / "run", *more), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "has no linear layer called query between embedding and head; it has down_proj" in done.stderr
    assert "Traceback" not in done.stderr
