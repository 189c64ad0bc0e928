"""Small work on short texts: counting, turning round, sorting and rewriting. Pure functions."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from alpha_umi_gym.lookup import find

Text = Annotated[str, Field(min_length=1, max_length=2000)]
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


def count_words(text: Text) -> int:
    """Number of words in a text."""
    return len(_words(text))


def count_letters(text: Text, letter: Annotated[str, Field(min_length=1, max_length=1)]) -> int:
    """How often a letter occurs in a text, whether capital or small."""
    if not letter.isalpha():
        raise ValueError(f"'{letter}' is not a letter")
    return text.casefold().count(letter.casefold())


def reverse_text(text: Text, by: Literal["letters", "words"] = "letters") -> str:
    """Turn a text round, so that the last letter or the last word comes first."""
    return text[::-1] if by == "letters" else " ".join(reversed(text.split()))


def change_case(text: Text, case: Literal["upper", "lower", "title", "snake", "kebab", "camel"]) -> str:
    """Rewrite a text in another case, such as UPPER, Title, snake_case, kebab-case or camelCase."""
    words = [word.lower() for word in _words(text)]
    match case:
        case "upper":
            return text.upper()
        case "lower":
            return text.lower()
        case "title":
            return " ".join(word[:1].upper() + word[1:].lower() for word in text.split())
        case "snake":
            return "_".join(words)
        case "kebab":
            return "-".join(words)
        case "camel":
            return "".join([*words[:1], *(word.capitalize() for word in words[1:])])


def replace_word(
    text: Text,
    old: Annotated[str, Field(min_length=1, max_length=60)],
    new: Annotated[str, Field(min_length=1, max_length=60)],
) -> str:
    """Put another word in the place of a word wherever it stands in a text."""
    known = find(old, _words(text), what="word")
    return re.sub(rf"(?<![^\W_]){re.escape(known)}(?![^\W_])", lambda _: new, text, flags=re.IGNORECASE)


def longest_word(text: Text) -> dict[str, int | str]:
    """Give the longest word of a text, the first one if several are equally long, and how long it is."""
    words = _words(text)
    if not words:
        raise ValueError("the text has no words")
    word = max(words, key=len)
    return {"word": word, "letters": len(word)}


def sort_words(text: Text, order: Literal["a-z", "z-a", "short first", "long first"] = "a-z") -> str:
    """Arrange the words of a text by the alphabet or by their length; equally long ones stay in the order given."""
    words = _words(text)
    if order in {"a-z", "z-a"}:
        return " ".join(sorted(words, key=str.casefold, reverse=order == "z-a"))
    return " ".join(sorted(words, key=len, reverse=order == "long first"))


def initials_of(name: Annotated[str, Field(min_length=1, max_length=120)]) -> str:
    """The initials of a name, each with a full stop: Ada Lovelace is A.L."""
    initials = [part[0].upper() for part in re.split(r"[\s-]+", name) if part[:1].isalpha()]
    if not initials:
        raise ValueError(f"'{name[:40]}' is not a name")
    return "".join(f"{initial}." for initial in initials)


def is_palindrome(text: Text) -> Literal["yes", "no"]:
    """Tell whether a text reads the same backwards, leaving aside capitals, blanks and punctuation."""
    letters = [character for character in text.casefold() if character.isalnum()]
    if not letters:
        raise ValueError("the text has no letters")
    return "yes" if letters == letters[::-1] else "no"


def _words(text: str) -> list[str]:
    return _WORD.findall(text)
