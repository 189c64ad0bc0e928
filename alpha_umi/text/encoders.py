"""What encodes a layout's prompts: chat messages (`encoding`), or the text of a raw layout.

A raw layout's is encoded as α-UMi's release does it: the prompt as the tokenizer encodes a text, with the token that
begins one where it writes one; what the role writes apart from it, ending in the end of sequence. The same way for
training and inference.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Protocol

from alpha_umi.digests import text_digest, tokenizer_digest
from alpha_umi.errors import ModelError
from alpha_umi.text.chat_tokenizer import ChatEncoder, Encoded, Tokenizer, TurnTokens, control_breaker, special_tokens
from alpha_umi.text.layouts import Layout
from alpha_umi.text.prompts import Message

_SAMPLE = "user: When is high water?{end} assistant: "


class Encoder(Protocol):
    """Encodes what `prompts` renders: `ChatEncoder`, or `TextEncoder` of a raw layout."""

    tokenizer: Tokenizer
    end_ids: tuple[int, ...]
    """Ids that end what a role writes; generation stops at any of them."""
    date: str | None
    """The day that every prompt names; None where none is named."""

    @property
    def tokenizer_digest(self) -> str:
        """Digest of how the tokenizer encodes."""
        ...

    @property
    def template_digest(self) -> str:
        """Digest of what stands around what is said."""
        ...

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Ids of a prompt."""
        ...

    def row(self, messages: Sequence[Message], *, trained: Collection[int]) -> Encoded:
        """Ids of a whole conversation, with a mask over the messages to learn (by index)."""
        ...

    def tag_ids(self, tag: str) -> list[int]:
        """Ids of a tag with what the template writes after it."""
        ...


class TextEncoder:
    """Encodes a text and what is written after it.

    Args:
        tokenizer: ends a sequence with a token; needs no chat template.
        end: the control token that prompts write themselves (`LayoutFile.end`); all others are broken up.

    Raises:
        ModelError: the tokenizer has no end of sequence.
    """

    def __init__(self, tokenizer: Tokenizer, *, end: str = "") -> None:
        if tokenizer.eos_token_id is None:
            raise ModelError("the tokenizer has no end-of-sequence token, with which a role of a raw layout would end")
        self.tokenizer = tokenizer
        self.end_ids: tuple[int, ...] = (tokenizer.eos_token_id,)
        """Ids that end what a role writes; generation stops at any of them."""
        self.date: str | None = None
        """A raw layout names no day."""
        special = special_tokens(tokenizer)
        self._end = end
        self._prompt_text, self._written_text = control_breaker(special - {end}), control_breaker(special)
        first = tokenizer.encode("a", add_special_tokens=True)[:1]
        self._begin = [i for i in first if i == tokenizer.bos_token_id]

    @cached_property
    def tokenizer_digest(self) -> str:
        """Digest of how the tokenizer encodes (`digests.tokenizer_digest`)."""
        return tokenizer_digest(self.tokenizer)

    @cached_property
    def template_digest(self) -> str:
        """Digest of what a fixed prompt becomes, and of what ends a message."""
        return text_digest([self.prompt([Message(role="text", content=_SAMPLE.format(end=self._end))]), *self.end_ids])

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Ids of a prompt, which is one message."""
        return self.row(messages, trained=()).ids

    def row(self, messages: Sequence[Message], *, trained: Collection[int]) -> Encoded:
        """Ids of a prompt and what was written after it, with a mask over the latter.

        Args:
            messages: the prompt, and where there is one the assistant's message.
            trained: `(1,)` where that message is to be learned.

        Raises:
            ModelError: these are chat messages.
        """
        if messages[0].role != "text" or len(messages) > 2:
            raise ModelError("the prompt is chat messages, but the layout is raw: it is encoded without a template")
        ids = [*self._begin, *self._encode(self._prompt_text(messages[0].content))]
        words = len(ids)
        for message in messages[1:]:
            ids += [*self._encode(self._written_text(message.content)), self.end_ids[0]]
        mask = [i >= words and 1 in trained for i in range(len(ids))]
        return Encoded(ids, mask, [TurnTokens(words, words, len(ids))])

    def tag_ids(self, tag: str) -> list[int]:
        """Ids of a tag, of which a raw layout has none."""
        return self._encode(tag)

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False)) if text else []


def encoder_for(tokenizer: Tokenizer, layout: Layout, *, date: str | None = None) -> Encoder:
    """The encoder of a layout's prompts.

    Args:
        tokenizer: of the base.
        layout: whether its prompts are chat messages or text.
        date: see `ChatEncoder`.

    Raises:
        ModelError: the tokenizer cannot write what the layout needs.
    """
    if layout.raw:
        return TextEncoder(tokenizer, end=layout.file.end)
    return ChatEncoder(tokenizer, date=date)
