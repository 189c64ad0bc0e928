"""Digests: what a thing is, whatever carries it. Two things have one digest exactly when they give the same result.

A digest covers content (values, numbers, texts) and nothing that a library writes beside it: versions, paths, the order
of keys, the division into files, line ends. `docs/identity.md` lists every digest and what it covers. Each begins
with the number of its rule, so that cards of another rule are told apart (`models.local.loading`). Needs neither torch
nor safetensors.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from alpha_umi.errors import ModelError
from alpha_umi.stamps import remembered, remembered_of, rule_of

SCHEME = "2:"
"""Before 2, digests of weights hashed the bytes of their files (`first_weights_digest`)."""

_RULE = rule_of(__file__)

WITHOUT_EFFECT = {
    "config.json": {
        "transformers_version",
        "_name_or_path",
        "_model_name_or_path",
        "_commit_hash",
        "architectures",  # `model_type` decides
        "initializer_range",
        "problem_type",
        "torchscript",
        "dtype",  # the tensors have theirs, and a model runs in the one it is asked to
        "torch_dtype",
        "use_cache",
        "output_attentions",
        "output_hidden_states",
        "return_dict",
        "_attn_implementation",
        "_attn_implementation_autoset",
        "attn_implementation",
    },
    "adapter_config.json": {
        "peft_version",
        "base_model_name_or_path",
        "revision",
        "inference_mode",
        "auto_mapping",
        "task_type",
        "init_lora_weights",  # the tensors say what became of it
        "lora_dropout",
        "megatron_core",
        "qalora_group_size",  # of `use_qalora` alone
    },
}
"""Keys of a configuration that do not change what weights compute."""

PROBE = (
    "The tide at Brix is 14:10, 3.50 m; call find_port(name='Brix', n=2)!\n\n"
    '{"id": 12345678901, "ok": true}\tif x != -0.5e-7:  return  "naïve café"\r\n'
    "ΑΩ Жук 東京 नमस्ते שלום 👩‍👩‍👧 ﬁ ① I'll we've DON'T   \u00a0…—“quoted”"
)
"""A text that passes through most rules of a tokenizer: digits, runs of spaces, contractions, scripts, joined emoji."""


def text_digest(value: Any) -> str:
    """Digest of a JSON-like value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return SCHEME + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def weights_digest(folder: Path) -> str:
    """Digest of a model or an adapter: its tensors and its configuration.

    Raises:
        ModelError: a file is damaged.
    """
    files = [*weight_files(folder), *(folder / name for name in WITHOUT_EFFECT if (folder / name).is_file())]
    if missing := next((file for file in files if not file.is_file()), None):
        raise ModelError(f"{missing} is missing")
    return remembered(f"weights {_RULE}", files, lambda: text_digest([_tensors(folder), _configuration(folder)]))


def weight_files(folder: Path) -> list[Path]:
    """The files of a folder that a model's or an adapter's weights are loaded from, as transformers and PEFT choose."""
    stem = "adapter_model" if (folder / "adapter_config.json").is_file() else "model"
    whole, index = folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json"
    if whole.is_file():
        return [whole]
    if index.is_file():
        shards = _json(index).get("weight_map")
        return sorted({folder / Path(str(name)).name for name in shards.values()}) if isinstance(shards, dict) else []
    return sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))


class _Tensor(NamedTuple):
    """Where a tensor's bytes lie."""

    name: str
    kind: str
    shape: tuple[int, ...]
    file: Path
    start: int
    end: int


def _tensors(folder: Path) -> list[tuple[str, str, Sequence[int], str]]:
    """Name, type, shape and SHA-256 of each tensor, by name."""
    files = weight_files(folder)
    if any(file.suffix == ".bin" for file in files):
        return [(file.name, "", (), _pickled(file)) for file in files]
    tensors = sorted(tensor for file in files for tensor in _listed(file))
    if _json(folder / "config.json").get("tie_word_embeddings"):  # then some write the head a second time
        tensors = [tensor for tensor in tensors if tensor.name != "lm_head.weight"]
    with ThreadPoolExecutor(4) as pool:  # hashing leaves the interpreter to others
        return [(t.name, t.kind, t.shape, found) for t, found in zip(tensors, pool.map(_hash, tensors), strict=True)]


