"""LangChain tools as tools: real langchain_core tools of every kind."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain_core.tools import InjectedToolCallId, StructuredTool, ToolException, tool
from langchain_core.tools import Tool as TextTool
from pydantic import BaseModel, Field

from alpha_umi.errors import ToolError
from alpha_umi.tools.functions import FunctionToolbox, as_toolbox
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.trajectory import Call, Observation


class Search(BaseModel):
    """Arguments of a search."""

    query: str = Field(description="what to look for")
    limit: int = Field(3, ge=1)


@tool("web_search", args_schema=Search)
def web_search(query: str, limit: int = 3) -> str:
    """Search the web."""
    return f"{limit} x {query}"


@tool
def broken(n: int) -> str:
    """Fail always."""
    raise ValueError(f"no\n{n}")


@tool
async def later(n: int) -> dict[str, int]:
    """Answer later."""
    return {"n": n}


def refuse(n: int) -> str:
    raise ToolException(f"refused {n}")


def call(box: Toolbox, name: str, **arguments: Any) -> Observation:
    return box.invoke(Call(tool=name, arguments=arguments))


def test_a_langchain_tool_is_offered_as_it_describes_itself() -> None:
    (offered,) = FunctionToolbox([web_search]).tools
    assert (offered.name, offered.description) == ("web_search", "Search the web.")
    properties = offered.parameters["properties"]
    assert properties["query"] == {"description": "what to look for", "type": "string"}
    assert offered.parameters["required"] == ["query"]


def test_a_langchain_tool_runs() -> None:
    box = as_toolbox([web_search])
    assert call(box, "web_search", query="umi") == Observation(text="3 x umi")
    assert call(box, "web_search", query="umi", limit=1).text == "1 x umi"


@pytest.mark.parametrize("arguments", [{}, {"query": 1}, {"query": "a", "limit": 0}, {"query": "a", "page": 2}])
def test_arguments_are_checked_before_langchain_sees_them(arguments: dict[str, Any]) -> None:
    seen = call(as_toolbox(web_search), "web_search", **arguments)
    assert not seen.ok
    assert seen.text.startswith("Invalid arguments for web_search: ")


def test_exceptions_and_handled_errors_are_failures() -> None:
    handled = StructuredTool.from_function(refuse, name="refuse", description="Refuse.", handle_tool_error=True)
    box = as_toolbox([broken, handled])
    assert call(box, "broken", n=1) == Observation(text="broken failed: ValueError: no 1", ok=False)
    assert call(box, "refuse", n=2) == Observation(text="refused 2", ok=False)


def test_async_only_tools_run() -> None:
    assert call(as_toolbox([later]), "later", n=5) == Observation(text='{"n": 5}')


def test_a_hanging_tool_times_out() -> None:
    import threading

    release = threading.Event()

    @tool
    def hang() -> str:
        """Hang."""
        release.wait(30)
        return "late"

    assert "no result within 0.2 seconds" in call(FunctionToolbox([hang], timeout_s=0.2), "hang").text
    release.set()


def test_a_tool_with_a_dict_schema_keeps_it() -> None:
    schema = {"title": "mcp", "description": "d", "type": "object", "properties": {"a": {"type": "integer"}}}

    async def remote(**arguments: Any) -> tuple[list[dict[str, str]], None]:
        return [{"type": "text", "text": "one"}, {"type": "text", "text": str(arguments)}], None

    made = StructuredTool(
        name="mcp",
        description="An MCP tool.",
        args_schema=schema,
        coroutine=remote,
        response_format="content_and_artifact",
    )
    box = as_toolbox([made])
    assert box.tools[0].parameters["properties"] == {"a": {"type": "integer"}}
    assert call(box, "mcp", a=1) == Observation(text="one\n{'a': 1}")
    assert not call(box, "mcp", a="x").ok


def test_text_in_text_out_tools_and_injected_ids() -> None:
    @tool
    def with_id(n: int, call_id: Annotated[str, InjectedToolCallId]) -> str:
        """Need an id."""
        return f"{n} {bool(call_id)}"

    plain = TextTool(name="upper", func=str.upper, description="Upper case.")
    box = as_toolbox([plain, with_id])
    assert call(box, "upper", __arg1="abc").text == "ABC"
    assert set(box.tools[1].parameters["properties"]) == {"n"}
    assert call(box, "with_id", n=1).text == "1 True"


def test_functions_and_langchain_tools_mix_and_names_must_differ() -> None:
    def web_search_(query: str) -> str:
        return query

    box = as_toolbox([web_search_, web_search, FunctionToolbox([later])])
    assert [offered.name for offered in box.tools] == ["web_search_", "web_search", "later"]
    with pytest.raises(ToolError, match="same name: later"):
        as_toolbox([later, FunctionToolbox([later])])


def test_an_invalid_name_is_refused() -> None:
    with pytest.raises(ToolError, match="tool name 'web search' is invalid"):
        as_toolbox(StructuredTool.from_function(refuse, name="web search", description="d"))
