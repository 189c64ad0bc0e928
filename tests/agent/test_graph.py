"""The compiled graph: messages in and out, alone, inside another graph, and stored by a checkpointer."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

from alpha_umi.agent.graph import AgentGraph, build_graph
from alpha_umi.agent.state import Budget
from alpha_umi.errors import UsageError
from alpha_umi.models.protocol import Request
from alpha_umi.models.scripted import ScriptedModel
from alpha_umi.team_files import load_team
from alpha_umi.testing import scripted_models
from alpha_umi.tools.functions import as_toolbox


def double(number: int) -> int:
    """Twice a number."""
    return 2 * number


def models() -> dict[str, ScriptedModel]:
    """Doubles the number in the question; a function of the request, so any number of runs may share them."""

    def question(request: Request) -> str:
        return request.messages[1].content

    def plan(request: Request) -> str:
        if "give up" in question(request):
            return "No. Next: give up."
        return (
            "Done. Next: conclusion." if "observation" in request.messages[-1].content else "Double it. Next: caller."
        )

    def call(request: Request) -> str:
        number = re.findall(r"Double (\d+)", question(request))[-1]  # earlier questions of the thread come first
        return f'Action: double\nAction Input: {{"number": {number}}}'

    def answer(request: Request) -> str:
        return "It is " + request.messages[-1].content.split("observation: ")[1].split()[0]

    return scripted_models(plan, call, answer)


def graph(**options: Any) -> AgentGraph:
    """The agent with one tool."""
    return build_graph(load_team("umi"), models=models(), toolbox=as_toolbox([double]), **options)


def ask(text: str) -> Any:
    """The graph's input."""
    return {"messages": [HumanMessage(text)]}


def assert_answered(messages: list[AnyMessage], number: int) -> None:
    """Human, call, observation, answer: as `create_agent` leaves them."""
    human, call, seen, answer = messages
    assert isinstance(human, HumanMessage)
    assert isinstance(call, AIMessage)
    assert isinstance(seen, ToolMessage)
    assert isinstance(answer, AIMessage)
    assert call.content == "Double it."
    assert [(made["name"], made["args"]) for made in call.tool_calls] == [("double", {"number": number})]
    assert (seen.tool_call_id, seen.name, seen.content) == (call.tool_calls[0]["id"], "double", str(2 * number))
    assert answer.content == f"It is {2 * number}"
    assert answer.additional_kwargs["outcome"] == "answered"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] > 0


def test_messages_in_messages_out_sync_and_async() -> None:
    out = graph().invoke(ask("Double 4"))
    assert list(out) == ["messages"]
    assert_answered(out["messages"], 4)
    assert_answered(asyncio.run(graph().ainvoke(ask("Double 4")))["messages"], 4)


def test_plain_functions_are_tools_and_roles_may_be_words() -> None:
    models: Any = scripted_models(
        ["Next: caller.", "Next: conclusion."], ['Action: double\nAction Input: {"x": 4}'], ["8"]
    )

    def double(x: int) -> int:
        """Twice a number."""
        return 2 * x

    out = build_graph(load_team("umi"), models=models, toolbox=[double]).invoke({"messages": [HumanMessage("2 x 4?")]})
    assert [message.type for message in out["messages"]] == ["human", "ai", "tool", "ai"]
    assert out["messages"][2].content == "8"


def test_the_question_is_the_last_human_message() -> None:
    earlier: list[AnyMessage] = [SystemMessage("Be kind."), HumanMessage("Double 1"), AIMessage("It is 2")]
    out = graph().invoke({"messages": [*earlier, HumanMessage([{"type": "text", "text": "Double 7"}])]})
    assert_answered(out["messages"][3:], 7)


@pytest.mark.parametrize("messages", [[], [AIMessage("hi")], [HumanMessage(" ")]])
def test_messages_without_a_question_are_refused(messages: list[AnyMessage]) -> None:
    with pytest.raises(UsageError, match="question"):
        graph().invoke({"messages": messages})


def test_no_answer_is_said_plainly() -> None:
    gave_up = graph().invoke(ask("give up"))["messages"][-1]
    assert "gave up" in gave_up.content
    assert gave_up.additional_kwargs == {"outcome": "gave_up", "reason": "planner"}
    spent = graph(budget=Budget(max_steps=1)).invoke(ask("Double 4"))["messages"]
    assert spent[-1].additional_kwargs == {"outcome": "out_of_budget", "reason": "steps"}
    assert "budget of steps" in spent[-1].content
    assert [type(message) for message in spent] == [HumanMessage, AIMessage, ToolMessage, AIMessage]


def test_an_unreadable_call_leaves_no_half_message() -> None:
    always = {"planner": "Next: caller.", "caller": "hm", "summarizer": ""}
    broken = {role: ScriptedModel([text], repeat_last=True) for role, text in always.items()}
    out = build_graph(load_team("umi"), models=broken, toolbox=as_toolbox([double])).invoke(ask("Double 4"))
    assert [type(message) for message in out["messages"]] == [HumanMessage, AIMessage]
    assert out["messages"][-1].additional_kwargs["reason"] == "faults"


def outer() -> Any:
    """A larger app in which the agent is one node."""
    app = StateGraph(MessagesState)
    app.add_node("greet", lambda state: {"messages": [AIMessage("One moment.")]})
    app.add_node("agent", graph())
    app.add_node("sign", lambda state: {"messages": [AIMessage(state["messages"][-1].content + "!")]})
    app.add_edge(START, "greet")
    app.add_edge("greet", "agent")
    app.add_edge("agent", "sign")
    app.add_edge("sign", END)
    return app


