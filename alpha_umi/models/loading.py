"""A team -> a model for each of its views, whether on this machine or on a server.

Imports torch only when a role has weights here, so that the base install runs a served team.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.errors import MissingExtra
from alpha_umi.models.base import Model
from alpha_umi.prompts import View
from alpha_umi.roles import Role, Team

if TYPE_CHECKING:
    import torch


def load_models(team: Team, *, dtype: torch.dtype | None = None, device: str | None = None) -> dict[View, Model]:
    """A model for each view the team speaks.

    Raises:
        ModelError: weights are missing or do not fit, or their card says they expect other prompts.
        MissingExtra: a role has weights on this machine, and the `local` extra is not installed.
    """
    find_base(team)
    models: dict[View, Model] = {}
    seats = _seats(team)
    for role in seats:
        if role.served is not None and role.view not in models:
            from alpha_umi.models.remote import RemoteModel

            models[role.view] = RemoteModel.of(role.served)
    if any(role.served is None for role in seats):
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
    if any(role.served is None for role in _seats(team)):
        from alpha_umi.models.bases import resolve_base

        resolve_base(team.base)


def _seats(team: Team) -> tuple[Role, Role, Role]:
    return team.planner, team.caller, team.summarizer
