"""Roles that LangChain chat models speak."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, CallbackManagerForLLMRun
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from alpha_umi import Agent, ScriptedModel
from alpha_umi.backends import Generation
from alpha_umi.errors import WorkError
from alpha_umi.models.langchain import LangChainModel
from alpha_umi.models.protocol import Message, Request


class Silent(GenericFakeChatModel):
    """Says nothing until it is let go."""

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        threading.Event().wait(5)
        yield from super()._stream(messages, stop, run_manager, **kwargs)


class Broken(GenericFakeChatModel):
    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        raise ConnectionError("no route\nto host")


def saying(*texts: str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage(text) for text in texts]))


def asking(**more: Any) -> Request:
    return Request(messages=[Message(role="system", content="s"), Message(role="user", content="u")], **more)


def test_a_team_may_mix_them() -> None:
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    models: dict[str, Any] = {
        "planner": saying("I add. Next: caller.", "Done. Next: conclusion."),
        "caller": ScriptedModel(['Action: add\nAction Input: {"a": 2, "b": 3}']),
        "summarizer": saying("It is 5."),
    }
    words: list[str] = []
    result = Agent.from_team("umi", tools=[add], models=models).run(
        "What is 2 + 3?", on_event=lambda event: words.append(event.text) if event.kind == "token" else None
    )
    assert result.answer == "It is 5."
    assert len(words) > 5  # streamed word by word
    assert result.usage["planner"].completion_tokens > 0


def test_its_limit_of_tokens_is_held() -> None:
    found = LangChainModel(saying("one two three four five six")).complete(
        asking(generation=Generation(max_new_tokens=3))
    )
    assert found.finish_reason == "length"
    assert "six" not in found.text


def test_a_silent_one_can_be_stopped() -> None:
    found = LangChainModel(Silent(messages=iter([AIMessage("late")]))).complete(asking(should_stop=lambda: True))
    assert (found.finish_reason, found.text) == ("cancelled", "")


def test_what_it_raises_is_one_line() -> None:
    with pytest.raises(WorkError, match="the chat model Broken: no route to host"):
        LangChainModel(Broken(messages=iter([]))).complete(asking())


def team_of_chats() -> Agent:
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    models: dict[str, Any] = {
        "planner": saying("I add. Next: caller.", "Done. Next: conclusion."),
        "caller": saying('Action: add\nAction Input: {"a": 2, "b": 3}'),
        "summarizer": saying("It is 5."),
    }
    return Agent.from_team("umi", tools=[add], models=models)


ASKED: Any = {"messages": [("user", "What is 2 + 3?")]}


class Counting(BaseCallbackHandler):
    """What a tracer would be told."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()
        self.runs: dict[Any, Any] = {}

    def on_chain_start(self, *_: Any, run_id: Any, parent_run_id: Any = None, **__: Any) -> None:
        self.runs[run_id] = parent_run_id

    def on_chat_model_start(self, *_: Any, run_id: Any, parent_run_id: Any = None, **__: Any) -> None:
        self.told["start"] += 1
        self.runs[run_id] = parent_run_id
        assert parent_run_id in self.runs  # under the run's own, as a trace shows it

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.told["token"] += 1

    def on_llm_end(self, *_: Any, **__: Any) -> None:
        self.told["end"] += 1


class CountingLater(AsyncCallbackHandler):
    """The same, to be awaited."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()

    async def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        self.told["start"] += 1

    async def on_llm_end(self, *_: Any, **__: Any) -> None:
        self.told["end"] += 1


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream"])
def test_a_runs_callbacks_are_told_of_its_models(how: str) -> None:
    graph, counting = team_of_chats().graph, Counting()
    config: Any = {"callbacks": [counting]}

    async def asynchronously() -> None:
        if how == "ainvoke":
            await graph.ainvoke(ASKED, config)
        else:
            async for _ in graph.astream(ASKED, config):
                pass

    if how == "invoke":
        graph.invoke(ASKED, config)
    elif how == "stream":
        assert list(graph.stream(ASKED, config))
    else:
        asyncio.run(asynchronously())
    assert (counting.told["start"], counting.told["end"]) == (4, 4)
    assert counting.told["token"] > 10


def test_callbacks_that_are_awaited_are_told_too() -> None:
    counting = CountingLater()
    asyncio.run(team_of_chats().graph.ainvoke(ASKED, {"callbacks": [counting]}))
    assert counting.told == {"start": 4, "end": 4}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_langgraphs_messages_come_token_by_token(asynchronous: bool) -> None:
    graph = team_of_chats().graph

    async def collected() -> list[Any]:
        return [part async for part in graph.astream(ASKED, stream_mode="messages")]

    parts: Any = asyncio.run(collected()) if asynchronous else list(graph.stream(ASKED, stream_mode="messages"))
    tokens = [
        (metadata["langgraph_node"], message.text) for message, metadata in parts if isinstance(message, AIMessageChunk)
    ]
    assert {node for node, _ in tokens} == {"plan", "call", "summarize"}
    assert "".join(text for node, text in tokens if node == "summarize") == "It is 5."
    assert len(tokens) > 10


def test_events_of_langchain_name_the_models() -> None:
    async def kinds() -> Counter[str]:
        return Counter([event["event"] async for event in team_of_chats().graph.astream_events(ASKED, version="v2")])

    found = asyncio.run(kinds())
    assert (found["on_chat_model_start"], found["on_chat_model_end"]) == (4, 4)
    assert found["on_chat_model_stream"] > 10
