"""What a person sees of a run: each role's words as they come, what a tool gave back, and what it all cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unicodedata import category

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alpha_umi.text.truncation import cut_middle
from alpha_umi.trajectory import Outcome

if TYPE_CHECKING:
    from alpha_umi.agent.approval import ApprovalRequest
    from alpha_umi.agent.events import AgentEvent
    from alpha_umi.agent.state import Result

COLUMN = 11
"""Width of the names at the left."""

SHOWN = 800
"""Longest observation on the screen, in characters; the model may see more of it."""

_COLOURS = ("magenta", "cyan", "green", "blue", "bright_red", "bright_magenta", "bright_cyan")
"""Of the roles, in the order in which they first speak."""

_STEERING = {"Cc", "Cs"}
"""Unicode categories of control characters and of halves of surrogate pairs."""


class EventPrinter:
    """Shows the events of a run on a console: a name at the left, its words beside it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._speaker = ""
        self._words = ""
        """Of the last one who spoke."""
        self._colours: dict[str, str] = {}

    def __call__(self, event: AgentEvent) -> None:
        """Show one event."""
        if event.kind == "token":
            self._speak(event.role, event.text)
            return
        self._end_turn()
        if event.kind == "observed":
            text = cut_middle(event.observation.text, SHOWN).strip() or "(nothing)"
            self._say("tool", text, colour="yellow" if event.observation.ok else "red")
        elif event.kind == "backtracked":
            self._say(
                "search",
                f"back to {f'step {event.steps}' if event.steps else 'the start'} ({event.why})",
                colour="blue",
            )
        elif event.kind == "restarted":
            self._say("server", "the connection was lost: once more", colour="red")
        elif event.kind == "asked":
            self._say("asked", asked_text(event.ask), colour="red")
        elif event.kind == "finished" and event.result.answer is None and event.result.pending is None:
            self._say("stopped", _why(event.result), colour="red")

    def end(self, result: Result) -> None:
        """The end of a run: the answer, unless it was just spoken, how it ended, and what each role cost."""
        if result.answer is not None and self._words.strip() != result.answer:
            self._say("answer", result.answer, colour="bold")
        self.console.print()
        _cost(result, self.console)

    def _colour(self, role: str) -> str:
        return self._colours.setdefault(role, _COLOURS[len(self._colours) % len(_COLOURS)])

    def _speak(self, role: str, text: str) -> None:
        """More of a role's words; its first ones begin with its name."""
        if role != self._speaker:
            text = text.lstrip()
            if not text:
                return
            self._end_turn()
            self._speaker, self._words = role, ""
            self.console.print(_name(role, self._colour(role)), end="")
        self._words += text
        self._print(text, end="")

    def _end_turn(self) -> None:
        if self._speaker:
            self.console.print()
        self._speaker = ""

    def _say(self, name: str, text: str, *, colour: str) -> None:
        self.console.print(_name(name, colour), end="")
        self._print(text)

    def _print(self, text: str, end: str = "\n") -> None:
        shown = printable(text).replace("\n", "\n" + " " * COLUMN)
        self.console.print(Text(shown), end=end, soft_wrap=True)


def printable(text: str) -> str:
    """The text without what would steer a terminal: neither a model nor a tool may move the cursor or set a title."""
    safe = text.replace("\r\n", "\n")
    return "".join("\ufffd" if char not in "\n\t" and category(char) in _STEERING else char for char in safe)


def asked_text(ask: ApprovalRequest) -> str:
    """What a person decides on, in one line and a call."""
    arguments = _shown(dict(ask.call.arguments))
    if ask.why == "user":
        return f"{ask.value}"
    if ask.why == "tool":
        asks = ask.value if isinstance(ask.value, str) else _shown(ask.value)
        return f"{ask.call.tool} {arguments} asks: {asks}"
    why = {
        "sensitive": "Approve this call?",
        "unknown_outcome": "The run broke off during this call, which may have happened. Call it again?",
    }
    return f"{why[ask.why]} {ask.call.tool} {arguments}"


def _shown(value: Any) -> str:
    return cut_middle(json.dumps(value, ensure_ascii=False), SHOWN)


def _name(name: str, colour: str) -> Text:
    return Text(name.ljust(COLUMN), style=f"bold {colour}")


def _why(result: Result) -> str:
    if result.outcome is Outcome.GAVE_UP:
        return "every path was tried" if result.reason == "exhausted" else "the planner gave up"
    reasons = {
        "calls": "the search has tried as many steps as it may",
        "steps": "the budget of steps is spent",
        "tokens": "the budget of tokens is spent",
        "seconds": "the time is up",
        "faults": "too many unusable outputs in a row",
        "repetition": "it was repeating itself",
        "context": "the conversation no longer fits the model",
    }
    return reasons[str(result.reason)]


def _cost(result: Result, console: Console) -> None:
    """How a run ended, and what each role cost."""
    if result.pending is not None:
        console.print(
            "it waits for your answer" if result.pending.why == "user" else "it waits for your approval of this call",
            style="dim",
        )
        return
    outcome, steps = result.outcome.value.replace("_", " "), len(result.trajectory.steps)
    console.print(f"{outcome} in {steps} step{'s' * (steps != 1)} and {result.seconds:.1f} s", style="dim")
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("role", "calls", "tokens read", "of them new", "tokens written", "seconds"):
        table.add_column(column, justify="left" if column == "role" else "right")
    for role, usage in result.usage.items():
        counts = (usage.calls, usage.prompt_tokens, usage.encoded_tokens, usage.completion_tokens)
        table.add_row(role, *(f"{count:,}" for count in counts), f"{usage.seconds:.1f}")
    console.print(table)
