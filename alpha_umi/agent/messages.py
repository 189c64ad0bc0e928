"""Trajectory <-> LangChain messages: what the graph takes in and gives out where `create_agent` would stand.

These messages are for the app around the graph and are never what a role reads; that is `prompts`' work alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from alpha_umi.agent.approval import storable
from alpha_umi.agent.state import Result, StopReason
from alpha_umi.errors import UsageError
from alpha_umi.text.prompts import thread_text
from alpha_umi.text.truncation import cut_middle
from alpha_umi.trajectory import Call, Observation, Outcome, Step

_SHORTEST = 100
"""Characters of a turn below which telling of it is of no use."""
_NO_ANSWER = {
    StopReason.PLANNER: "I could not answer this: the planner gave up.",
    StopReason.EXHAUSTED: "I could not answer this: every way that I tried led nowhere.",
    StopReason.FAULTS: "I could not answer this: too many unusable outputs in a row.",
    StopReason.REPETITION: "I could not answer this: I was repeating myself.",
    StopReason.CONTEXT: "I could not finish this: the conversation no longer fits the model.",
}


def question_of(messages: Sequence[AnyMessage]) -> str:
    """The text of the last human message.

    Raises:
        UsageError: there is none, or it is empty.
    """
    human = next((message for message in reversed(messages) if isinstance(message, HumanMessage)), None)
    if human is None:
        raise UsageError("the messages hold no question: the last human message is the question, and there is none")
    question = human.text.strip()
    if not question:
        raise UsageError("the question is empty")
    return str(question)


def with_history(messages: Sequence[AnyMessage], *, max_chars: int) -> str:
    """The question, told with the earlier turns of its thread.

    Args:
        messages: of the whole thread; the last human one is the question.
        max_chars: characters that earlier questions and answers may take. The newest turns are kept whole, and of a
            newest one that is too long by itself the beginning and the end.

    Raises:
        UsageError: there is no question, or it is empty.
    """
    question = question_of(messages)
    kept: list[dict[str, str]] = []
    for turn in reversed(_turns(messages)[:-1]):
        length = len(turn["question"]) + len(turn["answer"])
        if length <= max_chars:
            max_chars -= length
            kept.insert(0, turn)
            continue
        if not kept and max_chars >= _SHORTEST:
            kept = [{key: cut_middle(text, max_chars // 2) for key, text in turn.items()}]
        break
    return thread_text("history", turns=kept, question=question) if kept else question


def _turns(messages: Sequence[AnyMessage]) -> list[dict[str, str]]:
    """Each human message with the last words that were given back to it; calls and what they saw are left out."""
    turns: list[dict[str, str]] = []
    for message in messages:
        if isinstance(message, HumanMessage):
            turns.append({"question": _line(message), "answer": ""})
        elif isinstance(message, AIMessage) and not message.tool_calls and turns:
            turns[-1]["answer"] = _line(message)
    return turns


def _line(message: AnyMessage) -> str:
    """A message's words as one line: what an earlier turn quoted cannot look like the end of the history."""
    return " ".join(str(message.text).split())


def call_messages(step: Step, call: Call, observation: Observation, *, call_id: str) -> list[AnyMessage]:
    """A call and its observation as LangChain has them; a call that could not be read is none."""
    if call.fault is not None:
        return []
    asked = {"name": call.tool, "args": storable(call.arguments), "id": call_id, "type": "tool_call"}
    return [
        AIMessage(content=step.plan.rationale, tool_calls=[asked]),
        ToolMessage(
            content=observation.text,
            name=call.tool,
            tool_call_id=call_id,
            status="success" if observation.ok else "error",
        ),
    ]


def final_message(result: Result) -> AIMessage:
    """The answer, or a plain statement that there is none; the outcome stands in `additional_kwargs`."""
    written = sum(usage.completion_tokens for usage in result.usage.values())
    read = sum(usage.prompt_tokens for usage in result.usage.values())
    return AIMessage(
        content=_no_answer(result) if result.answer is None else result.answer,
        additional_kwargs={"outcome": result.outcome.value, "reason": result.reason and result.reason.value},
        usage_metadata=UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written),
    )


def _no_answer(result: Result) -> str:
    if result.outcome is Outcome.OUT_OF_BUDGET and result.reason not in _NO_ANSWER:
        return f"I could not finish this: the budget of {result.reason} is spent."
    return _NO_ANSWER[result.reason or StopReason.PLANNER]
