"""Trajectories with verdicts: what a verifier learns from.

A right answer is accepted. A wrong one, the answer to another question or the same with another number in it, is sent
back: it stands in `Step.said`, and nobody learns to write it (`utterances`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from alpha_umi.data import filters, store
from alpha_umi.data.filters import Report
from alpha_umi.errors import UsageError
from alpha_umi.roles import Role, RoleName
from alpha_umi.trajectory import Outcome, Trajectory

_NUMBER = re.compile(r"\d+")

REASONS = {
    "accept": "This is what was asked, and what was observed.",
    "revise": "This is not what was asked, or not what was observed.",
}


def with_verdicts(trajectories: Iterable[Trajectory], verifier: Role, *, seed: int = 0) -> Iterator[Trajectory]:
    """Each answered trajectory with its answer accepted, then once more with a wrong answer sent back.

    Args:
        trajectories: solved ones.
        verifier: a role with the choices `accept` and `revise`.
        seed: of the choice between the two kinds of wrong answer.
    """
    draw, other = random.Random(seed), ""
    for solved in trajectories:
        if solved.outcome is not Outcome.ANSWERED or not solved.answer or not solved.steps:
            continue
        yield _judged(solved, solved.answer, "accept", verifier)
        numbered = _other_number(solved.answer, draw)
        wrong = [text for text in (numbered, other) if text and text != solved.answer]
        if wrong:
            yield _judged(solved, draw.choice(wrong), "revise", verifier)
        other = solved.answer


def convert(data: str, out: Path, verifier: Role, *, seed: int = 0) -> Report:
    """Write the data set folder `out` from another.

    Raises:
        DataError: there is none, or no trajectory in it has an answer.
        UsageError: the role has no such choices.
    """
    if lacking := [name for name in REASONS if name not in verifier.choices]:
        raise UsageError(f"the role '{verifier.name}' has no choice {' and '.join(lacking)}")
    report = Report()
    kept = filters.apply(with_verdicts(store.read(data), verifier, seed=seed), (), report)
    return store.write(out, kept, report)


def _judged(solved: Trajectory, answer: str, verdict: Literal["accept", "revise"], verifier: Role) -> Trajectory:
    said = {verifier.name: f"{REASONS[verdict]} {verifier.markers[verdict]}"}
    end: dict[str, Any] = {"answer": answer, "id": f"{solved.id}/{verdict}"}
    if verdict == "revise":
        said = {RoleName.SUMMARIZER.value: answer, **said}
        end |= {"answer": None, "outcome": Outcome.UNFINISHED}
    steps = (*solved.steps[:-1], solved.steps[-1].model_copy(update={"said": said}))
    return solved.model_copy(update={"steps": steps, **end})


def _other_number(answer: str, draw: random.Random) -> str:
    """The answer with one of its numbers changed; empty where it has none."""
    found = list(_NUMBER.finditer(answer))
    if not found:
        return ""
    at = draw.choice(found)
    return f"{answer[: at.start()]}{int(at[0]) + draw.choice((1, 2, 10))}{answer[at.end() :]}"
