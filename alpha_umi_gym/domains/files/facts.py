"""The facts in the files of each kind, and how they are asked for."""

from __future__ import annotations

from alpha_umi_gym.domains.reading import Fact, quantity_in, said_quantity
from alpha_umi_gym.places import CITIES

_ANY_DATE = r"(\d{4}-\d\d-\d\d)"
FACTS = (
    Fact("invoice", "money", r"(\d+) dollars", read=int, compares="size"),
    Fact("invoice", "date", _ANY_DATE, compares="date"),
    Fact("report", "count", r"(\d+) pieces", read=int, compares="size"),
    Fact("report", "percent", r"(\d+) percent", read=int, compares="size"),
    Fact("recipe", "mass", r"(\d+) g of", read=quantity_in("g"), say=said_quantity, compares="size"),
    Fact("recipe", "temperature", r"(\d+) C\b", read=quantity_in("C"), say=said_quantity, compares="size"),
    Fact("trip", "city", "(" + "|".join(CITIES) + ")"),
    Fact("trip", "date", _ANY_DATE, compares="date"),
)
