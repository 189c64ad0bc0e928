"""A team -> a model for each of its roles, whether on this machine, on a server, or of an installed package.

Imports torch only when a role has weights here, so that the base install runs a served team.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from alpha_umi.backends import Backend
from alpha_umi.errors import MissingExtra, UsageError
from alpha_umi.models.protocol import Model
from alpha_umi.plugins import PluginPoint
from alpha_umi.roles import Role, Team

if TYPE_CHECKING:
    import torch


class ModelFactory(Protocol):
    """What a name of `alpha_umi.models` stands for."""

    def __call__(self, role: Role, /, **options: Any) -> Model:
        """The model that speaks for a role: a `models.base.Model`, or a LangChain chat model.

        Args:
            role: the role as its team has it.
            options: `model.options` of the role.
        """
        ...


MODELS = PluginPoint[ModelFactory]("models", {}, fits=callable)
_MEMBERS = ("context_length", "count_tokens", "complete", "release")


def load_models(team: Team, *, dtype: torch.dtype | None = None, device: str | None = None) -> dict[str, Model]:
    """A model for each role of the team.

    Raises:
        UsageError: there is no model of a name that a role gives, or it cannot be made.
        ModelError: weights are missing or do not fit, or their card says they expect other prompts.
        MissingExtra: a role has weights on this machine, and the `local` extra is not installed.
    """
    find_base(team)
    models: dict[str, Model] = {}
    for name, role in team.roles.items():
        if role.served is not None:
            from alpha_umi.models.remote import RemoteModel

            models[name] = RemoteModel.of(role.served)
        if role.model is not None:
            models[name] = _made(role, role.model)
    if any(role.local for role in team.roles.values()):
        try:
            from alpha_umi.models.local.loading import load_local
        except ImportError as error:
            raise MissingExtra("running a team's weights on this machine", "local", error) from error
        models |= load_local(team, dtype=dtype, device=device)
    return models


def find_base(team: Team) -> None:
    """Find what a team's weights on this machine stand on, before torch is imported, which takes seconds.

    Raises:
        ModelError: it is neither here nor on a hub that answers.
        MissingExtra: the `local` extra is not installed.
    """
    if any(role.local for role in team.roles.values()):
        from alpha_umi.models.local.bases import resolve_base

        resolve_base(team.base)


def _made(role: Role, model: Backend) -> Model:
    from alpha_umi.models.langchain import as_model

    made = as_model(MODELS.make(model.name, role, **model.options))
    if lacking := [name for name in _MEMBERS if not hasattr(made, name)]:
        raise UsageError(f"model '{model.name}' made what is no Model: it lacks {', '.join(lacking)}")
    return made
