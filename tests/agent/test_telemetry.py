"""OpenTelemetry: the spans of a run, their parents, and what they hold."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from alpha_umi import Agent
from alpha_umi.testing import scripted_models

_exporter = InMemorySpanExporter()


@pytest.fixture(scope="module", autouse=True)
def provider() -> None:
    """The provider is the process's: it can be set once."""
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(_exporter))
    trace.set_tracer_provider(made)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    _exporter.clear()
    return _exporter


def spans_of(exporter: InMemorySpanExporter, question: str, fails: bool = False) -> dict[str, ReadableSpan]:
    def look(at: str) -> str:
        """Look."""
        with trace.get_tracer("of the tool").start_as_current_span("the tool's own"):
            if fails:
                raise LookupError(at)
        return "a secret thing"

    models = scripted_models(
        ["Look. Next: caller.", "Seen. Next: conclusion."], ['Action: look\nAction Input: {"at": "here"}'], ["fine"]
    )
    Agent.from_team("umi", tools=[look], models=models).run(question)
    return {span.name: span for span in exporter.get_finished_spans()}


def test_the_spans_of_a_run(exporter: InMemorySpanExporter) -> None:
    spans = spans_of(exporter, "What is here?")
    assert set(spans) == {
        "invoke_agent umi",
        "chat planner",
        "chat caller",
        "chat summarizer",
        "execute_tool look",
        "the tool's own",
    }
    root = spans["invoke_agent umi"]
    for name in ("chat planner", "chat caller", "chat summarizer", "execute_tool look"):
        parent = spans[name].parent
        assert parent is not None
        assert parent.span_id == root.context.span_id, name
    own = spans["the tool's own"].parent
    assert own is not None
    assert own.span_id == spans["execute_tool look"].context.span_id
    chat = dict(spans["chat caller"].attributes or {})
    assert chat["gen_ai.operation.name"] == "chat"
    assert chat["gen_ai.usage.output_tokens"] == 6
    assert int(str(chat["gen_ai.usage.input_tokens"])) > 10
    tool = dict(spans["execute_tool look"].attributes or {})
    assert (tool["gen_ai.operation.name"], tool["gen_ai.tool.name"]) == ("execute_tool", "look")


def test_spans_hold_nothing_that_was_said(exporter: InMemorySpanExporter) -> None:
    for span in spans_of(exporter, "What is in the purple cupboard?").values():
        text = span.to_json()
        assert "purple" not in text
        assert "secret" not in text


def test_a_tool_that_fails_is_an_error(exporter: InMemorySpanExporter) -> None:
    span = spans_of(exporter, "What is here?", fails=True)["execute_tool look"]
    assert (span.attributes or {})["error.type"] == "tool_error"
    assert not span.status.is_ok


def test_runs_work_without_opentelemetry() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from alpha_umi import Agent, ScriptedModel, RoleName\n"
        "models = {RoleName.PLANNER: ScriptedModel(['Known. Next: conclusion.']), RoleName.CALLER: ScriptedModel([]),\n"
        "          RoleName.SUMMARIZER: ScriptedModel(['yes'])}\n"
        "print(Agent.from_team('umi', tools=[], models=models).run('Is it?').answer)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "yes\n", done.stderr
