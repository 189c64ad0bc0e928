"""`alpha-umi run`: ask a team a question and watch who speaks.

Each role's words are shown as they are written, then what a tool gave back, then what it all cost. With `--json` all
that goes to stderr and stdout holds the result alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from unicodedata import category

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alpha_umi.errors import UsageError
from alpha_umi.roles import DEFAULT_TEAM
from alpha_umi.tools.base import cut_middle
from alpha_umi.trajectory import Outcome

if TYPE_CHECKING:
    from alpha_umi.agent.events import AgentEvent
    from alpha_umi.agent.runner import Agent
    from alpha_umi.agent.state import Result

COLUMN = 11
"""Width of the names at the left."""

SHOWN = 800
"""Longest observation on the screen, in characters; the model may see more of it."""

_COLOURS = {"planner": "magenta", "caller": "cyan", "summarizer": "green", "single": "blue", "tool": "yellow"}

_STEERING = {"Cc", "Cs"}
"""Unicode categories of control characters and of halves of surrogate pairs."""

_HELP = """Answer a question with a team of models and tools, showing each role's words.

Example: alpha-umi run "How many days are there from 2024-03-01 to 2024-12-24?" 

Exit 0 with an answer, 1 without one (the team gave up, or a budget is spent), 2 when the call was wrong.
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run", help=_HELP, short_help="Answer a question with a team and tools.")(run)


def run(
    question: str = typer.Argument(help="What to answer."),
    team: str = typer.Option(DEFAULT_TEAM, help="Shipped team (see `alpha-umi list`), YAML file, or run folder."),
    tools: str = typer.Option("gym", help="Comma list of gym, gym:CATEGORY and MODULE:ATTRIBUTE."),
    most_tools: int = typer.Option(
        10, min=1, help="Offer so many of the tools, those that share the question's words."
    ),
    search: str = typer.Option("chain", help="chain, react@N, dfsdt, or dfs."),
    max_steps: int = typer.Option(None, help="Steps that the team may take on one path. Default: 12."),
    max_seconds: float = typer.Option(None, help="Seconds that it may take. Default: 600."),
    as_json: bool = typer.Option(False, "--json", help="Print the result as one JSON object; words go to stderr."),
) -> None:
    """Answer a question."""
    if not question.strip():
        raise UsageError("the question is empty")
    console = Console(stderr=as_json, highlight=False)
    limits = {"max_steps": max_steps, "max_seconds": max_seconds}
    agent = _load(team, tools, limits, search, question, most_tools, console)
    result = agent.run(question, on_event=Voice(console))
    _show(result, console)
    if as_json:
        typer.echo(result.model_dump_json())
    if result.outcome is not Outcome.ANSWERED:
        raise typer.Exit(1)


def _load(
    team: str,
    tools: str,
    limits: Mapping[str, float | None],
    search: str,
    question: str,
    most_tools: int,
    console: Console,
) -> Agent:
    """The agent; what is cheap to check is checked before the models are loaded."""
    from alpha_umi.agent.runner import Agent
    from alpha_umi.agent.state import Budget
    from alpha_umi.agent.strategies import named_search
    from alpha_umi.gym.loading import load_tools
    from alpha_umi.tools.combined import CombinedToolbox
    from alpha_umi.tools.selection import most_related

    strategy = named_search(search)
    budget = Budget.model_validate({key: value for key, value in limits.items() if value is not None})
    toolbox = load_tools(tools)
    if len(toolbox.tools) > most_tools:
        names = [tool.name for tool in most_related(question, toolbox.tools, most_tools)]
        console.print(f"offered {len(names)} of {len(toolbox.tools)} tools: {', '.join(names)}", style="dim")
        toolbox = CombinedToolbox([toolbox], only=names)
    with Console(stderr=True).status(f"loading {team}"):
        return Agent.from_team(team, tools=toolbox, budget=budget, search=strategy)


class Voice:
    """Shows the events of a run on a console: a name at the left, its words beside it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._speaker = ""

    def __call__(self, event: AgentEvent) -> None:
        """Show one event."""
        if event.kind == "token":
            self._speak(event.role.value, event.text)
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
        elif event.kind == "finished" and event.result.answer is None:
            self._say("stopped", _why(event.result), colour="red")

    def _speak(self, role: str, text: str) -> None:
        """More of a role's words; its first ones begin with its name."""
        if role != self._speaker:
            text = text.lstrip()
            if not text:
                return
            self._end_turn()
            self._speaker = role
            self._console.print(_name(role, _COLOURS[role]), end="")
        self._print(text, end="")

    def _end_turn(self) -> None:
        if self._speaker:
            self._console.print()
        self._speaker = ""

    def _say(self, name: str, text: str, *, colour: str) -> None:
        self._console.print(_name(name, colour), end="")
        self._print(text)

    def _print(self, text: str, end: str = "\n") -> None:
        shown = printable(text).replace("\n", "\n" + " " * COLUMN)
        self._console.print(Text(shown), end=end, soft_wrap=True)


def printable(text: str) -> str:
    """The text without what would steer a terminal: neither a model nor a tool may move the cursor or set a title."""
    safe = text.replace("\r\n", "\n")
    return "".join("\ufffd" if char not in "\n\t" and category(char) in _STEERING else char for char in safe)


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


def _show(result: Result, console: Console) -> None:
    """The end of a run: the answer, how it ended, and what each role cost."""
    console.print()
    if result.answer is not None:
        console.print(Text(printable(result.answer), style="bold"), soft_wrap=True)
    outcome, steps = result.outcome.value.replace("_", " "), len(result.trajectory.steps)
    console.print(f"{outcome} in {steps} step{'s' * (steps != 1)} and {result.seconds:.1f} s", style="dim")
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("role", "calls", "prompt tokens", "of them encoded", "tokens written", "seconds"):
        table.add_column(column, justify="left" if column == "role" else "right")
    for view, usage in result.usage.items():
        counts = (usage.calls, usage.prompt_tokens, usage.encoded_tokens, usage.completion_tokens)
        table.add_row(view.value, *(f"{count:,}" for count in counts), f"{usage.seconds:.1f}")
    console.print(table)
