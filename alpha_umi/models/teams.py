"""A team's weights in memory: one base, its backbone, and the roles over it.

Roles that are LoRA adapters share one base; roles that are full models are loaded once for each different folder. Every
card is checked before anything is loaded.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peft import PeftModel

from alpha_umi.adapters import check_card, is_adapter, read_card, weights_digest
from alpha_umi.encoding import ChatEncoder
from alpha_umi.errors import ModelError
from alpha_umi.models.engine import Engine
from alpha_umi.models.generation import LocalModel
from alpha_umi.models.local import base_digest, load_base, load_tokenizer
from alpha_umi.models.spans import BACKBONE
from alpha_umi.prompts import Layout, View, load_prompts
from alpha_umi.roles import Role, Team

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


def load_local(team: Team, *, dtype: torch.dtype | None = None, device: str | None = None) -> dict[View, LocalModel]:
    """Load every role of a team that is not served: one base with its adapters, or full models, each folder once.

    In the `shared` layout all roles speak over the base's cache; in `paper` each reads with its own weights.

    Returns:
        A model for each view that these roles speak.

    Raises:
        ModelError: weights are missing or do not fit the base, or their card says they expect other prompts.
    """
    engines: dict[str, Engine] = {}
    backbone, reads_with = _check_backbone(team)

    def engine(home: str, folder: Path | None) -> Engine:
        date = _date_of(folder or Path(home))
        if home not in engines:
            encoder = ChatEncoder(load_tokenizer(home), date=date)
            weights, digest = load_base(home, dtype=dtype, device=device), base_digest(home)
            if home == team.base and backbone is not None:
                weights, digest = merged(weights, backbone), f"{digest}+{weights_digest(backbone)}"
            engines[home] = Engine(weights, encoder, context=team.context, digest=digest)
        if date is not None and date != (other := engines[home].encoder.date):
            raise ModelError(
                f"{folder or home} was trained on prompts that name {date}, its team's others name {other}"
            )
        return engines[home]

    seats = (team.planner, team.caller, team.summarizer)
    roles = {role.view: role for role in seats if role.served is None}
    # All, before anything is loaded.
    folders = {view: _check_role(role, team, reads_with) for view, role in roles.items()}
    models: dict[View, LocalModel] = {}
    loaded: dict[Path, str] = {}
    for view, folder in folders.items():
        # A single role has no cue and nobody to share with.
        shared = team.layout is Layout.SHARED and view is not View.SINGLE
        if folder is None:
            models[view] = LocalModel(engine(team.base, backbone))
        elif is_adapter(folder):
            base = engine(team.base, folder)
            cue = base.encoder.cue_ids(load_prompts(team.layout).cue(view)) if shared else ()
            name = base.add_adapter(folder, invocation=cue, merged=team.merge_adapters)
            models[view] = LocalModel(base, writer=name, reader=BACKBONE if shared else name)
        elif shared:
            base = engine(team.base, folder)
            if folder not in loaded:
                weights = load_base(str(folder), dtype=dtype, device=device)
                loaded[folder] = base.add_model(weights, str(folder))
            models[view] = LocalModel(base, writer=loaded[folder], reader=BACKBONE)
        else:
            models[view] = LocalModel(engine(str(folder), folder))
    return models


def merged(weights: PreTrainedModel, adapter: Path) -> PreTrainedModel:
    """Weights with a LoRA adapter added to them, summed in fp32 and rounded once, as training does.

    Raises:
        ModelError: the adapter does not fit.
    """
    dtype = weights.dtype
    try:
        with warnings.catch_warnings():
            # PEFT still asks transformers under a name that transformers 5 deprecates.
            warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
            adapted: Any = PeftModel.from_pretrained(weights.float(), str(adapter))
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(f"{adapter} is no adapter for this base: {str(error).splitlines()[0]}") from error
    whole: Any = adapted.merge_and_unload().to(dtype).eval()
    whole.requires_grad_(False)
    result: PreTrainedModel = whole
    return result


def _date_of(folder: Path) -> str | None:
    """The day that prompts named when a folder's weights were trained."""
    card = read_card(folder)
    return None if card is None else card.date


def _check_backbone(team: Team) -> tuple[Path | None, str]:
    """The adapter that turns the base into the backbone, and the digest of what the roles continued from.

    Raises:
        ModelError: it is missing, or its card says that it expects other prompts or another base.
    """
    if team.backbone is None:
        return None, base_digest(team.base)
    folder = Path(team.backbone)
    if not folder.is_dir():
        raise ModelError(f"the backbone's adapter is missing: there is no folder {folder}")
    card = check_card(folder, layout=team.layout, view=team.planner.view)
    if card is None or card.merged_digest is None:
        raise ModelError(f"{folder} has no card that says what it makes of a base: `alpha-umi export` writes one")
    if (digest := base_digest(team.base)) != card.base_digest:
        raise ModelError(f"{folder} was trained on other weights ({card.base_digest}) than the team's base ({digest})")
    return folder, card.merged_digest


def _check_role(role: Role, team: Team, digest: str) -> Path | None:
    """The folder of a role's weights, trained on weights of this digest; None for the base's own.

    Raises:
        ModelError: it is missing, or its card says that it expects other prompts or another base.
    """
    if role.weights is None:
        return None
    folder = Path(role.weights)
    if not folder.is_dir():
        raise ModelError(f"the {role.name}'s weights are missing: there is no folder {folder}")
    card = check_card(folder, layout=team.layout, view=role.view)
    on_base = is_adapter(folder) or team.layout is Layout.SHARED
    if card is not None and on_base and digest != card.base_digest:
        raise ModelError(f"{folder} was trained on other weights ({card.base_digest}) than the team's base ({digest})")
    return folder
