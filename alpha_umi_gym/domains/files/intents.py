"""What a file store is wanted for: finding files, what is in them, and writing, naming and clearing away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.files.changes import CHANGING
from alpha_umi_gym.domains.files.facts import FACTS
from alpha_umi_gym.domains.files.slots import COMMON_WORD, FOLDER, path_of, word_of
from alpha_umi_gym.domains.files.tools import (
    append_file,
    copy_file,
    delete_file,
    file_info,
    list_files,
    read_file,
    rename_file,
    search_files,
    write_file,
)
from alpha_umi_gym.domains.reading import asking
from alpha_umi_gym.intents import Category, Gives, Intent, Values
from alpha_umi_gym.sampler import DroppedTask


def _only(result: Any, _: Values) -> str:
    if result["count"] != 1:
        raise DroppedTask("not one file")
    return str(result["paths"][0])


def _all_of(values: Any) -> str:
    return ", ".join(values)


_SEARCHED = Intent(
    tool=search_files,
    slots={"word": word_of(None)},
    goals=(
        "find the file that contains the word {word}",
        "search the files for the word {word}",
        "look for the file in which the word {word} occurs",
        "find out in which file the word {word} appears",
    ),
    asks=(
        "Which file contains the word {word}?",
        "I know that I wrote something about {word}. In which file is that word?",
        "In which of my files is the word {word}?",
        "I remember only the word {word}. Which file was it in?",
        "Where did I write the word {word}? Name the file.",
    ),
    gives=Gives(
        kind="filename",
        read=_only,
        nouns=(
            "the file that contains the word {word}",
            "the file with the word {word}",
            "the file in which the word {word} occurs",
            "the file that has the word {word} in it",
            "the file where the word {word} appears",
        ),
    ),
    found="the word {word} is in {out}",
    answers=("The word {word} is in {out}.", "It is the file {out}."),
)
assert _SEARCHED.gives is not None
_SEARCHES = (
    _SEARCHED,
    *(
        replace(
            _SEARCHED,
            slots={"word": word_of(kind)},
            gives=replace(_SEARCHED.gives, kind=f"{kind}_file"),
            root=False,
        )
        for kind in ("invoice", "report", "recipe", "trip")
    ),
    Intent(
        tool=search_files,
        slots={"word": COMMON_WORD},
        goals=(
            "count the files that contain the word {word}",
            "find out in how many files the word {word} occurs",
            "search how many files have the word {word} in them",
        ),
        asks=(
            "How many files contain the word {word}?",
            "Do I use the word {word} too often? Tell me in how many files it is.",
            "In how many of my files does the word {word} occur?",
        ),
        gives=Gives(
            kind="number",
            read="count",
            nouns=(
                "the number of files that contain the word {word}",
                "the number of files with the word {word}",
                "the count of files in which the word {word} occurs",
            ),
            compares="size",
        ),
        found="the number of files with the word {word} is {out}",
        answers=("The number of files with the word {word} is {out}.", "The number of these files is {out}."),
        weight=0.7,
    ),
)
_LISTS = (
    Intent(
        tool=list_files,
        slots={"folder": FOLDER},
        goals=(
            "count the files in the folder {folder}",
            "find out how many files the folder {folder} has",
            "check how many files there are in the folder {folder}",
        ),
        asks=(
            "How many files are in the folder {folder}?",
            "Is the folder {folder} getting full? Tell me how many files it has.",
            "What number of files does the folder {folder} hold?",
        ),
        gives=Gives(
            kind="number",
            read="count",
            nouns=(
                "the number of files in the folder {folder}",
                "the number of files that the folder {folder} holds",
                "the count of files in the folder {folder}",
            ),
            compares="size",
        ),
        found="the number of files in the folder {folder} is {out}",
        answers=("The number of files in the folder {folder} is {out}.", "The folder has this number of files: {out}."),
    ),
    Intent(
        tool=list_files,
        slots={"folder": FOLDER},
        goals=(
            "list the files in the folder {folder}",
            "look up which files are in the folder {folder}",
            "go through the names of the files in the folder {folder}",
        ),
        asks=(
            "Which files are in the folder {folder}?",
            "I do not remember what I called things. Which files does the folder {folder} have?",
            "What are the names of the files in the folder {folder}?",
        ),
        gives=Gives(
            kind="names",
            read="files",
            nouns=(
                "the list of files in the folder {folder}",
                "the list of names of the files in the folder {folder}",
                "the listing of the folder {folder}",
            ),
            say=_all_of,
            facts=list,
        ),
        found="the files in the folder {folder} are: {out}",
        answers=("The files in the folder {folder} are: {out}.", "In the folder there are: {out}."),
    ),
)
_READS = (
    Intent(
        tool=read_file,
        slots={"path": path_of(None)},
        goals=(
            "read {path} to me",
            "open {path} and quote what it says",
            "get the text of {path}",
            "show the full text of {path}",
        ),
        asks=(
            "What does {path} say? Please quote it.",
            "What is written in {path}? I need it word for word.",
            "I cannot open {path} here. What is its text?",
            "What have I put into {path}? Give me the exact text.",
        ),
        gives=Gives(
            kind="text",
            nouns=("the text of {path}", "the full text of {path}", "the text in {path}", "the wording of {path}"),
        ),
        found="the text of {path} is '{out}'",
        answers=("The text of {path} is: {out}", "It says: {out}"),
        weight=3,
    ),
    *(asking(fact, tool=read_file, place="path", slot=path_of(f"{fact.topic}")) for fact in FACTS),
)
_INFOS = (
    Intent(
        tool=file_info,
        slots={"path": path_of(None)},
        goals=(
            "find the size of {path} in bytes",
            "look up how many bytes {path} has",
            "check how large {path} is, in bytes",
        ),
        asks=(
            "How many bytes does {path} have?",
            "How large is {path}, in bytes?",
            "I have little space left. How many bytes does {path} take?",
        ),
        gives=Gives(
            kind="count",
            read="bytes",
            nouns=("the size of {path} in bytes", "the number of bytes in {path}", "the byte count of {path}"),
            compares="size",
        ),
        found="the file {path} has {out} bytes",
        answers=("The file {path} has {out} bytes.", "Its size is {out} bytes."),
    ),
    Intent(
        tool=file_info,
        slots={"path": path_of(None)},
        goals=(
            "find the date on which {path} was last modified",
            "look up when {path} was changed last, as a date",
            "check on which date {path} was last written to",
        ),
        asks=(
            "On which date was {path} last modified?",
            "Is {path} out of date? Tell me on which date it was changed last.",
            "Which day did I last write to {path}?",
        ),
        gives=Gives(
            kind="date",
            read="modified",
            nouns=(
                "the date on which {path} was last modified",
                "the date of the last change of {path}",
                "the date on which {path} was changed last",
            ),
            compares="date",
        ),
        found="the file {path} was last modified on {out}",
        answers=("The file {path} was last modified on {out}.", "The last change was on {out}."),
    ),
)

CATEGORY = Category(
    name="files",
    tools=(
        list_files,
        read_file,
        search_files,
        file_info,
        write_file,
        append_file,
        rename_file,
        copy_file,
        delete_file,
    ),
    intents=(*_SEARCHES, *_LISTS, *_READS, *_INFOS, *CHANGING),
    held_out=("copy_file", "file_info"),
    detours={
        "search_files": ("read_file", "list_files"),
        "list_files": ("search_files",),
    },
)
