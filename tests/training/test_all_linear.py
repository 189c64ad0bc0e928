"""`target_modules: all-linear` over an architecture whose layers have other names: trained, saved and run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from alpha_umi.models.protocol import Generation, Request
from alpha_umi.team_files import load_team
from alpha_umi.training import glpft
from alpha_umi.training.recipe import load_recipe

if TYPE_CHECKING:
    from tiny_models import TINY, asking
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerBase

    from alpha_umi.models.local.loading import load_local

pytestmark = pytest.mark.model

NAMES = ["dense", "dense_4h_to_h", "dense_h_to_4h", "query_key_value"]


def test_a_gpt_neox_is_trained_by_all_its_linear_layers_and_run(
    tokenizer: PreTrainedTokenizerBase, data: Path, tmp_path: Path
) -> None:
    kept = {key: value for key, value in TINY.items() if key != "num_key_value_heads"}
    GPTNeoXForCausalLM(GPTNeoXConfig(**{**kept, "num_hidden_layers": 1})).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    sets = [f"base={tmp_path / 'base'}", f"data={data}", "limit=1", "context=2048", "precision=fp32"]
    sets += ["defaults.lora.target_modules=all-linear", "stages.backbone.method=lora"]
    run = glpft.train(load_recipe("smoke", overrides=sets), tmp_path / "run")
    noted = yaml.safe_load((run / "recipe.yaml").read_text())
    assert noted["stages"]["caller"]["lora"]["target_modules"] == NAMES
    model = load_local(load_team(str(run)))["caller"]
    said = model.complete(Request(messages=[asking("Now", "caller")], generation=Generation(max_new_tokens=3)))
    assert said.completion_tokens <= 3
