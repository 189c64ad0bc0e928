"""Failures of a service, by plan: what makes an agent retry, or stop.

Owns which call fails with which words. The plan belongs to the task, so a task fails the same way whenever it is run.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, MutableMapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from alpha_umi.tools.protocol import Toolbox
from alpha_umi.trajectory import Call, Observation, Tool

Fault = Literal["temporary", "rate_limit", "timeout", "denied"]
DENIED: Final = "denied"
_WORDS: Mapping[Fault, str] = MappingProxyType(
    {
        "temporary": "{tool} failed: the service is temporarily unavailable, try again",
        "rate_limit": "{tool} failed: rate limit reached, try again",
        "timeout": "{tool} failed: the connection timed out, try again",
        DENIED: "{tool} failed: permission denied, this account may not use {tool}",
    }
)
PASSING: tuple[Fault, ...] = ("temporary", "rate_limit", "timeout")
"""Failures of the first call only."""


class FaultyToolbox:
    """A toolbox some of whose tools fail: `faults` says which tool fails how, and may grow while a task is built."""

    def __init__(self, box: Toolbox, faults: MutableMapping[str, Fault]) -> None:
        self.faults = faults
        self._box = box
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def tools(self) -> Sequence[Tool]:
        """What is offered."""
        return self._box.tools

    def invoke(self, call: Call) -> Observation:
        """Carry out one call, or fail by plan."""
        fault = self.faults.get(call.tool)
        with self._lock:
            self._calls[call.tool] += 1
            fails = fault == DENIED or (fault is not None and self._calls[call.tool] == 1)
        if fault is None or not fails:
            return self._box.invoke(call)
        return Observation(text=_WORDS[fault].format(tool=call.tool), ok=False)
