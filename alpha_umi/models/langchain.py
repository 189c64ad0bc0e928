"""LangChainModel: a role that any LangChain chat model speaks.

The chat model keeps its own settings (temperature, retries, keys); the role's limit of tokens is held by stopping to
read. Grammars are not passed on: LangChain has no common way to say them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage

from alpha_umi.errors import UsageError, WorkError
from alpha_umi.models.protocol import Completion, Message, Model, Request, estimated_tokens
from alpha_umi.models.streaming import END, StreamBuffer, StreamReader, said

_KINDS: Mapping[str, type[BaseMessage]] = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}


class LangChainModel:
    """The Model of one role over a LangChain chat model.

    Args:
        chat: any chat model; `ChatOpenAI`, `ChatOllama`, a fake one of a test.
        context_length: positions that it has.
    """

    def __init__(self, chat: BaseChatModel, *, context_length: int = 8192) -> None:
        self.chat = chat
        self.context_length = context_length

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt, estimated from its characters."""
        return estimated_tokens(messages)

    def release(self, session: str) -> None:
        """Nothing is kept."""

    def complete(self, request: Request) -> Completion:
        """Write the next assistant message.

        Raises:
            UsageError: the prompt is a raw layout's.
            WorkError: the chat model raised.
        """
        if request.messages[0].role == "text":
            raise UsageError(
                f"the chat model {type(self.chat).__name__} takes messages, but the team's layout is raw: its prompts "
                "are plain text, for a model on this machine or a server's /v1/completions"
            )
        messages: list[BaseMessage] = [_KINDS[m.role](content=m.content) for m in request.messages]
        reader = StreamReader(lambda: self.chat.stream(messages))
        writing = StreamBuffer(request)
        usage: Mapping[str, Any] = {}
        try:
            while (chunk := reader.next()) is not END and not writing.cancelled():
                if chunk is None:
                    continue
                usage = getattr(chunk, "usage_metadata", None) or usage
                if not writing.write(str(chunk.text)):
                    break
                if len(writing.pieces) >= request.generation.max_new_tokens or _was_cut(chunk):
                    writing.reason = "length"
                    break
        except Exception as error:  # a chat model may raise anything of its own
            raise WorkError(f"the chat model {type(self.chat).__name__}: {said(error)}") from error
        finally:
            reader.close()
        prompt = int(usage.get("input_tokens") or self.count_tokens(request.messages))
        cached = int((usage.get("input_token_details") or {}).get("cache_read") or 0)
        return Completion(
            text="".join(writing.pieces),
            prompt_tokens=prompt,
            encoded_tokens=max(0, prompt - cached),
            completion_tokens=int(usage.get("output_tokens") or len(writing.pieces)),
            finish_reason=writing.reason or "stop",
        )


def as_model(item: Model | BaseChatModel) -> Model:
    """A Model as it is; a LangChain chat model as one."""
    return LangChainModel(item) if isinstance(item, BaseChatModel) else item


def _was_cut(chunk: BaseMessage) -> bool:
    """Whether a provider says that its own limit ended the text."""
    said_so = chunk.response_metadata.get("finish_reason") or chunk.response_metadata.get("done_reason")
    return isinstance(chunk, AIMessageChunk) and said_so == "length"
