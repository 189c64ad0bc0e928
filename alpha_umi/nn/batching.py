"""Continuous batching: calls from many threads, of any roles and sessions, share the forward passes of one engine.

It has no worker thread (leader and followers): the first caller runs the steps of all jobs until its own are done, then
one of those that wait takes over. A step is prefill, decode, or both. A job joins between two steps and leaves when it
is done. What it writes does not depend on who shares the batch: in fp32 its tokens are those it would write alone; in
bf16 a product over more rows may round otherwise, so two tokens whose logits lie within that rounding of each other may
change places, and the texts part from there on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

import torch

from alpha_umi.backends import FinishReason
from alpha_umi.nn.constrained_decoding import Guide
from alpha_umi.nn.kv_cache import Lease, SharedCache
from alpha_umi.nn.packing import PackedSequence
from alpha_umi.nn.repetition import repeats_itself
from alpha_umi.nn.sampling import TextStreamer, token_sampler

if TYPE_CHECKING:
    from alpha_umi.models.protocol import Request

Returned = TypeVar("Returned")

MAX_JOBS = 32
"""Jobs in a batch. A pass over 32 tokens costs a CPU little more than one over 12."""

MAX_PREFILL = 4096
"""Prompt tokens that one step encodes at most, the first job's excepted: more at once would not be faster, only larger
in memory."""


class Forward(Protocol):
    """What is used of an engine."""

    cache: SharedCache

    def forward(self, spans: Sequence[PackedSequence]) -> list[torch.Tensor | None]: ...

    def key(self, weights: str) -> str: ...


@dataclass(eq=False, kw_only=True)
class Job:
    """One completion under way."""

    request: Request
    prompt: list[int]
    tag: int
    """Where the writer begins to read; what stands before it is the reader's."""
    reader: str
    writer: str
    max_new_tokens: int
    """Tokens that may be written."""
    end_ids: Sequence[int]
    text: Callable[[Sequence[int]], str]
    guide: Guide | None = None
    """Holds it to a grammar."""
    written: list[int] = field(default_factory=list)
    reason: FinishReason | None = None
    error: BaseException | None = None
    encoded: int = 0
    """Prompt tokens that had to be encoded."""
    lease: Lease | None = None
    length: int = 0
    """Tokens whose keys and values are in the buffer."""

    def __post_init__(self) -> None:
        if self.reader == self.writer:
            self.tag = len(self.prompt)
        self._sample = token_sampler(self.request.generation)
        self._stream = TextStreamer(self.text, self.request.on_text)
        self._context = copy_context()  # callbacks run in whichever thread leads
        self._write_forced()

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self.reason is not None or self.error is not None

    def begin(self, cache: SharedCache, key: str) -> None:
        """Borrow the session's keys and values. The last prompt token is always encoded: its logits are wanted."""
        self.lease = cache.lease(self.request.session, key, self.prompt, limit=min(self.tag, len(self.prompt) - 1))
        self.length = self.lease.cached

    def end(self, cache: SharedCache) -> None:
        """Give them back, without what the writer's weights made if it is not the reader."""
        if self.lease is not None:
            keep = self.length if self.reader == self.writer else min(self.length, self.tag)
            cache.settle(self.lease, [*self.prompt, *self.written][:keep])

    def spans(self) -> list[PackedSequence]:
        """What the next step has to encode."""
        assert self.lease is not None, "a job begins before it steps"
        buffer, at = self.lease.buffer, self.length
        if at >= len(self.prompt):
            return [PackedSequence(buffer, at, self.written[at - len(self.prompt) :], self.writer)]
        if at < self.tag < len(self.prompt):
            read = PackedSequence(buffer, at, self.prompt[at : self.tag], self.reader, ask=False)
            return [read, PackedSequence(buffer, self.tag, [*self.prompt[self.tag :], *self.written], self.writer)]
        return [PackedSequence(buffer, at, [*self.prompt[at:], *self.written], self.writer)]

    def ask_to_stop(self) -> None:
        """Let the caller end it."""
        if self.request.should_stop is not None and self._guarded(self.request.should_stop):
            self.reason = "cancelled"

    def take(self, logits: torch.Tensor) -> None:
        """Choose the next token and decide whether the job has ended."""
        if self.length < len(self.prompt):
            self.encoded = len(self.prompt) - self.length
        self.length = len(self.prompt) + len(self.written)
        token = self._next(logits)
        if token in self.end_ids:
            self.reason = "stop"
        else:
            self.written.append(token)
            self._write_forced()
            if self.guide is not None and self.guide.done:
                self.reason = "stop"
            elif repeats_itself(self.written, self.request.generation.repetition_window):
                self._repeat()
            elif len(self.written) >= self.max_new_tokens:
                self.reason = "length"
        self._guarded(lambda: self._stream(self.written, final=self.reason is not None))

    def _next(self, logits: torch.Tensor) -> int:
        if self.guide is None:
            return self._sample(logits)
        return self.guide.choose(logits, self._sample, greedy=self.request.generation.temperature <= 0)

    def _write_forced(self) -> None:
        """Write what the grammar leaves no choice about; it needs no logits."""
        if self.guide is not None:
            if self.max_new_tokens - len(self.written) <= self.guide.reserve(self.max_new_tokens):
                self.guide.close()
            self.written += self.guide.forced()[: self.max_new_tokens - len(self.written)]

    def _repeat(self) -> None:
        """A call that goes round in circles can still be closed; anything else ends."""
        if self.guide is not None and self.guide.is_call and not self.guide.closing:
            self.guide.close()
        else:
            self.reason = "repetition"

    def _guarded(self, call: Callable[[], Returned]) -> Returned | None:
        """Run the caller's code; what it raises ends this job and no other."""
        try:
            return self._context.run(call)
        except KeyboardInterrupt:
            raise  # meant for whoever leads
        except BaseException as error:  # raised again where the completion was asked for
            self.error = error
            return None


