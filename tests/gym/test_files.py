"""The file store of the gym: what is written is read, and nothing leaves the store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from gym_calls import ask, told

from alpha_umi.tools.protocol import Toolbox
from alpha_umi_gym.domains.files.facts import FACTS
from alpha_umi_gym.domains.files.slots import NEW_PATHS, NO_FILES, NO_WORDS
from alpha_umi_gym.domains.files.texts import FOLDERS, KINDS, NOUNS
from alpha_umi_gym.domains.files.tools import Files, words_of
from alpha_umi_gym.lookup import find
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.registry import bound
from alpha_umi_gym.world import World


@pytest.fixture
def world() -> World:
    return World(12)


@pytest.fixture
def box(world: World) -> Toolbox:
    return bound(world)


def first(world: World) -> str:
    return next(iter(world.part(Files).files))


def test_folders_list_their_files(box: Toolbox, world: World) -> None:
    paths = []
    for folder in FOLDERS:
        listed = told(box, "list_files", folder=f"{folder}/")
        assert listed["count"] == len(listed["files"])
        assert listed["files"] == sorted(listed["files"])
        paths += [f"{folder}/{name}" for name in listed["files"]]
    assert sorted(paths) == sorted(world.part(Files).files)
    assert len(paths) == 16


@pytest.mark.parametrize("kind", KINDS)
def test_every_fact_stands_in_every_file_of_its_kind(kind: str) -> None:
    wanted = [fact for fact in FACTS if fact.topic == kind]
    seen = set()
    for seed in range(40):
        for file in World(seed).part(Files).files.values():
            assert "{" not in file.text
            if file.kind == kind:
                seen.add(re.sub(rf"\d+|{file.about}", "", file.text))
                for fact in wanted:
                    match = re.search(fact.pattern, file.text)
                    assert match, (fact.kind, file.text)
                    assert fact.kind != "city" or match[1] in CITIES
    assert len(seen) >= len(KINDS[kind].texts)
    assert wanted or kind in {"note", "shared"}


@pytest.mark.parametrize("seed", range(5))
def test_every_file_has_a_word_of_its_own(seed: int) -> None:
    world = World(seed)
    box = bound(world)
    for path, file in world.part(Files).files.items():
        assert told(box, "search_files", word=file.about.upper()) == {"count": 1, "paths": [path]}
        assert told(box, "read_file", path=path.upper()) == file.text


def test_whole_words_are_searched(box: Toolbox) -> None:
    told(box, "write_file", path="notes/a.md", text="Cartwheels, 3 cartwheels; (a ring)")
    assert told(box, "search_files", word="RING")["count"] == 1
    assert told(box, "search_files", word="cartwheels") == {"count": 1, "paths": ["notes/a.md"]}
    assert "did you mean 'cartwheels'?" in ask(box, "search_files", word="cartwheel").text


def test_what_is_written_is_read(box: Toolbox) -> None:
    assert told(box, "write_file", path=" Notes/Tea.md", text="Zwei Brötchen") == {"path": "notes/tea.md", "bytes": 14}
    told(box, "append_file", path="notes/tea.md", text="and butter")
    assert told(box, "read_file", path="notes/tea.md") == "Zwei Brötchen\nand butter"
    assert told(box, "file_info", path="notes/tea.md") == {"bytes": 25, "modified": "2024-12-31"}
    told(box, "copy_file", path="notes/tea.md", new_path="trips/tea.txt")
    told(box, "write_file", path="notes/tea.md", text="new", overwrite=True)
    told(box, "rename_file", path="notes/tea.md", new_path="shared/tea.md")
    assert told(box, "read_file", path="shared/tea.md") == "new"
    assert told(box, "read_file", path="trips/tea.txt").endswith("and butter")
    assert not ask(box, "read_file", path="notes/tea.md").ok
    assert told(box, "delete_file", path="shared/tea.md") == {"deleted": "shared/tea.md", "left_in_folder": 6}
    assert not ask(box, "read_file", path="shared/tea.md").ok


def test_renaming_keeps_the_date_and_copying_does_not(box: Toolbox, world: World) -> None:
    path = first(world)
    date = told(box, "file_info", path=path)["modified"]
    assert "2023-01-01" <= date <= "2024-12-21"
    told(box, "copy_file", path=path, new_path="notes/copy.md")
    told(box, "rename_file", path=path, new_path="notes/other.md")
    assert told(box, "file_info", path="notes/other.md")["modified"] == date
    assert told(box, "file_info", path="notes/copy.md")["modified"] == "2024-12-31"


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("list_files", {"folder": "note"}, "did you mean 'notes'?"),
        ("list_files", {"folder": ".."}, "unknown folder '..'"),
        ("read_file", {"path": "/etc/passwd"}, "unknown file '/etc/passwd'"),
        ("read_file", {"path": "pyproject.toml"}, "unknown file"),
        ("file_info", {"path": "shared/agend.txt"}, "did you mean 'shared/agenda.txt'?"),
        ("append_file", {"path": "notes/nothing-here.md", "text": "x"}, "unknown file"),
        ("delete_file", {"path": "shared"}, "unknown file 'shared'"),
        ("search_files", {"word": "zeppelin"}, "unknown word 'zeppelin'"),
        ("search_files", {"word": ""}, "word: "),
        (
            "write_file",
            {"path": "shared/agenda.txt", "text": "x"},
            "FileExistsError: 'shared/agenda.txt' exists already",
        ),
        ("write_file", {"path": "../escaped.txt", "text": "x"}, "is not a path like"),
        ("write_file", {"path": "notes/../../escaped.txt", "text": "x"}, "is not a path like"),
        ("write_file", {"path": "/tmp/escaped.txt", "text": "x"}, "is not a path like"),
        ("write_file", {"path": "../escaped.txt", "text": "x", "overwrite": True}, "is not a path like"),
        ("write_file", {"path": "attic/x.txt", "text": "x"}, "unknown folder 'attic'"),
        ("write_file", {"path": "notes/x.md", "text": "x" * 2001}, "text: "),
        ("rename_file", {"path": "shared/menu.txt", "new_path": "shared/agenda.txt"}, "exists already"),
        ("copy_file", {"path": "shared/menu.txt", "new_path": "shared/menu.txt"}, "exists already"),
        ("copy_file", {"path": "shared/menu.txt", "new_path": "attic/menu.txt"}, "unknown folder"),
    ],
)
def test_refused_in_words_and_without_a_change(
    box: Toolbox, world: World, tool: str, arguments: dict[str, Any], words: str
) -> None:
    seen = ask(box, tool, **arguments)
    assert not seen.ok
    assert words in seen.text
    assert world.changes() == {}


def test_nothing_is_written_to_the_real_file_system(
    box: Toolbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    told(box, "write_file", path="notes/tea.md", text="x")
    assert [path.name for path in tmp_path.rglob("*")] == ["notes"]


def test_files_and_the_store_are_bounded(box: Toolbox) -> None:
    told(box, "write_file", path="notes/x.md", text="x" * 2000)
    told(box, "append_file", path="notes/x.md", text="x" * 1999)
    assert "the limit is 4000" in ask(box, "append_file", path="notes/x.md", text="x").text
    seen = [ask(box, "copy_file", path="notes/x.md", new_path=f"notes/x{i}.md") for i in range(200)]
    assert not seen[-1].ok
    assert "the store is full" in seen[-1].text
    assert sum(each.ok for each in seen) == 200 - 17


def test_undone_changes_are_none(box: Toolbox, world: World) -> None:
    path = first(world)
    text = told(box, "read_file", path=path)
    told(box, "rename_file", path=path, new_path="notes/other.md")
    assert set(world.changes()) == {"Files"}
    told(box, "rename_file", path="notes/other.md", new_path=path)
    assert world.changes() == {}
    told(box, "append_file", path=path, text="more")
    assert "more" in str(world.changes())
    told(box, "write_file", path=path, text=text, overwrite=True)
    assert world.changes() == {}
    told(box, "delete_file", path=path)
    assert path not in str(world.changes())
    told(box, "write_file", path=path, text=text)
    assert world.changes() == {}


def test_worlds_do_not_share_files(box: Toolbox, world: World) -> None:
    other = World(12)
    told(box, "delete_file", path=first(world))
    assert len(other.part(Files).files) == 16
    assert other.changes() == {}


def test_new_paths_are_free_and_unknown_ones_resemble_nothing(world: World) -> None:
    every = {f"{kind.folder}/{stem}.{kind.extension}" for kind in KINDS.values() for stem in kind.stems}
    assert not every & set(NEW_PATHS)
    words = set(NOUNS).union(*(words_of(file.text) for file in world.part(Files).files.values()))
    for names, unknown in ((every, NO_FILES), (words, NO_WORDS)):
        for name in unknown:
            with pytest.raises(LookupError) as error:
                find(name, names, what="thing")
            assert "did you mean" not in str(error.value), name
