"""LocalModel: the model of one role over an engine: which weights prefill its prompt and which decode.

The *reader* prefills the conversation; the *writer* prefills the role's tag and decodes. In the `paper` layout both are
the role's weights and everything stays in the cache. In `shared` the reader is the backbone, and after a call only its
keys and values stay: a role's words are encoded again, by the backbone, together with what comes next.
"""

from __future__ import annotations

from collections.abc import Sequence

from alpha_umi.models.local.engine import Engine
from alpha_umi.models.protocol import Completion, Message, Request
from alpha_umi.nn.batching import Job
from alpha_umi.nn.packing import BACKBONE


class LocalModel:
    """The Model of one role.

    Args:
        engine: the weights in memory.
        writer: name of the weights (an adapter, or the base) that decode.
        reader: name of the weights that prefill the conversation; None for the writer's.
    """

    def __init__(self, engine: Engine, *, writer: str = BACKBONE, reader: str | None = None) -> None:
        self.engine = engine
        self.writer = writer
        self.reader = writer if reader is None else reader
        self.context_length = engine.context_length

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Length of the prompt in tokens."""
        return len(self.engine.encoder.prompt(messages))

    def complete(self, request: Request) -> Completion:
        """Write the next assistant message, encoding only what the session's cache does not hold."""
        return complete_together([(self, request)])[0]

    def complete_many(self, requests: Sequence[Request]) -> list[Completion]:
        """Complete requests side by side, in the order given. Faster where there are several."""
        return complete_together([(self, request) for request in requests])

    def fork(self, session: str, new: str) -> None:
        """Let a new session begin with all that a session holds; what both have in common is held once."""
        self.engine.batcher.fork(session, new)

    def release(self, session: str) -> None:
        """Forget the session's keys and values."""
        self.engine.batcher.release(session)

    def job(self, request: Request) -> Job:
        """A request made ready for the engine's batch."""
        encoder = self.engine.encoder
        row = encoder.row(request.messages, trained=())
        room = self.engine.context_length - len(row.ids)
        job = Job(
            request=request,
            prompt=row.ids,
            tag=min(row.turns[-1].tag, len(row.ids) - 1),
            reader=self.reader,
            writer=self.writer,
            max_new_tokens=min(request.generation.max_new_tokens, room),
            end_ids=encoder.end_ids,
            guide=None if request.constraint is None else self.engine.guidance.begin(request.constraint),
            text=lambda ids: str(encoder.tokenizer.decode(list(ids), skip_special_tokens=True)),
        )
        if room < 1:
            job.reason = "context"
        return job


def complete_together(asked: Sequence[tuple[LocalModel, Request]]) -> list[Completion]:
    """Complete requests of any roles in one batch for each engine, in the order given."""
    jobs = [model.job(request) for model, request in asked]
    engines = {id(model.engine): model.engine for model, _ in asked}
    for engine in engines.values():
        engine.batcher.run([j for j, (m, _) in zip(jobs, asked, strict=True) if m.engine is engine and not j.done])
    return [_completion(job) for job in jobs]


def _completion(job: Job) -> Completion:
    assert job.reason is not None, "the batch brings every job to its end"
    return Completion(
        text=job.text(job.written),
        prompt_tokens=len(job.prompt),
        encoded_tokens=job.encoded,
        completion_tokens=len(job.written),
        finish_reason=job.reason,
    )
