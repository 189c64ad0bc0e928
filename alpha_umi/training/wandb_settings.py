"""Where Weights & Biases writes, and that it stays offline without a key. Before wandb is imported: it reads its
environment once."""

from __future__ import annotations

import netrc
import os
from pathlib import Path


def set_environment(folder: Path) -> None:
    """Let W&B write into a folder, and stay offline when there is no key; what the user has set holds."""
    os.environ.setdefault("WANDB_PROJECT", "alpha-umi")
    os.environ.setdefault("WANDB_DIR", str(folder))
    os.environ.setdefault("WANDB_SILENT", "true")
    if not os.environ.get("WANDB_API_KEY") and not _has_login():
        os.environ.setdefault("WANDB_MODE", "offline")


def _has_login() -> bool:
    """Whether `wandb login` left a key in the user's netrc file."""
    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (OSError, netrc.NetrcParseError):
        return False
