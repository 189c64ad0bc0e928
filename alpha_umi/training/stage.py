"""One stage of a recipe: what it continues from, what it learns, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from alpha_umi.config import renamed
from alpha_umi.training.stages import SFT
from alpha_umi.trajectory import Frozen

BASE = "base"
"""What a stage starts from that continues from no other."""


class Lora(Frozen):
    """A low-rank adapter (arXiv 2106.09685) on the named linear layers."""

    r: int = Field(default=16, ge=1)
    alpha: float = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: tuple[str, ...] | Literal["all-linear"] = (
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    )  # fmt: skip
    """Names of layers, or the ends of their paths, as PEFT has them; `all-linear`: all between embedding and head."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names, once those of the base stand for `all-linear` (`adapted.with_names`)."""
        assert not isinstance(self.target_modules, str)
        return self.target_modules


class Stage(Frozen):
    """One model trained: what it continues from, what it learns, and how."""

    start: str = BASE
    """`base`, or the name of an earlier stage to continue from."""
    roles: tuple[str, ...] = Field(min_length=1)
    """The roles whose targets it learns; `whole` is the whole task (`Recipe.roles_of`)."""
    trainer: str = Field(default=SFT, min_length=1)
    """How it learns: `sft`, or a training stage that an installed package brings (`stages.STAGES`)."""
    options: Mapping[str, Any] = {}
    """What that training stage reads and `sft` does not know."""
    method: Literal["full", "lora"] = "full"
    lora: Lora = Lora()
    epochs: float = Field(default=1, gt=0)
    learning_rate: float = Field(default=1e-5, gt=0)
    warmup_ratio: float = Field(default=0.2, ge=0, le=1)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    batch_size: int = Field(default=12, ge=1)
    """Rows (trajectories) in one update, over all devices."""
    batch_targets: int | None = Field(default=None, ge=1)
    """Targets to learn from in one update, on average; where given, `batch_size` is found by it (`batches.in_rows`)."""
    micro_batch: int = Field(default=1, ge=1)
    """Rows in one forward pass on one device."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    gradient_checkpointing: bool = False
    max_rows: int | None = Field(default=None, ge=1)
    """Use only the first so many trajectories of the stage's share."""

    @model_validator(mode="before")
    @classmethod
    def _roles_named(cls, raw: Any) -> Any:
        return renamed(raw, views="roles")

    @model_validator(mode="after")
    def _options_are_read(self) -> Stage:
        if self.options and self.trainer == SFT:
            raise ValueError(f"{SFT} reads no options, found {', '.join(self.options)}")
        return self
