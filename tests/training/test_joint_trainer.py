"""Branches over the backbone's encoding equal the plain way: one branch at a time, over its own prefix."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from alpha_umi.roles import ROLES
from alpha_umi.training.stage import Lora, Stage

if TYPE_CHECKING:
    import torch
    from torch.nn.functional import cross_entropy
    from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

    from alpha_umi.data.packed_targets import collate
    from alpha_umi.nn import branch_attention
    from alpha_umi.nn.packing import cache_argument
    from alpha_umi.training.joint_trainer import SharedRoles

pytestmark = pytest.mark.model

MATMUL, SDPA = "branches_matmul", "branches_sdpa"

VOCABULARY = 97
SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
    "max_position_embeddings": 256,
}


def backbone(attention: str = "sdpa", *, window: int | None = None) -> Any:
    """A small model with random weights of its own kind."""
    torch.manual_seed(7)
    sizes = SIZES | {"attn_implementation": attention}
    if window is not None:
        model: Any = MistralForCausalLM(MistralConfig(**sizes, sliding_window=window))
    else:
        model = LlamaForCausalLM(LlamaConfig(**sizes))
    return model.eval()


def stages(method: str, *, gradient_checkpointing: bool = False) -> dict[str, Stage]:
    """The three roles, each with a rank of its own."""
    return {
        role: Stage(
            roles=(role,),
            method=method,
            lora=Lora(r=rank, alpha=2 * rank),
            gradient_checkpointing=gradient_checkpointing,
        )
        for role, rank in zip(ROLES, (4, 2, 8), strict=True)
    }


def rows(seed: int, number: int = 3) -> list[dict[str, Any]]:
    """Conversations of different lengths with branches of all roles, some roles missing in some."""
    source = random.Random(seed)
    made = []
    for n in range(number):
        ids: list[int] = [source.randrange(VOCABULARY) for _ in range(source.randint(5, 30))]
        flat: list[int] = []
        last = 0
        for _ in range(source.randint(1, 5)):
            tag, words = len(ids), len(ids) + source.randint(1, 4)
            end = words + source.randint(1, 8)
            ids += [source.randrange(VOCABULARY) for _ in range(end - tag)]
            flat += [source.choice([0, 1, 2] if n else [0, 1]), tag, words, end]
            last = tag
            ids += [source.randrange(VOCABULARY) for _ in range(source.randint(0, 9))]
        made.append({"input_ids": ids, "branches": flat, "length": last})
    return made


def make(
    method: str, *, attention: str = "sdpa", kernel: str | None = None, window: int | None = None, **more: Any
) -> SharedRoles:
    """Roles that have already learned something, so that none equals the backbone."""
    base = backbone(attention, window=window)
    whole = {"full": ROLES, "mixed": ("caller",)}.get(method, ())
    full = {role: copy.deepcopy(base) for role in whole}
    made = SharedRoles(base, stages("full" if whole else "lora", **more), full, kernel=kernel)
    torch.manual_seed(11)
    with torch.no_grad():
        for name, p in made.trained().items():
            p.add_(torch.randn_like(p) * (0.1 if ".up." in name else 0.02))
    return made.train()


def branches_of(batch: list[dict[str, Any]]) -> Iterator[tuple[int, int, int, int, int]]:
    for row, stored in enumerate(batch):
        numbers = iter(stored["branches"])
        for role, tag, words, end in zip(numbers, numbers, numbers, numbers, strict=True):
            yield role, row, tag, words, end


def plain_losses(roles: SharedRoles, batch: list[dict[str, Any]], attention: str) -> Any:
    """Summed losses of each role: the backbone reads the prefix, the role the rest, one branch at a time."""
    sums = torch.zeros(len(ROLES))
    for role, row, tag, words, end in branches_of(batch):
        ids = torch.tensor([batch[row]["input_ids"][:end]])
        own = ROLES[role] in roles.full
        speaker: Any = roles.full[ROLES[role]] if own else roles.backbone
        set_to = {id(m): m.config._attn_implementation for m in (roles.backbone, speaker)}
        for model in (roles.backbone, speaker):
            model.config._attn_implementation = attention
        cache = DynamicCache()
        if roles.loras is not None:
            roles.loras.acting.stretches = ()
        with torch.no_grad():
            roles.backbone(input_ids=ids[:, :tag], use_cache=True, **cache_argument(roles.backbone, cache))
        if roles.loras is not None and not own:
            roles.loras.acting.stretches = [(ROLES[role], end - tag)]
        logits = speaker(input_ids=ids[:, tag:], use_cache=True, **cache_argument(speaker, cache)).logits[0]
        for model in (roles.backbone, speaker):
            model.config._attn_implementation = set_to[id(model)]
        loss = cross_entropy(logits[words - tag - 1 : -1], ids[0, words:], reduction="sum")
        sums = sums + torch.nn.functional.one_hot(torch.tensor(role), len(ROLES)) * loss
    return sums


def gradients(roles: SharedRoles, losses: Any) -> dict[str, Any]:
    roles.zero_grad(set_to_none=True)
    (losses * torch.tensor([1.0, 0.7, 1.3])).sum().backward()
    return {name: p.grad for name, p in roles.trained().items() if p.grad is not None}


def distance(ours: Any, theirs: Any) -> float:
    """The largest difference, in units of the largest value (losses are sums here, so gradients grow past one)."""
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1))


CASES = [
    ("lora", "sdpa", MATMUL),
    ("lora", "sdpa", SDPA),
    ("lora", "eager", None),
    ("full", "sdpa", MATMUL),
    ("full", "sdpa", SDPA),
    ("full", "eager", None),
    ("mixed", "sdpa", None),
]


@pytest.mark.parametrize(("method", "attention", "kernel"), CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_losses_and_gradients_equal_the_plain_way(method: str, attention: str, kernel: str | None, seed: int) -> None:
    roles, batch = make(method, attention=attention, kernel=kernel), rows(seed)
    packed = roles(**collate(batch, pad_id=0))
    ours = gradients(roles, packed)
    plain = plain_losses(roles, batch, attention)
    theirs = gradients(roles, plain)
    torch.testing.assert_close(packed, plain, rtol=1e-5, atol=1e-5)
    assert ours.keys() == theirs.keys()
    assert len(ours) > 20
    for name, gradient in theirs.items():
        assert distance(ours[name], gradient) < 1e-5, name


@pytest.mark.parametrize("kernel", [MATMUL, SDPA])
def test_a_sliding_window_is_kept(kernel: str) -> None:
    roles, batch = make("full", kernel=kernel, window=9), rows(3)
    torch.testing.assert_close(
        roles(**collate(batch, pad_id=0)), plain_losses(roles, batch, "eager"), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("method", ["lora", "full"])
def test_gradient_checkpointing_changes_no_gradient(method: str) -> None:
    batch = collate(rows(2), pad_id=0)
    plain, checkpointed = make(method), make(method, gradient_checkpointing=True)
    ours, theirs = gradients(checkpointed, checkpointed(**batch)), gradients(plain, plain(**batch))
    assert ours.keys() == theirs.keys()
    for name, gradient in theirs.items():
        assert distance(ours[name], gradient) < 1e-5


def logits_of(roles: SharedRoles, batch: list[dict[str, Any]]) -> dict[tuple[int, int], Any]:
    """Each branch's logits, by its row and tag."""
    found: dict[tuple[int, int], Any] = {}
    seen: list[Any] = []
    real = branch_attention.logits

    def keep(*args: Any, **more: Any) -> Any:
        more["keep"] = torch.arange(len(args[1]))
        seen.append((more["reading"].spans, real(*args, **more)))
        return torch.zeros((sum(s.end - s.words for s in more["reading"].spans), VOCABULARY))

    branch_attention.logits = keep
    try:
        with torch.no_grad():
            roles(**collate(batch, pad_id=0))
    finally:
        branch_attention.logits = real
    for spans, logits in seen:
        for span in spans:
            found[span.row, span.context] = logits[span.start : span.end]
    return found


