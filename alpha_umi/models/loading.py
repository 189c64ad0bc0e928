"""A team -> a model for each of its roles, whether on this machine or on a server.

Imports torch only when a role has weights here, so that the base install runs a served team.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.errors import MissingExtra
from alpha_umi.models.base import Model
from alpha_umi.roles import Team

if TYPE_CHECKING:
    import torch


def load_models(team: Team, *, dtype: torch.dtype | None = None, device: str | None = None) -> dict[str, Model]:
    """A model for each role of the team.

    Raises:
        ModelError: weights are missing or do not fit, or their card says they expect other prompts.
        MissingExtra: a role has weights on this machine, and the `local` extra is not installed.
    """
    find_base(team)
    models: dict[str, Model] = {}
    for name, role in team.roles.items():
        if role.served is not None:
            from alpha_umi.models.remote import RemoteModel

            models[name] = RemoteModel.of(role.served)
    if len(models) < len(team.roles):
        try:
            from alpha_umi.models.teams import load_local
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
    if any(role.served is None for role in team.roles.values()):
        from alpha_umi.models.bases import resolve_base

        resolve_base(team.base)
