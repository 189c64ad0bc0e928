"""Facts that an answer mentions and does not state: "it is not 5", "5 is wrong", "more than 5", "5. I mean 6".

A denial is sought in the clause of the fact, on both sides. Before it a "not" reaches to the next verb that says what
something is ("those not done are 5" states 5), and beyond such verbs after a word of opinion ("I doubt that it is 5").
After it only what speaks of rightness denies: "5 is not the answer" does, "5 are not done" does not. Irony, and denials
whose clause has ended ("Not this one, I mean: 5"), are not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from alpha_umi_gym.judge.facts import Span, as_value, normalised, stated

_REACH = 120
"""So far from a fact a denial of it is looked for, in characters."""

_NOT = r"(?:\b(?:not|cannot|never|nor|neither|hardly|no longer|in no way|by no means)|n't)\b"
# What "not" leaves standing: "not only on Monday", "not until 17:00".
_LEAVES = r"(?! (?:only|just|until|before|(?:more|less|fewer|later|earlier) than|counting|including)\b)"
# With these words another statement begins.
_BREAK = r"(?:but|and|so|because|since|as|then|therefore|which|i|we|you)\b"
_VERB = (
    r"(?:is|are|was|were|has|had|it's|that's|there's|equals|gives|gave|gets|got|comes|came|makes|made|returns|returned|"
    r"says|said|shows|showed)\b"
)
_WORD = r"[\w'-]+(?:[.:]\d+)*"
_OPEN = r"[\s'\"(*]*$"
_DENIED = re.compile(rf"{_NOT}{_LEAVES}(?: (?!{_BREAK}){_WORD}(?: (?!{_BREAK}|{_VERB}){_WORD}){{0,5}})?{_OPEN}")
_FILLERS = r"(?: (?:even|exactly|the|an?|for|on|at|in))*"
_BESIDE = re.compile(
    r"(?:\b(?:instead of|rather than|as opposed to|except|unlike|far from|nowhere near|used to be|formerly|non-|"
    rf"(?<!none )(?<!no )other than)|"
    rf"anything but|(?:opposite|contrary|reverse) (?:of|to)|{_NOT} (?:this|that|these|the following)(?: one)?:)"
    rf"{_FILLERS}{_OPEN}"
)
_OPINION = re.compile(
    rf"(?:{_NOT}(?: \w+)? (?:(?:true|right|correct|the case|likely|possible) (?:that|to say)|sure|certain|convinced|"
    r"think|believe|say|mean|claim|suppose|expect)|\bi (?:really |very much |\w+ly )?(?:doubt|deny)|"
    r"\bno (?:way|chance) (?:that|it)|\b(?:doubtful|unlikely|impossible) (?:that|whether)|"
    r"\b(?:false|untrue|wrong|incorrect|mistaken?) (?:that|to (?:say|think|assume|claim|answer)))\b(?: that\b)?"
)
_PART_END = re.compile(r"[,:](?!\S)")
_TURN = re.compile(r"\b(?:but|so|and (?:i|we|you|it|the (?:answer|result)))\b")
_STATEMENT = re.compile(rf"\b(?:{_BREAK}|{_VERB})")
_RIGHT = (
    r"(?:right|correct|true|valid|it|the case|(?:the|my|your) (?:\w+ )?(?:answer|result|solution|value|one)|what)\b"
)
_WRONG = r"(?:wrong|incorrect|false|untrue|mistaken|out of the question|impossible(?! to))\b"
_IS = (
    r"(?: (?:is|are|was|were|would|can|ca|could|must|has|have|had|does|do|did|to|be|been|seems?|looks?|probably|"
    r"definitely|clearly|certainly|obviously|simply))+"
)
_WRONG_AFTER = re.compile(
    # A unit or the like may stand between, no word that begins another statement.
    rf"['\")*%\u00b0]*(?: (?!{_BREAK}|(?:if|unless|when|though|while|or|it|that)\b)[\w'/]+?){{0,2}}?"
    rf"(?:{_IS} {_WRONG}|(?:{_IS}(?:n't| not| never)| cannot)(?: \w+ly)?(?: be| seem| look)? {_RIGHT})"
)
# "5, which is wrong", "5 - no, wait".
_TAKEN_BACK = re.compile(
    rf"['\")*]*[,.;!]* ?(?:but )?(?:(?:which|that|this)(?:(?: is|'s) {_WRONG}|(?: is|'s)(?:n't| not) {_RIGHT})|"
    r"-* ?(?:no, )?(?:wait\b[,.!]|scratch that|correction:))"
)
_ASKED = re.compile(r"[^.,;:!?\n-]{0,40}\?")
# "More than 5", "the day after Monday", "twice 5": near a fact, and another one.
_SHIFTED = re.compile(
    r"\b(?:(?:fewer|less|more|greater|higher|lower|larger|smaller|bigger|later|earlier|longer|shorter) than|at least|"
    r"twice|double|triple|half(?: of)?|(?:subtract|deduct|add) [\w.]+ (?:from|to)|"
    r"(?:days?|weeks?|months?|years?|hours?|minutes?) (?:before|after|from|past))"
    r"[\s'\"($\u20ac]*$"
)
_BEFORE_OR_AFTER = re.compile(r"\b(?:before|after)[\s'\"(]*$")
_SCALED = re.compile(r"['\")*]* ?(?:thousand|million|billion|trillion|dozen)s?\b")
# What comes last counts: "5. Actually it is 6", "5; the final answer is 6".
_CORRECTED = re.compile(
    r"\b(?:actually|sorry|oops|correction|wait|on second thought)[,:.]? "
    r"(?:it|that|this|they|he|she|(?:the|my) (?:\w+ )?\w+)"
    r"(?:'s| is| was| are| were| should| must| has| have)\b|\bi (?:meant|mean)\b|\bor rather\b|"
    r"\b(?:correct|right|true|real|actual|final) (?:answer|result|value|one|number|date|time|name|choice)"
    r"(?:'s| is| was| would be| should be|:)|\b(?:make that|correction:|just kidding)"
)
_ASIDE = re.compile(r", (?:however|actually|in fact|of course|i think|i fear|unfortunately|certainly|though),")
SENTENCE_END = re.compile(r"[.!?](?=\s)|[;\n]")
# "No idea" and "no way" say no to nothing.
_NO_OTHER = re.compile(
    r" (?:\w+ )?(?:idea|way|clue|doubts?|tools?|means|information|such|answer|results?|reason|chance|data|access|"
    r"permission|need|details?|problem|matter)\b"
)
_CODE = re.compile("[A-Z]{2,3}")

Fits = Callable[[str, int], bool]
"""Whether what follows a place of a normalised text goes with the fact before it: no other unit, say."""


def mentions(answer: str, fact: str) -> tuple[Span, ...]:
    """Where an answer has a fact, denied or not; a code in its own capitals: "IS" is Iceland, "is" is not."""
    if _CODE.fullmatch(fact) and not re.search(rf"(?<!\w){fact}(?!\w)", answer):
        return ()
    return stated(answer, fact)


def asserts(answer: str, fact: str, *, fits: Fits | None = None, facts: Collection[str] = ()) -> bool:
    """Whether an answer states a fact at least once without denying it there, where what stands behind it fits. What
    looks like a correction may introduce another one of `facts`."""
    spans = mentions(answer, fact)
    # Whatever corrects an answer stands behind the last mention of what it corrects.
    text = normalised(answer)
    if not spans:
        return False
    if corrected := _CORRECTED.search(text, spans[-1].end):
        later = (span.start for other in facts if other != fact for span in stated(answer, other))
        if not any(start >= corrected.end() for start in later):
            return False
    return any(not denied(answer, span, fact) and (fits is None or fits(text, span.end)) for span in spans)


def denied(answer: str, span: Span, fact: str, *, bounds: bool = True) -> bool:
    """Whether an answer denies or only asks what it says at one place of its normalised text.

    Without `bounds`, "more than" it is no denial: a name in a comparison.
    """
    text = normalised(answer)
    begin = max(0, span.start - _REACH)
    ends = [match.end() for match in SENTENCE_END.finditer(text, begin, span.start)]
    before = _ASIDE.sub("", text[ends[-1] if ends else begin : span.start])
    after = text[span.end : span.end + _REACH]
    if _DENIED.search(before) or _BESIDE.search(before) or _doubted(before):
        return True
    if (bounds and _SHIFTED.search(before)) or (_is_moment(fact) and _BEFORE_OR_AFTER.search(before)):
        return True
    if fact.casefold() == "no" and _NO_OTHER.match(after):
        return True
    if _SCALED.match(after) and as_value(fact) is not None:
        return True
    if _ASKED.match(after) or _WRONG_AFTER.match(after):
        return True
    # "No, that is wrong" answers no.
    return fact.casefold() != "no" and _TAKEN_BACK.match(after) is not None


def _is_moment(fact: str) -> bool:
    """Whether a fact is a date or a clock time."""
    value = as_value(fact)
    return value is not None and (":" in value or "-" in value[1:])


def _doubted(before: str) -> bool:
    """Whether a word of opinion denies what follows these words.

    "Not true that you have none: you have 5" has come to another statement, "not true that the list is: 5" has not.
    """
    found = list(_OPINION.finditer(before))
    if not found or _TURN.search(before, found[-1].end()):
        return False
    match = found[-1]
    parts = _PART_END.split(before[match.end() :])
    if len(parts) == 1:
        return True
    first = next((index for index, part in enumerate(parts) if _STATEMENT.search(part)), len(parts))
    return match[0].endswith("that") and parts[0] != "" and not any(map(_STATEMENT.search, parts[first + 1 :]))
