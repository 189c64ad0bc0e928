"""Training rows: all of a role's targets in one row, each with its end token, nothing else learned."""

from __future__ import annotations

import random
from itertools import islice
from typing import TYPE_CHECKING

import pytest

import alpha_umi_gym as gym
from alpha_umi.roles import RoleName
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import Layout, load_layout
from alpha_umi.text.prompts import render
from alpha_umi.trajectory import Observation, Trajectory

if TYPE_CHECKING:
    import torch

    from alpha_umi.data.tokens import IGNORED, RowSettings, collate, count_targets, rows
    from alpha_umi.models.local.base_weights import load_tokenizer
    from alpha_umi.training.buckets import LengthBuckets

pytestmark = pytest.mark.model

ROLES = ("planner", "caller", "summarizer")


@pytest.fixture(scope="module")
def encoder() -> ChatEncoder:
    return ChatEncoder(load_tokenizer())


@pytest.fixture(scope="module")
def trajectories() -> list[Trajectory]:
    return list(islice((t for task in gym.generate(60, seed=3) if (t := task.gold).answer and len(t.steps) > 1), 8))


def settings(roles: tuple[str, ...], layout: Layout, *, context: int = 4096, chars: int = 2048) -> RowSettings:
    return RowSettings(
        learns=roles, layout=layout, context=context, reserve=dict.fromkeys(RoleName, 64), observation_chars=chars
    )


@pytest.mark.parametrize("layout", [load_layout("paper"), load_layout("shared")])
@pytest.mark.parametrize("role", list(RoleName))
def test_labels_are_the_targets_and_their_end_and_nothing_else(
    layout: Layout, role: str, trajectories: list[Trajectory], encoder: ChatEncoder
) -> None:
    for trajectory in trajectories:
        (row,) = rows(trajectory, settings((role,), layout), encoder)
        conversation = render(trajectory, role=role, layout=layout)
        targets = [t for t in conversation.targets if t.role == role]
        learned = [label for label in row.labels if label != IGNORED]
        text = encoder.tokenizer.decode(learned)
        end = encoder.tokenizer.decode([encoder.end_ids[0]])
        assert text == "".join(conversation.messages[t.message].content + end for t in targets)
        assert row.targets == len(targets) == learned.count(encoder.end_ids[0])
        assert all(label in (IGNORED, i) for i, label in zip(row.input_ids, row.labels, strict=True))


def test_shared_trains_every_role_in_one_row(trajectories: list[Trajectory], encoder: ChatEncoder) -> None:
    trajectory = trajectories[0]
    (row,) = rows(trajectory, settings(ROLES, load_layout("shared")), encoder)
    apart = [next(iter(rows(trajectory, settings((role,), load_layout("shared")), encoder))) for role in ROLES]
    assert (
        row.targets
        == sum(r.targets for r in apart)
        == count_targets(trajectory, settings(ROLES, load_layout("shared"))).total()
    )


def test_a_prompt_at_inference_is_the_row_up_to_its_target(
    trajectories: list[Trajectory], encoder: ChatEncoder
) -> None:
    """Token for token: what the agent sends is what was trained on."""
    for layout in map(load_layout, ("paper", "shared")):
        for role in ROLES:
            for trajectory in trajectories:
                (row,) = rows(trajectory, settings((role,), layout), encoder)
                conversation = render(trajectory, role=role, layout=layout)
                for target in conversation.targets:
                    if target.role != role:
                        continue
                    prompt = encoder.prompt(conversation.messages[: target.message])
                    assert row.input_ids[: len(prompt)] == prompt
                    assert row.labels[len(prompt)] == row.input_ids[len(prompt)]


def test_what_does_not_fit_is_rendered_shorter_as_the_agent_would(
    trajectories: list[Trajectory], encoder: ChatEncoder
) -> None:
    step = trajectories[0].steps[0].model_copy(update={"observation": Observation(text="word " * 1500)})
    long = trajectories[0].model_copy(update={"steps": (step, *trajectories[0].steps[1:])})
    room = settings(("planner",), load_layout("paper"), context=1024, chars=8192)
    found = list(rows(long, room, encoder))
    assert sum(r.targets for r in found) == count_targets(long, room).total()
    assert len(found) == 2, "the first decision is before the long observation, the rest are cut"
    assert all(len(r.input_ids) <= 1024 for r in found)
    assert "characters cut" in encoder.tokenizer.decode(found[1].input_ids)
    # Tools are never cut away.
    assert all(long.tools[0].name in encoder.tokenizer.decode(r.input_ids) for r in found)


def test_a_trajectory_longer_than_the_context_yields_nothing(
    trajectories: list[Trajectory], encoder: ChatEncoder
) -> None:
    huge = trajectories[0].model_copy(update={"query": "word " * 3000})
    room = settings(("planner",), load_layout("paper"), context=512)
    assert list(rows(huge, room, encoder)) == []
    assert count_targets(huge, room).total() > 0


def test_padding_is_neither_read_nor_learned() -> None:
    batch = collate([{"input_ids": [5, 6, 7], "labels": [IGNORED, 6, 7]}, {"input_ids": [8], "labels": [8]}], pad_id=2)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 2, 2]]
    assert batch["labels"].tolist() == [[IGNORED, 6, 7], [8, IGNORED, IGNORED]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["input_ids"].dtype is torch.int64


def test_buckets_visit_every_row_once_and_waste_little() -> None:
    lengths = [17 * i % 1000 + 1 for i in range(503)]
    sampler = LengthBuckets(lengths, batch=8, seed=1)
    first = list(sampler)
    assert sorted(first) == list(range(503))
    batches = [first[i : i + 8] for i in range(0, 503, 8)]
    padded = sum(max(lengths[i] for i in b) * len(b) for b in batches)
    assert padded < 1.1 * sum(lengths)
    sampler.set_epoch(1)
    assert list(sampler) != first
    sampler.set_epoch(0)
    assert list(sampler) == first


@pytest.mark.parametrize("rows", [12, 100, 306, 2000])
def test_epochs_share_few_batches_and_lengths_in_a_batch_stay_close(rows: int) -> None:
    """Also of few rows, which one bucket would put into the same batches in every epoch."""
    source = random.Random(5)
    lengths = [source.randint(300, 4000) for _ in range(rows)]
    sampler = LengthBuckets(lengths, batch=12, seed=1)
    epochs = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        order = list(sampler)
        assert sorted(order) == list(range(rows))
        batches = [order[i : i + 12] for i in range(0, rows, 12)]
        epochs.append({frozenset(batch) for batch in batches})
        padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in batches)
        if rows > 12 * 12:
            assert padded < 1.3 * sum(lengths), "random batches have 1.75 times as many"
    common = [len(epochs[0] & later) for later in epochs[1:]]
    assert max(common) <= 0.05 * len(epochs[0]) or rows <= 12


def test_one_batch_is_visited_in_another_order_each_epoch() -> None:
    """Twelve rows in batches of four were the same three batches, sorted by length, in every epoch."""
    sampler = LengthBuckets(list(range(100, 112)), batch=4, seed=1)
    orders = set()
    for epoch in range(6):
        sampler.set_epoch(epoch)
        order = list(sampler)
        orders.add(frozenset(frozenset(order[i : i + 4]) for i in range(0, 12, 4)))
    assert len(orders) == 6
