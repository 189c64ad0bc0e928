"""Packed spans, adapters on stretches of them and the cache are transformers' and PEFT's own sums, only cheaper."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpha_umi.errors import ModelError
from alpha_umi.text.chat_tokenizer import ChatEncoder

if TYPE_CHECKING:
    import torch
    from tiny_models import TINY, save_adapter, tiny_llama
    from transformers import (
        Gemma2Config,
        Gemma2ForCausalLM,
        LlamaForCausalLM,
        MistralConfig,
        MistralForCausalLM,
        PreTrainedModel,
        PreTrainedTokenizerBase,
    )

    from alpha_umi.models.local.engine import Engine
    from alpha_umi.nn.kv_cache import SharedCache
    from alpha_umi.nn.lora import Adapters, Stretch, stack_siblings
    from alpha_umi.nn.packing import BACKBONE, KVBuffer, PackedSequence, Shape

    SHAPE = Shape(layers=2, heads=2, width=4, dtype=torch.float32, device=torch.device("cpu"))

pytestmark = pytest.mark.model

IDS = random.Random(0).choices(range(1000), k=90)


def close(ours: torch.Tensor | None, theirs: torch.Tensor) -> None:
    assert ours is not None
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=5e-5)  # rounding, on whatever processor


def mistral() -> PreTrainedModel:
    """With a window much shorter than what it reads."""
    torch.manual_seed(0)
    model = MistralForCausalLM(MistralConfig(**{**TINY, "vocab_size": 1000}, sliding_window=7, head_dim=8))
    model.eval()
    return model


def gemma() -> PreTrainedModel:
    """With soft caps, and a window in every other layer."""
    torch.manual_seed(0)
    config = {**TINY, "vocab_size": 1000, "initializer_range": 0.2}
    model = Gemma2ForCausalLM(Gemma2Config(**config, sliding_window=7, head_dim=8, attn_logit_softcapping=2.0))
    model.set_attn_implementation("eager")
    model.eval()
    return model


def llama(attention: str = "sdpa", **changes: Any) -> PreTrainedModel:
    model = tiny_llama(vocab_size=1000, **changes)
    model.set_attn_implementation(attention)
    return model


MODELS: dict[str, Callable[[], PreTrainedModel]] = {
    "sdpa": llama,
    "eager": lambda: llama("eager"),
    "all heads": lambda: llama(num_key_value_heads=6),
    "biases": lambda: llama(attention_bias=True, mlp_bias=True),
    "window": mistral,
    "softcap": gemma,
}


@pytest.mark.parametrize("kind", MODELS)
def test_spans_are_the_models_own_logits(kind: str, tokenizer: PreTrainedTokenizerBase) -> None:
    """Sequences of several lengths in pieces of several lengths: prefill, decode and both at once."""
    with torch.inference_mode():
        expected = MODELS[kind]()(torch.tensor([IDS]), use_cache=False).logits[0]
    engine = Engine(MODELS[kind](), ChatEncoder(tokenizer))
    cuts = [[0, 90], [0, 1, 2, 3, 40, 41, 90], [0, 20, 21, 90], [0, 3, 89, 90]]
    buffers = [KVBuffer() for _ in cuts]
    for step in range(6):
        at = [(b, c[step], c[step + 1]) for b, c in zip(buffers, cuts, strict=True) if step + 1 < len(c)]
        logits = engine.forward([PackedSequence(buffer, start, IDS[start:stop]) for buffer, start, stop in at])
        for (_, _, stop), found in zip(at, logits, strict=True):
            close(found, expected[stop - 1])


@pytest.mark.parametrize("kind", ["sdpa", "eager", "window", "softcap"])
def test_decoding_is_the_models_own(kind: str, tokenizer: PreTrainedTokenizerBase) -> None:
    reference: Any = MODELS[kind]()
    expected = reference.generate(torch.tensor([IDS[:20]]), max_new_tokens=15, do_sample=False)[0, 20:].tolist()
    engine = Engine(MODELS[kind](), ChatEncoder(tokenizer))
    buffer, new, written = KVBuffer(), IDS[:20], list[int]()
    while len(written) < len(expected):
        (logits,) = engine.forward([PackedSequence(buffer, 20 + len(written) - len(new) if written else 0, new)])
        assert logits is not None
        new = [int(logits.argmax())]
        written += new
    assert written == expected


def test_spans_of_one_sequence_in_one_call_follow_one_another(tokenizer: PreTrainedTokenizerBase) -> None:
    engine = Engine(llama(), ChatEncoder(tokenizer))
    (whole,) = engine.forward([PackedSequence(KVBuffer(), 0, IDS)])
    buffer = KVBuffer()
    spans = [
        PackedSequence(buffer, 0, IDS[:30], ask=False),
        PackedSequence(KVBuffer(), 0, IDS[:5]),
        PackedSequence(buffer, 30, IDS[30:]),
    ]
    first, _, last = engine.forward(spans)
    assert first is None
    assert whole is not None
    close(last, whole)


def test_a_model_that_looks_back_otherwise_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    model = llama()
    model.config.layer_types = ["full_attention", "chunked_attention"]
    with pytest.raises(ModelError, match="it has chunked_attention layers"):
        Engine(model, ChatEncoder(tokenizer))


def test_a_token_does_not_move_those_before_it() -> None:
    buffer = KVBuffer()
    places = set()
    for end in range(100, 600):
        data = buffer.reserve(SHAPE, cached=end - 1, end=end)
        data[:, :, :, end - 1] = end
        places.add(data.data_ptr())
    assert buffer.data is not None
    assert torch.equal(buffer.data[0, 0, 0, 100:599, 0], torch.arange(101.0, 600.0))
    assert len(places) <= 8  # it grows by a quarter, so a token costs the same however long the trajectory


# --- adapters -------------------------------------------------------------------------------------------------------

TARGETS = {
    "all": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    "some": ["q_proj", "v_proj", "up_proj", "down_proj"],
    "head": ["o_proj", "lm_head"],
}


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return {n: save_adapter(folder / n, seed, targets=t) for seed, (n, t) in enumerate(TARGETS.items(), start=1)}


@pytest.mark.parametrize("merged", [set(), {"all"}, set(TARGETS)])
def test_adapters_on_stretches_of_one_row_are_pefts_one_by_one(
    merged: set[str], adapters: dict[str, Path], tokenizer: PreTrainedTokenizerBase
) -> None:
    """Different adapters, merged or not, one of several tokens and one of one, and none, in one forward pass."""
    from peft import PeftModel

    engine = Engine(tiny_llama(), ChatEncoder(tokenizer))
    names = {name: engine.add_adapter(folder, merged=name in merged) for name, folder in adapters.items()}
    for lengths in ((40, 1, 7, 30), (1, 1, 1, 1), (1, 50, 1, 2)):
        who = [*adapters, BACKBONE]
        logits = engine.forward(
            [PackedSequence(KVBuffer(), 0, IDS[:n], names.get(w, BACKBONE)) for w, n in zip(who, lengths, strict=True)]
        )
        for name, n, found in zip(who, lengths, logits, strict=True):
            plain: Any = tiny_llama()
            model = plain if name == BACKBONE else PeftModel.from_pretrained(plain, str(adapters[name])).eval()
            with torch.inference_mode():
                expected = model(torch.tensor([IDS[:n]])).logits[0, -1]
            assert found is not None
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_layers_that_share_a_product_hold_their_weights_once() -> None:
    model = tiny_llama(vocab_size=100)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    stack_siblings(model)
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    attention = model.model.layers[0].self_attn
    held = {p.untyped_storage().data_ptr() for p in (attention.q_proj.weight, attention.k_proj.weight)}
    assert len(held) == 1
    q, k, v = attention.q_proj, attention.k_proj, attention.v_proj
    x, other = torch.randn(2, 1, 3, q.in_features)
    for layer, read in ((q, x), (q, other), (v, x), (k, x), (k, other)):
        torch.testing.assert_close(layer(read), torch.nn.functional.linear(read, layer.weight))


def test_the_same_stretches_mean_the_adapters_loaded_since(adapters: dict[str, Path]) -> None:
    """Which adapter acts where is worked out anew only when it changes, and loading one changes it."""
    model: Any = LlamaForCausalLM(tiny_llama().config).eval()
    ours = Adapters(model)
    ids = torch.tensor([IDS])
    with torch.inference_mode():
        ours.add(adapters["all"], "a")
        ours.activate([Stretch("a", 0, 90)], [])
        first = model(ids).logits
        ours.add(adapters["some"], "b")
        ours.activate([Stretch("a", 0, 90)], [])
        assert torch.equal(model(ids).logits, first)
        ours.activate([], [])
        assert not torch.equal(model(ids).logits, first)


def test_nothing_acts_after_an_adapter_was_loaded_and_none_is_asked(adapters: dict[str, Path]) -> None:
    """Layers that an adapter before it had already are told so too."""
    model: Any = LlamaForCausalLM(tiny_llama().config).eval()
    ours = Adapters(model)
    ids = torch.tensor([IDS])
    with torch.inference_mode():
        plain = model(ids).logits
        ours.add(adapters["some"], "a")
        ours.activate([Stretch("a", 0, 90)], [])
        assert not torch.equal(model(ids).logits, plain)
        ours.add(adapters["all"], "b")
        ours.activate([], [])
        torch.testing.assert_close(model(ids).logits, plain)


# --- the cache ------------------------------------------------------------------------------------------------------


def call(cache: SharedCache, session: str, ids: list[int], *, limit: int = 10_000) -> int:
    """A call that encodes ids into the buffer it gets, checks what was there before, and returns how many were."""
    lease = cache.lease(session, "w", ids, limit=limit)
    data = lease.buffer.reserve(SHAPE, cached=lease.cached, end=len(ids))
    assert data[1, 1, 0, : lease.cached, 2].tolist() == ids[: lease.cached]
    data[:, :, :, lease.cached : len(ids)] = torch.tensor(ids[lease.cached :], dtype=torch.float32)[:, None]
    cache.settle(lease, ids)
    return lease.cached


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["call", "call", "call", "fork", "release"]), st.integers(0, 4), st.integers(0, 80)),
    max_size=30,
)


@settings(deadline=None, max_examples=100)
@given(OPERATIONS, st.randoms(use_true_random=False))
def test_whatever_is_forked_cropped_and_released_an_entry_holds_its_own_tokens(
    operations: list[tuple[str, int, int]], source: Any
) -> None:
    cache = SharedCache(SHAPE, max_entries=64)
    held: dict[str, list[int]] = {}
    for act, number, length in operations:
        session = f"s{number}"
        if act == "call":
            old = held.get(session, [])
            keep = min(length, len(old))
            ids = old[:keep] + [source.randrange(1000, 9999) for _ in range(source.randrange(1, 30))]
            common = next(
                (i for i, (a, b) in enumerate(zip(ids, old, strict=False)) if a != b), min(len(ids), len(old))
            )
            assert call(cache, session, ids) == common
            held[session] = ids
        elif act == "fork" and session != f"s{length % 5}":
            cache.fork(session, f"s{length % 5}")
            held.pop(f"s{length % 5}", None)
            if session in held:
                held[f"s{length % 5}"] = list(held[session])
        elif act == "release":
            cache.release(session)
            held.pop(session, None)
        assert len(cache) == len(held)
    for session, ids in held.items():
        assert call(cache, session, ids) == len(ids)
        cache.release(session)
    assert cache.bytes_held() == cache.tokens_held() == 0


def test_an_entry_that_was_never_forked_is_worked_on_in_place() -> None:
    cache = SharedCache(SHAPE)
    call(cache, "s", IDS[:50])
    before = cache.lease("s", "w", IDS[:60], limit=60).buffer
    cache.settle(cache.lease("s", "w", IDS[:60], limit=60), IDS[:50])
    assert cache.lease("s", "w", IDS[:60], limit=60).buffer is before


def test_a_crop_into_what_is_shared_leaves_it_to_the_others() -> None:
    cache = SharedCache(SHAPE)
    size = SHAPE.bytes_a_token
    call(cache, "parent", IDS[:50])
    cache.fork("parent", "child")
    assert call(cache, "child", [*IDS[:20], 1, 2, 3]) == 20
    assert cache.tokens_held() == 50 + 3
    assert cache.bytes_held() == 53 * size
    cache.fork("child", "grandchild")
    assert call(cache, "grandchild", [*IDS[:20], 1, 2, 3, 4]) == 23
    assert call(cache, "parent", IDS[:60]) == 50
    assert cache.bytes_held() == (50 + 3 + 1 + 10) * size
    for session, left in (("parent", 54), ("child", 54), ("grandchild", 0)):
        cache.release(session)
        assert cache.tokens_held() == left


def test_no_more_is_kept_than_the_limit() -> None:
    cache = SharedCache(SHAPE)
    call(cache, "s", IDS[:50])
    assert call(cache, "s", IDS[:50], limit=30) == 30


def test_the_oldest_session_goes_first_unless_a_call_is_under_way() -> None:
    cache = SharedCache(SHAPE, max_entries=2)
    call(cache, "a", IDS[:5])
    under_way = cache.lease("b", "w", IDS[:5], limit=5)
    call(cache, "a", IDS[:5])
    call(cache, "c", IDS[:5])
    assert len(cache) == 2
    assert cache.busy("b")
    cache.settle(under_way, [])
    assert call(cache, "c", IDS[:5]) == 5
    assert call(cache, "a", IDS[:5]) == 0


def test_a_call_that_found_no_room_leaves_its_session_free(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = SharedCache(SHAPE)
    call(cache, "parent", IDS[:50])
    cache.fork("parent", "child")

    def full(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(KVBuffer, "reserve", full)
        with pytest.raises(MemoryError):
            cache.lease("child", "w", IDS[:60], limit=60)
    assert not cache.busy("child")
    assert call(cache, "child", IDS[:60]) == 50


def test_no_more_bytes_are_kept_at_rest_than_allowed() -> None:
    """What sessions share counts once, so that a fork drives nobody out."""
    cache = SharedCache(SHAPE, max_bytes=400 * SHAPE.bytes_a_token)
    for name in "abc":
        call(cache, name, IDS[:60])
    cache.fork("c", "d")
    assert len(cache) == 4
    call(cache, "e", IDS[:90])
    call(cache, "f", IDS[:5])
    assert cache.bytes_held() <= 400 * SHAPE.bytes_a_token
    assert call(cache, "e", IDS[:90]) == 90
    assert call(cache, "a", IDS[:60]) == 0
