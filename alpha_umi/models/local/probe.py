"""Whether an architecture can be run here, and trained to be: seen on its outline before a weight is loaded.

One forward pass of a model without weights, on torch's meta device, tells what its layers hand to attention.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

from alpha_umi.nn.attention import ADDED, other_layers
from alpha_umi.nn.packing import Shape

NAME = "probe"


class _Call(NamedTuple):
    layer: int
    given: frozenset[str]
    """Names of the options that attention was given."""
    sizes: tuple[tuple[int, int], ...]
    """Heads and width of the keys, and of the values."""


_calls: ContextVar[list[_Call]] = ContextVar("attention calls")


def refusal(outline: PreTrainedModel, *, shared: bool) -> str | None:
    """Why a model cannot be run here; None where nothing speaks against it.

    Args:
        outline: the model on the meta device, changed here.
        shared: whether roles are to train over a shared context.
    """
    config = outline.config.get_text_config()
    kind = f"a {config.model_type} model cannot be run here: it has"
    if other := other_layers(config):
        return f"{kind} {other} layers"
    calls, whole = _look(outline)
    given = frozenset[str]().union(*(call.given for call in calls))
    if odd := [words for name, words in ADDED.items() if name in given]:
        return f"{kind} {' and '.join(odd)}"
    attending = {call.layer for call in calls}
    if whole and len(attending) < config.num_hidden_layers:
        return f"{kind} {config.num_hidden_layers - len(attending)} layers that do not attend as transformers' own do"
    shape = Shape.of(outline)
    if any(size != (shape.heads, shape.width) for call in calls for size in call.sizes):
        return f"{kind} keys and values of unlike sizes"
    if shared and calls and not all("reading" in call.given for call in calls):
        return (
            f"the attention of a {config.model_type} model does not pass on what roles over a shared context read: "
            "train with a team of the paper layout"
        )
    return None


def _look(outline: Any) -> tuple[list[_Call], bool]:
    """The calls of attention in one forward pass, and whether these are all: what looks at values ends the pass."""
    token = _calls.set([])
    try:
        outline.to(torch.bfloat16).set_attn_implementation(NAME)  # what experts multiply with takes no other
        if outline.config.get_text_config()._attn_implementation != NAME:
            return [], True
        ids = torch.zeros((1, 2), dtype=torch.long, device="meta")
        mask = torch.empty((1, 1, 1, 1), device="meta")  # four dimensions: final, so that none is made
        outline(input_ids=ids, position_ids=ids, attention_mask=mask, use_cache=False, reading=NAME)
        return _calls.get(), True
    except Exception:  # whatever a model does that cannot be done without weights
        return _calls.get(), False
    finally:
        _calls.reset(token)


def _attend(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, _mask: Any, **given: Any
) -> tuple[torch.Tensor, None]:
    """Notes how it was called; query (rows, heads, tokens, width)."""
    names = frozenset(name for name, found in given.items() if found is not None)
    sizes = tuple((each.shape[1], each.shape[-1]) for each in (key, value))
    _calls.get().append(_Call(module.layer_idx, names, sizes))
    rows, heads, tokens, _ = query.shape
    return query.new_empty((rows, tokens, heads, value.shape[-1])), None


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, lambda *_, **__: None)
