"""Wordings as data: a `words.yaml` in the folder of a category has an entry for each of its intents.

Owns reading such files. Knows nothing of tools and slots: an `Intent` takes an entry as its `words`.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

from pydantic import Field

from alpha_umi.errors import ConfigError
from alpha_umi.trajectory import Frozen
from alpha_umi_gym.yaml_data import read_as

Template = Annotated[str, Field(min_length=1)]
Templates = Annotated[tuple[Template, ...], Field(min_length=1)]


class Words(Frozen):
    """The templates of one intent; `Intent` and `Gives` describe each field."""

    goals: Templates
    asks: Templates = ()
    nouns: Templates = ()
    found: Template
    answers: Templates

    def filled(self, **places: str | tuple[str, ...]) -> Words:
        """With a text in each place written <so>; of several texts each template of a list takes the next."""
        texts = {f"<{name}>": (text,) if isinstance(text, str) else text for name, text in places.items()}

        def fill(templates: tuple[str, ...]) -> tuple[str, ...]:
            for place, ways in texts.items():
                templates = tuple(t.replace(place, ways[n % len(ways)]) for n, t in enumerate(templates))
            return templates

        lists = {name: fill(getattr(self, name)) for name in ("goals", "asks", "nouns", "answers")}
        return self.model_copy(update={"found": fill((self.found,))[0], **lists})


class WordsFile:
    """The entries of one `words.yaml` by their keys; it remembers which were asked for."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            ConfigError: it is missing or wrong, with every mistake in it.
        """
        self._path = path
        self._entries = read_as(dict[str, Words], path)
        self.unused = set(self._entries)
        """Keys of entries that no intent has asked for."""

    def __getitem__(self, key: str) -> Words:
        if key not in self._entries:
            raise ConfigError(str(self._path), [f"{key}: there is no such entry"])
        self.unused.discard(key)
        return self._entries[key]


def words_beside(module: str) -> WordsFile:
    """The `words.yaml` in the folder of a module, which gives its `__file__`; read once however many ask."""
    return _words_file(Path(module).with_name("words.yaml"))


_words_file = functools.cache(WordsFile)
