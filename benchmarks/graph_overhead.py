"""What the agent graph costs beside the models: scripted models against LangGraph's own agent on the same calls.

    python -m benchmarks.graph_overhead             5, 50 and 200 steps, DFSDT, 1,000 runs at once, bytes stored

No model is loaded: ours are scripted and theirs is a fake chat model, so that all that is measured is framework. Times
are CPU seconds of the whole process, so a busy machine changes them little. The agent beside ours is LangChain's
`create_agent`, and where that package is not installed LangGraph's `create_react_agent`, which it grew out of.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sqlite3
import statistics
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from types import FrameType
from typing import Any, NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from alpha_umi import Agent, Budget, ScriptedModel
from alpha_umi.agent.search.frontier import Frontier
from alpha_umi.agent.search.strategies import DFSDT
from alpha_umi.models.protocol import Model
from benchmarks.report import finish, show

TIMES, TIMES_AT_ONCE, SEARCH_SECONDS = 3.0, 2.0, 2.0
SEARCH_CALLS, STORED_STEPS, SAMPLE_S = 200, 100, 0.001
QUESTION = "Which of the doors is open?"
LIMITS = Budget(max_steps=1000, max_tokens=10**12, max_seconds=10**6)
PATHS = LIMITS.model_copy(update={"max_steps": Budget().max_steps})
_PACKAGES = ("langgraph", "langchain_core", "langsmith", "threading", "asyncio", "benchmarks", "pydantic")
_WAITING = {"wait", "select", "get", "_wait_for_tstate_lock", "acquire", "join", "_worker", "watch", "_run_once"}
_WAITING |= {"_write_to_self", "_read_from_self", "within", "_in_thread"}


def look(door: int) -> str:
    """Look whether a door is open."""
    return f"door {door} is shut, as are those beside it"


def scripted(steps: int) -> dict[str, Model]:
    """A team that makes so many calls, then answers."""
    calls = [f'Action: look\nAction Input: {{"door": {n}}}' for n in range(steps)]
    return {
        "planner": ScriptedModel(["I look at the next. Next: caller."] * steps + ["I know. Next: conclusion."]),
        "caller": ScriptedModel(calls),
        "summarizer": ScriptedModel(["None of them."]),
    }


def endless() -> dict[str, Model]:
    """A team that never answers and never repeats itself."""
    doors = iter(range(10**9))
    return {
        "planner": ScriptedModel(lambda _: "I look at the next. Next: caller."),
        "caller": ScriptedModel(lambda _: f'Action: look\nAction Input: {{"door": {next(doors)}}}'),
        "summarizer": ScriptedModel([]),
    }


def short(steps: int) -> dict[str, Model]:
    """A team for many runs at once: what it writes follows from what it reads."""

    def door(request: Any) -> str:
        made = sum("Action Input" in message.content for message in request.messages)
        return f'Action: look\nAction Input: {{"door": {made}}}'

    def plan(request: Any) -> str:
        made = sum("Action Input" in message.content for message in request.messages)
        return "I look at the next. Next: caller." if made < steps else "I know. Next: conclusion."

    return {
        "planner": ScriptedModel(plan),
        "caller": ScriptedModel(door),
        "summarizer": ScriptedModel(lambda _: "None of them."),
    }


def agent(models: dict[str, Model], **more: Any) -> Agent:
    """Ours."""
    return Agent.from_team("umi-shared", tools=[look], models=models, **{"budget": LIMITS, **more})


class Fake(BaseChatModel):
    """Makes so many calls, then answers."""

    steps: int

    @property
    def _llm_type(self) -> str:
        return "fake"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Know them already."""
        return self

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        made = sum(isinstance(message, AIMessage) for message in messages)
        call = {"name": "look", "args": {"door": made}, "id": f"call_{made}", "type": "tool_call"}
        said = AIMessage("I look at the next.", tool_calls=[call]) if made < self.steps else AIMessage("None of them.")
        return ChatResult(generations=[ChatGeneration(message=said)])

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        return self._generate(messages)


def theirs(steps: int) -> tuple[str, Any]:
    """LangChain's agent, and what it is called."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from langchain.agents import create_agent  # type: ignore[import-not-found, unused-ignore]

            return "create_agent", create_agent(Fake(steps=steps), [look])
        except ImportError:
            from langgraph.prebuilt import create_react_agent

            return "create_react_agent", create_react_agent(Fake(steps=steps), [look])


def cpu_of(work: Callable[[], object], *, times: int) -> float:
    """Median CPU seconds of the process."""
    found = []
    for _ in range(times):
        gc.collect()
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return statistics.median(found)


def chain_cpu(steps: int, *, times: int) -> tuple[float, float]:
    """Ours and theirs on as many calls."""
    ours = iter([agent(scripted(steps)) for _ in range(times)])
    _, other = theirs(steps)
    asked, config = {"messages": [("user", QUESTION)]}, {"recursion_limit": 2 * steps + 10}
    mine = cpu_of(lambda: next(ours).run(QUESTION), times=times)
    return mine, cpu_of(lambda: other.invoke(asked, config), times=times)


def at_once_cpu(runs: int, steps: int = 3) -> tuple[float, float]:
    """As many runs at once, ours and theirs."""
    ours, (_, other) = agent(short(steps)), theirs(steps)

    async def gathered() -> None:
        await asyncio.gather(*(other.ainvoke({"messages": [("user", QUESTION)]}) for _ in range(runs)))

    mine = cpu_of(lambda: ours.batch([QUESTION] * runs, parallel=runs), times=1)
    return mine, cpu_of(lambda: asyncio.run(gathered()), times=1)


def search() -> None:
    """A DFSDT that spends all of its calls."""
    found = agent(endless(), budget=PATHS, search=DFSDT(max_calls=SEARCH_CALLS)).run(QUESTION)
    assert isinstance(found.tree, Frontier), "a search has a tree"
    assert found.tree.calls == SEARCH_CALLS


class Counting(JsonPlusSerializer):
    """Counts what is stored."""

    written = 0

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Count it."""
        kind, data = super().dumps_typed(obj)
        self.written += len(data)
        return kind, data


