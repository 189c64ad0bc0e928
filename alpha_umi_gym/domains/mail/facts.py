"""The facts in the mails of each topic, and how they are asked for."""

from __future__ import annotations

from alpha_umi_gym.domains.reading import Fact, quantity_in, said_quantity
from alpha_umi_gym.places import CITIES

_ANY_DATE = r"(\d{4}-\d\d-\d\d)"
FACTS = (
    Fact("bill", "money", r"(\d+) dollars", read=int, compares="size"),
    Fact("bill", "date", _ANY_DATE, compares="date"),
    Fact("room", "room_number", r"(?:room|number) (\d+)", read=int),
    Fact("room", "floor", r"floor (\d+)", read=int, compares="size"),
    Fact("trip", "city", "(" + "|".join(CITIES) + ")"),
    Fact("trip", "date", _ANY_DATE, compares="date"),
    Fact("appointment", "clock", r"(\d\d:\d\d)"),
    Fact("appointment", "date", _ANY_DATE, compares="date"),
    Fact("parcel", "mass", r"([\d.]+) kg", read=quantity_in("kg"), say=said_quantity, compares="size"),
    Fact("parcel", "date", _ANY_DATE, compares="date"),
    Fact("newcomer", "person", r"(?:on|welcome|be) ([A-Z]\w+ [A-Z]\w+)"),
    Fact("newcomer", "date", _ANY_DATE, compares="date"),
    Fact("guests", "count", r"(\d+) guests", read=int, compares="size"),
    Fact("figures", "percent", r"(\d+) percent", read=int, compares="size"),
    Fact("paper", "filename", r"(shared/\w+\.txt)"),
    Fact("number", "phone", r"(\+\d+)"),
    Fact("deadline", "date", _ANY_DATE, compares="date"),
    Fact("route", "length", r"([\d.]+) km", read=quantity_in("km"), say=said_quantity, compares="size"),
)
