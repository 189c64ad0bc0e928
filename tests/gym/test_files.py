"""The file store of the gym: the texts of a world and their facts, and nothing leaves the store."""

from __future__ import annotations

import re
from pathlib import Path

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
        assert "2023-01-01" <= told(box, "file_info", path=path)["modified"] <= "2024-12-21"


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


def test_new_paths_are_free_and_unknown_ones_resemble_nothing(world: World) -> None:
    every = {f"{kind.folder}/{stem}.{kind.extension}" for kind in KINDS.values() for stem in kind.stems}
    assert not every & set(NEW_PATHS)
    words = set(NOUNS).union(*(words_of(file.text) for file in world.part(Files).files.values()))
    for names, unknown in ((every, NO_FILES), (words, NO_WORDS)):
        for name in unknown:
            with pytest.raises(LookupError) as error:
                find(name, names, what="thing")
            assert "did you mean" not in str(error.value), name
