"""Many runs at once: in order, fair, cancellable, without leaving anything behind."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import time

import pytest

from alpha_umi import Agent, ScriptedModel
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.models.protocol import Request
from alpha_umi.testing import scripted_models


def echo() -> dict[str, ScriptedModel]:
    """A team that answers with the question's own number, after one call."""

    def plan(request: Request) -> str:
        seen = any(re.search(r"seen \d", message.content) for message in request.messages)
        return "Done. Next: conclusion." if seen else "Look. Next: caller."

    def number(request: Request) -> str:
        found = re.search(r"Look (\d+) up", request.messages[1].content)
        assert found is not None
        return found[1]

    return scripted_models(
        plan,
        lambda request: f'Action: look\nAction Input: {{"at": {number(request)}}}',
        lambda request: f"It was {number(request)}",
    )


def look(at: int) -> str:
    """Look at a number."""
    return f"seen {at}"


def test_results_come_in_the_order_of_the_questions() -> None:
    def slow(at: int) -> str:
        """Look at a number."""
        time.sleep(0.02 if at % 3 else 0.1)
        return f"seen {at}"

    slow.__name__ = "look"
    results = Agent.from_team("umi", tools=[slow], models=echo()).batch([f"Look {n} up" for n in range(12)], parallel=5)
    assert [result.answer for result in results if not isinstance(result, BaseException)] == [
        f"It was {n}" for n in range(12)
    ]


def test_no_more_runs_at_a_time_than_asked_for() -> None:
    lock, now, most = threading.Lock(), 0, 0
    two = threading.Event()

    def counted(at: int) -> str:
        """Look at a number."""
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if most > 1:
                two.set()
        two.wait(60)
        time.sleep(0.03)
        with lock:
            now -= 1
        return f"seen {at}"

    counted.__name__ = "look"
    Agent.from_team("umi", tools=[counted], models=echo()).batch([f"Look {n} up" for n in range(12)], parallel=4)
    assert 1 < most <= 4


def test_a_run_that_fails_stands_in_the_list_or_stops_the_others() -> None:
    models = echo()
    good = models["summarizer"]

    def sometimes(request: Request) -> str:
        if "Look 2 up" in request.messages[1].content:
            raise WorkError("the server is gone")
        return good.complete(request).text

    models["summarizer"] = ScriptedModel(sometimes)
    agent = Agent.from_team("umi", tools=[look], models=models)
    questions = [f"Look {n} up" for n in range(4)]
    results = agent.batch(questions, return_exceptions=True)
    assert [isinstance(result, WorkError) for result in results] == [False, False, True, False]
    with pytest.raises(WorkError, match="the server is gone"):
        agent.batch(questions)
    with pytest.raises(UsageError, match="parallel"):
        agent.batch(questions, parallel=0)
    assert agent.batch([]) == []


def test_a_batch_can_be_cancelled() -> None:
    begun, let_go = threading.Semaphore(0), threading.Event()

    def wait(at: int) -> str:
        """Look at a number."""
        begun.release()
        let_go.wait(120)
        return f"seen {at}"

    wait.__name__ = "look"
    models = echo()
    agent = Agent.from_team("umi", tools=[wait], models=models)

    async def cancelled() -> None:
        batch = asyncio.create_task(agent.abatch([f"Look {n} up" for n in range(10)], parallel=3))
        for _ in range(3):
            assert await asyncio.to_thread(begun.acquire, timeout=60)
        batch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await batch

    started = time.monotonic()
    asyncio.run(cancelled())
    let_go.set()
    assert time.monotonic() - started < 60
    assert not begun.acquire(blocking=False)  # no other run was begun
    assert models["summarizer"].requests == []


def test_events_come_with_the_index_of_their_question() -> None:
    told: list[tuple[int, str]] = []
    agent = Agent.from_team("umi", tools=[look], models=echo())
    agent.batch(["Look 0 up", "Look 1 up"], on_event=lambda index, event: told.append((index, event.kind)))
    for index in (0, 1):
        assert [kind for i, kind in told if i == index][-1] == "finished"


@pytest.mark.slow
def test_many_runs_leave_nothing_behind() -> None:
    """Runs add fewer objects than they are: none leaves one behind (`benchmarks.memory` plots a thousand)."""
    models = echo()
    agent = Agent.from_team("umi", tools=[look], models=models)

    def runs(n: int) -> None:
        for begin in range(0, n, 50):
            agent.batch([f"Look {i} up" for i in range(begin, begin + 50)])
            for model in models.values():  # the scripted model remembers by design
                model.requests.clear()
                model.released.clear()

    runs(50)  # what is loaded and cached once
    threads = threading.active_count()
    gc.collect()
    before = len(gc.get_objects())
    runs(200)
    deadline = time.monotonic() + 60
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)  # one that has done its work may be about to end
    gc.collect()
    left = len(gc.get_objects()) - before
    assert left < 200, f"{left:,} objects more"
    assert threading.active_count() <= threads
