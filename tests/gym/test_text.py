"""The text tools of the gym: results by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from gym_calls import ask
from hypothesis import given, settings
from hypothesis import strategies as st

from alpha_umi_gym import generate, toolbox
from alpha_umi_gym.domains.text.tools import change_case, is_palindrome, replace_word, reverse_text, sort_words
from alpha_umi_gym.sampler import Split

BOX = toolbox("text")
PHRASE = st.lists(st.sampled_from(["fig", "plum", "Kiwi", "date", "fig", "a"]), min_size=1, max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("count_words", {"text": "the golden otter sleeps"}, "4"),
        ("count_words", {"text": " well-known,  isn't it? - yes "}, "4"),
        ("count_words", {"text": "..."}, "0"),
        ("count_words", {"text": "snake_case"}, "2"),
        ("count_letters", {"text": "Mississippi", "letter": "S"}, "4"),
        ("count_letters", {"text": "Ärger über Äpfel", "letter": "ä"}, "2"),
        ("count_letters", {"text": "otter", "letter": "z"}, "0"),
        ("reverse_text", {"text": "stressed"}, "desserts"),
        ("reverse_text", {"text": "one two  three", "by": "words"}, "three two one"),
        ("change_case", {"text": "The old Otter", "case": "upper"}, "THE OLD OTTER"),
        ("change_case", {"text": "The old Otter", "case": "lower"}, "the old otter"),
        ("change_case", {"text": "the OLD otter isn't", "case": "title"}, "The Old Otter Isn't"),
        ("change_case", {"text": "The old Otter!", "case": "snake"}, "the_old_otter"),
        ("change_case", {"text": "The old Otter!", "case": "kebab"}, "the-old-otter"),
        ("change_case", {"text": "The old Otter!", "case": "camel"}, "theOldOtter"),
        ("replace_word", {"text": "Red is red, not redder", "old": "red", "new": "blue"}, "blue is blue, not redder"),
        ("replace_word", {"text": "a.b", "old": "A", "new": r"\1"}, r"\1.b"),
        ("longest_word", {"text": "melon, kiwi and cherry"}, '{"word":"cherry","letters":6}'),
        ("longest_word", {"text": "plum kiwi fig"}, '{"word":"plum","letters":4}'),
        ("sort_words", {"text": "plum Fig kiwi"}, "Fig kiwi plum"),
        ("sort_words", {"text": "plum Fig kiwi", "order": "z-a"}, "plum kiwi Fig"),
        ("sort_words", {"text": "banana fig plum kiwi", "order": "short first"}, "fig plum kiwi banana"),
        ("sort_words", {"text": "fig plum banana kiwi", "order": "long first"}, "banana plum kiwi fig"),
        ("initials_of", {"name": "Ada Lovelace"}, "A.L."),
        ("initials_of", {"name": " jean-paul  sartre "}, "J.P.S."),
        ("is_palindrome", {"text": "A man, a plan, a canal: Panama!"}, "yes"),
        ("is_palindrome", {"text": "never odd or even"}, "yes"),
        ("is_palindrome", {"text": "step on my toes"}, "no"),
        ("is_palindrome", {"text": "x"}, "yes"),
    ],
)
def test_results_by_hand(tool: str, arguments: dict[str, Any], text: str) -> None:
    seen = ask(BOX, tool, **arguments)
    assert seen.ok
    assert seen.text == text


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("count_words", {"text": ""}, "text: "),
        ("count_words", {"text": "x" * 2001}, "text: "),
        ("count_letters", {"text": "x", "letter": "ab"}, "letter: "),
        ("count_letters", {"text": "x1", "letter": "1"}, "'1' is not a letter"),
        ("reverse_text", {"text": "x", "by": "lines"}, "by: 'lines' is not one of"),
        ("change_case", {"text": "x", "case": "sponge"}, "case: 'sponge' is not one of"),
        ("replace_word", {"text": "the golden otter", "old": "goldne", "new": "x"}, "did you mean 'golden'?"),
        ("replace_word", {"text": "the golden otter", "old": "gold", "new": "x"}, "unknown word 'gold'"),
        ("replace_word", {"text": "the golden otter", "old": "the golden", "new": "x"}, "unknown word"),
        ("longest_word", {"text": "?!"}, "the text has no words"),
        ("sort_words", {"text": "x", "order": "random"}, "order: "),
        ("initials_of", {"name": "123"}, "'123' is not a name"),
        ("is_palindrome", {"text": "..."}, "the text has no letters"),
    ],
)
def test_refused_in_words(tool: str, arguments: dict[str, Any], words: str) -> None:
    seen = ask(BOX, tool, **arguments)
    assert not seen.ok
    assert words in seen.text
    assert "\n" not in seen.text


@settings(deadline=None)  # two cores are shared: a slow moment is no failure
@given(PHRASE)
def test_what_must_hold_for_any_text(text: str) -> None:
    words = text.split()
    assert reverse_text(reverse_text(text)) == text
    assert reverse_text(text, "words").split() == words[::-1]
    assert is_palindrome(text + reverse_text(text)) == "yes"
    for order in ("a-z", "z-a", "short first", "long first"):
        assert sorted(sort_words(text, order).split()) == sorted(words)
    assert change_case(change_case(text, "kebab").replace("-", " "), "snake") == change_case(text, "snake")
    assert replace_word(replace_word(text, words[0], "zz"), "zz", words[0]).casefold() == text.casefold()


@pytest.mark.parametrize("split", ["train", "unseen_instructions", "unseen_tools"])
def test_no_task_outside_its_split_calls_or_offers_a_text_tool(split: Split) -> None:
    own = {tool.name for tool in BOX.tools}
    for task in generate(60, seed=4, split=split):
        assert not own & task.tool_names


def test_its_split_has_tasks_of_every_tool() -> None:
    called = {
        step.call.tool
        for task in generate(200, seed=5, split="unseen_categories", only=("text",))
        for step in task.gold.steps
        if step.call is not None
    }
    assert {tool.name for tool in BOX.tools} <= called
