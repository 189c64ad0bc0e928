"""What a team's cards say of base, tokenizer, chat template and prompts, beside what is there today.

Loading refuses what does not fit (`model_card`). Here both are shown, and a card is rewritten on its owner's word:
nobody else can know that weights which a digest cannot tell to be the same are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from alpha_umi.errors import ModelError, UsageError
from alpha_umi.model_card import CARD_FILE, Card, date_of, read_card, write_card
from alpha_umi.models.local.base_weights import load_encoder
from alpha_umi.models.local.loading import Foundation, check_team, foundation_of, home_of, own_roles
from alpha_umi.roles import Team
from alpha_umi.text.encoders import Encoder

ADOPTABLE = ("base_digest", "tokenizer_digest", "template_digest")
"""What an owner may take today's of. Other prompts than those trained on are never right."""


@dataclass(frozen=True)
class CardEntry:
    """One fact of one card."""

    folder: Path
    key: str
    said: str | None
    """What the card says; None where it says nothing."""
    today: str
    fits: bool


def compare(team: Team) -> list[CardEntry]:
    """The digests on the cards of a team's weights, and today's; weights without a card have no row.

    Raises:
        UsageError: none of its weights has a card.
        ModelError: weights, base or tokenizer cannot be found or read.
    """
    foundation = foundation_of(team)
    encoder = lru_cache(lambda home, date: load_encoder(home, team.layout, date=date))
    rows: list[CardEntry] = []
    if foundation.adapter is not None:
        rows += _rows(
            foundation.adapter, team, Foundation(team.base), encoder(team.base, date_of([foundation.adapter]))
        )
    elif (stage := _stage(team.base)) is not None:
        rows += _rows(Path(team.base), team, Foundation(stage.base), encoder(team.base, stage.date))
    for folder, home in _folders(team).items():
        rows += _rows(folder, team, foundation, encoder(home, date_of([folder])))
    if not rows:
        raise UsageError(f"no weights of the team '{team.name}' have a card ({CARD_FILE})")
    return rows


def _stage(base: str) -> Card | None:
    """The card of a base that a run trained, if what that continued from can be found by the card alone."""
    card = read_card(Path(base)) if Path(base).is_dir() else None
    earlier = card is not None and (Path(base).parent / card.base / CARD_FILE).is_file()
    return None if earlier else card


def _folders(team: Team) -> dict[Path, str]:
    """Folder of each role's weights, and of what reads for it."""
    return {
        Path(role.weights): home_of(team, role.name, Path(role.weights))
        for role in own_roles(team)
        if role.weights is not None and role.weights != team.base
    }


def _rows(folder: Path, team: Team, foundation: Foundation, encoder: Encoder) -> list[CardEntry]:
    card = read_card(folder)
    if card is None:
        return []
    facts = {
        "base_digest": (foundation.digest, foundation.is_of(card)),
        "tokenizer_digest": (encoder.tokenizer_digest, card.tokenizer_digest in {None, encoder.tokenizer_digest}),
        "template_digest": (encoder.template_digest, card.template_digest in {None, encoder.template_digest}),
    }
    prompts = team.prompt_digest
    facts["prompt_digest"] = (prompts, card.prompt_digest == prompts)
    return [CardEntry(folder, key, getattr(card, key), today, fits) for key, (today, fits) in facts.items()]


def refusal(team: Team) -> str | None:
    """Why a team would be refused for what its digests do not tell: weights that are gone, another layout, another day.
    None where it would be loaded."""
    try:
        check_team(team)
    except ModelError as error:
        return str(error)
    return None


def adopt(rows: Sequence[CardEntry]) -> list[CardEntry]:
    """Rewrite cards so that they name today's base, tokenizer and chat template; each keeps what it said.

    Args:
        rows: of `compare`. What a role stands on holds its backbone's adapter, not that one's card, so that no order
            need be kept.

    Returns:
        Those that were rewritten.
    """
    changed = [row for row in rows if row.key in ADOPTABLE and row.said != row.today]
    for row in changed:
        card = read_card(row.folder)
        assert card is not None
        kept = {row.key: row.said, **card.adopted}  # the first word counts
        write_card(row.folder, card.model_copy(update={row.key: row.today, "adopted": kept}))
    return changed
