"""OpenTelemetry spans of a run, under the names of its conventions for generative AI (in development as of 1.41).

A run is `invoke_agent TEAM`, a role's completion in it `chat MODEL`, a tool's call `execute_tool NAME`. Spans hold
counts and names, never what was said. Without the extra `otel`, or without a provider that the app has set up, nothing
is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from langgraph.config import get_config

from alpha_umi import __version__
from alpha_umi.backends import Generation
from alpha_umi.models.protocol import Completion
from alpha_umi.tools.protocol import bubbles_up

try:
    from opentelemetry import trace
except ImportError:  # the extra is not installed: no spans
    trace = None  # type: ignore[assignment]

PARENT = "__alpha_umi_span"
"""Key under `configurable` of the run's span. With underscores, so that no checkpointer stores it."""

Attributes = Mapping[str, str | int | float | list[str]]


class Spanned:
    """A span that is open, or nothing where there is none."""

    def __init__(self, span: Any) -> None:
        self.span = span

    def set(self, **attributes: Any) -> None:
        """Add attributes."""
        if self.span is not None:
            self.span.set_attributes({key: value for key, value in attributes.items() if value is not None})

    def fail(self, kind: str) -> None:
        """Say that it failed, and how."""
        if self.span is not None:
            self.span.set_attribute("error.type", kind)
            self.span.set_status(trace.Status(trace.StatusCode.ERROR))

    def end(self) -> None:
        """End it, if it does not end by itself."""
        if self.span is not None:
            self.span.end()


def begin_run(team: str, thread: str | None) -> Spanned:
    """Begin the span of a run, to be ended. It is not made current: a generator has no context of its own."""
    if trace is None:
        return Spanned(None)
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "alpha_umi",
        "gen_ai.agent.name": team,
    }
    if thread is not None:
        attributes["gen_ai.conversation.id"] = thread
    return Spanned(_tracer().start_span(f"invoke_agent {team}", attributes=attributes))


@contextmanager
def chat(model: str, role: str, generation: Generation) -> Iterator[Spanned]:
    """The span of one completion of a role."""
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "alpha_umi",
        "gen_ai.request.model": model,
        "gen_ai.agent.name": role,
        "gen_ai.request.max_tokens": generation.max_new_tokens,
        "gen_ai.request.temperature": generation.temperature,
    }
    with _span(f"chat {model}", attributes) as span:
        yield span


def said(span: Spanned, completion: Completion) -> None:
    """Add what a completion cost to its span."""
    span.set(
        **{
            "gen_ai.usage.input_tokens": completion.prompt_tokens,
            "gen_ai.usage.output_tokens": completion.completion_tokens,
            "gen_ai.usage.cache_read.input_tokens": completion.prompt_tokens - completion.encoded_tokens,
            "gen_ai.response.finish_reasons": [completion.finish_reason],
        }
    )


@contextmanager
def execute_tool(name: str, key: str) -> Iterator[Spanned]:
    """The span of one call; it is current while the tool works, so that the tool's own spans are its children."""
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": key,
        "gen_ai.tool.type": "function",
    }
    with _span(f"execute_tool {name}", attributes) as span:
        yield span


@contextmanager
def _span(name: str, attributes: Attributes) -> Iterator[Spanned]:
    if trace is None:
        yield Spanned(None)
        return
    parent = get_config().get("configurable", {}).get(PARENT)
    context = None if parent is None else trace.set_span_in_context(parent)
    with _tracer().start_as_current_span(
        name, context=context, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield Spanned(span)
        except BaseException as error:
            if not bubbles_up(error):  # a question to a person is no failure
                span.record_exception(error)
                span.set_status(trace.Status(trace.StatusCode.ERROR, f"{type(error).__name__}: {error}"))
            raise


def _tracer() -> Any:
    return trace.get_tracer("alpha_umi", __version__)
