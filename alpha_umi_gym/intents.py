"""What a category is made of: tools, and for each tool the intents a person may have and how they are worded.

An intent says in words what one call is for; a slot says what may fill one of its places: a value of the request, or
what another call gives. The generator (`call_tree`) needs nothing else to build requests of any depth, so a new tool is
a function and one intent. Knows nothing of which categories exist or how a task is built.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace
from typing import Any

from alpha_umi.errors import UsageError
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.words import Words

Values = Mapping[str, Any]
"""The values of an intent's slots by name."""


def _placeholders(template: str) -> list[str]:
    try:
        return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError:  # a brace alone
        return ["..."]


def _one_way(value: Any) -> Sequence[str]:
    return (str(value),)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place of an intent: what fits there and how it is said."""

    kind: str
    """What it is (date, city, length, product_id); a call whose `Gives.kind` is the same may fill it."""
    draw: Callable[[Sampler], Any] | None = None
    """A value of this split for the request; None for what only another call can give (an id, say)."""
    say: Callable[[Any], Sequence[str]] = _one_way
    """Ways to write a value in a request; the first is plain, and is used in rationales and answers."""
    accepts: tuple[str, ...] = ()
    """Further kinds that fit."""
    refer: tuple[str, ...] = ()
    """Words that refer back to a value given before ("that many days"), where those of its kind do not fit."""
    nests: bool = True
    """Whether the name of another call's result can stand here; if not, that call is asked for in its own sentence."""
    vague: tuple[str, ...] = ()
    """Words that leave it open ("that day"), for requests that lack information."""
    unknown: Callable[[Sampler], Any] | None = None
    """A value that no world knows: the tool refuses it, and nothing can be done."""
    slip: Callable[[Sampler, Any], Any] | None = None
    """The value with a slip of the pen, which the tool's error corrects by naming the right value."""

    def plain(self, value: Any) -> str:
        """The value as it is said in rationales."""
        return self.say(value)[0]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Everything that fits."""
        return (self.kind, *self.accepts)


@dataclass(frozen=True, kw_only=True)
class Gives:
    """The one value that an intent is after."""

    kind: str
    nouns: tuple[str, ...] = ()
    """Names for it in a request, at least three: "the number of days from {start} to {end}"; or the intent's `words`
    have them."""
    read: str | Callable[[Any, Values], Any] | None = None
    """Where it is in the result: a key, a function of result and slots, or None for the result itself."""
    say: Callable[[Any], str] = str
    """How it is written in rationales and answers."""
    compares: str = ""
    """How a request may depend on it: "size", "date", or its possible values with | between; "" when it may not."""
    facts: Callable[[Any], Sequence[object]] | None = None
    """What an answer must state, when it is not simply the value as said."""

    def of(self, result: Any, values: Values) -> Any:
        """The value in a tool's result."""
        if callable(self.read):
            return self.read(result, values)
        return result if self.read is None else result[self.read]


@dataclass(frozen=True, kw_only=True, eq=False)
class Intent:
    """One thing a person may want from one tool. Templates name slots in braces, and the value given as {out}.

    Raises:
        UsageError: it is not worded, or its `words` do not fit it.
    """

    tool: Callable[..., Any]
    slots: Mapping[str, Slot] = field(default_factory=dict)
    words: InitVar[Words | None] = None
    """All of its templates, where they are kept as data."""
    goals: tuple[str, ...] = ()
    """Imperative clauses, at least three: "count the days from {start} to {end}"; the first is plainest."""
    asks: tuple[str, ...] = ()
    """Whole requests in words of their own, at least three where given."""
    found: str = ""
    """A statement of the outcome without a full stop: "there are {out} days from {start} to {end}"."""
    answers: tuple[str, ...] = ()
    """Whole sentences for the user."""
    gives: Gives | None = None
    """None for a call that is made for its effect alone."""
    arguments: Callable[[Values], Mapping[str, Any]] | None = None
    """Slots to arguments; by default each slot is the argument of its name."""
    fits: Callable[[Values], bool] | None = None
    """Whether these values make sense together; checked once all are known."""
    changes: bool = False
    """Whether the call changes the world."""
    rivals: tuple[str, ...] = ()
    """Tools that could do the same another way, and this tool what they do."""
    by_heart: bool = False
    """Whether people and models know the result without a tool (the capital of Greece, what +39 stands for)."""
    weight: float = 1.0
    """How often it is chosen among the intents of its tool."""
    root: bool = True
    """Whether a request may be about it; if not, it only serves another call ("the latest order of Anna Adler")."""

    def __post_init__(self, words: Words | None) -> None:
        if words is not None:
            for name in ("goals", "asks", "found", "answers"):
                object.__setattr__(self, name, getattr(words, name))
            if self.gives is not None:
                object.__setattr__(self, "gives", replace(self.gives, nouns=words.nouns))
            elif words.nouns:
                raise UsageError(f"an intent of {self.name} has nouns, but gives nothing that they could name")
        worded = {"goals": self.goals, "found": self.found, "answers": self.answers}
        if self.gives is not None:
            worded["nouns"] = self.gives.nouns
        if missing := [name for name, templates in worded.items() if not templates]:
            raise UsageError(f"an intent of {self.name} has no {' and no '.join(missing)}")

    @functools.cached_property
    def name(self) -> str:
        """The tool's name."""
        return self.tool.__name__

    def strange(self) -> list[str]:
        """Placeholders of its templates that are none of its slots, each with its template."""
        known = set(self.slots)
        templates = [*self.goals, *self.asks, *(self.gives.nouns if self.gives else ())]
        stated = [self.found, *self.answers]
        return [
            f"{{{name}}} in {template!r}"
            for template, names in (*((t, known) for t in templates), *((t, known | {"out"}) for t in stated))
            for name in _placeholders(template)
            if name not in names
        ]

    @functools.cached_property
    def least_calls(self) -> int:
        """Calls that it needs at least: slots that no request can fill need another call."""
        return 1 + sum(slot.draw is None for slot in self.slots.values())


@dataclass(frozen=True, kw_only=True)
class Category:
    """A part of the world: its tools and what they are wanted for."""

    name: str
    intents: tuple[Intent, ...]
    tools: tuple[Callable[..., Any], ...] = ()
    """Typed functions, by default those of the intents; one whose first parameter is `world` is given the episode's."""
    held_out: tuple[str, ...] = ()
    """Tools that training never sees: they are the split `unseen_tools`."""
    alternatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Tool -> tools with which one gets at the same after some tries: by guesses, by looking the other way round, or by
    an error that tells. They are not offered where the tool is missing or denied."""
    closed_sets: tuple[frozenset[str], ...] = ()
    """Sets of few names or words that can be facts, folded: an answer that gives one may name no other of its set."""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fact -> the ways to say it, which an answer may use in its place."""
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Unit -> the words that mean it: behind a number no other may stand."""

    def __post_init__(self) -> None:
        if not self.tools:
            object.__setattr__(self, "tools", tuple(dict.fromkeys(intent.tool for intent in self.intents)))
