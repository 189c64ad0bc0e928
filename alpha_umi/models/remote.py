"""RemoteModel: a role that an OpenAI-compatible server speaks (vLLM, llama.cpp, transformers serve, a hosted API).

The role is the server's model name, so one server with three adapters is a whole team. Chat messages go to
`/chat/completions`, the text of a raw layout to `/completions`. Requests, retries and streaming
are the official client's; here is what the agent needs beside: stopping at once, noticing repetition, counting tokens,
and one line for whatever a server can do wrong.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import openai

from alpha_umi.backends import Served, Structured
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.models.protocol import Completion, Message, Request, estimated_tokens
from alpha_umi.models.streaming import END, StreamBuffer, StreamReader, said, words_of
from alpha_umi.text.output_format import NO_TOOL, format_call
from alpha_umi.text.output_grammar import LOOSEST, Constraint
from alpha_umi.trajectory import Call

_FIRST_PAUSE_S = 0.2
_TOO_LONG = ("context_length_exceeded", "maximum context length", "context length", "too many tokens", "exceeds the")
_GRAMMAR = ("grammar", "schema", "structured", "guided", "guidance", "regex", "pattern")
"""What a refusal speaks of when it is the grammar's fault, and will be so again."""
_REFUSED = {400, 413, 422, 500}
"""Status codes of a prompt that is too long; the last is llama-server's, of older versions."""
_NO_ENDPOINT = {404, 405, 501}
"""Status codes of a server that has chat completions only."""
_LOST = (openai.APIConnectionError, httpx.TransportError)
"""What a connection lost in the middle raises: the first by openai 3, the second by its forerunners."""


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
        self._loosening = threading.Lock()  # conversations raise a level side by side, and it must never sink
        self._counts_usage = True
        self._structured = structured

    @classmethod
    def of(cls, served: Served) -> RemoteModel:
        """The model that a role's configuration names; its key is read from the environment."""
        return cls(
            served.model,
            url=served.url,
            key=os.environ.get(served.api_key_env, ""),
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
        reader = StreamReader(lambda: writing.begun(self._events(request)))
        try:
            while (event := reader.next()) is not END:
                if writing.cancelled() if event is None else not writing.take(event):
                    break
        except UsageError:
            raise
        except openai.APIStatusError as error:
            if error.status_code in _REFUSED and any(words in _told(error).lower() for words in _TOO_LONG):
                return Completion(text="", prompt_tokens=self.count_tokens(request.messages), finish_reason="context")
            raise self._failure(error) from error
        except Exception as error:  # of the client, of the transport mid-stream, or of reading what is no completion
            # Lost after its last word, before the counts, an answer is whole.
            if writing.reason is None or not isinstance(error, _LOST):
                raise self._failure(error, begun=writing.stream is not None) from error
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
        asked = request.constraint is not None and request.constraint.kind == "call" and not _is_text(request)
        return self._structured == "json" and asked

    def _constrained(self, request: Request, level: int) -> dict[str, Any]:
        """The request's grammar in the server's own words, so loose."""
        if request.constraint is None or self._structured == "none":
            return {}
        if self._structured == "grammar":
            grammar = request.constraint.lark(loose={tool.name: level for tool in request.constraint.tools})
            return {"extra_body": {"structured_outputs": {"grammar": grammar}}}
        if not self._as_json(request):
            return {}  # a plan is no JSON
        schema = {"name": "call", "schema": request.constraint.call_schema()}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}

    def _events(self, request: Request) -> Any:
        """The server's stream of chunks, asked for with less as long as the server refuses something."""
        level, counts, its_fault = self._level(request.constraint), self._counts_usage, False
        while True:
            try:
                stream = self._asked(request, level, counts=counts)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                why = _told(error).lower()
                if counts and "stream_options" in why:
                    self._counts_usage = counts = False  # an older server: ask without, from now on
                    continue
                if level >= self._loosest(request.constraint) or any(words in why for words in _TOO_LONG):
                    raise
                # It does not say which tool it cannot express; meanwhile others may have found how loose it has to be.
                level = max(level + 1, self._level(request.constraint))
                its_fault = its_fault or any(word in why for word in _GRAMMAR)
                continue
            if its_fault and request.constraint is not None:
                with self._loosening:
                    self._loose[request.constraint.key] = max(level, self._level(request.constraint))
            return stream

    def _level(self, constraint: Constraint | None) -> int:
        """How loose a grammar this server is known to need; one that it has taken, not one that it may take."""
        return self._loose.get(constraint.key, 0) if constraint is not None and self._structured == "grammar" else 0

    def _loosest(self, constraint: Constraint | None) -> int:
        return LOOSEST if constraint is not None and constraint.tools and self._structured == "grammar" else 0

    def _asked(self, request: Request, level: int, *, counts: bool) -> Any:
        generation = request.generation
        more = self._constrained(request, level)
        if counts:
            more["stream_options"] = {"include_usage": True}
        if generation.seed is not None:
            more["seed"] = generation.seed
        more |= {"model": self.model, "max_tokens": generation.max_new_tokens, "stream": True}
        more |= {"temperature": generation.temperature, "top_p": generation.top_p}
        if _is_text(request):
            return self._asked_text(request.messages[0].content, more)
        messages: Any = [{"role": message.role, "content": message.content} for message in request.messages]
        return self._client.chat.completions.create(messages=messages, **more)

    def _asked_text(self, prompt: str, more: Mapping[str, Any]) -> Any:
        try:
            return self._client.completions.create(prompt=prompt, **more)
        except openai.APIStatusError as error:
            told = _told(error)
            if error.status_code not in _NO_ENDPOINT or "not exist" in told:  # a model that it does not have is 404 too
                raise
            raise UsageError(
                f"the server {self._url} (model '{self.model}') takes no plain text at /completions ({said(told)}), "
                "which a raw layout needs: choose a layout with chat messages, or another server"
            ) from error

    def _failure(self, error: Exception, *, begun: bool = False) -> WorkError:
        """What went wrong, in one line; `begun` when the answer had."""
        if isinstance(error, openai.APITimeoutError):
            return self._failed(f"it gave no answer within {self._timeout:g} s")
        if "Timeout" in type(error).__name__:
            return self._failed(f"it was silent for {self._timeout:g} s")
        if begun and isinstance(error, _LOST):
            return self._failed("its answer broke off", _BrokenOffError)
        if isinstance(error, openai.APIConnectionError):
            return self._failed(f"the connection failed ({said(error.__cause__ or error)})")
        if isinstance(error, openai.OpenAIError):
            return self._failed(said(_told(error)))
        return self._failed(f"it did not answer as an OpenAI-compatible server does ({said(error)})")

    def _failed(self, why: str, kind: type[WorkError] = WorkError) -> WorkError:
        return kind(f"the server {self._url} (model '{self.model}'): {why}")


