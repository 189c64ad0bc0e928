"""Role and Team. Every role ablation is another Team.

A role says what it writes, who speaks after it, its prompt, how it decodes and the weights it speaks with; a team is
roles by name, over one base. Read from files by `team_files`; nothing here loads a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from alpha_umi import role_graph
from alpha_umi.backends import Backend, Generation, Served
from alpha_umi.errors import UsageError
from alpha_umi.text.layouts import FIRST_ROLES, Layout, load_layout
from alpha_umi.text.output_format import MARKERS
from alpha_umi.trajectory import Decision, Frozen

DEFAULT_BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"
DEFAULT_TEAM = "default"
"""The team that ships with weights of its own, trained in the gym."""
OBSERVATION_CHARS = 2048
"""Default length at which an observation loses its middle in a prompt."""


class RoleName(StrEnum):
    """Names of the roles that ship first; any string is a role's name."""

    PLANNER = "planner"
    CALLER = "caller"
    SUMMARIZER = "summarizer"
    SINGLE = "single"


ROLES: tuple[str, ...] = (RoleName.PLANNER.value, RoleName.CALLER.value, RoleName.SUMMARIZER.value)
"""The roles of α-UMi."""


class Writes(StrEnum):
    """The form of what a role writes, and so how it is read (`output_format`)."""

    CHOICE = "choice"
    """A rationale, then the marker of one choice."""
    CALL = "call"
    """A tool call; the tool's observation follows."""
    TEXT = "text"
    """Words as they are, such as the answer."""
    TURN = "turn"
    """A whole step in one completion: rationale and action, or rationale and answer (α-UMi's Single-LLM)."""


class Choice(Frozen):
    """One of the choices that a role may write."""

    marker: str = Field(min_length=1)
    """The words that end what the role writes, such as `Next: caller.`"""
    next: str
    """The role that speaks then, or one of `role_graph.ENDS`."""
    at_most: int | None = Field(default=None, ge=1)
    """Times in one run that a role that reads answers may choose it; after that the answer stands as it is."""


class Role(Frozen):
    """One of a team's speakers: what it writes, who speaks next, its prompt, how it decodes, and its weights."""

    name: str
    tag: str = ""
    """Ends the user message that the role answers, in a layout with one conversation for all; by default `[NAME]`."""
    writes: Writes
    choices: Mapping[str, Choice] = Field(default_factory=dict)
    """By name, of a role that writes a choice; in order of precedence where no marker ends a line."""
    next: str = role_graph.FINISH
    """Who speaks after a call was answered, or a text was written."""
    after: str | None = None
    """The role whose text this one reads before it counts: it takes the place of that role's `next`."""
    prompt: str = ""
    """The layout's template for it; by default that of its name."""
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
        """Name of the model behind it: the server's, the package's, or the role's own over the team's base."""
        if self.model is not None:
            return self.model.name
        return self.served.model if self.served is not None else self.name

    @property
    def markers(self) -> Mapping[str, str]:
        """The marker of each of its choices, by name."""
        return {name: choice.marker for name, choice in self.choices.items()}

    @property
    def template(self) -> str:
        """The layout's template for it."""
        return self.prompt or self.name

    @model_validator(mode="before")
    @classmethod
    def _tagged(cls, raw: Any) -> Any:
        """A role that speaks in turn with others has a tag; one that writes whole turns speaks alone."""
        if isinstance(raw, dict) and not raw.get("tag") and raw.get("writes") != Writes.TURN:
            return {**raw, "tag": f"[{raw.get('name')}]"}
        return raw

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.weights, self.served, self.model)) > 1:
            raise ValueError("a role has weights, is served, or has a model of a package: one of the three")
        if (self.writes is Writes.CHOICE) != bool(self.choices):
            raise ValueError("choices: a role that writes a choice has some, and no other has")
        markers = [choice.marker for choice in self.choices.values()]
        if len(set(markers)) < len(markers):
            raise ValueError("choices: two of them have one marker")
        for marker in markers:
            if marker != marker.strip() or "\n" in marker or sum(marker in other for other in markers) > 1:
                raise ValueError(f"choices: the marker {marker!r} is no line of its own, or part of another")
        return self


