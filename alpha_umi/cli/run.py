"""`alpha-umi run`: ask a team a question and watch who speaks.

With `--json` all that is shown goes to stderr and stdout holds the result alone. With `--thread` the run is stored: it
survives the program, waits for a person's word on a sensitive call, and goes on over several questions.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from alpha_umi.cli.console import EventPrinter, printable
from alpha_umi.cli.progress import waiting
from alpha_umi.cli.starting import starting
from alpha_umi.errors import UsageError
from alpha_umi.roles import DEFAULT_TEAM
from alpha_umi.team_files import load_team
from alpha_umi.trajectory import Outcome

if TYPE_CHECKING:
    from alpha_umi.agent.approval import ApprovalRequest
    from alpha_umi.agent.runner import Agent
    from alpha_umi.agent.state import Result
    from alpha_umi.tools.protocol import Toolbox

_HELP = """Answer a question with a team of models and tools, showing each role's words.

Example: alpha-umi run "How many days are there from 2024-03-01 to 2024-12-24?"

With --thread NAME the run is stored. Without a question it goes on where it stopped; with one it is a further turn.

Exit 0 with an answer, 1 without one (the team gave up, a budget is spent, or it waits for your approval), 2 when the
call was wrong.
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run", help=_HELP, short_help="Answer a question with a team and tools.")(run)


def run(
    question: str = typer.Argument(None, help="What to answer; left out, --thread goes on where it stopped."),
    team: str = typer.Option(DEFAULT_TEAM, help="Shipped team (see `alpha-umi list`), YAML file, or run folder."),
    tools: str = typer.Option(
        "gym", help="Comma list of gym, gym:CATEGORY, MODULE:ATTRIBUTE, openapi:FILE_OR_URL, mcp:COMMAND_OR_URL..."
    ),
    max_tools: int = typer.Option(
        10, min=1, help="Where there are more tools than this, offer those whose words are nearest to the question's."
    ),
    search: str = typer.Option("chain", help="chain, react@N, dfsdt, dfs, or your own as MODULE:ATTRIBUTE."),
    max_steps: int = typer.Option(None, help="Steps that the team may take on one path. Default: 12."),
    max_seconds: float = typer.Option(None, help="Seconds that it may take. Default: 600."),
    free: bool = typer.Option(False, "--free", help="Let planner and caller write freely, without a grammar."),
    thread: str = typer.Option(None, help="Store the run under this name, and go on with it."),
    threads: Path = typer.Option(None, help="The SQLite file of threads. Default: ~/.local/state/alpha-umi/."),
    sensitive: str = typer.Option("", help="Comma list of tools to ask about before each call."),
    reply: str = typer.Option(
        None,
        help="Your decision on the call that waits for approval: approve, refuse, or other arguments as JSON; "
        "what a tool itself asks is answered in JSON, what the planner asks in words.",
    ),
    trace: Path = typer.Option(None, help="Append everything that happens to this file, one JSON object a line."),
    as_json: bool = typer.Option(False, "--json", help="Print the result as one JSON object; words go to stderr."),
) -> None:
    """Answer a question."""
    _check(question, thread, reply)
    from alpha_umi.models.loading import find_base

    chosen = load_team(team)
    find_base(chosen)  # before the agent, which takes seconds to import
    console = Console(stderr=as_json, highlight=False)
    given = {"max_steps": max_steps, "max_seconds": max_seconds}
    with starting():
        from alpha_umi.agent.runner import Agent
        from alpha_umi.agent.search.strategies import named_search
        from alpha_umi.agent.state import Budget

        # What is cheap to check comes before tool servers are started and models loaded.
        budget = Budget.model_validate({key: value for key, value in given.items() if value is not None})
        strategy = named_search(search)
        if free:
            chosen = chosen.model_copy(update={"constrained": False})
        said = None if reply is None else _reply(reply)
        guarded = [name.strip() for name in sensitive.split(",") if name.strip()]
        offered = _tools(tools, question, max_tools, guarded, console)
        names = {tool.name for tool in offered.tools}
        options: dict[str, Any] = {"search": strategy, "sensitive": [name for name in guarded if name in names]}
        if thread is not None:
            options["threads"] = threads or _threads_file()
        with waiting(f"loading the team {team}"):
            agent = Agent.from_team(chosen, tools=offered, budget=budget, **options)
    printer = EventPrinter(console)
    result = _work(agent, question, thread, said, printer, trace)
    printer.end(result)
    if as_json:
        typer.echo(result.model_dump_json())
    if result.pending is not None and thread is not None:
        told = {"--thread": thread, "--team": team, "--tools": tools, "--threads": threads}
        _say_how_to_go_on(told | {f"--{key.replace('_', '-')}": value for key, value in given.items()}, free, console)
    if result.outcome is not Outcome.ANSWERED:
        raise typer.Exit(1)


