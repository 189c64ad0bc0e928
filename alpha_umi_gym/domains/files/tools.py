"""A small store of text files in folders: sixteen files of a world, and the tools that read and change them.

Owns the state; what the tools are wanted for is in `files`. Paths are names in a dictionary: the real file system is
never touched. Nobody's clock runs: whatever is written gets the date of the store.
"""

from __future__ import annotations

import datetime
import random
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from alpha_umi_gym.domains.files.texts import FOLDERS, KINDS, NOUNS, text_of
from alpha_umi_gym.lookup import find
from alpha_umi_gym.world import World

_MAX_LISTED = 6
_MAX_LENGTH, _MAX_FILES = 4000, 200
_PATH = re.compile(r"[a-z0-9_-]{1,40}/[a-z0-9_-]{1,40}\.[a-z0-9]{1,5}")
Path = Annotated[str, Field(description="folder/name.ext")]
Text = Annotated[str, Field(max_length=2000)]


@dataclass
class File:
    """One file."""

    text: str
    modified: str
    kind: str = ""
    """What it was made as: a key of `KINDS`, or nothing."""
    about: str = ""
    """The thing that no other file of a fresh world speaks of."""

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.text.encode())


class Files:
    """The files of one episode by path."""

    def __init__(self, chance: random.Random) -> None:
        first = datetime.date(2023, 1, 1)
        self.today = str(first + datetime.timedelta(days=730))
        self.files: dict[str, File] = {}
        nouns = iter(chance.sample(NOUNS, sum(kind.many for kind in KINDS.values())))
        for name, kind in KINDS.items():
            for stem in chance.sample(kind.stems, kind.many):
                day = str(first + datetime.timedelta(days=chance.randrange(720)))
                about = next(nouns)
                text = text_of(kind, about, chance)
                self.files[f"{kind.folder}/{stem}.{kind.extension}"] = File(text, day, name, about)

    def key(self, path: str) -> str:
        """The known spelling of a path.

        Raises:
            LookupError: there is no such file; a close path is suggested.
        """
        return find(path, self.files, what="file")

    def free(self, path: str) -> str:
        """A path at which a new file can be put.

        Raises:
            ValueError: it is no path, or the store is full.
            LookupError: there is no such folder.
            FileExistsError: there is a file.
        """
        plain = path.strip().casefold()
        if not _PATH.fullmatch(plain):
            raise ValueError(f"'{path[:60]}' is not a path like notes/garden.md")
        find(plain.split("/")[0], FOLDERS, what="folder")
        if plain in self.files:
            raise FileExistsError(f"'{plain}' exists already")
        if len(self.files) >= _MAX_FILES:
            raise ValueError("the store is full")
        return plain

    def put(self, path: str, text: str) -> dict[str, int | str]:
        """Give a file this text, and tell its size.

        Raises:
            ValueError: the text is too long.
        """
        if len(text) > _MAX_LENGTH:
            raise ValueError(f"the file would have {len(text)} characters, the limit is {_MAX_LENGTH}")
        self.files[path] = File(text, self.today)
        return {"path": path, "bytes": self.files[path].size}

    def state(self) -> object:
        """What matters of it."""
        return {path: file.text for path, file in sorted(self.files.items())}


def list_files(world: World, folder: str) -> dict[str, Any]:
    """Names of the files in a folder, in alphabetical order."""
    known = find(folder.strip("/ "), FOLDERS, what="folder")
    names = sorted(path.split("/")[1] for path in world.part(Files).files if path.startswith(f"{known}/"))
    return {"count": len(names), "files": names[:_MAX_LISTED]}


def read_file(world: World, path: Path) -> str:
    """Return the whole text of a file."""
    store = world.part(Files)
    return store.files[store.key(path)].text


def write_file(world: World, path: Path, text: Text, overwrite: bool = False) -> dict[str, int | str]:
    """Save a text in a file; one that is there already is replaced only with overwrite=true."""
    store = world.part(Files)
    known = path.strip().casefold()
    if not (overwrite and known in store.files):
        known = store.free(path)
    return store.put(known, text)


def append_file(world: World, path: Path, text: Text) -> dict[str, int | str]:
    """Add a line of text at the end of a file."""
    store = world.part(Files)
    key = store.key(path)
    return store.put(key, f"{store.files[key].text}\n{text}")


def rename_file(world: World, path: Path, new_path: Path) -> str:
    """Give a file another name, or move it to another folder."""
    store = world.part(Files)
    key, free = store.key(path), store.free(new_path)
    store.files[free] = store.files.pop(key)
    return f"{key} is {free} now"


def copy_file(world: World, path: Path, new_path: Path) -> str:
    """Duplicate a file under a second name."""
    store = world.part(Files)
    key, free = store.key(path), store.free(new_path)
    store.files[free] = File(store.files[key].text, store.today)
    return f"{key} is copied to {free}"


def delete_file(world: World, path: Path) -> dict[str, int | str]:
    """Throw a file away."""
    store = world.part(Files)
    key = store.key(path)
    del store.files[key]
    folder = key.split("/")[0]
    return {"deleted": key, "left_in_folder": sum(other.startswith(f"{folder}/") for other in store.files)}


def file_info(world: World, path: Path) -> dict[str, int | str]:
    """Size of a file in bytes and the date on which it was last modified."""
    store = world.part(Files)
    file = store.files[store.key(path)]
    return {"bytes": file.size, "modified": file.modified}


def search_files(world: World, word: Annotated[str, Field(min_length=2, max_length=40)]) -> dict[str, Any]:
    """Which files contain a word, whatever its case."""
    texts = {path: words_of(file.text) for path, file in world.part(Files).files.items()}
    wanted = word.strip().casefold()
    paths = sorted(path for path, words in texts.items() if wanted in words)
    if not paths:
        find(wanted, sorted(set().union(*texts.values())), what="word")
    return {"count": len(paths), "paths": paths[:_MAX_LISTED]}


def words_of(text: str) -> set[str]:
    """The words of a text in lower case."""
    return {word.casefold() for word in re.findall(r"[^\W\d_]+", text)}
