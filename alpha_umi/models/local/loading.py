"""A team's weights in memory: one base, its backbone, and the roles over it.

Roles that are LoRA adapters share one base; roles that are full models are loaded once for each different folder. Every
card is checked before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from alpha_umi.digests import SCHEME, backbone_digest, weight_files
from alpha_umi.errors import ModelError
from alpha_umi.model_card import Card, check_card, check_reading, date_of, is_adapter, read_card
from alpha_umi.models.local.base_weights import load_base, load_encoder
from alpha_umi.models.local.bases import base_digest, continued
from alpha_umi.models.local.engine import Engine
from alpha_umi.models.local.local_model import LocalModel
from alpha_umi.models.local.packaged import how_to_get, packaged_file
from alpha_umi.nn.merging import merge_into
from alpha_umi.nn.packing import BACKBONE
from alpha_umi.roles import Role, Team, Writes
from alpha_umi.text.encoders import Encoder

if TYPE_CHECKING:
    import torch


def load_local(team: Team, *, dtype: torch.dtype | None = None, device: str | None = None) -> dict[str, LocalModel]:
    """Load every role of a team that is not served: one base with its adapters, or full models, each folder once.

    In a shared layout all roles speak over the base's cache; else each reads with its own weights.

    Returns:
        A model for each of these roles.

    Raises:
        ModelError: weights are missing or do not fit the base, or their card says they expect other prompts.
    """
    engines: dict[str, Engine] = {}
    foundation = _checked_foundation(team)
    backbone = foundation.adapter
    # All, before any weights are loaded.
    folders = {role.name: _check_role(role, team, foundation) for role in own_roles(team)}
    encoders = _encoders(team, backbone, folders)

    def engine(home: str) -> Engine:
        if home not in engines:
            weights = load_base(home, dtype=dtype, device=device)
            if home == team.base and backbone is not None:
                merge_into(weights, backbone)
            digest = foundation.digest if home == team.base else base_digest(home)
            engines[home] = Engine(weights, encoders[home], context=team.context, digest=digest)
        return engines[home]

    models: dict[str, LocalModel] = {}
    loaded: dict[Path, str] = {}
    for role, folder in folders.items():
        shared = _shares(team, role)
        if folder is None:
            models[role] = LocalModel(engine(team.base))
        elif is_adapter(folder):
            base = engine(team.base)
            tag = base.encoder.tag_ids(team.role(role).tag) if shared else ()
            name = base.add_adapter(folder, invocation=tag, merged=team.merge_adapters)
            models[role] = LocalModel(base, writer=name, reader=BACKBONE if shared else name)
        elif shared:
            base = engine(team.base)
            if folder not in loaded:
                weights = load_base(str(folder), dtype=dtype, device=device)
                loaded[folder] = base.add_model(weights, str(folder))
            models[role] = LocalModel(base, writer=loaded[folder], reader=BACKBONE)
        else:
            models[role] = LocalModel(engine(str(folder)))
    return models


def _shares(team: Team, role: str) -> bool:
    """Whether a role speaks over the backbone's cache. One that writes whole turns has nobody to share with."""
    return team.layout.shared and team.role(role).writes is not Writes.TURN


def home_of(team: Team, role: str, folder: Path | None) -> str:
    """The weights that read for a role: its own where they are whole and alone, else the team's base."""
    alone = folder is not None and not is_adapter(folder) and not _shares(team, role)
    return str(folder) if alone else team.base


def _encoders(team: Team, backbone: Path | None, folders: Mapping[str, Path | None]) -> dict[str, Encoder]:
    """An encoder for each set of weights that reads, by its folder or name.

    Raises:
        ModelError: a card says that its weights were trained with another tokenizer, chat template or day.
    """
    encoders: dict[str, Encoder] = {}
    for role, folder in folders.items():
        home = home_of(team, role, folder)
        read = [weights for weights in (folder, backbone if home == team.base else None) if weights is not None]
        if home not in encoders:
            encoders[home] = load_encoder(home, team.layout, date=date_of([*read, Path(home)]))
        for weights in read:
            check_reading(weights, encoders[home])
    return encoders


