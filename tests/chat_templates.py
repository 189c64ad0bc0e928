"""Chat templates in the style of four families, small, and a copy of the tokenizer that speaks each.

Like the originals: Llama trims and opens with a begin token; Gemma refuses a system message and calls the assistant
`model`; Mistral refuses it too and puts a space before what the assistant says; ChatML does none of this.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, NamedTuple

from transformers import AddedToken

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ALTERNATES = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate user/assistant/user/assistant') }}{% endif %}{% endfor %}"
)


class Family(NamedTuple):
    """A chat template with the special tokens it needs."""

    template: str
    tokens: tuple[str, ...]
    end: str


FAMILIES = {
    "chatml": Family(
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
        ("<|im_start|>", "<|im_end|>"),
        "<|im_end|>",
    ),
    "llama": Family(
        "{{ '<|begin_of_text|>' }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n'"
        " + m.content | trim + '<|eot_id|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|eot_id|>",
    ),
    "gemma": Family(
        "{{ '<bos>' }}{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        + _ALTERNATES
        + "{% for m in messages %}{% set role = 'model' if m.role == 'assistant' else m.role %}"
        "{{ '<start_of_turn>' + role + '\n' + m.content | trim + '<end_of_turn>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
        ("<bos>", "<start_of_turn>", "<end_of_turn>"),
        "<end_of_turn>",
    ),
    "mistral": Family(
        "{{ '<s>' }}{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        + _ALTERNATES
        + "{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}"
        "{% else %}{{ ' ' + m.content | trim + '</s>' }}{% endif %}{% endfor %}",
        ("<s>", "</s>", "[INST]", "[/INST]"),
        "</s>",
    ),
}


def with_family(tokenizer: PreTrainedTokenizerBase, name: str) -> PreTrainedTokenizerBase:
    """A copy of the tokenizer with a family's template and special tokens."""
    family = FAMILIES[name]
    spoken = copy.deepcopy(tokenizer)
    if name in {"llama", "gemma"}:
        # As their own tokenizers do: added tokens that `all_special_tokens` does not list, and another end of sequence.
        spoken.add_tokens([AddedToken(token, special=True) for token in family.tokens])
        spoken.add_special_tokens({"eos_token": "<|endoftext|>"})
    else:
        spoken.add_special_tokens({"additional_special_tokens": list(family.tokens), "eos_token": family.end})
    spoken.chat_template = family.template
    return spoken
