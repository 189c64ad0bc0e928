"""Facts that an answer mentions and does not state: "it is not 5", "not true that it is 5", "the day after Monday"."""

from __future__ import annotations

import re

from alpha_umi.gym.facts import as_value, normalised, stated

_FILLERS = r"(?: (?:even|quite|exactly|really|equal to|the|an?|be|called|named|for|on|at|in))*"
_DENIED = re.compile(rf"(?:\b(?:not|never|nor|no longer|hardly)|n't){_FILLERS}[\s'\"(]*$")
_DENIED_THAT = re.compile(
    r"(?:\bnot|n't) (?:\w+ )?(?:true|right|correct|the case)\b|\b(?:false|untrue|wrong|incorrect) that\b"
)
_SHIFTED = re.compile(r"\b(?:day|week|month|year|hour|minute)s? (?:before|after)[\s'\"(]*$")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n")
_LONGEST = 40
_CODE = re.compile("[A-Z]{2,3}")


def asserts(answer: str, fact: str) -> bool:
    """Whether an answer states a fact at least once without denying it there, and a code in its own capitals: "IS" is
    Iceland, "is" is not."""
    if _CODE.fullmatch(fact) and not re.search(rf"(?<!\w){fact}(?!\w)", answer):
        return False
    text = normalised(answer)
    return any(not _taken_back(text, span.start, fact) for span in stated(answer, fact))


def _taken_back(text: str, start: int, fact: str) -> bool:
    before = text[max(0, start - _LONGEST) : start]
    if _DENIED.search(before) or (as_value(fact) is None and _SHIFTED.search(before)):
        return True
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, start)]
    return _DENIED_THAT.search(text, ends[-1] if ends else 0, start) is not None
