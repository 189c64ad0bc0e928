"""A model that replays given texts: for tests of anything built on this package, ours and yours.

It records every request, so a test can assert what the agent asked. It counts whitespace-separated words as tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from alpha_umi.errors import WorkError
from alpha_umi.models.protocol import Completion, Message, Request


@lru_cache(maxsize=1024)
def _words(text: str) -> int:
    return len(text.split())


class ScriptedModel:
    """Answers each request with the next text of a script, or with what a function makes of the request."""

    def __init__(
        self,
        script: Iterable[str] | Callable[[Request], str],
        *,
        context_length: int = 1_000_000,
        repeat_last: bool = False,
        name: str = "",
    ) -> None:
        self.name = name
        """Whose words it writes, for what it says when they have ended."""
        self._function = script if callable(script) else None
        self._texts = [] if callable(script) else list(script)
        self._repeat_last = repeat_last
        self.context_length = context_length
        self.requests: list[Request] = []
        """Every request so far, in order."""
        self.released: list[str] = []
        """Sessions given back so far."""

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Number of whitespace-separated words in all messages."""
        return sum(_words(message.content) for message in messages)

    def complete(self, request: Request) -> Completion:
        """Return the next text of the script.

        Raises:
            WorkError: the script has ended.
        """
        index = len(self.requests)
        self.requests.append(request)
        if self._function is not None:
            text = self._function(request)
        elif index < len(self._texts):
            text = self._texts[index]
        elif self._repeat_last and self._texts:
            text = self._texts[-1]
        else:
            whose = f"the script of the {self.name}" if self.name else "the script of a model"
            raise WorkError(f"{whose} holds {len(self._texts)} texts, and text {index + 1} was asked for")
        if request.on_text is not None:
            request.on_text(text)
        length = self.count_tokens(request.messages)
        return Completion(text=text, prompt_tokens=length, encoded_tokens=length, completion_tokens=len(text.split()))

    def release(self, session: str) -> None:
        """Record that the session was given back."""
        self.released.append(session)
