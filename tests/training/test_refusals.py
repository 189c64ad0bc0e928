"""What cannot be trained is refused in one line before anything is, in the dry run too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from alpha_umi.cli import train as verb
from alpha_umi.errors import ConfigError
from alpha_umi.training.cost_estimate import check_recipe
from alpha_umi.training.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from transformers import (
        DeepseekV3Config,
        Gemma3Config,
        Gemma3TextConfig,
        GPTNeoXConfig,
        GptOssConfig,
        Lfm2Config,
        LlamaConfig,
        MixtralConfig,
        MptConfig,
        Phi3Config,
        PreTrainedConfig,
        Qwen3MoeConfig,
        Qwen3NextConfig,
        StableLmConfig,
    )

    from alpha_umi.models.local.base_weights import context_length, load_tokenizer

pytestmark = pytest.mark.model

SMALL: dict[str, Any] = {
    "vocab_size": 256,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "pad_token_id": None,
}
CONV: dict[str, Any] = {"layer_types": ["conv", "full_attention"]}


def neox() -> PreTrainedConfig:
    return GPTNeoXConfig(**{k: v for k, v in SMALL.items() if k != "num_key_value_heads"})


def base_of(config: PreTrainedConfig, folder: Path) -> str:
    """A base of which there is a configuration alone; nothing more is read before training."""
    config.save_pretrained(folder / "base")
    return str(folder / "base")


def check(base: str, *overrides: str, recipe: str = "smoke") -> Recipe:
    return check_recipe(load_recipe(recipe, overrides=[f"base={base}", *overrides]))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GptOssConfig(**SMALL), "a gpt_oss model cannot be run here: it has attention sinks"),
        (lambda: Lfm2Config(**SMALL, **CONV), "a lfm2 model cannot be run here: it has conv layers"),
        (lambda: Qwen3NextConfig(**SMALL), "a qwen3_next model cannot be run here: it has linear_attention layers"),
        (
            lambda: MptConfig(d_model=64, n_heads=4, n_layers=2, vocab_size=256, max_seq_len=4096),
            "2 layers that do not attend",
        ),
        (lambda: DeepseekV3Config(**SMALL), "keys and values of unlike sizes"),
    ],
)
@pytest.mark.parametrize("layout", ["paper", "shared"])
def test_an_architecture_that_cannot_be_run(make: Callable[[], Any], words: str, layout: str, tmp_path: Path) -> None:
    config = make()
    config.max_position_embeddings = 4096  # MPT calls it otherwise
    with pytest.raises(ConfigError, match=words) as error:
        check(base_of(config, tmp_path), f"layout={layout}", "defaults.method=full", recipe="glpft")
    assert "\n" not in str(error.value)


def test_attention_that_hands_nothing_on_reads_no_shared_context(tmp_path: Path) -> None:
    base = base_of(StableLmConfig(**SMALL), tmp_path)
    with pytest.raises(ConfigError, match=r"of a stablelm .*: train with a team of the paper layout"):
        check(base)
    check(base, "layout=paper", "team=umi")


@pytest.mark.parametrize(
    "make",
    [
        lambda: LlamaConfig(**SMALL),
        lambda: Gemma3TextConfig(**SMALL, head_dim=16),
        lambda: Qwen3MoeConfig(**{**SMALL, "head_dim": 16}),
    ],
)
def test_what_can_be_run_is_let_through(make: Callable[[], PreTrainedConfig], tmp_path: Path) -> None:
    for layout in ("paper", "shared"):
        assert check(base_of(make(), tmp_path), f"layout={layout}", "team=umi", recipe="glpft").layout.name == layout


ATTENTION = "[q_proj, k_proj, v_proj, o_proj]"


@pytest.mark.parametrize(
    ("make", "overrides", "words"),
    [
        (neox, ["defaults.method=lora"], r"called q_proj, k_proj, .*; it has dense, dense_4h_to_h, .*query_key_value"),
        (neox, ["layout=paper", "team=umi"], "no linear layer called q_proj"),
        (
            lambda: Phi3Config(**SMALL),
            [],
            "called q_proj, k_proj, v_proj, gate_proj, up_proj between .*; it has .*qkv_proj",
        ),
        (
            lambda: Phi3Config(**SMALL),
            ["layout=paper", "team=umi"],
            "planner.*caller.*summarizer.lora.target_modules: .*q_proj",
        ),
        (lambda: MixtralConfig(**SMALL), [], "no linear layer called gate_proj, up_proj, down_proj"),
        (
            lambda: MixtralConfig(**SMALL),
            [f"defaults.lora.target_modules={ATTENTION}", "stages.caller.lora.target_modules=[q_proj, w1]"],
            r": stages.caller.lora.target_modules: \S+ has no linear layer called w1 ",
        ),
        (
            lambda: LlamaConfig(**SMALL),
            ["stages.planner.lora.target_modules=[lm_head]"],
            "no linear layer called lm_head",
        ),
        (lambda: LlamaConfig(**SMALL), ["stages.planner.lora.target_modules=[roj]"], "no linear layer called roj"),
    ],
)
def test_layers_that_are_not_there(
    make: Callable[[], PreTrainedConfig], overrides: list[str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        check(base_of(make(), tmp_path), *overrides)


def test_layers_by_the_ends_of_their_paths_and_all_of_them(tmp_path: Path) -> None:
    base = base_of(neox(), tmp_path)
    check(base, "defaults.lora.target_modules=[attention.dense, query_key_value]")
    every = load_recipe("gym", overrides=[f"base={base}", "defaults.lora.target_modules=all-linear", "context=2048"])
    names = {stage.lora.names for stage in check_recipe(every).stages.values()}
    assert names == {("dense", "dense_4h_to_h", "dense_h_to_4h", "query_key_value")}


@pytest.mark.parametrize("stage", [3, "3", 3.0, "auto", None, 4])
def test_zero_3_is_refused(stage: Any, tmp_path: Path) -> None:
    file = tmp_path / "zero.json"
    file.write_text(json.dumps({"zero_optimization": {"stage": stage}}))
    with pytest.raises(ConfigError, match=r"deepspeed: .*zero\.json asks for ZeRO stage .*, which would save empty"):
        check(base_of(LlamaConfig(**SMALL), tmp_path), f"deepspeed={file}")


@pytest.mark.parametrize("config", [{"zero_optimization": {"stage": 1}}, {"zero_optimization": True}, {}])
def test_lower_stages_of_zero_are_not(config: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "zero.json"
    file.write_text(json.dumps(config))
    assert check(base_of(LlamaConfig(**SMALL), tmp_path), f"deepspeed={file}").deepspeed == str(file)


def test_a_configuration_that_is_no_object_is_named(tmp_path: Path) -> None:
    file = tmp_path / "zero.json"
    for text, words in (("[3]", "is a JSON object"), ("{", "not JSON")):
        file.write_text(text)
        with pytest.raises(ConfigError, match=words):
            check(base_of(LlamaConfig(**SMALL), tmp_path), f"deepspeed={file}")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ACCELERATE_USE_FSDP": "true"}, "ACCELERATE_USE_FSDP"),
        ({"ACCELERATE_USE_PARALLELISM_CONFIG": "1"}, "ACCELERATE_USE_PARALLELISM_CONFIG"),
        ({"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "3"}, "ZERO_STAGE.* asks for ZeRO"),
        ({"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_CONFIG_FILE": "zero.json"}, "CONFIG_FILE.* asks"),
    ],
)
def test_sharding_that_comes_by_the_environment(
    variables: dict[str, str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("zero.json").write_text(json.dumps({"zero_optimization": {"stage": 3}}))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=words):
        check(base_of(LlamaConfig(**SMALL), tmp_path))


def test_a_text_decoder_among_others_has_positions(tmp_path: Path) -> None:
    text = {**SMALL, "head_dim": 16}
    vision = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Gemma3Config(text_config=text, vision_config=vision)
    assert context_length(base_of(config, tmp_path)) == 4096


def test_the_dry_run_refuses_too_in_one_line(tmp_path: Path, data: Path) -> None:
    base = base_of(GptOssConfig(**SMALL), tmp_path)
    load_tokenizer().save_pretrained(base)
    file = tmp_path / "zero.json"
    file.write_text(json.dumps({"zero_optimization": {"stage": 3}}))
    recipe = load_recipe("smoke", overrides=[f"base={base}", f"data={data}", f"deepspeed={file}"])
    with pytest.raises(ConfigError) as error:
        verb._dry_run(recipe, as_json=True)
    for words in ("attention sinks", "ZeRO stage 3", "no linear layer called"):
        assert words in str(error.value), "all of it at once"
    assert "\n" not in str(error.value)
