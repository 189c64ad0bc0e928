"""Chat templates in the style of several families, small, and a copy of the tokenizer that speaks each.

Like the originals: Llama trims and opens with a begin token; Gemma refuses a system message and calls the assistant
`model`; Mistral refuses it too and puts a space before what the assistant says; ChatML does none of this. Qwen3 writes
a thought, an empty one where there is none, before an assistant's message that no question follows, and takes the
thought out of all others; Llama 3.2 and SmolLM3 name the day, gpt-oss does so from within a macro.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, NamedTuple

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


_DATED_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ messages[0].content }}{% set messages = messages[1:] %}{% endif %}"
)
_CHATML_END = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"

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
    "qwen3": Family(
        "{% set last = namespace(asked=0) %}"
        "{% for m in messages %}{% if m.role == 'user' %}{% set last.asked = loop.index0 %}{% endif %}{% endfor %}"
        "{% for m in messages %}{% set thought = '' %}{% set said = m.content %}"
        "{% if m.role == 'assistant' and '</think>' in said %}"
        "{% set thought = said.split('</think>')[0].split('<think>')[-1].strip('\n') %}"
        "{% set said = said.split('</think>')[-1].lstrip('\n') %}{% endif %}"
        "{{ '<|im_start|>' + m.role + '\n' }}"
        "{% if m.role == 'assistant' and loop.index0 > last.asked %}"
        "{{ '<think>\n' + thought + '\n</think>\n\n' }}{% endif %}"
        "{{ said + '<|im_end|>' + '\n' }}{% endfor %}" + _CHATML_END,
        ("<|im_start|>", "<|im_end|>"),
        "<|im_end|>",
    ),
    "llama3.2": Family(
        "{{ '<|begin_of_text|>' }}{% if not date_string is defined %}{% if strftime_now is defined %}"
        "{% set date_string = strftime_now('%d %b %Y') %}{% else %}{% set date_string = '26 Jul 2024' %}{% endif %}"
        "{% endif %}{{ '<|start_header_id|>system<|end_header_id|>\n\nToday Date: ' + date_string + '\n\n' }}"
        + _DATED_SYSTEM
        + "{{ '<|eot_id|>' }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n'"
        " + m.content | trim + '<|eot_id|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|eot_id|>",
    ),
    "smollm3": Family(
        "{{ '<|im_start|>system\n' }}{%- set today = strftime_now(\"%d %B %Y\") -%}"
        "{{ '## Metadata\n\nToday Date: ' + today + '\n\n' }}" + _DATED_SYSTEM + "{{ '<|im_end|>\n' }}"
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' + '\n' }}{% endfor %}"
        + _CHATML_END,
        ("<|im_start|>", "<|im_end|>"),
        "<|im_end|>",
    ),
    "gpt-oss": Family(
        "{%- macro metadata() -%}{{ 'Current date: ' + strftime_now('%Y-%m-%d') + '\n\n' }}{%- endmacro -%}\n"
        "{{ '<|im_start|>system\n' + metadata() }}" + _DATED_SYSTEM + "{{ '<|im_end|>' }}"
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' }}{% endfor %}"
        + _CHATML_END,
        ("<|im_start|>", "<|im_end|>"),
        "<|im_end|>",
    ),
}
DATED = {"llama3.2": "26 Jul 2024", "smollm3": "26 July 2024", "gpt-oss": "2024-07-26"}
"""Families that name the day, and how they write the one that is pinned."""


def with_family(tokenizer: PreTrainedTokenizerBase, name: str) -> PreTrainedTokenizerBase:
    """A copy of the tokenizer with a family's template and special tokens."""
    family = FAMILIES[name]
    spoken = copy.deepcopy(tokenizer)
    if name in {"llama", "gemma", "llama3.2"}:
        # As their own tokenizers do: added tokens that `all_special_tokens` does not list, and another end of sequence.
        from transformers import AddedToken

        spoken.add_tokens([AddedToken(token, special=True) for token in family.tokens])
        spoken.add_special_tokens({"eos_token": "<|endoftext|>"})
    else:
        spoken.add_special_tokens({"additional_special_tokens": list(family.tokens), "eos_token": family.end})
    spoken.chat_template = family.template
    return spoken
