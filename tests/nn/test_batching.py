"""Continuous batching: whoever shares a batch, each job writes what it would write alone, and fails alone."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from alpha_umi.models.protocol import Completion, Generation, Request
from alpha_umi.roles import ROLES

if TYPE_CHECKING:
    import torch
    from tiny_models import conversation, save_adapter, tiny_engine, tiny_llama
    from transformers import PreTrainedTokenizerBase

    from alpha_umi.models.local.engine import Engine
    from alpha_umi.models.local.local_model import LocalModel, complete_together
    from alpha_umi.nn.packing import BACKBONE, PackedSequence

    Ways = list[LocalModel]

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def engine(tokenizer: PreTrainedTokenizerBase) -> Engine:
    return tiny_engine(tokenizer)


@pytest.fixture(scope="module")
def models(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Ways:
    """Adapters over the backbone's keys, an adapter over its own, a full role, and the backbone itself."""
    folder = tmp_path_factory.mktemp("adapters")
    names = [engine.add_adapter(save_adapter(folder / str(seed), seed)) for seed in (1, 2)]
    partial = engine.add_adapter(save_adapter(folder / "partial", 3, targets=["q_proj", "v_proj", "lm_head"]))
    full = engine.add_model(tiny_llama(4), "full")
    shared = [LocalModel(engine, writer=name, reader=BACKBONE) for name in (*names, partial, full)]
    return [*shared, LocalModel(engine, writer=names[0]), LocalModel(engine)]


def request(number: int, session: str = "", **more: Any) -> Request:
    """Prompts and limits of all lengths, every other one sampled."""
    settings: dict[str, Any] = {"max_new_tokens": 3 + number * 5 % 17, "repetition_window": 0}
    if number % 2:
        settings |= {"temperature": 0.8, "seed": number}
    messages = conversation(then=(f"port {number} " * (1 + number * 7 % 23), ROLES[number % 3]))
    return Request(messages=messages, session=session, generation=Generation(**settings), **more)


def alone(model: LocalModel, request: Request) -> Completion:
    return model.complete(Request(messages=request.messages, generation=request.generation))


def in_threads(calls: list[Callable[[], Any]]) -> list[Any]:
    """Run calls at once, none before all threads are there; what one raises is its result."""
    results: list[Any] = [None] * len(calls)
    together = threading.Barrier(len(calls))

    def work(i: int) -> None:
        try:
            together.wait(60)
            results[i] = calls[i]()
        except BaseException as error:
            results[i] = error

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive(), "a call never came back"
    return results


def test_ragged_jobs_of_all_roles_are_as_alone(models: Ways) -> None:
    """More jobs than rows, so that they join and leave midway."""
    asked = [(models[i % len(models)], request(i)) for i in range(40)]
    assert complete_together(asked) == [alone(*each) for each in asked]


def test_calls_of_many_threads_are_as_alone(engine: Engine, models: Ways) -> None:
    sizes: list[int] = []
    forward = engine.forward
    deadline = time.monotonic() + 60

    def counted(spans: Any) -> Any:
        while not sizes and len(engine.batcher._waiting) < 5 and time.monotonic() < deadline:
            time.sleep(0.001)  # the first pass is as slow as others need to come
        sizes.append(len(spans))
        return forward(spans)

    engine.forward = counted  # type: ignore[method-assign]
    asked = [(models[i % len(models)], request(i, session=f"s{i}")) for i in range(24)]
    try:
        done = in_threads([lambda each=each: each[0].complete(each[1]) for each in asked])  # type: ignore[misc]
    finally:
        del engine.forward
    assert done == [alone(*each) for each in asked]
    assert max(sizes) > 4, "they shared passes"
    for i in range(24):
        engine.batcher.release(f"s{i}")
    assert len(engine.cache) == 0


def test_a_job_joins_while_another_writes(models: Ways) -> None:
    late: list[Completion] = []
    thread = threading.Thread(target=lambda: late.append(models[1].complete(request(2))))
    seen: list[str] = []

    def on_text(text: str) -> None:
        seen.append(text)
        if len(seen) == 3:
            thread.start()

    def long(tokens: int, **more: Any) -> Request:
        generation = Generation(max_new_tokens=tokens, repetition_window=0)
        return Request(messages=request(1).messages, generation=generation, **more)

    first = models[0].complete(long(3000, on_text=on_text, should_stop=lambda: bool(late)))
    thread.join(timeout=60)
    assert first.finish_reason == "cancelled", "the other one was done before"
    same = alone(models[0], long(first.completion_tokens))
    assert (first.text, first.completion_tokens) == (same.text, same.completion_tokens)
    assert late == [alone(models[1], request(2))]


