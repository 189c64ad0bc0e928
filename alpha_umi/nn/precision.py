"""The number format in which a model runs fastest where it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alpha_umi.errors import UsageError

if TYPE_CHECKING:
    import torch

VARIABLE = "ALPHA_UMI_DTYPE"


def running_dtype(device: str) -> torch.dtype:
    """The format to run a model in: $ALPHA_UMI_DTYPE (`bf16`, `fp32`), else what `device` computes fastest.

    An accelerator runs bf16, and so does a processor that multiplies it. The same machine always gives the same answer,
    as a measurement would not: texts part where rounding decides between two tokens.

    Raises:
        UsageError: the variable names no such format.
    """
    import torch

    formats = {"bf16": torch.bfloat16, "fp32": torch.float32}
    if named := os.environ.get(VARIABLE):
        if named not in formats:
            raise UsageError(f"{VARIABLE} is {named!r}; it may be {' or '.join(formats)}")
        return formats[named]
    fast = torch.device(device).type != "cpu" or multiplies_bf16(_features())
    return formats["bf16" if fast else "fp32"]


def _features() -> Mapping[str, Any]:
    """What torch knows of the processor; nothing where it is too old to say, and fp32 is right everywhere."""
    import torch

    found: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return found


def multiplies_bf16(processor: Mapping[str, Any]) -> bool:
    """Whether a processor, as `torch.cpu.get_capabilities` describes it, has products of bf16.

    Others convert each number first: with AVX2 alone, sixteen sequences take 300 ms a token in bf16, 140 ms in fp32.
    """
    return bool(processor.get("amx_bf16") or processor.get("avx512_bf16"))
