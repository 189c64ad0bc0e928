"""What a file store is wanted for: finding files, what is in them, and writing, naming and clearing away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.files import tools
from alpha_umi_gym.domains.files.facts import FACTS
from alpha_umi_gym.domains.files.slots import COMMON_WORD, FOLDER, NEW_PATH, TEXT, path_of, word_of
from alpha_umi_gym.domains.reading import as_texts, asking
from alpha_umi_gym.intents import Category, Gives, Intent, Values
from alpha_umi_gym.sampler import DroppedTask
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def _only(result: Any, _: Values) -> str:
    if result["count"] != 1:
        raise DroppedTask("not one file")
    return str(result["paths"][0])


def _all_of(values: Any) -> str:
    return ", ".join(values)


_SEARCHED = Intent(
    tool=tools.search_files,
    words=_WORDS["search_files"],
    slots={"word": word_of(None)},
    gives=Gives(kind="filename", read=_only),
)
assert _SEARCHED.gives is not None
_SEARCHES = (
    _SEARCHED,
    *(
        replace(
            _SEARCHED, slots={"word": word_of(kind)}, gives=replace(_SEARCHED.gives, kind=f"{kind}_file"), root=False
        )
        for kind in ("invoice", "report", "recipe", "trip")
    ),
    Intent(
        tool=tools.search_files,
        words=_WORDS["search_files_count"],
        slots={"word": COMMON_WORD},
        gives=Gives(kind="number", read="count", compares="size"),
        weight=0.7,
    ),
)
_LISTS = (
    Intent(
        tool=tools.list_files,
        words=_WORDS["list_files_count"],
        slots={"folder": FOLDER},
        gives=Gives(kind="number", read="count", compares="size"),
    ),
    Intent(
        tool=tools.list_files,
        words=_WORDS["list_files"],
        slots={"folder": FOLDER},
        gives=Gives(kind="names", read="files", say=_all_of, facts=list),
    ),
)
_READS = (
    Intent(
        tool=tools.read_file,
        words=_WORDS["read_file"],
        slots={"path": path_of(None)},
        gives=Gives(kind="text"),
        weight=3,
    ),
    *(asking(fact, _WORDS, tool=tools.read_file, place="path", slot=path_of(f"{fact.topic}")) for fact in FACTS),
)
_INFOS = (
    Intent(
        tool=tools.file_info,
        words=_WORDS["file_info_size"],
        slots={"path": path_of(None)},
        gives=Gives(kind="count", read="bytes", compares="size"),
    ),
    Intent(
        tool=tools.file_info,
        words=_WORDS["file_info_date"],
        slots={"path": path_of(None)},
        gives=Gives(kind="date", read="modified", compares="date"),
    ),
)

_PATH = path_of(None)


_CHANGING = (
    Intent(
        tool=tools.write_file,
        words=_WORDS["write_file"],
        slots={"path": NEW_PATH, "text": TEXT},
        arguments=as_texts,
        changes=True,
        weight=1.5,
    ),
    Intent(
        tool=tools.write_file,
        words=_WORDS["write_file_overwriting"],
        slots={"path": _PATH, "text": TEXT},
        arguments=lambda v: {**as_texts(v), "overwrite": True},
        changes=True,
    ),
    Intent(
        tool=tools.append_file,
        words=_WORDS["append_file"],
        slots={"path": _PATH, "text": TEXT},
        arguments=as_texts,
        changes=True,
        rivals=("write_file",),
    ),
    Intent(
        tool=tools.append_file,
        words=_WORDS["append_file_and_name_size"],
        slots={"path": _PATH, "text": TEXT},
        gives=Gives(kind="count", read="bytes"),
        arguments=as_texts,
        changes=True,
        rivals=("write_file",),
        weight=0.5,
    ),
    Intent(
        tool=tools.rename_file,
        words=_WORDS["rename_file"],
        slots={"path": _PATH, "new_path": NEW_PATH},
        changes=True,
        rivals=("copy_file", "write_file"),
    ),
    Intent(
        tool=tools.copy_file,
        words=_WORDS["copy_file"],
        slots={"path": _PATH, "new_path": NEW_PATH},
        changes=True,
        rivals=("write_file",),
    ),
    Intent(tool=tools.delete_file, words=_WORDS["delete_file"], slots={"path": _PATH}, changes=True),
    Intent(
        tool=tools.delete_file,
        words=_WORDS["delete_file_and_count"],
        slots={"path": _PATH},
        gives=Gives(kind="number", read="left_in_folder"),
        changes=True,
        weight=0.5,
    ),
)

CATEGORY = Category(
    name="files",
    tools=(
        tools.list_files,
        tools.read_file,
        tools.search_files,
        tools.file_info,
        tools.write_file,
        tools.append_file,
        tools.rename_file,
        tools.copy_file,
        tools.delete_file,
    ),
    intents=(*_SEARCHES, *_LISTS, *_READS, *_INFOS, *_CHANGING),
    held_out=("copy_file", "file_info"),
    alternatives={"search_files": ("read_file", "list_files"), "list_files": ("search_files",)},
)
