"""What people want done with short texts. The whole category is kept from training."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.text import tools
from alpha_umi_gym.intents import Category, Gives, Intent, Slot, Values
from alpha_umi_gym.people import PERSON
from alpha_umi_gym.sampler import DroppedTask
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)
_OLD = ("golden", "silent", "little", "hungry", "clever", "purple", "ancient", "broken")
_NEW = ("wooden", "gentle", "sleepy", "famous", "frozen", "yellow", "modern", "lonely", "secret", "jealous")
_WHO = ("otter", "parrot", "badger", "penguin", "rabbit", "donkey", "falcon", "lizard", "hedgehog", "squirrel")
_DOES = ("sleeps", "waits", "hides", "sings", "dances", "whistles", "complains")
_WHERE = (
    "under the bridge", "behind the station", "near the library", "beside the fountain", "above the harbour",
    "in the garden", "on the roof", "across the river", "at the bakery",
)  # fmt: skip
_FRUIT = (
    "melon", "cherry", "apple", "fig", "banana", "orange", "plum", "quince", "kiwi", "raspberry", "date", "lemon",
    "grapefruit", "nectarine", "pear", "tangerine", "elderberry", "mulberry", "hazelnut", "walnut",
)  # fmt: skip
_PALINDROMES = (
    "never odd or even", "step on no pets", "top spot", "racecar", "rotator", "no lemon no melon", "taco cat",
    "we panic in a pew", "a nut for a jar of tuna", "stack cats", "civic", "deified", "reviver", "my gym",
    "too hot to hoot", "borrow or rob", "live not on evil", "was it a car or a cat I saw", "don't nod", "kayak",
)  # fmt: skip
_NO_PALINDROMES = (
    "always odd and even", "step on my toes", "top shelf", "raceboat", "rotation", "no lemons no melons", "taco dog",
    "we picnic in a park", "a nut for a jar of jam", "pile of cats", "civil", "divided", "revolver", "our gym",
    "too cold to skate", "lend or give", "live on an island", "it was a cat that I saw", "don't sleep", "canoe",
)  # fmt: skip


def _pool(many: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sentences and lists of words, the same in every process."""
    chance = random.Random(20)
    pick = chance.choice
    sentences = {f"the {pick(_OLD)} {pick(_WHO)} {pick(_DOES)} {pick(_WHERE)}" for _ in range(many)}
    lists = {" ".join(chance.sample(_FRUIT, chance.randrange(3, 7))) for _ in range(many)}
    return tuple(sorted(sentences)), tuple(sorted(lists))


SENTENCES, LISTS = _pool(700)
_VAGUE = ("that sentence", "my motto", "the slogan I told you about")


def _quoted(value: object) -> tuple[str, ...]:
    return (f"'{value}'",)


_TEXT = Slot(
    kind="text", draw=lambda d: d.split_value(SENTENCES if d.chances(0.7) else LISTS), say=_quoted, vague=_VAGUE
)
_SENTENCE = replace(_TEXT, draw=lambda d: d.split_value(SENTENCES))
_LIST = replace(
    _TEXT, draw=lambda d: d.split_value(LISTS), vague=("these words", "my list of words", "the words you know")
)
_ANY = replace(_TEXT, accepts=("word", "line"))
"""A text, a single word, or words in another order."""
_MIRROR = replace(
    _TEXT,
    kind="phrase",
    accepts=("word",),
    draw=lambda d: d.split_value(_PALINDROMES if d.chances(0.5) else _NO_PALINDROMES),
)
_OLD_WORD = Slot(
    kind="old_word",
    draw=lambda d: d.split_value(_OLD),
    say=_quoted,
    unknown=lambda d: d.from_short_list(("zeppelin", "trombone", "volcano", "jukebox")),
    slip=lambda d, value: d.misspell(value),
)
_NEW_WORD = Slot(
    kind="new_word", draw=lambda d: d.split_value(_NEW), say=_quoted, vague=("the word we agreed on", "that other word")
)
_LETTER = Slot(kind="letter", draw=lambda d: d.any_value("aeinorst"), say=_quoted)
_CASE = Slot(
    kind="case",
    draw=lambda d: d.any_value(("snake", "kebab", "camel", "snake", "kebab", "upper", "title")),
    say=lambda value: (f"{value} case",),
    vague=("the usual way of writing", "the style we agreed on"),
)
_ORDER = Slot(
    kind="order",
    draw=lambda d: d.any_value(("z-a", "short first", "long first")),
    say=lambda value: ({"z-a": "from Z to A", "short first": "from short to long"}.get(value, "from long to short"),),
    vague=("in the usual order", "in the order we agreed on"),
)


