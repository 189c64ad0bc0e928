"""Role and Team, out of `roles/` or a training run's folder. Every role ablation is another Team.

A role is a view of the conversation, the settings it decodes with, and the weights it speaks with. This module reads
YAML and resolves paths; it loads no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from alpha_umi import resources
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.plugins import is_own
from alpha_umi.prompts import OBSERVATION_CHARS, Layout, View
from alpha_umi.trajectory import Frozen

DEFAULT_BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"
DEFAULT_TEAM = "default"
"""The team that ships with weights of its own, trained in the gym."""
TEAM_FILE = resources.WHOLE
ROLES = (View.PLANNER, View.CALLER, View.SUMMARIZER)


FrozenT = TypeVar("FrozenT", bound=Frozen)


Structured = Literal["none", "grammar", "json"]


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
    key: str = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; a server without one ignores it."""
    context: int = Field(default=8192, ge=64)
    """Positions that the model has."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds that it may stay silent."""
    structured: Structured = "none"
    """How the server holds a completion to a grammar: `grammar` (vLLM with its guidance backend: planner and caller),
    `json` (`response_format` with a schema: the caller alone, who then writes JSON), or not at all."""
    retries: int = Field(default=3, ge=0)
    """Further tries after a failure that may pass (connection, 429, 5xx), with backoff, honouring Retry-After."""


class Backend(Frozen):
    """A model of the plug-in group `alpha_umi.models` that speaks for a role; in YAML also its name alone."""

    name: str = Field(min_length=1)
    options: Mapping[str, Any] = {}
    """Given to it by keyword."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class Role(Frozen):
    """What a role reads and writes (its view), how it decodes, and the weights it speaks with."""

    name: str
    view: View
    description: str = ""
    generation: Generation = Generation()
    weights: str | None = None
    """Folder of a LoRA adapter or a full model; None means the team's base as it is."""
    served: Served | None = None
    """A server that speaks for the role; then there are no weights."""
    model: Backend | None = None
    """A model that an installed package brings; then there are no weights either."""

    @property
    def local(self) -> bool:
        """Whether it speaks with weights on this machine, over the team's base."""
        return self.served is None and self.model is None

    @property
    def model_name(self) -> str:
        """What it speaks with, in a word: a server's model, a package's, or the role itself over the team's base."""
        if self.model is not None:
            return self.model.name
        return self.served.model if self.served is not None else self.name

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.weights, self.served, self.model)) > 1:
            raise ValueError("a role has weights, is served, or has a model of a package: one of the three")
        return self


class Team(Frozen):
    """A role for each of planner, caller and summarizer, over one base."""

    name: str
    layout: Layout
    base: str = DEFAULT_BASE
    """A local folder or a hub id."""
    backbone: str | None = None
    """Folder of a LoRA adapter that makes the base the backbone: added to its weights before any role's."""
    observation_chars: int = OBSERVATION_CHARS
    context: int | None = Field(default=None, ge=64)
    """Positions that prompt and completion may take together, in training and inference; None: all the model has."""
    constrained: bool = True
    """Whether a caller may only name offered tools with arguments that fit, and a planner ends in a marker; else both
    write freely, and what they got wrong is told to them."""
    merge_adapters: bool = False
    """Whether a local model merges LoRA roles into copies of the layers they adapt: faster, for more memory."""
    description: str = ""
    planner: Role
    caller: Role
    summarizer: Role

    @property
    def single(self) -> bool:
        """Whether one completion is a whole step (α-UMi's Single-LLM)."""
        return self.planner.view is View.SINGLE

    def role(self, view: View) -> Role:
        """The role that speaks in a view; in a single team one role speaks all."""
        return self.planner if view is View.SINGLE else {r: getattr(self, r.value) for r in ROLES}[view]


def load_role(name: str, *, beside: Path | None = None) -> Role:
    """Read a role by shipped name or path.

    Raises:
        ConfigError: the file's mistakes, all of them.
    """
    path = resources.find("roles", name, beside=beside)
    return parse_config(Role, {"name": path.stem, **read_yaml(path)}, path)


