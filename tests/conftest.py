"""What several test modules need: the real data beside the checkout, and the packaged tokenizer."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import kinds
import pytest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


_LONG = (
    "test_end_to_end.py",
    "test_training.py",
    "test_joint_training.py",
    "test_warm_start.py",
    "test_joint_trainer.py",
    "test_ablate.py",
)
"""Files that train: begun first, so that no core waits for the last of them."""


_TORCH = pytest.StashKey[bool]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Say what each test needs."""
    kinds.mark(item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Bring in the model stack where it is needed, and only there."""
    if item.get_closest_marker("model"):
        if importlib.util.find_spec("torch") is None:
            pytest.skip("needs torch")
        kinds.bring_in(item)
    item.stash[_TORCH] = kinds.begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Hold the fast tests to it, where they are asked for alone."""
    yield
    if item.config.getoption("markexpr") == "fast" and _TORCH in item.stash:
        kinds.check(item.stash[_TORCH])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, in the order above."""
    items.sort(key=lambda item: _LONG.index(item.path.name) if item.path.name in _LONG else len(_LONG))


@pytest.fixture(scope="module")
def shared() -> Path:
    """The folder of real data next to the repository; without it the tests that read it are skipped."""
    if not SHARED.is_dir():
        pytest.skip(f"the real data is not beside the repository ({SHARED.parent.parent.name}/shared/data)")
    return SHARED


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerBase:
    """The tokenizer of the packaged SmolLM2."""
    pytest.importorskip("transformers")
    from alpha_umi.models.local.base_weights import load_tokenizer

    return load_tokenizer()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer model with SmolLM2's tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from alpha_umi.models.local.base_weights import load_tokenizer

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny modèle, 小")
    tokenizer = load_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen gym trajectories."""
    import alpha_umi_gym as gym
    from alpha_umi.data import store
    from alpha_umi.data.filters import Report

    folder = tmp_path_factory.mktemp("data of mine, ø")
    store.write(folder, (task.recorded() for task in gym.generate(16, seed=1)), Report(taskset="gym@1"))
    return folder
