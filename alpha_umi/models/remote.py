"""RemoteModel: a role that an OpenAI-compatible server speaks (vLLM, llama.cpp, transformers serve, a hosted API).

The role is the server's model name, so one server with three adapters is a whole team. Requests, retries and streaming
are the official client's; here is what the agent needs beside: stopping at once, noticing repetition, counting tokens,
and one line for whatever a server can do wrong.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

import openai

from alpha_umi.errors import WorkError
from alpha_umi.grammar import NO_TOOL, format_call
from alpha_umi.models.base import Completion, Message, Request
from alpha_umi.models.reading import END, Reader, said
from alpha_umi.models.repetition import repeats_itself
from alpha_umi.roles import Served, Structured
from alpha_umi.trajectory import Call

CHARS_PER_TOKEN = 3.0
"""What a prompt is taken to have when nobody counts it; short, so that it fits rather than not."""
_TOO_LONG = ("context_length_exceeded", "maximum context length", "context length", "too many tokens", "exceeds the")

Reason = Literal["stop", "length", "repetition", "cancelled", "context"]


class RemoteModel:
    """The Model of one role on a server.

    Args:
        model: what the server calls it.
        url: where its API begins.
        key: the API key; a server without one ignores it.
        context_length: positions it has.
        timeout: seconds that it may stay silent.
        retries: further tries after a failure that may pass.
        structured: how the server can be held to a grammar, see `Served.structured`.
        count: tokens of a text; left out, estimated from its length.
    """

    def __init__(
        self,
        model: str,
        *,
        url: str,
        key: str = "none",
        context_length: int = 8192,
        timeout: float = 120.0,
        retries: int = 3,
        structured: Structured = "none",
        count: Callable[[str], int] | None = None,
    ) -> None:
        self.model = model
        self.context_length = context_length
        self._url, self._timeout, self._count = url, timeout, count
        limits = openai.Timeout(timeout, connect=min(timeout, 10.0))
        self._client = openai.OpenAI(base_url=url, api_key=key or "none", timeout=limits, max_retries=retries)
        self._counts_usage = True
        self._structured = structured

    @classmethod
    def of(cls, served: Served) -> RemoteModel:
        """The model that a role's configuration names; its key is read from the environment."""
        return cls(
            served.model,
            url=served.url,
            key=os.environ.get(served.key, ""),
            context_length=served.context,
            timeout=served.timeout,
            retries=served.retries,
            structured=served.structured,
        )

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt: counted, or estimated from its characters."""
        if self._count is not None:
            return sum(self._count(message.content) + 4 for message in messages)
        return estimated_tokens(messages)

    def release(self, session: str) -> None:
        """Nothing is kept here; the server keeps what it likes."""

    def complete(self, request: Request) -> Completion:
        """Write the next assistant message.

        Raises:
            WorkError: the server cannot be reached, refuses, or does not answer as it should.
        """
        writing = _Writing(request)
        reader = Reader(lambda: self._events(request))
        try:
            while (event := reader.next()) is not END:
                if writing.cancelled() if event is None else not writing.take(event):
                    break
        except openai.BadRequestError as error:
            if any(words in str(error).lower() for words in _TOO_LONG):
                return Completion(text="", prompt_tokens=self.count_tokens(request.messages), finish_reason="context")
            raise self._failed(said(error)) from error
        except openai.APITimeoutError as error:
            raise self._failed(f"it gave no answer within {self._timeout:g} s") from error
        except openai.APIConnectionError as error:
            raise self._failed(f"the connection failed ({said(error.__cause__ or error)})") from error
        except openai.OpenAIError as error:
            raise self._failed(said(error)) from error
        except Exception as error:  # of the transport in the middle of a stream, or of reading what is no completion
            if "Timeout" in type(error).__name__:
                raise self._failed(f"it was silent for {self._timeout:g} s") from error
            raise self._failed(f"it did not answer as an OpenAI-compatible server does ({said(error)})") from error
        finally:
            reader.close()
        if writing.reason is None:
            raise self._failed("its answer broke off" if writing.pieces else "it answered without a completion")
        completion = writing.completion(self.count_tokens(request.messages))
        if self._as_json(request):
            completion = completion.model_copy(update={"text": _call_text(completion.text)})
        return completion

    def _as_json(self, request: Request) -> bool:
        """Whether the server is asked for a call as JSON, which it then has to be read from."""
        return self._structured == "json" and request.constraint is not None and request.constraint.kind == "call"

    def _constrained(self, request: Request) -> dict[str, Any]:
        """The request's grammar in the server's own words."""
        if request.constraint is None or self._structured == "none":
            return {}
        if self._structured == "grammar":
            return {"extra_body": {"structured_outputs": {"grammar": request.constraint.lark()}}}
        if not self._as_json(request):
            return {}  # a plan is no JSON
        schema = {"name": "call", "schema": request.constraint.call_schema()}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}

    def _events(self, request: Request) -> Any:
        """The server's stream of chunks."""
        generation = request.generation
        more = self._constrained(request)
        if self._counts_usage:
            more["stream_options"] = {"include_usage": True}
        if generation.seed is not None:
            more["seed"] = generation.seed
        messages: Any = [{"role": message.role, "content": message.content} for message in request.messages]
        try:
            return self._client.chat.completions.create(
                model=self.model,
                messages=messages,
                max_tokens=generation.max_new_tokens,
                temperature=generation.temperature,
                top_p=generation.top_p,
                stream=True,
                **more,
            )
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if self._counts_usage and "stream_options" in str(error):
                self._counts_usage = False  # an older server: ask without, from now on
                return self._events(request)
            raise

    def _failed(self, why: str) -> WorkError:
        return WorkError(f"the server {self._url} (model '{self.model}'): {why}")


