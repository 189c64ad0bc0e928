"""What may fill the places of file requests: paths there are and paths to come, words, folders and texts to write."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.files.texts import FOLDERS, KINDS, NOUNS
from alpha_umi_gym.domains.files.tools import Files, words_of
from alpha_umi_gym.intents import Slot
from alpha_umi_gym.sampler import Sampler

_STEMS = ("wishlist", "visitors", "inventory", "ideas", "questions", "results", "phonebook", "backup", "draft", "songs")
NEW_PATHS = tuple(
    f"{kind.folder}/{stem}{number}.{kind.extension}"
    for kind in KINDS.values()
    for stem in _STEMS
    for number in ("", 2, 3)
)
"""Paths at which a fresh world has nothing."""
NO_FILES = tuple(f"{folder}/{name}.pdf" for folder in ("attic", "dungeon", "moonbase") for name in ("secrets", "x-ray"))
NO_WORDS = ("zeppelin", "platypus", "xylophone", "crocodile", "gargoyle", "submarine")
TEXTS = tuple(
    f"{verb} {many} {noun}s"
    for verb in ("Buy", "Sell", "Paint", "Lend", "Order", "Count the")
    for many in ("two", "three", "five", "nine", "fifteen")
    for noun in NOUNS[:20]
)
"""What people have written down."""


def _paths(d: Sampler, kind: str | None = None) -> list[str]:
    return [path for path, file in d.world.part(Files).files.items() if kind in {None, file.kind}]


def _slip(d: Sampler, value: Any) -> str:
    folder, name = str(value).split("/")
    stem, extension = name.split(".")
    return f"{folder}/{d.misspell(stem)}.{extension}"


def path_of(kind: str | None) -> Slot:
    """A file, or one of this kind."""
    return Slot(
        kind=f"{kind}_file" if kind else "filename",
        draw=lambda d: d.split_value(_paths(d, kind)),
        refer=("that file",),
        vague=("the file I told you about", "that file from last week", "my usual file"),
        unknown=lambda d: d.from_short_list(NO_FILES),
        slip=_slip,
    )


def word_of(kind: str | None) -> Slot:
    """A word that stands in one file only, of this kind if there is one."""
    return Slot(
        kind="word",
        draw=lambda d: d.split_value([d.world.part(Files).files[path].about for path in _paths(d, kind)]),
        say=lambda value: (f"'{value}'",),
        unknown=lambda d: d.from_short_list(NO_WORDS),
        slip=lambda d, value: d.misspell(value),
    )


def _common_word(d: Sampler) -> str:
    words = [word for file in d.world.part(Files).files.values() for word in sorted(words_of(file.text))]
    return d.split_value([word for word in words if len(word) > 3])


COMMON_WORD = Slot(kind="word", draw=_common_word, say=lambda value: (f"'{value}'",))
"""A word that stands in one file or more."""
NEW_PATH = Slot(
    kind="new_path",
    draw=lambda d: d.split_value(NEW_PATHS),
    vague=("the name we agreed on", "the usual name", "the name you know"),
    unknown=lambda d: d.from_short_list(NO_FILES),
)
FOLDER = Slot(
    kind="folder",
    draw=lambda d: d.any_value(FOLDERS),
    say=lambda value: (f"'{value}'",),
    unknown=lambda d: d.from_short_list(("attic", "dungeon", "moonbase")),
    slip=lambda d, value: d.misspell(value),
)
TEXT = Slot(
    kind="text",
    draw=lambda d: d.split_value(TEXTS),
    say=lambda value: (f"'{value}'",),
    accepts=("date", "city", "clock", "moment", "weekday", "person", "count", "phone", "email", "free_time"),
    refer=("what you found",),
    vague=("the usual text", "what I dictated yesterday", "the words we agreed on"),
)
