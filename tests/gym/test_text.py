"""The text tools of the gym: what holds for any text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from alpha_umi_gym.domains.text.tools import change_case, is_palindrome, replace_word, reverse_text, sort_words

PHRASE = st.lists(st.sampled_from(["fig", "plum", "Kiwi", "date", "fig", "a"]), min_size=1, max_size=8).map(" ".join)


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
