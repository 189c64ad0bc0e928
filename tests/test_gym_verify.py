"""The verifier passes what is right, however it is worded, and nothing that is wrong."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from gym_mutations import MUTATIONS, Mutation

from alpha_umi.gym.draw import Split
from alpha_umi.gym.tasks import SPLITS, generate
from alpha_umi.gym.verify import verify
from alpha_umi.trajectory import Outcome, Trajectory


@cache
def gold(split: Split) -> tuple[Trajectory, ...]:
    """Tasks with their own solutions."""
    return tuple(generate(300 if split == "train" else 120, seed=5, split=split))


@pytest.mark.parametrize("split", SPLITS)
def test_gold_passes(split: Split) -> None:
    for task in gold(split):
        verdict = verify(task, task)
        assert verdict.passed, (task.query, verdict)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_wrong_trajectories_are_caught(mutation: Mutation) -> None:
    caught: Counter[str] = Counter()
    for split in SPLITS:
        for task in gold(split):
            wrong = mutation(task)
            if wrong is not None:
                verdict = verify(task, wrong)
                assert not verdict.passed, (mutation.__name__, task.query, wrong.answer, task.meta, verdict)
                caught[verdict.code] += 1
    assert caught, "the mutation never applies"


def test_there_are_hundreds_of_wrong_trajectories() -> None:
    assert sum(mutation(task) is not None for mutation in MUTATIONS for s in SPLITS for task in gold(s)) >= 300


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot do this.",
        "Sorry, there is no tool for that.",
        "It is not possible with the tools at hand.",
        "Unfortunately I'm unable to find it.",
    ],
)
def test_to_say_that_it_cannot_be_done_is_right_where_it_cannot(answer: str) -> None:
    hopeless = [task for task in gold("train") if task.outcome is Outcome.GAVE_UP]
    assert hopeless
    for task in hopeless:
        said = task.model_copy(update={"answer": answer, "outcome": Outcome.ANSWERED})
        assert verify(task, said).passed