def _longest(result: Any, values: Values) -> str:
    if sum(len(word) == result["letters"] for word in values["text"].split()) > 1:
        raise DroppedTask("several words are equally long")
    return str(result["word"])


def _sortable(values: Values) -> bool:
    """Whether there is one right order only."""
    words = values["text"].split()
    return values["order"] == "z-a" or len({len(word) for word in words}) == len(words)


_COUNTING = (
    Intent(
        tool=tools.count_words,
        words=_WORDS["count_words"],
        slots={"text": _TEXT},
        gives=Gives(kind="count", compares="size"),
    ),
    Intent(
        tool=tools.count_letters,
        words=_WORDS["count_letters"],
        slots={"text": replace(_TEXT, accepts=("word",)), "letter": _LETTER},
        gives=Gives(kind="count", compares="size"),
    ),
    Intent(
        tool=tools.longest_word,
        words=_WORDS["longest_word_length"],
        slots={"text": _TEXT},
        gives=Gives(kind="count", read="letters", compares="size"),
        weight=3,
    ),
    Intent(
        tool=tools.longest_word,
        words=_WORDS["longest_word"],
        slots={"text": _TEXT},
        gives=Gives(kind="word", read=_longest),
    ),
    Intent(
        tool=tools.is_palindrome,
        words=_WORDS["is_palindrome"],
        slots={"text": _MIRROR},
        gives=Gives(kind="verdict", compares="yes|no"),
        rivals=("reverse_text",),
    ),
)
_REWRITING = (
    Intent(
        tool=tools.reverse_text,
        words=_WORDS["reverse_text"],
        slots={"text": replace(_ANY, accepts=("word", "line", "spelling"))},
        gives=Gives(kind="line"),
    ),
    Intent(
        tool=tools.reverse_text,
        words=_WORDS["reverse_text_by_words"],
        slots={"text": replace(_TEXT, accepts=("line",))},
        gives=Gives(kind="line"),
        arguments=lambda v: {**v, "by": "words"},
        weight=0.6,
    ),
    Intent(
        tool=tools.change_case,
        words=_WORDS["change_case"],
        slots={"text": _ANY, "case": _CASE},
        gives=Gives(kind="spelling", facts=lambda out: [{"exact": out}]),
    ),
    Intent(
        tool=tools.replace_word,
        words=_WORDS["replace_word"],
        slots={"text": replace(_SENTENCE, accepts=("line",)), "old": _OLD_WORD, "new": _NEW_WORD},
        fits=lambda v: v["old"] in v["text"].split(),
        gives=Gives(kind="text"),
    ),
    Intent(tool=tools.sort_words, words=_WORDS["sort_words"], slots={"text": _LIST}, gives=Gives(kind="line")),
    Intent(
        tool=tools.sort_words,
        words=_WORDS["sort_words_in_order"],
        slots={"text": _LIST, "order": _ORDER},
        fits=_sortable,
        gives=Gives(kind="line"),
        weight=0.7,
    ),
    Intent(
        tool=tools.initials_of,
        words=_WORDS["initials_of"],
        slots={"name": replace(PERSON, unknown=None, slip=None)},
        gives=Gives(kind="initials"),
    ),
)

CATEGORY = Category(
    name="text",
    intents=(*_COUNTING, *_REWRITING),
    alternatives={"longest_word": ("sort_words",)},
    closed_sets=(frozenset({"yes", "no"}),),
)
