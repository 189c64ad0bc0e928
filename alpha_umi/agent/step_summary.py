"""A step in one line, for the prompts that show earlier attempts: "diversity" of a search, and ranking two of them."""

from __future__ import annotations

import json

from alpha_umi.text.truncation import cut_middle
from alpha_umi.tools.validation import one_line
from alpha_umi.trajectory import Decision, Step

_SHOWN = 256
"""Characters of an earlier attempt's arguments, and of what it saw, that a later one is shown."""


def summarize_step(step: Step) -> str:
    """A step in a line: what was called and seen, else what was thought."""
    if step.call is None or step.call.fault is not None:
        gave_up = "gave up: " if step.plan.decision is Decision.GIVE_UP else ""
        return gave_up + cut_middle(one_line(step.plan.rationale, limit=_SHOWN), _SHOWN)
    seen = step.observation.text if step.observation is not None else "nothing"
    arguments = json.dumps(step.call.arguments, ensure_ascii=False)
    return f"{step.call.tool} {cut_middle(arguments, _SHOWN)} -> {cut_middle(one_line(seen, limit=_SHOWN), _SHOWN)}"
