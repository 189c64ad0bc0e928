"""Weights in memory: a backbone, the adapters on it, full role models beside it, and the cache they speak over.

`forward` is the one way in which anything is encoded. It knows nothing of requests; `batching` decides what runs when.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import count, groupby
from pathlib import Path

import torch
from transformers import PreTrainedModel

from alpha_umi.digests import weights_digest
from alpha_umi.errors import ModelError
from alpha_umi.nn import attention
from alpha_umi.nn.batching import Batcher
from alpha_umi.nn.constrained_decoding import Guidance
from alpha_umi.nn.kv_cache import SharedCache
from alpha_umi.nn.lora import Adapters, Stretch, stack_siblings
from alpha_umi.nn.packing import BACKBONE, PackedCache, PackedSequence, Shape, cache_argument
from alpha_umi.text.encoders import Encoder

_loaded = count()


class Engine:
    """A backbone with all that speaks over its cache.

    Args:
        model: the backbone. It is changed for inference here and must not be moved or cast afterwards; its weights may
            be changed in place.
        encoder: of its tokenizer.
        context: positions that prompt and completion may take together; None for all the model has.
        digest: of its weights; left out, no other engine's weights are taken for the same.
    """

    def __init__(
        self, model: PreTrainedModel, encoder: Encoder, *, context: int | None = None, digest: str = ""
    ) -> None:
        _prepare(model)
        self.model = model
        self.encoder = encoder
        self.adapters = Adapters(model)
        self.shape = Shape.of(model)
        self.cache = SharedCache(self.shape)
        self.batcher = Batcher(self)
        vocabulary = int(model.get_output_embeddings().weight.shape[0])
        self.guidance = Guidance(encoder.tokenizer, vocabulary=vocabulary, end_ids=encoder.end_ids)
        self.loading = threading.Lock()
        """Held by a forward pass and while layers are exchanged for an adapter."""
        self._digest = digest or f"loaded-{next(_loaded)}"
        self._models: dict[str, PreTrainedModel] = {BACKBONE: model}
        positions = int(model.config.get_text_config().max_position_embeddings)
        self.context_length = min(positions, context or positions)

    def forget(self) -> None:
        """Drop all keys and values: to be called when weights were changed in a way that torch does not count, as
        through `parameter.data`."""
        self.batcher.forget()

    def add_adapter(self, folder: Path, *, invocation: Sequence[int] = (), merged: bool = False) -> str:
        """Load an adapter, unless one of the same content is loaded.

        Args:
            folder: a PEFT folder.
            invocation: ids of the tag from which on it is going to act, if it is.
            merged: whether to merge it into a copy of the layers it adapts. It then writes as fast as the backbone, for
                the memory of the copies; backbone weights that are changed later are not in them.

        Returns:
            The name it goes by. A folder that has changed is loaded anew under a new name.

        Raises:
            ModelError: it is more than low-rank products, does not fit, or is activated by another tag.
        """
        name = f"{folder.name}@{weights_digest(folder)}{'+merged' if merged else ''}"
        with self.loading:
            if name not in self.adapters.names:
                self.adapters.add(folder, name, invocation=invocation, merged=merged)
        return name

    def add_model(self, model: PreTrainedModel, name: str) -> str:
        """Add a full role model, which speaks over the backbone's keys and values; returns its name.

        Raises:
            ModelError: it is built otherwise than the backbone, so that it could not read them.
        """
        if (shape := Shape.of(model)) != self.shape:
            raise ModelError(f"{name} cannot speak over the backbone's cache: {shape} is not {self.shape}")
        _prepare(model)
        self._models[name] = model
        return name

    def key(self, weights: str) -> str:
        """What the keys and values that some weights made are kept under: their digests, and how often the full
        weights were changed in place since they were loaded."""
        model = self._models.get(weights, self.model)
        state = hash(tuple((p.data_ptr(), 0 if p.is_inference() else p._version) for p in model.parameters()))
        return f"{self._digest}/{weights}/{state}"

    @torch.inference_mode()
    def forward(self, spans: Sequence[PackedSequence]) -> list[torch.Tensor | None]:
        """Encode spans, in at most one pass for each full set of weights. One call at a time.

        Args:
            spans: those of one sequence in order. Of one sequence, those of the backbone and its adapters come before
                those of a role model.

        Returns:
            For each span the logits after its last token, shape (vocabulary,), or None where they were not asked.
        """
        order = sorted(range(len(spans)), key=lambda i: (spans[i].weights in self._models, spans[i].weights))
        # Sorted like this each adapter acts on one stretch; the backbone's own tokens run with the adapters'.
        logits: list[torch.Tensor | None] = [None] * len(spans)
        runs: dict[str, list[int]] = {BACKBONE: []}
        for i in order:
            home = spans[i].weights if spans[i].weights in self._models else BACKBONE
            runs.setdefault(home, []).append(i)
        for home, chosen in runs.items():
            if chosen:
                found = iter(self._run(self._models[home], [spans[i] for i in chosen]))
                for i in chosen:
                    logits[i] = next(found) if spans[i].ask else None
        return logits

    def _run(self, model: PreTrainedModel, spans: Sequence[PackedSequence]) -> torch.Tensor:
        """One forward pass; returns the logits of the spans that ask, (asking spans, vocabulary)."""
        asked: list[int] = []
        stop = 0
        for span in spans:
            stop += len(span.ids)
            if span.ask:
                asked.append(stop - 1)
        with self.loading:
            if model is self.model:
                self.adapters.activate(
                    _stretches(spans, [len(span.ids) for span in spans]), _stretches(spans, [int(s.ask) for s in spans])
                )
            return self._logits(model, spans, asked)

    def _logits(self, model: PreTrainedModel, spans: Sequence[PackedSequence], asked: Sequence[int]) -> torch.Tensor:
        device = self.shape.device
        out = model(
            input_ids=torch.tensor([[i for span in spans for i in span.ids]], device=device),
            position_ids=torch.tensor([[p for span in spans for p in range(span.start, span.end)]], device=device),
            attention_mask=torch.empty((1, 1, 1, 1), device=device),  # or transformers would build one
            **cache_argument(model, PackedCache(spans, self.shape)),
            use_cache=True,
            logits_to_keep=torch.tensor(asked, dtype=torch.long, device=device),
        )
        logits: torch.Tensor = out.logits[0]
        return logits


def _prepare(model: PreTrainedModel) -> None:
    attention.use_on(model)
    stack_siblings(model)


def _stretches(spans: Sequence[PackedSequence], sizes: Sequence[int]) -> list[Stretch]:
    """Where each adapter acts, among tokens of which each span has as many as its size says."""
    found = []
    start = 0
    for name, group in groupby(zip(spans, sizes, strict=True), key=lambda pair: pair[0].weights):
        stop = start + sum(size for _, size in group)
        if name != BACKBONE and stop > start:
            found.append(Stretch(name, start, stop))
        start = stop
    return found
