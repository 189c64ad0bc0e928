"""What a role speaks with, when it is no weights on this machine, and how it decodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from alpha_umi.config import SECRET, renamed
from alpha_umi.trajectory import Frozen

Structured = Literal["none", "grammar", "json"]

FinishReason = Literal["stop", "length", "repetition", "cancelled", "context"]
"""Why a completion ended: an end token, `max_new_tokens`, a loop that was cut off, whoever waits was cancelled, or a
prompt that does not fit the context."""


class Generation(Frozen):
    """How a role decodes."""

    max_new_tokens: int = Field(default=256, ge=1)
    temperature: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """0 is greedy."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = None
    """Seed of the sampling; unused when greedy."""
    repetition_window: int = Field(default=24, ge=0)
    """Stop when a stretch of at most that many tokens was written four times in a row; 0 never stops."""


class Served(Frozen):
    """An OpenAI-compatible server that speaks for a role, in place of weights on this machine."""

    url: str = Field(pattern=r"^https?://")
    """Where its API begins, `/v1` included as a rule."""
    model: str = Field(min_length=1)
    """What the server calls the role: a model, or one of its adapters."""
    api_key_env: str = "OPENAI_API_KEY"
    """Name of the environment variable that holds the API key, never the key; a server without one ignores it."""
    context: int = Field(default=8192, ge=64)
    """Positions that the model has."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds that it may stay silent."""
    structured: Structured = "none"
    """How the server holds a completion to a grammar: `grammar` (vLLM with its guidance backend: planner and caller),
    `json` (`response_format` with a schema: the caller alone, who then writes JSON), or not at all."""
    retries: int = Field(default=3, ge=0)
    """Further tries after a failure that may pass (connection, 429, 5xx), with backoff, honouring Retry-After."""

    @model_validator(mode="before")
    @classmethod
    def _key_named(cls, raw: Any) -> Any:
        return renamed(raw, key="api_key_env")

    @field_validator("api_key_env")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if not value.isidentifier():  # it may be the key itself
            raise PydanticCustomError(SECRET, "this is the name of an environment variable that holds the key")
        return value


class Backend(Frozen):
    """A model of the plug-in group `alpha_umi.models` that speaks for a role; in YAML also its name alone."""

    name: str = Field(min_length=1)
    options: Mapping[str, Any] = {}
    """Given to it by keyword."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value