class Stored(NamedTuple):
    """Bytes that a step writes, early and late in a run."""

    early: float
    late: float


def stored(saver: BaseCheckpointSaver[Any], serde: Counting) -> Stored:
    """Bytes that a step writes to a checkpointer at the beginning and at the end of a long chain."""
    at: list[int] = []

    def told(event: Any) -> None:
        if event.kind == "observed":
            at.append(serde.written)

    agent(scripted(STORED_STEPS), threads=saver).run(QUESTION, thread="a", on_event=told)
    return Stored((at[15] - at[5]) / 10, (at[-1] - at[-11]) / 10)


def stored_anywhere() -> dict[str, Stored]:
    """The same for each kind of checkpointer at hand."""
    found, serde = {}, Counting()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # calls are not journaled here
        found["memory"] = stored(InMemorySaver(serde=serde), serde)
        with closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
            found["sqlite"] = stored(SqliteSaver(connection, serde=serde), serde)
    return found


def _part(frame: FrameType | None) -> str | None:
    """What a thread is at: the innermost function of ours, or package of others; None while it waits."""
    if frame is None or frame.f_code.co_name in _WAITING:
        return None
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("alpha_umi"):
            return f"{module.removeprefix('alpha_umi.')}.{frame.f_code.co_qualname}"
        if (package := module.partition(".")[0]) in _PACKAGES[:-1]:
            return package
        frame = frame.f_back
    return None


@contextmanager
def sampled() -> Iterator[Counter[str]]:
    """Counts what the threads are at, as long as it lasts."""
    found, over = Counter[str](), threading.Event()
    before = sys.getswitchinterval()

    def watch() -> None:
        own = threading.get_ident()
        while not over.wait(SAMPLE_S):
            found.update(p for name, at in sys._current_frames().items() if name != own and (p := _part(at)))

    watcher = threading.Thread(target=watch, daemon=True)
    sys.setswitchinterval(0.0002)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()
        sys.setswitchinterval(before)


def shares(work: Callable[[], object], *, most: int = 5) -> list[tuple[str, float]]:
    """The largest shares of a run's time."""
    with sampled() as found:
        work()
    total = sum(found.values())
    return [(name, count / total) for name, count in found.most_common(most)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="+", default=[5, 50, 200])
    parser.add_argument("--runs", type=int, default=1000, help="runs at once")
    options = parser.parse_args()
    agent(scripted(2)).run(QUESTION)  # first calls import and compile
    name, other = theirs(2)
    other.invoke({"messages": [("user", QUESTION)]})
    chains = {n: chain_cpu(n, times=max(2, min(20, 100 // n))) for n in options.steps}
    at_once, searching = at_once_cpu(options.runs), cpu_of(search, times=2)
    bytes_stored = stored_anywhere()
    longest = agent(scripted(max(options.steps)))
    largest = {f"{max(options.steps)} steps": shares(lambda: longest.run(QUESTION)), "DFSDT": shares(search)}
    report(Measured(name, options.runs, chains, at_once, searching, bytes_stored, largest))


class Measured(NamedTuple):
    """All that was measured."""

    beside: str
    runs: int
    chains: Mapping[int, tuple[float, float]]
    at_once: tuple[float, float]
    searching: float
    stored: Mapping[str, Stored]
    largest: Mapping[str, Sequence[tuple[str, float]]]


def report(found: Measured) -> None:
    """Print all of it."""
    name, runs, chains, at_once, searching, bytes_stored, largest = found

    def row(what: str, mine: float, other: float, target: float) -> tuple[str, ...]:
        return what, f"{1000 * mine:,.0f}", f"{1000 * other:,.0f}", f"{mine / other:.2f}x", f"{target:.0f}x"

    show(
        "CPU milliseconds in all",
        ("", "ours", name, "ratio", "at most"),
        [
            *(row(f"{steps} steps", *cpu, TIMES) for steps, cpu in chains.items()),
            row(f"{runs:,} runs of 3 calls at once", *at_once, TIMES_AT_ONCE),
            (f"DFSDT, {SEARCH_CALLS} calls", f"{1000 * searching:,.0f}", "", "", f"{1000 * SEARCH_SECONDS:,.0f} ms"),
        ],
    )
    show(
        f"bytes stored a step, of {STORED_STEPS} steps",
        ("checkpointer", "steps 6 to 15", "the last 10", "ratio"),
        [(n, f"{s.early:,.0f}", f"{s.late:,.0f}", f"{s.late / s.early:.2f}x") for n, s in bytes_stored.items()],
    )
    for what, parts in largest.items():
        show(f"the largest shares of {what}", ("where", "share"), [(n, f"{100 * s:.0f} %") for n, s in parts])
    finish(
        "graph_overhead",
        ratio=max(mine / other for mine, other in chains.values()),
        target=TIMES,
        beside=name,
        steps={str(n): [round(1000 * mine), round(1000 * other)] for n, (mine, other) in chains.items()},
        at_once={"ratio": round(at_once[0] / at_once[1], 2), "target": TIMES_AT_ONCE, "runs": runs},
        search={"seconds": round(searching, 2), "target": SEARCH_SECONDS},
        bytes_a_step={n: [round(s.early), round(s.late)] for n, s in bytes_stored.items()},
    )


if __name__ == "__main__":
    main()
