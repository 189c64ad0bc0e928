"""ROUGE-L as PyPI `rouge` 1.0.1 computes it with its defaults, which the published α-UMi scripts use.

It is the summary-level variant: sentences end at every `.` (inside numbers too), words are what white space separates,
case counts, and only distinct words count, so that "a a a a" against "a" scores 1. Equal to the last digit, without
the recursion that stops the original on long sentences. The standard measure is in `strict_scorer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def rouge_l(hypothesis: str, reference: str) -> float:
    """The `f` of `Rouge().get_scores(hypothesis, reference)[0]["rouge-l"]` (released code, `evaluate_rougel`).

    Raises:
        ValueError: one of the texts is empty or holds dots only, as in the original.
    """
    evaluated, expected = _sentences(hypothesis), _sentences(reference)
    if not evaluated:
        raise ValueError("Hypothesis is empty.")
    if not expected:
        raise ValueError("Reference is empty.")
    union: set[str] = set()
    for sentence in expected:
        for candidate in evaluated:
            union.update(_common_words(sentence, candidate))
    recall = len(union) / len({word for sentence in expected for word in sentence})
    precision = len(union) / len({word for sentence in evaluated for word in sentence})
    return 2.0 * ((precision * recall) / (precision + recall + 1e-8))


def _sentences(text: str) -> list[list[str]]:
    """A sentence of white space only is kept as one empty word: the original splits on a single space."""
    return [" ".join(part.split()).split(" ") for part in text.split(".") if part]


def _common_words(x: Sequence[str], y: Sequence[str]) -> Iterator[str]:
    """Words of that longest common subsequence which the original's tie-breaking finds, last word first."""
    table = [[0] * (len(y) + 1)]
    for word in x:
        above, row = table[-1], [0]
        for j, other in enumerate(y):
            row.append(above[j] + 1 if word == other else max(above[j + 1], row[j]))
        table.append(row)
    i, j = len(x), len(y)
    while i and j:
        if x[i - 1] == y[j - 1]:
            i, j = i - 1, j - 1
            yield x[i]
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
