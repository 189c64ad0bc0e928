"""Chat messages -> token ids, the same way for training and inference.

A conversation is encoded piece by piece: what stands before an assistant message, the message itself, what follows.
Pieces are tokenised apart, so the ids of a prompt are by construction the beginning of the ids of every prompt that
extends it, whatever the tokenizer would merge across the seam; and a role's tag with what the template writes after it
is a piece too, so that its ids are the same in every conversation. Works with any chat template that is
prefix-preserving, with the system message on its own or merged into the first user message.
Needs a tokenizer only; knows nothing of trajectories, labels or tensors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from alpha_umi.digests import text_digest, tokenizer_digest
from alpha_umi.errors import ModelError
from alpha_umi.text.pinned_date import PINNED_DATE, names_date, with_pinned_date
from alpha_umi.text.prompts import Message


class Tokenizer(Protocol):
    """What is used of a transformers tokenizer."""

    bos_token_id: int | None
    eos_token_id: int | None
    eos_token: str | None

    @property
    def all_special_tokens(self) -> list[str]: ...

    @property
    def added_tokens_decoder(self) -> dict[int, Any]: ...

    def get_chat_template(self) -> str: ...

    def apply_chat_template(self, conversation: list[dict[str, str]], **options: Any) -> Any: ...

    def encode(self, text: str, *, add_special_tokens: bool = ...) -> list[int]: ...

    def decode(self, token_ids: Any, **options: Any) -> Any: ...


class TurnTokens(NamedTuple):
    """Where an assistant message stands among the ids of its conversation."""

    tag: int
    """Where its role tag begins: in a shared layout the backbone reads what is before it, and the role's own weights go
    on from here. Equal to `words` where there is no tag."""
    words: int
    """Where the message begins, which is where its prompt ends."""
    end: int
    """Where it ends, its end token included; for the message that a prompt asks for, `words`."""


class Encoded(NamedTuple):
    """Ids of a conversation, which of them are to be learned, and where its assistant messages stand."""

    ids: list[int]
    trained: list[bool]
    """True on the tokens of the chosen messages and on the end token of each."""
    turns: list[TurnTokens]


class _Piece(NamedTuple):
    """A stretch of the template's text that is tokenised apart."""

    text: str
    message: int | None = None
    """Index of the assistant message that it is; None for what stands between."""
    tag: bool = False
    """Whether it is a tag with what the template writes after it."""


def special_tokens(tokenizer: Tokenizer) -> frozenset[str]:
    """Every token that means something other than its letters. Llama 3 and Gemma register most of theirs as added
    tokens alone, which `all_special_tokens` leaves out."""
    added = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    return frozenset(added.union(tokenizer.all_special_tokens))


def control_breaker(control: Collection[str]) -> Callable[[str], str]:
    """What makes of a text one in which control tokens are broken up: a tool that writes `<|im_end|>` into its result
    must not be able to end the user's turn and speak as someone else."""
    tokens = sorted((token for token in control if len(token) > 1), key=len, reverse=True)
    if not tokens:
        return str
    pattern = re.compile("|".join(map(re.escape, tokens)))
    return lambda text: pattern.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)


_PROBE = ("Quartz", "Amber", "Birch", "Cedar", "Delta", "Ember")
"""How the messages of a conversation begin that is written to see what a template makes of it."""

_SAMPLE = (
    ("system", "You call tools.\n\nfind(name: string): Finds.\n"),
    ("user", "  When is high water?\n[planner]"),
    ("assistant", "I look it up. Next: caller.\n"),
    ("user", "[caller]"),
    ("assistant", 'Action: find\nAction Input: {"name": "Brix"}'),
    ("user", '{"high": "14:10"} \n\n[planner]'),
)
"""A conversation as ours are, with white space where templates differ."""