class _BrokenOffError(WorkError):
    """The connection was lost in the middle of an answer."""


def _pause(seconds: float, should_stop: Callable[[], bool] | None) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (should_stop is not None and should_stop()):
        time.sleep(0.05)


class _Writing(StreamBuffer):
    """What the server's chunks have said so far."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._usage: Any = None
        self.stream: Any = None

    def begun(self, stream: Any) -> Any:
        """Note that the server has begun to answer; from here on a lost connection is a broken answer."""
        self.stream = stream
        return stream

    def take(self, chunk: Any) -> bool:
        """Take one chunk in; False when nothing more is wanted."""
        self._usage = getattr(chunk, "usage", None) or self._usage
        if self.cancelled():
            return False
        for choice in (getattr(chunk, "choices", None) or [])[:1]:  # none in a chunk of counts, or of a filter's words
            if not self.write(words_of(choice)):
                return False
            if choice.finish_reason:  # some servers write "" until the end
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


def _is_text(request: Request) -> bool:
    """Whether the prompt is a raw layout's."""
    return request.messages[0].role == "text"


def _told(error: Exception) -> str:
    """What a server said of its refusal: the client repeats the usual form of it only."""
    body = getattr(error, "body", None)
    detail = body.get("detail") if isinstance(body, Mapping) else body
    words = str(error)
    return f"{words}: {detail}" if isinstance(detail, str) and detail not in words and "<" not in detail[:1] else words


def _call_text(text: str) -> str:
    """A call that a server wrote as JSON, as a caller writes it; what is none stays as it is, to be refused as that."""
    try:
        found = json.loads(text)
        call = Call(tool=found["tool"], arguments=found["arguments"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return text
    return format_call(call) if call.tool != NO_TOOL else text
