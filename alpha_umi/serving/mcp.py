"""An agent as an MCP server: one tool that answers questions and, if asked, the agent's own tools beside it.

Owns what is offered and how a run is told to a client: its answer as text, what happens on the way as progress, its
failure as a result that says so. A client that cancels stops the run. There is no authentication: HTTP listens on this
machine only unless told otherwise, and then belongs behind a proxy that knows who may ask.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable, Mapping
from typing import Any, Literal

from alpha_umi import __version__
from alpha_umi.agent.concurrency import in_thread, within
from alpha_umi.agent.events import AgentEvent, Backtracked, Called, Decided, Observed
from alpha_umi.agent.runner import Agent
from alpha_umi.agent.state import Result
from alpha_umi.agent.tool_executor import EVERY
from alpha_umi.errors import AlphaUmiError, MissingExtra, UsageError
from alpha_umi.serving.stdio import StdinLines, stdin_taken
from alpha_umi.tools.validation import check_tool, find_mistakes, one_line, refuse_arguments, refuse_unknown
from alpha_umi.trajectory import Call, Observation, Tool

try:
    import uvicorn
    from mcp.server import Server, ServerRequestContext
    from mcp.server.stdio import stdio_server
    from mcp.types import (
        CallToolRequestParams,
        CallToolResult,
        ListToolsResult,
        PaginatedRequestParams,
        TextContent,
    )
    from mcp.types import Tool as ServerTool
    from starlette.applications import Starlette
except ImportError as missing:
    raise MissingExtra("serving over MCP", "tools", missing) from missing

ASK = "Answer a question with an agent that plans, calls its tools and sums up what it found. Its tools: {tools}."
TOOLS_NAMED = 20
"""How many of its tools the description of the asking tool names at most."""
TOOL_S = 300.0
"""How long one of the agent's own tools may take, whatever limit its toolbox has."""


def mcp_server(agent: Agent, *, name: str = "alpha-umi", ask: str = "ask", with_tools: bool = False) -> Server[Any]:
    """An agent as a server of the MCP SDK, to be run over any of its transports or used in process.

    Args:
        agent: what answers; one serves many clients at once.
        name: what the server calls itself.
        ask: the name of the tool that takes a question.
        with_tools: also offer the agent's own tools, each under its name.

    Raises:
        ToolError: `ask` is no valid name for a tool.
        UsageError: one of the agent's own tools has that name.
    """
    return _Served(agent, ask=ask, with_tools=with_tools).server(name)


def http_app(
    agent: Agent,
    *,
    name: str = "alpha-umi",
    ask: str = "ask",
    with_tools: bool = False,
    host: str = "127.0.0.1",
    path: str = "/mcp",
) -> Starlette:
    """The server as an ASGI app that speaks streamable HTTP, to be mounted in a larger app.

    Where `host` is this machine's own, requests that a web page of another origin sends are refused.
    """
    return mcp_server(agent, name=name, ask=ask, with_tools=with_tools).streamable_http_app(
        streamable_http_path=path, host=host
    )


