"""Offering a dozen of many tools: the one that is asked for must be among them."""

from __future__ import annotations

import pytest

from alpha_umi.tools.selection import most_related
from alpha_umi.trajectory import Tool
from alpha_umi_gym import toolbox

GYM = toolbox().tools


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("How many days are there from 2024-03-01 to 2024-12-24?", "days_between"),
        ("Convert 3 metres to feet, a length.", "convert_length"),
        ("When does the sun rise in Oslo on 2024-05-01?", "sunrise"),
        ("Send a mail to a@example.com with the subject 'Hi'.", "send_mail"),
        ("What is the status of order R1203?", "order_status"),
        ("Which public holiday comes next in Norway after 2024-05-01?", "next_holiday"),
    ],
)
def test_what_is_asked_for_is_offered(question: str, tool: str) -> None:
    offered = most_related(question, GYM, 10)
    assert tool in [item.name for item in offered]
    assert len(offered) == 10
    assert offered == [item for item in GYM if item in offered], "in their own order"


def test_few_tools_are_all_offered() -> None:
    assert most_related("anything", GYM[:4], 10) == list(GYM[:4])


def test_a_question_without_words_offers_the_first() -> None:
    assert most_related("42?", GYM, 3) == list(GYM[:3])
    assert most_related("x", [Tool(name="a"), Tool(name="b")], 1) == [Tool(name="a")]
