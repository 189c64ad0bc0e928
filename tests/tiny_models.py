"""Small random models, adapters on them, and the plain way to let roles speak over a backbone's keys and values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    DynamicCache,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TopPLogitsWarper,
)

from alpha_umi.models.local.engine import Engine
from alpha_umi.models.protocol import Generation, Message
from alpha_umi.nn.packing import cache_argument
from alpha_umi.team_files import first_roles
from alpha_umi.text.chat_tokenizer import ChatEncoder

TINY: dict[str, Any] = {
    "vocab_size": 49152,  # the packaged tokenizer's
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "initializer_range": 0.3,  # so that what it writes depends on what it read
    "pad_token_id": None,
}
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def tiny_llama(seed: int = 0, **changes: Any) -> LlamaForCausalLM:
    """A random Llama of two layers; the same seed gives the same weights."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(**{**TINY, **changes}))
    model.eval().requires_grad_(False)
    return model


def save_adapter(folder: Path, seed: int, *, targets: Sequence[str] = LINEAR, **more: Any) -> Path:
    """A PEFT folder of an adapter on a tiny Llama that changes what it says."""
    config = LoraConfig(task_type="CAUSAL_LM", target_modules=list(targets), **{"r": 4, "lora_alpha": 8, **more})
    model = get_peft_model(tiny_llama(), config)
    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder, save_embedding_layers=False)
    return folder


def tiny_engine(tokenizer: PreTrainedTokenizerBase, **changes: Any) -> Engine:
    """An engine over a tiny Llama."""
    return Engine(tiny_llama(**changes), ChatEncoder(tokenizer))


def tag(role: str) -> str:
    """A role's tag."""
    return first_roles()[role].tag


def conversation(*turns: tuple[str, str, str], then: tuple[str, str]) -> list[Message]:
    """What was said to which role and what it said; ends in what is said to the role asked now."""
    messages = [Message(role="system", content="Use tools.")]
    for said, role, answer in turns:
        messages += [asking(said, role), Message(role="assistant", content=answer)]
    return [*messages, asking(*then)]


def asking(said: str, role: str) -> Message:
    """A user's message that ends in a role's tag."""
    return Message(role="user", content=f"{said}\n{tag(role)}", tag=tag(role))


class Plain:
    """Roles over the backbone's keys and values the plain way: nothing kept, nothing packed, one token at a time."""

    def __init__(
        self, adapters: dict[str, Path] | None = None, models: dict[str, PreTrainedModel] | None = None
    ) -> None:
        self._backbone: Any = tiny_llama()
        self._models = models or {}
        self._adapters = adapters or {}
        for name, folder in self._adapters.items():
            if isinstance(self._backbone, PeftModel):
                self._backbone.load_adapter(str(folder), adapter_name=name)
            else:
                self._backbone = PeftModel.from_pretrained(self._backbone, str(folder), adapter_name=name)
        self._backbone.eval()

    @torch.inference_mode()
    def write(self, ids: Sequence[int], tag: int, writer: str, settings: Generation, ends: Sequence[int]) -> list[int]:
        """What a role writes after `ids`, of which those before `tag` are the backbone's to read."""
        cache = DynamicCache()
        tag = min(tag, len(ids) - 1)
        if self._adapters:
            with self._backbone.disable_adapter():
                self._backbone(torch.tensor([list(ids[:tag])]), use_cache=True, **cache_argument(self._backbone, cache))
            self._backbone.set_adapter(writer)
        else:
            self._backbone(torch.tensor([list(ids[:tag])]), use_cache=True, **cache_argument(self._backbone, cache))
        model = self._models.get(writer, self._backbone)
        source = torch.Generator().manual_seed(settings.seed or 0)
        written: list[int] = []
        new = list(ids[tag:])
        while len(written) < settings.max_new_tokens:
            logits = model(torch.tensor([new]), use_cache=True, **cache_argument(model, cache)).logits[0, -1]
            token = int(logits.argmax())
            if settings.temperature > 0:
                scores = logits[None] / settings.temperature
                if settings.top_p < 1:
                    scores = TopPLogitsWarper(settings.top_p)(torch.zeros((1, 0), dtype=torch.long), scores)
                token = int(torch.multinomial(scores.softmax(-1)[0], 1, generator=source))
            if token in ends:
                break
            written.append(token)
            new = [token]
        return written
