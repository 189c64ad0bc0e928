"""What several test modules need: the real data beside the checkout, and the packaged tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


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
    from alpha_umi.models.local import load_tokenizer

    return load_tokenizer()
