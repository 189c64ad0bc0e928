"""What people want done with short texts. The whole category is kept from training."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.text.tools import (
    change_case,
    count_letters,
    count_words,
    initials_of,
    is_palindrome,
    longest_word,
    replace_word,
    reverse_text,
    sort_words,
)
from alpha_umi_gym.intents import Category, Gives, Intent, Slot, Values
from alpha_umi_gym.people import PERSON
from alpha_umi_gym.sampler import DroppedTask

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
    kind="text",
    draw=lambda d: d.choose(SENTENCES if d.chances(0.7) else LISTS),
    say=_quoted,
    vague=_VAGUE,
)
_SENTENCE = replace(_TEXT, draw=lambda d: d.choose(SENTENCES))
_LIST = replace(_TEXT, draw=lambda d: d.choose(LISTS), vague=("these words", "my list of words", "the words you know"))
_ANY = replace(_TEXT, accepts=("word", "line"))
"""A text, a single word, or words in another order."""
_MIRROR = replace(
    _TEXT,
    kind="phrase",
    accepts=("word",),
    draw=lambda d: d.choose(_PALINDROMES if d.chances(0.5) else _NO_PALINDROMES),
)
_OLD_WORD = Slot(
    kind="old_word",
    draw=lambda d: d.choose(_OLD),
    say=_quoted,
    unknown=lambda d: d.ours(("zeppelin", "trombone", "volcano", "jukebox")),
    slip=lambda d, value: d.misspell(value),
)
_NEW_WORD = Slot(
    kind="new_word", draw=lambda d: d.choose(_NEW), say=_quoted, vague=("the word we agreed on", "that other word")
)
_LETTER = Slot(
    kind="letter",
    draw=lambda d: d.any_of("aeinorst"),
    say=_quoted,
)
_CASE = Slot(
    kind="case",
    draw=lambda d: d.any_of(("snake", "kebab", "camel", "snake", "kebab", "upper", "title")),
    say=lambda value: (f"{value} case",),
    vague=("the usual way of writing", "the style we agreed on"),
)
_ORDER = Slot(
    kind="order",
    draw=lambda d: d.any_of(("z-a", "short first", "long first")),
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
        tool=count_words,
        slots={"text": _TEXT},
        goals=(
            "count the words of {text}",
            "find out how many words there are in {text}",
            "tell the number of words in {text}",
        ),
        asks=(
            "How many words does {text} have?",
            "I pay by the word for {text}. How many words are it?",
            "How many words are there in {text}?",
        ),
        gives=Gives(
            kind="count",
            nouns=("the number of words in {text}", "the word count of {text}", "the count of words in {text}"),
            compares="size",
        ),
        found="the number of words in {text} is {out}",
        answers=("The number of words in {text} is {out}.", "The word count is {out}."),
    ),
    Intent(
        tool=count_letters,
        slots={"text": replace(_TEXT, accepts=("word",)), "letter": _LETTER},
        goals=(
            "count how often the letter {letter} occurs in {text}",
            "find out how many times {text} has the letter {letter}",
            "tell how many times the letter {letter} is used in {text}",
        ),
        asks=(
            "How often is the letter {letter} in {text}?",
            "I have only one stamp with the letter {letter}. How many times do I need it for {text}?",
            "In {text}, how many times can one find the letter {letter}?",
        ),
        gives=Gives(
            kind="count",
            nouns=(
                "the number of times the letter {letter} occurs in {text}",
                "the frequency of the letter {letter} in {text}",
                "the count of the letter {letter} in {text}",
            ),
            compares="size",
        ),
        found="the number of times the letter {letter} occurs in {text} is {out}",
        answers=("The number of times the letter {letter} occurs in {text} is {out}.", "I count it {out} times."),
    ),
    Intent(
        tool=longest_word,
        slots={"text": _TEXT},
        goals=(
            "find the length of the longest word in {text}",
            "measure the longest word of {text} in letters",
            "find out how many letters the longest word in {text} has",
        ),
        asks=(
            "How many letters does the longest word in {text} have?",
            "I am making a crossword out of {text}. How long is its longest word?",
            "Of all words in {text}, how many letters has the longest?",
        ),
        gives=Gives(
            kind="count",
            read="letters",
            nouns=(
                "the length of the longest word in {text}",
                "the number of letters of the longest word in {text}",
                "the letter count of the longest word in {text}",
            ),
            compares="size",
        ),
        found="the longest word in {text} has {out} letters",
        answers=("The longest word in {text} has {out} letters.", "It has {out} letters."),
        weight=3,
    ),
    Intent(
        tool=longest_word,
        slots={"text": _TEXT},
        goals=(
            "find the longest word in {text}",
            "pick the longest word of {text}",
            "search {text} for its longest word",
        ),
        asks=(
            "Which is the longest word in {text}?",
            "Which word in {text} has the most letters?",
            "No word in {text} is longer than one of them. Which one?",
        ),
        gives=Gives(
            kind="word",
            read=_longest,
            nouns=(
                "the longest word in {text}",
                "the longest word of {text}",
                "the word with the most letters in {text}",
            ),
        ),
        found="the longest word in {text} is '{out}'",
        answers=("The longest word in {text} is '{out}'.", "It is '{out}'."),
    ),
    Intent(
        tool=is_palindrome,
        slots={"text": _MIRROR},
        goals=(
            "check if {text} is a palindrome",
            "find out if {text} is a palindrome",
            "test {text} for being a palindrome",
        ),
        asks=(
            "Is {text} a palindrome?",
            "I want to engrave a palindrome. Is {text} one?",
            "Does {text} read the same from both ends?",
        ),
        gives=Gives(
            kind="verdict",
            nouns=(
                "the verdict, yes or no, on {text} being a palindrome",
                "the yes or no for {text} being a palindrome",
                "the answer, yes or no, to {text} being a palindrome",
            ),
            compares="yes|no",
        ),
        found="the verdict on {text} being a palindrome is {out}",
        answers=("Is {text} a palindrome? The answer is {out}.", "The answer is {out}."),
        rivals=("reverse_text",),
    ),
)
_REWRITING = (
    Intent(
        tool=reverse_text,
        slots={"text": replace(_ANY, accepts=("word", "line", "spelling"))},
        goals=(
            "write {text} backwards",
            "reverse the letters of {text}",
            "turn {text} round, letter by letter",
        ),
        asks=(
            "How is {text} written backwards?",
            "In the mirror I want to read {text}, so what are its letters in reverse?",
            "What do I get when I write {text} from the last letter to the first?",
        ),
        gives=Gives(
            kind="line",
            nouns=(
                "the reverse of {text}, letter by letter",
                "the backward spelling of {text}",
                "the text that {text} is when written backwards",
            ),
        ),
        found="{text} written backwards is '{out}'",
        answers=("Written backwards, {text} is '{out}'.", "It is '{out}'."),
    ),
    Intent(
        tool=reverse_text,
        slots={"text": replace(_TEXT, accepts=("line",))},
        goals=(
            "write the words of {text} in reverse order",
            "reverse {text} word by word",
            "turn {text} round so that the last word comes first",
        ),
        asks=(
            "How does {text} read with its words in reverse order?",
            "I speak like a wizard and begin with the last word. How do I say {text}, word by word?",
            "What becomes of {text} when its last word comes first, and so on?",
        ),
        gives=Gives(
            kind="line",
            nouns=(
                "the text {text} with its words in reverse order",
                "the reverse of {text}, word by word",
                "the word-by-word reverse of {text}",
            ),
        ),
        arguments=lambda v: {**v, "by": "words"},
        found="with its words in reverse order, {text} is '{out}'",
        answers=("With its words in reverse order, {text} is '{out}'.", "It is '{out}'."),
        weight=0.6,
    ),
    Intent(
        tool=change_case,
        slots={"text": _ANY, "case": _CASE},
        goals=(
            "write {text} in {case}",
            "put {text} into {case}",
            "convert {text} to {case}",
        ),
        asks=(
            "How is {text} written in {case}?",
            "The program wants {text} in {case}. What do I type?",
            "What does {text} look like in {case}?",
        ),
        gives=Gives(
            kind="spelling",
            nouns=("the {case} form of {text}", "the version of {text} in {case}", "the spelling of {text} in {case}"),
            facts=lambda out: [{"exact": out}],
        ),
        found="in {case}, {text} is '{out}'",
        answers=("In {case}, {text} is '{out}'.", "It is '{out}'."),
    ),
    Intent(
        tool=replace_word,
        slots={"text": replace(_SENTENCE, accepts=("line",)), "old": _OLD_WORD, "new": _NEW_WORD},
        fits=lambda v: v["old"] in v["text"].split(),
        goals=(
            "replace the word {old} by {new} in {text}",
            "put {new} in the place of {old} in {text}",
            "exchange the word {old} for {new} in {text}",
        ),
        asks=(
            "What does {text} become when {old} is replaced by {new}?",
            "I do not like the word {old} in {text}. How does it read with {new} instead?",
            "Take {text}, but say {new} where it says {old}. What do you get?",
        ),
        gives=Gives(
            kind="text",
            nouns=(
                "the text {text} with {new} in the place of {old}",
                "the new wording of {text} once {old} is replaced by {new}",
                "the sentence that {text} becomes with {new} for {old}",
            ),
        ),
        found="with {new} for {old}, {text} becomes '{out}'",
        answers=("With {new} for {old} it becomes '{out}'.", "The text is '{out}' now."),
    ),
    Intent(
        tool=sort_words,
        slots={"text": _LIST},
        goals=(
            "sort the words of {text} by the alphabet",
            "put the words of {text} into alphabetical order",
            "arrange the words of {text} from A to Z",
        ),
        asks=(
            "What are the words of {text} in alphabetical order?",
            "The index should be alphabetical. In which order do the words {text} come?",
            "How do the words {text} stand from A to Z?",
        ),
        gives=Gives(
            kind="line",
            nouns=(
                "the alphabetical order of the words {text}",
                "the list of the words of {text} from A to Z",
                "the alphabetical list of the words in {text}",
            ),
        ),
        found="in alphabetical order the words are '{out}'",
        answers=("In alphabetical order they are '{out}'.", "From A to Z: {out}."),
    ),
    Intent(
        tool=sort_words,
        slots={"text": _LIST, "order": _ORDER},
        fits=_sortable,
        goals=(
            "sort the words of {text} {order}",
            "put the words of {text} into another order, {order}",
            "arrange the words of {text} {order}",
        ),
        asks=(
            "What are the words of {text} when sorted {order}?",
            "Can you line up the words of {text} {order}?",
            "If I go through the words of {text} {order}, what do I read?",
        ),
        gives=Gives(
            kind="line",
            nouns=(
                "the list of the words of {text} {order}",
                "the order of the words of {text} {order}",
                "the sequence of the words of {text} {order}",
            ),
        ),
        found="sorted {order} the words are '{out}'",
        answers=("Sorted {order} they are '{out}'.", "The words in that order: {out}."),
        weight=0.7,
    ),
    Intent(
        tool=initials_of,
        slots={"name": replace(PERSON, unknown=None, slip=None)},
        goals=(
            "get the initials of {name}",
            "work out the initials of {name}",
            "shorten {name} to initials",
        ),
        asks=(
            "What are the initials of {name}?",
            "I am stitching initials into a shirt for {name}. Which ones?",
            "How does {name} sign with initials only?",
        ),
        gives=Gives(
            kind="initials",
            nouns=(
                "the pair of initials of {name}",
                "the set of initials that {name} has",
                "the short form of {name} by initials",
            ),
        ),
        found="the initials of {name} are {out}",
        answers=("The initials of {name} are {out}", "They are {out}"),
    ),
)

CATEGORY = Category(
    name="text",
    tools=(
        count_words,
        count_letters,
        longest_word,
        is_palindrome,
        reverse_text,
        change_case,
        replace_word,
        sort_words,
        initials_of,
    ),
    intents=(*_COUNTING, *_REWRITING),
    detours={"longest_word": ("sort_words",)},
    closed_sets=(frozenset({"yes", "no"}),),
)
