"""A ten-step run over tools of three kinds that count their effects; `test_persistence` kills it and starts it again.

Each effect is one line, appended at once, so that a kill cannot take it back. It aims the kill at itself, by a timer of
the kernel's: on a busy machine it gets less far until then, never further. The scripted words stand in a table by
the step that the conversation has reached, as a model's would: a resumed run asks for what is missing and no more.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from alpha_umi import Agent, ApprovalDecision, idempotency_key, tool_traits
from alpha_umi.agent.approval import ApprovalRequest
from alpha_umi.agent.events import AgentEvent
from alpha_umi.errors import UsageError
from alpha_umi.models.protocol import Completion, Message, Request
from alpha_umi.models.scripted import ScriptedModel

STEPS = 10
TOOLS = ("plain", "keyed", "repeatable")


class Words(ScriptedModel):
    """What a role says at a step; the step is how many observations the conversation holds."""

    def __init__(self, role: str) -> None:
        super().__init__([])
        self._view = role

    def complete(self, request: Request) -> Completion:
        return Completion(text=self._text(request.messages), completion_tokens=1)

    def _text(self, messages: Sequence[Message]) -> str:
        done = sum(f"done {n}:" in message.content for message in messages for n in range(STEPS))
        if self._view == "planner":
            return "All done. Next: conclusion." if done == STEPS else f"Step {done} comes. Next: caller."
        if self._view == "caller":
            return f'Action: {TOOLS[done % 3]}\nAction Input: {{"step": {done}}}'
        return "finished"


def agent(folder: Path) -> Agent:
    """The agent, whose effects go to files in the folder."""

    def effect(kind: str, step: int, key: str = "") -> str:
        with (folder / kind).open("a") as stream:
            stream.write(f"{step} {key}\n")
            stream.flush()
        time.sleep(0.01)  # longer than any kill lingers after an event: it cannot overshoot by two effects
        return f"done {step}: {kind}"

    def plain(step: int) -> str:
        """Has an effect each time."""
        return effect("plain", step)

    @tool_traits(takes_key=True)
    def keyed(step: int) -> str:
        """Has an effect the first time that it sees a key."""
        key = idempotency_key()
        assert key is not None
        # The key stands in the effect's own line: written before it, a kill between the two would lose the effect.
        if (folder / "keyed").exists() and key in (folder / "keyed").read_text().split():
            return f"done {step}: keyed"
        return effect("keyed", step, key)

    @tool_traits(repeatable=True)
    def repeatable(step: int) -> str:
        """Leaves the same behind however often it is carried out."""
        (folder / f"state-{step}").write_text("set")
        return f"done {step}: repeatable"

    models = {role: Words(role) for role in ("planner", "caller", "summarizer")}
    return Agent.from_team("umi", tools=[plain, keyed, repeatable], models=models, threads=folder / "threads.sqlite")


def person(folder: Path, ask: ApprovalRequest) -> ApprovalDecision:
    """Looks whether it happened, as a person would, and says so."""
    step = int(ask.call.arguments["step"])
    with (folder / "asked").open("a") as stream:
        stream.write(f"{ask.why} {step}\n")
    effects = (folder / "plain").read_text().split() if (folder / "plain").exists() else []
    return (
        ApprovalDecision(action="observed", text=f"done {step}: plain")
        if str(step) in effects
        else ApprovalDecision(action="approve")
    )


def die_after(seconds: float) -> None:
    """Be killed in that time, wherever the program is by then: nothing handles an alarm, so nothing is tidied up."""
    if seconds <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def main(folder: Path, events: int = -1, seconds: float = 0.0) -> None:
    """Begin the run, or go on with it, and write its result; with `events`, die `seconds` after so many of them."""
    made = agent(folder)
    seen = 0

    def told(_: AgentEvent) -> None:
        nonlocal seen
        seen += 1
        if seen == events:
            die_after(seconds)

    def asked(ask: ApprovalRequest) -> ApprovalDecision:
        return person(folder, ask)

    if events == 0:
        die_after(seconds)
    try:
        result = made.resume("ten", on_event=told, on_ask=asked)
    except UsageError:  # killed before anything was stored, or not begun
        result = made.run("Do ten things.", thread="ten", on_event=told, on_ask=asked)
    (folder / "result.json").write_text(result.model_dump_json(), encoding="utf-8")
