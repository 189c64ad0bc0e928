"""A GGUF file of a Llama model -> a model folder, in bytes that depend on nothing but the file.

`gguf`, llama.cpp's own package, reads and dequantizes; configuration, tokenizer and tensors are written here, so that
a team trained on the folder stays what it is whichever versions of transformers, tokenizers and safetensors follow.
No torch either: numpy rounds to bf16 as torch does.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpha_umi.errors import MissingExtra, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONVERSION = 2
"""Raised when `convert` writes other bytes: cards name it."""

MARKER = "conversion.json"
"""Written last: which file a folder was made from, and the size of each of its files."""

_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_CONTROL = 3
"""Type of a token that no text makes (llama.cpp, `enum llama_token_type`)."""


def convert(gguf: Path, folder: Path, *, sha256: str) -> None:
    """Write a GGUF file into a folder as bf16 safetensors with configuration and tokenizer, and the marker last.

    Raises:
        ModelError: it is no Llama model with a byte-level BPE tokenizer, or is damaged.
        MissingExtra: `gguf` is not installed.
        OSError: the folder cannot be written.
    """
    try:
        from gguf import GGUFReader
    except ImportError as missing:
        raise MissingExtra("reading packaged weights", "local", missing) from missing
    try:
        _write(GGUFReader(gguf), folder)
    except (ValueError, LookupError) as error:
        raise ModelError(f"{gguf} is damaged: {error}") from error
    sizes = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
    _write_json(folder / MARKER, {"conversion": CONVERSION, "files": sizes, "sha256": sha256, "source": gguf.name})


def _write(reader: Any, folder: Path) -> None:
    """All but the marker."""
    facts = {name: field.contents() for name, field in reader.fields.items()}
    if (facts.get("general.architecture"), facts.get("tokenizer.ggml.model")) != ("llama", "gpt2"):
        raise ModelError("the GGUF file holds no Llama model with a byte-level BPE tokenizer")
    tensors = {_tensor_name(tensor.name): tensor for tensor in reader.tensors}
    _write_json(folder / "config.json", _config(facts, tied="lm_head.weight" not in tensors))
    _write_json(folder / "generation_config.json", _special_ids(facts))
    _write_json(folder / "tokenizer_config.json", _tokenizer_config(facts))
    _write_json(folder / "tokenizer.json", _tokenizer(facts))
    _write_tensors(folder / "model.safetensors", tensors, facts)


def is_whole(folder: Path) -> bool:
    """Whether a folder is what `convert` left, judged by its marker and the sizes of its files."""
    try:
        sizes = json.loads((folder / MARKER).read_bytes())["files"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_bytes((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def _special_ids(facts: dict[str, Any]) -> dict[str, Any]:
    names = {"bos": "bos", "eos": "eos", "pad": "padding"}
    return {f"{ours}_token_id": facts[f"tokenizer.ggml.{theirs}_token_id"] for ours, theirs in names.items()}


def _config(facts: dict[str, Any], *, tied: bool) -> dict[str, Any]:
    """transformers' LlamaConfig, in the order and spelling that its own `save_pretrained` writes."""
    own = {
        "_model_name_or_path": facts["general.name"],
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "dtype": "bfloat16",
        "head_dim": facts["llama.rope.dimension_count"],
        "hidden_act": "silu",
        "hidden_size": facts["llama.embedding_length"],
        "initializer_range": 0.02,
        "intermediate_size": facts["llama.feed_forward_length"],
        "max_position_embeddings": facts["llama.context_length"],
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": facts["llama.attention.head_count"],
        "num_hidden_layers": facts["llama.block_count"],
        "num_key_value_heads": facts["llama.attention.head_count_kv"],
        "pretraining_tp": 1,
        "rms_norm_eps": facts["llama.attention.layer_norm_rms_epsilon"],
        "rope_parameters": {"rope_theta": facts["llama.rope.freq_base"], "rope_type": "default"},
        "tie_word_embeddings": tied,
        "unk_token_id": facts["tokenizer.ggml.unknown_token_id"],
        "use_cache": True,
        "vocab_size": facts["llama.vocab_size"],
    }
    return dict(sorted({**own, **_special_ids(facts)}.items()))


def _tokenizer_config(facts: dict[str, Any]) -> dict[str, Any]:
    tokens = facts["tokenizer.ggml.tokens"]
    names = {"bos": "bos", "eos": "eos", "pad": "padding", "unk": "unknown"}
    special = {f"{our}_token": tokens[facts[f"tokenizer.ggml.{their}_token_id"]] for our, their in names.items()}
    template = facts["tokenizer.chat_template"]
    return {**special, "chat_template": template, "tokenizer_class": "PreTrainedTokenizerFast"}


def _tokenizer(facts: dict[str, Any]) -> dict[str, Any]:
    """The `tokenizers` library's file format: a byte-level BPE, control tokens matched before anything else."""
    tokens, types = facts["tokenizer.ggml.tokens"], facts["tokenizer.ggml.token_type"]
    how = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    control = [
        {"id": number, "content": token, **how}
        for number, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if kind == _CONTROL
    ]
    first, second = ({"Sequence": {"id": name, "type_id": number}} for number, name in enumerate("AB"))
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": control,
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [first],
            "pair": [first, second],
            "special_tokens": {},
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in facts["tokenizer.ggml.merges"]],
        },
    }


def _tensor_name(name: str) -> str:
    """transformers' name of a tensor.

    Raises:
        ModelError: a Llama model as written here has none like it.
    """
    parts = name.removesuffix(".weight").split(".")
    if name.endswith(".weight") and len(parts) == 1 and parts[0] in _WHOLE:
        return f"{_WHOLE[parts[0]]}.weight"
    if name.endswith(".weight") and len(parts) == 3 and parts[0] == "blk" and parts[2] in _LAYER:
        return f"model.layers.{parts[1]}.{_LAYER[parts[2]]}.weight"
    raise ModelError(f"the GGUF file holds a tensor that cannot be converted: {name}")


def _write_tensors(path: Path, tensors: dict[str, Any], facts: dict[str, Any]) -> None:
    """The safetensors format: the header's length, the header, the tensors in its order; one in memory at a time."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in sorted(tensors):
        shape = [int(size) for size in reversed(tensors[name].shape)]  # GGUF names the fastest dimension first
        begin, end = end, end + 2 * int(tensors[name].n_elements)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            stream.write(_bf16(_values(name, tensors[name], facts)).tobytes())


def _values(name: str, tensor: Any, facts: dict[str, Any]) -> NDArray[np.float32]:
    """A tensor dequantized to fp32, queries and keys with their rows in transformers' order."""
    import numpy as np
    from gguf import dequantize

    # A plain array: each of the many slices of a memory map is set up in Python.
    found: NDArray[np.float32] = dequantize(np.asarray(tensor.data), tensor.tensor_type)
    heads = {"q_proj": "llama.attention.head_count", "k_proj": "llama.attention.head_count_kv"}
    key = heads.get(name.split(".")[-2])
    if key is None:
        return found
    # llama.cpp pairs neighbouring rows of a head for rotary positions, transformers its first half with its second.
    rows, columns = found.shape
    return found.reshape(facts[key], rows // facts[key] // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _bf16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The bits of finite values rounded to bf16: to the nearest, ties to even, little-endian."""
    import numpy as np

    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4")
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    rounded: NDArray[np.uint16] = ((bits + np.uint32(0x7FFF) + odd) >> np.uint32(16)).astype("<u2")
    return rounded
