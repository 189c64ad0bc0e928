"""Which of many tools to offer for a question: those that share its words.

A small model reads a dozen tools, not a hundred. BM25 (Robertson and Zaragoza 2009) over names, descriptions and
parameters; lexical, so it does not know synonyms.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from alpha_umi.trajectory import Tool

_K1, _B = 1.5, 0.75


def most_related(question: str, tools: Sequence[Tool], n: int) -> list[Tool]:
    """The `n` tools whose words fit a question best, in their own order; ties go to the earlier one."""
    if len(tools) <= n:
        return list(tools)
    texts = [_words(f"{t.name} {t.description} {' '.join(t.parameters.get('properties', {}))}") for t in tools]
    mean = sum(map(len, texts)) / len(texts) or 1
    holding = Counter(word for text in texts for word in set(text))

    def score(text: list[str]) -> float:
        total, counts = 0.0, Counter(text)
        for word in set(_words(question)) & counts.keys():
            rarity = math.log(1 + (len(texts) - holding[word] + 0.5) / (holding[word] + 0.5))
            total += rarity * counts[word] * (_K1 + 1) / (counts[word] + _K1 * (1 - _B + _B * len(text) / mean))
        return total

    scores = [score(text) for text in texts]
    best = sorted(range(len(tools)), key=lambda i: -scores[i])[:n]
    return [tools[i] for i in sorted(best)]


def _words(text: str) -> list[str]:
    """Lower-case words without the commonest endings: days, day's and day are one word."""
    return [re.sub(r"(?<=\w{3})(?:ing|es|s|ed)$", "", word) for word in re.findall(r"[a-z]+", text.lower())]