class ChatEncoder:
    """Encodes messages with one tokenizer and its chat template."""

    def __init__(self, tokenizer: Tokenizer, *, date: str | None = None) -> None:
        """Check that the template's prompts extend one another.

        Args:
            tokenizer: has a chat template.
            date: the day (YYYY-MM-DD) that prompts name where the template names one; by default a fixed one, never
                today's.

        Raises:
            ModelError: the template rewrites earlier messages or cannot be used.
        """
        self.tokenizer = tokenizer
        template = _template_of(tokenizer)
        self.date = (date or PINNED_DATE) if names_date(template) else None
        """The day that every prompt names; None where the template names none."""
        self._options = with_pinned_date(template, self.date) if self.date is not None else {}
        self._special = special_tokens(tokenizer)
        self._without_control = control_breaker(self._special)
        self._lead = ""
        """White space that the template puts before what the assistant says (Mistral, Llama 2); part of the prompt."""
        self._end_text = ""
        """What the template writes after what the assistant says, e.g. `<|im_end|>` and how the next turn begins."""
        self._merge_system = not self._keeps_prefixes(merge=False)
        if self._merge_system and not self._keeps_prefixes(merge=True):
            raise ModelError(
                "the tokenizer's chat template rewrites earlier messages or leaves some out, so prompts cannot extend "
                "one another; use a prefix-preserving template"
            )
        self._piece = lru_cache(maxsize=4096)(self._encode_piece)
        self.end_ids = self._end_ids()
        """Ids that end an assistant message; generation stops at any of them."""

    @cached_property
    def tokenizer_digest(self) -> str:
        """Digest of how the tokenizer encodes (`digests.tokenizer_digest`)."""
        return tokenizer_digest(self.tokenizer)

    @cached_property
    def template_digest(self) -> str:
        """Digest of what the chat template makes of a fixed conversation, and of what ends a message."""
        chat = self._as_chat([Message(role=role, content=text) for role, text in _SAMPLE])
        texts = [self._prompt_text(chat[:n]) for n in range(1, len(chat) + 1) if chat[n - 1]["role"] == "user"]
        return text_digest([texts, list(self.end_ids)])

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Ids of a prompt whose last message is the user's, up to where the assistant begins to write."""
        return self.row(messages, trained=()).ids

    def row(self, messages: Sequence[Message], *, trained: Collection[int]) -> Encoded:
        """Ids of a whole conversation with a mask over the messages to learn.

        Args:
            messages: system first, then user and assistant in turn. Ending in a user message it is a prompt.
            trained: indices of assistant messages whose tokens, with their end token, are targets.
        """
        ids: list[int] = []
        mask: list[bool] = []
        turns: list[TurnTokens] = []
        tag: int | None = None
        for text, message, is_tag in self._pieces(messages):
            begin = len(ids)
            ids += self._piece(text)
            if is_tag:
                tag = begin
            if message is not None:
                ids.append(self.end_ids[0])
                turns.append(TurnTokens(begin if tag is None else tag, begin, len(ids)))
                tag = None
            mask += [message is not None and message in trained] * (len(ids) - begin)
        if messages[-1].role != "assistant":
            turns.append(TurnTokens(len(ids) if tag is None else tag, len(ids), len(ids)))
        return Encoded(ids, mask, turns)

    def tag_ids(self, tag: str) -> list[int]:
        """Ids of a tag with what the template writes after it: the same wherever it stands."""
        if self._without_control(tag) != tag:
            raise ModelError(f"the tag {tag} holds a control token of the base's tokenizer: give the role another")
        messages = [Message(role="system", content="s"), Message(role="user", content=f"u\n{tag}", tag=tag)]
        encoded = self.row(messages, trained=())
        return encoded.ids[encoded.turns[-1].tag :]

    def _pieces(self, messages: Sequence[Message]) -> list[_Piece]:
        """The template's text in pieces."""
        chat = self._as_chat(messages)
        shift = len(messages) - len(chat)
        pieces: list[_Piece] = []
        done = ""
        skip = self._end_head()
        for i, message in enumerate(chat):
            if message["role"] != "assistant":
                continue
            opened = self._prompt_text(chat[:i])
            pieces += _at_tag(self._gap(done, opened, skip if pieces else ""), messages[i + shift - 1].tag)
            pieces.append(_Piece(message["content"], i + shift))
            done = opened + message["content"]
        if chat and chat[-1]["role"] != "assistant":
            opened = self._prompt_text(chat)
            pieces += _at_tag(self._gap(done, opened, skip if pieces else ""), messages[-1].tag)
        return pieces

    def _gap(self, done: str, opened: str, skip: str) -> str:
        """What the template writes between two assistant messages, less the end token already encoded."""
        if not opened.startswith(done):
            raise ModelError("the chat template changed an earlier message (it may strip or reorder content)")
        return opened[len(done) :].removeprefix(skip)

    def _as_chat(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        if any(message.role == "text" for message in messages):
            raise ModelError("the prompt is a raw layout's, which no chat template writes")
        chat = [{"role": m.role, "content": self._without_control(m.content)} for m in messages]
        if self._merge_system and chat and chat[0]["role"] == "system":
            first = "\n\n".join(message["content"] for message in chat[:2])
            chat = [{"role": "user", "content": first}, *chat[2:]]
        return chat

    def _prompt_text(self, chat: list[dict[str, str]]) -> str:
        text = self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, **self._options)
        return f"{text}{self._lead}"

    def _encode_piece(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False)) if text else ()

    def _keeps_prefixes(self, *, merge: bool) -> bool:
        """Whether each prompt of a probe conversation extends the one before.

        Only prompts are looked at, as only they are sent: Qwen3 writes an empty thought before the assistant's message
        that ends a text, and before no other.
        """
        self._merge_system, self._lead = merge, ""
        system, *said = (f"{word} {'with a few words more ' * 3}here" for word in _PROBE)
        probe = [Message(role="system", content=system)]
        probe += [Message(role=("user", "assistant")[i % 2], content=text) for i, text in enumerate(said)]
        try:
            prompts = [self._prompt_text(self._as_chat(probe[:n])) for n in (2, 4, 6)]
        except Exception as error:  # templates raise TemplateError for a role they do not know
            if merge:
                raise ModelError(f"the tokenizer's chat template cannot be used: {error}") from error
            return False
        if not all(later.startswith(earlier) for earlier, later in pairwise(prompts)):
            return False
        added = [later[len(earlier) :] for earlier, later in pairwise(prompts)]
        self._lead = added[0][: len(added[0]) - len(added[0].lstrip())]
        self._end_text = added[0].removeprefix(f"{self._lead}{said[1]}")
        whole = system in prompts[0] and said[0] in prompts[0] and said[2] in added[0] and said[4] in added[1]
        return whole and all(text.startswith(self._lead + own) for text, own in zip(added, said[1::2], strict=True))

    def _end_head(self) -> str:
        """The text of the end token as the template writes it; empty when the template writes none."""
        text: str = self.tokenizer.decode([self.end_ids[0]])
        return text if self._end_text.startswith(text) else ""

    def _end_ids(self) -> tuple[int, ...]:
        """The template's own end token first, then the tokenizer's end of sequence."""
        after = self._encode_piece(self._end_text.lstrip())[:1]
        special = [i for i in after if self.tokenizer.decode([i]) in self._special]
        eos = [] if self.tokenizer.eos_token_id is None else [self.tokenizer.eos_token_id]
        ends = tuple(dict.fromkeys([*special, *eos]))
        if not ends:
            raise ModelError("the tokenizer has neither an end-of-turn nor an end-of-sequence token")
        return ends


def _template_of(tokenizer: Tokenizer) -> str:
    try:
        return tokenizer.get_chat_template()
    except ValueError as error:  # none, or several and none of them the default
        raise ModelError(f"the tokenizer's chat template cannot be used: {error}") from error


def _at_tag(gap: str, tag: str) -> list[_Piece]:
    """What stands between two assistant messages, divided where the tag at its end begins."""
    at = gap.rfind(tag) if tag else -1
    return [_Piece(gap)] if at < 0 else [_Piece(gap[:at]), _Piece(gap[at:], tag=True)]
