"""The number format that a model runs in: by the device, the processor, and what a user says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alpha_umi.errors import UsageError
from alpha_umi.nn.precision import VARIABLE, multiplies_bf16, running_dtype

if TYPE_CHECKING:
    import torch

    from alpha_umi.models.local.base_weights import load_base

pytestmark = pytest.mark.model


def test_a_processor_without_products_of_bf16_runs_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    for processor, dtype in (
        ({"avx2": True, "avx512_f": True}, torch.float32),
        ({"architecture": "aarch64"}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": True}, torch.bfloat16),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda processor=processor: processor)
        assert running_dtype("cpu") is dtype
        assert running_dtype("cuda") is torch.bfloat16


def test_torch_still_has_the_names_that_decide() -> None:
    """Were they changed, every processor would quietly run fp32."""
    found = torch.cpu.get_capabilities()
    if found.get("architecture") != "x86_64":
        pytest.skip("other processors have other features")
    assert {"avx512_bf16", "amx_bf16"} <= set(found)
    assert multiplies_bf16(found) == (found["avx512_bf16"] or found["amx_bf16"])


@pytest.mark.parametrize(("said", "dtype"), [("bf16", "bfloat16"), ("fp32", "float32")])
def test_a_user_may_choose(said: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, said)
    assert next(load_base(device="cpu").parameters()).dtype is getattr(torch, dtype)


def test_an_unknown_format_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "fp8")
    with pytest.raises(UsageError, match=r"^ALPHA_UMI_DTYPE is 'fp8'; it may be bf16 or fp32$"):
        load_base(device="cpu")
