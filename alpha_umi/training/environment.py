"""What stands around a training process: its launcher, the libraries installed, the DeepSpeed configuration."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

from alpha_umi.errors import ConfigError, MissingExtra, UsageError
from alpha_umi.training.recipe import Recipe, find_deepspeed


def world_size() -> int:
    """Processes that train together; launchers set it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the process that prints and writes."""
    return int(os.environ.get("RANK", "0")) == 0


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


def deepspeed_config(recipe: Recipe) -> dict[str, Any] | None:
    """The DeepSpeed configuration to use: the recipe's under a launcher, none in a single process.

    Raises:
        ConfigError: the file is not JSON.
        UsageError: CPU ranks, and no compiler.
    """
    if recipe.deepspeed is None or "LOCAL_RANK" not in os.environ:
        return None
    need_compiler()
    path = find_deepspeed(recipe.deepspeed)
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(str(path), [f"not JSON: {error}"]) from error
    return config