class Foundation(NamedTuple):
    """What the roles of a team continued from."""

    base: str
    adapter: Path | None = None
    """What turns the base into the backbone."""
    first_digest: str | None = None
    """What cards of the first rule call base and adapter together; nothing can be computed from them that equals it."""

    def is_of(self, card: Card) -> bool:
        """Whether a role's card names it."""
        if self.adapter is None:
            return continued(card, self.base)
        if card.base_digest.startswith(SCHEME):
            return card.base_digest == self.digest
        return card.base_digest == self.first_digest

    @property
    def digest(self) -> str:
        """By today's rule."""
        found = base_digest(self.base)
        return found if self.adapter is None else backbone_digest(found, self.adapter)


def check_team(team: Team) -> None:
    """Refuse a team whose parts do not fit one another, by their cards; nothing is loaded.

    Raises:
        ModelError: weights are missing, or expect other prompts, another base or another tokenizer.
    """
    foundation = _checked_foundation(team)
    folders = {role.name: _check_role(role, team, foundation) for role in own_roles(team)}
    _encoders(team, foundation.adapter, folders)


def own_roles(team: Team) -> list[Role]:
    """The roles whose weights are on this machine."""
    return [role for role in team.roles.values() if role.local]


def foundation_of(team: Team) -> Foundation:
    """What a team's roles speak over.

    Raises:
        ModelError: the backbone's adapter is missing, or has no card.
    """
    if team.backbone is None:
        return Foundation(team.base)
    folder = Path(team.backbone)
    if not folder.is_dir():
        raise ModelError(f"the backbone's adapter is missing: there is no folder {folder}")
    card = read_card(folder)
    if card is None:
        raise ModelError(f"{folder} has no card that says what it makes of a base: `alpha-umi export` writes one")
    return Foundation(team.base, folder, card.merged_digest)


def _checked_foundation(team: Team) -> Foundation:
    """What a team's roles speak over, its card compared with the base.

    Raises:
        ModelError: the backbone's adapter is missing, or its card says that it expects other prompts or another base.
    """
    foundation = foundation_of(team)
    if foundation.adapter is not None:
        card = check_card(foundation.adapter, team, team.planner.name)
        if card is not None and not continued(card, team.base):
            raise _on_other_weights(foundation.adapter, card, team.base, base_digest(team.base))
    return foundation


def _check_role(role: Role, team: Team, foundation: Foundation) -> Path | None:
    """The folder of a role's weights, trained on the team's foundation; None for the base's own.

    Raises:
        ModelError: it is missing, or its card says that it expects other prompts or another base.
    """
    if role.weights is None:
        return None
    folder = Path(role.weights)
    if not folder.is_dir():
        raise ModelError(f"the {role.name}'s weights are missing: there is no folder {folder}")
    card = check_card(folder, team, role.name)
    on_base = is_adapter(folder) or team.layout.shared
    if card is not None and on_base and not foundation.is_of(card):
        raise _on_other_weights(folder, card, team.base, foundation.digest)
    if not weight_files(folder):
        raise ModelError(f"the {role.name}'s weights are missing: {folder} holds none")
    return folder


def _on_other_weights(folder: Path, card: Card, base: str, digest: str) -> ModelError:
    """Why a folder is refused, and the way out where only the rule of digests or the source of the base is another."""
    said = f"{folder} was trained on other weights ({card.base_digest}) than the team's base ({digest})"
    if card.base_digest.startswith(SCHEME):
        return ModelError(said + ("" if packaged_file(base) else how_to_get(base)))
    return ModelError(
        f"{said}, as far as a card of an older alpha-umi can tell: if you know that they are the same, "
        f"`alpha-umi doctor {quote(str(folder.parent))} --adopt` shows both and takes today's"
    )
