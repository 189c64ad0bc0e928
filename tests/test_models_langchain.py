"""Roles that LangChain chat models speak."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from alpha_umi import Agent, ScriptedModel, View
from alpha_umi.errors import WorkError
from alpha_umi.models.base import Message, Request
from alpha_umi.models.langchain import LangChainModel
from alpha_umi.roles import Generation


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

    models: dict[View, Any] = {
        View.PLANNER: saying("I add. Next: caller.", "Done. Next: conclusion."),
        View.CALLER: ScriptedModel(['Action: add\nAction Input: {"a": 2, "b": 3}']),
        View.SUMMARIZER: saying("It is 5."),
    }
    words: list[str] = []
    result = Agent.from_team("umi", tools=[add], models=models).run(
        "What is 2 + 3?", on_event=lambda event: words.append(event.text) if event.kind == "token" else None
    )
    assert result.answer == "It is 5."
    assert len(words) > 5  # streamed word by word
    assert result.usage[View.PLANNER].completion_tokens > 0


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
