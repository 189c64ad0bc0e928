"""Wordings as data: a `words.yaml` in the folder of a category has an entry for each of its intents.

Owns reading such files. Knows nothing of tools and slots: an `Intent` takes an entry as its `words`.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from alpha_umi.config import config_mistakes, read_yaml
from alpha_umi.errors import ConfigError
from alpha_umi.trajectory import Frozen

Templates = Annotated[tuple[str, ...], Field(min_length=1)]
ReadT = TypeVar("ReadT")


class Words(Frozen):
    """The templates of one intent; `Intent` and `Gives` describe each field."""

    goals: Templates
    asks: Templates | tuple[()] = ()
    nouns: Templates | tuple[()] = ()
    found: str
    answers: Templates

    def filled(self, **places: str | tuple[str, ...]) -> Words:
        """With a text in each place written <so>; of several texts each template of a list takes the next."""
        texts = {f"<{name}>": (text,) if isinstance(text, str) else text for name, text in places.items()}

        def fill(templates: tuple[str, ...]) -> tuple[str, ...]:
            for place, ways in texts.items():
                templates = tuple(t.replace(place, ways[n % len(ways)]) for n, t in enumerate(templates))
            return templates

        lists = {name: fill(getattr(self, name)) for name in ("goals", "asks", "nouns", "answers")}
        return Words(found=fill((self.found,))[0], **lists)


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


class _TextLoader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]  # a stub lacks the C loader
    """Takes every scalar for text (the word no is no truth value, 2024 no number) and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"{twice[0]} is there twice", node.start_mark)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return found


def read_as(kind: type[ReadT], path: Path) -> ReadT:
    """A YAML file of texts as a type.

    Raises:
        ConfigError: it is unreadable or wrong, with every mistake in it.
    """
    raw: Mapping[str, Any] = read_yaml(path, loader=_TextLoader)
    try:
        return TypeAdapter(kind).validate_python(raw)
    except ValidationError as error:
        raise ConfigError(str(path), config_mistakes(error)) from error
