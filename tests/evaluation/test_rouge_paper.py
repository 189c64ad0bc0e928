"""Our ROUGE against PyPI `rouge` 1.0.1: equal to the last digit on any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge import Rouge

from alpha_umi.evaluation.static.rouge_paper import rouge_l

words = st.sampled_from(["a", "b", "the", "The", "tide", "3", "é", "none"])
gaps = st.sampled_from([" ", " ", ".", ". ", "\n", "..", " .\t", "  "])
sentences = st.lists(st.tuples(words, gaps), max_size=25).map(lambda pairs: "".join(w + g for w, g in pairs))
texts = st.text(max_size=50) | sentences


def published(hypothesis: str, reference: str) -> float | None:
    try:
        return float(Rouge(metrics=["rouge-l"]).get_scores(hypothesis, reference)[0]["rouge-l"]["f"])
    except ValueError:
        return None


def ours(hypothesis: str, reference: str) -> float | None:
    try:
        return rouge_l(hypothesis, reference)
    except ValueError:
        return None


@settings(max_examples=400, deadline=None)
@given(texts, texts)
def test_equal_to_the_package_on_any_text(hypothesis: str, reference: str) -> None:
    assert ours(hypothesis, reference) == published(hypothesis, reference)


@pytest.mark.parametrize(
    ("hypothesis", "reference"),
    [
        ("a a a a", "a"),
        ("High water is at 14.10 today.", "High water at Brix is at 14.10."),
        ("none", "The answer is none of these."),
        (" ", "a"),
        (" . ", "."),
        ("x y z. z y x. x", "z x y. y y. x z"),
    ],
)
def test_known_quirks(hypothesis: str, reference: str) -> None:
    assert ours(hypothesis, reference) == published(hypothesis, reference)


def test_distinct_words_only() -> None:
    assert rouge_l("a a a a", "a") == pytest.approx(1.0)


@pytest.mark.parametrize(("hypothesis", "reference"), [("", "a"), ("...", "a"), ("a", ""), ("a", "..")])
def test_texts_without_sentences_are_refused_as_in_the_original(hypothesis: str, reference: str) -> None:
    with pytest.raises(ValueError, match="is empty"):
        rouge_l(hypothesis, reference)
    with pytest.raises(ValueError, match="is empty"):
        Rouge().get_scores(hypothesis, reference)


def test_long_sentences_do_not_exhaust_the_stack() -> None:
    # The original recurses once per word and stops with RecursionError here.
    assert rouge_l("x " * 1200, "y x " * 600) == pytest.approx(2 / 3)