class _Writing:
    """What a stream has said so far."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.pieces: list[str] = []
        self.reason: Reason | None = None
        self._usage: Any = None

    def cancelled(self) -> bool:
        """Whether the run asked to stop; then that is the end."""
        if self._request.should_stop is not None and self._request.should_stop():
            self.reason = "cancelled"
        return self.reason == "cancelled"

    def take(self, chunk: Any) -> bool:
        """Take one chunk in; False when nothing more is wanted."""
        self._usage = getattr(chunk, "usage", None) or self._usage
        if self.cancelled():
            return False
        for choice in chunk.choices[:1]:
            piece = choice.delta.content or ""
            if piece:
                self.pieces.append(piece)
                if self._request.on_text is not None:
                    self._request.on_text(piece)
                if repeats_itself(self.pieces, self._request.generation.repetition_window):
                    self.reason = "repetition"
                    return False
            if choice.finish_reason is not None:
                self.reason = "length" if choice.finish_reason == "length" else "stop"
        return True

    def completion(self, estimated: int) -> Completion:
        """The completion, with the server's counts where it gave them."""
        usage = self._usage
        prompt = getattr(usage, "prompt_tokens", None) or estimated
        details = getattr(usage, "prompt_tokens_details", None)
        cached = getattr(details, "cached_tokens", None) or 0
        return Completion(
            text="".join(self.pieces),
            prompt_tokens=prompt,
            encoded_tokens=max(0, prompt - cached),
            completion_tokens=getattr(usage, "completion_tokens", None) or len(self.pieces),
            finish_reason=self.reason or "stop",
        )


def estimated_tokens(messages: Sequence[Message]) -> int:
    """What a prompt is taken to have when nobody counts it."""
    return round(sum(len(message.content) for message in messages) / CHARS_PER_TOKEN) + 4 * len(messages)


def _call_text(text: str) -> str:
    """A call that a server wrote as JSON, as a caller writes it; what is none stays as it is, to be refused as that."""
    try:
        found = json.loads(text)
        call = Call(tool=found["tool"], arguments=found["arguments"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return text
    return format_call(call) if call.tool != NO_TOOL else text
