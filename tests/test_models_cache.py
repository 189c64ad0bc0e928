"""Our cache layer and our attention for one query are transformers' own, only faster."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.cache_utils import DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from alpha_umi.models.attention import attend
from alpha_umi.models.cache import Entry, RoleCaches, RoomyLayer, new_cache

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 90)),
        st.tuples(st.just("crop"), st.integers(1, 40)),
        st.tuples(st.just("select"), st.integers(0, 2)),
    ),
    max_size=12,
)


def roomy() -> RoomyLayer:
    return RoomyLayer()  # type: ignore[no-untyped-call]


@settings(deadline=None, max_examples=60)
@given(OPERATIONS)
def test_the_layer_holds_what_transformers_own_would(operations: list[tuple[str, int]]) -> None:
    torch.manual_seed(0)
    ours, theirs = roomy(), DynamicLayer()
    rows = 3
    for name, n in operations:
        if name == "append":
            keys, values = torch.randn(rows, 2, n, 4), torch.randn(rows, 2, n, 4)
            for mine, its in zip(ours.update(keys, values), theirs.update(keys, values), strict=True):
                assert torch.equal(mine, its)
        elif name == "crop" and n < theirs.get_seq_length():
            ours.crop(-n)
            theirs.crop(-n)
        elif name == "select" and n < rows and theirs.get_seq_length():
            rows = 1
            for layer in (ours, theirs):
                layer.batch_select_indices(torch.tensor([n]))
        assert ours.get_seq_length() == theirs.get_seq_length()


def test_a_token_does_not_move_those_before_it() -> None:
    layer = roomy()
    layer.update(torch.zeros(1, 1, 100, 4), torch.zeros(1, 1, 100, 4))
    place = layer.keys.data_ptr()
    moves = 0
    for _ in range(400):
        layer.update(torch.zeros(1, 1, 1, 4), torch.zeros(1, 1, 1, 4))
        moves += layer.keys.data_ptr() != place
        place = layer.keys.data_ptr()
    assert layer.get_seq_length() == 500
    assert moves <= 6  # the room grows by a quarter, so a token costs the same however long the trajectory


class Grouped(torch.nn.Module):
    """All that the attention functions ask of a model's layer."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.num_key_value_groups = groups


@pytest.mark.parametrize(("heads", "key_heads"), [(9, 3), (4, 4), (6, 1)])
@pytest.mark.parametrize("rows", [1, 3])
def test_attention_for_one_query_is_the_same_sum(heads: int, key_heads: int, rows: int) -> None:
    torch.manual_seed(0)
    module = Grouped(heads // key_heads).eval()
    query = torch.randn(rows, heads, 1, 16)
    key, value = torch.randn(rows, key_heads, 70, 16), torch.randn(rows, key_heads, 70, 16)
    ours, _ = attend(module, query, key, value, None, scaling=0.3)
    theirs, _ = sdpa_attention_forward(module, query, key, value, None, scaling=0.3)
    assert ours.shape == theirs.shape
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_what_differs_is_dropped_and_the_last_token_is_never_kept() -> None:
    entry = Entry(new_cache())
    entry.cache.update(torch.zeros(1, 1, 5, 4), torch.zeros(1, 1, 5, 4), 0)
    entry.ids = [1, 2, 3, 4, 5]
    assert entry.keep_common([1, 2, 3, 9]) == 3
    assert entry.cache.get_seq_length() == 3
    assert entry.keep_common([1, 2, 3]) == 2
    assert entry.keep_common([7, 2, 3]) == 0
    assert entry.cache.get_seq_length() == 0


def test_the_oldest_session_goes_first() -> None:
    caches = RoleCaches(most=2)
    first = caches.entry("a", "w")
    caches.entry("b", "w")
    assert caches.entry("a", "w") is first
    caches.entry("c", "w")
    assert len(caches) == 2
    assert caches.entry("a", "w") is first
    caches.release("a")
    assert len(caches) == 1
