"""RemoteModel: a role that an OpenAI-compatible server speaks (vLLM, llama.cpp, transformers serve, a hosted API).

The role is the server's model name, so one server with three adapters is a whole team. Requests, retries and streaming
are the official client's; here is what the agent needs beside: stopping at once, noticing repetition, counting tokens,
and one line for whatever a server can do wrong.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import openai

from alpha_umi.constraints import LOOSEST, Constraint
from alpha_umi.errors import WorkError
from alpha_umi.grammar import NO_TOOL, format_call
from alpha_umi.models.base import Completion, Message, Request
from alpha_umi.models.reading import END, Reader, Writing, said
from alpha_umi.roles import Served, Structured
from alpha_umi.trajectory import Call

CHARS_PER_TOKEN = 3.0
"""What a prompt is taken to have when nobody counts it; short, so that it fits rather than not."""
_FIRST_PAUSE_S = 0.2
_TOO_LONG = ("context_length_exceeded", "maximum context length", "context length", "too many tokens", "exceeds the")


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
        self._retries = retries
        self._loose: dict[str, int] = {}
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
        """Write the next assistant message; an answer whose connection is lost is asked for anew.

        Raises:
            WorkError: the server cannot be reached, refuses, or does not answer as it should.
        """
        for attempt in range(self._retries):
            try:
                return self._try(request)
            except _BrokenOffError:
                if request.on_restart is not None:
                    request.on_restart()
                _pause(_FIRST_PAUSE_S * 2**attempt, request.should_stop)
        return self._try(request)

    def _try(self, request: Request) -> Completion:
        writing = _Writing(request)
        reader = Reader(lambda: self._events(request))
        try:
            while (event := reader.next()) is not END:
                if writing.cancelled() if event is None else not writing.take(event):
                    break
        except openai.BadRequestError as error:
            if any(words in str(error).lower() for words in _TOO_LONG):
                return Completion(text="", prompt_tokens=self.count_tokens(request.messages), finish_reason="context")
            raise self._failure(error) from error
        except Exception as error:  # of the client, of the transport mid-stream, or of reading what is no completion
            raise self._failure(error) from error
        finally:
            reader.close()
        if writing.reason is None:
            if writing.pieces:
                raise self._failed("its answer broke off", _BrokenOffError)
            raise self._failed("it answered without a completion")
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
            level = self._loose.get(request.constraint.key, 0)
            grammar = request.constraint.lark(loose={tool.name: level for tool in request.constraint.tools})
            return {"extra_body": {"structured_outputs": {"grammar": grammar}}}
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
            if self._structured == "grammar" and self._loosened(request.constraint, str(error)):
                return self._events(request)
            raise

    def _loosened(self, constraint: Constraint | None, why: str) -> bool:
        """Whether there is a looser grammar to ask with, after one that the server refused; it does not say which tool
        it cannot express."""
        if constraint is None or not constraint.tools or any(words in why.lower() for words in _TOO_LONG):
            return False
        level = self._loose.get(constraint.key, 0)
        self._loose[constraint.key] = min(level + 1, LOOSEST)
        return level < LOOSEST

    def _failure(self, error: Exception) -> WorkError:
        """What went wrong, in one line."""
        if isinstance(error, openai.APITimeoutError):
            return self._failed(f"it gave no answer within {self._timeout:g} s")
        if isinstance(error, openai.APIConnectionError):
            return self._failed(f"the connection failed ({said(error.__cause__ or error)})")
        if isinstance(error, openai.OpenAIError):
            return self._failed(said(error))
        if "Timeout" in type(error).__name__:
            return self._failed(f"it was silent for {self._timeout:g} s")
        if isinstance(error, httpx.TransportError):
            return self._failed("its answer broke off", _BrokenOffError)
        return self._failed(f"it did not answer as an OpenAI-compatible server does ({said(error)})")

    def _failed(self, why: str, kind: type[WorkError] = WorkError) -> WorkError:
        return kind(f"the server {self._url} (model '{self.model}'): {why}")


class _BrokenOffError(WorkError):
    """The connection was lost in the middle of an answer."""


def _pause(seconds: float, should_stop: Callable[[], bool] | None) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (should_stop is not None and should_stop()):
        time.sleep(0.05)


class _Writing(Writing):
    """What the server's chunks have said so far."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._usage: Any = None

    def take(self, chunk: Any) -> bool:
        """Take one chunk in; False when nothing more is wanted."""
        self._usage = getattr(chunk, "usage", None) or self._usage
        if self.cancelled():
            return False
        for choice in chunk.choices[:1]:
            if not self.write(choice.delta.content or ""):
                return False
            if choice.finish_reason is not None:
                # Its counts come after the end, in a chunk of their own.
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
