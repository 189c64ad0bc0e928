"""The one seam between the agent and the world: a Toolbox turns a Call into an Observation.

A toolbox never raises for a model's mistake or a tool's failure: both are observations with `ok=False`, given
back to the model. It owns validation, timeouts and the cut of long output; it knows nothing of roles or graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from alpha_umi.prompts import cut_middle
from alpha_umi.trajectory import Call, Observation, Tool

__all__ = ["MAX_OBSERVATION_CHARS", "Toolbox", "cut_middle"]

MAX_OBSERVATION_CHARS = 4096
"""Longest observation that enters a trajectory; what is longer loses its middle (`cut_middle`)."""


@runtime_checkable
class Toolbox(Protocol):
    """A set of tools that can be offered and invoked."""

    @property
    def tools(self) -> Sequence[Tool]:
        """What is offered, in the order shown to the model."""
        ...

    def invoke(self, call: Call) -> Observation:
        """Carry out one call. Blocking; safe to run from several threads at once."""
        ...
