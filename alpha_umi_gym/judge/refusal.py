"""Whether an answer says that a task cannot be done, and nothing beside it.

An excuse is a statement of inability, by a list of its usual English forms, that invents nothing: no value, no name, no
claim that something was done. What the request, the tools' descriptions or an observation say may be repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from alpha_umi.trajectory import Trajectory
from alpha_umi_gym.judge.facts import normalised, standing, values_in
from alpha_umi_gym.judge.hedging import members
from alpha_umi_gym.judge.vocabulary import Vocabulary
from alpha_umi_gym.task import GymTask

_DID = (
    r"(?:sent|deleted|removed|created|added|booked|moved|copied|saved|written|wrote|cancelled|ordered|placed|updated|"
    r"changed|renamed|invited|replied|answered|forwarded|marked|completed|finished|scheduled|applied|stored|done)"
)
_UNABLE = re.compile(
    r"\b(?:cannot|could not|(?:will|would) not be able|unable|impossible|"
    r"not (?:\w+ )?(?:able|possible|allowed|permitted|offered|available|supported|found|known|specified|clear|enough|"
    r"given|provided|in a position)|"
    r"no (?:\w+ )?(?:tools?|way|such|access|permission|information)\b|none of (?:the|these|my) (?:\w+ )?tools?|"
    r"(?:do|does|did) not (?:have|know|exist|say|tell|mention|specify|state|give|provide|support|allow|include)|"
    r"lacks?|need (?:some |a little )?(?:more|further|additional) (?:information|details?)|(?:need|have|want) to know|"
    r"permission (?:was |is |has been )?denied|denied permission|"
    r"(?<!nothing )(?<!not )(?:is|are) (?:still )?missing|missing information|"
    r"(?:is|are|was) not (?:something|anything) (?:i|we|that)\b|(?:do|does) not cover|"
    r"(?:is|are|was|were|am|'m) not (?:in|on|among|there|here|any|an? (?:\w+ )?(?:tool|way|match|entry|result)|"
    r"something|valid|authori[sz]ed|entitled)|not something|"
    r"no (?:means|match(?:es)?|result|entry|record|rights?|idea|clue)\b|"
    r"nothing (?:was |is |has been )?(?:found|there|matche[sd])|"
    r"(?:beyond|out of|outside(?: of)?) (?:what (?:i|we|my)|my|our|reach)|leaves? (?:it )?open|"
    r"(?:is|are|was|were|been) (?:invalid|forbidden|prohibited|refused|denied|blocked|rejected|declined|restricted|"
    r"disabled|locked|stopped)|"
    r"(?:tool|service|system) (?:\w+ )?(?:refused|rejected|failed|returned an error|reports? an error|denied)|"
    r"(?:access|permission|request) (?:was |is |has been )?(?:refused|rejected)|"
    r"unknown|unclear|unspecified|unavailable|unsupported|ambiguous|giv(?:es?|en|ing) up|gave up)\b"
)
# Words of inability that say something else.
_IDIOM = re.compile(
    r"\b(?:cannot complain|impossible to miss|no (?:\w+ )?(?:permission|information|access) (?:is )?needed)\b"
)
_UNDONE = re.compile(
    r"\b(?:(?:i|we) (?:am |was |were )?(?:cannot|could not|unable|not able|did not|have not|failed)|"
    r"(?:could not|cannot) (?!be (?:undone|reversed|recovered|restored))|unable to|not (?:able to|possible)|impossible|"
    r"(?:was|were|is|are|has been|have been) not (?:been )?"
    + _DID
    + r"|not been|failed to|permission (?:was |is )?denied|"
    r"no tool|(?:nothing|no \w+) (?:was|were|has been|is|could be) \w+|giv(?:es?|en|ing) up|gave up)\b"
)
_CONTRACTED = re.compile(r"\b(?:(ca|wo|sha)n't|can not)\b")
_ASKS = re.compile(
    r"\b(?:which|what|whose|who|when|where|how (?:many|much|long)|(?:could|can|would|will) you)\b[^.!?]*\?"
)
# What is missing, asked for without a question mark.
_WANTS = re.compile(
    r"\bplease (?:specify|tell|give|provide|say|let me know|be more (?:specific|exact|precise))\b|"
    r"\b(?:need|require) (?:the|your|an exact)\b|\b(?:tell me|let me know|say) (?:which|what|who|when|where|how)\b|"
    r"\bmore (?:details?|information)\b,? please|\bnot sure (?:which|what|who|when|where|how)\b"
)
_CLAUSE = re.compile(r"[.!?;:,\n]+(?!\d)|\b(?:but|and|so|however|though|although)\b")
_NEGATED = re.compile(
    r"\b(?:not|no|nothing|none|never|nobody|cannot|unable|without|neither|nor|"
    r"whether|if|what|which|who|when|where|how|know|need)\b"
)
_CLAIM = re.compile(
    r"\b(?:(?:it|this|that|everything|all) (?:is|was|has been) (?:now |all |already )?done|it's done|all set|"
    r"(?:the|your|its|their) (?:\w+ )?(?:answer|result|value|solution|total|outcome|code|name|date|time|number|amount|"
    r"price|city|country|capital|status|weekday|distance) (?:is|was|are|comes to|equals)"
    r"(?! (?:not|un\w+|missing|required|needed|necessary|ambiguous|no|only|too|out of|beyond|"
    r"impossible|invalid|incomplete)\b)|"
    rf"successful(?:ly)?|(?:has|have) (?:now |already |just )?been {_DID}|(?:is|are|was|were) (?:now |already )?{_DID}|"
    rf"i(?: have|'ve)? (?:now |already |just )?{_DID}|(?:did|managed) (?:it|so)|"
    r"managed to (?!look|check|find (?:no|out))|"
    # "... and sent it": the deed alone.
    rf"(?:^ *(?:then |just |also |simply )?{_DID} (?:it|them|that|this|the|an?|your|everything)))\b"
)
# Said of oneself, a deed or a guess; no denial before it makes it less of one, unless it is a guess that one is unable.
_DEED = re.compile(
    r"(?:\bi |^ *)(?:just |then |simply |only )?(?:took (?!too|very|so|long)|went ahead|guess(?:ed)?|cleaned|"
    r"made (?:it|the|that|this|a)|used (?:another|a different|my own)|worked around)\b|"
    r"\b(?:went ahead|made the change|all went well|(?:everything|all) is (?:well|fine|in order))\b|"
    r"\bi(?: would|'d)? (?:estimate|assume|presume|reckon)\b|\bmy (?:\w+ )?(?:guess|estimate)\b|"
    r"\b(?:by|from|to|in) my (?:own )?(?:knowledge|memory|opinion)\b"
)
# What one takes, makes or goes ahead with without changing anything.
_TRIED = re.compile(
    r"\b(?:went ahead and (?=look|check|search|tri|ask|read|saw)|"
    r"(?:took|made) (?:an?|another|one|some|the|my|every|no) (?:\w+ )?"
    r"(?:look|glance|note|moment|minute|while|time|mistake|error|typo|attempt|effort|try|search|check)s?\b)"
)
# Something held to be so in spite of all: "but it is open", "the shop certainly exists".
_HELD = re.compile(
    r"\b(?:(?:but|however|still|yet|anyway|nevertheless),? (?:\w+ly )?(?:it|he|she|they)"
    r"(?:'s| is| are| was| were| has| had)\b|"
    r"(?:it|this|that|he|she|they|there|the \w+)(?:'s| is| are| was| were| must| should| will| would)? "
    r"(?:certainly|surely|definitely|obviously|undoubtedly))"
    r"(?! (?:\w+ly )?(?:not|no|un\w+|required|needed|necessary|only|just|too|out of|outside|beyond|nothing|something|"
    r"invalid|incomplete|limited|possible|best|better|worth|because|for|up to|my|does|do|did|needs?|requires?)\b)"
)
_NUMBER_WORD = re.compile(
    r"\b(?:zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|"
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty|dozen|hundred|thousand|million|billion|noon|midnight)\b"
)
_LABEL = re.compile(r"[\w.+-]+@[\w.-]+\w|\b(?:[^\W\d]+-?\d[\w-]*|[\w/-]+\.(?:txt|md|pdf|csv|json))\b")
_CAPITAL = re.compile(r"(?<![\w'-])[A-Z\u00c0-\u00de][\w'-]*")
_SENTENCE_END = re.compile(r"(?:^|[.!?\n]['\")]*)[\s'\"(*-]*$")
_MONTHS = "january february march april may june july august september october november december"
_EVERYDAY = frozenset((
    *_MONTHS.split(), "i", "i'm", "i've", "i'd", "i'll", "ai", "api", "ok", "english", "no", "yes", "the", "there",
    "it", "this", "that", "please", "sorry", "unfortunately", "none", "you", "your", "permission",
))  # fmt: skip
# Words of the closed sets that every refusal may use; they count after "is" alone.
_COMMON = frozenset({"no", "yes", "returned", "high", "low", "normal"})
_IS = re.compile(r"\b(?:is|was|be|say|answer) (?:'|\")?(\w+)\b|\b(yes)\b")


def says_undone(answer: str) -> bool:
    """Whether an answer says that what was asked for did not happen."""
    return _UNDONE.search(_spread(answer)) is not None


def says_unable(answer: str) -> bool:
    """Whether an answer has a statement of inability."""
    return _UNABLE.search(_IDIOM.sub("", _spread(answer))) is not None


def _spread(answer: str) -> str:
    """Normalised, without contractions."""
    text = _CONTRACTED.sub(
        lambda m: {"ca": "cannot", "wo": "will not", "sha": "shall not"}.get(m[1], "cannot"), normalised(answer)
    )
    return text.replace("n't", " not").replace("'s not", " is not")


def refuses(task: GymTask, produced: Trajectory, answer: str) -> bool:
    """Whether an answer says that the task cannot be done, whatever else it says."""
    if says_unable(answer):
        return True
    text = normalised(answer)
    if task.why == "missing information" and (_ASKS.search(text) or _WANTS.search(text)):
        return True
    failed = (step.observation.text for step in produced.steps if step.observation and not step.observation.ok)
    return any(normalised(error.split(": ")[-1]).strip(" .") in text for error in failed)


def invents(task: GymTask, produced: Trajectory, answer: str, vocabulary: Vocabulary) -> bool:
    """Whether an excuse says more than it can know."""
    seen = "\n".join((task.query, *(step.observation.text for step in produced.steps if step.observation)))
    text, known = normalised(answer), _with_aliases(normalised(seen), vocabulary)
    if set(values_in(answer)) - set(values_in(seen)) or _claims(answer, seen):
        return True
    words = {*_NUMBER_WORD.findall(text), *_LABEL.findall(text)}
    if any(next(standing(known, word), None) is None for word in words):
        return True
    if any(_names_of(text, names) - members(known, names) for names in vocabulary.closed_sets):
        return True
    offered = (f"{tool.name} {tool.description} {json.dumps(tool.parameters, default=str)}" for tool in task.tools)
    familiar = known + "\n" + normalised("\n".join(offered))
    return any(next(standing(familiar, word), None) is None for word in _proper(answer))


def _with_aliases(known: str, vocabulary: Vocabulary) -> str:
    """With the other ways to say what a text names."""
    others = (way for ways in vocabulary.folded_aliases if any(way in known for way in ways) for way in ways)
    return "\n".join((known, *others))


def _names_of(text: str, names: frozenset[str]) -> set[str]:
    common = {word for match in _IS.finditer(text) for word in match.groups() if word}
    return {name for name in members(text, names) if name not in _COMMON or name in common - {"no"}}


def _claims(answer: str, seen: str) -> bool:
    """Whether a clause says that something is so or was done, without denying it or repeating what was seen."""
    known, text = _spread(seen), _TRIED.sub("", _spread(answer))
    for held in _HELD.finditer(text):
        clause = held[0] + _CLAUSE.split(text[held.end() :], maxsplit=1)[0]
        if not says_unable(clause) and clause.strip() not in known:
            return True
    for clause in _CLAUSE.split(text):
        if _DEED.search(clause) and not says_unable(clause) and clause.strip() not in known:
            return True
        claim = _CLAIM.search(clause)
        if claim is not None and not _NEGATED.search(clause, 0, claim.end()) and clause.strip() not in known:
            return True
    return False


def _proper(answer: str) -> Iterator[str]:
    """Words with a capital where no sentence begins, and sentences of one such word."""
    text = answer.replace("\u2019", "'")
    for match in _CAPITAL.finditer(text):
        word = match[0].casefold().removesuffix("'s").strip("'-")
        alone = text[match.end() : match.end() + 1] in {"", ".", "!"} and not word.endswith("ly")
        if word not in _EVERYDAY and (alone or not _SENTENCE_END.search(text, 0, match.start())):
            yield word