@pytest.mark.parametrize("asynchronous", [False, True])
def test_as_a_subgraph(asynchronous: bool) -> None:
    app = outer().compile()
    out = asyncio.run(app.ainvoke(ask("Double 5"))) if asynchronous else app.invoke(ask("Double 5"))
    kinds = [type(message) for message in out["messages"]]
    assert kinds == [HumanMessage, AIMessage, AIMessage, ToolMessage, AIMessage, AIMessage]
    assert out["messages"][-1].content == "It is 10!"
    assert list(out) == ["messages"]


def test_a_subgraph_streams_its_events_through_the_outer_graph() -> None:
    chunks = list(outer().compile().stream(ask("Double 5"), stream_mode="custom", subgraphs=True))
    assert [event.kind for _, event in chunks][-1] == "finished"


def test_a_thread_is_stored_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    compiled = graph(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "a"}}
    compiled.invoke(ask("Double 4"), config)
    out = compiled.invoke(ask("Double 6"), config)
    assert_answered(out["messages"][4:], 6)
    state = compiled.get_state(config).values
    assert state["task"].query.endswith("Double 6")
    assert [tool.name for tool in state["task"].tools] == ["double"]
    assert state["tree"].nodes[state["node"]].answer == "It is 12"
    assert state["usage"]["planner"].calls == 2
    ids = [made["id"] for message in out["messages"] if isinstance(message, AIMessage) for made in message.tool_calls]
    assert len(set(ids)) == 2


def test_an_interrupted_run_resumes_without_a_second_call() -> None:
    calls = []

    def once(number: int) -> int:
        """Twice a number, and counts."""
        calls.append(number)
        return 2 * number

    team, saver = load_team("umi"), InMemorySaver()
    broken = {**models(), "summarizer": ScriptedModel([])}
    config: Any = {"configurable": {"thread_id": "a"}}

    def double(number: int) -> int:
        """Twice a number."""
        return once(number)

    with pytest.raises(Exception, match="script of a model"):
        build_graph(team, models=broken, toolbox=as_toolbox([double]), checkpointer=saver).invoke(
            ask("Double 4"), config
        )
    again = build_graph(team, models=models(), toolbox=as_toolbox([double]), checkpointer=saver)
    assert_answered(again.invoke(None, config)["messages"], 4)
    assert calls == [4]


def test_nothing_but_plain_data_is_stored() -> None:
    """In a process of its own: the strict serializer is chosen when LangGraph is imported."""
    program = (
        "import warnings; warnings.simplefilter('error'); import tests.agent.test_graph as t\n"
        "from langgraph.checkpoint.memory import InMemorySaver\n"
        "g = t.graph(checkpointer=InMemorySaver()); c = {'configurable': {'thread_id': 'a'}}\n"
        "g.invoke(t.ask('Double 4'), c); g.invoke(t.ask('Double 6'), c)\n"
        "print(g.get_state(c).values['messages'][-1].content, len(list(g.get_state_history(c))))\n"
    )
    env = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("It is 12 ")


def test_langgraphs_own_stream_modes() -> None:
    updates = [next(iter(chunk)) for chunk in graph().stream(ask("Double 4"), stream_mode="updates")]
    assert updates == ["begin", "plan", "call", "act", "plan", "summarize", "finish"]
    streamed: Any = graph().stream(ask("Double 4"), stream_mode="messages")
    said = [message.content for message, _ in streamed]
    assert said == ["Double it.", "8", "It is 8"]
    values = list(graph().stream(ask("Double 4"), stream_mode="values"))
    assert values[-1]["messages"][-1].content == "It is 8"


def test_two_runs_at_once() -> None:
    compiled = graph()

    async def main() -> list[Any]:
        return list(await asyncio.gather(*(compiled.ainvoke(ask(f"Double {i}")) for i in (3, 30))))

    for out, number in zip(asyncio.run(main()), (3, 30), strict=True):
        assert_answered(out["messages"], number)


def test_every_model_is_released_by_the_bare_graph() -> None:
    used = models()
    build_graph(load_team("umi"), models=used, toolbox=as_toolbox([double])).invoke(ask("Double 4"))
    session = used["planner"].requests[0].session
    assert all(model.released == [session.replace("planner", role)] for role, model in used.items())


def test_the_graph_says_what_it_takes_and_gives() -> None:
    """What LangGraph's API server, its studio, and an agent that is another's tool ask for."""
    made = graph()
    for schema in (made.get_input_jsonschema(), made.get_output_jsonschema()):
        assert list(schema["properties"]) == ["messages"]
        assert "HumanMessage" in schema["$defs"]
    assert made.get_input_schema().model_validate({"messages": [HumanMessage("Double 4")]})
    assert made.get_output_schema().model_validate({"messages": [AIMessage("8")]})


@pytest.mark.filterwarnings("ignore:This API is in beta")
def test_the_graph_can_be_offered_as_another_agents_tool() -> None:
    """Calling it is LangChain's: as of langchain-core 1.8 its own `MessagesState` graphs take no messages as a tool."""
    described = convert_to_openai_tool(graph().as_tool(name="expert", description="Doubles."))["function"]
    assert (described["name"], list(described["parameters"]["properties"])) == ("expert", ["messages"])
