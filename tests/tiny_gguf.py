"""A random Llama of two layers as a GGUF file, and a package that carries it where SmolLM2 would be looked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

NAME = "Tiny.Q8_0.gguf"
BYTES = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
"""Those that stand for themselves in byte-level BPE; the others follow from U+0100 on."""


def tokens() -> list[str]:
    """Three control tokens, every byte, and two merges."""
    rest = [chr(256 + number) for number in range(256 - len(BYTES))]
    return ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *map(chr, BYTES), *rest, "he", "\u0120t"]


HIDDEN, MIDDLE, LAYERS = 64, 96, 2


def write_gguf(path: Path, *, tied: bool = True, heads: int = 4, kv_heads: int = 2, **other: Any) -> Path:
    """The file; its linear layers are quantized, its norms are not.

    Args:
        path: where it is written.
        tied: whether the head is the embedding.
        heads: of queries; `kv_heads` of keys and values.
        other: `architecture` or `tokenizer` in place of its own; `more` tensors.
    """
    from gguf import GGUFWriter

    writer = GGUFWriter(path, other.get("architecture", "llama"))
    _add_facts(writer, heads, kv_heads, other.get("tokenizer", "gpt2"))
    head, words = HIDDEN // heads, len(tokens())
    shapes: dict[str, tuple[int, ...]] = {"token_embd": (words, HIDDEN), "output_norm": (HIDDEN,)}
    if not tied:
        shapes["output"] = (words, HIDDEN)
    for layer in range(LAYERS):
        of_a_layer = {
            "attn_norm": (HIDDEN,),
            "ffn_norm": (HIDDEN,),
            "attn_q": (HIDDEN, HIDDEN),
            "attn_k": (kv_heads * head, HIDDEN),
            "attn_v": (kv_heads * head, HIDDEN),
            "attn_output": (HIDDEN, HIDDEN),
            "ffn_gate": (MIDDLE, HIDDEN),
            "ffn_up": (MIDDLE, HIDDEN),
            "ffn_down": (HIDDEN, MIDDLE),
        }
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in of_a_layer.items()}
    shapes |= {name: (HIDDEN,) for name in other.get("more", ())}
    _add_tensors(writer, shapes)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_facts(writer: Any, heads: int, kv_heads: int, tokenizer: str) -> None:
    writer.add_name("Tiny")
    writer.add_block_count(LAYERS)
    writer.add_context_length(512)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(MIDDLE)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens()))
    writer.add_rope_dimension_count(HIDDEN // heads)
    writer.add_tokenizer_model(tokenizer)
    writer.add_token_list(tokens())
    writer.add_token_types([3, 3, 3, *[1] * (len(tokens()) - 3)])
    writer.add_token_merges(["h e", "\u0120 t"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}")


def _add_tensors(writer: Any, shapes: dict[str, tuple[int, ...]]) -> None:
    from gguf import GGMLQuantizationType, quantize

    random = np.random.default_rng(0)
    for name, shape in shapes.items():
        values = random.standard_normal(shape, dtype=np.float32)
        if len(shape) == 1:
            writer.add_tensor(f"{name}.weight", values)
        else:
            kind = GGMLQuantizationType.Q8_0 if name == "token_embd" else GGMLQuantizationType.Q4_1
            writer.add_tensor(f"{name}.weight", quantize(values, kind), raw_dtype=kind)