class Batcher:
    """The jobs of one engine, waiting and running."""

    def __init__(self, engine: Forward, *, max_jobs: int = MAX_JOBS) -> None:
        self._engine = engine
        self._max_jobs = max_jobs
        self.turn = threading.Condition()
        """Held while the queue or the cache changes; never during a forward pass or a callback."""
        self._waiting: deque[Job] = deque()
        self._running: list[Job] = []
        self._leader: int | None = None

    def run(self, jobs: Sequence[Job]) -> None:
        """Bring jobs to their end, with whatever else there is to do.

        Raises:
            Exception: what the first job that failed met with, when all have ended.
        """
        try:
            with self.turn:
                if self._leader == threading.get_ident():
                    raise RuntimeError("a model cannot be asked from within a callback of its own completion")
                self._waiting.extend(jobs)
            self._follow_or_lead(jobs)
        except BaseException:
            self._abandon(jobs)
            raise
        for job in jobs:
            if job.error is not None:
                raise job.error

    def fork(self, session: str, new: str) -> None:
        """Let a new session share what a session holds, once no call is under way on either.

        Raises:
            RuntimeError: called from within a callback, where waiting would have no end.
        """
        with self.turn:
            cache = self._engine.cache
            while cache.busy(session) or cache.busy(new):
                if self._leader == threading.get_ident():
                    raise RuntimeError("a session cannot be forked from within a callback of its own completion")
                self.turn.wait()
            cache.fork(session, new)

    def release(self, session: str) -> None:
        """Forget a session; a call under way goes on over what it holds."""
        with self.turn:
            self._engine.cache.release(session)

    def forget(self) -> None:
        """Drop all that is held; calls under way go on over what they hold."""
        with self.turn:
            self._engine.cache.clear()

    def _follow_or_lead(self, jobs: Sequence[Job]) -> None:
        """Wait while another thread leads, then lead, until the jobs are done."""
        # Leader and followers: whoever asks while nobody leads runs the steps of all jobs, and stops leading when its
        # own are done; otherwise the first to ask would never return while others keep asking.
        with self.turn:
            while self._leader is not None and not all(job.done for job in jobs):
                self.turn.wait()
            if all(job.done for job in jobs):
                return
            self._leader = threading.get_ident()
        try:
            while not all(job.done for job in jobs):
                self._step()
        finally:
            with self.turn:
                self._leader = None
                self.turn.notify_all()

    def _step(self) -> None:
        """One forward pass for all that runs."""
        self._retire()
        self._admit()
        for job in self._running:
            job.ask_to_stop()
        active = [job for job in self._running if not job.done]
        if active:
            spans = [job.spans() for job in active]
            try:
                logits = iter(self._engine.forward([span for each in spans for span in each]))
            except Exception as error:
                for job in active:
                    job.error = error
            else:
                for job, each in zip(active, spans, strict=True):
                    *_, last = (next(logits) for _ in each)
                    assert last is not None, "the last span of a job asks for logits"
                    job.take(last)
        self._retire()

    def _admit(self) -> None:
        """Let jobs in, first come first served; of one session only one at a time."""
        with self.turn:
            new = 0
            held_up: set[tuple[str, str]] = {(job.request.session, job.reader) for job in self._running}
            for job in list(self._waiting):
                if len(self._running) >= self._max_jobs or (new and new + len(job.prompt) > MAX_PREFILL):
                    break
                place = (job.request.session, job.reader)
                if not (job.request.session and place in held_up):
                    self._waiting.remove(job)
                    self._running.append(job)
                    try:
                        job.begin(self._engine.cache, self._engine.key(job.reader))
                    except Exception as error:  # no memory for its keys, say
                        job.error = error
                    new += len(job.prompt) - job.length
                held_up.add(place)

    def _retire(self) -> None:
        """Let those out that are done."""
        with self.turn:
            if any(job.done for job in self._running):
                for job in self._running:
                    if job.done:
                        job.end(self._engine.cache)
                self._running = [job for job in self._running if not job.done]
                self.turn.notify_all()

    def _abandon(self, jobs: Sequence[Job]) -> None:
        """Nobody waits for these any more."""
        with self.turn:
            self._waiting = deque(job for job in self._waiting if job not in jobs)
            for job in jobs:
                if not job.done:
                    job.reason = "cancelled"
            if self._leader is None:
                self._retire()