def serve_mcp(
    agent: Agent,
    *,
    name: str = "alpha-umi",
    transport: Literal["stdio", "http"] = "stdio",
    ask: str = "ask",
    with_tools: bool = False,
    host: str = "127.0.0.1",
    port: int = 8765,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve an agent until the client goes (stdio) or the program is interrupted (HTTP).

    Over stdio, stdin and stdout belong to the protocol: tools read nothing, and what they print goes to stderr.

    Args:
        agent: what answers.
        name: what the server calls itself.
        transport: stdin and stdout, or streamable HTTP.
        ask: the name of the tool that takes a question.
        with_tools: also offer the agent's own tools, except those that a person is asked about.
        host: the address to listen on (HTTP).
        port: the port to listen on (HTTP); 0 takes a free one.
        on_ready: told the URL once connections are accepted (HTTP).

    Raises:
        UsageError: an option is wrong, or the address cannot be used.
    """
    if transport == "stdio":
        asyncio.run(_over_stdio(mcp_server(agent, name=name, ask=ask, with_tools=with_tools)))
        return
    if transport != "http":
        raise UsageError(f"transport {transport!r} is unknown: use 'stdio' or 'http'")
    if not 0 <= port <= 65535:
        raise UsageError(f"cannot listen on {host}:{port}: a port is a number from 0 to 65535")
    app = http_app(agent, name=name, ask=ask, with_tools=with_tools, host=host)
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {one_line(str(error), limit=200)}") from None
    with listening:
        if on_ready is not None:
            shown = f"[{host}]" if ":" in host else host
            on_ready(f"http://{shown}:{listening.getsockname()[1]}/mcp")
        # A client may hold a stream open for ever: waiting for it would make the program hard to end.
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)
        uvicorn.Server(config).run(sockets=[listening])


async def _over_stdio(server: Server[Any]) -> None:
    with stdin_taken() as descriptor:
        lines: Any = StdinLines(descriptor)  # the SDK only iterates it
        async with stdio_server(stdin=lines) as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())


class _Served:
    """What an agent's server lists and carries out."""

    def __init__(self, agent: Agent, *, ask: str, with_tools: bool) -> None:
        self._agent, self._with_tools = agent, with_tools
        names = [tool.name for tool in agent.toolbox.tools]
        if with_tools and ask in names:
            raise UsageError(f"the agent has a tool {ask!r} of its own: give the asking tool another name (ask=...)")
        shown = ", ".join(names[:TOOLS_NAMED]) + (" and more" if len(names) > TOOLS_NAMED else "")
        question = {"type": "string", "minLength": 1, "description": "the question, with all that is needed to answer"}
        self._ask = Tool(
            name=ask,
            description=ASK.format(tools=shown or "none"),
            parameters={
                "type": "object",
                "properties": {"question": question},
                "required": ["question"],
                "additionalProperties": False,
            },
        )
        self._validator = check_tool(self._ask)

    def server(self, name: str) -> Server[Any]:
        """A server of the MCP SDK."""
        return Server(name, version=__version__, on_list_tools=self._list, on_call_tool=self._call)

    @property
    def _own(self) -> list[Tool]:
        """Without those that a person has to be asked about: nobody could be, here."""
        guarded = self._agent.requires_approval
        if not self._with_tools or EVERY in guarded:
            return []
        return [tool for tool in self._agent.toolbox.tools if tool.name not in guarded]

    async def _list(self, ctx: ServerRequestContext[Any], params: PaginatedRequestParams | None) -> ListToolsResult:
        tools = [self._ask, *self._own]
        return ListToolsResult(
            tools=[
                ServerTool(name=tool.name, description=tool.description, input_schema=dict(tool.parameters))
                for tool in tools
            ]
        )

    async def _call(self, ctx: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        arguments = params.arguments or {}
        own = [tool.name for tool in self._own]
        if params.name == self._ask.name:
            mistakes = find_mistakes(self._validator, arguments)
            seen = refuse_arguments(params.name, mistakes) if mistakes else await self._answer(ctx, arguments)
        elif params.name in own:
            seen = await self._invoke(Call(tool=params.name, arguments=arguments))
        else:
            seen = refuse_unknown(params.name, [self._ask.name, *own])
        return CallToolResult(content=[TextContent(type="text", text=seen.text)], is_error=not seen.ok)

    async def _answer(self, ctx: ServerRequestContext[Any], arguments: Mapping[str, Any]) -> Observation:
        """Run the agent in a task of its own, so that a client that cancels lets it clean up."""
        events: asyncio.Queue[AgentEvent | None] = asyncio.Queue()
        run = asyncio.create_task(self._agent.arun(arguments["question"], on_event=events.put_nowait))

        def end(task: asyncio.Task[Result]) -> None:
            events.put_nowait(None)
            if not task.cancelled():
                task.exception()  # seen, should nobody wait for it any more

        run.add_done_callback(end)
        told = 0
        try:
            while (event := await events.get()) is not None:
                if note := _note(event):
                    told += 1
                    await ctx.session.report_progress(told, None, note)
            return _told(run.result())
        except AlphaUmiError as error:
            return Observation(text=f"The question could not be worked on: {error}", ok=False)
        except Exception as error:
            return Observation(text=f"The agent failed: {one_line(f'{type(error).__name__}: {error}')}", ok=False)
        finally:
            run.cancel()

    async def _invoke(self, call: Call) -> Observation:
        try:
            work = functools.partial(self._agent.toolbox.invoke, call)
            return await in_thread(lambda stop: within(work, seconds=TOOL_S, stop=stop))
        except TimeoutError:
            return Observation(text=f"{call.tool} failed: it gave no result within {TOOL_S:g} seconds.", ok=False)
        except Exception as error:
            text = f"{call.tool} failed: {one_line(f'{type(error).__name__}: {error}')}"
            return Observation(text=text, ok=False)


def _told(result: Result) -> Observation:
    if result.answer is not None:
        return Observation(text=result.answer)
    if result.pending is not None and result.pending.why == "user":
        return Observation(text=f"The agent asks: {result.pending.value} Ask again, with the answer.", ok=False)
    if result.pending is not None:
        call = one_line(f"{result.pending.call.tool} {dict(result.pending.call.arguments)}", limit=300)
        why = (
            "in a call whose tool asks a person"
            if result.pending.why == "tool"
            else "before a call that a person has to allow"
        )
        text = f"The agent stopped {why}, which nobody can here: {call}"
        return Observation(text=text, ok=False)
    why = f" ({result.reason})" if result.reason else ""
    return Observation(text=f"The agent found no answer: {result.outcome}{why}.", ok=False)


def _note(event: AgentEvent) -> str:
    """What a client is told of an event, in one line; nothing of single tokens."""
    match event:
        case Decided(plan=plan):
            return one_line(f"{plan.decision}: {plan.rationale}", limit=300)
        case Called(call=call):
            return one_line(f"calls {call.tool} {dict(call.arguments)}", limit=300)
        case Observed(observation=seen):
            return one_line(f"{'saw' if seen.ok else 'failed'}: {seen.text}", limit=300)
        case Backtracked(why=why):
            return one_line(f"goes back: {why}", limit=300)
    return ""
