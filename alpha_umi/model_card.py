"""The card beside weights: what they are, what they were trained on, and which prompts they expect.

A card is written once, when a stage ends, and read whenever the weights are loaded. Weights whose prompt digest differs
from today's are refused, because the text trained on must be exactly the text sent.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, model_validator

from alpha_umi.config import renamed
from alpha_umi.errors import ModelError
from alpha_umi.roles import Team
from alpha_umi.trajectory import Frozen

if TYPE_CHECKING:
    from alpha_umi.text.encoders import Encoder

CARD_FILE = "card.json"
ADAPTER = "adapter"
"""Beside whole weights that were trained as LoRA and merged: the adapter as it was."""


class Card(Frozen):
    """What a folder of weights is."""

    stage: str
    roles: tuple[str, ...]
    """The roles whose targets it was trained on."""
    kind: Literal["full", "lora"]
    base: str
    """What it continued from: a hub id or path for stage 1, a stage's name after it."""
    base_digest: str
    """Digest of the weights it continued from (`digests.weights_digest`, or `digests.backbone_digest` of a team that
    keeps its backbone as an adapter)."""
    merged_digest: str | None = None
    """Of a backbone kept as an adapter: the digest of the whole weights that the roles were trained on."""
    tokenizer_digest: str | None = None
    """Of the tokenizer that its texts were read with (`ChatEncoder.tokenizer_digest`)."""
    template_digest: str | None = None
    """Of the chat template that they were written by (`ChatEncoder.template_digest`)."""
    warm_start: str | None = None
    """Of a stage that trained an adapter on: the digest of the one it began with."""
    layout: str
    """Name of the layout (`LayoutFile.name`)."""
    prompt_digest: str
    observation_chars: int
    date: str | None = None
    """The day that every prompt named, where the chat template names one."""
    recipe_digest: str
    data_digest: str
    taskset: str | None = None
    """The task set with its version (`gym@1`) that the data are solutions of, where their report names it."""
    seed: int
    versions: Mapping[str, str] = Field(default_factory=dict)
    results: Mapping[str, Any] = Field(default_factory=dict)
    adopted: Mapping[str, str | None] = Field(default_factory=dict)
    """What the card said before its owner took today's base, tokenizer or template for the right one, by key."""

    @model_validator(mode="before")
    @classmethod
    def _roles_named(cls, raw: Any) -> Any:
        return renamed(raw, views="roles")


def write_card(folder: Path, card: Card) -> None:
    """Write the card beside the weights, which whoever may read the card may read too."""
    part = folder / f"{CARD_FILE}.part"
    part.write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for weights in folder.rglob("*.safetensors"):  # safetensors leaves them to their owner alone
        shutil.copymode(part, weights)
    part.rename(folder / CARD_FILE)  # a card means that the weights are whole, so it must appear at once


def read_card(folder: Path) -> Card | None:
    """The card of a folder, or None when its weights were made elsewhere.

    Raises:
        ModelError: there is a card but it cannot be read.
    """
    path = folder / CARD_FILE
    if not path.is_file():
        return None
    try:
        return Card.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise ModelError(f"{path} is not a card: {error.errors()[0]['msg']}") from error


def check_card(folder: Path, team: Team, role: str) -> Card | None:
    """Read the card and refuse weights that expect other prompts than the team would send.

    Raises:
        ModelError: another layout, another role, or another wording than today's.
    """
    card = read_card(folder)
    if card is None:
        return None
    layout = team.layout
    if card.layout != layout.name:
        raise ModelError(f"{folder} was trained in the '{card.layout}' layout, the team speaks '{layout.name}'")
    if role not in card.roles:
        raise ModelError(f"{folder} was trained as {', '.join(card.roles)}, not as {role}")
    if card.prompt_digest != team.prompt_digest:
        raise ModelError(
            f"{folder} was trained on other prompts (digest {card.prompt_digest}, today's is {team.prompt_digest}): "
            "train it again or check out the prompts it was trained with"
        )
    return card


def check_reading(folder: Path, encoder: Encoder) -> None:
    """Refuse weights that were trained on other token ids than the team would send. A card may name neither.

    Raises:
        ModelError: another tokenizer, another chat template, or another day that it names.
    """
    card = read_card(folder)
    if card is not None and card.date is not None and card.date != encoder.date:
        raise ModelError(
            f"{folder} was trained on prompts that name {card.date}, those of its team name {encoder.date}"
        )
    for what, key in (("tokenizer", "tokenizer_digest"), ("chat template", "template_digest")):
        said = getattr(card, key, None)
        if said is not None and said != (today := getattr(encoder, key)):
            raise ModelError(
                f"{folder} was trained with another {what} (digest {said}, today's is {today}): put back the {what} "
                f"of its base, or, if you want today's, `alpha-umi doctor {quote(str(folder.parent))} --adopt`"
            )


def date_of(folders: Iterable[Path]) -> str | None:
    """The day that prompts are to name for weights, by the first of their cards that has one."""
    cards = (read_card(folder) for folder in folders)
    return next((card.date for card in cards if card is not None and card.date is not None), None)


def is_called(path: str, names: Iterable[str]) -> bool:
    """Whether a layer is meant by one of some names, by PEFT's rule: the name is its path or ends it."""
    return any(path == name or path.endswith(f".{name}") for name in names)


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds a LoRA adapter rather than a full model."""
    return (folder / "adapter_config.json").is_file()
