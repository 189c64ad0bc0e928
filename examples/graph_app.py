"""The agent inside a larger LangGraph app, and what `langgraph.json` serves.

`agent` alone stands wherever LangChain's `create_agent` would: messages in, messages out. Here it is one node of an
app that adds a note when there was no answer. The team is ALPHA_UMI_TEAM (a run folder, a YAML file, a shipped name).
"""

from __future__ import annotations

import os
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from alpha_umi import Agent, load_tools


def agent() -> Any:
    """The agent's graph with some of the gym's tools: the factory that `langgraph.json` names."""
    return Agent.from_team(os.environ.get("ALPHA_UMI_TEAM", "default"), tools=load_tools("gym:time,gym:units")).graph


def sign(state: MessagesState) -> dict[str, list[AnyMessage]]:
    """Say what to do when the agent found no answer."""
    outcome = state["messages"][-1].additional_kwargs["outcome"]
    return {"messages": [] if outcome == "answered" else [AIMessage("Please ask again in other words.")]}


def app() -> Any:
    """A larger app with the agent as a node."""
    graph = StateGraph(MessagesState)
    graph.add_node("agent", agent())
    graph.add_node("sign", sign)
    graph.add_edge(START, "agent")
    graph.add_edge("agent", "sign")
    graph.add_edge("sign", END)
    return graph.compile()


if __name__ == "__main__":
    for message in app().invoke({"messages": [("user", "What is 12 times 7?")]})["messages"]:
        message.pretty_print()
