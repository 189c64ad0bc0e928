"""Weights on this machine: loads a base that `bases` finds. Embedding sizes and tokenizers stay untouched."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpha_umi.errors import MissingExtra, ModelError
from alpha_umi.models.local.bases import no_hub, resolve_base
from alpha_umi.models.local.packaged import how_to_get
from alpha_umi.roles import DEFAULT_BASE
from alpha_umi.text.encoders import Encoder, encoder_for
from alpha_umi.text.layouts import Layout

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

try:
    import torch as _torch
    import transformers as _transformers
except ImportError as missing:
    raise MissingExtra("running a local model", "local", missing) from missing

_transformers.utils.logging.disable_progress_bar()
if not _torch.cuda.is_available():
    os.environ.setdefault("DS_ACCELERATOR", "cpu")  # else deepspeed, once imported, warns that it found no GPU


def default_device() -> str:
    """`cuda` where there is one, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def load_tokenizer(base: str = DEFAULT_BASE, *, chat: bool = True) -> PreTrainedTokenizerBase:
    """The base's tokenizer, untouched.

    Raises:
        ModelError: the base cannot be found, or has no chat template though one is needed.
    """
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = _from_pretrained(AutoTokenizer, resolve_base(base), base)
    if chat and not tokenizer.chat_template:
        raise ModelError(f"{base} has no chat template: use an instruction-tuned model")
    return tokenizer


def load_encoder(base: str, layout: Layout, *, date: str | None = None) -> Encoder:
    """What encodes a layout's prompts for a base (`encoders.encoder_for`)."""
    return encoder_for(load_tokenizer(base, chat=not layout.raw), layout, date=date)


def load_base(
    base: str = DEFAULT_BASE,
    *,
    dtype: torch.dtype | None = None,
    device: str | None = None,
    attention: str | None = None,
) -> PreTrainedModel:
    """The base's weights in evaluation mode, unless asked otherwise in the format that runs fastest here.

    Raises:
        ModelError: the base cannot be found.
    """
    from transformers import AutoModelForCausalLM

    from alpha_umi.nn.precision import running_dtype

    place = device or default_device()
    options: dict[str, Any] = {"dtype": dtype or running_dtype(place)}
    if attention is not None:
        options["attn_implementation"] = attention
    model: PreTrainedModel
    model, report = _from_pretrained(
        AutoModelForCausalLM, resolve_base(base), base, output_loading_info=True, **options
    )
    _check_whole(base, report)
    model.requires_grad_(False)
    placed: Any = model.eval()  # `to` is typed for other arguments than it takes
    moved: PreTrainedModel = placed.to(place)
    return moved


def _check_whole(base: str, report: Mapping[str, Any]) -> None:
    """Refuse a model whose file lacks weights: transformers makes those at random, and says so in its log alone.

    Raises:
        ModelError: some are missing, or of another shape.
    """
    if odd := sorted(str(name) for key in ("missing_keys", "mismatched_keys") for name in report.get(key) or ()):
        more = f" and {len(odd) - 2} more" if len(odd) > 2 else ""
        raise ModelError(f"the model '{base}' is not whole: its file has no {', '.join(odd[:2])}{more} that fit")


def _from_pretrained(kind: Any, source: str, asked: str, **options: Any) -> Any:
    """transformers' loader with its many errors turned into one line."""
    if not Path(source).is_dir() and no_hub(source) is not None:
        options["local_files_only"] = True  # what was downloaded before, without a word to the hub
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=ResourceWarning)
            return kind.from_pretrained(source, **options)
    except (OSError, ValueError, KeyError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"the model '{asked}' cannot be loaded: {reason}{how_to_get(asked)}") from error


def reading_digests(base: str, layout: Layout) -> tuple[str, str]:
    """Digests of a base's tokenizer and of its chat template."""
    encoder = load_encoder(base, layout)
    return encoder.tokenizer_digest, encoder.template_digest


def context_length(base: str) -> int:
    """Positions a base has.

    Raises:
        ModelError: its configuration does not say.
    """
    from transformers import AutoConfig

    config = _from_pretrained(AutoConfig, resolve_base(base), base).get_text_config()
    if (positions := getattr(config, "max_position_embeddings", None)) is None:
        raise ModelError(f"{base} does not say how many positions it has (max_position_embeddings)")
    return int(positions)


def outline(base: str) -> PreTrainedModel:
    """A base without its weights, on torch's meta device."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        made: PreTrainedModel = AutoModelForCausalLM.from_config(_from_pretrained(AutoConfig, resolve_base(base), base))
    return made


def linear_shapes(base: str, *, head: bool = False) -> dict[str, tuple[int, int]]:
    """Name and (outputs, inputs) of each linear layer of a base, its head only when asked, without loading weights."""
    import torch

    model = outline(base)
    last: Any = None if head else model.get_output_embeddings()
    layers = ((path, layer) for path, layer in model.named_modules() if isinstance(layer, torch.nn.Linear))
    return {path: (layer.out_features, layer.in_features) for path, layer in layers if layer is not last}


def count_parameters(base: str) -> tuple[int, int, int, int]:
    """Parameters, layers, hidden width and vocabulary of a base, without loading its weights."""
    model = outline(base)
    config = model.config.get_text_config()
    parameters = sum(p.numel() for p in model.parameters())
    return parameters, config.num_hidden_layers, config.hidden_size, config.vocab_size
