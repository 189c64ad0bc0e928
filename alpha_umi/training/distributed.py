"""What stands around a training process: its launcher, the libraries installed, the DeepSpeed configuration."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from alpha_umi.errors import ConfigError, MissingExtra, UsageError
from alpha_umi.training.recipe import Recipe, find_deepspeed


def world_size() -> int:
    """Processes that train together; launchers set it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the process that prints and writes."""
    return int(os.environ.get("RANK", "0")) == 0


def wait_for_all() -> None:
    """Until every process of a distributed run is here."""
    from accelerate import PartialState

    PartialState().wait_for_everyone()


def threads() -> int:
    """Threads that torch computes with in this process."""
    import torch

    return torch.get_num_threads()


def need_extra() -> None:
    """Find missing libraries before any work begins.

    Raises:
        MissingExtra: torch and its companions are not installed.
    """
    try:
        import filelock  # noqa: F401

        from alpha_umi.training import trainer  # noqa: F401
    except ImportError as error:
        raise MissingExtra("training", "train", error) from error


def need_compiler() -> None:
    """Find a missing C++ compiler before DeepSpeed does: it compiles how CPU ranks talk to each other.

    Raises:
        UsageError: there is none.
    """
    import torch

    compiler = os.environ.get("CXX", "c++")
    if not torch.cuda.is_available() and shutil.which(compiler) is None:
        raise UsageError(f"DeepSpeed on CPU ranks needs a C++ compiler ({compiler} is not installed): install g++")


SHARDED = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_MEGATRON_LM", "ACCELERATE_USE_PARALLELISM_CONFIG")
"""By these variables accelerate takes over ways to train in which no process holds whole weights."""


def sharding(recipe: Recipe) -> list[str]:
    """What asks for weights divided among processes, a line each: they would be saved in parts, or empty."""
    odd = [
        f"the environment asks for weights divided among processes ({name}): unset it" for name in SHARDED if _on(name)
    ]
    if recipe.deepspeed is not None:
        path = find_deepspeed(recipe.deepspeed)
        config = _read(path)
        odd += [f"deepspeed: {path} {why}" for why in _divides(_zero_stage(config))]
        if "tensor_parallel" in config:
            odd.append(
                f"deepspeed: {path} asks for tensor parallelism, which would save each process's part: leave it out"
            )
    if _on("ACCELERATE_USE_DEEPSPEED"):
        stage: Any = os.environ.get("ACCELERATE_DEEPSPEED_ZERO_STAGE", "2")
        odd += [f"the environment (ACCELERATE_DEEPSPEED_ZERO_STAGE) {why}" for why in _divides(stage)]
        if file := os.environ.get("ACCELERATE_DEEPSPEED_CONFIG_FILE"):
            odd += [
                f"{file} (ACCELERATE_DEEPSPEED_CONFIG_FILE) {why}" for why in _divides(_zero_stage(_read(Path(file))))
            ]
    return odd


def _on(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in {"1", "true", "yes", "on", "y", "t"}


def _zero_stage(config: dict[str, Any]) -> Any:
    zero = config.get("zero_optimization", {})
    return zero.get("stage", 0) if isinstance(zero, dict) else int(zero is True)


def _divides(stage: Any) -> list[str]:
    """Why a ZeRO stage cannot be trained with: in the third each process holds a part, and what is saved is empty."""
    if str(stage).strip() in {"0", "1", "2"}:
        return []
    return [f"asks for ZeRO stage {stage!r}, which would save empty weights: use 0, 1 or 2 (zero2, cpu_zero2)"]


def deepspeed_config(recipe: Recipe) -> dict[str, Any] | None:
    """The DeepSpeed configuration to use: the recipe's under a launcher, none in a single process.

    Raises:
        ConfigError: the file is not JSON.
        UsageError: CPU ranks, and no compiler.
    """
    if recipe.deepspeed is None or "LOCAL_RANK" not in os.environ:
        return None
    need_compiler()
    return _read(find_deepspeed(recipe.deepspeed))


def _read(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(str(path), [f"not JSON: {error}"]) from error
    if not isinstance(config, dict):
        raise ConfigError(str(path), ["a DeepSpeed configuration is a JSON object"])
    return config
