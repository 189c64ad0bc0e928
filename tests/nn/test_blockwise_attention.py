"""Attention by blocks in training: the same numbers as torch's kernels, on a CPU faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import torch
    from tiny_models import tiny_llama

    from alpha_umi.nn import blockwise_attention

pytestmark = pytest.mark.model


@pytest.mark.parametrize(("blocks", "more"), [(0, 1), (0, 5), (1, 0), (1, 1), (2, 7)])
def test_attention_equals_torchs_and_so_do_its_gradients(blocks: int, more: int) -> None:
    length = blocks * blockwise_attention.BLOCK + more
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, heads, length, 8, requires_grad=True) for heads in (6, 2, 2))
    weight = torch.randn(2, length, 6, 8)
    grads, outs = [], []
    for in_blocks in (True, False):
        if in_blocks:
            out, _ = blockwise_attention.attend(torch.nn.Module(), query, key, value, None)
        else:
            out = torch.nn.functional.scaled_dot_product_attention(
                query, key, value, is_causal=True, enable_gqa=True
            ).transpose(1, 2)
        grads.append(torch.autograd.grad((out * weight).sum(), (query, key, value)))
        outs.append(out)
    torch.testing.assert_close(outs[0], outs[1], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-4, atol=1e-5)


def test_a_model_gives_the_same_logits_at_every_token_that_is_no_pad() -> None:
    model = tiny_llama()
    ids, mask = torch.randint(0, 100, (2, 200)), torch.ones(2, 200, dtype=torch.long)
    mask[1, 150:] = 0
    with torch.no_grad():
        plain = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        blockwise_attention.use_on(model)
        assert model.config._attn_implementation == blockwise_attention.CAUSAL
        blocks = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    torch.testing.assert_close(blocks[mask.bool()], plain[mask.bool()], rtol=1e-4, atol=1e-4)


def test_a_model_that_attends_otherwise_keeps_its_own_way() -> None:
    for key, value in (("sliding_window", 16), ("attn_logit_softcapping", 30.0), ("attention_dropout", 0.1)):
        model = tiny_llama()
        setattr(model.config, key, value)
        blockwise_attention.use_on(model)
        assert model.config._attn_implementation == "sdpa", key
    eager = tiny_llama()
    eager.set_attn_implementation("eager")
    blockwise_attention.use_on(eager)
    assert eager.config._attn_implementation == "eager"