@pytest.mark.parametrize("error", [ValueError("mine"), SystemExit(3)])
def test_what_a_callback_raises_hurts_its_own_job_only(error: BaseException, engine: Engine, models: Ways) -> None:
    def fail(*_: object) -> Any:
        raise error

    good = [(models[i % 3], request(i, session=f"g{i}")) for i in range(4)]
    bad = [request(7, session="b", on_text=fail), request(8, session="c", should_stop=fail)]
    calls: list[Callable[[], Any]] = [lambda each=each: each[0].complete(each[1]) for each in good]  # type: ignore[misc]
    calls += [lambda r=r: models[0].complete(r) for r in bad]  # type: ignore[misc]
    done = in_threads(calls)
    assert done[:4] == [alone(*each) for each in good]
    assert done[4:] == [error, error]
    for _, each in good:
        engine.batcher.release(each.session)
    again = models[0].complete(request(7, session="b"))  # and its session can be used
    assert again.text == alone(models[0], request(7)).text
    engine.batcher.release("b")
    engine.batcher.release("c")


def test_each_token_can_be_the_last(models: Ways) -> None:
    told: list[str] = []
    stopped = request(4, on_text=told.append, should_stop=lambda: len(told) >= 2)
    done = complete_together([(models[0], stopped), (models[1], request(5))])
    assert done[0].finish_reason == "cancelled"
    assert done[0].completion_tokens == 2
    assert alone(models[0], request(4)).text.startswith(done[0].text)
    assert done[1] == alone(models[1], request(5))


def test_requests_of_one_session_take_turns(engine: Engine, models: Ways) -> None:
    same = [(models[0], request(1, session="one")), (models[1], request(1, session="one"))]
    first, second = complete_together([*same, (models[2], request(2))])[:2]
    assert (first.text, second.text) == tuple(alone(*each).text for each in same)
    assert second.encoded_tokens < first.encoded_tokens, "the second finds what the first encoded"
    engine.batcher.release("one")


def test_a_failed_pass_fails_its_jobs_and_no_later_one(engine: Engine, models: Ways) -> None:
    def broken(spans: list[PackedSequence]) -> list[torch.Tensor]:
        raise RuntimeError("no memory")

    engine.forward = broken  # type: ignore[method-assign, assignment]
    try:
        with pytest.raises(RuntimeError, match="no memory"):
            complete_together([(models[0], request(1, session="f")), (models[1], request(2))])
    finally:
        del engine.forward
    assert models[0].complete(request(1, session="f")).text == alone(models[0], request(1)).text
    engine.batcher.release("f")


def test_a_driver_that_is_interrupted_leaves_the_others_whole(engine: Engine, models: Ways) -> None:
    driving, begun = threading.Event(), threading.Event()

    def interrupt(_: str) -> None:
        driving.set()
        assert begun.wait(60)
        raise KeyboardInterrupt

    def interrupted() -> Completion:
        return models[0].complete(request(3, session="i", on_text=interrupt))

    def other() -> Completion:
        assert driving.wait(60), "an interrupt reaches whoever drives, which must not be this one"
        begun.set()
        return models[1].complete(request(4))

    seen = in_threads([interrupted, other])
    assert isinstance(seen[0], KeyboardInterrupt)
    assert seen[1] == alone(models[1], request(4))
    assert not engine.cache.busy("i")
    engine.batcher.release("i")


def test_callbacks_run_in_their_callers_context(models: Ways) -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")
    heard: dict[str, set[str]] = {"a": set(), "b": set()}

    def call(me: str) -> None:
        name.set(me)
        models[0].complete(request(6, on_text=lambda _: heard[me].add(name.get())))

    in_threads([lambda: call("a"), lambda: call("b")])
    assert heard == {"a": {"a"}, "b": {"b"}}


def test_waiting_for_oneself_is_refused(models: Ways) -> None:
    def ask_again(_: str) -> None:
        models[0].complete(request(1))

    def fork(_: str) -> None:
        models[0].fork("self", "other")

    with pytest.raises(RuntimeError, match="within a callback"):
        models[0].complete(request(2, on_text=ask_again))
    with pytest.raises(RuntimeError, match="within a callback"):
        models[0].complete(request(2, session="self", on_text=fork))
    models[0].release("self")


def test_a_fork_waits_for_the_call_under_way(engine: Engine, models: Ways) -> None:
    forking = threading.Thread(target=lambda: models[0].fork("busy", "copy"))
    told: list[str] = []

    def on_text(text: str) -> None:
        told.append(text)
        if len(told) == 1:
            forking.start()

    models[4].complete(request(9, session="busy", on_text=on_text))
    forking.join(timeout=60)
    assert not forking.is_alive()
    copies = [entry for (session, _), entry in engine.cache._entries.items() if session == "copy"]
    assert len(copies) == 1
    assert len(copies[0].ids) > len(engine.encoder.prompt(request(9).messages)), "what was written is there too"
    models[0].release("busy")
    models[0].release("copy")


def test_a_prompt_beyond_the_context_does_not_join(tokenizer: PreTrainedTokenizerBase, models: Ways) -> None:
    small = LocalModel(Engine(tiny_llama(), models[0].engine.encoder, context=100))
    long = Request(messages=conversation(then=("word " * 100, "planner")))
    done = complete_together([(small, long), (small, request(3))])
    assert done[0].finish_reason == "context"
    assert done[1].completion_tokens > 0