@pytest.mark.parametrize("kernel", [MATMUL, SDPA])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_nothing_leaks_between_branches_or_rows(method: str, kernel: str) -> None:
    """Other words in one branch leave every other branch's logits bit for bit, but for those that read them later."""
    roles, batch = make(method, kernel=kernel), rows(5, number=4)
    before = logits_of(roles, batch)
    checked = 0
    for _, row, tag, _, end in branches_of(batch):
        changed = copy.deepcopy(batch)
        changed[row]["input_ids"][tag:end] = [(i + 1) % VOCABULARY for i in batch[row]["input_ids"][tag:end]]
        after = logits_of(roles, changed)
        assert not torch.equal(after[row, tag], before[row, tag])
        for (other_row, other_tag), logits in before.items():
            if other_row != row or other_tag < tag:
                assert torch.equal(after[other_row, other_tag], logits)
                checked += 1
    assert checked > 20


def test_a_role_trains_alike_whoever_trains_beside_it() -> None:
    batch = collate(rows(4), pad_id=0)
    together = make("lora")
    alone = SharedRoles(backbone(), {"caller": stages("lora")["caller"]}, {})
    with torch.no_grad():
        for name, p in alone.trained().items():
            p.copy_(together.trained()[name])
    ours = gradients(alone.train(), alone(**batch))
    theirs = gradients(together, together(**batch))
    caller = ROLES.index("caller")
    torch.testing.assert_close(alone(**batch)[caller], together(**batch)[caller], rtol=1e-5, atol=1e-5)
    for name, gradient in ours.items():
        assert distance(gradient, theirs[name]) < 1e-5
    only = together(**batch, active=["caller"])
    assert only[caller] > 0
    assert only.count_nonzero() == 1


def test_fresh_adapters_begin_alike_and_change_nothing() -> None:
    torch.manual_seed(3)
    together = SharedRoles(backbone(), stages("lora"), {})
    torch.manual_seed(3)
    alone = SharedRoles(backbone(), {"caller": stages("lora")["caller"]}, {})
    for name, p in alone.trained().items():
        if ".down." in name:
            # backbone() seeds too, so both draw from the same source
            assert torch.equal(p, together.trained()[name])
            assert p.std() > 0
        else:
            assert not p.any()
