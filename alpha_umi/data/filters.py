"""What is kept of a data set and what is dropped, each drop with its reason.

A filter looks at one trajectory and returns a reason to drop it, or None. `apply` runs several; `Report` counts what
readers and filters dropped and what was kept, so that nothing disappears silently. Trajectories that end in giving
up are kept: they are what teaches giving up. Knows no file format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from alpha_umi.text import output_format
from alpha_umi.trajectory import Trajectory

EXAMPLES = 20
"""How many dropped records are named for each reason."""

Filter = Callable[[Trajectory], str | None]
"""Returns a reason to drop the trajectory, or None to keep it."""


@dataclass
class Report:
    """What a conversion kept, and what it dropped and why."""

    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    """For each reason the first records dropped, with what was wrong where that is known."""
    decisions: Counter[str] = field(default_factory=Counter)
    """Decision points kept, by kind: call, summarize, give_up."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """How the trajectories kept ended."""
    redrawn: Counter[str] = field(default_factory=Counter)
    """What a generator drew in vain before it drew these, by reason."""
    versions: dict[str, str] = field(default_factory=dict)
    """Libraries that the trajectories depend on."""
    taskset: str = ""
    """The task set that they are solutions of, with its version (`gym@1`)."""
    words_digest: str = ""
    """Of the templates that their requests were worded from."""

    def drop(self, reason: str, record: str, detail: str = "") -> None:
        """Count a dropped record under its reason."""
        self.dropped[reason] += 1
        named = self.examples.setdefault(reason, [])
        if len(named) < EXAMPLES:
            named.append(f"{record}: {detail}" if detail else record)

    def keep(self, trajectory: Trajectory) -> None:
        """Count a trajectory that was kept."""
        self.kept += 1
        self.outcomes[trajectory.outcome.value] += 1
        self.decisions.update(step.plan.decision.value for step in trajectory.steps if step.is_decision)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, most frequent reasons first."""
        return {
            "kept": self.kept,
            "dropped": dict(self.dropped.most_common()),
            "decisions": dict(self.decisions),
            "outcomes": dict(self.outcomes),
            "examples": self.examples,
            **({"redrawn": dict(self.redrawn.most_common())} if self.redrawn else {}),
            **({"versions": self.versions} if self.versions else {}),
            **({"taskset": self.taskset} if self.taskset else {}),
            **({"words_digest": self.words_digest} if self.words_digest else {}),
        }


def apply(trajectories: Iterable[Trajectory], filters: Sequence[Filter], report: Report) -> Iterator[Trajectory]:
    """Yield the trajectories that no filter drops; the first reason found is the one counted."""
    for trajectory in trajectories:
        reason = next((reason for keep in filters if (reason := keep(trajectory)) is not None), None)
        if reason is None:
            yield trajectory
        else:
            report.drop(reason, trajectory.id)


def steps_between(minimum: int = 1, maximum: int | None = None) -> Filter:
    """Drop trajectories with fewer or more steps."""

    def check(trajectory: Trajectory) -> str | None:
        if len(trajectory.steps) < minimum:
            return "too_few_steps"
        return "too_many_steps" if maximum is not None and len(trajectory.steps) > maximum else None

    return check


def needs_decision(trajectory: Trajectory) -> str | None:
    """Drop trajectories in which nothing is decided: nothing can be learned from them."""
    return None if any(step.is_decision for step in trajectory.steps) else "no_decision"


def needs_tools(trajectory: Trajectory) -> str | None:
    """Drop trajectories that offer no tool."""
    return None if trajectory.tools else "no_tools"


def ambiguous_marker(trajectory: Trajectory) -> str | None:
    """Drop trajectories with a plan whose rationale holds a marker, so that it would be read back as another."""
    for step in trajectory.steps:
        if step.is_decision:
            try:
                output_format.format_plan(step.plan)
            except ValueError:
                return "ambiguous_marker"
    return None


def unreadable_arguments(trajectory: Trajectory) -> str | None:
    """Drop trajectories with a call that cannot be parsed (else they stay as history, never as targets)."""
    unreadable = any(step.call is not None and step.call.fault is not None for step in trajectory.steps)
    return "unreadable_arguments" if unreadable else None


def unfinished(trajectory: Trajectory) -> str | None:
    """Drop trajectories that end neither in an answer nor in giving up."""
    return None if trajectory.outcome.value in {"answered", "gave_up"} else "unfinished"


DEFAULT: tuple[Filter, ...] = (needs_decision, needs_tools, ambiguous_marker)
"""What every conversion drops: trajectories that cannot be trained on at all."""