def _check(question: str | None, thread: str | None, reply: str | None) -> None:
    """Refuse words that do not go together."""
    if question is None and thread is None:
        raise UsageError("nothing to do: give a question, or --thread NAME to go on with a run")
    if question is not None and not question.strip():
        raise UsageError("the question is empty")
    if reply is not None and (question is not None or thread is None):
        raise UsageError("--reply answers what a thread waits for: give it with --thread NAME and no question")


def _threads_file() -> Path:
    from alpha_umi.agent.persistence import threads_file  # brings in SQLite's savers, for threads alone

    return threads_file()


def _say_how_to_go_on(options: Mapping[str, Any], free: bool, console: Console) -> None:
    again = _again({**options, "--free": free or None})
    console.print(f"continue with: alpha-umi run {again} --reply approve|refuse|JSON", style="dim", soft_wrap=True)


def _again(options: Mapping[str, Any]) -> str:
    """Those of a command's options that are not what they are anyway, as one writes them."""
    usual = {"--team": DEFAULT_TEAM, "--tools": "gym"}
    given = {name: value for name, value in options.items() if value not in (None, usual.get(name))}
    return " ".join(name if value is True else f"{name} {shlex.quote(str(value))}" for name, value in given.items())


def _work(
    agent: Agent, question: str | None, thread: str | None, said: Any, printer: EventPrinter, trace: Path | None
) -> Result:
    from alpha_umi.agent.tracing import Trace

    on_ask = _at_the_keyboard(printer.console) if sys.stdin.isatty() else None
    with Trace.to(trace) as record:

        def told(event: Any) -> None:
            printer(event)
            record(event)

        if question is not None:
            return agent.run(question, thread=thread, on_event=told, on_ask=on_ask)
        assert thread is not None, "checked by `run`"
        return agent.resume(thread, said, on_event=told, on_ask=on_ask)


def _tools(spec: str, question: str | None, max_tools: int, guarded: Sequence[str], console: Console) -> Toolbox:
    """The tools to offer for a question; all of them where a run goes on, which knows what it was offered.

    Raises:
        UsageError: there are no such tools, or what is to be asked about is none of them.
    """
    from alpha_umi.agent.tool_executor import ToolExecutor
    from alpha_umi.tools.combined import CombinedToolbox
    from alpha_umi.tools.selection import most_related
    from alpha_umi.tools.spec import load_tools

    toolbox = load_tools(spec)
    ToolExecutor(toolbox=toolbox, sensitive=guarded)  # one that is not offered for this question is no mistake
    if question is None or len(toolbox.tools) <= max_tools:
        return toolbox
    names = [tool.name for tool in most_related(question, toolbox.tools, max_tools)]
    listed = ", ".join(names)
    console.print(f"offered {len(names)} of {len(toolbox.tools)} tools: {listed}", style="dim", soft_wrap=True)
    return CombinedToolbox([toolbox], only=names)


def _reply(text: str) -> Any:
    """What --reply says: approve, refuse, a JSON object (other arguments for the call), or anything else: the answer
    to a question of the planner or of a tool."""
    from alpha_umi.agent.approval import ApprovalDecision

    if text in {"approve", "refuse"}:
        return ApprovalDecision.of(text)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if said is None:
        return text
    return ApprovalDecision(action="edit", arguments=said) if isinstance(said, dict) else said


def _at_the_keyboard(console: Console) -> Any:
    """Asks whoever sits at the terminal."""
    from alpha_umi.agent.approval import ApprovalDecision

    def ask(asked: ApprovalRequest) -> Any:
        while True:
            if asked.why == "user":
                if words := console.input("[bold]answer:[/] ").strip():
                    return words
                continue
            if asked.why == "tool":
                return _plain(console.input("[bold]answer:[/] ").strip())
            said = console.input("[bold]yes, no, or other arguments as JSON:[/] ").strip()
            if said.lower() in {"y", "yes"}:
                return ApprovalDecision(action="approve")
            if said.lower() in {"n", "no"}:
                return ApprovalDecision(action="refuse")
            try:
                return ApprovalDecision.of(_reply(said))
            except UsageError as error:
                console.print(printable(str(error)), style="red")

    return ask


def _plain(text: str) -> Any:
    """What a person answers a tool: JSON if it is, else words."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