class Team(Frozen):
    """Roles over one base, and how they speak with one another. The one called planner, else the first, begins
    each step."""

    name: str
    prompts: str
    """The layout: a name that ships, or a folder."""
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
    roles: Mapping[str, Role] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if mistakes := [*role_graph.mistakes(self.roles), *_missing_templates(self)]:
            raise ValueError("; ".join(mistakes))
        return self

    @property
    def layout(self) -> Layout:
        """The wording that it speaks in."""
        return load_layout(self.prompts)

    @property
    def single(self) -> bool:
        """Whether one completion is a whole step (α-UMi's Single-LLM)."""
        return self.planner.writes is Writes.TURN

    @property
    def planner(self) -> Role:
        """The role that begins each step."""
        return self.roles[cast_of(self.roles).planner]

    @property
    def caller(self) -> Role:
        """The role that writes calls; in a single team the one that writes all."""
        return self.role(cast_of(self.roles).caller)

    @property
    def summarizer(self) -> Role:
        """The role that writes answers; in a single team the one that writes all."""
        return self.role(cast_of(self.roles).summarizer)

    @property
    def reader(self) -> Role | None:
        """The role that reads each answer before it counts, if the team has one."""
        return next((role for role in self.roles.values() if role.after == self.summarizer.name), None)

    @property
    def asks_user(self) -> bool:
        """Whether its planner may ask the user."""
        return any(choice.next == role_graph.USER for choice in self.planner.choices.values())

    @property
    def prompt_digest(self) -> str:
        """Of what its roles were trained to read (`Layout.digest`)."""
        return prompt_digest(self.layout, self.roles)

    def role(self, name: str) -> Role:
        """A role by name; of a single team the one that speaks in each place.

        Raises:
            UsageError: the team has no such role.
        """
        if name in self.roles:
            return self.roles[name]
        if self.single:
            return self.planner
        raise UsageError(f"the team '{self.name}' has no role '{name}'; it has {', '.join(self.roles)}")

    def with_role(self, name: str, **changes: Any) -> Self:
        """The team with some settings of a role changed; not checked again."""
        changed = self.roles[name].model_copy(update=changes)
        return self.model_copy(update={"roles": {**self.roles, name: changed}})


class Cast(NamedTuple):
    """Names of the roles whose words are a step's plan and call, and the trajectory's answer."""

    planner: str
    caller: str
    summarizer: str


def cast_of(roles: Mapping[str, Role]) -> Cast:
    """Who plays these parts: the role called planner plans, else the first, and its choices lead to the others."""
    planner = role_graph.first_of(roles)
    by_choice = {name: choice.next for name, choice in planner.choices.items()}
    parts = (by_choice.get(decision, planner.name) for decision in (Decision.CALL, Decision.SUMMARIZE))
    return Cast(planner.name, *parts)


def _missing_templates(team: Team) -> Iterator[str]:
    """Roles whose template the layout lacks."""
    try:
        layout = team.layout
    except UsageError as error:
        yield f"prompts: {error}"
        return
    for role in team.roles.values():
        name = "system" if layout.shared and role.writes is not Writes.TURN and not role.prompt else role.template
        if not layout.has(name):
            yield f"the layout '{team.prompts}' has no {name}.jinja for the role '{role.name}'"


def prompt_digest(layout: Layout, roles: Mapping[str, Role]) -> str:
    """Digest of what roles read in a layout. The first three count whether they are there or not: a team of one that
    writes whole turns has the digest of the three."""
    tags = {name: f"[{name}]" for name in FIRST_ROLES[:3]}
    tags |= {role.name: role.tag for role in roles.values() if role.tag}
    further = sorted({role.template for role in roles.values()} - set(FIRST_ROLES))
    markers = {marker for role in roles.values() for marker in role.markers.values()}
    named = [] if layout.shared else sorted(set(roles) - set(FIRST_ROLES))  # what others said is labelled with names
    return layout.digest(tags, further, [*sorted(markers - set(MARKERS.values())), *named])