def _listed(file: Path) -> list[_Tensor]:
    """The tensors that a safetensors file's header names (https://huggingface.co/docs/safetensors, "Format")."""
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(length, size)))
        header.pop("__metadata__", None)
        begin = 8 + length
        found = [
            _Tensor(name, one["dtype"], tuple(one["shape"]), file, *(begin + at for at in one["data_offsets"]))
            for name, one in header.items()
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise ModelError(f"{file} is no safetensors file, or a damaged one") from None
    if any(tensor.end > size for tensor in found):
        raise ModelError(f"{file} is cut off: it holds {size:,} bytes, its tensors need more")
    return found


def _hash(tensor: _Tensor) -> str:
    digest = hashlib.sha256()
    if tensor.end > tensor.start:
        with tensor.file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            for start in range(tensor.start, tensor.end, 1 << 22):
                digest.update(memory[start : min(start + (1 << 22), tensor.end)])
    return digest.hexdigest()


def _pickled(file: Path) -> str:
    """Digest of a file that torch wrote by pickle: the members of its archive less the name it was written under."""
    digest = hashlib.sha256()
    if not zipfile.is_zipfile(file):
        return hashlib.sha256(file.read_bytes()).hexdigest()
    with zipfile.ZipFile(file) as archive:
        for name in sorted(archive.namelist(), key=lambda name: name.partition("/")[2]):
            inner = name.partition("/")[2]
            if inner == "data.pkl" or inner.startswith("data/"):
                digest.update(inner.encode() + b"\0" + archive.read(name))
    return digest.hexdigest()


def _configuration(folder: Path) -> dict[str, Any]:
    """What the configurations of a folder say that changes what its weights compute."""
    model, adapter = (_json(folder / name) for name in WITHOUT_EFFECT)
    return {"model": _less(model, WITHOUT_EFFECT["config.json"]), "adapter": _plain_adapter(adapter)}


def _less(value: Any, without: set[str]) -> Any:
    """A configuration less some keys, in its parts too (`text_config`), but for how it is quantised."""
    if not isinstance(value, dict):
        return _number(value)
    return {
        key: part if key == "quantization_config" else _less(part, without)
        for key, part in value.items()
        if key not in without
    }


def _plain_adapter(config: Mapping[str, Any]) -> dict[str, Any]:
    """An adapter's options that are set: each release of PEFT writes more of them, off. Names are a set."""
    found = {key: value for key, value in config.items() if key not in WITHOUT_EFFECT["adapter_config.json"]}
    for key in ("target_modules", "exclude_modules", "modules_to_save"):
        if isinstance(found.get(key), list):
            found[key] = sorted(found[key])
    plain = _set(found)
    return plain if isinstance(plain, dict) else {}


def _set(value: Any) -> Any:
    """A configuration less what is off or empty, its whole numbers as such; None where nothing is left."""
    if isinstance(value, dict):
        return {key: part for key, old in value.items() if (part := _set(old)) is not None} or None
    if isinstance(value, list):
        return value or None
    return None if value is False else _number(value)


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _json(path: Path) -> dict[str, Any]:
    """A JSON file's mapping; empty where there is no such file.

    Raises:
        ModelError: it is no JSON.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise ModelError(f"{path} cannot be read: it is no JSON") from None
    return value if isinstance(value, dict) else {}


def tokenizer_digest(tokenizer: Any) -> str:
    """Digest of how a tokenizer encodes: vocabulary, merges, normalizer, pre-tokenizer, added tokens with their flags,
    and the ids it gives a text today.

    Of a loaded tokenizer and not of its files, since libraries write one tokenizer in many ways, and since what a
    library makes of the same file is what a model reads.
    """
    core = getattr(tokenizer, "backend_tokenizer", None)
    written = core.to_str() if core is not None else ""
    pieces = remembered_of(f"vocabulary {_RULE}", written, lambda: _pieces(tokenizer, written)) if written else ""
    flags = ("special", "lstrip", "rstrip", "normalized", "single_word")
    added = [
        (i, str(token), [flag for flag in flags if getattr(token, flag, False)])
        for i, token in sorted(tokenizer.added_tokens_decoder.items())
    ]
    ids = tokenizer.encode(PROBE, add_special_tokens=False)
    return text_digest([pieces or _pieces(tokenizer, ""), added, ids])


def _pieces(tokenizer: Any, written: str) -> str:
    """Digest of a tokenizer's vocabulary, merges and what it does to a text before, however its file spells them."""
    whole = from_json(written) if written else {}
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in whole.get("model", {}).get("merges") or ()]
    vocabulary = [f"{token} {i}" for token, i in sorted(tokenizer.get_vocab().items())]
    before = text_digest([_set(whole.get(part)) for part in ("normalizer", "pre_tokenizer")])
    return _joined([*vocabulary, "", *merges, "", before])


def _joined(texts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def ordered_digest(values: Iterable[Any]) -> str:
    """Digest of JSON-like values, taken one at a time, in which the order of keys counts: arguments and the properties
    of a tool are shown to models in their order."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
    return SCHEME + digest.hexdigest()[:16]


def backbone_digest(base: str, adapter: Path) -> str:
    """Digest of a base with an adapter added to it, from the base's digest."""
    return text_digest(["backbone", base, weights_digest(adapter)])


def first_weights_digest(folder: Path, *, transformers: str | None = None) -> str:
    """The digest that cards held before they named a rule: of the bytes of weights and configuration.

    Args:
        folder: of a model or an adapter.
        transformers: the version that its configuration named then, if another one has written it since.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in {".safetensors", ".bin"} or file.name in WITHOUT_EFFECT:
            digest.update(file.name.encode())
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    if file.name == "config.json" and transformers is not None:
                        block = _of_version(block, transformers)
                    digest.update(block)
    return digest.hexdigest()[:16]


def _of_version(config: bytes, transformers: str) -> bytes:
    """A configuration as that version of transformers wrote it, which sorts keys; ours names none."""
    if b'"transformers_version"' in config:
        return re.sub(rb'("transformers_version": ")[^"]*', rb"\g<1>" + transformers.encode(), config)
    value = {**json.loads(config), "transformers_version": transformers}
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