def load_team(name: str) -> Team:
    """Read a team by shipped name, YAML path, or the output folder of a training run (`./NAME` where a team ships so).

    Raises:
        UsageError: there is no such team.
        ConfigError: the file's mistakes, all of them.
    """
    folder = resources.user_path(name)
    shipped = {n for n in resources.names("roles") if n.startswith("teams/")}
    bare = f"teams/{name}" if f"teams/{name}" in shipped else name
    if bare not in shipped and folder.is_dir():
        path = folder / TEAM_FILE
        if not path.is_file():
            raise UsageError(f"{folder} is not a team: it holds no {TEAM_FILE} (a finished training run has one)")
    else:
        if bare not in shipped and Path(name).suffix not in {".yaml", ".yml"}:
            known = ", ".join(sorted(n.removeprefix("teams/") for n in shipped))
            raise UsageError(f"'{name}' is no team: shipped are {known}; or give a YAML file or a run folder")
        path = resources.find("roles", bare)
    return _team_from(path)


def _team_from(path: Path) -> Team:
    """Build a team from a file, its seats given as `{role: NAME, weights: FOLDER, generation: {...}}`."""
    raw = read_yaml(path)
    raw.setdefault("name", path.parent.name if path.name == TEAM_FILE else path.stem)
    for view in ROLES:
        seat = raw.get(view.value)
        if isinstance(seat, str):
            seat = {"role": seat}
        if isinstance(seat, dict) and "role" in seat:
            role = load_role(str(seat.pop("role")), beside=path)
            seat["generation"] = {**role.generation.model_dump(), **(seat.get("generation") or {})}
            seat = {**role.model_dump(), **seat}
        if isinstance(seat, dict):
            if isinstance(seat.get("weights"), str):
                seat["weights"] = str((path.parent / seat["weights"]).resolve())
            raw[view.value] = seat
    if isinstance(raw.get("backbone"), str):
        raw["backbone"] = str((path.parent / raw["backbone"]).resolve())
    base = raw.get("base")
    if isinstance(base, str) and (path.parent / base).is_dir():
        raw["base"] = str((path.parent / base).resolve())
    team = parse_config(Team, raw, path)
    if own := [role for role in ROLES if (model := getattr(team, role).model) is not None and is_own(model.name)]:
        raise ConfigError(
            str(path), [f"{role}.model: YAML takes the name of a model that a package brings" for role in own]
        )
    views = [team.planner.view, team.caller.view, team.summarizer.view]
    if views != list(ROLES) and set(views) != {View.SINGLE}:
        raise ConfigError(str(path), ["planner, caller and summarizer must each have their own view, or all be single"])
    return team


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises:
        ConfigError: unreadable YAML, with the line.
    """
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), ["the file is not UTF-8 text"]) from error
    except yaml.YAMLError as error:
        raise ConfigError(str(path), [" ".join(str(error).split())]) from error
    if not isinstance(value, dict):
        raise ConfigError(str(path), ["the file must hold a mapping of keys to values"])
    return value


def parse_config(kind: type[FrozenT], raw: dict[str, Any], source: Path | str) -> FrozenT:
    """Validate a configuration and report every mistake in it at once, as one of `source`."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(str(source), config_mistakes(error)) from error


def config_mistakes(error: ValidationError) -> list[str]:
    """Each mistake of a validation as `key: what is wrong`."""
    mistakes = []
    for item in error.errors(include_url=False):
        key = ".".join(str(part) for part in item["loc"])
        if not key:
            mistakes.append(item["msg"].removeprefix("Value error, "))
            continue
        if item["type"] == "extra_forbidden":
            mistakes.append(f"{key}: unknown key")
        else:
            shown = "" if item["type"] == "missing" else f" (found {str(item['input'])[:60]!r})"
            mistakes.append(f"{key}: {item['msg'].lower().removeprefix('value error, ')}{shown}")
    return mistakes
