"""The gym's wordings as data: each entry is used, what is wrong is refused in one line, and their digest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import alpha_umi_gym
from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.tasks import WordedTaskset, load_recorded
from alpha_umi_gym import Category, Gives, Intent, Slot, categories
from alpha_umi_gym.generator import wording
from alpha_umi_gym.generator.wording import FRAMES, Frames, words_digest
from alpha_umi_gym.taskset import GYM
from alpha_umi_gym.words import Words, WordsFile, words_beside
from alpha_umi_gym.yaml_data import read_as

DOMAINS = Path(alpha_umi_gym.__file__).parent / "domains"
FRAMES_FILE = Path(wording.__file__).with_name("frames.yaml")
ENTRY = """
greet:
  goals:
    - greet {name}
    - say hello to {name}
    - wave at {name}
  nouns:
    - the greeting for {name}
    - the words for {name}
    - the hello for {name}
  found: the greeting for {name} is {out}
  answers: ["{out}!"]
"""


def greet(name: str) -> str:
    """Greet somebody."""
    return f"Hello {name}"


def words_in(folder: Path, text: str) -> WordsFile:
    path = folder / "words.yaml"
    path.write_text(text, encoding="utf-8")
    return WordsFile(path)


def greeting(words: Words) -> Intent:
    return Intent(tool=greet, words=words, slots={"name": Slot(kind="name")}, gives=Gives(kind="greeting"))


def test_every_shipped_category_has_its_words_in_its_folder() -> None:
    assert {path.parent.name for path in DOMAINS.glob("*/words.yaml")} == set(categories())


@pytest.mark.parametrize("category", categories())
def test_every_entry_is_used(category: str) -> None:
    assert not words_beside(str(DOMAINS / category / "intents.py")).unused


@pytest.mark.parametrize("category", categories())
def test_templates_name_only_slots_of_their_intent_and_every_place_is_filled(category: str) -> None:
    for intent in categories()[category].intents:
        assert intent.strange() == []
        nouns = intent.gives.nouns if intent.gives else ()
        assert not any("<" in text for text in (*intent.goals, *intent.asks, *nouns, intent.found, *intent.answers))


def test_every_frame_is_a_list_of_its_own() -> None:
    lists = [frames for name, frames in FRAMES if name != "referring"]
    assert all(len(set(frames)) == len(frames) for frames in lists)
    assert len(FRAMES.if_any) == len(FRAMES.if_yes_first) + len(FRAMES.if_value_first)


# What is refused


def test_a_missing_entry_is_refused_with_file_and_key(tmp_path: Path) -> None:
    words = words_in(tmp_path, ENTRY)
    assert words.unused == {"greet"}
    assert words["greet"].goals[0] == "greet {name}"
    assert not words.unused
    with pytest.raises(ConfigError, match=r"words\.yaml: part: there is no such entry$"):
        words["part"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (ENTRY + "  ask: [Hello?]", "greet.ask: unknown key"),
        (ENTRY + "  asks: []", "greet.asks: .* at least 1 item"),
        (ENTRY.replace("  found: the greeting for {name} is {out}\n", ""), "greet.found: field required"),
        (ENTRY.replace(" the greeting for {name} is {out}", ' ""'), "greet.found: .* at least 1 character"),
        (ENTRY + ENTRY, "greet is there twice"),
        ("- greet", "a mapping"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(ConfigError, match=rf"words\.yaml: .*{mistake}") as refused:
        words_in(tmp_path, text)
    assert "\n" not in str(refused.value)


def test_a_missing_and_an_unknown_list_of_frames_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "frames.yaml"
    path.write_text(FRAMES_FILE.read_text(encoding="utf-8").replace("\nopener:", "\nopeners:"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"frames\.yaml: opener: field required; openers: unknown key"):
        read_as(Frames, path)


def test_scalars_are_text_whatever_yaml_thinks_of_them(tmp_path: Path) -> None:
    words = words_in(tmp_path, ENTRY.replace("wave at {name}", "no\n    - 2024\n    - null"))
    assert words["greet"].goals[2:] == ("no", "2024", "null")


def test_an_intent_must_be_worded_and_give_what_is_named(tmp_path: Path) -> None:
    words = words_in(tmp_path, ENTRY)["greet"]
    assert greeting(words).gives == Gives(kind="greeting", nouns=words.nouns)
    with pytest.raises(UsageError, match="an intent of greet has no goals and no found and no answers and no nouns"):
        Intent(tool=greet, gives=Gives(kind="greeting"))
    with pytest.raises(UsageError, match="an intent of greet has nouns, but gives nothing"):
        Intent(tool=greet, words=words)


def test_places_are_filled_in_turn() -> None:
    words = Words(
        goals=("to <unit>", "in <unit>", "as <unit>"), found="{out} <short>", answers=("It is {out} <unit>.",)
    )
    filled = words.filled(unit=("metres", "meters"), short="m")
    assert filled.goals == ("to metres", "in meters", "as metres")
    assert (filled.found, filled.answers, filled.asks) == ("{out} m", ("It is {out} metres.",), ())


# The digest


def category_of(words: Words) -> Category:
    return Category(name="greetings", tools=(greet,), intents=(greeting(words),))


def test_the_digest_is_of_content_not_of_spelling(tmp_path: Path) -> None:
    digest = words_digest([category_of(words_in(tmp_path, ENTRY)["greet"])])
    plain = yaml.safe_load(ENTRY)
    turned = {"greet": dict(reversed(plain["greet"].items()))}
    spelt_otherwise = yaml.safe_dump(turned, sort_keys=False, default_style='"', width=40)
    assert words_digest([category_of(words_in(tmp_path, "# a comment\n" + spelt_otherwise)["greet"])]) == digest
    in_python = Words.model_validate(plain["greet"])
    assert words_digest([category_of(in_python)]) == digest


@pytest.mark.parametrize(("old", "new"), [("wave at", "wave to"), ("{out}!", "{out}."), ("    - greet {name}\n", "")])
def test_one_word_changes_the_digest(tmp_path: Path, old: str, new: str) -> None:
    before = words_digest([category_of(words_in(tmp_path, ENTRY)["greet"])])
    assert words_digest([category_of(words_in(tmp_path, ENTRY.replace(old, new))["greet"])]) != before


def test_a_frame_changes_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = words_digest([])
    monkeypatch.setattr(wording, "FRAMES", FRAMES.model_copy(update={"opener": (*FRAMES.opener, "Ahoy!")}))
    assert words_digest([]) != before


def test_the_gym_reports_the_words_of_the_categories_asked_for() -> None:
    assert isinstance(load_recorded("gym"), WordedTaskset)
    some = GYM.of("time,shop").words_digest()
    assert len(some.split(":")[-1]) == 16
    assert some == GYM.of("shop,time").words_digest() == words_digest([categories()["time"], categories()["shop"]])
    assert some != GYM.words_digest() == replace(GYM, categories=tuple(categories())).words_digest()
