"""The facts in the files of each kind, and how they are asked for."""

from __future__ import annotations

from alpha_umi_gym.domains.reading import Fact, quantity_in, said_quantity
from alpha_umi_gym.places import CITIES

_ANY_DATE = r"(\d{4}-\d\d-\d\d)"
FACTS = (
    Fact(
        "invoice",
        "money",
        r"(\d+) dollars",
        (
            "find the amount in {it}",
            "look up in {it} how many dollars were paid",
            "read in {it} what was paid",
            "get the sum of money out of {it}",
        ),
        (
            "the amount in {it}",
            "the sum of money in {it}",
            "the amount paid in {it}",
            "the dollar amount given in {it}",
        ),
        (
            "How many dollars were paid according to {it}?",
            "My tax adviser wants the amount in {it}. How much is it?",
            "How much money is it in {it}?",
            "What did the thing in {it} cost?",
        ),
        "the amount is {out} dollars",
        read=int,
        compares="size",
    ),
    Fact(
        "invoice",
        "date",
        _ANY_DATE,
        (
            "find the date of payment in {it}",
            "look up in {it} on which date the money was paid",
            "read in {it} on which date the payment was made",
        ),
        ("the date of payment in {it}", "the payment date in {it}", "the date on which the bill in {it} was paid"),
        (
            "On which date was the bill in {it} paid?",
            "I have to prove that I paid. Which date of payment does {it} name?",
            "What date of payment is in {it}?",
        ),
        "the payment was made on {out}",
        compares="date",
    ),
    Fact(
        "report",
        "count",
        r"(\d+) pieces",
        (
            "find the number of pieces in {it}",
            "look up in {it} how many pieces are reported",
            "read in {it} how many articles it speaks of",
        ),
        ("the number of pieces in {it}", "the number of articles reported in {it}", "the count of articles in {it}"),
        (
            "How many pieces does {it} speak of?",
            "For the shop I need the number of pieces in {it}. What is it?",
            "How many articles are reported in {it}?",
        ),
        "the number of pieces is {out}",
        read=int,
        compares="size",
    ),
    Fact(
        "report",
        "percent",
        r"(\d+) percent",
        (
            "find the percentage in {it}",
            "look up in {it} by how many percent something went up",
            "read in {it} how large the increase is in percent",
        ),
        ("the percentage in {it}", "the increase in percent in {it}", "the growth in percent given in {it}"),
        (
            "How many percent is the increase in {it}?",
            "My boss asks about the growth in {it}. How many percent is it?",
            "Which percentage is given in {it}?",
        ),
        "the increase is {out} percent",
        read=int,
        compares="size",
    ),
    Fact(
        "recipe",
        "mass",
        r"(\d+) g of",
        (
            "find the weight of the ingredient in {it}",
            "look up in {it} how many grams are needed",
            "read in {it} how much of the ingredient to take",
        ),
        ("the weight of the ingredient in {it}", "the weight named in {it}", "the number of grams in {it}"),
        (
            "How many grams are needed in {it}?",
            "I am in the supermarket. How much of the ingredient in {it} do I have to buy?",
            "What weight does {it} ask for?",
        ),
        "the weight is {out}",
        read=quantity_in("g"),
        say=said_quantity,
        compares="size",
    ),
    Fact(
        "recipe",
        "temperature",
        r"(\d+) C\b",
        (
            "find the temperature in {it}",
            "look up in {it} how hot the oven should be",
            "read in {it} at what temperature to bake",
        ),
        ("the temperature in {it}", "the oven temperature in {it}", "the heat of the oven given in {it}"),
        (
            "How hot should the oven be according to {it}?",
            "I am standing at the oven. What temperature does {it} say?",
            "At what temperature does one bake in {it}?",
        ),
        "the oven should have {out}",
        read=quantity_in("C"),
        say=said_quantity,
        compares="size",
    ),
    Fact(
        "trip",
        "city",
        "(" + "|".join(CITIES) + ")",
        (
            "find the city in {it}",
            "look up in {it} where the trip goes",
            "read in {it} which city is the destination",
            "get the destination out of {it}",
        ),
        ("the city in {it}", "the city named in {it}", "the destination in {it}", "the city that {it} is about"),
        (
            "Which city does the trip in {it} go to?",
            "I need a map of the city in {it}. Which one is it?",
            "What is the destination in {it}?",
            "To which city do we travel in {it}?",
        ),
        "the city is {out}",
    ),
    Fact(
        "trip",
        "date",
        _ANY_DATE,
        (
            "find the date in {it}",
            "look up in {it} on which date the trip begins",
            "read in {it} which date is given for the trip",
        ),
        ("the date in {it}", "the travel date in {it}", "the date of the trip in {it}"),
        (
            "On which date is the trip in {it}?",
            "Is my passport still valid for the trip in {it}? Tell me its date.",
            "Which date does {it} give?",
        ),
        "the date of the trip is {out}",
        compares="date",
    ),
)
