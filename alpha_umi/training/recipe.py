"""Recipe: one training run, out of `training/*.yaml`. Every mistake in a file is reported at once.

YAML holds only differences: a recipe may extend another (one level after another), `defaults` holds what all stages
share, and `--set a.b=c` overrides a single value. No logic, no dotted imports.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from alpha_umi import resources
from alpha_umi.config import parse_config, read_yaml
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.roles import DEFAULT_BASE, OBSERVATION_CHARS, Role, RoleName, Team, Writes
from alpha_umi.team_files import load_role
from alpha_umi.text.layouts import Layout
from alpha_umi.training.overrides import merge_mappings, override, todays
from alpha_umi.training.stage import BASE, Stage
from alpha_umi.training.stages import SFT, wrong_trainers
from alpha_umi.training.team import TeamOf, in_full
from alpha_umi.trajectory import Frozen

WHOLE = "whole"
"""What a stage learns that learns the whole task (`Recipe.roles_of`)."""


class Recipe(Frozen):
    """A whole run: stages in order, their data, and what the roles become."""

    name: str
    description: str = ""
    base: str = DEFAULT_BASE
    team: TeamOf = TeamOf()
    warm_start: str | None = None
    """A team of adapters to train on: LoRA stages begin with its weights in place of fresh ones (`warm_start.py`)."""
    data: str | None = None
    """Folder of `data convert`; `--data` overrides it. `gym:N` generates N trajectories (`gym@1:N` those of that
    version), `gym:N:CATEGORY,...:KIND,...` of some categories and kinds."""
    context: int = Field(default=4096, ge=64)
    """Tokens a prompt and its completion may take together (the paper's 4096)."""
    observation_chars: int = Field(default=OBSERVATION_CHARS, ge=64)
    date: str | None = None
    """The day (YYYY-MM-DD) that prompts name, then and ever after, where the base's chat template names one; by default
    `pinned_date.PINNED_DATE`."""
    train_roles: Literal["together", "apart"] = "together"
    """In a shared layout: whether roles that continue from one backbone train in one pass over it or apart."""
    reuse: bool = True
    """Whether stage 2 trains on the same instructions as stage 1 (α-UMi w/ reuse), else on the other half."""
    limit: int | None = Field(default=None, ge=1)
    """Use only the first so many trajectories."""
    seed: int = 42
    precision: Literal["bf16", "fp32"] = "bf16"
    deepspeed: str | None = None
    """Shipped DeepSpeed configuration (`zero2`, `cpu_zero2`) or a JSON file; used under a launcher only."""
    save_steps: int = Field(default=500, ge=1)
    keep_checkpoints: int = Field(default=2, ge=1)
    log_steps: int = Field(default=1, ge=1)
    wandb: bool = False
    stages: Mapping[str, Stage] = Field(min_length=1)

    @field_validator("date", mode="before")
    @classmethod
    def _is_a_day(cls, value: Any) -> str | None:
        """YAML reads a plain 2024-07-26 as a date."""
        try:
            return None if value is None else datetime.date.fromisoformat(str(value)).isoformat()
        except ValueError:
            raise ValueError("this is no day such as 2024-07-26") from None

    @model_validator(mode="before")
    @classmethod
    def _team_named(cls, raw: Any) -> Any:
        """A team may be named alone, and keys may have the names of before."""
        if not isinstance(raw, dict):
            return raw
        raw = todays(raw)
        if isinstance(raw.get("team"), str):
            raw["team"] = {"name": raw["team"]}
        return raw

    @cached_property
    def filled(self) -> Team:
        """The team whose roles the stages fill, before they do."""
        return self.team.load()

    @property
    def layout(self) -> Layout:
        """The wording that is trained."""
        return self.filled.layout

    @model_validator(mode="after")
    def _stages_follow(self) -> Recipe:
        try:
            known = self.filled.roles
        except UsageError as error:
            raise ValueError(f"team: {error}") from error
        for name, stage in self.stages.items():
            for role in stage.roles:
                if role not in {WHOLE, RoleName.SINGLE, *known}:
                    raise ValueError(
                        f"stages.{name}.roles: '{role}' is no role of the team ({', '.join(known)}, or {WHOLE})"
                    )
        if len(self.unfilled()) == len(known):
            raise ValueError(f"team: no stage learns any role of '{self.filled.name}' ({', '.join(known)})")
        roles = [n for n in self.stages if self.shares(n)]
        lora = [n for n, s in self.stages.items() if s.method == "lora" and not self.is_continued(n)]
        starts = {self.stages[n].start for n in {*lora, *roles}}
        if len(starts) > 1:
            kind = "roles over a shared context" if roles else "LoRA roles"
            raise ValueError(f"{kind} share one base, but these start from {', '.join(sorted(starts))}")
        if onward := [n for n in roles if self.is_continued(n)]:
            raise ValueError(f"a role over a shared context cannot be continued from: {', '.join(onward)}")
        if self.layout.shared and (odd := self._without_backbone(roles)):
            raise ValueError(
                f"in a shared layout a role's stage trains one role, or is the backbone of all: {', '.join(odd)}"
            )
        if self.train_roles == "together":
            joint = [n for n in roles if self.stages[n].trainer == SFT]
            if len(joint) > 1 and any(self.stages[n].batch_targets is not None for n in joint):
                raise ValueError(
                    "roles that train together read the same rows: give batch_size in place of batch_targets "
                    "(or set train_roles: apart)"
                )
            for key in ("batch_size", "micro_batch"):
                found = {getattr(self.stages[n], key) for n in joint}
                if len(found) > 1:
                    raise ValueError(f"roles that train together need the same {key} (or set train_roles: apart)")
        return self

    def _without_backbone(self, roles: Sequence[str]) -> list[str]:
        """Stages that fill a role's place and are neither a role nor what the roles, or all of them, read with."""
        filling = [self.stage_of(name) for name in self.filled.roles]
        backbone = self.stages[roles[0]].start if roles else filling[0]
        return list(dict.fromkeys(stage for stage in filling if not self.shares(stage) and stage != backbone))

    def saves_full_weights(self, stage: str) -> bool:
        """Whether a stage's weights are saved as a whole model: trained so, or merged since others build on it."""
        alone = self.layout.shared and not self.shares(stage)
        return self.stages[stage].method == "full" or self.is_continued(stage) or alone

    def shares(self, stage: str) -> bool:
        """Whether a stage trains one role over the encodings of a frozen backbone (docs/shared-cache.md)."""
        roles = self.roles_of(stage)
        return self.layout.shared and len(roles) == 1 and self.role(roles[0]).writes is not Writes.TURN

    def together(self, wanted: Sequence[str]) -> list[list[str]]:
        """Stages in order, those in one list that train in one pass; of one role only one stage."""
        groups: list[list[str]] = []
        roles: dict[str, str] = {}
        together: list[str] | None = None
        for name in wanted:
            role = self.roles_of(name)[0]
            alone = self.train_roles == "apart" or self.stages[name].trainer != SFT
            if not self.shares(name) or alone or role in roles:
                groups.append([name])
                continue
            if together is None:
                groups.append(together := [])
            together.append(name)
            roles[role] = name
        return groups

    def role(self, name: str) -> Role:
        """A role of the team, or the one that writes whole turns, which a backbone learns in its place."""
        return self.filled.roles[name] if name in self.filled.roles else load_role(name)

    def roles_of(self, stage: str) -> tuple[str, ...]:
        """The roles that a stage learns. The whole task is α-UMi's merged turns where each role reads a conversation of
        its own (and for a team that speaks whole turns), and in a shared layout the one conversation with every role's
        targets."""
        roles: Sequence[str] = list(self.filled.roles)
        if not self.layout.shared and not self.filled.single:
            roles = [RoleName.SINGLE.value]
        found: list[str] = []
        for role in self.stages[stage].roles:
            found += roles if role == WHOLE else [role]
        return tuple(dict.fromkeys(found))

    def stage_of(self, role: str) -> str:
        """The stage that fills a role of the team: that of its name, else the last."""
        return role if role in self.stages else list(self.stages)[-1]

    def unfilled(self) -> list[str]:
        """Roles of the team that no stage learns; a run of such a recipe makes weights but no team."""
        return [name for name in self.filled.roles if name not in self.roles_of(self.stage_of(name))]

    def is_continued(self, stage: str) -> bool:
        """Whether another stage starts from this one, so that its weights must be merged and whole."""
        return any(other.start == stage for other in self.stages.values())


def load_recipe(name: str, *, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe by shipped name or path and apply `a.b=c` overrides.

    Raises:
        UsageError: no such recipe.
        ConfigError: every mistake of the file and the overrides.
    """
    path = resources.find("training", name)
    raw = {"name": path.stem, **_read(path)}
    # A team is chosen before anything of it is changed, in whatever order the two are said.
    for item in sorted(overrides, key=lambda item: item.partition("=")[0].strip() != "team"):
        override(raw, item)
    if "team" in raw:
        raw["team"] = in_full(raw["team"], beside=Path())  # what an override names is looked for from here
    defaults = raw.pop("defaults", {})
    stages = raw.get("stages")
    if isinstance(stages, dict) and isinstance(defaults, dict):
        raw["stages"] = {
            key: merge_mappings(defaults, value) if isinstance(value, dict) else value
            for key, value in stages.items()
            if value is not None
        }
    given = {item.partition("=")[2].strip() for item in overrides}
    source = f"{path} with {', '.join(overrides)}" if overrides else str(path)
    return _validated(raw, source, wrong_trainers(raw.get("stages"), given))


def _validated(raw: dict[str, Any], source: str, mistakes: Sequence[str] = ()) -> Recipe:
    """The recipe, or one error with every mistake: of single values, of stages among one another, of names."""
    mistakes = [*_wrong_names(raw), *mistakes]
    try:
        recipe = parse_config(Recipe, raw, source)
    except ConfigError as error:
        raise ConfigError(source, list(dict.fromkeys([*error.mistakes, *mistakes]))) from error
    if mistakes:
        raise ConfigError(source, mistakes)
    return recipe


def _wrong_names(raw: Mapping[str, Any]) -> list[str]:
    """Stages that start from nothing before them, and a team or DeepSpeed configuration that does not ship."""
    mistakes = []
    known = [BASE]
    stages = raw.get("stages")
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        if not str(name).isidentifier() or name == BASE:
            mistakes.append(f"stages.{name}: a stage needs a plain name other than 'base'")
        start = stage.get("start", BASE) if isinstance(stage, dict) else BASE
        if start not in known:
            mistakes.append(f"stages.{name}.start: '{start}' is no stage before it ({', '.join(known)})")
        known.append(name)
    try:
        TeamOf.model_validate(team if isinstance(team := raw.get("team", {}), dict) else {"name": str(team)}).load()
    except ValidationError:
        pass  # said with the other values
    except UsageError as error:
        mistakes.append(f"team: {error}")
    deepspeed = raw.get("deepspeed")
    if deepspeed is not None:
        try:
            find_deepspeed(str(deepspeed))
        except UsageError as error:
            mistakes.append(f"deepspeed: {error}")
    return mistakes


def find_deepspeed(name: str) -> Path:
    """The DeepSpeed configuration that a recipe names: shipped, or a JSON file.

    Raises:
        UsageError: there is none.
    """
    return resources.find("launch", name if Path(name).suffix else f"deepspeed/{name}", ".json")


def _read(path: Path, *, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """A file merged over the one it extends."""
    if path in seen:
        raise ConfigError(str(path), ["extends itself"])
    raw: dict[str, Any] = todays(read_yaml(path))
    if "team" in raw:
        raw["team"] = in_full(raw["team"], beside=path)
    if (parent := raw.pop("extends", None)) is None:
        return raw
    below = _read(resources.find("training", str(parent), beside=path), seen=(*seen, path))
    if isinstance(raw.get("team"), dict) and isinstance(below.get("team"), str):
        below["team"] = {"name": below["team"]}  # a team that is changed is not another team
    return merge_mappings(below, raw)
