"""Questions that no tool of the gym can answer, whatever is offered: the planner has to give up at once.

A topic leaves this list on the day a domain gains a tool for it.
"""

from __future__ import annotations

from alpha_umi.gym.domains.time import CITIES
from alpha_umi.gym.draft import Draft

_PEOPLE = "Anna Ben Carla David Elena Farid Grace Hugo Ines Jonas Kaito Lena Maria Noah Olga Pablo Rosa Sam"
_NAMES = _PEOPLE.split()
_LANGUAGES = ("French", "German", "Spanish", "Italian", "Dutch", "Polish", "Turkish", "Swedish", "Korean", "Hindi")
_PHRASES = ("good morning", "see you soon", "thank you", "where is the station", "happy birthday", "I am hungry")
_COINS = ("euros", "dollars", "pounds sterling", "yen", "Swiss francs", "rupees")

TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "tell the weather in {city}",
        (
            "What will the weather be in {city} on {date}?",
            "Will it rain in {city} on {date}?",
            "How is the forecast for {city} on {date}?",
            "Do I need a coat in {city} on {date}?",
            "Is sunshine expected in {city} for {date}?",
        ),
    ),
    (
        "translate into {language}",
        (
            "Translate '{phrase}' into {language} for {name}.",
            "How does {name} say '{phrase}' in {language}?",
            "{name} asks what '{phrase}' is in {language}.",
            "What is the {language} for '{phrase}'? {name} wants to know.",
            "Help {name} to write '{phrase}' in {language}.",
        ),
    ),
    (
        "exchange {coin} for {other}",
        (
            "How many {other} do I get for {n} {coin}?",
            "Exchange {n} {coin} into {other}.",
            "What are {n} {coin} worth in {other}?",
            "I have {n} {coin}. How much is that in {other}?",
            "Tell me today's value of {n} {coin} in {other}.",
        ),
    ),
    (
        "book a flight to {city}",
        (
            "Book a flight to {city} on {date}.",
            "Find me a plane to {city} for {date}.",
            "What does a flight to {city} on {date} cost?",
            "I want to fly to {city} on {date}. Reserve a seat.",
            "Which airlines go to {city} on {date}?",
        ),
    ),
    (
        "send a message to {name}",
        (
            "Send {name} a message that I will be {n} minutes late.",
            "Write an email to {name} about invoice {n}.",
            "Tell {name} by text that the meeting is in room {n}.",
            "Let {name} know that {n} guests are coming.",
            "Text {name} the code {n}, please.",
        ),
    ),
    (
        "find a restaurant in {city}",
        (
            "Find a restaurant in {city} for {n} people.",
            "Where can {n} of us eat in {city}?",
            "Reserve a table for {n} in {city}.",
            "Which restaurant in {city} seats {n} guests?",
            "Recommend a place for dinner in {city}, we are {n}.",
        ),
    ),
)


def tell(d: Draft) -> str:
    """Ask one of these questions; returns what nobody here can do."""
    goal, templates = d.any_of(TOPICS)
    coin, other = d.chance.sample(_COINS, 2)
    values = {
        "city": d.choose(list(CITIES)),
        "date": d.date(),
        "name": d.choose(_NAMES),
        "language": d.any_of(_LANGUAGES),
        "phrase": d.any_of(_PHRASES),
        "coin": coin,
        "other": other,
        "n": d.integer(2, 900),
    }
    d.ask(templates, **values)
    return goal.format(**values)
