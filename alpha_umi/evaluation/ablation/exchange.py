"""Teams in which roles speak with one another's weights, or with the backbone's: the ablation that shows whether roles
that were trained apart have become different (PettingLLMs, arXiv 2510.11062, swaps them).

Loading refuses weights under another role's name, and rightly. Here a copy is made that says which role it is for: the
tensors are those of the other role, the card and the tag from which on an activated LoRA acts are the new one's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from alpha_umi.errors import UsageError
from alpha_umi.evaluation.ablation.experiment import BACKBONE
from alpha_umi.files import write_atomically
from alpha_umi.model_card import CARD_FILE, read_card
from alpha_umi.roles import Team

_CONFIG = "adapter_config.json"


def exchanged(team: Team, roles: Mapping[str, str], folder: Path) -> Team:
    """The team with some roles speaking with other weights.

    Args:
        team: as it was trained.
        roles: role -> whose weights it takes: another role's, or `backbone`.
        folder: where copies are put.

    Raises:
        UsageError: a role or a source that the team has not, or one that is served.
    """
    check_exchange(team, roles)
    changed = team
    for role, source in roles.items():
        weights = None if source == BACKBONE else team.roles[source].weights
        if weights is not None and source != role:
            weights = str(_copy(team, role, Path(weights), folder / role))
        changed = changed.with_role(role, weights=weights)
    return changed


def check_exchange(team: Team, roles: Mapping[str, str]) -> None:
    """See whether roles of a team can be exchanged, trained or not yet.

    Raises:
        UsageError: as of `exchanged`.
    """
    for role, source in roles.items():
        if role not in team.roles:
            raise UsageError(f"roles: the team '{team.name}' has no role '{role}' ({', '.join(team.roles)})")
        if source not in (*team.roles, BACKBONE):
            raise UsageError(
                f"roles.{role}: '{source}' is no role of '{team.name}' ({', '.join(team.roles)}, {BACKBONE})"
            )
        if not team.roles[role].local:
            raise UsageError(f"roles.{role}: it is served, so it has no weights to exchange")


def _copy(team: Team, role: str, source: Path, target: Path) -> Path:
    """A folder with another role's tensors, which are linked and not copied, under this role's name."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        link = target / file.name
        if file.is_file() and file.name not in (CARD_FILE, _CONFIG) and not link.exists():
            link.symlink_to(file.resolve())
    if (source / _CONFIG).is_file():
        config = json.loads((source / _CONFIG).read_text(encoding="utf-8"))
        if config.get("alora_invocation_tokens"):
            config["alora_invocation_tokens"] = _tag_ids(team, role)
        (target / _CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    if (card := read_card(source)) is not None:
        # Not `write_card`, which would change who may read the weights that are linked to.
        write_atomically(
            target / CARD_FILE, card.model_copy(update={"roles": (role,)}).model_dump_json(indent=2) + "\n"
        )
    return target


def _tag_ids(team: Team, role: str) -> list[int]:
    from alpha_umi.models.local.base_weights import load_encoder

    return load_encoder(team.base, team.layout).tag_ids(team.roles[role].tag)
